package history_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// announce logs a policy file, with the digest of the previous one.
func announce(l *trialtest.Log, text string, previous trial.Hash) trial.Hash {
	digest := trial.Hash(sha256.Sum256([]byte(text)))
	l.Admit("registrar", &trial.Policy{Common: trialtest.Common(), Policy: base64.StdEncoding.EncodeToString([]byte(text)),
		Previous: previous}, trial.NamedSubject("policy", digest))
	return digest
}

// TestPastPolicies: a policy that a registrar once announced verifies only receipts of its own
// period, signed by the log's own keys. It never verifies a statement that is dated before the
// log was made.
func TestPastPolicies(t *testing.T) {
	at := func(offset time.Duration) uint64 {
		return uint64(trialtest.Start.Std().Add(offset).Unix())
	}
	old := trialtest.Cosigner{Key: "old.example", Alg: 0x04}
	stranger := trialtest.Cosigner{Key: trialtest.Origin, Alg: 0x01, Seed: "not the log's"}
	oldText := fmt.Sprintf("log %s\nlog %s\nwitness o %s\nquorum o\n", stranger.VKey(), trialtest.LogKey.VKey(), old.VKey())

	l := trialtest.NewLog(t)
	proof, err := logKey.Sign(trial.LogKeyMessage(trialtest.Origin, trialtest.LogKey.VKey()))
	if err != nil {
		t.Fatal(err)
	}
	l.Admit("registrar", &trial.LogKey{Common: trialtest.Common(), Action: "add", Proof: base64.StdEncoding.EncodeToString(proof),
		VKey: trialtest.LogKey.VKey()},
		trial.NamedSubject("logkey", sha256.Sum256([]byte(trialtest.LogKey.VKey()))))
	p, s := trialtest.Org("acme", "Acme", "ada")
	l.Admit("registrar", p, s)
	p, s = trialtest.Register("X-1")
	id := l.Admit("ada", p, s).ID
	document := func(version string) (index uint64) {
		l.Admit("ada", &trial.Document{Common: trialtest.Common(), Trial: id, Version: version}, trialtest.Documents("document", version))
		index = l.Size() - 1
		l.Close()
		return index
	}
	early := document("before")
	last := announce(l, oldText, trial.Hash{})
	announced := l.Size() - 1
	during := document("during")
	last = announce(l, fmt.Sprintf("log %s\nquorum none\n", trialtest.LogKey.VKey()), last)
	none := l.Size() - 1
	unwitnessed := document("unwitnessed")
	for range 300 { // more than a batch
		document("filler")
	}
	announce(l, "quorum none\n", last)
	after := document("after")

	v, err := l.History(trial.RecordKey{Kind: "log", ID: trialtest.Origin}, first, second).Verify(policy(t))
	if err != nil {
		t.Fatal(err)
	}
	list, err := v.PastPolicies()
	if err != nil {
		t.Fatal(err)
	}
	verify := func(receipt []byte) error {
		var errs []error
		for i := range list {
			_, err := list[i].Verify(receipt)
			if err == nil {
				return nil
			}
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	}
	issue := func(index, size uint64, log trialtest.Cosigner, cosigners ...trialtest.Cosigner) []byte {
		signers := []note.Signer{log}
		for _, c := range cosigners {
			signers = append(signers, c)
		}
		return l.Receipt(index, size, trialtest.Checkpoint(t, l.Tree(size), signers...), nil)
	}
	when := func(offset time.Duration) trialtest.Cosigner {
		c := old
		c.Time = at(offset)
		return c
	}
	if err := verify(issue(during, during+2, logKey, when(time.Second))); err != nil {
		t.Errorf("a receipt of its own period: %v", err)
	}
	if err := verify(issue(during, during+2, logKey, stranger, when(time.Second))); err != nil {
		t.Errorf("a receipt that a stranger's key signed beside the log's: %v", err)
	}
	for name, c := range map[string]struct {
		receipt []byte
		why     string
	}{
		"before it was announced":           {issue(early, early+2, logKey, when(time.Second)), "is older than entry"},
		"after it was replaced":             {issue(after, after+2, logKey, when(time.Second)), "is newer than the policy"},
		"dated before the log was made":     {issue(during, during+2, logKey, when(-200_000*time.Hour)), "its cosignatures are of"},
		"cosigned after its end":            {issue(during, during+2, logKey, when(time.Hour)), "its cosignatures are of"},
		"by a key that is not the log's":    {issue(during, during+2, stranger, when(time.Second)), "checkpoint"},
		"under an announced quorum of none": {issue(unwitnessed, unwitnessed+2, logKey), "asks for no witness"},
	} {
		err := verify(c.receipt)
		if err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if none <= announced {
		t.Fatal("the policies are out of order")
	}
}

// TestEnrolledBefore: nobody can sign before their key is enrolled.
func TestEnrolledBefore(t *testing.T) {
	l := trialtest.NewLog(t)
	p, s := trialtest.Org("acme", "Acme", "ada")
	l.Admit("registrar", p, s)
	p, s = trialtest.Register("X-1")
	l.Admit("ada", p, s)
	index := l.Size() - 1
	raw := regexp.MustCompile(`"enrolled":\d+`).ReplaceAll(l.Leaves[index], fmt.Appendf(nil, `"enrolled":%d`, index))
	l.Truncate(index)
	l.Append(raw)
	l.Close()
	cp := trialtest.Checkpoint(t, l.Tree(l.Size()), logKey, first, second)
	if _, err := receipt.Verify(policy(t), l.Receipt(index, l.Size(), cp, nil)); err == nil || !strings.Contains(err.Error(),
		"which does not come before it") {
		t.Errorf("a receipt whose signer was enrolled by the entry itself: %v", err)
	}
}
