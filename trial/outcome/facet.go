package outcome

import (
	"slices"
	"strings"
)

// A facet is something in which outcomes may differ although most of their words are the same.
// Each side is written as phrases, separated by commas; each word of a phrase is compared by its
// letters. A text that names several sides is on none.
type facet struct {
	name  string
	sides []string
}

// facets name what differs, for people. They clear nothing: a difference that no facet knows is
// a difference all the same.
var facets = []facet{
	{"population", []string{"intention to treat, intent to treat, itt, full analysis set, fas",
		"modified intention to treat, modified intent to treat, mitt", "per protocol, pp population, pp set",
		"safety population, safety set, safety analysis set, as treated", "evaluable, completers, complete cases"}},
	{"cause", []string{"all cause, any cause, all causes, overall mortality, any death", "cardiovascular, cardiac, cv",
		"cancer specific, cancer related, disease specific, disease related, prostate cancer death", "respiratory",
		"non cardiovascular"}},
	{"reader", []string{"central, independent, bicr, birc, irc, adjudicated, blinded review, core laboratory",
		"investigator, investigators, local, site assessed, unadjudicated"}},
	{"source", []string{"self reported, patient reported, self report, questionnaire, diary",
		"biochemically, verified, validated, measured, objective, objectively, accelerometer, clinician rated, clinician reported, " +
			"observer rated, chart review, cotinine"}},
	{"statistic", []string{"time to, time until, time from, duration",
		"rate, proportion, percentage, incidence, frequency, number, count, %, occurrence"}},
	{"sign", []string{"positive, +", "negative, -"}},
	{"direction", []string{"improvement, improved, increase, increased, gain",
		"worsening, worsened, decline, decrease, decreased, reduction, loss, deterioration"}},
	{"order", []string{"first", "recurrent, total, all events, repeated, subsequent"}},
	{"side", []string{"left, lv, lvef", "right, rv, rvef"}},
	{"person", []string{"maternal, mother, mothers", "neonatal, newborn, newborns, neonate, neonates, infant, infants",
		"fetal, foetal, fetus"}},
	{"person who answers", []string{"parent, parents, caregiver, caregivers, proxy",
		"child, children, patient, patients, participant, participants"}},
	{"state", []string{"rest, resting", "movement, activity, walking, exertion, coughing"}},
	{"state of feeding", []string{"fasting, fasted", "postprandial, fed, non fasting"}},
	{"statistic", []string{"freedom", "frequency"}},
	{"site", []string{"upper", "lower"}},
	{"site", []string{"ipsilateral", "contralateral"}},
	{"site", []string{"proximal", "distal"}},
	{"interval", []string{"inf, infinity", "last, tau"}},
	{"severity", []string{"severe", "mild", "moderate"}},
	{"time", []string{"early", "late"}},
	{"pressure", []string{"systolic", "diastolic"}},
	{"sex", []string{"men, male, males, boys", "women, female, females, girls"}},
	{"intensity", []string{"average, mean pain", "worst, maximum, peak, maximal", "least, minimum, minimal", "current"}},
	{"sort", []string{"cholesterol ldl, ldl", "hdl", "triglycerides"}},
	{"place", []string{"hospital, inpatient", "outpatient, home, ambulatory"}},
	{"relation", []string{"related, drug related, treatment related", "all causality, regardless of causality, unrelated"}},
	{"instrument", []string{
		"visual analogue, visual analog, vas", "numeric rating, numerical rating, nrs, numeric pain rating", "verbal rating, vrs",
		"mcgill, mpq, sf mpq", "brief pain inventory, bpi", "womac", "koos", "oswestry, odi", "roland morris, rmdq",
		"hamilton depression, hamilton scale, ham d, hamd, hdrs", "montgomery, madrs", "beck depression, bdi", "phq 9, phq9, phq",
		"ids c, ids sr, qids", "cgi, clinical global impression", "hads",
		"hamilton anxiety, ham a, hama", "gad 7, gad7", "beck anxiety, bai", "panss", "bprs", "cdr", "adas cog, adas",
		"mmse, mini mental", "moca, montreal cognitive",
		"sf 36, sf36, short form 36", "sf 12, sf12", "eq 5d, eq5d, euroqol", "eortc, qlq c30", "fact g, fact", "whoqol", "promis",
		"kccq", "mlhfq, minnesota living", "sgrq, st george", "cat score, copd assessment", "acq",
		"act score, asthma control test", "dlqi", "pasi", "easi", "scorad", "iga, investigator global",
		"recist", "mrecist", "irecist", "who criteria", "lugano", "choi", "modified rankin, mrs", "nihss", "barthel", "glasgow",
		"updrs", "edss", "das28, das 28", "cdai", "sdai", "acr20, acr 20", "acr50, acr 50", "acr70, acr 70", "mayo",
		"harvey bradshaw",
		"psqi, pittsburgh sleep", "epworth, ess", "insomnia severity, isi", "actigraphy", "polysomnography", "dexa, dxa",
		"mri, magnetic resonance", "computed tomography, ct", "ultrasound, echocardiography", "ctcae", "meddra", "kdigo", "rifle",
		"akin",
	}},
}

// qualifiers distinguish an outcome from one without them, each with its spellings and
// abbreviations: an outcome with a qualifier is a part of the one without it.
var qualifiers = []facet{
	{"serious", []string{"serious, sae, saes, susar, susars"}},
	{"severe", []string{"severe, grade 3, grade 4, grade iii"}},
	{"fatal", []string{"fatal"}},
	{"non-fatal", []string{"nonfatal, non fatal"}},
	{"symptomatic", []string{"symptomatic"}},
	{"asymptomatic", []string{"asymptomatic"}},
	{"major", []string{"major"}},
	{"minor", []string{"minor"}},
	{"complete", []string{"complete, cr"}},
	{"partial", []string{"partial, pr"}},
	{"sustained", []string{"sustained, durable, continuous, prolonged"}},
	{"confirmed", []string{"confirmed"}},
	{"related", []string{"related, drug related, treatment related"}},
	{"ischaemic", []string{"ischemic, ischaemic"}},
	{"haemorrhagic", []string{"hemorrhagic, haemorrhagic"}},
	{"clinically significant", []string{"clinically significant, clinically relevant, clinically important"}},
	{"positive", []string{"positive"}},
	{"negative", []string{"negative"}},
	{"unplanned", []string{"unplanned, emergency, urgent"}},
	{"new", []string{"new onset, de novo"}},
	{"cause-specific", []string{"cardiovascular, cardiac, cancer specific, disease specific, disease related, aids related, respiratory"}},
	{"treatment-emergent", []string{"treatment emergent, teae, teaes"}},
	{"nocturnal", []string{"nocturnal"}},
	{"subgroup", []string{"subgroup, subset, subpopulation, responders, adherent, compliant, high risk, elderly, aged, completers, " +
		"per protocol"}},
}

// denials turn a statement into its opposite.
var denials = []string{"without", "no", "not", "non", "free", "freedom", "absence", "lack", "never", "neither", "nor", "unable",
	"except", "excluding", "other than", "none"}

// people are words for participants, some of them for a part of the participants.
var (
	people = []string{"patient", "patients", "participant", "participants", "subject", "subjects", "adults", "those", "people",
		"individuals", "volunteers"}
	partly = []string{"women", "men", "children", "males", "females", "infants", "smokers", "responders", "carriers", "population",
		"subgroup", "subset", "girls", "boys", "adolescents"}
)

// changes are words for a change from one time to another.
const changes = "change, changes, difference, reduction, improvement, decrease, increase, worsening, decline, gain, loss"

// spaced returns the words of marks for finding phrases, those with a hyphen apart.
func spaced(list []mark) string { return " " + strings.Join(texts(list, false), " ") + " " }

// has reports whether a text has one of phrases, given with commas.
func has(text, phrases string) bool {
	for p := range strings.SplitSeq(phrases, ",") {
		if strings.Contains(text, " "+strings.TrimSpace(p)+" ") {
			return true
		}
	}
	return false
}

// side returns which side of a facet a text is on, or -1 for none or several.
func (f facet) side(text string) int {
	at := -1
	for i, s := range f.sides {
		if has(text, s) {
			if at >= 0 {
				return -1
			}
			at = i
		}
	}
	return at
}

// numbersOf returns the numbers in marks, also those within words: the 90 of PASI-90 and of
// PASI90. Each has the sign before it.
func numbersOf(list []mark) []string {
	var found []string
	for i, m := range list {
		for n := range strings.FieldsFuncSeq(m.text, func(r rune) bool { return r != '.' && (r < '0' || r > '9') }) {
			if n = strings.Trim(n, "."); n == "" {
				continue
			}
			if i > 0 && n == m.text && slices.Contains([]string{"<", ">", "≤", "≥", "-", "≈"}, list[i-1].text) {
				n = list[i-1].text + n
			}
			if !slices.Contains(found, n) {
				found = append(found, n)
			}
		}
	}
	return found
}

// combines reports whether an outcome is any one of several events.
func combines(text string) bool { return has(text, "or, composite, combined, any of") }
