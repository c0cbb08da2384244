package deadline

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trialproof/trialproof/trial/study"
)

// Days on which 42 CFR Part 11 changed what is owed.
var (
	ruleInForce = time.Date(2017, 1, 18, 0, 0, 0, 0, time.UTC)
	statute     = time.Date(2007, 9, 27, 0, 0, 0, 0, time.UTC)  // trials initiated later are covered (section 801 of FDAAA)
	firstDue    = time.Date(2007, 12, 26, 0, 0, 0, 0, time.UTC) // 90 days after: nothing was due before (42 U.S.C. 282(j)(2)(C))
)

// applicable says whether a trial is an applicable clinical trial (42 CFR 11.22),
// as far as a record can say: interventional, not of phase 1, of a product that
// the FDA regulates.
func (c *caseOf) applicable(v *Verdict) bool {
	s := c.now.Study
	v.Inputs = append(v.Inputs, c.say("type", s.Type), c.say("phase", strings.Join(s.Phases, ", ")), c.say("FDA-regulated product", regulated(s)), c.say("primary purpose", s.Purpose))
	v.Verdict, v.Why = applies(s)
	if v.Verdict != "" {
		for i := range c.versions { // what a record once said it was is not forgotten
			x := &c.versions[i]
			if verdict, _ := applies(x.Study); verdict == "" && x.Kind == c.now.Kind {
				day, by := x.Day()
				v.Notes = append(v.Notes, fmt.Sprintf("entry %d of %s (%s) says otherwise: %s, phase %s, FDA-regulated product %s: by it the rule applies", x.Entry, day, by, x.Type, strings.Join(x.Phases, ", "), regulated(x.Study)))
				break
			}
		}
		return false
	}
	if start, ok := c.earliest(study.Start); ok {
		if first, _, _ := span(start.Date.Date); !first.After(statute) {
			v.Verdict, v.Why = NotDeterminable, "begun on or before 2007-09-27, or not said to be after: whether it was ongoing in December 2007 is not in the record"
			return false
		}
	}
	if s.USSite() == "no" && s.Oversight.USExport != "yes" && !c.everUS() {
		v.Notes = append(v.Notes, "no site in the United States and no export from there: 11.22(b) then asks for an IND or IDE, and whether there is one is not in the record")
	}
	return true
}

// everUS reports whether any version of the register had a site in the United States:
// 42 CFR 11.22(b) asks for one "at any point in time".
func (c *caseOf) everUS() bool {
	return slices.ContainsFunc(c.versions, func(x study.Version) bool { return x.Kind == c.now.Kind && x.USSite() == "yes" })
}

// regulated says whether a study is of a product that the FDA regulates.
func regulated(s *study.Study) string {
	switch o := s.Oversight; {
	case o.FDADrug == "yes" || o.FDADevice == "yes" || o.FDARegulated == "yes":
		return "yes"
	case o.FDADrug == "no" && o.FDADevice == "no" || o.FDARegulated == "no":
		return "no"
	}
	return "not stated"
}

// applies says why a study is no applicable clinical trial, or why that is not
// known; an empty verdict is that it is one.
func applies(s *study.Study) (verdict, why string) {
	early := len(s.Phases) == 1 && (s.Phases[0] == "phase1" || s.Phases[0] == "early-phase1")
	switch {
	case s.Type == "":
		return NotDeterminable, "the record does not say whether the trial is interventional"
	case s.Type != "interventional":
		return NotApplicable, "the trial is not interventional"
	case early && s.Oversight.FDADevice != "yes":
		return NotApplicable, "the trial is of phase 1"
	case s.Purpose == "device-feasibility":
		return NotApplicable, "a small feasibility study of a device"
	case regulated(s) == "no":
		return NotApplicable, "no product that the FDA regulates"
	case regulated(s) == "not stated":
		return NotDeterminable, "the record does not say whether the product is FDA-regulated"
	}
	return "", ""
}

// asFarAs notes what an overdue state rests on: the last version that is logged.
func (c *caseOf) asFarAs(v *Verdict) {
	day, by := c.now.Day()
	v.Notes = append(v.Notes, fmt.Sprintf("as far as this log's versions go: the last is entry %d of %s (%s), and a later one that nobody logged is not known here", c.now.Entry, day, by))
}

func (c *caseOf) registrationFDA() Verdict {
	v := Verdict{Rule: RegistrationFDA, Source: "42 CFR 11.24(a)", Asks: "registration no later than 21 days after the first participant is enrolled"}
	if !c.applicable(&v) {
		return v
	}
	v.Inputs = append(v.Inputs, c.input(study.Start), c.input(study.FirstSubmitted))
	if !c.withdrawn(&v) {
		c.registered(&v, func(start time.Time) time.Time {
			if due := start.AddDate(0, 0, 21); due.After(firstDue) {
				return due
			}
			return firstDue
		})
	}
	return v
}

// withdrawn says that a trial in which nobody was enrolled has no first enrolment.
func (c *caseOf) withdrawn(v *Verdict) bool {
	if c.now.Status != "withdrawn" {
		return false
	}
	v.Inputs = append(v.Inputs, c.say("status", c.now.Status), c.say("enrolment", fmt.Sprint(c.now.Enrolment.Count)))
	if c.now.Enrolment.Count != 0 {
		v.Notes = append(v.Notes, "withdrawn, and not said to have enrolled nobody")
		return false
	}
	if start, ok := c.earliest(study.Start); ok && start.Kind == study.Actual {
		v.Notes = append(v.Notes, fmt.Sprintf("entry %d states an actual start, %s", start.Entry, start.Date.Date))
	}
	v.Verdict, v.Why = NotApplicable, "withdrawn before anybody was enrolled"
	return true
}

// registered judges the first submission against the earliest start that any
// version gave, and says what a start edited later would make of it. The last day
// in time follows from a day of the start by due.
func (c *caseOf) registered(v *Verdict, due func(start time.Time) time.Time) {
	start, ok := c.earliest(study.Start)
	first, submitted := c.done(study.FirstSubmitted)
	if !ok || !submitted {
		v.Verdict, v.Why = NotDeterminable, "the record gives no start or no day of first submission"
		return
	}
	if start.Kind == study.Planned && !c.day.After(mustLast(start.Date.Date)) {
		v.Notes = append(v.Notes, "the start is planned")
	}
	a, b, _ := span(start.Date.Date)
	v.judge(due(a), due(b), first.Date.Date, c.day)
	v.Notes = append(append(v.Notes, c.edits(study.Start)...), c.edits(study.FirstSubmitted)...)
	for _, x := range study.History(c.versions, study.Start) {
		if f, _, ok := span(x.Date.Date); ok && x.Kind == "" && start.Kind == study.Actual && v.Verdict == OK && mustLast(first.Date.Date).After(due(f)) {
			v.Notes = append(v.Notes, fmt.Sprintf("by the start %s of entry %d, which does not say whether that was planned, it would not be in time", x.Date.Date, x.Entry))
		}
	}
	if start.Kind == study.Planned && (v.Verdict == Late || v.Verdict == Overdue) {
		v.Verdict, v.Why = NotDeterminable, "no version gives an actual start, and by the planned one it is late"
		return
	}
	if now := c.now.Date(study.Start); now.Date != start.Date.Date && v.Verdict == Late {
		if f, _, ok := span(now.Date); ok && !mustLast(first.Date.Date).After(due(f)) {
			v.Notes = append(v.Notes, fmt.Sprintf("by the start as edited (%s) it would be in time: it became prospective by an edited start date", words(now)))
		}
	}
}

func mustLast(date string) time.Time {
	_, last, _ := span(date)
	return last
}

func (c *caseOf) resultsFDA() Verdict {
	v := Verdict{Rule: ResultsFDA, Source: "42 CFR 11.44", Asks: "results no later than one year after the primary completion date"}
	if !c.applicable(&v) {
		return v
	}
	v.Inputs = append(v.Inputs, c.input(study.PrimaryCompletion), c.input(study.ResultsSubmitted), c.input(study.CertificateSubmitted), c.say("unapproved device", c.now.Oversight.UnapprovedDevice))
	completion, ok := c.earliest(study.PrimaryCompletion)
	if !ok {
		v.Verdict, v.Why = NotDeterminable, "the record gives no primary completion date"
		return v
	}
	v.Notes = append(v.Notes, c.edits(study.PrimaryCompletion)...)
	first, last, _ := span(completion.Date.Date)
	if c.withdrawn(&v) {
		return v
	}
	if last.Before(ruleInForce) && c.now.Oversight.UnapprovedDevice == "yes" {
		v.Verdict, v.Why = NotApplicable, "completed before 2017-01-18, of a product that was not approved"
		return v
	}
	if c.now.Waived { // 11.54
		v.Inputs = append(v.Inputs, c.say("results", "waived"))
		v.Verdict, v.Why = Excused, "the register says that results are waived; the waiver itself is not in the record"
		return v
	}
	if last.Before(ruleInForce) {
		v.Notes = append(v.Notes, "completed before 2017-01-18: nothing is owed for a product that was not approved by then, and whether it was is not in the record")
	}
	submitted, _ := c.done(study.ResultsSubmitted)
	done := submitted.Date.Date
	v.Notes = append(v.Notes, c.edits(study.ResultsSubmitted)...)
	certified, _ := c.done(study.CertificateSubmitted)
	certificate := certified.Date.Date
	dueFirst, dueLast := months(first, 12), months(last, 12)
	v.judge(dueFirst, dueLast, done, c.day)
	if v.Verdict == Overdue {
		c.asFarAs(&v)
	}
	if completion.Kind == study.Planned && v.Verdict == Overdue {
		v.Verdict, v.Why = NotDeterminable, "the primary completion date is planned and past: whether it happened is not in the record"
		return v
	}
	if last.Before(ruleInForce) && (v.Verdict == Overdue || v.Verdict == Late) {
		v.Verdict, v.Why = NotDeterminable, "whether the product was approved by the completion is not in the record"
		return v
	}
	if end, ok := c.earliest(study.Completion); ok && done != "" && mustLast(end.Date.Date).After(last) {
		v.Notes = append(v.Notes, fmt.Sprintf("results of outcomes measured after the primary completion are owed a year after each was measured, by %s for the last, 42 CFR 11.44(d): whether those submitted are all is not in the record", show(months(mustLast(end.Date.Date), 12))))
	}
	if certificate == "" || v.Verdict != Overdue && v.Verdict != Late {
		return v
	}
	// 11.44(b) and (c): a certificate, submitted before results are due, delays them
	// by no more than two years; (e): so does a request for an extension, to a day
	// that it names. The register has one day for both and does not say which it is.
	if !mustLast(certificate).Before(dueLast.AddDate(0, 0, 1)) {
		v.Notes = append(v.Notes, fmt.Sprintf("the certificate, or request for an extension, of %s came after results were due and delays nothing", certificate))
		return v
	}
	limit := mustLast(certificate).AddDate(2, 0, 0)
	v.Notes = append(v.Notes, fmt.Sprintf("a certificate of %s delays results, to 30 days after approval or the like, and to %s at the latest; the register has the day of a request for an extension for good cause in the same place, and not the day to which it was granted", certificate, show(limit)))
	switch {
	case done != "" && !mustLast(done).After(limit), done == "" && !c.day.After(limit):
		v.Verdict, v.Due, v.Why = Excused, show(limit), "by a certificate of delay or a request for an extension; the event or day that would end it is not in the record"
	default:
		v.Due = show(limit)
	}
	return v
}

// ended are the statuses after which a record needs no yearly update, once its
// results are there.
var ended = []string{"completed", "terminated", "withdrawn", "unknown"}

func (c *caseOf) updateFDA() Verdict {
	v := Verdict{Rule: UpdateFDA, Source: "42 CFR 11.64(a)(1)(i)", Asks: "an update at least every 12 months, until results are complete"}
	if !c.applicable(&v) {
		return v
	}
	in := c.input(study.Verified)
	if in.Value == "not stated" {
		in = c.input(study.UpdateSubmitted)
	}
	in.Before = nil // each version has another one, which is what is asked for
	v.Inputs = append(v.Inputs, in, c.say("status", c.now.Status))
	if c.now.Results && slices.Contains(ended, c.now.Status) {
		v.Verdict, v.Why = NotApplicable, "results are posted and the trial has ended"
		return v
	}
	update, _ := c.done(study.UpdateSubmitted)
	last := update.Date.Date
	if v2, ok := c.done(study.Verified); ok && (last == "" || mustLast(v2.Date.Date).After(mustLast(last))) {
		last = v2.Date.Date
	}
	if last == "" {
		v.Verdict, v.Why = NotDeterminable, "the record does not say when it was updated"
		return v
	}
	a, b, _ := span(last)
	v.judge(months(a, 12), months(b, 12), "", c.day)
	if v.Verdict == NotYetDue {
		v.Verdict = OK
	}
	if v.Verdict == Overdue {
		c.asFarAs(&v)
	}
	return v
}

func (c *caseOf) completionFDA() Verdict {
	v := Verdict{Rule: CompletionFDA, Source: "42 CFR 11.64(a)(1)(ii)", Asks: "the actual primary completion date within 30 days of reaching it"}
	if !c.applicable(&v) {
		return v
	}
	v.Inputs = append(v.Inputs, c.input(study.PrimaryCompletion))
	d := c.now.Date(study.PrimaryCompletion)
	if d.Date == "" {
		v.Verdict, v.Why = NotDeterminable, "the record gives no primary completion date"
		return v
	}
	a, b, _ := span(d.Date)
	if d.Kind != study.Actual {
		v.judge(a.AddDate(0, 0, 30), b.AddDate(0, 0, 30), "", c.day)
		if v.Verdict == Overdue {
			v.Verdict, v.Why = NotDeterminable, "the planned date is past and not updated; whether the trial reached it is not in the record"
		}
		return v
	}
	for i := range c.versions {
		if x := c.versions[i].Date(study.PrimaryCompletion); x.Kind == study.Actual {
			submitted := c.versions[i].Date(study.UpdateSubmitted).Date
			if submitted == "" {
				submitted, _ = c.versions[i].Day()
			}
			v.judge(a.AddDate(0, 0, 30), b.AddDate(0, 0, 30), submitted, c.day)
			if v.Verdict == Late {
				v.Verdict, v.Why = NotDeterminable, "the first version here that has it is of "+submitted+"; one before it may not be logged"
			}
			return v
		}
	}
	return v
}

func (c *caseOf) deviceFDA() Verdict {
	v := Verdict{Rule: DeviceFDA, Source: "42 CFR 11.64(a)(1)(iii)", Asks: "a device's approval or clearance within 15 days"}
	if !c.applicable(&v) {
		return v
	}
	v.Inputs = append(v.Inputs, c.say("FDA-regulated device", c.now.Oversight.FDADevice), c.say("unapproved device", c.now.Oversight.UnapprovedDevice))
	if c.now.Oversight.FDADevice != "yes" {
		v.Verdict, v.Why = NotApplicable, "no device"
		return v
	}
	v.Verdict, v.Why = NotDeterminable, "when a device was approved is not in the record"
	return v
}
