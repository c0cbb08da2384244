// Package compare compares a trial's reported outcomes with the prespecified ones, in the
// manner of the COMPare project. The prespecified outcomes are those of the last version dated
// before the actual start. Each time point is an outcome of its own. A reported outcome that is
// not among the prespecified ones is new. It is declared only if a version has it before the
// results.
//
// The package proposes and never convicts, and it clears only equal words: texts that package
// outcome joins by similarity are unclear, with a list of what differs. Each finding names the
// entry that it rests on.
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
	Elsewhere     = "reported elsewhere" // at another level, neither of the two being primary
	Promoted      = "promoted"           // to primary
	Demoted       = "demoted"            // from primary
	NotReported   = "not reported"
	Unclear       = "unclear"
	NewDeclared   = "new and declared"
	NewUndeclared = "new and undeclared"
	Unchanged     = "in the same words" // if nothing is known to be prespecified
)

// A Report is what became of the prespecified outcomes.
type Report struct {
	Start         []study.Value     `json:"start"` // every value of the start, in the order of versions
	Prespecified  *Source           `json:"prespecified,omitempty"`
	None          string            `json:"none,omitempty"` // why there is no prespecified set
	Reported      *Source           `json:"reported,omitempty"`
	Unreported    string            `json:"unreported,omitempty"` // why it is not known what was reported
	Outcomes      []Finding         `json:"outcomes"`             // prespecified and reported, in that order
	Earliest      *Source           `json:"earliest,omitempty"`   // the earliest version with outcomes, if nothing is prespecified
	SinceEarliest []Finding         `json:"sinceEarliest,omitempty"`
	Unjudged      []outcome.Outcome `json:"unjudged,omitempty"` // reported, if nothing is prespecified
	BeforeStart   []Step            `json:"beforeStart"`        // changes between versions, listed and not counted
	AfterStart    []Step            `json:"afterStart"`         // changes after the start
	WithResults   []Step            `json:"withResults"`        // changes of words when results were posted, listed separately
	Conflicts     []string          `json:"conflicts"`          // versions that contradict each other
	Notes         []string          `json:"notes"`              // what limits this report
	Threshold     float64           `json:"threshold"`          // of package outcome
	PairsProposed int               `json:"pairsProposed"`      // by similarity, not by equal words
	Copies        []Copy            `json:"copies,omitempty"`   // of third parties, see Weigh

	work     int    // how many comparisons by similarity are left
	selected string // why this copy may leave out what seems not to be reported
}

// A Source is where a set of outcomes comes from.
type Source struct {
	Entry   uint64 `json:"entry,omitempty"`
	File    string `json:"file,omitempty"` // in place of an entry, if only files are compared
	Kind    string `json:"kind"`           // protocol, observation, ..., or article
	Day     string `json:"day,omitempty"`
	By      string `json:"by,omitempty"`     // who stands behind Day
	Logged  string `json:"logged,omitempty"` // day of admission, if Day is another
	Org     string `json:"org,omitempty"`    // the organisation whose key logged it
	Whose   string `json:"whose,omitempty"`  // who stands behind it, in the words of package study
	Partial bool   `json:"partial,omitempty"`
}

// A Finding is what became of one outcome.
type Finding struct {
	Status     string               `json:"status"`          // one of those above; conditional if Alone is set
	Alone      string               `json:"alone,omitempty"` // the status by third parties' copies alone, see Weigh
	Specified  *outcome.Outcome     `json:"specified,omitempty"`
	Reported   *outcome.Outcome     `json:"reported,omitempty"`
	Class      outcome.Class        `json:"class,omitempty"`      // how the reported outcome relates to the specified one
	Differs    []string             `json:"differs,omitempty"`    // the differences, in words
	Similarity float64              `json:"similarity,omitempty"` // how alike they are; only a proposal
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

// near is the similarity below the threshold at which an outcome may still be the same one.
const near = 0.75 * outcome.Threshold

// Compare judges the versions of one trial, as study.NewVersions orders them. The reported
// outcomes are those of the article; without an article they are those of the last version's
// own results, or else its planned outcomes.
func Compare(versions []study.Version, article []outcome.Outcome) *Report {
	r := &Report{
		Threshold: outcome.Threshold, Outcomes: []Finding{}, Conflicts: []string{}, Notes: []string{},
		BeforeStart: []Step{}, AfterStart: []Step{}, WithResults: []Step{},
	}
	// Versions without outcomes also say when the trial started and what changed.
	r.Start = study.History(versions, study.Start)
	start, begun := actualStart(r.Start)
	r.steps(versions, start, begun)
	versions = withOutcomes(versions, r)
	if len(versions) == 0 {
		r.None = "none: no version with outcomes is here"
		return r
	}
	before := -1 // index of the prespecified version
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

// became judges the specified outcomes, or says that what was reported is not known.
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

// sinceEarliest compares the reported outcomes with the earliest version that is known, if no
// version is from before the start. That clears nothing, and the report says so.
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

// withOutcomes returns the versions that say something about outcomes, and notes conflicts
// among them.
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
				r.Conflicts = append(r.Conflicts, fmt.Sprintf("entries %d and %d declare the same day %s and say different things: "+
					"both are shown, neither is taken for the other", v.Entry, c, v.Claimed))
			}
		}
		list = append(list, v)
	}
	if partial {
		r.Notes = append(r.Notes, "some versions are read from logged facts, where texts are cut after 200 characters "+
			"and descriptions are missing: give the files to compare all of it")
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
			continue // it is not known which of the two was shown, so neither follows the other
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

// maxOutcomes is how many outcomes of one list are divided by their time points.
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
