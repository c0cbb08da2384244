package receipt_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/trialtest"
)

func TestQuorumFailsClosed(t *testing.T) {
	f := genuine(t)
	for _, c := range []struct {
		name string
		who  []trialtest.Cosigner
		part string
	}{
		{"none", nil, "quorum"},
		{"w1", []trialtest.Cosigner{w1}, "quorum"},
		{"w3", []trialtest.Cosigner{w3}, "quorum"},
		{"w1 twice", []trialtest.Cosigner{w1, w1}, "quorum"},
		{"w1 at two times", []trialtest.Cosigner{w1, {Key: w1.Key, Alg: 0x04, Time: 5}}, "quorum"},
		{"w1 and a stranger", []trialtest.Cosigner{w1, {Key: "w9.example", Alg: 0x04, Time: 1}}, "quorum"},
		{"w1 and one of w2's name", []trialtest.Cosigner{w1, {Key: w2.Key, Alg: 0x04, Time: 1, Seed: "mallory"}}, "quorum"},
		{"w1 and w2's key under w1's name", []trialtest.Cosigner{w1, {Key: w1.Key, Alg: 0x04, Time: 1, Seed: w2.Key}}, "quorum"},
		{"w1 and w2 as a log signs", []trialtest.Cosigner{w1, {Key: w2.Key, Alg: 0x01}}, "quorum"},
		{"w1 and w2 at no time", []trialtest.Cosigner{w1, {Key: w2.Key, Alg: 0x04}}, "checkpoint"},
		{"w1 and w3 at no time", []trialtest.Cosigner{w1, {Key: w3.Key, Alg: 0x06}}, "checkpoint"},
		{"w1 and w2 after the year 9999", []trialtest.Cosigner{w1, {Key: w2.Key, Alg: 0x04, Time: 1 << 40}}, "checkpoint"},
		{"w1, w2", []trialtest.Cosigner{w1, w2}, ""},
		{"w2, w3", []trialtest.Cosigner{w2, w3}, ""},
		{"w3, w1 and a stranger", []trialtest.Cosigner{w3, w1, {Key: "w9.example", Alg: 0x04, Time: 1}}, ""},
	} {
		v, err := receipt.Verify(f.policy, f.receipt(t, f.tree, c.who...), f.docs...)
		if part := partOf(t, err); part != c.part {
			t.Errorf("%s: %v", c.name, err)
		}
		if err != nil && v != nil {
			t.Errorf("%s: a verdict in spite of %v", c.name, err)
		}
	}
	_, err := receipt.Verify(f.policy, f.receipt(t, f.tree, w1))
	if !strings.Contains(err.Error(), "2 of (w1, w2, w3); cosigned by w1") {
		t.Errorf("%v does not say what is missing", err)
	}
}

// TestGenuineSigners checks cosignatures that the library used by other logs makes.
func TestGenuineSigners(t *testing.T) {
	f := genuine(t)
	seed := sha256.Sum256([]byte("x"))
	ed, err := fnote.NewSignerForCosignatureV1("PRIVATE+KEY+ed.example+00000000+" + base64.StdEncoding.EncodeToString(append([]byte{0x04},
		seed[:]...)))
	if err != nil {
		t.Fatal(err)
	}
	skey, vkey, err := fnote.GenerateMLDSAKey("ml.example")
	if err != nil {
		t.Fatal(err)
	}
	ml, err := fnote.NewSignerForCosignatureV1(skey)
	if err != nil {
		t.Fatal(err)
	}
	p := parsePolicy(t, fmt.Sprintf("log %s\nwitness ed %s\nwitness ml %s\ngroup g all ed ml\nquorum g\n", logKey.VKey(),
		trialtest.Cosigner{Key: "ed.example", Alg: 0x04, Seed: "x"}.VKey(), vkey))
	before := time.Now().Add(-time.Second)
	cp := trialtest.Checkpoint(t, f.tree, logKey, ed, ml)
	v, err := receipt.Verify(p, f.log.Receipt(f.index, f.log.Size(), cp, f.openings), f.docs...)
	if err != nil {
		t.Fatal(err)
	}
	if at, ok := v.ProvenTime(); !ok || at.Before(before) || at.After(time.Now()) {
		t.Errorf("proven time %v %v", at, ok)
	}
}

// TestProvenTime: the proven time is the earliest T such that the cosignatures stamped up to T
// satisfy the quorum, in any order and whatever one of them says.
func TestProvenTime(t *testing.T) {
	f := genuine(t)
	at := func(c trialtest.Cosigner, time uint64) trialtest.Cosigner { c.Time = time; return c }
	for _, c := range []struct {
		name   string
		quorum string
		who    []trialtest.Cosigner
		want   int64 // 0: not proven
	}{
		{"in order", "group g 2 w1 w2 w3\nquorum g\n", []trialtest.Cosigner{at(w1, 10), at(w2, 20), at(w3, 30)}, 20},
		{"out of order", "group g 2 w1 w2 w3\nquorum g\n", []trialtest.Cosigner{at(w1, 30), at(w2, 20), at(w3, 10)}, 20},
		{"one lies early", "group g 2 w1 w2 w3\nquorum g\n", []trialtest.Cosigner{at(w1, 1), at(w2, 20), at(w3, 30)}, 20},
		{"one lies late", "group g 2 w1 w2 w3\nquorum g\n", []trialtest.Cosigner{at(w1, 253402300799), at(w2, 20), at(w3, 30)}, 30},
		{"all", "group g all w1 w2 w3\nquorum g\n", []trialtest.Cosigner{at(w1, 30), at(w2, 20), at(w3, 10)}, 30},
		{"any", "group g any w1 w2 w3\nquorum g\n", []trialtest.Cosigner{at(w1, 30), at(w2, 20), at(w3, 10)}, 10},
		{"one of them counts", "quorum w1\n", []trialtest.Cosigner{at(w1, 30), at(w2, 20), at(w3, 10)}, 30},
		{"groups", "group x 1 w1 w2\ngroup g all x w3\nquorum g\n", []trialtest.Cosigner{at(w1, 15), at(w2, 40), at(w3, 10)}, 15},
		{"at once", "group g 2 w1 w2 w3\nquorum g\n", []trialtest.Cosigner{at(w1, 10), at(w2, 10), at(w3, 10)}, 10},
		{"no quorum asked for", "quorum none\n", []trialtest.Cosigner{at(w1, 10)}, 0},
		{"no quorum met", "group g all w1 w2 w3\nquorum g\n", []trialtest.Cosigner{at(w1, 10), at(w2, 10)}, 0},
	} {
		base, _, _ := strings.Cut(policyText(), "group")
		cp, err := parsePolicy(t, base+c.quorum).Open(f.checkpoint(t, f.tree, append([]trialtest.Cosigner{logKey}, c.who...)...))
		if err != nil {
			t.Fatal(err)
		}
		got, ok := cp.ProvenTime()
		if ok != (c.want != 0) || ok && got.Unix() != c.want {
			t.Errorf("%s: %v %v, want %d", c.name, got, ok, c.want)
		}
	}
	v, err := receipt.Verify(f.policy, f.three, f.docs...)
	if err != nil {
		t.Fatal(err)
	}
	proven, ok := v.ProvenTime()
	if !ok || proven.Unix() != int64(w3.Time) || proven.Equal(v.Entry.Time.Std()) {
		t.Errorf("proven %v; the log says %v", proven, v.Entry.Time)
	}
	if text := v.Text(); !strings.Contains(text, trial.Moment(proven)+", proven by the witnesses' clocks") || !strings.Contains(text,
		v.Entry.Time.String()+" by the log's clock") {
		t.Errorf("the text tells not one from the other:\n%s", text)
	}
}

func TestReplayQuorum(t *testing.T) {
	f := genuine(t)
	for quorum, want := range map[string]bool{"group g 2 w1 w2 w3\nquorum g\n": false, "group g 1 w1 w2 w3\nquorum g\n": true,
		"quorum w2\n": false, "quorum none\n": false} {
		base, _, _ := strings.Cut(policyText(), "group")
		cp, err := parsePolicy(t, base+quorum).Open(f.checkpoint(t, f.tree, logKey, w1, w2, w3))
		if err != nil {
			t.Fatal(err)
		}
		if !cp.Quorum() || cp.ReplayQuorum() != want {
			t.Errorf("%q: %v, replayed %v", quorum, cp.Quorum(), cp.ReplayQuorum())
		}
	}
}

// TestOtherKeys: keys that are almost the right ones.
func TestOtherKeys(t *testing.T) {
	f := genuine(t)
	mallory := trialtest.Cosigner{Key: trialtest.Origin, Alg: 0x01, Seed: "mallory"}
	signed := func(signers ...trialtest.Cosigner) []byte {
		return f.log.Receipt(f.index, f.log.Size(), f.checkpoint(t, f.tree, signers...), f.openings)
	}
	base, _, _ := strings.Cut(policyText(), "group")
	witnesses := strings.SplitN(base, "\n", 2)[1]
	group := "group g 2 w1 w2 w3\nquorum g\n"
	other := trialtest.Cosigner{Key: "other.example/log", Alg: 0x01}
	self := trialtest.Cosigner{Key: trialtest.Origin, Alg: 0x04, Time: 7}
	mlself := trialtest.Cosigner{Key: trialtest.Origin, Alg: 0x06, Time: 7}
	for _, c := range []struct {
		name    string
		policy  string
		receipt []byte
		part    string
	}{
		{"another log of the same name", policyText(), signed(mallory, w1, w2), "checkpoint"},
		{"that log's own policy", "log " + mallory.VKey() + "\n" + witnesses + group, signed(mallory, w1, w2), ""},
		{"our receipt under its policy", "log " + mallory.VKey() + "\n" + witnesses + group, f.three, "checkpoint"},
		{"a log key of another origin signs", "log " + other.VKey() + "\n" + witnesses + group, signed(other, w1, w2), "checkpoint"},
		{"one of two logs", "log " + other.VKey() + "\n" + policyText(), f.three, ""},
		{"witnesses and no log", policyText(), signed(w1, w2, w3), "checkpoint"},
		{"no log in the policy", witnesses + group, f.three, "checkpoint"},
		{"signed by nobody known", "log " + other.VKey() + "\nquorum none\n", f.three, "checkpoint"},
		{"the log's Ed25519 key as a witness, unsigned as such", "log " + logKey.VKey() + "\nwitness self " + self.VKey() +
			"\nquorum self\n", signed(logKey), "quorum"},
		{"the log's Ed25519 key as a witness", "log " + logKey.VKey() + "\nwitness self " + self.VKey() + "\nquorum self\n",
			signed(logKey, self), ""},
		{"a log by ML-DSA-44", "log " + mlself.VKey() + "\n" + witnesses + group, signed(mlself, w1, w2), ""},
		{"a log by ML-DSA-44 that is its own witness", "log " + mlself.VKey() + "\nwitness self " + mlself.VKey() + "\nquorum self\n",
			signed(mlself), ""},
		{"the same, not signed", "log " + logKey.VKey() + "\nlog " + mlself.VKey() + "\nwitness self " + mlself.VKey() +
			"\nquorum self\n", signed(logKey), "quorum"},
	} {
		_, err := receipt.Verify(parsePolicy(t, c.policy), c.receipt, f.docs...)
		if part := partOf(t, err); part != c.part {
			t.Errorf("%s: want %q, got %v", c.name, c.part, err)
		}
	}
}

// TestEntriesThatNobodySigned: a statement for another log, and an entry with an altered
// signature, are refused even if a log of the policy includes them.
func TestEntriesThatNobodySigned(t *testing.T) {
	f := genuine(t)
	r, err := receipt.Parse(f.two)
	if err != nil {
		t.Fatal(err)
	}
	// The log's operator includes an entry with an altered signature.
	sig := strings.Index(string(r.Entry), `"sig":"`) + 20
	forged := []byte(string(r.Entry[:sig]) + map[bool]string{true: "B", false: "A"}[r.Entry[sig] == 'A'] + string(r.Entry[sig+1:]))
	c := trialtest.Common()
	c.Log = "other.example/log"
	other := trialtest.Check(t, "ada", &trial.Document{Common: c, Trial: trial.Hash{1}}, trialtest.Documents("document", "x"))
	elsewhere := []byte(strings.Replace(strings.Replace(string(r.Entry), string(between(r.Entry, `"payload":"`)), other.Envelope.Payload,
		1), string(between(r.Entry, `"sig":"`)), other.Envelope.Signatures[0].Sig, 1))
	l := trialtest.NewLog(t)
	for _, raw := range [][]byte{r.Entry, forged, elsewhere, r.Entry} {
		l.Append(raw)
	}
	cp := f.checkpoint(t, l.Tree(l.Size()), logKey, w1, w2)
	for index, want := range map[uint64]string{0: "not for a statement", 1: "not for a statement",
		2: "enrolled by entry 2, which does not come before it", 3: "does not verify", 4: "other.example/log", 5: ""} {
		_, err := receipt.Verify(f.policy, l.Receipt(index, l.Size(), cp, nil))
		if want == "" && err != nil || want != "" && (partOf(t, err) != "entry" || !strings.Contains(err.Error(), want)) {
			t.Errorf("entry %d: want %q, got %v", index, want, err)
		}
	}
	// A statement that was checked is not checked again; another one, or another signature, is.
	v := receipt.NewVerifier(f.policy)
	e, err := trial.ParseEntry(r.Entry)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Verify(); err != nil {
		t.Fatal(err)
	}
	for index, want := range map[uint64]string{3: "does not verify", 4: "other.example/log", 5: ""} {
		_, err := v.VerifyFor(e.Statement, l.Receipt(index, l.Size(), cp, nil))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("entry %d, for a statement that was checked: want %q, got %v", index, want, err)
		}
	}
}

func between(b []byte, prefix string) []byte {
	_, rest, _ := strings.Cut(string(b), prefix)
	s, _, _ := strings.Cut(rest, `"`)
	return []byte(s)
}

func TestMatches(t *testing.T) {
	f := genuine(t)
	other := receipt.Document{Name: "other.pdf", Digest: sha([]byte("other"))}
	for _, docs := range [][]receipt.Document{{other}, {f.docs[0], other}, {other, f.docs[1]}} {
		if v, err := receipt.Verify(f.policy, f.three, docs...); v != nil || partOf(t, err) != "file" || !strings.Contains(err.Error(),
			"other.pdf") {
			t.Errorf("%v: %v, %v", docs, v, err)
		}
	}
	v, err := receipt.Verify(f.policy, f.three, f.docs[1])
	if err != nil || len(v.Missing) != 1 || v.Missing[0] != "document" || len(v.Unopened) != 0 {
		t.Errorf("%+v, %v", v, err)
	}
	cp := f.checkpoint(t, f.tree, logKey, w1, w2)
	bare := f.log.Receipt(f.index, f.log.Size(), cp, nil)
	v, err = receipt.Verify(f.policy, bare, f.docs[1])
	if err != nil || len(v.Unopened) != 1 || v.Openings.Name != "" || !strings.Contains(v.Text(), "sealed:    document") {
		t.Errorf("without openings: %+v, %v", v, err)
	}
	if _, err := receipt.Verify(f.policy, bare, f.docs[0]); !errors.Is(err, receipt.ErrNoSalt) {
		t.Errorf("a sealed file without its salt: %v", err)
	}
	// A file that a statement names twice matches both subjects.
	l := trialtest.NewLog(t)
	p, s := trialtest.Org("acme", "Acme", "ada")
	l.Admit("registrar", p, s)
	p, s = trialtest.Register("X-1")
	id := l.Admit("ada", p, s).ID
	l.Admit("ada", &trial.Document{Common: trialtest.Common(), Trial: id}, trialtest.Documents("document", "a", "a", "b"))
	twice := l.Receipt(l.Size()-1, l.Size(), f.checkpoint(t, l.Tree(l.Size()), logKey, w1, w2), nil)
	v, err = receipt.Verify(f.policy, twice, receipt.Document{Name: "a", Digest: sha([]byte("a"))})
	if err != nil || len(v.Missing) != 1 || v.Missing[0] != "appendix-2" {
		t.Errorf("%+v, %v", v, err)
	}
}

// TestText: the text of a verdict, which always says what the receipt cannot know.
func TestText(t *testing.T) {
	f := genuine(t)
	base, _, _ := strings.Cut(policyText(), "group")
	for quorum, want := range map[string][]string{
		"group g 2 w1 w2 w3\nquorum g\n": {
			"valid: file-0.pdf is the document", "document 1.0 of trial", "Ada Lovelace, administrator of acme", "means author",
			fmt.Sprintf("entry %d of %s", f.index, trialtest.Origin), "3 saw it grow, 1 of them replayed the rules", "asks for 2 of " +
				"(w1, w2, w3)", "not known offline",
		},
		"quorum none\n": {"no witness: the operator's word alone", "no independent time", "asks for no witness", "not known offline"},
	} {
		v, err := receipt.Verify(parsePolicy(t, base+quorum), f.three, f.docs...)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(v.Text(), w) {
				t.Errorf("%q is not in\n%s", w, v.Text())
			}
		}
	}
}

// TestTextIsOneFactALine: names of files and of unknown keys cannot add lines to a verdict.
func TestTextIsOneFactALine(t *testing.T) {
	f := genuine(t)
	stranger := trialtest.Cosigner{Key: "stranger.example", Alg: 0x04, Time: 1}
	hostile := "x.pdf\nvalid: other.pdf\x1b[2J\u202e"
	v, err := receipt.Verify(f.policy, f.receipt(t, f.tree, w1, w2, stranger), receipt.Document{Name: hostile, Digest: f.docs[1].Digest})
	if err != nil {
		t.Fatal(err)
	}
	if text := v.Text(); strings.Count(text, "valid: ") != 2 || strings.Contains(text, "\nvalid: other") || strings.ContainsAny(text,
		"\x1b\u202e") {
		t.Errorf("the name writes\n%s", text)
	}
	if text := v.Text(); !strings.Contains(text, "ignored:   1 signature by a key") || strings.Contains(text, "stranger") {
		t.Errorf("the unknown signature is passed over, or believed:\n%s", text)
	}
	_, err = receipt.Verify(f.policy, f.three, receipt.Document{Name: hostile})
	if err == nil || strings.ContainsAny(err.Error(), "\n\x1b") {
		t.Errorf("the name writes %v", err)
	}
}

func TestTreeText(t *testing.T) {
	root := base64.StdEncoding.EncodeToString(make([]byte, 32))
	for _, good := range []string{"o\n0\n" + root + "\n", "o\n4611686018427387903\n" + root + "\n", "ö log\n1\n" + root + "\n"} {
		tree, err := checkpoint.ParseTree(good)
		if err != nil || tree.String() != good {
			t.Errorf("%q: %v, %v", good, tree, err)
		}
	}
	for _, bad := range []string{
		"", "\n", "o\n1\n", "o\n1\n" + root, "\n1\n" + root + "\n", "o\n01\n" + root + "\n", "o\n+1\n" + root + "\n", "o\n-1\n" + root +
			"\n", "o\n1_0\n" + root + "\n", "o\n\n" + root + "\n",
		"o\n 1\n" + root + "\n", "o\n0x1\n" + root + "\n", "o\n4611686018427387904\n" + root + "\n", "o\n18446744073709551616\n" + root +
			"\n", "o\n１\n" + root + "\n",
		"o\n1\n" + root[:43] + "\n", "o\n1\n" + strings.Replace(root, "A=", "B=", 1) + "\n", "o\n1\n" + root + "A\n", "o\n1\n" +
			root[:40] + "\n", "o\n1\n" + strings.Replace(root, "A", "-", 1) + "\n",
		"o\n1\n" + root + "\nmore\n", "o\n1\n" + root + "\n\n", "o\n1\r\n" + root + "\n", "o\n1\n" + root + "\r\n",
	} {
		if tree, err := checkpoint.ParseTree(bad); err == nil {
			t.Errorf("%q is taken as %v", bad, tree)
		}
	}
}

// TestLargeTrees: sizes up to the largest that a checkpoint may have are checked in no time.
// Package tlog never returns for sizes above 2^62.
func TestLargeTrees(t *testing.T) {
	f := genuine(t)
	for _, size := range []uint64{1<<62 - 1, 1<<62 - 2, 1<<61 + 1, 1 << 61, 1 << 53, 1 << 32} {
		for _, n := range []int{0, 1, 31, 61, 62, 63} {
			tree := checkpoint.Tree{Origin: trialtest.Origin, Size: size, Root: [32]byte{1}}
			for _, index := range []uint64{0, 1, size / 2, size - 1} {
				if err := tree.CheckInclusion(index, trial.Hash{}, make([][32]byte, n)); err == nil {
					t.Fatalf("size %d, index %d, %d hashes: taken", size, index, n)
				}
			}
			if err := tree.CheckInclusion(size, trial.Hash{}, nil); err == nil {
				t.Fatal("an index as large as the tree is taken")
			}
		}
		// The same in a whole receipt, signed by everybody.
		r, err := receipt.Parse(f.receipt(t, checkpoint.Tree{Origin: trialtest.Origin, Size: size}, w1, w2, w3))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := receipt.Verify(f.policy, r.Marshal(), f.docs...); partOf(t, err) != "inclusion proof" {
			t.Errorf("size %d: %v", size, err)
		}
	}
	// The first entry of the largest tree, with a correct proof of 62 siblings.
	path := make([][32]byte, 62)
	h := tlog.Hash{9}
	leaf := h
	for i := range path {
		h = tlog.NodeHash(h, tlog.Hash(path[i]))
	}
	if err := (checkpoint.Tree{Size: 1<<62 - 1, Root: h}).CheckInclusion(0, leaf, path); err != nil {
		t.Errorf("the true proof: %v", err)
	}
	if err := (checkpoint.Tree{Size: 0}).CheckInclusion(0, leaf, nil); err == nil {
		t.Error("the empty tree has an entry")
	}
}

// TestInclusion compares CheckInclusion with the definition, for every entry of every tree up
// to 70 entries.
func TestInclusion(t *testing.T) {
	l := trialtest.NewLog(t)
	for n := range 68 {
		l.Append([]byte{byte(n)})
	}
	for size := uint64(1); size <= l.Size(); size++ {
		tree := l.Tree(size)
		for index := range size {
			leaf := sha(append([]byte{0}, l.Leaves[index]...))
			path := l.Path(index, size)
			if err := tree.CheckInclusion(index, leaf, path); err != nil {
				t.Fatalf("%d in %d: %v", index, size, err)
			}
			if tree.CheckInclusion(index, trial.Hash{}, path) == nil || tree.CheckInclusion((index+1)%size, leaf, path) == nil &&
				size > 1 || tree.CheckInclusion(index, leaf, append(path, [32]byte{})) == nil {
				t.Fatalf("%d in %d: a lie is taken", index, size)
			}
		}
	}
}

func TestCosignatureTime(t *testing.T) {
	for _, b := range []string{"", "AAAA", "!", base64.StdEncoding.EncodeToString(make([]byte, 11)),
		base64.StdEncoding.EncodeToString(make([]byte, 76))} {
		if at, err := checkpoint.CosignatureTime(note.Signature{Base64: b}); err == nil {
			t.Errorf("%q holds the time %v", b, at)
		}
	}
}
