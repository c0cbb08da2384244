package trial

import (
	"regexp"
	"strings"
	"testing"
)

// TestMeasure: facts have no more bytes than is said without writing them.
func TestMeasure(t *testing.T) {
	long := strings.Repeat(`"\<é`, 50)
	for _, text := range []string{"", long, "x"} {
		for _, word := range []string{"", "actual"} {
			for _, n := range []int{0, 1, 300} {
				f := &Facts{Format: "x", Title: text, OfficialTitle: text, Acronym: text, Results: true, ResultsElsewhere: true, ResultsWaived: true,
					Enrolment: &FactEnrolment{Count: 1 << 52, Kind: word}, Sponsor: &FactOrganisation{Name: text, Class: word}}
				for range n {
					f.Arms = append(f.Arms, FactArm{text, word})
					f.Interventions = append(f.Interventions, FactArm{text, word})
					f.Amendments = append(f.Amendments, FactAmendment{text, []string{"a", "b"}})
					f.Dates = append(f.Dates, FactDate{"2026-01-02", "x", word})
					f.Documents = append(f.Documents, FactDocument{"", []string{"sap"}}, FactDocument{})
					f.Outcomes = append(f.Outcomes, FactOutcome{"secondary", text, text})
					f.Reported = append(f.Reported, FactOutcome{"primary", "", ""})
					f.ResultsReview = append(f.ResultsReview, FactReview{"", "x"})
					f.Identifiers = append(f.Identifiers, FactIdentifier{word, "x"})
					f.Phases, f.Masked, f.Conditions = append(f.Phases, "a"), append(f.Masked, "a"), append(f.Conditions, "a")
				}
				most, err := f.measure()
				if err != nil {
					t.Fatal(err)
				}
				data, err := encode(f)
				if err != nil || len(data) > most {
					t.Errorf("%d bytes, and %d are said to be the most: %v", len(data), most, err)
				}
				if n == 0 && most > MaxFacts {
					t.Errorf("facts of %d bytes are measured as %d", len(data), most)
				}
			}
		}
	}
	form := regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,79}$`)
	for _, s := range []string{"", "a", "A", "-a", ".a", "a-", "a.b-c9", "a b", "é", "a\n", strings.Repeat("a", 80), strings.Repeat("a", 81)} {
		if isFactWord(s) != form.MatchString(s) {
			t.Errorf("%q", s)
		}
	}
}
