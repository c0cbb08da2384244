package trial_test

import (
	"fmt"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestTrialLimits: a trial's record takes a thousand statements of one sort, and no more.
func TestTrialLimits(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	for name, statement := range map[string]func(id, last trial.Hash, i int) (trial.Predicate, []trial.Subject){
		"results": func(id, _ trial.Hash, i int) (trial.Predicate, []trial.Subject) {
			return &trial.Results{Common: trialtest.Common(), Analysis: "final", Trial: id, Version: fmt.Sprint(i)},
				trialtest.Documents("results", "r")
		},
		"protocol versions": func(id, last trial.Hash, i int) (trial.Predicate, []trial.Subject) {
			return &trial.Protocol{Common: trialtest.Common(), Previous: last, Scope: "global", Trial: id, Version: fmt.Sprint(i)},
				trialtest.Documents("protocol", "p")
		},
		"identifiers": func(id, _ trial.Hash, i int) (trial.Predicate, []trial.Subject) {
			return &trial.Identifier{Common: trialtest.Common(), Identifier: fmt.Sprintf("nct:NCT%08d", i+1), Trial: id},
				trial.NamedSubject("trial", id)
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
				n-- // the sponsor's number counts as one
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

// TestVoidsLeaveRoom: the voids and protocol versions of a delegate are counted separately. It
// cannot use up the room that the holder needs.
func TestVoidsLeaveRoom(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	l := trialtest.NewLog(t)
	for org, key := range map[string]string{"acme": "ada", "beta": "ben"} {
		p, s := trialtest.Org(org, org, key)
		l.Admit("registrar", p, s)
	}
	p, s := trialtest.Register("X-1")
	id := l.Admit("ada", p, s).ID
	named := trial.NamedSubject("trial", id)
	l.Admit("ada", &trial.Delegation{Common: trialtest.Common(), Kinds: []string{"document", "protocol"}, To: "beta", Trial: id}, named)
	refused := func(who string, p trial.Predicate, subjects []trial.Subject) {
		t.Helper()
		if _, _, err := l.State.Admit(trialtest.Check(t, who, p, subjects), l.State.Time()+1); trial.RuleOf(err) != trial.RuleLimit {
			t.Fatalf("one %s of %s more: %v", p.Kind(), who, err)
		}
	}
	document := func(who string, i int) trial.Hash {
		p := &trial.Document{Common: trialtest.Common(), Trial: id, Version: fmt.Sprint(who, i)}
		return l.Admit(who, p, trialtest.Documents("document", "d")).ID
	}
	void := func(of trial.Hash) trial.Predicate {
		return &trial.Correction{Common: trialtest.Common(), Of: "document", Statement: of, Trial: id, Void: "duplicate"}
	}
	for i := range 900 {
		l.Admit("ben", void(document("ben", i)), named)
	}
	refused("ben", void(document("ben", 900)), named)
	var last trial.Hash
	version := func(i int) (trial.Predicate, []trial.Subject) {
		return &trial.Protocol{Common: trialtest.Common(), Previous: last, Scope: "global", Trial: id, Version: fmt.Sprint(i)},
			trialtest.Documents("protocol", "p")
	}
	for i := range 1000 {
		p, s := version(i)
		last = l.Admit("ben", p, s).ID
	}
	p, s = version(1000)
	refused("ben", p, s)
	l.Admit("ada", p, s)
	for i := range 899 { // the delegation is an act too
		l.Admit("ada", void(document("ada", i)), named)
	}
	refused("ada", void(document("ada", 899)), named)
	l.Admit("ada", &trial.Delegation{Common: trialtest.Common(), Kinds: []string{"sap"}, To: "beta", Trial: id}, named)
}

// TestSquatters: however many organisations claim a number, the sponsor's claim is accepted and
// can be ruled on. Each claim touches a bounded number of trials.
func TestSquatters(t *testing.T) {
	l := trialtest.NewLog(t)
	claim := func(n int) trial.Hash {
		key := fmt.Sprintf("squatter-%d", n)
		p, s := trialtest.Org(key, key, key)
		l.Admit("registrar", p, s)
		p, s = trialtest.Register("X-1", key)
		id := l.Admit(key, p, s).ID
		l.Admit(key, &trial.Identifier{Common: trialtest.Common(), Identifier: "nct:NCT01234567", Trial: id}, trial.NamedSubject("trial",
			id))
		return id
	}
	first := claim(0)
	for n := 1; n < 40; n++ {
		claim(n)
	}
	sponsor := claim(40)
	touched := l.State.Edits()
	l.Admit("registrar", &trial.Ruling{Common: trialtest.Common(), Ground: "registry-confirmed", Identifier: "nct:NCT01234567",
		Trial: sponsor}, trial.NamedSubject("trial", sponsor))
	if n := l.State.Edits() - touched; n > 25 {
		t.Errorf("a ruling touches %d records", n)
	}
	count := func(id trial.Hash) uint64 {
		return l.State.Record(trial.RecordKey{Kind: "trial", ID: id.String()}).EntryTree().Count
	}
	if got := count(first); got != 2+40+1 { // its own two entries, the others' claims, and the ruling
		t.Errorf("the first claimant reads of %d entries", got)
	}
	if got := count(sponsor); got != 2+1 {
		t.Errorf("the sponsor reads of %d entries", got)
	}
	if rec := l.State.Record(trial.RecordKey{Kind: "identifier", ID: "nct:NCT01234567"}).(*trial.IdentifierRecord); rec.Trial() != sponsor {
		t.Errorf("the number leads to %s", rec.Trial())
	}
}

// TestObservationsAreCounted: an organisation can log a thousand observations of a number, and
// that keeps nobody else from logging theirs.
func TestObservationsAreCounted(t *testing.T) {
	l := trialtest.NewLog(t)
	for org, key := range map[string]string{"acme": "ada", "beta": "ben"} {
		p, s := trialtest.Org(org, org, key)
		l.Admit("registrar", p, s)
	}
	seen := func(i int) (trial.Predicate, []trial.Subject) {
		return &trial.Observation{Common: trialtest.Common(), Identifier: "nct:NCT01234567", SeenAt: "2026-03-01", Source: "registry"},
			trialtest.Documents("observation", fmt.Sprint(i))
	}
	for i := range 1000 {
		p, s := seen(i)
		l.Admit("ben", p, s)
	}
	p, s := seen(1000)
	if _, _, err := l.State.Admit(trialtest.Check(t, "ben", p, s), l.State.Time()+1); trial.RuleOf(err) != trial.RuleLimit {
		t.Fatalf("one observation more: %v", err)
	}
	l.Admit("ada", p, s)
}
