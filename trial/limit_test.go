package trial_test

import (
	"fmt"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestTrialLimits: a trial's record takes a thousand of a sort, and no more.
func TestTrialLimits(t *testing.T) {
	for name, statement := range map[string]func(id, last trial.Hash, i int) (trial.Predicate, []trial.Subject){
		"results": func(id, _ trial.Hash, i int) (trial.Predicate, []trial.Subject) {
			return &trial.Results{Common: trialtest.Common(), Analysis: "final", Trial: id, Version: fmt.Sprint(i)}, trialtest.Documents("results", "r")
		},
		"protocol versions": func(id, last trial.Hash, i int) (trial.Predicate, []trial.Subject) {
			return &trial.Protocol{Common: trialtest.Common(), Previous: last, Scope: "global", Trial: id, Version: fmt.Sprint(i)}, trialtest.Documents("protocol", "p")
		},
		"identifiers": func(id, _ trial.Hash, i int) (trial.Predicate, []trial.Subject) {
			return &trial.Identifier{Common: trialtest.Common(), Identifier: fmt.Sprintf("nct:NCT%08d", i), Trial: id}, trial.NamedSubject("trial", id)
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := trialtest.NewLog(t)
			p, s := trialtest.Org("acme", "Acme", "ada")
			l.Admit("registrar", p, s)
			p, s = trialtest.Register("X-1")
			id := l.Admit("ada", p, s).ID
			n := 1000
			if name == "identifiers" {
				n-- // the sponsor's number is one
			}
			var last trial.Hash
			for i := range n + 1 {
				p, s := statement(id, last, i)
				if i < n {
					last = l.Admit("ada", p, s).ID
					continue
				}
				if _, _, err := l.State.Admit(trialtest.Check(t, "ada", p, s), l.State.Time()+1); trial.RuleOf(err) != trial.RuleLimit {
					t.Fatalf("number %d: %v", i+1, err)
				}
			}
		})
	}
}
