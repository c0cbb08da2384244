package deadline

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/study"
)

// Days on which the duties under 42 CFR Part 11 changed.
var (
	ruleInForce = time.Date(2017, 1, 18, 0, 0, 0, 0, time.UTC)
	statute     = time.Date(2007, 9, 27, 0, 0, 0, 0, time.UTC)  // trials that began later are covered (section 801 of FDAAA)
	firstDue    = time.Date(2007, 12, 26, 0, 0, 0, 0, time.UTC) // 90 days later: nothing was due before (42 U.S.C. 282(j)(2)(C))
)

// applicable says whether a trial is an applicable clinical trial (42 CFR 11.22), as far as a
// record can say: interventional, not of phase 1, of a product that the FDA regulates; or a
// paediatric postmarket surveillance of a device.
func (c *caseOf) applicable(v *Verdict) bool {
	s := c.now.Study
	v.Inputs = append(v.Inputs, c.say("type", s.Type), c.say("phase", strings.Join(s.Phases, ", ")),
		c.say("FDA-regulated product", regulated(s)), c.say("primary purpose", s.Purpose))
	if s.Oversight.PPSD != "" {
		v.Inputs = append(v.Inputs, c.say("paediatric postmarket surveillance of a device", s.Oversight.PPSD))
	}
	v.Verdict, v.Why = applies(s)
	if v.Verdict != "" {
		for i := range c.versions { // an earlier version still counts
			x := &c.versions[i]
			if verdict, _ := applies(x.Study); verdict == "" && x.Kind == c.now.Kind {
				day, by := x.Day()
				v.note("%s of %s (%s) says otherwise: %s, phase %s, FDA-regulated product %s: by it the rule applies",
					x.Name(), day, by, x.Type, strings.Join(x.Phases, ", "), regulated(x.Study))
				break
			}
		}
		return false
	}
	if start, ok := c.earliest(study.Start); ok {
		if !span(start.Date.Date).First.After(statute) {
			v.Verdict, v.Why = NotDeterminable, "begun on or before 2007-09-27, or not said to be after: "+
				"whether it was ongoing in December 2007 is not in the record"
			return false
		}
	}
	if surveillance(s) && s.Type != "interventional" {
		// 42 CFR 11.28(a) sets apart "a pediatric postmarket surveillance of a device
		// product that is not a clinical trial". It is registered within 21 days after
		// the FDA approves the surveillance plan (11.24), and its results follow the
		// final report to the FDA (11.44).
		v.Verdict = NotDeterminable
		v.Why = "a paediatric postmarket surveillance of a device is an applicable device clinical trial whatever its type, " +
			"42 CFR 11.22(b)(1); if it is not a clinical trial, its deadlines run from the FDA's approval of its plan and " +
			"from its final report, and neither day is in the record"
		return false
	}
	return true
}

// abroad leaves open what a trial owes if the record says that it had no site in the United
// States and no export from there.
func (c *caseOf) abroad(v *Verdict) {
	s := c.now.Study
	if v.Verdict == NotApplicable || s.USSite() != "no" || s.Oversight.USExport == "yes" || c.everUS() || surveillance(s) {
		return
	}
	v.note("no site in the United States and no export from there: 11.22(b) then asks for an IND or IDE, " +
		"and whether there is one is not in the record")
	if v.Verdict == Late || v.Verdict == Overdue {
		v.Verdict, v.Why = NotDeterminable, "whether the trial is an applicable one depends on an IND or IDE, which is not in the record"
	}
}

// owed says whether a trial is an applicable one in which anybody was enrolled.
func (c *caseOf) owed(v *Verdict) bool { return !c.withdrawn(v) && c.applicable(v) }

// surveillance reports a paediatric postmarket surveillance of a device, as the register
// defines its field: "Indication that a clinical study that includes a U.S. FDA-regulated
// device product is a pediatric postmarket surveillance of a device product ordered under
// section 522 of the Federal Food, Drug, and Cosmetic Act."
func surveillance(s *study.Study) bool {
	return s.Oversight.PPSD == "yes" && s.Oversight.FDADevice != "no"
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

// applies says why a study is not an applicable clinical trial, or why that is not known. An
// empty verdict says that it is one.
func applies(s *study.Study) (verdict, why string) {
	if surveillance(s) { // 11.22(b)(1): it is, whatever its type
		return "", ""
	}
	switch s.Type {
	case "interventional":
		verdict, why = asTrial(s)
	case "":
		if verdict, why = asTrial(s); verdict != NotApplicable {
			verdict, why = NotDeterminable, "the record does not say whether the trial is interventional"
		}
	default:
		verdict, why = NotApplicable, "the trial is not interventional"
	}
	if verdict == NotApplicable && s.Oversight.PPSD == "yes" {
		return NotDeterminable, "the record says that it is a paediatric postmarket surveillance of a device, " +
			"and that it is of no device which the FDA regulates"
	}
	return verdict, why
}

// asTrial does what applies does, for an interventional trial.
func asTrial(s *study.Study) (verdict, why string) {
	o := s.Oversight
	feasibility := s.Purpose == "device-feasibility"
	early := len(s.Phases) > 0 && !slices.ContainsFunc(s.Phases, func(p string) bool { return p != "phase1" && p != "early-phase1" })
	switch {
	case early && o.FDADevice != "yes":
		return NotApplicable, "the trial is of phase 1"
	case regulated(s) == "no":
		return NotApplicable, "no product that the FDA regulates"
	case feasibility && o.FDADrug == "no":
		return NotApplicable, "a small feasibility study of a device"
	case regulated(s) == "not stated":
		return NotDeterminable, "the record does not say whether the product is FDA-regulated"
	}
	// A drug trial is an applicable one unless it is of phase 1, 11.22(b)(2); a device trial is
	// one unless it is a feasibility study, 11.22(b)(1).
	switch {
	case o.FDADevice == "yes" && !feasibility, o.FDADrug == "yes" && !early && len(s.Phases) > 0:
		return "", ""
	case o.FDADrug == "yes" && len(s.Phases) == 0:
		return NotDeterminable, "the record gives no phase, and a drug trial of phase 1 is not applicable"
	case feasibility && early:
		return NotApplicable, "a small feasibility study of a device"
	case feasibility:
		return NotDeterminable, "a small feasibility study of a device, and the record does not say whether it is also of a drug"
	case len(s.Phases) == 0:
		return NotDeterminable, "the record gives no phase, and does not say whether it is of a drug or of a device"
	}
	return "", ""
}

// asFarAs notes that an overdue verdict rests on the last version that is logged.
func (c *caseOf) asFarAs(v *Verdict) {
	day, by := c.now.Day()
	v.note("as far as this log's versions go: the last is %s of %s (%s), and a later one that nobody logged is not known here",
		c.now.Name(), day, by)
}

func (c *caseOf) registrationFDA() Verdict {
	v := Verdict{Rule: RegistrationFDA, Source: "42 CFR 11.24(a)",
		Asks: "registration no later than 21 days after the first participant is enrolled"}
	if !c.owed(&v) {
		return v
	}
	v.Inputs = append(v.Inputs, c.input(study.Start), c.input(study.FirstSubmitted))
	c.registered(&v, func(start time.Time) time.Time { return later(start.AddDate(0, 0, 21), firstDue) })
	return v
}

// withdrawn says that a trial in which nobody was enrolled has no first enrolment.
func (c *caseOf) withdrawn(v *Verdict) bool {
	if c.now.Status != "withdrawn" {
		return false
	}
	v.Inputs = append(v.Inputs, c.say("status", c.now.Status), c.say("enrolment", fmt.Sprint(c.now.Enrolment.Count)))
	if c.now.Enrolment.Count != 0 {
		v.note("withdrawn, but the record does not say that nobody was enrolled")
		return false
	}
	if start, ok := c.earliest(study.Start); ok && start.Kind == study.Actual {
		v.note("%s states an actual start, %s", start.Name(), start.Date.Date)
	}
	v.Verdict, v.Why = NotApplicable, "withdrawn before anybody was enrolled"
	return true
}

// ended are the statuses of trials that need no yearly update once their results are posted.
var ended = []string{"completed", "terminated", "withdrawn", "unknown"}

func (c *caseOf) updateFDA() Verdict {
	v := Verdict{Rule: UpdateFDA, Source: "42 CFR 11.64(a)(1)(i)", Asks: "an update at least every 12 months, until results are complete"}
	if !c.owed(&v) {
		return v
	}
	in := c.input(study.Verified)
	if in.Value == "not stated" {
		in = c.input(study.UpdateSubmitted)
	}
	in.Before = nil // each version has another date, as the rule requires
	v.Inputs = append(v.Inputs, in, c.say("status", c.now.Status))
	posted := span(c.now.Date(study.ResultsPosted).Date)
	if (c.now.Results || c.now.Announced || !posted.IsZero() && !posted.First.After(c.day)) && slices.Contains(ended, c.now.Status) {
		v.Verdict, v.Why = NotApplicable, "results are posted and the trial has ended"
		return v
	}
	var updated trial.Date // the last update
	for _, event := range []string{study.UpdateSubmitted, study.Verified} {
		if x, ok := c.done(event); ok {
			d := span(x.Date.Date)
			updated = trial.Date{First: later(updated.First, d.First), Last: later(updated.Last, d.Last)}
		}
	}
	if updated.IsZero() {
		v.Verdict, v.Why = NotDeterminable, "the record does not say when it was updated"
		return v
	}
	v.decide(monthsAfter(updated, 12), "", c.day)
	if v.Verdict == NotYetDue {
		v.Verdict = OK
	}
	if v.Verdict == Overdue {
		c.asFarAs(&v)
	}
	return v
}

func (c *caseOf) completionFDA() Verdict {
	v := Verdict{Rule: CompletionFDA, Source: "42 CFR 11.64(a)(1)(ii)",
		Asks: "the actual primary completion date within 30 days of reaching it"}
	if !c.owed(&v) {
		return v
	}
	v.Inputs = append(v.Inputs, c.input(study.PrimaryCompletion))
	reached, ok := c.earliest(study.PrimaryCompletion)
	if !ok {
		v.Verdict, v.Why = NotDeterminable, "the record gives no primary completion date"
		return v
	}
	v.Notes = append(v.Notes, c.edits(study.PrimaryCompletion)...)
	due := func(date string) trial.Date {
		d := span(date)
		return trial.Date{First: d.First.AddDate(0, 0, 30), Last: d.Last.AddDate(0, 0, 30)}
	}
	if reached.Kind != study.Actual {
		if d := c.now.Date(study.PrimaryCompletion); d.Date != "" { // plans change
			reached.Date = d
		}
		if v.decide(due(reached.Date.Date), "", c.day); v.Verdict == Overdue {
			v.Verdict = NotDeterminable
			v.Why = "the date is past and not said to be actual; whether the trial reached it is not in the record"
		}
		return v
	}
	if d := span(reached.Date.Date); !d.IsZero() && show(d.First) > reached.Day {
		v.Verdict = NotDeterminable
		v.Why = fmt.Sprintf("%s of %s calls %s actual, a day that was yet to come", reached.Name(), reached.Day, reached.Date.Date)
		return v
	}
	shown := slices.IndexFunc(c.versions, func(x study.Version) bool { return x.Date(study.PrimaryCompletion).Kind == study.Actual })
	told := c.versions[shown].Date(study.UpdateSubmitted).Date
	if told == "" {
		told, _ = c.versions[shown].Day()
	}
	v.decide(due(reached.Date.Date), told, c.day)
	if v.Verdict != Late {
		return v
	}
	for i := range c.versions[:shown] { // a version that was updated after the last day and did not have it yet
		x := &c.versions[i]
		updated := span(x.Date(study.UpdateSubmitted).Date) // zero if it is not dated; zero is never after a day
		if updated.First.After(due(reached.Date.Date).Last) && x.Kind == "observation" && x.Date(study.PrimaryCompletion).Date != "" {
			v.note("%s, updated on %s, does not have it yet", x.Name(), x.Date(study.UpdateSubmitted).Date)
			return v
		}
	}
	v.Verdict, v.Why = NotDeterminable, "the first version here that has it is of "+told+"; one before it may not be logged"
	return v
}

func (c *caseOf) deviceFDA() Verdict {
	v := Verdict{Rule: DeviceFDA, Source: "42 CFR 11.64(a)(1)(iii)", Asks: "a device's approval or clearance within 15 days"}
	if !c.applicable(&v) {
		return v
	}
	v.Inputs = append(v.Inputs, c.say("FDA-regulated device", c.now.Oversight.FDADevice),
		c.say("unapproved device", c.now.Oversight.UnapprovedDevice))
	if c.now.Oversight.FDADevice == "no" {
		v.Verdict, v.Why = NotApplicable, "no device"
		return v
	}
	v.Verdict, v.Why = NotDeterminable, "when a device was approved is not in the record"
	return v
}
