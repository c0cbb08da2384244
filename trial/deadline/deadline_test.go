package deadline

import (
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/study"
)

// version makes a version of an applicable trial from lines such as "start 2020-02-29 actual";
// other words set members.
func version(t *testing.T, entry uint64, day, text string) study.Version {
	t.Helper()
	s := &study.Study{
		Format: study.CTGovV2, Type: "interventional", Phases: []string{"phase3"}, Status: "completed",
		Oversight: study.Oversight{FDADrug: "yes", FDADevice: "no"}, Enrolment: study.Enrolment{Count: 10},
	}
	for _, line := range strings.Split(text, ";") {
		w := strings.Fields(line)
		if len(w) == 0 {
			continue
		}
		switch w[0] {
		case "type":
			s.Type = w[1]
		case "phase":
			s.Phases = w[1:]
		case "drug":
			s.Oversight.FDADrug = strings.TrimPrefix(w[1], "-")
		case "device":
			s.Oversight.FDADevice = w[1]
		case "unapproved":
			s.Oversight.UnapprovedDevice = "yes"
		case "status":
			s.Status = w[1]
		case "country":
			s.Countries = w[1:]
		case "age":
			s.Eligibility.MinimumAge = strings.Join(w[1:], " ")
		case "up-to":
			s.Eligibility.MaximumAge = strings.Join(w[1:], " ")
		case "results":
			s.Results = true
		case "enrolled":
			s.Enrolment.Count = 0
		case "waived":
			s.Waived = true
		default:
			d := study.Date{Event: w[0], Date: w[1]}
			if len(w) > 2 {
				d.Kind = w[2]
			}
			s.Dates = append(s.Dates, d)
		}
	}
	return study.Version{Study: s, Entry: entry, Kind: "observation", Logged: "2026-01-01", Claimed: day}
}

// endInEU is the event with which versions in tests carry the end of the trial in the EU.
const endInEU = "end-in-eu"

// judgeAll judges versions, with the end in the EU that the register's last version carries.
func judgeAll(versions []study.Version, day string) ([]Verdict, error) {
	var end End
	kind := ""
	for _, v := range until(versions, day) {
		if kind == "observation" && v.Kind != kind {
			continue
		}
		kind, end = v.Kind, End{Date: v.Date(endInEU).Date, Entry: 99, Logged: "2026-01-01", Org: "acme", Whose: study.ByHolder}
	}
	plain := slices.Clone(versions)
	for i, v := range plain {
		s := *v.Study
		s.Dates = slices.DeleteFunc(slices.Clone(s.Dates), func(d study.Date) bool { return d.Event == endInEU })
		plain[i].Study = &s
	}
	return judge(plain, end, day)
}

// TestVerdicts compares the rules with dates that were worked out by hand.
func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		name     string
		versions []string // "day; text"
		at       string
		rule     string
		verdict  string
		due      string
		note     string
	}{
		{"21 days after a leap day", []string{"2020-04-01|start 2020-02-29 actual; first-submitted 2020-03-21"}, "2026-01-01",
			RegistrationFDA, OK, "2020-03-21", ""},
		{"the 22nd day", []string{"2020-04-01|start 2020-02-29 actual; first-submitted 2020-03-22"}, "2026-01-01", RegistrationFDA, Late,
			"2020-03-21", "!IND or IDE"},
		{"a month is its days: in time by its first", []string{"2020-04-01|start 2020-02 actual; first-submitted 2020-02-22"},
			"2026-01-01", RegistrationFDA, OK, "2020-03-21", "between 2020-02-22 and 2020-03-21"},
		{"a month is its days: not known", []string{"2020-04-01|start 2020-02 actual; first-submitted 2020-03-10"}, "2026-01-01",
			RegistrationFDA, NotDeterminable, "2020-03-21", ""},
		{"a month is its days: late by its last", []string{"2020-04-01|start 2020-02 actual; first-submitted 2020-03-22"}, "2026-01-01",
			RegistrationFDA, Late, "2020-03-21", "!IND or IDE"},
		{"withdrawn", []string{"2020-04-01|status withdrawn; enrolled 0; start 2020-02-29 actual; first-submitted 2020-09-21"},
			"2026-01-01", RegistrationFDA, NotApplicable, "", ""},
		{"withdrawn with participants", []string{"2020-04-01|status withdrawn; start 2020-02-29 actual; first-submitted 2020-09-21"},
			"2026-01-01", RegistrationFDA, Late, "2020-03-21", "but the record does not say that nobody was enrolled"},
		{"withdrawn after a start", []string{"2020-04-01|status withdrawn; enrolled 0; start 2020-02-29 actual; first-submitted " +
			"2020-09-21"}, "2026-01-01", RegistrationFDA, NotApplicable, "", "entry 1 states an actual start, 2020-02-29"},
		{"first submission edited to an earlier day", []string{"2020-04-01|start 2020-02-29 actual; first-submitted 2020-03-22",
			"2020-05-01|start 2020-02-29 actual; first-submitted 2020-02-01"}, "2026-01-01", RegistrationFDA, Late, "2020-03-21", "the " +
			"date first-submitted was edited"},
		{"a planned registration is none", []string{"2020-04-01|start 2020-02-29 actual; first-submitted 2020-02-01 planned"},
			"2026-01-01", RegistrationICM, NotDeterminable, "", ""},
		{"no longer applicable by a later version", []string{"2020-04-01|start 2020-02-29 actual; first-submitted 2020-03-22",
			"2020-05-01|phase phase1; start 2020-02-29 actual; first-submitted " +
				"2020-03-22"}, "2026-01-01", RegistrationFDA, NotApplicable, "", "entry 1 of 2020-04-01 (claimed by the source) says " +
			"otherwise"},
		{"a start of unsaid kind is no actual one", []string{"2020-03-01|status not-yet-recruiting; start 2020-01; first-submitted " +
			"2020-02-10", "2020-06-01|start 2020-03-05 actual; first-submitted " +
			"2020-02-10"}, "2026-01-01", RegistrationICM, OK, "2020-03-05", "which does not say whether that was planned"},
		{"a start moved behind the registration", []string{"2020-03-01|status recruiting; start 2020-01 planned; first-submitted " +
			"2020-02-10", "2020-06-01|start 2020-03-05 actual; first-submitted 2020-02-10"},
			"2026-01-01", RegistrationICM, NotDeterminable, "2020-03-05", "the start was moved behind the registration: 2020-01 " +
				"planned by entry 1 of 2020-03-01"},
		{"a planned start that is past, of a trial still to begin",
			[]string{"2020-03-01|status not-yet-recruiting; start 2020-01 planned; first-submitted 2020-02-10",
				"2020-06-01|start 2020-03-05 actual; first-submitted 2020-02-10"},
			"2026-01-01", RegistrationICM, OK, "2020-03-05", "!moved"},
		{"a start of unsaid kind, and nothing says that it was",
			[]string{"2020-04-01|status unknown; start 2020-01; first-submitted " +
				"2020-02-10"}, "2026-01-01", RegistrationICM, NotDeterminable, "2020-01-31", ""},
		{"a year of two deadlines", []string{"2020-04-01|start 2005 actual; first-submitted 2005-08-15"}, "2026-01-01", RegistrationICM,
			NotDeterminable, "2005-12-31", ""},
		{"no phase", []string{"2020-04-01|phase; start 2020-02-29 actual; first-submitted 2020-09-21"}, "2026-01-01", RegistrationFDA,
			NotDeterminable, "", ""},
		{"old, an unapproved device and a drug", []string{"2018-01-01|unapproved; device yes; start 2015-01-01 actual; " +
			"primary-completion 2017-01-17 actual"}, "2026-01-01", ResultsFDA, NotDeterminable, "", ""},
		{"updates of a trial with nobody in it", []string{"2020-04-01|status withdrawn; enrolled 0; update-submitted 2020-03-30"},
			"2026-01-01", UpdateFDA, NotApplicable, "", ""},
		{"completion moved later", []string{"2020-03-01|primary-completion 2020-01-10 actual; update-submitted 2020-02-20",
			"2020-06-01|primary-completion 2020-04-20 actual; update-submitted 2020-05-01"},
			"2026-01-01", CompletionFDA, NotDeterminable, "2020-02-09", "the date primary-completion was edited"},
		{"a start of unsaid kind alone", []string{"2020-03-01|start 2020-01; first-submitted 2020-02-10"}, "2026-01-01", RegistrationICM,
			Late, "2020-01-31", ""},
		{"results that are planned", []string{"2021-06-01|start 2019-01-01 actual; primary-completion 2020-05-31 actual; " +
			"results-submitted 2021-05-01 planned"}, "2022-01-01", ResultsFDA, Overdue, "2021-05-31", ""},
		{"results of a day to come", []string{"2021-06-01|start 2019-01-01 actual; primary-completion 2020-05-31 actual; " +
			"results-submitted 2099-05-01"}, "2022-01-01", ResultsFDA, Overdue, "2021-05-31", ""},
		{"late results edited to an earlier day", []string{"2021-08-01|start 2019-01-01 actual; primary-completion 2020-05-31 actual; " +
			"results-submitted 2021-07-01", "2021-09-01|start 2019-01-01 actual; primary-completion 2020-05-31 actual; " +
			"results-submitted 2021-05-01"}, "2022-01-01", ResultsFDA, Late, "2021-05-31", "the date results-submitted was edited"},
		{"verified in a time to come", []string{"2020-04-01|update-submitted 2020-03-30; verified 2099-01"}, "2022-01-01", UpdateFDA,
			Overdue, "2021-03-30", ""},
		{"no site in the United States", []string{"2020-04-01|country Japan; start 2020-02-29 actual; first-submitted 2020-03-22"},
			"2026-01-01", RegistrationFDA, NotDeterminable, "2020-03-21", "asks for an IND or IDE"},
		{"ICMJE: withdrawn", []string{"2020-04-01|status withdrawn; enrolled 0; start 2020-02-29 actual; first-submitted 2020-09-21"},
			"2026-01-01", RegistrationICM, NotApplicable, "", ""},
		{"ICMJE: begun before July 2005, in time", []string{"2020-04-01|start 2005-06-30 actual; first-submitted 2005-09-13"},
			"2026-01-01", RegistrationICM, OK, "2005-09-13", ""},
		{"ICMJE: begun before July 2005, late", []string{"2020-04-01|start 1993-05 actual; first-submitted 2005-09-14"}, "2026-01-01",
			RegistrationICM, Late, "2005-09-13", ""},
		{"ICMJE: begun on the first day of it", []string{"2020-04-01|start 2005-07-01 actual; first-submitted 2005-07-02"}, "2026-01-01",
			RegistrationICM, Late, "2005-07-01", ""},
		{"overdue as far as is known", []string{"2020-04-01|start 2019-01-01 actual; primary-completion 2020-02-29 actual"}, "2026-01-01",
			ResultsFDA, Overdue, "2021-02-28", "the last is entry 1 of 2020-04-01 (claimed by the source)"},
		{"phase 1", []string{"2020-04-01|phase phase1; start 2020-02-29 actual; first-submitted 2020-09-21"}, "2026-01-01",
			RegistrationFDA, NotApplicable, "", ""},
		{"phase 1 and 2", []string{"2020-04-01|phase phase1 phase2; start 2020-02-29 actual; first-submitted 2020-09-21"}, "2026-01-01",
			RegistrationFDA, Late, "2020-03-21", ""},
		{"observational", []string{"2020-04-01|type observational; start 2020-02-29 actual; first-submitted 2020-09-21"}, "2026-01-01",
			RegistrationFDA, NotApplicable, "", ""},
		{"not regulated", []string{"2020-04-01|drug no; start 2020-02-29 actual; first-submitted 2020-09-21"}, "2026-01-01",
			RegistrationFDA, NotApplicable, "", ""},
		{"not stated whether regulated", []string{"2020-04-01|drug -; start 2020-02-29 actual; first-submitted 2020-09-21"}, "2026-01-01",
			RegistrationFDA, NotDeterminable, "", ""},
		{"no start", []string{"2020-04-01|first-submitted 2020-09-21"}, "2026-01-01", RegistrationFDA, NotDeterminable, "", ""},
		{"in the month of the statute", []string{"2008-04-01|start 2007-09 actual; first-submitted 2007-09-21"}, "2026-01-01",
			RegistrationFDA, NotDeterminable, "", ""},
		{"in the first weeks of the statute", []string{"2008-04-01|start 2007-10-01 actual; first-submitted 2007-12-26"}, "2026-01-01",
			RegistrationFDA, OK, "2007-12-26", ""},
		{"after the first weeks of the statute", []string{"2008-04-01|start 2007-10-01 actual; first-submitted 2007-12-27"}, "2026-01-01",
			RegistrationFDA, Late, "2007-12-26", ""},
		{"late by a planned start", []string{"2020-04-01|start 2020-02-29 planned; first-submitted 2020-03-22",
			"2020-05-01|start 2021-02-28 planned; first-submitted " +
				"2020-03-22"}, "2026-01-01", RegistrationFDA, NotDeterminable, "2020-03-21", ""},
		{"a certificate that a later version does not have",
			[]string{"2021-06-01|start 2019-01-01 actual; primary-completion 2020-05-31 actual; certificate-submitted 2021-05-31",
				"2021-07-01|start 2019-01-01 actual; primary-completion 2020-05-31 " +
					"actual"}, "2023-05-31", ResultsFDA, Excused, "2023-05-31", ""},
		{"before the statute", []string{"2008-04-01|start 2007-09-27 actual; first-submitted 2007-09-21"}, "2026-01-01", RegistrationFDA,
			NotDeterminable, "", ""},
		{"prospective by an edited start", []string{"2020-04-01|start 2020-02-01 actual; first-submitted 2020-03-15",
			"2020-06-01|start 2020-03-10 actual; first-submitted 2020-03-15"},
			"2026-01-01", RegistrationFDA, Late, "2020-02-22", "became prospective by an edited start date"},
		{"planned to actual is no edit", []string{"2020-01-01|start 2020-02-01 planned; first-submitted 2020-01-15",
			"2020-06-01|start 2020-03-10 actual; first-submitted 2020-01-15"},
			"2026-01-01", RegistrationFDA, OK, "2020-03-31", "!edited"},
		{"a month to a day in it is no edit", []string{"2020-04-01|start 2020-02 actual; first-submitted 2020-01-15",
			"2020-06-01|start 2020-02-10 actual; first-submitted 2020-01-15"},
			"2026-01-01", RegistrationFDA, OK, "", "!edited"},

		{"ICMJE: the day itself", []string{"2020-04-01|start 2020-02-29 actual; first-submitted 2020-02-29"}, "2026-01-01",
			RegistrationICM, OK, "2020-02-29", ""},
		{"ICMJE: a day after", []string{"2020-04-01|start 2020-02-29 actual; first-submitted 2020-03-01"}, "2026-01-01", RegistrationICM,
			Late, "2020-02-29", ""},
		{"ICMJE asks of trials that the FDA does not regulate",
			[]string{"2020-04-01|drug no; start 2020-02-29 actual; first-submitted " +
				"2020-03-01"}, "2026-01-01", RegistrationICM, Late, "2020-02-29", ""},

		{"a year from a leap day", []string{"2021-04-01|start 2019-01-01 actual; primary-completion 2020-02-29 actual; " +
			"results-submitted 2021-02-28"}, "2026-01-01", ResultsFDA, OK, "2021-02-28", ""},
		{"a year and a day", []string{"2021-04-01|start 2019-01-01 actual; primary-completion 2020-02-29 actual; results-submitted " +
			"2021-03-01"}, "2026-01-01", ResultsFDA, Late, "2021-02-28", ""},
		{"to a leap year", []string{"2021-04-01|start 2019-01-01 actual; primary-completion 2019-02-28 actual"}, "2020-02-28", ResultsFDA,
			NotDeterminable, "", "x"},
		{"none yet, on the last day", []string{"2020-06-01|start 2019-01-01 actual; primary-completion 2020-05-31 actual"}, "2021-05-31",
			ResultsFDA, NotYetDue, "2021-05-31", ""},
		{"none, a day later", []string{"2020-06-01|start 2019-01-01 actual; primary-completion 2020-05-31 actual"}, "2021-06-01",
			ResultsFDA, Overdue, "2021-05-31", ""},
		{"moved later, overdue stays", []string{"2020-06-01|start 2019-01-01 actual; primary-completion 2020-05-31 actual",
			"2021-01-01|start 2019-01-01 actual; primary-completion 2021-05-31 actual"},
			"2021-06-01", ResultsFDA, Overdue, "2021-05-31", "was edited"},
		{"month-only completion", []string{"2020-06-01|start 2019-01-01 actual; primary-completion 2020-05 actual"}, "2021-05-15",
			ResultsFDA, NotDeterminable, "2021-05-31", ""},
		{"waived", []string{"2021-06-01|waived; start 2019-01-01 actual; primary-completion 2020-05-31 actual"}, "2023-05-31", ResultsFDA,
			Excused, "", ""},
		{"no longer waived", []string{"2021-06-01|waived; start 2019-01-01 actual; primary-completion 2020-05-31 actual",
			"2022-06-01|start 2019-01-01 actual; primary-completion 2020-05-31 " +
				"actual"}, "2023-05-31", ResultsFDA, Overdue, "2021-05-31", ""},
		{"partial results", []string{"2021-06-01|start 2019-01-01 actual; primary-completion 2020-05-31 actual; completion 2022-02 " +
			"actual; results-submitted 2021-05-31"}, "2023-05-31", ResultsFDA, OK, "2021-05-31", "by 2023-02-28 for the last"},
		{"certificate in time", []string{"2021-06-01|start 2019-01-01 actual; primary-completion 2020-05-31 actual; " +
			"certificate-submitted 2021-05-31"}, "2023-05-31", ResultsFDA, Excused, "2023-05-31", ""},
		{"certificate run out", []string{"2021-06-01|start 2019-01-01 actual; primary-completion 2020-05-31 actual; " +
			"certificate-submitted 2021-05-31"}, "2023-06-01", ResultsFDA, Overdue, "2023-05-31", ""},
		{"certificate too late", []string{"2021-06-02|start 2019-01-01 actual; primary-completion 2020-05-31 actual; " +
			"certificate-submitted 2021-06-01"}, "2022-01-01", ResultsFDA, Overdue, "2021-05-31", "delays nothing"},
		{"old and unapproved", []string{"2018-01-01|unapproved; drug no; device yes; start 2015-01-01 actual; primary-completion " +
			"2017-01-17 actual"}, "2026-01-01", ResultsFDA, NotApplicable, "", ""},
		{"old, approval unknown", []string{"2018-01-01|start 2015-01-01 actual; primary-completion 2017-01-17 actual"}, "2026-01-01",
			ResultsFDA, NotDeterminable, "", ""},
		{"of the day of the rule", []string{"2018-01-01|start 2015-01-01 actual; primary-completion 2017-01-18 actual"}, "2026-01-01",
			ResultsFDA, Overdue, "2018-01-18", ""},
		{"planned completion is past", []string{"2018-01-01|start 2017-02-01 actual; primary-completion 2018-06-01 planned"},
			"2026-01-01", ResultsFDA, NotDeterminable, "", ""},
		{"withdrawn", []string{"2018-01-01|status withdrawn; enrolled 0; start 2017-02-01 actual; primary-completion 2018-06-01 actual"},
			"2026-01-01", ResultsFDA, NotApplicable, "", ""},

		{"updated a year ago", []string{"2020-06-01|start 2019-01-01 actual; update-submitted 2020-06-01"}, "2021-06-01", UpdateFDA, OK,
			"2021-06-01", ""},
		{"updated longer ago", []string{"2020-06-01|start 2019-01-01 actual; update-submitted 2020-06-01"}, "2021-06-02", UpdateFDA,
			Overdue, "2021-06-01", ""},
		{"completion told in time", []string{"2020-06-01|start 2019-01-01 actual; primary-completion 2020-05-02 actual; " +
			"update-submitted 2020-06-01"}, "2026-01-01", CompletionFDA, OK, "2020-06-01", ""},
		{"no device", []string{"2020-06-01|start 2019-01-01 actual"}, "2026-01-01", DeviceFDA, NotApplicable, "", ""},
		{"a device", []string{"2020-06-01|device yes; start 2019-01-01 actual"}, "2026-01-01", DeviceFDA, NotDeterminable, "", ""},

		{"EU: not from a US completion date", []string{"2020-06-01|country Germany; start 2019-01-01 actual; primary-completion " +
			"2020-01-01 actual; completion 2020-01-01 actual"}, "2026-01-01", SummaryEU, NotDeterminable, "", ""},
		{"a site in the United States that is no more", []string{"2020-03-01|country USA; start 2020-02-29 actual; first-submitted " +
			"2020-03-22", "2020-04-01|country Japan; start 2020-02-29 actual; first-submitted " +
			"2020-03-22"}, "2026-01-01", RegistrationFDA, Late, "2020-03-21", "!IND or IDE"},
		{"EU: no site", []string{"2020-06-01|country Japan; start 2019-01-01 actual"}, "2026-01-01", SummaryEU, NotApplicable, "", ""},
		{"EU: a year from its end", []string{"2020-06-01|country Germany; start 2019-01-01 actual; end-in-eu 2020-02-29 actual"},
			"2021-03-01", SummaryEU, Overdue, "2021-02-28", ""},
		{"EU: six months for children", []string{"2020-06-01|country Germany; age 6 years; start 2019-01-01 actual; end-in-eu " +
			"2020-08-31 actual"}, "2021-02-28", SummaryEUChild, NotYetDue, "2021-02-28", ""},
		{"EU: children by the highest age", []string{"2020-06-01|country Germany; up-to 17 years; end-in-eu 2020-08-31 actual"},
			"2021-02-28", SummaryEUChild, NotYetDue, "2021-02-28", ""},
		{"EU: children, observed", []string{"2020-06-01|type observational; country Germany; age 6 years"}, "2021-02-28", SummaryEUChild,
			NotApplicable, "", ""},
		{"EU: ages not stated", []string{"2020-06-01|country Germany; end-in-eu 2020-08-31 actual"}, "2021-02-28", SummaryEUChild,
			NotDeterminable, "", ""},
		{"EU: adults", []string{"2020-06-01|country Germany; age 18 years; start 2019-01-01 actual; end-in-eu 2020-08-31 actual"},
			"2021-02-28", SummaryEUChild, NotApplicable, "", ""},
	} {
		if c.note == "x" { // the version is of after the day, so there is nothing to judge
			if _, err := judgeAll(study.NewVersions([]study.Version{version(t, 1, "2021-04-01", "start 2019-01-01")}), c.at); err == nil {
				t.Errorf("%s: a version of a later day was judged", c.name)
			}
			continue
		}
		var versions []study.Version
		for i, text := range c.versions {
			day, rest, _ := strings.Cut(text, "|")
			versions = append(versions, version(t, uint64(i+1), day, rest))
		}
		verdicts, err := judgeAll(study.NewVersions(versions), c.at)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for _, v := range verdicts {
			if v.Rule != c.rule {
				continue
			}
			if v.Verdict != c.verdict || c.due != "" && v.Due != c.due {
				t.Errorf("%s: %s, due %s (%s), want %s, due %s", c.name, v.Verdict, v.Due, v.Why, c.verdict, c.due)
			}
			notes := strings.Join(v.Notes, "; ")
			if want, not := strings.CutPrefix(c.note, "!"); c.note != "" && strings.Contains(notes, want) == not {
				t.Errorf("%s: notes %q, asked for %q", c.name, notes, c.note)
			}
		}
	}
}

// TestProtocolIsNoRecord: a protocol that is logged later does not clear what the register's
// record shows.
func TestProtocolIsNoRecord(t *testing.T) {
	protocol := version(t, 2, "2021-01-01", "type -; drug -")
	protocol.Kind, protocol.Study.Type = "protocol", ""
	verdicts, err := judgeAll(study.NewVersions([]study.Version{version(t, 1, "2020-06-01",
		"start 2019-01-01 actual; primary-completion 2020-05-31 actual"), protocol}), "2022-01-01")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range verdicts {
		if v.Rule == ResultsFDA && v.Verdict != Overdue {
			t.Errorf("%+v", v)
		}
	}
}

// TestInputs: verdicts name the entry and the earlier values of an input.
func TestInputs(t *testing.T) {
	versions := study.NewVersions([]study.Version{
		version(t, 7, "2020-04-01", "start 2020-02-01 actual; first-submitted 2020-01-15"),
		version(t, 9, "2020-06-01", "start 2020-03-10 actual; first-submitted 2020-01-15"),
	})
	verdicts, err := judgeAll(versions, "2026-01-01")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range verdicts {
		for _, in := range v.Inputs {
			if v.Rule == RegistrationFDA && in.Name == study.Start {
				if in.Entry != 9 || in.Value != "2020-03-10 actual" || len(in.Before) != 1 || in.Before[0].Entry != 7 ||
					in.Before[0].Date.Date != "2020-02-01" {
					t.Errorf("the start is %+v", in)
				}
				return
			}
		}
	}
	t.Error("no verdict names the start")
}

// TestEmptiedEnd: an end in the EU that the holder stated and emptied makes a verdict that
// rests on its absence undeterminable; one that another organisation stated does not.
func TestEmptiedEnd(t *testing.T) {
	versions := study.NewVersions([]study.Version{version(t, 1, "2020-06-01", "country Germany; start 2019-01-01 actual")})
	of := func(end End) Verdict {
		list, err := judge(versions, end, "2021-06-01")
		if err != nil {
			t.Fatal(err)
		}
		return list[slices.IndexFunc(list, func(v Verdict) bool { return v.Rule == SummaryEU })]
	}
	emptied := Emptied{Date: "2020-01-01", Entry: 7, Void: 9, Org: "acme"}
	for _, holder := range []bool{true, false} {
		emptied.Holder = holder
		later := End{Date: "2020-12-01", Entry: 10, Logged: "2021-01-01", Org: "acme", Whose: study.ByHolder, Emptied: []Emptied{emptied}}
		v, want := of(later), NotYetDue
		if holder {
			want = NotDeterminable
		}
		if v.Verdict != want || !slices.ContainsFunc(v.Notes, func(n string) bool { return strings.Contains(n, "entry 7 of acme") }) {
			t.Errorf("emptied by the holder: %v: %s (%s), want %s; %q", holder, v.Verdict, v.Why, want, v.Notes)
		}
	}
	if v := of(End{Date: "2020-12-01", Entry: 10, Logged: "2021-01-01", Org: "acme", Whose: study.ByHolder}); v.Verdict != NotYetDue {
		t.Errorf("nothing emptied: %s", v.Verdict)
	} else if in := v.Inputs[slices.IndexFunc(v.Inputs, func(in Input) bool { return in.Name == "end-in-eu" })]; in.Entry != 10 ||
		in.Day != "2021-01-01" || in.By != study.ByLog || in.Org != "acme" {
		t.Errorf("the input names %+v, not the milestone", in)
	}
}
