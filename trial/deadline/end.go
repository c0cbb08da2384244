package deadline

import (
	"fmt"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/study"
)

// An End is what the trial's milestones say about its end in all Member States concerned. No
// register of the United States knows that. The zero End says nothing.
type End struct {
	Date    string    // the earliest that a milestone in effect ever stated: moving a date clears nothing
	Entry   uint64    // of that milestone
	Logged  string    // the day on which it was logged
	Org     string    // the organisation that logged it
	Whose   string    // who stands behind it, in the words of package study
	Emptied []Emptied // milestones that were emptied since
}

func (e End) input() Input {
	in := Input{Name: "end-in-eu", Value: "not stated"}
	if e.Date != "" {
		in.Value, in.Entry, in.Day, in.By, in.Org, in.Whose = e.Date, e.Entry, e.Logged, study.ByLog, e.Org, e.Whose
	}
	return in
}

// An Emptied is an end of the trial in the EU, stated by a milestone that is void now. It does
// not count; a note says what it would change.
type Emptied struct {
	Date   string // the earliest that the milestone ever stated
	Entry  uint64 // of the milestone
	Void   uint64 // the entry of the void
	Org    string // the organisation that logged the milestone
	Holder bool   // whether that organisation held the trial
}

// emptied notes the void ends of the trial. If the holder itself had stated an earlier end and
// made it void, a verdict of not yet due or not applicable becomes not determinable. A date of
// another organisation changes no verdict.
func (c *caseOf) emptied(v *Verdict, n int) {
	var moved *Emptied
	for i := range c.end.Emptied {
		e := &c.end.Emptied[i]
		ended := span(e.Date)
		if ended.IsZero() {
			continue
		}
		v.note("entry %d of %s stated an end of the trial in the EU, %s; entry %d emptied it", e.Entry, e.Org, e.Date, e.Void)
		if stands := span(c.end.Date); !e.Holder || !stands.IsZero() && !ended.Last.Before(stands.Last) {
			continue
		}
		if by, _ := within(monthsAfter(ended, n), trial.Date{}, c.day); by != v.Verdict && v.Verdict != Overdue {
			moved = e
		}
	}
	if moved != nil {
		v.Verdict = NotDeterminable
		v.Why = fmt.Sprintf("the trial's holder stated an end of the trial in the EU on %s (entry %d) and emptied it (entry %d): "+
			"which end is right is not in the record", moved.Date, moved.Entry, moved.Void)
	}
}
