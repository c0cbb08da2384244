package consent_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/consent"
	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// historyOf returns the history of a consent with the handle {1}, as it is after it was verified.
func historyOf(predicates ...trial.Predicate) *history.Verdict {
	v := &history.Verdict{Key: trial.RecordKey{Kind: "consent", ID: trial.Hash{1}.String()}, Checkpoint: &checkpoint.Checkpoint{},
		Record: &trial.ConsentRecord{ID: trial.Hash{1}, Org: "site-a", To: "lab", Agents: []string{"ngo", "site-a"}, Until: "2027"}}
	for i, p := range predicates {
		org := "site-a"
		if e, ok := p.(*trial.Erasure); ok && len(e.What) > 0 {
			org = "lab"
		}
		v.Entries = append(v.Entries, trial.Located{Index: uint64(10 + i), Entry: &trial.Entry{Time: trialtest.Start + trial.Time(i),
			Statement: &trial.Signed{Statement: &trial.Statement{Predicate: p}}, Signer: trial.Signer{Org: org}}})
	}
	return v
}

func released(action, reason string, recipient, request byte, packages ...byte) *trial.Access {
	a := &trial.Access{Action: action, Reason: reason, Recipient: trial.Hash{recipient}}
	if request != 0 {
		a.Request = trial.Hash{request}
	}
	for i, p := range packages {
		a.Consents = append(a.Consents, trial.Released{Consent: trial.Hash{byte(1 + i)}, Package: trial.Hash{p}})
	}
	return a
}

// TestAccount lists every access that a history has, and one that was repeated once. Nothing that
// an agent writes into a release makes another access look like a repeat.
func TestAccount(t *testing.T) {
	v := historyOf(&trial.Consent{Action: "grant"},
		released("release", "", 7, 0, 20, 21),        // of two consents: one is this one
		released("release", "", 7, 0, 20),            // the same again, after an interruption
		released("release", "", 7, 3, 20),            // for a request
		released("emergency", "overdose", 9, 0, 20),  // to another, and said to be the same package
		released("emergency", "treatment", 9, 0, 20), // for another reason
		&trial.Consent{Action: "end", Consent: trial.Hash{1}}, &trial.Erasure{Ground: "asked", What: []string{"file"}})
	a, err := consent.NewAccount(v)
	if err != nil {
		t.Fatal(err)
	}
	said := func() string {
		var list []string
		for _, x := range a.Accesses {
			list = append(list, fmt.Sprintf("%d %s to=%s %s", x.Index, x.Org, x.To, strings.Join(append(x.Use, x.Emergency), "")))
		}
		return strings.Join(list, "; ")
	}
	if got := said(); got != "11 site-a to=lab ; 13 site-a to=lab ; 14 site-a to= overdose; 15 site-a to= treatment" {
		t.Errorf("accesses: %s", got)
	}
	if a.Granted.Index != 10 || a.Ended == nil || a.Ended.Index != 16 || len(a.Erased) != 1 || a.Erased[0].Org != "lab" {
		t.Errorf("%+v", a)
	}
	lacks := a.Lacks()
	if got := fmt.Sprint(lacks); got != fmt.Sprint([]trial.RecordKey{{Kind: "request", ID: trial.Hash{3}.String()}, {Kind: "recipient",
		ID: trial.Hash{9}.String()}}) {
		t.Errorf("it lacks %s", got)
	}
	a.Add(&history.Verdict{Record: &trial.RecipientRecord{ID: trial.Hash{9}, Org: "clinic"}})
	a.Add(&history.Verdict{Record: &trial.RequestRecord{ID: trial.Hash{3}}, Entries: historyOf(&trial.Access{Action: "request",
		Use: []string{"DUO:0000006"}}).Entries})
	if got := said(); got != "11 site-a to=lab ; 13 site-a to=lab DUO:0000006; 14 site-a to=clinic overdose; 15 site-a to=clinic treatment" {
		t.Errorf("accesses: %s", got)
	}
	if left := a.Lacks(); len(left) != 0 {
		t.Errorf("it still lacks %v", left)
	}
	for name, v := range map[string]*history.Verdict{
		"of a trial": {Key: trial.RecordKey{Kind: "trial"}},
		"of nothing": {Key: trial.RecordKey{Kind: "consent", ID: "x"}, Checkpoint: &checkpoint.Checkpoint{}},
	} {
		if _, err := consent.NewAccount(v); err == nil {
			t.Errorf("an account %s", name)
		}
	}
}
