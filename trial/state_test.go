package trial_test

import (
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

func TestSmoke(t *testing.T) {
	s := trialtest.NewState(t)
	admit := func(who string, p trial.Predicate, subj []trial.Subject) trial.Hash {
		t.Helper()
		st := trialtest.Check(t, who, p, subj)
		raw, _, err := s.Admit(st, s.Time()+1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := trial.ParseEntry(raw); err != nil {
			t.Fatal(err)
		}
		return st.ID
	}
	p, subj := trialtest.Org("acme", "Acme & Söhne", "ada")
	admit("registrar", p, subj)
	p, subj = trialtest.Enrol("acme", "p256-bob", "signer")
	admit("ada", p, subj)
	p, subj = trialtest.Register("X-1")
	id := admit("p256-bob", p, subj)
	admit("p256-bob", &trial.Protocol{Common: trialtest.Common(), Scope: "global", Trial: id, Version: "1.0"}, trialtest.Documents("protocol", "a", "b"))
}
