package page

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/deadline"
)

// ruleNames say in a few words what a rule asks for.
var ruleNames = map[string]string{
	deadline.RegistrationFDA: "registration",
	deadline.ResultsFDA:      "results",
	deadline.UpdateFDA:       "yearly update",
	deadline.CompletionFDA:   "actual completion date",
	deadline.DeviceFDA:       "approval of the device",
	deadline.RegistrationICM: "registration before the start",
	deadline.SummaryEU:       "summary of results",
	deadline.SummaryEUChild:  "results of a trial with children",
	deadline.DataSetWHO:      "WHO's list of items",
}

// RuleText says what a rule asks for, with its id.
func RuleText(rule string) string {
	if name := ruleNames[rule]; name != "" {
		return name + " (" + rule + ")"
	}
	return rule
}

// registries are the names of registries that people know better than the scheme of a number.
var registries = map[string]string{"nct": "ClinicalTrials.gov", "euct": "EU CTIS", "eudract": "EudraCT"}

// numberText returns a number as people write it.
func numberText(id string) string {
	scheme, number, ok := strings.Cut(id, ":")
	if !ok || scheme == "sponsor" {
		return id
	}
	if name := registries[scheme]; name != "" {
		return name + " " + number
	}
	return number
}

// typed are the parts of a note that only help those who type commands.
var typed = []struct {
	hint *regexp.Regexp
	says string
}{
	{regexp.MustCompile(`: name whom you trust with -from \(([^)]*)\), or give the record itself with -files$`), ", only $1"},
	{regexp.MustCompile(`: name with -from only whom you trust, or give the record itself with -files$`), ""},
	{regexp.MustCompile(`: -from with one of them shows it$`), ""},
	{regexp.MustCompile(`: give (?:them or )?its file with -files to have it read$`), ", which were not made public"},
	{regexp.MustCompile(`: give the files to compare all of it$`), ""},
	{regexp.MustCompile(`: import the registry's record, or submit with -facts$`), ""},
	{regexp.MustCompile(` \(trial audit\)`), ""},
}

// spoken returns a note without its hints for those who type commands. A report for programs keeps the
// note as it was made, because it is compared when the report is checked.
func spoken(note string) string {
	for _, t := range typed {
		note = t.hint.ReplaceAllString(note, t.says)
	}
	return note
}

// Unproven lists what is not proven, in the words for a page or a print.
func (v *View) Unproven() (list []string) {
	for _, s := range v.NotProven {
		if !v.Print && strings.HasPrefix(s, "that the page is what was written") {
			continue // there is no file beside a page of a log, and the browser has drawn it itself
		}
		list = append(list, spoken(s))
	}
	return list
}

// Sorted returns the deadlines, those that ask for a look first.
func (v *View) Sorted() []deadline.Verdict {
	order := []string{deadline.Overdue, deadline.Contested, deadline.Late, deadline.NotDeterminable, deadline.NotYetDue, deadline.Excused,
		deadline.OK, deadline.NotApplicable}
	rank := func(d deadline.Verdict) int {
		return slices.Index(order, strings.ReplaceAll(class(d.Verdict), "-", " "))
	}
	list := slices.Clone(v.Deadlines)
	slices.SortStableFunc(list, func(a, b deadline.Verdict) int { return cmp.Compare(rank(a), rank(b)) })
	return list
}

// Inputs are values that one version states, or that no version states.
type Inputs struct {
	At   deadline.Input // of the first of them
	List []deadline.Input
}

// inputs sorts what a verdict rests on by the version that states it.
func inputs(list []deadline.Input) (groups []*Inputs) {
	same := func(a, b deadline.Input) bool {
		return a.Entry == b.Entry && a.File == b.File && a.Day == b.Day && a.By == b.By && a.Org == b.Org && a.Whose == b.Whose
	}
	for _, in := range list {
		i := slices.IndexFunc(groups, func(g *Inputs) bool { return same(g.At, in) })
		if i < 0 {
			i, groups = len(groups), append(groups, &Inputs{At: in})
		}
		groups[i].List = append(groups[i].List, in)
	}
	return groups
}

// meanings say what a finding means.
var meanings = []struct{ status, says string }{
	{"promoted", "planned at a lower level than it is reported at"},
	{"demoted", "planned at a higher level than it is reported at"},
	{"not reported", "planned, and not found in what is reported"},
	{"new and undeclared", "reported, and not found in what was planned or in any declared change"},
	{"unclear", "the record does not decide it, and a person must; the grounds stand with it"},
}

// Meanings explains the findings that are shown, each once.
func (v *View) Meanings() (lines []string) {
	if v.Comparison == nil {
		return nil
	}
	all := slices.Concat(v.Comparison.Outcomes, v.Comparison.SinceEarliest)
	for _, m := range meanings {
		for _, f := range all {
			if strings.HasSuffix(f.Status, m.status) {
				lines = append(lines, fmt.Sprintf("%s: %s", m.status, m.says))
				break
			}
		}
	}
	return lines
}

// A Claim is a trial that an organisation says a number belongs to.
type Claim struct {
	Org, Trial, Logged string
	Entry              uint64
}

// Claimed returns who claims a contested number for which trial.
func (v *View) Claimed() (list []Claim) {
	for _, c := range v.Claims {
		x := Claim{Org: c.Org, Trial: c.Trial.String(), Entry: c.Index}
		for _, e := range v.Entries {
			if e.Index == c.Index {
				x.Logged = trial.Moment(e.Time.Std())
			}
		}
		list = append(list, x)
	}
	return list
}
