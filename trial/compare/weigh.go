package compare

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/trial/outcome"
	"github.com/trialproof/trialproof/trial/study"
)

// A Copy is what a third party's copies of the record say about the outcomes.
type Copy struct {
	Org      string    `json:"org"`
	Outcomes []Finding `json:"outcomes"`        // findings that nobody who decides, or not every other copy, leads to
	Lacks    []Finding `json:"lacks,omitempty"` // findings that its copies would take away
	None     string    `json:"none,omitempty"`  // why there is no prespecified set by it
}

// Weigh compares by the versions that decide (study.Version.Decides). A third party's copy
// never changes a finding. If it would, Copies and a note say so.
//
// If no version that decides says anything about outcomes, the copies of each third party are
// compared separately. What all of them lead to is a conditional finding, "by example-cro's
// copies alone: demoted"; what only some lead to is contested. The number of parties that say
// the same does not matter. If organisations that decide contradict each other about one day,
// what only some of them lead to is contested too.
func Weigh(versions []study.Version, article []outcome.Outcome) *Report {
	deciding, others := study.Part(versions)
	others = slices.DeleteFunc(others, func(c study.Copies) bool { return !slices.ContainsFunc(c.Versions, hasOutcomes) })
	others, left := affordable(deciding, others)
	r := weigh(deciding, others, article)
	for _, org := range left {
		r.Notes = append(r.Notes, fmt.Sprintf("%s, a third party, logged so much that it is not compared here: "+
			"its copies decide nothing either way (-from %s would read them)", org, org))
	}
	return r
}

func weigh(deciding []study.Version, others []study.Copies, article []outcome.Outcome) *Report {
	if slices.ContainsFunc(deciding, hasOutcomes) || len(others) == 0 {
		return beside(deciding, others, article)
	}
	return alone(others, article)
}

// affordable returns the third parties whose copies can each be compared in about a second, and
// the names of the others: a stranger's invented records must not make the holder's comparison
// take hours.
func affordable(deciding []study.Version, others []study.Copies) (list []study.Copies, left []string) {
	costs := make(map[string]int, len(others))
	for _, c := range others {
		cost := 0
		all := c.With(deciding)
		for i := range all {
			if i > 0 {
				cost += study.Work(all[i-1].Outcomes, all[i].Outcomes)
			}
			cost += study.Work(all[i].Reported, all[i].Outcomes)
		}
		costs[c.Org] = cost
	}
	// The cheapest come first: a party that logs much does not take another's place.
	byCost := slices.Clone(others)
	slices.SortStableFunc(byCost, func(a, b study.Copies) int { return cmp.Compare(costs[a.Org], costs[b.Org]) })
	total := 0
	for _, c := range byCost {
		if total += costs[c.Org]; total > study.MaxWork {
			left = append(left, c.Org)
		}
	}
	slices.Sort(left)
	return slices.DeleteFunc(slices.Clone(others), func(c study.Copies) bool { return slices.Contains(left, c.Org) }), left
}

func hasOutcomes(v study.Version) bool { return len(v.Outcomes) > 0 || len(v.Reported) > 0 }

// beside compares the versions that decide, and notes what a third party's copies would change.
func beside(deciding []study.Version, others []study.Copies, article []outcome.Outcome) *Report {
	r := Compare(deciding, article)
	for _, o := range others {
		with := Compare(o.With(deciding), article)
		c := Copy{Org: o.Org, Outcomes: lacking(r.Outcomes, with.Outcomes), Lacks: lacking(with.Outcomes, r.Outcomes)}
		if with.None != r.None {
			c.None = with.None
		}
		if len(c.Outcomes) == 0 && len(c.Lacks) == 0 && c.None == "" {
			continue
		}
		r.Copies = append(r.Copies, c)
		r.Notes = append(r.Notes, fmt.Sprintf("%s's copy says otherwise: %s; "+
			"it is a third party and does not decide (-from %s would take its word)", o.Org, c.text(), o.Org))
	}
	contest(r, study.Sides(deciding), article)
	return r
}

// contest changes a comparison to what can be said if organisations that decide contradict each
// other: what all of them lead to, and what only one does.
func contest(r *Report, sides []study.Copies, article []outcome.Outcome) {
	var orgs []string
	var each []*Report
	for _, s := range sides {
		orgs, each = append(orgs, s.Org), append(each, Compare(s.Versions, article))
	}
	if len(each) == 0 {
		return
	}
	common, apart, contested := commonGround(orgs, each)
	// Compared with the earliest version, if nothing is known to be prespecified.
	earliest := slices.ContainsFunc(each[1:], func(x *Report) bool {
		return len(lacking(x.SinceEarliest, each[0].SinceEarliest))+len(lacking(each[0].SinceEarliest, x.SinceEarliest)) > 0
	})
	if !contested && !earliest {
		return
	}
	if contested {
		r.Outcomes = common
		for _, c := range apart {
			for _, f := range c.Outcomes {
				f.Alone, f.Status = f.Status, "contested, by "+c.Org+"'s copy: "+f.Status
				r.Outcomes = append(r.Outcomes, f)
			}
		}
		r.Copies = append(r.Copies, apart...)
		r.disputed(orgs)
	}
	r.Earliest, r.SinceEarliest = nil, nil
	r.Notes = append(r.Notes, strings.Join(orgs, ", ")+" log different things as what the registry showed on one day, "+
		"and the word of each decides here: name with -from only whom you trust, or give the record itself with -files")
}

// commonGround returns the findings that all reports have, what only some have, and whether
// there are any of those.
func commonGround(orgs []string, each []*Report) (common []Finding, apart []Copy, contested bool) {
	common = each[0].Outcomes
	for _, x := range each[1:] {
		common = slices.DeleteFunc(slices.Clone(common), func(f Finding) bool { return len(lacking(x.Outcomes, []Finding{f})) > 0 })
		contested = contested || x.None != each[0].None
	}
	for i, x := range each {
		c := Copy{Org: orgs[i], None: x.None, Outcomes: lacking(common, x.Outcomes)}
		contested = contested || len(c.Outcomes) > 0
		apart = append(apart, c)
	}
	return common, apart, contested
}

// disputed removes which versions were the prespecified and the reported one, because the
// organisations do not agree on them.
func (r *Report) disputed(orgs []string) {
	r.Prespecified, r.Reported, r.Unjudged, r.Earliest, r.SinceEarliest, r.Unreported = nil, nil, nil, nil, nil, ""
	r.None = "contested: the copies of " + strings.Join(orgs, ", ") + " do not say the same"
}

// alone compares third parties' copies if there are no others.
func alone(others []study.Copies, article []outcome.Outcome) *Report {
	var orgs []string
	var each []*Report
	for _, o := range others {
		orgs, each = append(orgs, o.Org), append(each, Compare(o.Versions, article))
	}
	r := each[0]
	common, apart, contested := commonGround(orgs, each)
	for _, x := range each[1:] {
		r.Notes = append(r.Notes, x.Notes...)
		r.Conflicts = append(r.Conflicts, x.Conflicts...)
		r.PairsProposed = max(r.PairsProposed, x.PairsProposed)
	}
	findings := []Finding{}
	conditional := func(f Finding, opening string) {
		f.Alone, f.Status = f.Status, opening+f.Status
		findings = append(findings, f)
	}
	for _, f := range common {
		conditional(f, study.Alone(orgs))
	}
	for _, c := range apart {
		for _, f := range c.Outcomes {
			conditional(f, "contested, "+study.Alone([]string{c.Org}))
		}
	}
	r.Copies = apart
	if contested {
		r.disputed(orgs)
	}
	r.Outcomes = findings
	if len(each) > 1 {
		// Each copy may have another earliest version and other changes.
		r.Earliest, r.SinceEarliest = nil, nil
		if slices.ContainsFunc(each[1:], func(x *Report) bool { return !sameSteps(r, x) }) {
			r.BeforeStart, r.AfterStart, r.WithResults = []Step{}, []Step{}, []Step{}
			r.Notes = append(r.Notes, "what changed from version to version is not the same in the copies of "+strings.Join(orgs, ", ")+
				": -from with one of them shows it")
		}
	}
	for i := range r.SinceEarliest {
		f := &r.SinceEarliest[i]
		f.Alone, f.Status = f.Status, study.Alone(orgs)+f.Status
	}
	r.Notes = append(r.Notes, "neither the trial's holder nor the registrar logged a record with outcomes: "+
		"name whom you trust with -from ("+strings.Join(orgs, ", ")+"), or give the record itself with -files")
	return r
}

// sameSteps reports whether the same changed on the same days, whoever logged it.
func sameSteps(a, b *Report) bool {
	return slices.EqualFunc(
		slices.Concat(a.BeforeStart, a.AfterStart, a.WithResults), slices.Concat(b.BeforeStart, b.AfterStart, b.WithResults),
		func(x, y Step) bool { return x.To.Day == y.To.Day && reflect.DeepEqual(x.Changes, y.Changes) })
}

// lacking returns the findings of b that a does not have: those of the same outcomes with the
// same status.
func lacking(a, b []Finding) (list []Finding) {
	for _, f := range b {
		if !slices.ContainsFunc(a, func(x Finding) bool {
			return x.Status == f.Status && sameOutcome(x.Specified, f.Specified) && sameOutcome(x.Reported, f.Reported)
		}) {
			list = append(list, f)
		}
	}
	return list
}

func sameOutcome(a, b *outcome.Outcome) bool { return a == b || a != nil && b != nil && *a == *b }

// maxTold is how many of a copy's findings its note names.
const maxTold = 10

// text says in one line what a copy would change.
func (c *Copy) text() string {
	var parts []string
	if c.None != "" {
		parts = append(parts, "prespecified "+c.None)
	}
	for _, list := range []struct {
		how      string
		findings []Finding
	}{{"", c.Outcomes}, {"not ", c.Lacks}} {
		for i, f := range list.findings {
			if i == maxTold {
				parts = append(parts, fmt.Sprintf("and %d more", len(list.findings)-i))
				break
			}
			o := f.Specified
			if o == nil {
				o = f.Reported
			}
			parts = append(parts, fmt.Sprintf("%s%s: %s %q", list.how, f.Status, o.Level, o.Measure))
		}
	}
	return strings.Join(parts, "; ")
}
