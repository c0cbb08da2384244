package deadline

import (
	"fmt"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/study"
)

// registered compares the first submission with the earliest start that any version gave, and
// says what a later edit of the start would change. The function due returns the last day in
// time for a day of the start.
func (c *caseOf) registered(v *Verdict, due func(start time.Time) time.Time) {
	start, ok := c.earliest(study.Start)
	first, submitted := c.done(study.FirstSubmitted)
	if !ok || !submitted {
		v.Verdict, v.Why = NotDeterminable, "the record gives no start or no day of first submission"
		return
	}
	if start.Kind == study.Planned && !c.day.After(span(start.Date.Date).Last) {
		v.note("the start is planned")
	}
	v.decide(dueOf(span(start.Date.Date), due), first.Date.Date, c.day)
	if v.Verdict == NotDeterminable {
		v.Why = "cannot be told: " + v.Why
	}
	v.Notes = append(append(v.Notes, c.edits(study.Start)...), c.edits(study.FirstSubmitted)...)
	if c.moved(v, start, first, due) {
		return
	}
	for _, x := range study.History(c.versions, study.Start) {
		f := span(x.Date.Date)
		if !f.IsZero() && x.Kind == "" && start.Kind == study.Actual && v.Verdict == OK && span(first.Date.Date).Last.After(due(f.First)) {
			v.note("by the start %s of %s, which does not say whether that was planned, it would not be in time", x.Date.Date, x.Name())
		}
	}
	if start.Kind != study.Actual && v.Verdict == Late && (start.Kind == study.Planned || !c.begun(start.Date.Date)) {
		v.Verdict, v.Why = NotDeterminable, "no version gives an actual start, and by the planned one it is late"
		if start.Kind == "" {
			v.Why = "no version says that the start was actual, or that the trial has begun, and by it the registration is late"
		}
		return
	}
	if now := c.now.Date(study.Start); now.Date != start.Date.Date && v.Verdict == Late {
		if f := span(now.Date); !f.IsZero() && !span(first.Date.Date).Last.After(due(f.First)) {
			v.note("by the start as edited (%s) it would be in time: it became prospective by an edited start date", words(now))
		}
	}
}

// dueOf returns the days between which something is due that follows from any day of a date. A
// later day may be due earlier: the ICMJE allowed trials that had begun before July 2005 to be
// registered until September.
func dueOf(of trial.Date, due func(time.Time) time.Time) trial.Date {
	d := trial.Date{First: due(of.First), Last: due(of.First)}
	for day := of.First; !day.After(of.Last); day = day.AddDate(0, 0, 1) {
		if x := due(day); x.Before(d.First) {
			d.First = x
		} else {
			d.Last = later(d.Last, x)
		}
	}
	return d
}

// moved handles a registration that is in time by the earliest actual start. It reports whether
// a version said, when that start was still in the future, that the trial had already begun.
// The start was then moved to after the registration, and neither date is taken on trust.
func (c *caseOf) moved(v *Verdict, start, first study.Value, due func(time.Time) time.Time) bool {
	for i := range c.versions {
		x := &c.versions[i]
		date, ok := x.Begun()
		begun := span(date)
		if !ok || begun.IsZero() || !begun.Last.Before(span(start.Date.Date).Last) {
			continue
		}
		if by, _ := within(dueOf(begun, due), span(first.Date.Date), c.day); by == v.Verdict {
			continue
		}
		day, _ := x.Day()
		v.Verdict = NotDeterminable
		v.Why = fmt.Sprintf("registered on %s; %s of %s said that the trial had begun by %s and that its status was %s; "+
			"the start was moved to %s later", first.Date.Date, x.Name(), day, date, x.Status, words(start.Date))
		v.note("the start was moved behind the registration: %s by %s of %s, %s by %s of %s",
			words(x.Date(study.Start)), x.Name(), day, words(start.Date), start.Name(), start.Day)
		return true
	}
	return false
}

// begun reports whether a version that gives a start says that the trial had begun by then.
func (c *caseOf) begun(date string) bool {
	for i := range c.versions {
		if by, ok := c.versions[i].Begun(); ok && by == date {
			return true
		}
	}
	return false
}
