package receipt_test

import (
	"bytes"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/receipt"
)

func FuzzParse(f *testing.F) {
	g := genuine(f)
	f.Add(g.three)
	f.Add(g.two)
	f.Add([]byte("c2sp.org/tlog-proof@v1\nextra Cg==\nindex 0\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := receipt.Parse(data)
		if err != nil {
			return
		}
		if again := r.Marshal(); !bytes.Equal(again, data) {
			t.Fatalf("reads\n%q\nwrites\n%q", data, again)
		}
	})
}

func FuzzParseTree(f *testing.F) {
	f.Add(genuine(f).tree.String())
	f.Fuzz(func(t *testing.T, text string) {
		tree, err := checkpoint.ParseTree(text)
		if err == nil && tree.String() != text {
			t.Fatalf("%q is read as %q", text, tree)
		}
		if err == nil && tree.Size >= 1<<62 {
			t.Fatalf("the size %d is taken", tree.Size)
		}
	})
}

func FuzzParsePolicy(f *testing.F) {
	f.Add([]byte(policyText()))
	f.Add([]byte("# c\n\tquorum none"))
	f.Add([]byte(policyText() + "group h any g\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := checkpoint.ParsePolicy(text)
		if err != nil {
			return
		}
		// However it is nested, no witness is not enough and all witnesses are.
		none := p.Satisfied(func(int) bool { return false })
		all := p.Satisfied(func(w int) bool {
			if w < 0 || w >= len(p.Witnesses) {
				t.Fatalf("there is no witness %d", w)
			}
			return true
		})
		if none != p.Unwitnessed() || !all {
			t.Fatalf("none satisfies %v, all %v: %q", none, all, text)
		}
		if p.QuorumText() == "" || bytes.ContainsAny(text, "\r\x00") {
			t.Fatalf("%q is taken", text)
		}
	})
}

func FuzzOpen(f *testing.F) {
	g := genuine(f)
	for _, data := range [][]byte{g.three, g.two} {
		r, err := receipt.Parse(data)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(r.Checkpoint)
	}
	f.Fuzz(func(t *testing.T, signed []byte) {
		cp, err := g.policy.Open(signed)
		if err != nil {
			return
		}
		// This log signed only one checkpoint.
		if cp.Tree != g.tree {
			t.Fatalf("the tree %v, which nobody signed, is believed", cp.Tree)
		}
		for _, c := range cp.Cosignatures {
			if c.Time.Unix() < int64(w2.Time) || c.Time.Unix() > int64(w1.Time) {
				t.Fatalf("the time %v, which nobody signed, is believed", c.Time)
			}
		}
	})
}

func FuzzVerify(f *testing.F) {
	g := genuine(f)
	f.Add(g.three)
	f.Add(g.two)
	want, err := receipt.Parse(g.two)
	if err != nil {
		f.Fatal(err)
	}
	leaf := trial.Hash(sha(append([]byte{0}, want.Entry...)))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := receipt.Verify(g.policy, data, g.docs[1])
		if (v == nil) == (err == nil) {
			t.Fatalf("a verdict %v with the error %v", v, err)
		}
		if err != nil {
			partOf(t, err)
			return
		}
		if v.Index != g.index || v.Entry.LeafHash() != leaf || v.Checkpoint.Tree != g.tree || len(v.Checkpoint.Cosignatures) < 2 ||
			v.Openings.Name != "" && v.Openings.Name != "Ada Lovelace" {
			t.Fatalf("something else than the genuine receipt is believed:\n%s", data)
		}
	})
}
