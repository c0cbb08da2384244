package trial_test

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestFacts checks the form of facts, one defect at a time.
func TestFacts(t *testing.T) {
	good := func() *trial.Facts {
		return &trial.Facts{
			Format: "ctgov-v2", Title: "A Study", Phases: []string{"phase2"}, DMC: "yes", Dated: "2026-01-02",
			Dates:     []trial.FactDate{{Date: "2026-01", Event: "start", Kind: "planned"}},
			Outcomes:  []trial.FactOutcome{{Level: "primary", Measure: "Overall survival", TimeFrame: "2 years"}},
			Enrolment: &trial.FactEnrolment{Count: 10, Kind: "actual"}, Sponsor: &trial.FactOrganisation{Name: "Example Pharma",
				Class: "industry"},
			Identifiers: []trial.FactIdentifier{{Type: "nct", Value: "NCT01234567"}}, Documents: []trial.FactDocument{{Date: "2026-01-02",
				Kinds: []string{"sap"}}},
			Arms: []trial.FactArm{{Label: "A", Type: "experimental"}}, Conditions: []string{"Asthma"},
		}
	}
	marshal := func(f *trial.Facts) ([]byte, error) {
		o := &trial.Observation{Common: trialtest.Common(), Identifier: "nct:NCT01234567", SeenAt: "2026-03-01", Source: "registry"}
		o.Facts = f
		return (&trial.Statement{Predicate: o, Subjects: trialtest.Documents("observation", "x")}).Marshal()
	}
	payload, err := marshal(good())
	if err != nil {
		t.Fatal(err)
	}
	s, err := trial.ParseStatement(payload)
	if err != nil {
		t.Fatal(err)
	}
	if got := trial.ContentOf(s).Facts; got.Outcomes[0].Measure != "Overall survival" || got.Enrolment.Count != 10 {
		t.Errorf("facts are read as %+v", got)
	}
	for name, spoil := range map[string]func(*trial.Facts){
		"no format":            func(f *trial.Facts) { f.Format = "" },
		"a word in capitals":   func(f *trial.Facts) { f.Status = "Completed" },
		"an address":           func(f *trial.Facts) { f.Title = "write to ada@example.org" },
		"201 characters":       func(f *trial.Facts) { f.Title = strings.Repeat("é", 201) },
		"maybe":                func(f *trial.Facts) { f.DMC = "maybe" },
		"no such day":          func(f *trial.Facts) { f.Dates[0].Date = "2026-02-30" },
		"an event of no name":  func(f *trial.Facts) { f.Dates[0].Event = "" },
		"another kind of date": func(f *trial.Facts) { f.Dates[0].Kind = "estimated" },
		"another level":        func(f *trial.Facts) { f.Outcomes[0].Level = "tertiary" },
		"a hidden character":   func(f *trial.Facts) { f.Outcomes[0].Measure = "Overall\u202esurvival" },
		"an empty number":      func(f *trial.Facts) { f.Identifiers[0].Value = "" },
		"an empty phase":       func(f *trial.Facts) { f.Phases = []string{""} },
		"an empty condition":   func(f *trial.Facts) { f.Conditions = []string{""} },
		"a class of two words": func(f *trial.Facts) { f.Sponsor.Class = "other gov" },
		"too many": func(f *trial.Facts) {
			for range 200 {
				f.Outcomes = append(f.Outcomes, trial.FactOutcome{Level: "other", Measure: strings.Repeat("x", 200)})
			}
		},
	} {
		f := good()
		spoil(f)
		if _, err := marshal(f); trial.RuleOf(err) != trial.RuleMalformed {
			t.Errorf("%s: %v, want R1", name, err)
		}
	}
	// Facts that are too large are committed to.
	many := good()
	for range 200 {
		many.Outcomes = append(many.Outcomes, trial.FactOutcome{Level: "other", Measure: strings.Repeat("x", 200)})
	}
	o := &trial.Observation{Common: trialtest.Common(), Identifier: "nct:NCT01234567", SeenAt: "2026-03-01", Source: "registry"}
	apart, err := o.SetFacts(many)
	if err != nil || o.Facts != nil || sha256.Sum256(apart) != o.FactsDigest {
		t.Fatalf("facts of %d bytes: %v, %s", len(apart), err, o.FactsDigest)
	}
	if _, err := (&trial.Statement{Predicate: o, Subjects: trialtest.Documents("observation", "x")}).Marshal(); err != nil {
		t.Errorf("a statement that commits to facts: %v", err)
	}
	if f, err := trial.ParseFacts(apart); err != nil || len(f.Outcomes) != 201 {
		t.Errorf("facts that were kept apart: %v", err)
	}
	for name, bad := range map[string][]byte{
		"another spelling": append([]byte(" "), apart...), "cut": apart[:len(apart)-1], "a level": bytes.Replace(apart, []byte("other"),
			[]byte("tenth"), 1),
	} {
		if _, err := trial.ParseFacts(bad); err == nil {
			t.Errorf("%s: taken for facts", name)
		}
	}
	o.Facts = good()
	if _, err := (&trial.Statement{Predicate: o, Subjects: trialtest.Documents("observation",
		"x")}).Marshal(); trial.RuleOf(err) != trial.RuleMalformed {
		t.Errorf("facts both shown and committed to: %v", err)
	}
	if apart, err := o.SetFacts(good()); err != nil || apart != nil || o.Facts == nil {
		t.Errorf("facts that fit: %v, %d bytes apart", err, len(apart))
	}
	// A member that is not on the list.
	bad := strings.Replace(string(payload), `"format":`, `"contact":"Ada","format":`, 1)
	if _, err := trial.ParseStatement([]byte(bad)); trial.RuleOf(err) != trial.RuleMalformed {
		t.Errorf("a member that is not on the list: %v", err)
	}
}
