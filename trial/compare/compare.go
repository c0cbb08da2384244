// Package compare holds what a trial reports to what it said before it began, in
// the manner of the COMPare project: the prespecified outcomes are those of the
// last version dated before the actual start; each time point is an outcome of its
// own; whatever is reported and not among them is new, and declared only where a
// version says so before the results.
//
// It proposes and never convicts: texts are joined by package outcome, each with
// how sure that is, and what is not sure is unclear. Each finding names the entry
// that it rests on.
package compare

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/trial/outcome"
	"github.com/trialproof/trialproof/trial/study"
)

// Statuses of outcomes.
const (
	AsSpecified   = "reported as specified"
	Elsewhere     = "reported elsewhere" // at another level, neither of them primary
	Promoted      = "promoted"           // to primary
	Demoted       = "demoted"            // from primary
	NotReported   = "not reported"
	Unclear       = "unclear"
	NewDeclared   = "new and declared"
	NewUndeclared = "new and undeclared"
)

// A Report is what became of the prespecified outcomes.
type Report struct {
	Start         []study.Value   `json:"start"` // every value of the start, in the order of versions
	Prespecified  *Source         `json:"prespecified,omitempty"`
	None          string          `json:"none,omitempty"` // why there is no prespecified set
	Reported      *Source         `json:"reported,omitempty"`
	Outcomes      []Finding       `json:"outcomes"`           // prespecified and reported, in that order
	Unjudged      []study.Outcome `json:"unjudged,omitempty"` // reported, where nothing is prespecified
	BeforeStart   []Step          `json:"beforeStart"`        // changes between versions, listed and not counted
	AfterStart    []Step          `json:"afterStart"`         // changes since
	WithResults   []Step          `json:"withResults"`        // changes of words when results were posted: a class of its own
	Conflicts     []string        `json:"conflicts"`          // versions that contradict each other
	Notes         []string        `json:"notes"`              // what limits this report
	Threshold     float64         `json:"threshold"`          // of package outcome
	PairsProposed int             `json:"pairsProposed"`      // by similarity, not by equal words
	Copies        []Copy          `json:"copies,omitempty"`   // of third parties, where they say something else or are all there is; see Weigh

	work int // that is left for likeness
}

// A Source is where a set of outcomes comes from.
type Source struct {
	Entry   uint64 `json:"entry,omitempty"`
	Kind    string `json:"kind"` // protocol, observation, ..., or article
	Day     string `json:"day,omitempty"`
	By      string `json:"by,omitempty"`     // whose word Day is
	Logged  string `json:"logged,omitempty"` // day of admission, where Day is another
	Org     string `json:"org,omitempty"`    // whose key logged it
	Whose   string `json:"whose,omitempty"`  // whose word it is, as package study names it
	Partial bool   `json:"partial,omitempty"`
}

// A Finding is what became of one outcome.
type Finding struct {
	Status     string               `json:"status"`          // one of those above; conditional where Alone is set
	Alone      string               `json:"alone,omitempty"` // the status by third parties' copies alone, see Weigh
	Specified  *study.Outcome       `json:"specified,omitempty"`
	Reported   *study.Outcome       `json:"reported,omitempty"`
	Similarity float64              `json:"similarity,omitempty"` // how sure the match is; 1 for equal words
	TimeFrames outcome.TimeRelation `json:"timeFrames,omitempty"`
	Declared   *Source              `json:"declared,omitempty"` // the version that had it first
	Why        string               `json:"why,omitempty"`
}

// A Step is what changed in the outcomes from one version to the next.
type Step struct {
	From    Source         `json:"from"`
	To      Source         `json:"to"`
	Changes []study.Change `json:"changes"`
}

// near is how far below the threshold a likeness is still not called a miss.
const near = 0.75 * outcome.Threshold

// Compare judges the versions of one trial, as study.NewVersions orders them. The
// article's outcomes are what was reported; without them it is the last version's
// own results, or else its planned outcomes.
func Compare(versions []study.Version, article []outcome.ArticleOutcome) *Report {
	r := &Report{Threshold: outcome.Threshold, Outcomes: []Finding{}, BeforeStart: []Step{}, AfterStart: []Step{}, WithResults: []Step{}, Conflicts: []string{}, Notes: []string{}}
	// The start, and what changed, are told by versions without outcomes too.
	r.Start = study.History(versions, study.Start)
	start, begun := actualStart(r.Start)
	r.steps(versions, start, begun)
	versions = withOutcomes(versions, r)
	if len(versions) == 0 {
		r.None = "none: no version with outcomes is logged"
		return r
	}
	before := -1 // place of the prespecified version
	switch {
	case !begun:
		r.None = "none: no version gives an actual start"
	default:
		before = r.lastBefore(versions, start)
		if before < 0 {
			r.None = noneBefore(versions, start)
		}
	}
	reported := r.reported(versions, article)
	if before < 0 {
		r.Unjudged = reported
		return r
	}
	s := source(&versions[before])
	r.Prespecified = &s
	r.judge(split(versions[before].Outcomes), reported, versions, before)
	return r
}

// withOutcomes leaves out versions that say nothing of outcomes, and names
// conflicts among the others.
func withOutcomes(versions []study.Version, r *Report) []study.Version {
	var list []study.Version
	partial := false
	for _, v := range versions {
		if len(v.Outcomes) == 0 && len(v.Reported) == 0 {
			continue
		}
		partial = partial || v.PartOnly
		for _, c := range v.Conflicts {
			if v.Entry < c {
				r.Conflicts = append(r.Conflicts, fmt.Sprintf("entries %d and %d declare the same day %s and have other bytes: both are shown, neither is taken for the other", v.Entry, c, v.Claimed))
			}
		}
		list = append(list, v)
	}
	if partial {
		r.Notes = append(r.Notes, "some versions are read from logged facts, where texts are cut after 200 characters and descriptions are missing: give the files to compare all of it")
	}
	return list
}

func source(v *study.Version) Source {
	day, by := v.Day()
	s := Source{Entry: v.Entry, Kind: v.Kind, Day: day, By: by, Org: v.Org, Whose: v.Whose, Partial: v.PartOnly}
	if v.Logged != day {
		s.Logged = v.Logged
	}
	return s
}

// steps lists what changed in the outcomes from version to version.
func (r *Report) steps(versions []study.Version, start string, begun bool) {
	last := map[string]*study.Version{} // by source: a registry's version follows a registry's
	for i := range versions {
		v := &versions[i]
		p := last[v.Kind]
		if p != nil && slices.Contains(p.Conflicts, v.Entry) {
			continue // which of the two was shown is open: neither follows the other
		}
		last[v.Kind] = v
		if p == nil {
			continue
		}
		var changes []study.Change
		for _, c := range study.Diff(p.Study, v.Study) {
			if strings.Contains(c.Field, "outcome") || c.Field == "date "+study.Start || c.Field == "enrolment" || c.Field == "results" {
				changes = append(changes, c)
			}
		}
		if len(changes) == 0 {
			continue
		}
		step := Step{source(p), source(v), changes}
		switch {
		case !begun || isBefore(v, start):
			r.BeforeStart = append(r.BeforeStart, step)
		case !p.Results && v.Results:
			r.WithResults = append(r.WithResults, step)
		default:
			r.AfterStart = append(r.AfterStart, step)
		}
	}
}

// reported returns what was reported, each time point on its own.
func (r *Report) reported(versions []study.Version, article []outcome.ArticleOutcome) []study.Outcome {
	if len(article) > 0 {
		r.Reported = &Source{Kind: "article"}
		var list []study.Outcome
		for _, a := range article {
			list = append(list, study.Outcome{Level: a.Level, Measure: a.Measure, TimeFrame: a.TimeFrame, Description: a.Description})
		}
		return list // ParseArticle has split them
	}
	for i := len(versions) - 1; i >= 0; i-- {
		if v := &versions[i]; len(v.Reported) > 0 {
			s := source(v)
			r.Reported = &s
			return split(v.Reported)
		}
	}
	v := &versions[len(versions)-1]
	s := source(v)
	r.Reported = &s
	r.Notes = append(r.Notes, "no results are logged and no article is given: the last version's planned outcomes stand for what is reported")
	return split(v.Outcomes)
}

// maxOutcomes is how many outcomes of one list are told apart by their time points.
const maxOutcomes = 5000

// split makes each time point an outcome.
func split(list []study.Outcome) []study.Outcome {
	var out []study.Outcome
	for i, o := range list {
		if len(out) > maxOutcomes {
			return append(out, list[i:]...)
		}
		for _, t := range outcome.SplitTimePoints(o.Text()) {
			out = append(out, study.Outcome{Level: o.Level, Measure: t.Measure, TimeFrame: t.TimeFrame, Description: t.Description})
		}
	}
	return out
}

// judge says of each outcome what became of it.
func (r *Report) judge(specified, reported []study.Outcome, versions []study.Version, before int) {
	pairs := pair(specified, reported)
	r.work = study.MaxWork
	taken := map[int]bool{}
	for _, p := range pairs {
		taken[p.B] = true
	}
	for i := range specified {
		s := specified[i]
		p, ok := pairs[i]
		if withheld(s) {
			r.Outcomes = append(r.Outcomes, Finding{Status: Unclear, Specified: &s, Why: "its words were withheld from the facts"})
			continue
		}
		if !ok {
			f := Finding{Status: NotReported, Specified: &s}
			// What stands for another outcome, or for another time, is not perhaps this one.
			if best, at := r.closest(s, reported, func(j int) bool {
				return !taken[j] && outcome.TimeFrames(s.Text(), reported[j].Text()) != outcome.Contradicting
			}); best >= near {
				f.Status, f.Similarity, f.Why = Unclear, best, fmt.Sprintf("perhaps it is %q", reported[at].Measure)
			}
			r.Outcomes = append(r.Outcomes, f)
			continue
		}
		o := reported[p.B]
		f := Finding{Specified: &s, Reported: &o, Similarity: p.Similarity, TimeFrames: outcome.TimeFrames(s.Text(), o.Text())}
		f.Status, f.Why = status(s, o, f.TimeFrames)
		if p.Similarity < 1 {
			r.PairsProposed++
		}
		r.Outcomes = append(r.Outcomes, f)
	}
	later := declarations(versions[before+1:])
	for j := range reported {
		if taken[j] {
			continue
		}
		o := reported[j]
		if withheld(o) {
			r.Outcomes = append(r.Outcomes, Finding{Status: Unclear, Reported: &o, Why: "its words were withheld from the facts"})
			continue
		}
		f := Finding{Status: NewUndeclared, Reported: &o, Why: "no version before the results has it"}
		if best, at := r.closest(o, specified, func(i int) bool {
			_, found := pairs[i]
			return !found && outcome.TimeFrames(specified[i].Text(), o.Text()) != outcome.Contradicting
		}); best >= near {
			f.Status, f.Similarity, f.Why = Unclear, best, fmt.Sprintf("perhaps it is the prespecified %q", specified[at].Measure)
		} else if v := r.declares(later, o); v != nil {
			s := source(v)
			f.Status, f.Declared, f.Why = NewDeclared, &s, reasons(v)
		}
		r.Outcomes = append(r.Outcomes, f)
	}
	if r.work < 0 || study.Work(specified, reported) > study.MaxWork {
		r.Notes = append(r.Notes, "there are too many outcomes to hold each to each: some were compared by equal words alone")
	}
}

// status compares the levels and times of an outcome that was found again.
func status(s, o study.Outcome, t outcome.TimeRelation) (status, why string) {
	contrast := outcome.Contrast(s.Text(), o.Text())
	switch {
	case t == outcome.Contradicting:
		return Unclear, "the time frames contradict each other"
	case isCut(s) || isCut(o):
		return Unclear, "a text is cut after 200 characters: give the files to compare all of it"
	case contrast != "":
		return Unclear, contrast
	case o.Level == "" || o.Level == s.Level:
		switch t {
		case outcome.OnlyFirst:
			why = "only the prespecified outcome states a time: unclear, no switch"
		case outcome.OnlySecond:
			why = "only the reported outcome states a time: unclear, no switch"
		}
		return AsSpecified, why
	case o.Level == study.Primary:
		return Promoted, ""
	case s.Level == study.Primary:
		return Demoted, ""
	}
	return Elsewhere, ""
}

// isCut reports whether an outcome is one of facts whose words are not all there.
func isCut(o study.Outcome) bool {
	return strings.HasSuffix(o.Measure, "…") || strings.HasSuffix(o.TimeFrame, "…")
}

// withheld reports whether the words of an outcome were withheld from facts: nobody
// can tell what it is.
func withheld(o study.Outcome) bool { return o.Measure == study.Withheld }

// pair joins outcomes by their places in a: equal words of one level first, then of
// any, then by likeness. An equal measure at another time is another outcome.
func pair(a, b []study.Outcome) map[int]outcome.Pair {
	pairs := map[int]outcome.Pair{}
	taken := map[int]bool{}
	join := func(key func(study.Outcome) study.Outcome, same func(x, y study.Outcome) bool) {
		left := map[study.Outcome][]int{} // places in b, in order
		for j, y := range b {
			if !taken[j] {
				left[key(y)] = append(left[key(y)], j)
			}
		}
		for i, x := range a {
			if _, ok := pairs[i]; ok || withheld(x) {
				continue
			}
			for _, j := range left[key(x)] {
				if !taken[j] && same(x, b[j]) {
					pairs[i], taken[j] = outcome.Pair{A: i, B: j, Similarity: 1}, true
					break
				}
			}
		}
	}
	words := func(o study.Outcome) study.Outcome {
		return study.Outcome{Measure: o.Measure, TimeFrame: o.TimeFrame}
	}
	measure := func(o study.Outcome) study.Outcome {
		return study.Outcome{Measure: strings.ToLower(strings.Join(strings.Fields(o.Measure), " "))}
	}
	level := func(x, y study.Outcome) bool { return y.Level == "" || x.Level == y.Level }
	time := func(x, y study.Outcome) bool { return outcome.TimeFrames(x.Text(), y.Text()) == outcome.Same }
	join(words, level)
	join(measure, func(x, y study.Outcome) bool { return level(x, y) && time(x, y) })
	join(measure, time)
	study.Propose(a, b, pairs)
	return pairs
}

// closest returns the most similar of those outcomes of a list that may be it. It
// looks at none where there are too many.
func (r *Report) closest(o study.Outcome, list []study.Outcome, may func(int) bool) (best float64, at int) {
	if r.work -= study.Work([]study.Outcome{o}, list); r.work < 0 {
		return 0, 0
	}
	for i := range list {
		if s := outcome.Similarity(o.Text(), list[i].Text()); s > best && may(i) {
			best, at = s, i
		}
	}
	return best, at
}

// A declaration is a version from after the start and before the results, and its
// outcomes, each time point on its own.
type declaration struct {
	*study.Version
	outcomes []study.Outcome
}

// declarations returns the versions that may have declared an outcome.
func declarations(versions []study.Version) (list []declaration) {
	for i := range versions {
		v := &versions[i]
		if v.Results {
			break
		}
		list = append(list, declaration{v, split(v.Outcomes)})
	}
	return list
}

// declares returns the first of the versions that has an outcome.
func (r *Report) declares(versions []declaration, o study.Outcome) *study.Version {
	for _, d := range versions {
		if best, _ := r.closest(o, d.outcomes, func(int) bool { return true }); best >= outcome.Threshold {
			return d.Version
		}
	}
	return nil
}

// reasons says why a version was made, as its amendments do.
func reasons(v *study.Version) string {
	var list []string
	for _, a := range v.Amendments {
		list = append(list, a.String())
	}
	if len(list) == 0 {
		return "the version states no reason"
	}
	return "by amendment " + strings.Join(list, "; ")
}

// Counts counts the findings by status.
func (r *Report) Counts() map[string]int {
	n := map[string]int{}
	for _, f := range r.Outcomes {
		n[f.Status]++
	}
	return n
}
