package outcome

import "strings"

// Many words say little about what is measured. How much they say is general knowledge of trial prose
// and was not learnt from labelled pairs.
const (
	weightNone    = 0.0  // grammar, and what every outcome says of itself
	weightFaint   = 0.15 // the shape of a statistic
	weightLight   = 0.35 // what many outcomes share
	weightNormal  = 1.0
	weightConcept = 1.5 // a term of the table
)

// weights has the weights, by stem, of all words that do not count fully.
var weights = stems(map[float64]string{
	weightNone: `a an the of in on at to for from by with within without and or as is are was were be been being that this these those
		it its their there which who whom whose when where while than then into onto upon via per both each any all such other
		another between among amongst during throughout until till up over under about also not no yes if but so do does did
		has have had having will would may can could should shall he she they we our us his her one two three four five six seven
		eight nine ten first second third i ii iii iv ie eg etc vs versus v
		outcome outcomes endpoint endpoints end point points primary secondary exploratory measure measures measured measurement
		measuring measurements assess assessed assessing assessment assessments evaluate evaluated evaluating evaluation evaluations
		determine determined determining determination determinations define defined definition defining describe described
		calculate calculated calculating compare compared comparing comparison comparisons examine examined investigate
		investigated explore estimate estimated demonstrate test tested report reported reporting record recorded observe observed
		patient patients participant participants subject subjects people person persons individual individuals volunteer volunteers
		trial trials study studies part baseline group groups arm arms cohort cohorts treated population enrolled randomized
		randomization randomly main key objective objectives aim aims purpose using used use uses terms
		occurred occurring occur occurs occurrence least including included includes based according initial respectively
		whichever came comes expected approximately average well after before following prior post pre since`,
	weightFaint: `change changes changed changing difference differences number numbers count counts proportion proportions percent
		percentage percentages pct rate rates incidence incidences incident prevalence frequency frequencies ratio ratios risk
		odds mean means median total overall score scores scored scoring level levels value values amount degree extent
		reduction reductions reduce reduced reducing increase increases increased increasing decrease decreases decreased decline
		improve improves improved improvement improvements improving worsening worsen gain achieve achieved achieving achievement
		attain reach reached experiencing experience experienced develop developed developing having show absolute relative
		cumulative scale scales questionnaire questionnaires instrument inventory index indices parameter parameters data status
		time times timing date dates interval period periods duration course visit visits long short term
		effect effects effectiveness impact influence new additional different various several common general specific
		criteria criterion version modified grade grades graded range high higher highest low lower lowest minimum maximum
		normal self presence present absence absent cause causes confirmed positive negative independent committee reviewed
		review investigator central blinded
		day days week weeks month months year years hour hours minute minutes follow followup`,
	weightLight: `treatment treatments therapy therapies drug drugs intervention interventions medication medications dose doses
		dosing clinical clinically disease diseases disorder disorders syndrome condition conditions cancer cancers tumor tumors
		carcinoma carcinomas symptom symptoms event events response responses responder responders related associated result results
		performance function activity analysis analyses profile process procedure procedures surgery surgical
		operative postoperative preoperative intraoperative laboratory health care medical hospital test system
		body blood serum plasma concentration concentrations severity severe serious significant successful success rated
		acute chronic chemotherapy radiotherapy colorectal colon rectal breast lung prostate cell cells human adult adults child type
		feasibility efficacy
		completed complete type proven proved emergent program oral daily safety`,
})

func stems(byWeight map[float64]string) map[string]float64 {
	m := map[string]float64{}
	for weight, list := range byWeight {
		for w := range strings.FieldsSeq(list) {
			for _, k := range []string{"=" + w, stem(w)} {
				if old, ok := m[k]; !ok || weight > old {
					m[k] = weight
				}
			}
		}
	}
	return m
}

// weigh returns the weight of a word that belongs to no term.
func weigh(w string) float64 {
	if weight, ok := weights["="+w]; ok {
		return weight
	}
	if strings.ContainsAny(w, "0123456789") && len(strings.Trim(w, "abcdefghijklmnopqrstuvwxyz")) > 0 && (isNumber(w) || isDigit(w[0])) {
		return weightFaint // a number, or one with its unit
	}
	if len(w) == 1 {
		return weightFaint
	}
	if weight, ok := weights[stem(w)]; ok && weight > weightNone {
		return weight
	}
	return weightNormal
}
