// Package compare holds what a trial reports to what it said before it began, in
// the manner of the COMPare project: the prespecified outcomes are those of the
// last version dated before the actual start; each time point is an outcome of its
// own; whatever is reported and not among them is new, and declared only where a
// version says so before the results.
//
// It proposes and never convicts, and it acquits only equal words: texts that package
// outcome joins by likeness are unclear, with what differs in words. Each finding names
// the entry that it rests on.
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
	Unchanged     = "in the same words" // where nothing is known to be prespecified
)

// A Report is what became of the prespecified outcomes.
type Report struct {
	Start         []study.Value     `json:"start"` // every value of the start, in the order of versions
	Prespecified  *Source           `json:"prespecified,omitempty"`
	None          string            `json:"none,omitempty"` // why there is no prespecified set
	Reported      *Source           `json:"reported,omitempty"`
	Unreported    string            `json:"unreported,omitempty"` // why it is not known what was reported
	Outcomes      []Finding         `json:"outcomes"`             // prespecified and reported, in that order
	Earliest      *Source           `json:"earliest,omitempty"`   // the earliest version with outcomes, offered where nothing is known to be prespecified
	SinceEarliest []Finding         `json:"sinceEarliest,omitempty"`
	Unjudged      []outcome.Outcome `json:"unjudged,omitempty"` // reported, where nothing is prespecified
	BeforeStart   []Step            `json:"beforeStart"`        // changes between versions, listed and not counted
	AfterStart    []Step            `json:"afterStart"`         // changes since
	WithResults   []Step            `json:"withResults"`        // changes of words when results were posted: a class of its own
	Conflicts     []string          `json:"conflicts"`          // versions that contradict each other
	Notes         []string          `json:"notes"`              // what limits this report
	Threshold     float64           `json:"threshold"`          // of package outcome
	PairsProposed int               `json:"pairsProposed"`      // by similarity, not by equal words
	Copies        []Copy            `json:"copies,omitempty"`   // of third parties, where they say something else or are all there is; see Weigh

	work     int    // that is left for likeness
	selected string // why what is missing from what was reported may only be left out of this copy
}

// A Source is where a set of outcomes comes from.
type Source struct {
	Entry   uint64 `json:"entry,omitempty"`
	File    string `json:"file,omitempty"` // in place of an entry, where files alone are compared
	Kind    string `json:"kind"`           // protocol, observation, ..., or article
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
	Specified  *outcome.Outcome     `json:"specified,omitempty"`
	Reported   *outcome.Outcome     `json:"reported,omitempty"`
	Class      outcome.Class        `json:"class,omitempty"`      // how the reported one stands to the specified one
	Differs    []string             `json:"differs,omitempty"`    // what is not the same, in words
	Similarity float64              `json:"similarity,omitempty"` // how alike they are; it proposes
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
func Compare(versions []study.Version, article []outcome.Outcome) *Report {
	r := &Report{Threshold: outcome.Threshold, Outcomes: []Finding{}, BeforeStart: []Step{}, AfterStart: []Step{}, WithResults: []Step{}, Conflicts: []string{}, Notes: []string{}}
	// The start, and what changed, are told by versions without outcomes too.
	r.Start = study.History(versions, study.Start)
	start, begun := actualStart(r.Start)
	r.steps(versions, start, begun)
	versions = withOutcomes(versions, r)
	if len(versions) == 0 {
		r.None = "none: no version with outcomes is here"
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
	reported, known := r.reported(versions, article, before, start)
	switch {
	case before >= 0:
		s := source(&versions[before])
		r.Prespecified = &s
		r.Outcomes = r.became(&versions[before], reported, known, versions[before+1:])
		return r
	case !known:
		return r
	}
	r.Unjudged = reported
	r.sinceEarliest(reported, versions)
	return r
}

// became judges what was specified, or says that what was reported is not known.
func (r *Report) became(v *study.Version, reported []outcome.Outcome, known bool, later []study.Version) []Finding {
	if known {
		return r.judge(v, reported, later)
	}
	list := []Finding{}
	specified := split(v.Outcomes)
	for i := range specified {
		list = append(list, Finding{Status: Unclear, Specified: &specified[i], Why: "what was reported is not known"})
	}
	return list
}

// sinceEarliest holds what is reported to the earliest version that is known, where
// none is from before the start. That acquits of nothing, and says so.
func (r *Report) sinceEarliest(reported []outcome.Outcome, versions []study.Version) {
	first := slices.IndexFunc(versions, func(v study.Version) bool { return len(v.Outcomes) > 0 })
	if first < 0 {
		return
	}
	s := source(&versions[first])
	if r.Reported.Kind != "article" && s.Entry == r.Reported.Entry && s.File == r.Reported.File {
		return // it is the same version
	}
	r.Earliest = &s
	r.SinceEarliest = r.judge(&versions[first], reported, versions[first+1:])
	for i := range r.SinceEarliest {
		if f := &r.SinceEarliest[i]; f.Status == AsSpecified {
			f.Status = Unchanged
		}
	}
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
		if v.Selected() {
			r.Notes = append(r.Notes, v.Name()+" is "+study.SelectedOnly)
		}
		for _, c := range v.Conflicts {
			if v.Entry < c {
				r.Conflicts = append(r.Conflicts, fmt.Sprintf("entries %d and %d declare the same day %s and say different things: both are shown, neither is taken for the other", v.Entry, c, v.Claimed))
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
	s := Source{Entry: v.Entry, File: v.File, Kind: v.Kind, Day: day, By: by, Org: v.Org, Whose: v.Whose, Partial: v.PartOnly}
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

// maxOutcomes is how many outcomes of one list are told apart by their time points.
const maxOutcomes = 5000

// split makes each time point an outcome.
func split(list []outcome.Outcome) []outcome.Outcome {
	var out []outcome.Outcome
	for i, o := range list {
		if len(out) > maxOutcomes {
			return append(out, list[i:]...)
		}
		out = append(out, outcome.SplitTimePoints(o)...)
	}
	return out
}

// Counts counts the findings by status.
func (r *Report) Counts() map[string]int {
	n := map[string]int{}
	for _, f := range r.Outcomes {
		n[f.Status]++
	}
	return n
}
