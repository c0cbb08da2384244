package evidence_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/evidence"
	"github.com/trialproof/trialproof/trial/trialtest"
)

var (
	logKey = trialtest.Cosigner{Key: trialtest.Origin, Alg: 0x01}
	w1     = trialtest.Cosigner{Key: "w1.example/replay", Alg: 0x04, Time: 1_800_000_001}
	w2     = trialtest.Cosigner{Key: "w2.example", Alg: 0x04, Time: 1_800_000_002}
)

func policy(t testing.TB) *checkpoint.Policy {
	t.Helper()
	p, err := checkpoint.ParsePolicy(fmt.Appendf(nil, "log %s\nwitness w1 %s\nwitness w2 %s\ngroup g 2 w1 w2\nquorum g\n", logKey.VKey(),
		w1.VKey(), w2.VKey()))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// open enrols acme with ada and registers a trial.
func open(l *trialtest.Log) trial.Hash {
	p, s := trialtest.Org("acme", "Acme", "ada")
	l.Admit("registrar", p, s)
	p, s = trialtest.Register("X-1")
	return l.Admit("ada", p, s).ID
}

func document(l *trialtest.Log, id trial.Hash, text string) {
	l.Admit("ada", &trial.Document{Common: trialtest.Common(), Trial: id}, trialtest.Documents("document", text))
}

func signed(t testing.TB, tree checkpoint.Tree, more ...note.Signer) []byte {
	return trialtest.Checkpoint(t, tree, append([]note.Signer{logKey}, more...)...)
}

// rule returns the evidence, valid or not, that the last of a log's entries up to a size breaks
// a rule. It begins with the n-th state entry before that entry.
func rule(t testing.TB, l *trialtest.Log, size uint64, back int, tree uint64) *evidence.Evidence {
	t.Helper()
	s := new(trial.State)
	var first uint64
	var since []*trial.Entry
	states := 0
	for _, raw := range l.Leaves[:size] {
		if isState(raw) {
			states++
		}
	}
	for i, raw := range l.Leaves[:size] {
		e, err := trial.ParseEntry(raw)
		if err == nil {
			err = e.Verify()
		}
		if err != nil {
			break
		}
		since = append(since, e)
		if s.Apply(e) != nil {
			break
		}
		if isState(raw) {
			if states--; states >= back && uint64(i) < size-1 {
				s.Commit()
				first, since = uint64(i)+1, nil
			}
		}
	}
	known, err := s.Consulted(since)
	if err != nil {
		t.Fatal(err)
	}
	x, err := evidence.NewRule(signed(t, l.Tree(tree), w1), l.Leaves[0], l.Leaves[max(first, 1)-1], first, l.Leaves[first:size], known,
		func(index uint64) ([][32]byte, error) { return l.Path(index, tree), nil })
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func isState(raw []byte) bool { return bytes.HasPrefix(raw, []byte(`{"map":`)) }

// broken returns a log with an entry at index that is refused by a rule which needs the state,
// and the index.
func broken(t testing.TB) (l *trialtest.Log, index uint64) {
	l = trialtest.NewLog(t)
	id := open(l)
	l.Close()
	document(l, id, "a")
	index = l.Size()
	raw := slices.Clone(l.Leaves[index-1])
	l.Append(bytes.Replace(raw, []byte(`"role":"administrator"`), []byte(`"role":"signer"`), 1))
	l.State.Skip(index)
	l.Close()
	return l, index
}

// falseRoot returns a log whose last entry is a state entry with a false map root.
func falseRoot(t testing.TB) (l *trialtest.Log, index uint64) {
	l = trialtest.NewLog(t)
	id := open(l)
	l.Close()
	document(l, id, "a")
	l.Close()
	index = l.Size() - 1
	raw := slices.Clone(l.Leaves[index])
	at := bytes.Index(raw, []byte(`"root":"`)) + 10
	raw[at] = '0' + (raw[at]-'0'+1)%10
	l.Truncate(index)
	l.Append(raw)
	return l, index
}

func ext(t testing.TB, tree checkpoint.Tree) []byte {
	data, err := note.Sign(&note.Note{Text: tree.String() + "extension\n"}, logKey)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// examples returns evidence of each kind, about logs that did misbehave.
func examples(t testing.TB) map[string]*evidence.Evidence {
	l := trialtest.NewLog(t)
	id := open(l)
	l.Close()
	other := *l
	other.Leaves = slices.Clone(l.Leaves)
	fork := l.Tree(5)
	fork.Root[3] ^= 1
	m := map[string]*evidence.Evidence{
		"fork":           evidence.NewFork(signed(t, l.Tree(5)), signed(t, fork, w1)),
		"fork, extended": evidence.NewFork(ext(t, l.Tree(5)), signed(t, fork)),
	}
	for range 4 {
		document(l, id, "a")
	}
	for _, small := range []uint64{0, 3, 4, 8} {
		tree := l.Tree(small)
		tree.Root[0] ^= 1
		e, err := evidence.NewInconsistent(signed(t, tree), signed(t, l.Tree(9)), small, 9, l)
		if err != nil {
			t.Fatal(err)
		}
		m[fmt.Sprintf("inconsistent at %d", small)] = e
	}
	b, index := broken(t)
	m["rule"] = rule(t, b, index+1, 1, b.Size())
	f, index := falseRoot(t)
	m["false map root"] = rule(t, f, index+1, 1, f.Size())
	b, _ = broken(t)
	b.Truncate(5)
	b.Append([]byte("\xff"))
	m["form"] = rule(t, b, 6, 1, 6)
	b.Truncate(4)
	m["no state entry at the end"] = rule(t, b, 4, 1, 4)
	return m
}

func verify(p *checkpoint.Policy, line []byte) (*evidence.Verdict, error) {
	x, err := evidence.Parse(line)
	if err != nil {
		return nil, err
	}
	return x.Verify(p)
}

// TestTampering alters each byte (in long texts each third one) of evidence of each kind in two
// ways, drops it and doubles it. If the result still verifies, it must prove the same.
func TestTampering(t *testing.T) {
	p := policy(t)
	for name, x := range examples(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			line := x.Marshal()
			want, err := verify(p, line)
			if err != nil {
				t.Fatal(err)
			}
			try := func(what string, at int, altered []byte) {
				got, err := verify(p, altered)
				if err != nil {
					if _, newer := errors.AsType[*trial.NewerRules](err); !newer && !errors.Is(err, evidence.ErrNothing) {
						t.Fatalf("byte %d %s: %v", at, what, err)
					}
					return
				}
				if got.Kind != want.Kind || got.Text != want.Text || got.Index != want.Index || got.Rule != want.Rule {
					t.Fatalf("byte %d %s: it proves %+v", at, what, got)
				}
				// Only signature lines may differ: cosignatures, which the proof does not rest
				// on, and spare bits of base64.
				y, err := evidence.Parse(altered)
				if err != nil {
					t.Fatal(err)
				}
				for i := range y.Checkpoints {
					text, _, _ := strings.Cut(y.Checkpoints[i], "\n\n")
					_, lines, _ := strings.Cut(x.Checkpoints[i], "\n\n")
					y.Checkpoints[i] = text + "\n\n" + lines
				}
				if !bytes.Equal(y.Marshal(), line) {
					t.Fatalf("byte %d %s is not noticed", at, what)
				}
			}
			for i := 0; i < len(line)-1; i++ {
				if len(line) > 2000 && i%3 > 0 && line[i] != '"' && line[max(i, 1)-1] != '"' {
					continue // within long texts, each third
				}
				for _, bit := range []byte{0x01, 0x20} {
					altered := slices.Clone(line)
					altered[i] ^= bit
					try(fmt.Sprintf("with bit %#x", bit), i, altered)
				}
				try("dropped", i, slices.Delete(slices.Clone(line), i, i+1))
				try("doubled", i, slices.Insert(slices.Clone(line), i, line[i]))
			}
		})
	}
}

// TestTakenApart leaves out, repeats and exchanges the parts of evidence of a rule.
func TestTakenApart(t *testing.T) {
	p := policy(t)
	l, index := broken(t)
	fresh := func() *evidence.Evidence { return rule(t, l, index+1, 1, l.Size()) }
	if v, err := fresh().Verify(p); err != nil || v.Rule != trial.RuleSigner || v.Index != index || !slices.Equal(v.Witnesses,
		[]string{w1.Key}) {
		t.Fatal(v, err)
	}
	two := rule(t, l, index+1, 2, l.Size())
	if v, err := two.Verify(p); err != nil || v.Index != index || len(two.Entries) <= len(fresh().Entries) {
		t.Fatalf("from an earlier state entry: %v, %v", v, err)
	}
	for name, bend := range map[string]func(x *evidence.Evidence){
		"no record":         func(x *evidence.Evidence) { x.Records = nil },
		"one record less":   func(x *evidence.Evidence) { x.Records = x.Records[1:] },
		"a record twice":    func(x *evidence.Evidence) { x.Records = append(x.Records, x.Records[0]) },
		"a record withheld": func(x *evidence.Evidence) { x.Records[0].Record = "" },
		"a record altered": func(x *evidence.Evidence) {
			for i := range x.Records {
				x.Records[i].Record = strings.Replace(x.Records[i].Record, `"count":`, `"count":1`, 1)
			}
		},
		"a record renamed":     func(x *evidence.Evidence) { x.Records[0].ID += "x" },
		"no genesis":           func(x *evidence.Evidence) { x.Genesis = nil },
		"no state entry":       func(x *evidence.Evidence) { x.State = nil },
		"neither":              func(x *evidence.Evidence) { x.State, x.Genesis = nil, nil },
		"no entry":             func(x *evidence.Evidence) { x.Entries = nil },
		"the entry alone":      func(x *evidence.Evidence) { x.Entries = x.Entries[len(x.Entries)-1:] },
		"without the last":     func(x *evidence.Evidence) { x.Entries = x.Entries[:len(x.Entries)-1] },
		"the entry at its own": func(x *evidence.Evidence) { x.Entries[0].Index++ },
		"another genesis":      func(x *evidence.Evidence) { x.Genesis = x.State },
		"another state entry":  func(x *evidence.Evidence) { x.State = x.Genesis },
		"one entry more":       func(x *evidence.Evidence) { x.Entries = append(x.Entries, x.Entries[0]) },
		"another kind":         func(x *evidence.Evidence) { x.Kind = evidence.Fork },
		"no kind of ours":      func(x *evidence.Evidence) { x.Kind = "spoon" },
		"two checkpoints":      func(x *evidence.Evidence) { x.Checkpoints = append(x.Checkpoints, x.Checkpoints[0]) },
		"no checkpoint":        func(x *evidence.Evidence) { x.Checkpoints = nil },
		"another tree":         func(x *evidence.Evidence) { x.Checkpoints[0] = string(signed(t, l.Tree(l.Size()-1))) },
		"a tree nobody signed": func(x *evidence.Evidence) { x.Checkpoints[0] = l.Tree(l.Size()).String() },
		"a tree of another key": func(x *evidence.Evidence) {
			x.Checkpoints[0] = string(trialtest.Checkpoint(t, l.Tree(l.Size()), trialtest.Cosigner{Key: trialtest.Origin, Alg: 1,
				Seed: "mallory"}))
		},
		"a proof": func(x *evidence.Evidence) { x.Proof = x.Entries[0].Path },
	} {
		x := fresh()
		before := string(x.Marshal())
		if bend(x); string(x.Marshal()) == before {
			t.Fatalf("%s: nothing is bent", name)
		}
		if v, err := x.Verify(p); !errors.Is(err, evidence.ErrNothing) {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
	other, err := checkpoint.ParsePolicy([]byte("log " + trialtest.Cosigner{Key: "other.example", Alg: 1}.VKey() + "\nquorum none\n"))
	if err != nil {
		t.Fatal(err)
	}
	if v, err := fresh().Verify(other); !errors.Is(err, evidence.ErrNothing) || !strings.Contains(err.Error(), "no key of the log") {
		t.Errorf("another log's policy: %v, %v", v, err)
	}
}

// TestHonest: nothing that is put together from an honest log's trees, entries and records, and
// then altered, is evidence.
func TestHonest(t *testing.T) {
	p := policy(t)
	rapid.Check(t, func(rt *rapid.T) {
		l := trialtest.NewLog(t)
		id := open(l)
		for range rapid.IntRange(0, 12).Draw(rt, "entries") {
			document(l, id, rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "text"))
			if rapid.Bool().Draw(rt, "close") {
				l.Close()
			}
		}
		l.Close()
		var ends []uint64 // of the trees that an honest log signs
		for i, raw := range l.Leaves {
			if isState(raw) {
				ends = append(ends, uint64(i)+1)
			}
		}
		size := func(name string) uint64 { return rapid.SampledFrom(ends).Draw(rt, name) }
		var x *evidence.Evidence
		switch rapid.IntRange(0, 2).Draw(rt, "kind") {
		case 0:
			x = evidence.NewFork(signed(t, l.Tree(size("a"))), signed(t, l.Tree(size("b"))))
		case 1:
			a, b := size("a"), size("b")
			var err error
			if x, err = evidence.NewInconsistent(signed(t, l.Tree(a)), signed(t, l.Tree(b)), min(a, b), max(a, b), l); err != nil &&
				a != b {
				rt.Fatal(err)
			}
			if x == nil {
				return
			}
		case 2:
			tree := size("tree")
			x = rule(t, l, rapid.Uint64Range(1, tree).Draw(rt, "entry"), rapid.IntRange(0, 2).Draw(rt, "back"), tree)
		}
		for range rapid.IntRange(0, 3).Draw(rt, "bends") {
			bend(rt, t, x, l)
		}
		line := x.Marshal()
		for range rapid.IntRange(0, 2).Draw(rt, "bytes") {
			line[rapid.IntRange(0, len(line)-1).Draw(rt, "at")] ^= byte(1) << rapid.IntRange(0, 7).Draw(rt, "bit")
		}
		if v, err := verify(p, line); err == nil {
			rt.Fatalf("an honest log is found guilty: %+v by\n%s", v, line)
		}
	})
}

// bend alters one part of x, like somebody who wants it to verify.
func bend(rt *rapid.T, t testing.TB, x *evidence.Evidence, l *trialtest.Log) {
	leaf := func() *evidence.Entry { // an entry with its own proof, or with another one
		i := rapid.Uint64Range(0, l.Size()-1).Draw(rt, "leaf")
		tree, err := checkpoint.ParseTree(strings.SplitAfter(x.Checkpoints[0], "\n\n")[0][:strings.Index(x.Checkpoints[0], "\n\n")+1])
		if err != nil || tree.Size <= i {
			return nil
		}
		var path []string
		for _, h := range l.Path(i, tree.Size) {
			path = append(path, tlog.Hash(h).String())
		}
		at := i
		if rapid.IntRange(0, 3).Draw(rt, "elsewhere") == 0 {
			at = rapid.Uint64Range(0, l.Size()-1).Draw(rt, "place")
		}
		return &evidence.Entry{Index: at, Entry: l.Leaves[i], Path: path}
	}
	switch rapid.IntRange(0, 9).Draw(rt, "bend") {
	case 0:
		x.State = leaf()
	case 1:
		x.Genesis = leaf()
	case 2, 3:
		if e := leaf(); e != nil && len(x.Entries) > 0 {
			x.Entries[rapid.IntRange(0, len(x.Entries)-1).Draw(rt, "entry")] = *e
		}
	case 4:
		if n := len(x.Entries); n > 0 {
			i := rapid.IntRange(0, n-1).Draw(rt, "entry")
			x.Entries = slices.Delete(slices.Clone(x.Entries), i, i+1)
		}
	case 5:
		if n := len(x.Records); n > 0 {
			i := rapid.IntRange(0, n-1).Draw(rt, "record")
			x.Records = slices.Delete(slices.Clone(x.Records), i, i+1)
		}
	case 6:
		if n := len(x.Records); n > 0 {
			r := &x.Records[rapid.IntRange(0, n-1).Draw(rt, "record")]
			*r = evidence.Record{Kind: r.Kind, ID: r.ID, Map: r.Map} // "there is none"
		}
	case 7:
		if n := len(x.Proof); n > 0 {
			i := rapid.IntRange(0, n-1).Draw(rt, "hash")
			x.Proof[i] = x.Proof[rapid.IntRange(0, n-1).Draw(rt, "other")]
		}
	case 8:
		for i := range x.Checkpoints {
			x.Checkpoints[i] = string(signed(t, l.Tree(rapid.Uint64Range(0, l.Size()).Draw(rt, "size")), w2))
		}
		if x.Kind == evidence.Rule { // an honest log does not sign a tree that ends with a statement
			x.Checkpoints[0] = string(signed(t, l.Tree(l.Size())))
		}
	case 9:
		if len(x.Records) > 1 {
			x.Records[0].Map = x.Records[1].Map
		}
	}
}

// TestNewerRules: an entry that a newer rule set may allow proves no breach, whatever it looks
// like to this program.
func TestNewerRules(t *testing.T) {
	p := policy(t)
	l := trialtest.NewLog(t)
	open(l)
	l.Close()
	from := l.Size() + 2
	l.Admit("registrar", &trial.Rules{Common: trialtest.Common(), From: from, Set: 2}, trial.NamedSubject("rules",
		sha256.Sum256([]byte("2"))))
	l.Close()
	l.Append([]byte("whatever rule set 2 may hold"))
	newer := func(what string, x *evidence.Evidence) {
		t.Helper()
		v, err := x.Verify(p)
		if n, ok := errors.AsType[*trial.NewerRules](err); !ok || n.From != from || n.Set != 2 {
			t.Errorf("%s: %+v, %v", what, v, err)
		}
	}
	for back := range 3 {
		x := rule(t, l, l.Size(), back, l.Size())
		newer(fmt.Sprint("from ", back, " state entries before"), x)
	}
	x := rule(t, l, l.Size(), 1, l.Size())
	x.Records = slices.DeleteFunc(x.Records, func(r evidence.Record) bool { return r.Kind == "log" })
	if v, err := x.Verify(p); !errors.Is(err, evidence.ErrNothing) {
		t.Errorf("without the log's record: %+v, %v", v, err)
	}
}

func FuzzParse(f *testing.F) {
	p := policy(f)
	want := map[string]string{}
	for _, x := range examples(f) {
		line := x.Marshal()
		v, err := verify(p, line)
		if err != nil {
			f.Fatal(err)
		}
		want[v.Text] = v.Kind
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		x, err := evidence.Parse(line)
		if err != nil {
			return
		}
		if !bytes.Equal(bytes.TrimSuffix(x.Marshal(), []byte("\n")), bytes.TrimSuffix(line, []byte("\n"))) {
			t.Fatal("two spellings")
		}
		if v, err := x.Verify(p); err == nil && want[v.Text] != v.Kind {
			t.Fatalf("it proves %+v", v)
		}
	})
}

// TestSpelling: a witness's lines are in the canonical encoding too.
func TestSpelling(t *testing.T) {
	x := examples(t)["fork"]
	line := string(x.Marshal())
	if !strings.HasPrefix(line, `{"kind":"fork","checkpoints":["log.example/trials\n5\n`) || !strings.HasSuffix(line, "\"]}\n") {
		t.Errorf("a fork is %s", line)
	}
	var loose map[string]any
	if err := json.Unmarshal([]byte(line), &loose); err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{"", "{}", "[]", "null", line + line, line + " ", " " + line, strings.Replace(line, `"kind"`, `"Kind"`,
		1), strings.Replace(line, `{`, `{"x":1,`, 1), strings.Replace(line, `{`, `{"kind":"fork",`, 1)} {
		if v, err := verify(policy(t), []byte(other)); !errors.Is(err, evidence.ErrNothing) {
			t.Errorf("%.60q: %v, %v", other, v, err)
		}
	}
}
