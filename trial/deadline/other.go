package deadline

import (
	"fmt"
	"slices"
	"time"

	"github.com/trialproof/trialproof/trial/study"
)

// Days of the ICMJE's statement of September 2004: trials that begin enrolment from July 2005
// on are registered before; those that had begun, by September.
var (
	icmje    = time.Date(2005, 7, 1, 0, 0, 0, 0, time.UTC)
	icmjeOld = time.Date(2005, 9, 13, 0, 0, 0, 0, time.UTC)
)

func (c *caseOf) registrationICMJE() Verdict {
	v := Verdict{Rule: RegistrationICM, Source: "ICMJE Recommendations, section III.L",
		Asks: "registration in a primary register at or before the time of first enrolment"}
	v.Inputs = append(v.Inputs, c.say("type", c.now.Type), c.input(study.Start), c.input(study.FirstSubmitted))
	switch c.now.Type {
	case "":
		v.Verdict, v.Why = NotDeterminable, "the record does not say whether the trial is interventional"
		return v
	case "interventional":
	default:
		v.Verdict, v.Why = NotApplicable, "the trial is not interventional"
		return v
	}
	if c.withdrawn(&v) {
		return v
	}
	c.registered(&v, func(start time.Time) time.Time {
		if start.Before(icmje) {
			return icmjeOld
		}
		return start
	})
	if v.Verdict == OK && v.Due == v.Done {
		v.note("registered on the day of the start: which of them came first cannot be told")
	}
	v.note("another primary register may have had the trial earlier: its record is not among these versions unless it is logged")
	return v
}

// summaryEU never computes from a completion date in the United States: the end of the trial in
// the states concerned is another day.
func (c *caseOf) summaryEU() Verdict {
	v := Verdict{Rule: SummaryEU, Inputs: []Input{c.say("type", c.now.Type)}, Source: "Regulation (EU) No 536/2014, Article 37(4)",
		Asks: "a summary of results within one year of the end of the trial in all Member States concerned"}
	c.european(&v, 12)
	return v
}

func (c *caseOf) summaryEUChild() Verdict {
	v := Verdict{Rule: SummaryEUChild, Source: "Regulation (EC) No 1901/2006, Article 46, and Commission Guideline 2009/C 28/01",
		Asks: "results of a paediatric trial within six months of its end"}
	ages := c.now.Eligibility
	v.Inputs = append(v.Inputs, c.say("type", c.now.Type), c.say("minimum age", ages.MinimumAge), c.say("maximum age", ages.MaximumAge))
	switch {
	case c.now.Type != "interventional" && c.now.Type != "":
		v.Verdict, v.Why = NotApplicable, "the trial is not interventional"
		return v
	case under18(ages.MinimumAge) || under18(ages.MaximumAge):
	case ages.MinimumAge == "":
		v.Verdict, v.Why = NotDeterminable, "the record gives no minimum age, and no maximum below 18 years"
		return v
	default:
		v.Verdict, v.Why = NotApplicable, "by its ages the trial is not paediatric"
		return v
	}
	c.european(&v, 6)
	return v
}

func (c *caseOf) european(v *Verdict, n int) {
	v.Inputs = append(v.Inputs, c.say("a site in the EU or EEA", c.now.EUSite()), c.end.input(), c.input(study.ResultsSubmitted))
	if c.now.Type != "interventional" && c.now.Type != "" {
		v.Verdict, v.Why = NotApplicable, "the trial is not interventional"
		return
	}
	if c.now.EUSite() == "no" && c.end.Date == "" && c.everEU() {
		v.Verdict, v.Why = NotDeterminable, "an earlier version named a site in the EU or EEA, and the last one names none"
		c.emptied(v, n)
		return
	}
	if c.now.EUSite() == "no" && c.end.Date == "" {
		v.Verdict, v.Why = NotApplicable, "the record names no site in the EU or EEA"
		c.emptied(v, n)
		return
	}
	if c.end.Date == "" {
		v.Verdict, v.Why = NotDeterminable, "the end of the trial in all Member States concerned is not in the record; "+
			"it is not the completion date of a register in the United States"
		c.emptied(v, n)
		return
	}
	submitted, _ := c.done(study.ResultsSubmitted)
	v.decide(monthsAfter(span(c.end.Date), n), submitted.Date.Date, c.day)
	if v.Verdict == OK || v.Verdict == Late {
		v.Verdict, v.Why = NotDeterminable, "results were submitted to a register; "+
			"when a summary was submitted to the EU database is not in the record"
	}
	c.emptied(v, n)
	v.note("a summary in the EU's own database is not among these versions unless it is logged")
}

// everEU reports whether any version of the register had a site in the EU or EEA.
func (c *caseOf) everEU() bool {
	return slices.ContainsFunc(c.versions, func(x study.Version) bool { return x.Kind == c.now.Kind && x.EUSite() == "yes" })
}

// under18 reports whether an age is given and below 18 years.
func under18(age string) bool {
	var n int
	var unit string
	if _, err := fmt.Sscanf(age, "%d %s", &n, &unit); err != nil {
		return false
	}
	switch unit {
	case "year", "years":
		return n < 18
	case "month", "months":
		return n < 18*12
	}
	return true // weeks, days, hours, minutes
}

// dataSet says which of the items of the WHO Trial Registration Data Set (version 1.3.1) the
// record has, of those that an entry may show. Contacts and places never enter a log.
func (c *caseOf) dataSet() Verdict {
	v := Verdict{Rule: DataSetWHO, Source: "WHO Trial Registration Data Set 1.3.1", Asks: "24 items, present or absent"}
	s := c.now.Study
	items := []struct {
		name string
		has  bool
		not  bool // never in an entry
	}{
		{"1 primary registry and identifying number", s.Number("nct") != "", false},
		{"2 date of registration", s.Date(study.FirstSubmitted).Date != "" || s.Date(study.FirstPosted).Date != "", false},
		{"3 secondary identifying numbers", len(s.Identifiers) > 1, false},
		{"4 sources of support", false, true},
		{"5 primary sponsor", s.Sponsor.Name != "", false},
		{"6 secondary sponsors", len(s.Collaborators) > 0, s.PartOnly},
		{"7 contact for public queries", false, true},
		{"8 contact for scientific queries", false, true},
		{"9 public title", s.Title != "", false},
		{"10 scientific title", s.OfficialTitle != "", false},
		{"11 countries of recruitment", len(s.Countries) > 0, s.PartOnly},
		{"12 health conditions", len(s.Conditions) > 0, false},
		{"13 interventions", len(s.Interventions) > 0 || len(s.Arms) > 0, false},
		{"14 inclusion and exclusion criteria", s.Eligibility.Criteria != "", s.PartOnly},
		{"15 study type", s.Type != "", false},
		{"16 date of first enrolment", s.Date(study.Start).Date != "", false},
		{"17 sample size", s.Enrolment.Count >= 0, false},
		{"18 recruitment status", s.Status != "", false},
		{"19 primary outcomes", len(s.OutcomesOf(study.Primary)) > 0, false},
		{"20 key secondary outcomes", len(s.OutcomesOf(study.Secondary)) > 0, false},
		{"21 ethics review", false, true},
		{"22 completion date", s.Date(study.Completion).Date != "", false},
		{"23 summary results", s.Results, false},
		{"24 plan to share participant data", false, true},
	}
	absent := 0
	v.Inputs = append(v.Inputs, c.say("record", s.Format))
	for _, i := range items {
		value := "absent"
		switch {
		case i.has:
			value = "present"
		case i.not:
			value = "not in logged facts"
		default:
			absent++
		}
		v.Inputs = append(v.Inputs, Input{Name: i.name, Value: value})
	}
	v.Verdict = NotDeterminable
	v.Why = fmt.Sprintf("%d of the items that a record can show here are absent; contacts, support, ethics and sharing are not read",
		absent)
	return v
}
