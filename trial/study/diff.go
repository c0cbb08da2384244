package study

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/outcome"
)

// A Change is one thing that two versions of a study say differently.
type Change struct {
	Field string `json:"field"` // such as sponsor, date start, primary outcome
	Sort  string `json:"sort"`  // one of the sorts below
	Old   string `json:"old,omitempty"`
	New   string `json:"new,omitempty"`
	// Likeness is how likely it is that the two are one outcome that was reworded; 0 if they
	// were not joined by likeness. It is a proposal and not a finding.
	Likeness float64 `json:"likeness,omitempty"`
	// Class says how the words of such an outcome relate to those before, as package outcome
	// has it: narrowed, replaced and so on.
	Class outcome.Class `json:"class,omitempty"`
}

// Sorts of changes.
const (
	Changed  = "changed"
	Added    = "added"
	Removed  = "removed"
	Promoted = "promoted" // an outcome that became primary
	Demoted  = "demoted"  // an outcome that is no longer primary
	Reworded = "reworded" // an outcome whose words changed and which is taken to be the same
	Refined  = "refined"  // not an edit: a planned date that became actual on a day it could mean, or a month that became a day
)

func (c Change) String() string {
	switch {
	case c.Old == "":
		return fmt.Sprintf("%s %s: %s", c.Field, c.Sort, quote(c.New))
	case c.New == "":
		return fmt.Sprintf("%s %s: %s", c.Field, c.Sort, quote(c.Old))
	}
	from, to := fromDifference(c.Old, c.New)
	said := fmt.Sprintf("%s %s: %s -> %s", c.Field, c.Sort, quote(from), quote(to))
	if c.Likeness > 0 {
		class := ""
		if c.Class != outcome.Reworded {
			class = string(c.Class) + "; "
		}
		said += fmt.Sprintf(" (%sproposed, likeness %.2f)", class, c.Likeness)
	}
	return said
}

// fromDifference removes the common beginning of two long texts, up to a few words before they
// differ.
func fromDifference(a, b string) (string, string) {
	x, y := []rune(a), []rune(b)
	n := 0
	for n < len(x) && n < len(y) && x[n] == y[n] {
		n++
	}
	if n -= 60; n < 60 || len(x) < 300 && len(y) < 300 {
		return a, b
	}
	return "…" + string(x[n:]), "…" + string(y[n:])
}

func quote(s string) string {
	if r := []rune(s); len(r) > 300 {
		s = string(r[:299]) + "…"
	}
	return strconv.Quote(s)
}

// Diff returns what b says differently from a, each thing once, in a fixed order: outcomes
// first, and added countries last. White space, the order of lists without an order, and what
// only one of two formats can say are not changes. If one side comes from facts, both are
// compared as far as facts go.
func Diff(a, b *Study) []Change {
	if a.PartOnly != b.PartOnly {
		a, b = part(a), part(b)
	}
	d := &differ{other: a.Format != b.Format || a.Selected() || b.Selected(), before: a.Selected(), after: b.Selected()}
	d.outcomes("outcome", a.Outcomes, b.Outcomes)
	switch {
	case a.Results != b.Results && d.other && len(a.Reported)+len(b.Reported) == 0:
	case !a.Results && b.Results && !d.before:
		d.add("results", Added, "", fmt.Sprintf("%d outcomes reported", len(b.Reported)))
	case (a.Results || b.Results) && (d.before || d.after):
	case a.Results && !b.Results && b.ResultsElsewhere() != "":
		// They are in the register, but not in this copy.
	case a.Results && !b.Results:
		d.add("results", Removed, fmt.Sprintf("%d outcomes reported", len(a.Reported)), "")
	default:
		d.outcomes("reported outcome", a.Reported, b.Reported)
	}
	d.once()
	slices.SortStableFunc(d.changes, func(x, y Change) int { return cmp.Compare(x.rank(), y.rank()) })
	d.objectives(a.Objectives, b.Objectives)
	d.dates(a, b)
	d.text("enrolment", a.Enrolment.count(), b.Enrolment.count())
	d.text("status", a.Status, b.Status)
	if b.Date(ResultsSubmitted).Date == "" && (!d.other || len(a.Review) > 0 && len(b.Review) > 0) { // what is posted has been through it
		d.text("review of results", ReviewWords(a.Review), ReviewWords(b.Review))
	}
	d.text("results owed", waiver(a.Waived), waiver(b.Waived))
	d.text("type", a.Type, b.Type)
	d.text("phase", notApplicable(strings.Join(a.Phases, ", ")), notApplicable(strings.Join(b.Phases, ", ")))
	d.text("allocation", notApplicable(a.Allocation), notApplicable(b.Allocation))
	d.text("model", a.Model, b.Model)
	d.text("purpose", a.Purpose, b.Purpose)
	d.text("masking", a.Masking, b.Masking)
	d.text("masked", strings.Join(a.Masked, ", "), strings.Join(b.Masked, ", "))
	d.set("condition", a.Conditions, b.Conditions)
	d.set("arm", arms(a.Arms), arms(b.Arms))
	d.set("intervention", interventions(a.Interventions), interventions(b.Interventions))
	d.long("eligibility criteria", a.Eligibility.Criteria, b.Eligibility.Criteria)
	d.text("sex", a.Eligibility.Sex, b.Eligibility.Sex)
	d.text("minimum age", a.Eligibility.MinimumAge, b.Eligibility.MinimumAge)
	d.text("maximum age", a.Eligibility.MaximumAge, b.Eligibility.MaximumAge)
	d.text("healthy volunteers", a.Eligibility.HealthyVolunteers, b.Eligibility.HealthyVolunteers)
	d.text("data monitoring committee", a.Oversight.DMC, b.Oversight.DMC)
	d.text("FDA-regulated drug", a.Oversight.FDADrug, b.Oversight.FDADrug)
	d.text("FDA-regulated device", a.Oversight.FDADevice, b.Oversight.FDADevice)
	d.text("paediatric postmarket surveillance", strings.TrimPrefix(a.Oversight.PPSD, "no"), strings.TrimPrefix(b.Oversight.PPSD, "no"))
	d.text("unapproved device", a.Oversight.UnapprovedDevice, b.Oversight.UnapprovedDevice)
	d.set("amendment", amendments(a.Amendments), amendments(b.Amendments))
	d.sections(a.Sections, b.Sections)
	d.text("sponsor", a.Sponsor.Name, b.Sponsor.Name)
	d.text("sponsor class", a.Sponsor.Class, b.Sponsor.Class)
	d.set("collaborator", names(a.Collaborators), names(b.Collaborators))
	d.set("identifier", values(a.Identifiers), values(b.Identifiers))
	d.text("title", a.Title, b.Title)
	d.text("official title", a.OfficialTitle, b.OfficialTitle)
	d.text("acronym", a.Acronym, b.Acronym)
	d.long("description", a.Summary, b.Summary)
	if a.PartOnly {
		d.text("site in the United States", a.USSite(), b.USSite())
		d.text("site in the EU or EEA", a.EUSite(), b.EUSite())
	} else {
		d.countries(a.Countries, b.Countries)
	}
	return d.changes
}

// part returns a study with only what facts can say.
func part(s *Study) *Study {
	if s.PartOnly {
		return s
	}
	f, _ := s.Facts()
	return FromFacts(f)
}

func waiver(waived bool) string {
	if waived {
		return "waived"
	}
	return ""
}

type differ struct {
	changes []Change
	other   bool // the formats differ: what only one can say is not a change

	before, after bool // that side is a selection of fields: what it lacks is not a change
}

func (d *differ) add(field, sort, before, after string) {
	d.changes = append(d.changes, Change{Field: field, Sort: sort, Old: before, New: after})
}

func (d *differ) text(field, a, b string) {
	switch {
	case same(a, b) || d.other && (a == "" || b == "") || a == Withheld || b == Withheld:
	case a == "":
		d.add(field, Added, "", b)
	case b == "":
		d.add(field, Removed, a, "")
	default:
		d.add(field, Changed, a, b)
	}
}

// long compares texts whose bullets and line breaks differ between exports.
func (d *differ) long(field, a, b string) {
	if letters(a) != letters(b) {
		d.text(field, a, b)
	}
}

// set compares lists without order.
func (d *differ) set(field string, a, b []string) {
	if d.other && (len(a) == 0 || len(b) == 0) {
		return
	}
	if d.before || d.after {
		return // both are selections and may lack anything
	}
	in := func(list []string) map[string]bool {
		set := make(map[string]bool, len(list))
		for _, s := range list {
			set[plain(s)] = true
		}
		return set
	}
	// What one side has may be what the other withholds.
	hasA, hasB, hidden := in(a), in(b), slices.ContainsFunc(slices.Concat(a, b), isWithheld)
	for _, s := range a {
		if !hasB[plain(s)] && !hidden {
			d.add(field, Removed, s, "")
		}
	}
	for _, s := range b {
		if !hasA[plain(s)] && !hidden {
			d.add(field, Added, "", s)
		}
	}
}

// isWithheld reports whether a text, or its end, was withheld from facts.
func isWithheld(s string) bool { return strings.HasSuffix(s, Withheld) }

// countries compares countries: the removed ones in one change, and, last of all, the added
// ones in one change.
func (d *differ) countries(a, b []string) {
	if d.other && (len(a) == 0 || len(b) == 0) || d.before || d.after {
		return
	}
	lacking := func(a, b []string) (list []string) {
		in := map[string]bool{}
		for _, name := range b {
			in[countryKey(name)] = true
		}
		for _, name := range a {
			if !in[countryKey(name)] {
				list = append(list, name)
			}
		}
		return list
	}
	d.text("countries", strings.Join(lacking(a, b), ", "), "")
	d.text("countries", "", strings.Join(lacking(b, a), ", "))
}

// countryKey returns the code of a country, or its name if no country is known by that name.
func countryKey(name string) string {
	if c, ok := countryNamed(name); ok {
		return c.code
	}
	return plain(name)
}

// bookkeeping are dates of the registry's own work. They change with every version and say
// nothing about the trial.
var bookkeeping = []string{UpdateSubmitted, UpdatePosted, Verified}

func (d *differ) dates(a, b *Study) {
	var events []string
	for _, x := range slices.Concat(a.Dates, b.Dates) {
		if !slices.Contains(events, x.Event) && !slices.Contains(bookkeeping, x.Event) {
			events = append(events, x.Event)
		}
	}
	for _, event := range events {
		x, y := a.Date(event), b.Date(event)
		field := "date " + event
		switch {
		case x.Date == y.Date && (x.Kind == y.Kind || x.Kind == "" || y.Kind == ""):
		case x.Date == "" || y.Date == "":
			// A date that older exports do not have is not a change across formats. Neither is
			// a posting date of the registry, which it published only later.
			if !d.other && !strings.HasSuffix(event, "-posted") {
				d.text(field, x.words(), y.words())
			}
		case y.days().Within(x.days()):
			d.add(field, Refined, x.words(), y.words())
		default:
			d.add(field, Changed, x.words(), y.words())
		}
	}
}

// days returns the days that a date may mean, or zero if it is none.
func (d Date) days() trial.Date {
	days, _ := trial.ParseDate(d.Date)
	return days
}

func (d Date) words() string { return strings.TrimSpace(d.Date + " " + d.Kind) }

func (s Section) name() string { return text(s.Number + " " + s.Title) }

// key returns the title without a number that some write into it.
func (s Section) key() string {
	return strings.ToLower(strings.TrimLeft(plain(s.Title), "0123456789. "))
}

func (e Enrolment) count() string {
	if e.Count < 0 {
		return ""
	}
	return strings.TrimSpace(strconv.Itoa(e.Count) + " " + e.Kind)
}

func (d *differ) objectives(a, b []Objective) {
	text := func(list []Objective) (out []string) {
		for _, o := range list {
			out = append(out, o.Level+": "+o.Text)
		}
		return out
	}
	d.set("objective", text(a), text(b))
}

// sections compares the sections of two protocols by their titles, and those with the same
// title in turn. Different section numbers alone are not a change.
func (d *differ) sections(a, b []Section) {
	if d.other && (len(a) == 0 || len(b) == 0) {
		return
	}
	left := map[string][]Section{}
	for _, s := range b {
		left[s.key()] = append(left[s.key()], s)
	}
	for _, s := range a {
		list := left[s.key()]
		if len(list) == 0 {
			d.add("section "+s.name(), Removed, cmp.Or(s.Text, s.name()), "")
			continue
		}
		d.long("section "+list[0].name(), s.Text, list[0].Text)
		left[s.key()] = list[1:]
	}
	for _, s := range b {
		for _, n := range left[s.key()] {
			d.add("section "+n.name(), Added, "", cmp.Or(n.Text, n.name()))
		}
		delete(left, s.key())
	}
}

func words(o outcome.Outcome) string {
	if o.TimeFrame == "" {
		return o.Measure
	}
	return o.Measure + " [" + o.TimeFrame + "]"
}

func short(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:59]) + "…"
	}
	return s
}

// same compares texts, ignoring white space and typographic variants.
func same(a, b string) bool { return a == b || plain(a) == plain(b) }

var typographic = strings.NewReplacer("’", "'", "‘", "'", "“", `"`, "”", `"`, "–", "-", "—", "-", "\u00a0", " ")

func plain(s string) string { return text(typographic.Replace(outcome.Unescape(s))) }

// letters returns a longer text without its bullets and line breaks, which differ between
// exports.
func letters(s string) string {
	var b strings.Builder
	space := false
	for _, r := range plain(s) {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), strings.ContainsRune("<>=≤≥%+", r):
			if space && b.Len() > 0 {
				b.WriteByte(' ')
			}
			space = false
			b.WriteRune(r)
		default:
			space = true
		}
	}
	return b.String()
}

// notApplicable removes a word that some exports have and others, of the same record, do not.
func notApplicable(s string) string {
	if s == "not-applicable" {
		return ""
	}
	return s
}

func names(list []Organisation) (out []string) {
	for _, o := range list {
		out = append(out, o.Name)
	}
	return out
}

func values(list []Identifier) (out []string) {
	for _, i := range list {
		out = append(out, i.Value)
	}
	return out
}

func amendments(list []Amendment) (out []string) {
	for _, a := range list {
		out = append(out, a.String())
	}
	return out
}

// String returns the number of an amendment and its reasons.
func (a Amendment) String() string {
	return strings.TrimSuffix(a.Number+": "+strings.Join(a.Reasons, ", "), ": ")
}

func arms(list []Arm) (out []string) {
	for _, a := range list {
		out = append(out, strings.TrimPrefix(a.Type+": "+a.Label, ": "))
	}
	return out
}

func interventions(list []Intervention) (out []string) {
	for _, i := range list {
		out = append(out, strings.TrimPrefix(i.Type+": "+i.Name, ": "))
	}
	return out
}
