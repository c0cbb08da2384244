package receipt_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/trialtest"
)

var (
	w1, w2, w3  = trialtest.W1, trialtest.W2, trialtest.W3
	logKey      = trialtest.LogKey
	policyText  = trialtest.PolicyText
	parsePolicy = trialtest.ParsePolicy
)

// A fixture is a genuine receipt and what it was made of.
type fixture struct {
	log      *trialtest.Log
	policy   *checkpoint.Policy
	tree     checkpoint.Tree
	index    uint64
	openings []byte
	three    []byte // the receipt, with all three cosignatures
	two      []byte // with the cosignatures of w1 and w2 only
	docs     []receipt.Document
	files    []string
}

var made *fixture

// genuine returns a receipt from a log of about 300 entries, for a private document and an open
// appendix, with the signer's printed name.
func genuine(t testing.TB) *fixture {
	t.Helper()
	if made != nil {
		return made
	}
	l := trialtest.NewLog(t)
	p, s := trialtest.Org("acme", "Acme", "ada")
	l.Admit("registrar", p, s)
	p, s = trialtest.Register("X-1")
	id := l.Admit("ada", p, s).ID
	f := &fixture{log: l, policy: parsePolicy(t, policyText()), files: []string{"the plan", "its appendix"}}
	for n := range 300 {
		if n != 117 {
			l.Admit("ada", &trial.Document{Common: trialtest.Common(), Trial: id, Version: fmt.Sprint(n)}, trialtest.Documents("document",
				fmt.Sprint(n)))
			continue
		}
		o := &trial.Openings{Name: "Ada Lovelace", NameSalt: trial.Salt{1}, Salts: map[string]trial.Salt{"document": {2}}}
		subjects := trialtest.Documents("document", f.files...)
		subjects[0].Digest = trial.Digest{Salted256: trial.Commit(trial.Salt{2}, sha256.Sum256([]byte(f.files[0])))}
		c := trialtest.Common()
		c.PrintedName = trial.CommitName(o.NameSalt, o.Name)
		l.Admit("ada", &trial.Document{Common: c, Trial: id, Version: "1.0"}, subjects)
		f.index = l.Size() - 1
		var err error
		if f.openings, err = o.Marshal(); err != nil {
			t.Fatal(err)
		}
	}
	l.Close()
	for i, text := range f.files {
		f.docs = append(f.docs, receipt.Document{Name: fmt.Sprintf("file-%d.pdf", i), Digest: sha256.Sum256([]byte(text))})
	}
	f.tree = l.Tree(l.Size())
	f.three = f.receipt(t, f.tree, w1, w2, w3)
	f.two = f.receipt(t, f.tree, w1, w2)
	made = f
	return f
}

// receipt returns the receipt under a checkpoint of tree with these cosignatures.
func (f *fixture) receipt(t testing.TB, tree checkpoint.Tree, cosigners ...trialtest.Cosigner) []byte {
	t.Helper()
	cp := f.checkpoint(t, tree, append([]trialtest.Cosigner{logKey}, cosigners...)...)
	return f.log.Receipt(f.index, f.log.Size(), cp, f.openings)
}

func (f *fixture) checkpoint(t testing.TB, tree checkpoint.Tree, signers ...trialtest.Cosigner) []byte {
	t.Helper()
	var list []note.Signer
	for _, s := range signers {
		list = append(list, s)
	}
	return trialtest.Checkpoint(t, tree, list...)
}

// partOf returns the part that a problem names, or "" for none.
func partOf(t testing.TB, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	p, ok := err.(*receipt.Problem)
	if !ok {
		t.Fatalf("%T is no Problem: %v", err, err)
	}
	if p.Detail == "" || !strings.HasPrefix(p.Error(), p.Part+": ") {
		t.Fatalf("a problem without words: %#v", p)
	}
	return p.Part
}

func sha(b []byte) trial.Hash { return sha256.Sum256(b) }
