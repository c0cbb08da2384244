package deadline

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial/study"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// A mutator alters records: it drops and moves dates, makes months or years of them, and adds
// states and steps of a review. The same seed makes the same records.
type mutator struct{ *rand.Rand }

func pick[T any](m mutator, list ...T) T { return list[m.IntN(len(list))] }

var events = []string{study.Start, study.PrimaryCompletion, study.Completion, study.FirstSubmitted, study.UpdateSubmitted, study.Verified,
	study.ResultsSubmitted, study.ResultsPosted, study.CertificateSubmitted}

// record makes a record of one to four versions of a trial.
func (m mutator) record() []study.Version {
	start := time.Date(pick(m, 2005, 2007, 2015, 2016, 2018, 2019), time.Month(1+m.IntN(12)), 1+m.IntN(28), 0, 0, 0, 0, time.UTC)
	after := func(days int) string { return start.AddDate(0, 0, days).Format(time.DateOnly) }
	s := study.Study{
		Format: study.CTGovV2, Type: "interventional", Phases: []string{"phase3"}, Status: "completed", Countries: []string{"United " +
			"States", "Germany"},
		Oversight: study.Oversight{FDADrug: "yes", FDADevice: "no"}, Enrolment: study.Enrolment{Count: 10},
		Eligibility: study.Eligibility{MinimumAge: pick(m, "18 years", "6 years", "")},
	}
	end := 200 + m.IntN(400)
	for event, days := range map[string]int{study.Start: 0, study.PrimaryCompletion: end, study.Completion: end + 60,
		study.FirstSubmitted: m.IntN(60) - 30, study.UpdateSubmitted: end + m.IntN(90), study.Verified: end} {
		s.Dates = append(s.Dates, study.Date{Event: event, Date: after(days), Kind: study.Actual})
	}
	slices.SortFunc(s.Dates, func(a, b study.Date) int { return strings.Compare(a.Event, b.Event) })
	if m.IntN(2) == 0 {
		s.Dates = append(s.Dates, study.Date{Event: study.ResultsSubmitted, Date: after(end + 330 + m.IntN(70)), Kind: study.Actual})
	}
	if m.IntN(3) == 0 {
		s.Dates = append(s.Dates, study.Date{Event: study.CertificateSubmitted, Date: after(end + 330 + m.IntN(70)), Kind: study.Actual})
	}
	return m.versions(s, after(end+100))
}

// versions makes a few versions of one study, each altered on its own.
func (m mutator) versions(s study.Study, day string) (list []study.Version) {
	for n := range 1 + m.IntN(4) {
		x := s
		x.Dates, x.Review = slices.Clone(s.Dates), slices.Clone(s.Review)
		for range m.IntN(4) {
			m.alter(&x)
		}
		at := span(day).First
		list = append(list, study.Version{Study: &x, Entry: uint64(n + 1), Kind: pick(m, "observation", "observation", "observation",
			"registration", "protocol"), Logged: "2026-01-01", Claimed: at.AddDate(0, 0, n*m.IntN(400)).Format(time.DateOnly)})
	}
	return study.NewVersions(list)
}

func (m mutator) alter(s *study.Study) {
	switch m.IntN(15) {
	case 0, 1, 2, 3: // a date is moved, by a little or by much
		if d := m.date(s); d != nil && len(d.Date) == 10 {
			day := span(d.Date).First
			d.Date = day.AddDate(0, 0, pick(m, -1, 1, m.IntN(60)-30, m.IntN(1200)-600)).Format(time.DateOnly)
		}
	case 4, 5: // a month or a year replaces it
		if d := m.date(s); d != nil {
			d.Date = d.Date[:min(len(d.Date), pick(m, 4, 7, 7, 7))]
		}
	case 6:
		if len(s.Dates) > 0 {
			n := m.IntN(len(s.Dates))
			s.Dates = slices.Delete(s.Dates, n, n+1)
		}
	case 7:
		if d := m.date(s); d != nil {
			d.Kind = pick(m, study.Actual, study.Planned, "")
		}
	case 8:
		s.Status = pick(m, "completed", "terminated", "withdrawn", "recruiting", "not-yet-recruiting", "active-not-recruiting", "unknown",
			"")
		s.Enrolment.Count = pick(m, 0, 0, 10)
	case 9:
		s.Type, s.Phases = pick(m, "interventional", "interventional", "observational", ""), pick(m, nil, []string{"phase1"},
			[]string{"early-phase1", "phase1"}, []string{"phase1", "phase2"}, []string{"not-applicable"})
		s.Purpose = pick(m, "treatment", "device-feasibility")
	case 10:
		s.Oversight = study.Oversight{FDARegulated: pick(m, "", "", "yes", "no"), FDADrug: pick(m, "", "yes", "no"), FDADevice: pick(m,
			"", "yes", "no"), UnapprovedDevice: pick(m, "", "yes"), PPSD: pick(m, "", "", "yes", "no")}
		if s.Oversight.FDADrug != "" || s.Oversight.FDADevice != "" {
			s.Oversight.FDARegulated = ""
		}
	case 11:
		s.Results, s.Announced, s.Waived, s.Format = m.IntN(2) == 0, m.IntN(4) == 0, m.IntN(4) == 0, pick(m, study.CTGovV2,
			study.CTGovXML, study.FHIRR5)
		s.Countries = pick(m, nil, []string{"Japan"}, []string{"Germany"})
	case 12: // steps of a review
		day := s.Date(study.PrimaryCompletion).Date
		if len(day) != 10 {
			day = "2019-06-01"
		}
		at := span(day).First
		at = at.AddDate(0, 0, 300)
		s.Review = nil
		s.Dates = slices.DeleteFunc(s.Dates, func(d study.Date) bool { return d.Event == study.ResultsSubmitted && m.IntN(2) == 0 })
		for range 1 + m.IntN(4) {
			at = at.AddDate(0, 0, m.IntN(120))
			date := at.Format(time.DateOnly)[:pick(m, 10, 10, 10, 10, 7)]
			s.Review = append(s.Review, study.ReviewEvent{Event: pick(m, study.ReviewSubmitted, study.ReviewSubmitted,
				study.ReviewReturned, study.ReviewCanceled), Date: pick(m, date, date, date, date, "")})
		}
	case 14: // it had begun, and not on the stated day
		s.Status = "recruiting"
		for i := range s.Dates {
			if day := span(s.Dates[i].Date).First; !day.IsZero() && s.Dates[i].Event == study.Start {
				s.Dates[i] = study.Date{Event: study.Start, Date: day.AddDate(0, 0, -m.IntN(90)).Format(time.DateOnly), Kind: pick(m,
					study.Planned, "")}
			}
		}
	case 13:
		event, day := pick(m, study.ResultsPosted, endInEU, study.CertificateSubmitted), s.Date(study.PrimaryCompletion).Date
		if first := span(day).First; !first.IsZero() && s.Date(event).Date == "" {
			s.Dates = append(s.Dates, study.Date{Event: event, Date: first.AddDate(0, 0, m.IntN(500)).Format(time.DateOnly),
				Kind: study.Actual})
		}
	}
}

func (m mutator) date(s *study.Study) *study.Date {
	event := pick(m, events...)
	for i := range s.Dates {
		if s.Dates[i].Event == event {
			return &s.Dates[i]
		}
	}
	return nil
}

// agree compares the rules with the checker, on a few days.
func agree(t *testing.T, m mutator, name string, versions []study.Version, seen map[string]int) {
	t.Helper()
	last, _ := versions[len(versions)-1].Day()
	day := span(last).First
	facts := asLogged(versions)
	for range 3 {
		at := day.AddDate(0, 0, pick(m, 0, m.IntN(100), m.IntN(400), m.IntN(2000))).Format(time.DateOnly)
		verdicts, err := judgeAll(versions, at)
		if err != nil {
			t.Fatal(name, err)
		}
		logged, err := judgeAll(facts, at)
		if err != nil {
			t.Fatal(name, err)
		}
		for i, v := range verdicts {
			if l := logged[i]; v.Rule != DataSetWHO && (l.Verdict != v.Verdict || l.Due != v.Due || l.Done != v.Done) {
				t.Errorf("%s at %s: %s is %s by the files, %s by their facts", name, at, v.Rule, v.Verdict, l.Verdict)
			}
		}
		want := newChecker(versions, at).verdicts()
		for _, v := range verdicts {
			if w, checked := want[v.Rule]; checked && v.Verdict != w {
				t.Errorf("%s at %s: %s is %s (%s), the checker says %s\n%s", name, at, v.Rule, v.Verdict, v.Why, w, printed(versions))
			} else if checked {
				seen[v.Rule+" "+w]++
			}
		}
		if t.Failed() {
			return
		}
	}
}

// asLogged returns the versions as the facts in a log's entries have them.
func asLogged(versions []study.Version) (list []study.Version) {
	for _, v := range versions {
		facts, _ := v.Study.Facts()
		v.Study = study.FromFacts(facts)
		list = append(list, v)
	}
	return list
}

func printed(versions []study.Version) string {
	var b strings.Builder
	for _, v := range versions {
		day, _ := v.Day()
		said, _ := json.Marshal([]any{v.Kind, v.Format, v.Type, v.Phases, v.Purpose, v.Status, v.Enrolment, v.Oversight, v.Countries,
			v.Results, v.Announced, v.Waived, v.Dates, v.Review})
		fmt.Fprintf(&b, "  %d %s %s\n", v.Entry, day, said)
	}
	return b.String()
}

// TestMutations compares the rules with an independent checker, over records that were altered
// at random.
func TestMutations(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	seen := map[string]int{}
	for seed := range uint64(1000) {
		m := mutator{rand.New(rand.NewPCG(9, seed))}
		if agree(t, m, fmt.Sprintf("seed %d", seed), m.record(), seen); t.Failed() {
			return
		}
	}
	for _, rule := range []string{RegistrationFDA, ResultsFDA, UpdateFDA, CompletionFDA, RegistrationICM, SummaryEU, SummaryEUChild} {
		for _, verdict := range []string{NotApplicable, NotDeterminable} {
			if seen[rule+" "+verdict] == 0 {
				t.Errorf("no record led to %s %s", rule, verdict)
			}
		}
	}
	for _, k := range []string{"FDA-REG ok", "FDA-REG late", "FDA-RES ok", "FDA-RES late", "FDA-RES overdue", "FDA-RES excused",
		"FDA-RES not yet due", "FDA-UPD ok", "FDA-UPD overdue", "FDA-PCD ok", "FDA-PCD late", "ICMJE-REG ok", "ICMJE-REG " +
			"late", "EU-SUM overdue", "EU-SUM6 overdue"} {
		if seen[k] == 0 {
			t.Errorf("no record led to %s", k)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(seen)) {
		t.Log(k, seen[k])
	}
}

// TestMutationsOfRealRecords does the same over records of the registry.
func TestMutationsOfRealRecords(t *testing.T) {
	trialtest.Long(t)
	var files []string
	for _, pattern := range []string{"ctgov-v2/studies/*.json", "ctgov-xml/*.xml", "ctgov-xml-versions/*/*.xml",
		"ctgov-v1-fullstudies/*.json"} {
		list, err := filepath.Glob(filepath.Join("../../../shared/data", pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, list...)
	}
	seen, records := map[string]int{}, 0
	for n := 0; records < 500 && n < 5000 && len(files) > 0; n++ {
		data, err := os.ReadFile(files[n%len(files)])
		if err != nil {
			t.Fatal(err)
		}
		s, err := study.Parse(data)
		if err != nil || s.Dated == "" || len(s.Dated) != 10 {
			continue
		}
		records++
		m := mutator{rand.New(rand.NewPCG(10, uint64(n)))}
		if agree(t, m, fmt.Sprintf("%s, %d", files[n%len(files)], n), m.versions(*s, s.Dated), seen); t.Failed() {
			return
		}
	}
	if records == 0 {
		trialtest.Skip(t, "no real records")
	}
	t.Logf("%d records of %d files: %v", records, len(files), seen)
}
