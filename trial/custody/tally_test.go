package custody_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/custody"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestAccounts tells what became of packs, and counts them.
func TestAccounts(t *testing.T) {
	l := trialtest.NewLog(t)
	p, subjects := trialtest.Org("acme", "Acme", "ada")
	l.Admit("registrar", p, subjects)
	p, subjects = trialtest.Org("site", "Site", "sara")
	l.Admit("registrar", p, subjects)
	p, subjects = trialtest.Register("X-1", "acme")
	id := l.Admit("ada", p, subjects).ID
	commitment := func(name string) trial.Hash { return trial.UnitCommitment(trial.UnitHandle(name, [16]byte{1})) }
	unit := func(name string, n uint64) trial.Unit {
		return trial.Unit{N: n, Unit: trial.UnitID(id, commitment(name))}
	}
	say := func(who string, p *trial.Custody, units ...trial.Unit) trial.Hash {
		p.Common, p.Trial, p.Units = trialtest.Common(), id, units
		slices.SortFunc(p.Units, func(a, b trial.Unit) int { return bytes.Compare(a.Unit[:], b.Unit[:]) })
		about := trial.NamedSubject("trial", id)
		if p.Action == "dispense" {
			about = []trial.Subject{{Name: "subject-1", Digest: trial.Digest{Salted256: trial.Hash{5}}}}
		}
		return l.Admit(who, p, about).ID
	}
	packs := []trial.Hash{commitment("p1"), commitment("p2")}
	slices.SortFunc(packs, func(a, b trial.Hash) int { return bytes.Compare(a[:], b[:]) })
	box := trial.Unit{Unit: commitment("c"), Packs: 2, Contents: trial.CaseContents(packs)}
	say("ada", &trial.Custody{Action: "issue"}, trial.Unit{Unit: commitment("u1")}, trial.Unit{Unit: commitment("u2")},
		trial.Unit{Unit: commitment("u3")}, box)
	ship := say("ada", &trial.Custody{Action: "ship", To: "site"}, unit("u1", 1), unit("u2", 1), unit("c", 1))
	say("sara", &trial.Custody{Action: "receive", Ship: ship, Condition: "ok"}, unit("u1", 2))
	say("sara", &trial.Custody{Action: "receive", Ship: ship, Condition: "excursion"}, unit("c", 2))
	l.Close()
	tally := custody.NewTally(accounts(t, l, id, commitment, "u1", "u2", "u3", "c"))
	want := "packs: 4 in stock, 1 under way"
	if got := tally.Lines(l.State.Time() + 3*86_400_000); got[0] != want || tally.Packs != 5 || tally.OnHold != 2 || tally.NotGood != 2 ||
		len(tally.Waiting) != 1 || !strings.Contains(got[len(got)-1], "1 pack from acme to site") || !strings.HasSuffix(got[len(got)-1], "3 days ago") {
		t.Errorf("%q\n%+v", got, tally)
	}
	say("sara", &trial.Custody{Action: "open", Packs: packs}, unit("c", 3))
	say("sara", &trial.Custody{Action: "dispense"}, unit("u1", 3))
	say("ada", &trial.Custody{Action: "recall"}, unit("p1", 1))
	l.Close()
	list := accounts(t, l, id, commitment, "u1", "u2", "u3", "c", "p1", "p2")
	tally = custody.NewTally(list)
	if got := tally.Lines(l.State.Time())[0]; got != "packs: 3 in stock, 1 under way, 1 given out" || tally.Packs != 5 || tally.Recalled != 1 {
		t.Errorf("%q\n%+v", got, tally)
	}
	for i, want := range []string{"given out by site on", "under way from acme to site", "with acme since", "a case that site opened",
		"with site since", "with site since"} {
		if got := list[i].Where(); !strings.HasPrefix(got, want) {
			t.Errorf("unit %d: %q, want %q", i, got, want)
		}
	}
	if may, why := list[4].MayGiveOut(); may || !strings.Contains(why, "recalled") {
		t.Errorf("a recalled pack: %v %s", may, why)
	}
	if may, _ := list[2].MayGiveOut(); !may {
		t.Error("a pack in stock may not be given out")
	}
	if list[5].Case() != unit("c", 0).Unit || !list[0].Case().IsZero() {
		t.Error("the case that a pack came in is not found")
	}
}

// accounts returns the accounts of units, whose histories verify.
func accounts(t *testing.T, l *trialtest.Log, of trial.Hash, commitment func(string) trial.Hash, names ...string) (list []*custody.Account) {
	t.Helper()
	policy := trialtest.ParsePolicy(t, "log "+trialtest.LogKey.VKey()+"\nquorum none\n")
	for _, name := range names {
		v, err := l.History(trial.RecordKey{Kind: "unit", ID: trial.UnitID(of, commitment(name)).String()}).Verify(policy)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		a, err := custody.NewAccount(v)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		list = append(list, a)
	}
	return list
}
