// Package deadline says what regulations require of a trial and by when, and whether the
// versions of its record show it done: 42 CFR Part 11, the ICMJE's condition of prospective
// registration, Regulation (EU) 536/2014 Article 37(4), and the items of the WHO data set.
//
// Before each verdict comes the question whether the rule applies. Each verdict has every
// input, the entry that it comes from, and every earlier value of the input: moving a date
// later never clears what was overdue by the earlier date. A verdict is one of those below and
// never "violated", because a record does not have everything that the law asks about. What it
// does not have is not determinable.
//
// The package reads no clock: the day of the judgement is given.
package deadline

import (
	"fmt"
	"strings"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/study"
)

// Verdicts.
const (
	OK              = "ok"
	Late            = "late" // done after it was due
	Overdue         = "overdue"
	NotYetDue       = "not yet due"
	Excused         = "excused"
	NotApplicable   = "not applicable"
	NotDeterminable = "not determinable"
)

// Rule ids. They are stable.
const (
	RegistrationFDA = "FDA-REG" // 42 CFR 11.24(a)
	ResultsFDA      = "FDA-RES" // 42 CFR 11.44
	UpdateFDA       = "FDA-UPD" // 42 CFR 11.64(a)(1)(i): at least every 12 months
	CompletionFDA   = "FDA-PCD" // 42 CFR 11.64(a)(1)(ii)(I): primary completion within 30 days
	DeviceFDA       = "FDA-DEV" // 42 CFR 11.64(a)(1)(iii): device approval within 15 days
	RegistrationICM = "ICMJE-REG"
	SummaryEU       = "EU-SUM"  // Regulation (EU) 536/2014, Article 37(4)
	SummaryEUChild  = "EU-SUM6" // Regulation (EC) 1901/2006, Article 46, by its six months
	DataSetWHO      = "WHO-TRDS"
)

// An Input is a value that a verdict rests on.
type Input struct {
	Name   string        `json:"name"`
	Value  string        `json:"value"`
	Entry  uint64        `json:"entry,omitempty"` // that states it
	Day    string        `json:"day,omitempty"`   // of that version
	By     string        `json:"by,omitempty"`    // who stands behind that day; this says nothing about who stands behind the value
	File   string        `json:"file,omitempty"`  // in place of an entry, if nobody logged it
	Org    string        `json:"org,omitempty"`   // the organisation that logged it
	Whose  string        `json:"whose,omitempty"` // who stands behind the value, in the words of package study
	Before []study.Value `json:"before,omitempty"`
}

// A Verdict is what a rule says about a trial on a day.
type Verdict struct {
	Rule    string   `json:"rule"`
	Source  string   `json:"source"`
	Asks    string   `json:"asks"`
	Verdict string   `json:"verdict"`        // one of those above; conditional or Contested where Copies are all there is, see Weigh
	Due     string   `json:"due,omitempty"`  // the last day on which it is in time
	Done    string   `json:"done,omitempty"` // the day on which it was done
	Why     string   `json:"why,omitempty"`
	Inputs  []Input  `json:"inputs"`
	Notes   []string `json:"notes,omitempty"`  // edits of dates, and what limits the verdict
	Copies  []Copy   `json:"copies,omitempty"` // what third parties' copies make of it, where that is something else or all there is
}

// A caseOf is a trial's versions as of a day.
type caseOf struct {
	versions []study.Version
	now      *study.Version // the last that a register showed, or the last of any kind if no register's is logged
	day      time.Time
	end      End
}

// judge returns what each rule says about the versions of one trial, as study.NewVersions
// orders them, and about its end in the EU, on a day (YYYY-MM-DD).
func judge(versions []study.Version, end End, day string) ([]Verdict, error) {
	at, err := trial.ParseDate(day)
	if err != nil || len(day) != 10 {
		return nil, fmt.Errorf("%q is not a day such as 2026-03-01", day)
	}
	known := until(versions, day)
	if len(known) == 0 {
		return nil, fmt.Errorf("no version of the record is dated on or before %s", day)
	}
	c := &caseOf{known, &known[len(known)-1], at.First, end}
	for i := range known { // a protocol says what is planned, not what was done
		if known[i].Kind == "observation" {
			c.now = &known[i]
		}
	}
	fda := []Verdict{c.registrationFDA(), c.resultsFDA(), c.updateFDA(), c.completionFDA(), c.deviceFDA()}
	for i := range fda {
		c.abroad(&fda[i])
	}
	return append(fda, c.registrationICMJE(), c.summaryEU(), c.summaryEUChild(), c.dataSet()), nil
}

// until returns the versions that existed on a day; later ones are not judged on it.
func until(versions []study.Version, day string) (known []study.Version) {
	for _, v := range versions {
		if d, _ := v.Day(); d <= day {
			known = append(known, v)
		}
	}
	return known
}

// input returns an event's date in the last version, with its earlier values.
func (c *caseOf) input(event string) Input {
	in := Input{Name: event, Value: "not stated"}
	history := study.History(c.versions, event)
	if n := len(history); n > 0 {
		last := history[n-1]
		in.Value, in.Entry, in.File, in.Day = words(last.Date), last.Entry, last.File, last.Day
		in.By, in.Org, in.Whose, in.Before = last.By, last.Org, last.Whose, history[:n-1]
	}
	return in
}

// say returns an input that is not a date.
func (c *caseOf) say(name, value string) Input {
	if value == "" {
		value = "not stated"
	}
	day, by := c.now.Day()
	return Input{Name: name, Value: value, Entry: c.now.Entry, File: c.now.File, Day: day, By: by, Org: c.now.Org, Whose: c.now.Whose}
}

func words(d study.Date) string { return strings.TrimSpace(d.Date + " " + d.Kind) }

// span returns the days that a date may mean, or zero if it is none.
func span(date string) trial.Date {
	d, _ := trial.ParseDate(date)
	return d
}

func show(t time.Time) string { return t.Format(time.DateOnly) }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// edits returns notes on the edits of an event's date. A change from planned to actual, or from
// a month to a day in it, is not an edit.
func (c *caseOf) edits(event string) []string {
	var notes []string
	history := study.History(c.versions, event)
	for i := 1; i < len(history); i++ {
		a, b := history[i-1], history[i]
		if a.Date.Date == b.Date.Date || a.Kind == study.Planned && b.Kind != "" || span(b.Date.Date).Within(span(a.Date.Date)) {
			continue
		}
		notes = append(notes, fmt.Sprintf("the date %s was edited: %s by %s, %s by %s of %s",
			event, words(a.Date), a.Name(), words(b.Date), b.Name(), b.Day))
	}
	return notes
}

// earliest returns the earliest actual date that an event ever had. If no version has an actual
// date, dates count that no version calls planned or actual; if there are only planned ones,
// those.
func (c *caseOf) earliest(event string) (study.Value, bool) {
	var best study.Value
	found := false
	for _, kind := range []string{study.Actual, "", study.Planned} {
		for _, v := range study.History(c.versions, event) {
			if v.Kind != kind {
				continue
			}
			if d := span(v.Date.Date); !d.IsZero() && (!found || d.Last.Before(span(best.Date.Date).Last)) {
				best, found = v, true
			}
		}
		if found {
			return best, true
		}
	}
	return best, false
}

// done returns the latest date on which something was done by any version: moving it earlier
// clears nothing. What is planned is not done, and neither is what is in the future.
func (c *caseOf) done(event string) (best study.Value, ok bool) {
	for _, v := range study.History(c.versions, event) {
		d := span(v.Date.Date)
		if d.IsZero() || v.Kind == study.Planned || d.First.After(c.day) {
			continue
		}
		if !ok || d.Last.After(span(best.Date.Date).Last) {
			best, ok = v, true
		}
	}
	return best, ok
}

func (v *Verdict) note(format string, args ...any) {
	v.Notes = append(v.Notes, fmt.Sprintf(format, args...))
}

// decide compares a deadline with the date on which something was done. Both may be months. If
// the result depends on the day within the month, it is not determinable.
func (v *Verdict) decide(due trial.Date, done string, day time.Time) {
	v.Due = show(due.Last)
	if !due.First.Equal(due.Last) {
		v.note("a month or year may mean any of its days: it was due between %s and %s", show(due.First), show(due.Last))
	}
	v.Done = done
	v.Verdict, v.Why = within(due, span(done), day)
}

// within compares a deadline with when something was done, whose last day is zero if it was not
// done.
func within(due, done trial.Date, day time.Time) (verdict, why string) {
	switch {
	case done.Last.IsZero() && !day.After(due.First):
		return NotYetDue, ""
	case done.Last.IsZero() && day.After(due.Last):
		return Overdue, ""
	case done.Last.IsZero():
		return NotDeterminable, "whether it is due depends on the day within the month"
	case !done.Last.After(due.First):
		return OK, ""
	case done.First.After(due.Last):
		return Late, ""
	}
	return NotDeterminable, "whether it was in time depends on the day within the month"
}

// monthsAfter returns a date's days, each moved later by calendar months.
func monthsAfter(d trial.Date, n int) trial.Date {
	return trial.Date{First: months(d.First, n), Last: months(d.Last, n)}
}

// months adds calendar months to a day: the same day of the month, or the month's last day.
func months(t time.Time, n int) time.Time {
	first := time.Date(t.Year(), t.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), last)-1)
}
