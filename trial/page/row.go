package page

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/deadline"
	"github.com/trialproof/trialproof/trial/dossier"
	"github.com/trialproof/trialproof/trial/timeline"
)

// A Summary is a trial in an overview: what its own page says, in a few words.
type Summary struct {
	Name, Title, Holder string
	InTime              string        // whether it was registered in time: a verdict of package deadline, or ""
	Results             uint64        // entry of the last results; 0: none are logged
	Verdicts            []RuleVerdict // of package deadline, those that a reader must know of
	Told                bool          // every other rule was judged
	Bears               int           // marks that bear on what the trial can show
	Disputed            bool          // another trial claims one of its numbers too
	Day                 string        // as of which all this is
}

// Summary returns what an overview says of a trial.
func (v *View) Summary() Summary {
	s := Summary{Name: v.Name(), Day: v.At}
	if v.Study != nil {
		s.Title = v.Study.Title
	}
	if v.Standing != nil {
		s.Holder = v.Standing.Holder
		s.Disputed = slices.ContainsFunc(v.Standing.Numbers, func(n dossier.NumberStanding) bool { return n.Disputed })
		for _, m := range timeline.Group(v.Standing.Marks, false) {
			if isHeavy(m.ID) {
				s.Bears++
			}
		}
	}
	s.Told = len(v.Deadlines) > 0
	for _, d := range v.Deadlines {
		word := strings.ReplaceAll(class(d.Verdict), "-", " ")
		switch word {
		case deadline.Overdue, deadline.Late, deadline.Contested:
			if word != d.Verdict {
				word += ByCopies
			}
			s.Verdicts = append(s.Verdicts, RuleVerdict{d.Rule, word})
		case deadline.NotDeterminable:
			s.Told = false
		}
		if word != d.Verdict { // third parties' copies alone do not tell that nothing is overdue
			s.Told = false
		}
		if d.Rule == deadline.RegistrationICM {
			s.InTime = d.Verdict
		}
	}
	for _, e := range v.Entries {
		if e.Kind == "results" && e.InEffect {
			s.Results = e.Index
		}
	}
	return s
}

// A RuleVerdict is what a rule says of a trial, in a word.
type RuleVerdict struct{ Rule, Verdict string }

// ByCopies follows a verdict that rests on third parties' copies of a record alone.
const ByCopies = " by copies alone"

// States of a trial in an overview, the gravest first.
var States = []string{deadline.Overdue, deadline.Overdue + ByCopies, deadline.Contested, deadline.Late, deadline.Late + ByCopies,
	"cannot be told", "none overdue"}

// State sums up a summary. That nothing is overdue it says only if every rule was judged.
func (s Summary) State() string {
	for _, state := range States[:5] {
		if slices.ContainsFunc(s.Verdicts, func(v RuleVerdict) bool { return v.Verdict == state }) {
			return state
		}
	}
	if s.Told {
		return States[6]
	}
	return States[5]
}

// Tone is that of View for the state.
func (s Summary) Tone() string {
	switch s.State() {
	case deadline.Overdue:
		return "bad"
	case States[5], States[6]:
		return "soft"
	}
	return "warn"
}

// Rules lists the rules that led to the state.
func (s Summary) Rules() string { return s.rules(func(rule string) string { return rule }) }

// RulesText is Rules in words.
func (s Summary) RulesText() string { return s.rules(RuleText) }

func (s Summary) rules(text func(rule string) string) string {
	var list []string
	for _, v := range s.Verdicts {
		if v.Verdict == s.State() {
			list = append(list, text(v.Rule))
		}
	}
	return strings.Join(list, ", ")
}

// ResultsText says which entry has the results.
func (s Summary) ResultsText() string {
	if s.Results == 0 {
		return "none logged"
	}
	return fmt.Sprintf("entry %d", s.Results)
}

// IsUnclaimed reports whether a record is that of a number which others have observed and which no
// trial claims.
func IsUnclaimed(r *trial.IdentifierRecord) bool {
	return len(r.Claims) == 0 && r.Entries.Count > 0 && !strings.HasPrefix(r.ID, "sponsor:")
}
