//go:build !wasm

package receipt_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// torchwood knows Ed25519 witnesses. It is less strict than we are about base64 and decimals,
// so it is compared only for changes of the bytes that they decode to.
func torchPolicy(t *testing.T, text string) torchwood.Policy {
	t.Helper()
	p, err := torchwood.ParsePolicy([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTorchwoodReceipts(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	f := genuine(t)
	text := fmt.Sprintf("log %s\nwitness w1 %s\nwitness w2 %s\ngroup g all w1 w2\nquorum g\n", logKey.VKey(), w1.VKey(), w2.VKey())
	theirs, ours := torchPolicy(t, text), parsePolicy(t, text)
	base, err := receipt.Parse(f.three)
	if err != nil {
		t.Fatal(err)
	}
	// both reports whether each of the two accepts a receipt for its entry.
	both := func(r *receipt.Receipt) (us, them bool) {
		_, err := receipt.Verify(ours, r.Marshal(), f.docs...)
		return err == nil, torchwood.VerifyProof(theirs, tlog.RecordHash(r.Entry), r.Marshal()) == nil
	}
	if us, them := both(base); !us || !them {
		t.Fatalf("the genuine receipt: we %v, torchwood %v", us, them)
	}
	extra, err := torchwood.ProofExtraData(f.three)
	if err != nil || string(extra) != string(base.Entry)+"\n"+string(base.Openings) {
		t.Errorf("torchwood reads the extra data %q, %v", extra, err)
	}
	refused := func(what string, r *receipt.Receipt) {
		t.Helper()
		if us, them := both(r); us || them {
			t.Fatalf("%s: we %v, torchwood %v", what, us, them)
		}
	}
	for i := range base.Entry {
		r := *base
		r.Entry = slices.Clone(base.Entry)
		r.Entry[i] ^= 4
		refused(fmt.Sprintf("entry byte %d", i), &r)
	}
	for n := range base.Path {
		for i := range 32 {
			r := *base
			r.Path = slices.Clone(base.Path)
			r.Path[n][i] ^= 4
			refused(fmt.Sprintf("hash %d byte %d", n, i), &r)
		}
	}
	for index := range f.log.Size() + 3 {
		if index != base.Index {
			r := *base
			r.Index = index
			refused(fmt.Sprintf("index %d", index), &r)
		}
	}
	for i := range f.tree.String() {
		r := *base
		r.Checkpoint = slices.Clone(base.Checkpoint)
		r.Checkpoint[i] ^= 4
		refused(fmt.Sprintf("checkpoint byte %d", i), &r)
	}
	// The other way round: a receipt that torchwood formats.
	var path tlog.RecordProof
	for _, h := range base.Path {
		path = append(path, h)
	}
	if got := torchwood.FormatProofWithExtraData(int64(base.Index), extra, path, base.Checkpoint); string(got) != string(f.three) {
		t.Errorf("torchwood writes\n%s\nwe write\n%s", got, f.three)
	}
}

// TestTorchwoodPolicies compares the quorum of policies that both understand,
// for every set of cosignatures.
func TestTorchwoodPolicies(t *testing.T) {
	f := genuine(t)
	var b strings.Builder
	fmt.Fprintf(&b, "log %s https://log.example/\n# four witnesses\n", logKey.VKey())
	who := make([]trialtest.Cosigner, 4)
	for n := range who {
		who[n] = trialtest.Cosigner{Key: fmt.Sprintf("x%d.example", n), Alg: 0x04, Time: uint64(n + 1)}
		fmt.Fprintf(&b, "witness\tx%d  %s\n", n, who[n].VKey())
	}
	for _, quorum := range []string{
		"quorum none\n", "quorum x2\n", "group g all x0 x1 x2\nquorum g\n", "group g any x0 x1\nquorum g\n", "group g 2 x0 x1 x2 " +
			"x3\nquorum g\n",
		"group a 1 x0 x1\ngroup b 1 x2 x3\ngroup g all a b\nquorum g\n", "group a all x0 x1\ngroup g any a x3\n\nquorum g",
	} {
		theirs, ours := torchPolicy(t, b.String()+quorum), parsePolicy(t, b.String()+quorum)
		for set := range 16 {
			signers := []trialtest.Cosigner{logKey}
			for n := range who {
				if set>>n&1 == 1 {
					signers = append(signers, who[n])
				}
			}
			signed := f.checkpoint(t, f.tree, signers...)
			cp, err := ours.Open(signed)
			if err != nil {
				t.Fatal(err)
			}
			_, _, theirErr := torchwood.VerifyCheckpoint(signed, theirs)
			if cp.Quorum() != (theirErr == nil) {
				t.Errorf("%q with the set %04b: we %v, torchwood %v", quorum, set, cp.Quorum(), theirErr)
			}
		}
	}
}
