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
			return &trial.Identifier{Common: trialtest.Common(), Identifier: fmt.Sprintf("nct:NCT%08d", i+1), Trial: id}, trial.NamedSubject("trial", id)
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

// TestVoidsLeaveRoom: who may void documents cannot keep the holder from taking that
// back.
func TestVoidsLeaveRoom(t *testing.T) {
	l := trialtest.NewLog(t)
	for org, key := range map[string]string{"acme": "ada", "beta": "ben"} {
		p, s := trialtest.Org(org, org, key)
		l.Admit("registrar", p, s)
	}
	p, s := trialtest.Register("X-1")
	id := l.Admit("ada", p, s).ID
	named := trial.NamedSubject("trial", id)
	given := l.Admit("ada", &trial.Delegation{Common: trialtest.Common(), Kinds: []string{"document"}, To: "beta", Trial: id}, named).ID
	void := func(i int) trial.Predicate {
		return &trial.Correction{Common: trialtest.Common(), Of: "document", Statement: trial.Hash{1, byte(i), byte(i >> 8)}, Trial: id, Void: "duplicate"}
	}
	for i := range 899 { // the delegation is an act too
		l.Admit("ben", void(i), named)
	}
	if _, _, err := l.State.Admit(trialtest.Check(t, "ben", void(899), named), l.State.Time()+1); trial.RuleOf(err) != trial.RuleLimit {
		t.Fatalf("one void more: %v", err)
	}
	l.Admit("ada", &trial.Delegation{Common: trialtest.Common(), Trial: id, Withdraw: given}, named)
}
