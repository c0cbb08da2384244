package deadline

import (
	"slices"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/study"
)

func (c *caseOf) resultsFDA() Verdict {
	v := Verdict{Rule: ResultsFDA, Source: "42 CFR 11.44", Asks: "results no later than one year after the primary completion date"}
	if !c.owed(&v) {
		return v
	}
	v.Inputs = append(v.Inputs, c.input(study.PrimaryCompletion), c.input(study.ResultsSubmitted))
	if len(c.now.Review) > 0 {
		v.Inputs = append(v.Inputs, c.say("results in the register's review", study.ReviewWords(c.now.Review)))
	}
	v.Inputs = append(v.Inputs, c.input(study.CertificateSubmitted), c.say("unapproved device", c.now.Oversight.UnapprovedDevice))
	completion, ok := c.earliest(study.PrimaryCompletion)
	if !ok {
		v.Verdict, v.Why = NotDeterminable, "the record gives no primary completion date"
		return v
	}
	v.Notes = append(v.Notes, c.edits(study.PrimaryCompletion)...)
	at := span(completion.Date.Date)
	unapproved := c.now.Oversight.UnapprovedDevice == "yes" && c.now.Oversight.FDADrug == "no"
	switch {
	case at.Last.Before(ruleInForce) && unapproved:
		v.Verdict, v.Why = NotApplicable, "completed before 2017-01-18, of a product that was not approved"
		return v
	case c.now.Waived: // 11.54
		v.Inputs = append(v.Inputs, c.say("results", "waived"))
		v.Verdict, v.Why = Excused, "the register says that results are waived; the waiver itself is not in the record"
		return v
	case at.First.Before(ruleInForce) && !at.Last.Before(ruleInForce) && unapproved:
		v.Verdict, v.Why = NotDeterminable, "of a product that was not approved: nothing is owed if it was completed before 2017-01-18, "+
			"which depends on the day within the month"
		return v
	case at.Last.Before(ruleInForce):
		v.note("completed before 2017-01-18: nothing is owed for a product that was not approved by then, " +
			"and whether it was is not in the record")
	}
	v.Notes = append(v.Notes, c.edits(study.ResultsSubmitted)...)
	sent := c.results(&v)
	if sent.open != "" {
		v.Verdict, v.Why = NotDeterminable, sent.open
		v.Due = show(months(at.Last, 12))
		return v
	}
	c.delayed(&v, monthsAfter(at, 12), sent)
	if v.Verdict == Overdue {
		c.asFarAs(&v)
	}
	switch owed := v.Verdict == Overdue || v.Verdict == Late; {
	case owed && completion.Kind == study.Planned:
		v.Verdict, v.Why = NotDeterminable, "the primary completion date is planned and past: whether it happened is not in the record"
		return v
	case owed && completion.Kind == "" && c.now.Status != "completed" && c.now.Status != "terminated":
		v.Verdict, v.Why = NotDeterminable, "the record does not say whether the primary completion date is planned or actual, "+
			"nor that the trial has ended"
		return v
	case owed && at.First.Before(ruleInForce):
		v.Verdict, v.Why = NotDeterminable, "whether the product was approved by the completion is not in the record"
		return v
	}
	if end, ok := c.earliest(study.Completion); ok && v.Done != "" && span(end.Date.Date).Last.After(at.Last) {
		v.note("results of outcomes measured after the primary completion are owed a year after each was measured, by %s for the last, "+
			"42 CFR 11.44(d): whether those submitted are all is not in the record", show(months(span(end.Date.Date).Last, 12)))
	}
	return v
}

// A sending says when the results that count now were sent: between two days. The last day is
// zero if there are none. Open says why that cannot be known.
type sending struct {
	trial.Date
	open string
}

// results returns when the results that count were sent, by the latest day that any version
// gives. Results that were sent and withdrawn do not count. Results that a later version of the
// register no longer has may not count.
func (c *caseOf) results(v *Verdict) (sent sending) {
	at := show(c.day)
	var from *study.Version // the version that gives it
	var back time.Time      // the latest day by which any were withdrawn
	for i := range c.versions {
		x := &c.versions[i]
		shown, _ := x.Day()
		sub := x.Submission(shown, at)
		if sub.Canceled {
			back = later(back, span(sub.Until).Last)
			v.note("by %s of %s results were sent and taken back: %s", x.Name(), shown, study.ReviewWords(x.Review))
		}
		if last := span(sub.Last).Last; sub.Stands && !last.Before(sent.Last) { // First is zero if nothing bounds it
			from, sent = x, sending{Date: trial.Date{First: span(sub.First).First, Last: last}}
		}
	}
	shown, _ := c.now.Day()
	now := c.now.Submission(shown, at)
	switch {
	case now.Unclear != "":
		return sending{open: now.Unclear}
	case from == nil:
		return sending{}
	case now.Canceled:
		return sending{} // a note above says so
	case !now.Stands && c.now.TellsResults():
		day, _ := from.Day()
		v.note("the results that %s of %s says were sent by %s are gone from %s of %s",
			from.Name(), day, show(sent.Last), c.now.Name(), shown)
		return sending{open: "results that were sent are gone from the later version, and nothing says whether they were taken back"}
	}
	if !back.IsZero() && !sent.Last.After(back) { // sent again later, on a day that the record does not give
		v.note("results of %s were taken back by %s; those that stand were sent later, on a day that is not in the record",
			show(sent.Last), show(back))
		sent = sending{Date: trial.Date{First: back, Last: later(back, span(shown).Last)}}
	}
	switch {
	case sent.First.Equal(sent.Last):
		v.Done = show(sent.Last)
	case from.Date(study.ResultsSubmitted).Date != "" && sent.Last.Equal(span(from.Date(study.ResultsSubmitted).Date).Last):
		v.Done = from.Date(study.ResultsSubmitted).Date // a month
	case sent.First.IsZero():
		v.note("the results that stand were sent by %s; on which day is not in the record", show(sent.Last))
	default:
		v.note("the results that stand were sent between %s and %s; on which day is not in the record", show(sent.First), show(sent.Last))
	}
	return sent
}

// delayed judges by the deadline, and by each certificate that any version gives.
//
// 11.44(b) and (c): a certificate, submitted before results are due, delays them by no more
// than two years; (e): so does a request for an extension, to a day that it names. The register
// has one day for both and does not say which it is.
func (c *caseOf) delayed(v *Verdict, due trial.Date, sent sending) {
	done := v.Done
	v.decide(due, "", c.day)
	v.Done = done
	v.Verdict, v.Why = within(due, sent.Date, c.day)
	if v.Verdict == OK || v.Verdict == NotYetDue {
		return
	}
	plain, why := v.Verdict, v.Why
	var seen, verdicts []string
	for _, x := range study.History(c.versions, study.CertificateSubmitted) {
		of := span(x.Date.Date)
		if of.IsZero() || x.Kind == study.Planned || of.First.After(c.day) || slices.Contains(seen, x.Date.Date) {
			continue
		}
		seen = append(seen, x.Date.Date)
		if of.First.After(due.Last) {
			v.note("the certificate, or request for an extension, of %s came after results were due and delays nothing", x.Date.Date)
			verdicts = append(verdicts, plain)
			continue
		}
		inTime := of.Last // the last day on which it may have been submitted in time
		if inTime.After(due.Last) {
			inTime = due.Last
		}
		a, b := later(months(of.First, 24), due.First), later(months(inTime, 24), due.Last)
		v.note("a certificate of %s delays results, to 30 days after approval or the like, and to %s at the latest; "+
			"the register has the day of a request for an extension for good cause in the same place, "+
			"and not the day to which it was granted", x.Date.Date, show(b))
		v.Due = show(b)
		by := NotDeterminable
		switch {
		case plain == NotDeterminable:
		case plain == Overdue && c.day.After(b), plain == Late && sent.First.After(b):
			by = plain
		case of.Last.After(due.First):
			v.note("whether that was before results were due depends on the day within the month")
		case plain == Overdue && !c.day.After(a), plain == Late && !sent.Last.After(a):
			by = Excused
		}
		verdicts = append(verdicts, by)
	}
	if len(verdicts) == 0 {
		return
	}
	v.Verdict, v.Why = verdicts[0], why
	for _, x := range verdicts {
		if x != verdicts[0] {
			v.Verdict = NotDeterminable
		}
	}
	switch v.Verdict {
	case Excused:
		v.Why = "by a certificate of delay or a request for an extension; the event or day that would end it is not in the record"
	case NotDeterminable:
		v.Why = "whether a certificate of delay or a request for an extension came before results were due, " +
			"and how far it delays them, is not in the record"
	}
}
