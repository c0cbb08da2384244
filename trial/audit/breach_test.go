package audit_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/audit"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/evidence"
	"github.com/trialproof/trialproof/trial/tile"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// grow adds n documents of the trial to l, in trees of a few.
func grow(l *trialtest.Log, id trial.Hash, n int) {
	for i := range n {
		l.Admit("ada", &trial.Document{Common: trialtest.Common(), Trial: id, Version: fmt.Sprint(l.Size())}, trialtest.Documents("document", fmt.Sprint(i)))
		if i%7 == 6 {
			l.Close()
		}
	}
	l.Close()
}

func run(t testing.TB, s *source) *audit.Report {
	t.Helper()
	r, err := audit.New(s.policy, s).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestClean(t *testing.T) {
	l := trialtest.NewLog(t)
	id := open(l)
	grow(l, id, 600)
	s := newSource(t, l)
	var progress []uint64
	a := audit.New(s.policy, s)
	a.Progress = func(done, total uint64) {
		if total != l.Size() {
			t.Errorf("progress of %d", total)
		}
		progress = append(progress, done)
	}
	r, err := a.Run(t.Context())
	if err != nil || len(r.Findings) > 0 || r.From != 0 || r.Incomplete != nil || r.Checkpoint.Size != l.Size() {
		t.Fatal(r, err)
	}
	if a.Size() != l.Size() || a.State().MapRoot() != l.State.MapRoot() || a.State().Size() != l.Size() {
		t.Errorf("the replay leads to size %d and map root %s", a.Size(), a.State().MapRoot())
	}
	if len(progress) != 3 || progress[2] != l.Size() || !slices.IsSorted(progress) {
		t.Errorf("progress %v", progress)
	}
	for path, n := range s.tiles {
		if n != 1 {
			t.Errorf("%s was fetched %d times", path, n)
		}
	}
	// If there is nothing new, nothing is fetched.
	s.tiles = map[string]int{}
	if r, err := a.Run(t.Context()); err != nil || len(r.Findings) > 0 || len(s.tiles) != 0 || r.From != l.Size() {
		t.Errorf("%+v, %v, fetched %v", r, err, s.tiles)
	}
}

// entry writes a statement's entry as a log's operator might, without the rules.
func entry(t testing.TB, s *trial.Signed, signer trial.Signer, at trial.Time) []byte {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(struct {
		Envelope trial.Envelope `json:"envelope"`
		Signer   trial.Signer   `json:"signer"`
		Time     trial.Time     `json:"time"`
		Type     string         `json:"type"`
	}{s.Envelope, signer, at, "statement"})
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'})
}

// TestBreaches puts one entry into a clean log that its rules forbid. The audit names it, its
// rule and its index, and goes on after it.
func TestBreaches(t *testing.T) {
	type world struct {
		l      *trialtest.Log
		id     trial.Hash // of ada's trial
		other  trial.Hash // of ben's
		ada    trial.Signer
		ben    trial.Signer
		gone   trial.Signer // whose key is revoked
		head   trial.Hash   // of the protocol
		common trial.Common
	}
	build := func(t *testing.T) *world {
		l := trialtest.NewLog(t)
		w := &world{l: l, common: trialtest.Common()}
		w.id = open(l)
		w.ada = trial.Signer{Enrolled: 2, Key: trialtest.Public("ada"), Org: "acme", Role: "administrator"}
		p, s := trialtest.Org("beta", "Beta", "ben")
		l.Admit("registrar", p, s)
		w.ben = trial.Signer{Enrolled: l.Size() - 1, Key: trialtest.Public("ben"), Org: "beta", Role: "administrator"}
		p, s = trialtest.Register("Y-1", "beta")
		w.other = l.Admit("ben", p, s).ID
		p, s = trialtest.Enrol("acme", "gus", "signer")
		l.Admit("ada", p, s)
		w.gone = trial.Signer{Enrolled: l.Size() - 1, Key: trialtest.Public("gus"), Org: "acme", Role: "signer"}
		l.Admit("ada", &trial.Key{Common: w.common, Action: "revoke", Org: "acme", Revoke: w.gone.Key.ID()}, trial.NamedSubject("key", w.gone.Key.ID()))
		w.head = l.Admit("ada", &trial.Protocol{Common: w.common, Scope: "global", Trial: w.id, Version: "1"}, trialtest.Documents("protocol", "a")).ID
		l.Close()
		return w
	}
	documents := func(w *world, c trial.Common, id trial.Hash) (trial.Predicate, []trial.Subject) {
		return &trial.Document{Common: c, Trial: id, Version: "breach"}, trialtest.Documents("document", "x")
	}
	by := func(who string, signer func(w *world) trial.Signer, make func(w *world) (trial.Predicate, []trial.Subject)) func(t *testing.T, w *world) []byte {
		return func(t *testing.T, w *world) []byte {
			p, s := make(w)
			return entry(t, trialtest.Check(t, who, p, s), signer(w), w.l.State.Time())
		}
	}
	ada := func(w *world) trial.Signer { return w.ada }
	ben := func(w *world) trial.Signer { return w.ben }
	plain := func(w *world) (trial.Predicate, []trial.Subject) { return documents(w, w.common, w.id) }
	edit := func(old, new string) func(t *testing.T, w *world) []byte {
		return func(t *testing.T, w *world) []byte {
			raw := by("ada", ada, plain)(t, w)
			if !bytes.Contains(raw, []byte(old)) {
				t.Fatalf("%s is not in %s", old, raw)
			}
			return bytes.Replace(raw, []byte(old), []byte(new), 1)
		}
	}
	state := func(t *testing.T, w *world) []byte { // the true state entry
		s := new(trial.State)
		for _, raw := range w.l.Leaves {
			e, err := trial.ParseEntry(raw)
			if err == nil {
				if err = e.Verify(); err == nil {
					err = s.Apply(e)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		raw, err := s.Close(s.Time())
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	editState := func(old, new string) func(t *testing.T, w *world) []byte {
		return func(t *testing.T, w *world) []byte {
			raw := state(t, w)
			if !bytes.Contains(raw, []byte(old)) {
				t.Fatalf("%s is not in %s", old, raw)
			}
			return bytes.Replace(raw, []byte(old), []byte(new), 1)
		}
	}
	for _, c := range []struct {
		name string
		rule trial.Rule
		make func(t *testing.T, w *world) []byte
	}{
		{"nothing wrong", "", by("ada", ada, plain)},
		{"no entry", trial.RuleMalformed, func(*testing.T, *world) []byte { return []byte("hello") }},
		{"an empty leaf", trial.RuleMalformed, func(*testing.T, *world) []byte { return nil }},
		{"another spelling", trial.RuleMalformed, edit(`"time":`, `"time": `)},
		{"an unsigned entry", trial.RuleMalformed, edit(`"signatures":[{`, `"signatures":[],"x":[{`)},
		{"too many subjects", trial.RuleMalformed, edit(`"sig":"`, `"sig":"A`)},
		{"a key that is not enrolled", trial.RuleNotEnrolled, by("mallory", func(w *world) trial.Signer { s := w.ada; s.Key = trialtest.Public("mallory"); return s }, plain)},
		{"a signature by another key", trial.RuleSignature, func(t *testing.T, w *world) []byte {
			p, s := plain(w)
			good, bad := trialtest.Check(t, "ada", p, s), trialtest.Check(t, "mallory", p, s)
			bad.Envelope.Signatures[0].KeyID = good.Envelope.Signatures[0].KeyID
			return entry(t, bad, w.ada, w.l.State.Time())
		}},
		{"another log's statement", trial.RuleLog, by("ada", ada, func(w *world) (trial.Predicate, []trial.Subject) {
			c := w.common
			c.Log = "other.example/log"
			return documents(w, c, w.id)
		})},
		{"a revoked key", trial.RuleRevoked, by("gus", func(w *world) trial.Signer { return w.gone }, plain)},
		{"a role that does not entitle", trial.RuleRole, by("ada", ada, func(w *world) (trial.Predicate, []trial.Subject) { return trialtest.Org("gamma", "Gamma", "gil") })},
		{"another's trial", trial.RuleHolder, by("ben", ben, plain)},
		{"no trial", trial.RuleUnknown, by("ada", ada, func(w *world) (trial.Predicate, []trial.Subject) { return documents(w, w.common, trial.Hash{9}) })},
		{"a second head", trial.RulePredecessor, by("ada", ada, func(w *world) (trial.Predicate, []trial.Subject) {
			return &trial.Protocol{Common: w.common, Scope: "global", Trial: w.id, Version: "2"}, trialtest.Documents("protocol", "b")
		})},
		{"a number that is taken", trial.RuleTaken, by("ada", ada, func(w *world) (trial.Predicate, []trial.Subject) { return trialtest.Register("X-1") })},
		{"a signature from the future", trial.RuleSignedAt, by("ada", ada, func(w *world) (trial.Predicate, []trial.Subject) {
			c := w.common
			c.SignedAt += 3_600_000
			return documents(w, c, w.id)
		})},
		{"another organisation as signer", trial.RuleSigner, edit(`"org":"acme","role"`, `"org":"beta","role"`)},
		{"another role as signer", trial.RuleSigner, edit(`"role":"administrator"}`, `"role":"signer"}`)},
		{"another enrolment as signer", trial.RuleSigner, edit(`"enrolled":2`, `"enrolled":3`)},
		{"time backwards", trial.RuleTime, edit(`"time":"2026-03-01`, `"time":"2026-02-28`)},
		{"a genesis", trial.RuleOrder, func(t *testing.T, w *world) []byte { return w.l.Leaves[0] }},
		{"a state entry of another size", trial.RuleState, editState(`"size":10`, `"size":11`)},
		{"a state entry of another root", trial.RuleState, editState(`"root":"`, `"root":"0000000000000000000000000000000000000000000000000000000000000001","x":"`)},
		{"a newer rule set at another size", trial.RuleState, editState(`"rules":1,"size":10`, `"rules":2,"size":11`)},
		{"a newer rule set before its time", trial.RuleTime, editState(`"rules":1,"size":10,"time":"2026-03-01`, `"rules":2,"size":10,"time":"2026-02-28`)},
		{"a state entry announcing no rule set", trial.RuleMalformed, editState(`"rules":1`, `"rules":0`)},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := build(t)
			index := w.l.Size()
			raw := c.make(t, w)
			if i := bytes.Index(raw, []byte(`,"x":"`)); i >= 0 { // drop the old root
				raw = append(raw[:i:i], raw[i+len(`,"x":"`)+64+1:]...)
			}
			w.l.Append(raw)
			w.l.State.Skip(index)
			if c.rule == "" {
				e, err := trial.ParseEntry(raw)
				if err == nil {
					if err = e.Verify(); err == nil {
						w.l.State.Rollback()
						err = w.l.State.Apply(e)
					}
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			w.l.Close()
			grow(w.l, w.id, 3) // the entries after it are judged too
			r := run(t, newSource(t, w.l))
			if c.rule == "" {
				if len(r.Findings) > 0 {
					t.Fatalf("findings %v", r.Findings)
				}
				return
			}
			if len(r.Findings) != 1 || r.Findings[0].Index != index || r.Findings[0].Kind != "rule" || r.Findings[0].Rule != c.rule {
				t.Fatalf("findings %v, want one at %d by %s", r.Findings, index, c.rule)
			}
			if !strings.Contains(r.Findings[0].String(), fmt.Sprintf("rule at %d: %s", index, c.rule)) {
				t.Errorf("it says %q", r.Findings[0])
			}
			proves(t, newSource(t, w.l), evidence.Verdict{Kind: "rule", Origin: trialtest.Origin, Size: w.l.Size(), Index: index, Rule: c.rule})
		})
	}
}

// TestAlteredEntry alters single bytes of what the log serves, under the checkpoint of what it
// served before.
func TestAlteredEntry(t *testing.T) {
	l := trialtest.NewLog(t)
	grow(l, open(l), 20)
	s := newSource(t, l)
	for index := range l.Size() {
		raw := l.Leaves[index]
		for _, at := range []int{0, len(raw) / 3, len(raw) / 2, len(raw) - 2} {
			altered := slices.Clone(raw)
			altered[at] ^= 1
			l.Leaves[index] = altered
			r := run(t, s)
			l.Leaves[index] = raw
			if !slices.ContainsFunc(r.Findings, func(f audit.Finding) bool { return f.Kind == "root" && f.Index == l.Size() }) {
				t.Fatalf("entry %d byte %d: no finding of the root in %v", index, at, r.Findings)
			}
			if f := r.Findings[0]; f.Kind == "rule" && f.Index < index {
				t.Fatalf("entry %d byte %d: the first finding is %v", index, at, f)
			}
		}
	}
}

// TestCheckpoints alters what is published over clean entries.
func TestCheckpoints(t *testing.T) {
	l := trialtest.NewLog(t)
	id := open(l)
	grow(l, id, 10)
	tree := l.Tree(l.Size())
	forked := tree
	forked.Root[5] ^= 1
	open := l.Size() // a tree that ends in a statement
	l.Admit("ada", &trial.Document{Common: trialtest.Common(), Trial: id}, trialtest.Documents("document", "z"))
	cases := []struct {
		name  string
		first checkpoint.Tree // replayed before, if not empty
		tree  checkpoint.Tree
		who   []trialtest.Cosigner
		want  []string
	}{
		{"clean", checkpoint.Tree{}, tree, []trialtest.Cosigner{w1, w2}, nil},
		{"another root", checkpoint.Tree{}, forked, []trialtest.Cosigner{w1, w2}, []string{fmt.Sprintf("root at %d", tree.Size)}},
		{"no quorum", checkpoint.Tree{}, tree, []trialtest.Cosigner{w1}, []string{fmt.Sprintf("quorum at %d", tree.Size)}},
		{"no witness", checkpoint.Tree{}, tree, nil, []string{fmt.Sprintf("quorum at %d", tree.Size)}},
		{"fork", tree, forked, []trialtest.Cosigner{w1, w2}, []string{fmt.Sprintf("fork at %d", tree.Size)}},
		{"rollback", tree, l.Tree(4), []trialtest.Cosigner{w1, w2}, []string{"rollback at 4"}},
		{"rollback to nothing", tree, l.Tree(0), []trialtest.Cosigner{w1, w2}, []string{"rollback at 0"}},
		{"no state entry at the end", checkpoint.Tree{}, l.Tree(l.Size()), []trialtest.Cosigner{w1, w2}, []string{fmt.Sprintf("rule at %d", open)}},
		{"the same again", tree, tree, []trialtest.Cosigner{w1, w2}, nil},
	}
	for _, c := range cases {
		s := newSource(t, l)
		a := audit.New(s.policy, s)
		if c.first.Size > 0 {
			s.publish(t, c.first)
			if r, err := a.Run(t.Context()); err != nil || len(r.Findings) > 0 {
				t.Fatal(r, err)
			}
		}
		var signers []trialtest.Cosigner
		signers = append(append(signers, logKey), c.who...)
		s.checkpoint = signedBy(t, c.tree, signers...)
		r, err := a.Run(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		var got []string
		for _, f := range r.Findings {
			kind, _, _ := strings.Cut(f.String(), ": ")
			got = append(got, kind)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, r.Findings, c.want)
		}
		if _, err := a.Save(); (err != nil) != (c.first.Size == 0 && len(c.want) > 0) { // a clean result of before stays so
			t.Errorf("%s: saved: %v", c.name, err)
		}
	}
	// A key that the policy does not name is not a finding: the audit cannot be done.
	s := newSource(t, l)
	s.checkpoint = signedBy(t, tree, trialtest.Cosigner{Key: trialtest.Origin, Alg: 1, Seed: "mallory"}, w1, w2)
	if r, err := audit.New(s.policy, s).Run(t.Context()); err == nil {
		t.Errorf("a checkpoint that the log did not sign: %+v", r)
	}
}

func TestGenesis(t *testing.T) {
	g := trialtest.Genesis()
	bend := func(f func(g *trial.Genesis)) func() []byte {
		return func() []byte {
			c := *g
			f(&c)
			raw, err := c.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			return raw
		}
	}
	for name, c := range map[string]struct {
		make func() []byte
		want string
	}{
		"another log's":      {bend(func(g *trial.Genesis) { g.Log = "other.example/log" }), `rule at 0: R5: statement for another log: the genesis is of the log "other.example/log"`},
		"a registrar twice":  {bend(func(g *trial.Genesis) { g.Registrars = append(g.Registrars, g.Registrars...) }), "rule at 0: R1"},
		"a newer rule set":   {bend(func(g *trial.Genesis) { g.Rules = 2; g.Limits.Entry = 1 << 20 }), "newer"},
		"no genesis but one": {func() []byte { return []byte("{}") }, "rule at 0: R1"},
	} {
		l := new(trialtest.Log)
		*l = *trialtest.NewLog(t)
		l.Truncate(0)
		l.Append(c.make())
		s := newSource(t, l)
		r, err := audit.New(s.policy, s).Run(t.Context())
		if c.want == "newer" {
			if newer := newerRules(err); newer == nil || newer.From != 0 || newer.Set != 2 {
				t.Errorf("%s: %v, %v", name, r, err)
			}
			continue
		}
		if err != nil || len(r.Findings) == 0 || !strings.HasPrefix(r.Findings[0].String(), c.want) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

// TestNewerRules: entries after the index from which a registrar announced a rule set of the
// future end the audit without an alarm. They hide no earlier breach. A state entry that
// announces a rule set which no registrar announced is a breach like any other.
func TestNewerRules(t *testing.T) {
	for _, breach := range []bool{false, true} {
		l := trialtest.NewLog(t)
		grow(l, open(l), 5)
		if breach {
			l.Append([]byte("breach"))
			l.State.Skip(l.Size() - 1)
		}
		at := l.Size() - 1
		index := l.Size() + 2
		l.Admit("registrar", &trial.Rules{Common: trialtest.Common(), From: index, Set: 2}, trial.NamedSubject("rules", sha256.Sum256([]byte("2"))))
		l.Close()
		if !bytes.Contains(l.Leaves[index-1], []byte(`"rules":2`)) {
			t.Fatalf("the last entry before says %s", l.Leaves[index-1])
		}
		l.Append([]byte("whatever rule set 2 may hold"))
		s := newSource(t, l)
		a := audit.New(s.policy, s)
		r, err := a.Run(t.Context())
		if breach {
			if err != nil || len(r.Findings) != 1 || r.Findings[0].Index != at {
				t.Fatalf("with a breach before: %+v, %v", r, err)
			}
			err = r.Incomplete
		} else if r != nil {
			t.Errorf("%+v", r)
		}
		if newer := newerRules(err); newer == nil || newer.From != index || newer.Set != 2 || !strings.Contains(err.Error(), "needs a newer trialproof") {
			t.Errorf("%v", err)
		}
		if _, err := a.Save(); err == nil {
			t.Error("an audit that came to no end is saved")
		}
	}
	l := trialtest.NewLog(t)
	last := l.Leaves[1]
	l.Truncate(1)
	l.Append(bytes.Replace(last, []byte(`"rules":1`), []byte(`"rules":2`), 1))
	s := newSource(t, l)
	if r, err := audit.New(s.policy, s).Run(t.Context()); err != nil || len(r.Findings) == 0 || r.Findings[0].Rule != trial.RuleState {
		t.Errorf("a rule set that nobody announced: %+v, %v", r, err)
	}
}

// newerRules returns the *NewerRules in an error, or nil if there is none.
func newerRules(err error) *trial.NewerRules {
	newer, _ := errors.AsType[*trial.NewerRules](err)
	return newer
}

// TestSourceFails: a tile that cannot be fetched or is cut short is an error, not a finding,
// and leaves no goroutine running.
func TestSourceFails(t *testing.T) {
	l := trialtest.NewLog(t)
	open(l)
	for l.Size() < 20*tile.Width {
		l.Append([]byte("no entry"))
	}
	broken := errors.New("broken")
	for _, at := range []uint64{0, 1, 10, 19} {
		bad := tile.Path(tile.Entries, at, tile.Width)
		s := newSource(t, l)
		s.fail = func(_ context.Context, path string) error {
			if path == bad {
				return broken
			}
			return nil
		}
		var r *audit.Report
		var err error
		synctest.Test(t, func(t *testing.T) { // which fails if a goroutine is left
			r, err = audit.New(s.policy, s).Run(t.Context())
		})
		// The first bundle has bytes that are not entries: those are findings.
		if at == 0 && (r != nil || !errors.Is(err, broken) || !strings.Contains(err.Error(), bad)) {
			t.Errorf("%+v, %v", r, err)
		}
		if at > 0 && (err != nil || !errors.Is(r.Incomplete, broken) || len(r.Findings) == 0 || len(r.Findings) > 100) {
			t.Errorf("%+v, %v", r, err)
		}
	}
	for _, cut := range []int{1, 2, 10, 100} {
		l := trialtest.NewLog(t)
		grow(l, open(l), 3)
		s := newSource(t, l)
		s.cut = cut
		if r, err := audit.New(s.policy, s).Run(t.Context()); err == nil || r != nil || !strings.Contains(err.Error(), "ends within entry") {
			t.Errorf("cut by %d: %+v, %v", cut, r, err)
		}
	}
	l = trialtest.NewLog(t)
	s := newSource(t, l)
	l.Leaves[1] = append(l.Leaves[1], "xx"...) // one entry more in the tile than in the tree
	s.more = []byte{0, 1, 'x'}
	if r, err := audit.New(s.policy, s).Run(t.Context()); err == nil || r != nil || !strings.Contains(err.Error(), "after its last entry") {
		t.Errorf("bytes behind: %+v, %v", r, err)
	}
}

// TestInterrupted: an audit that a failing source ended can be run again. Until then there is
// nothing to resume from.
func TestInterrupted(t *testing.T) {
	l := trialtest.NewLog(t)
	id := open(l)
	grow(l, id, 10)
	s := newSource(t, l)
	a := audit.New(s.policy, s)
	if r, err := a.Run(t.Context()); err != nil || len(r.Findings) > 0 {
		t.Fatal(r, err)
	}
	grow(l, id, 600)
	s.publish(t, l.Tree(l.Size()))
	s.fail = func(_ context.Context, path string) error {
		if strings.Contains(path, "002") {
			return errors.New("broken")
		}
		return nil
	}
	if r, err := a.Run(t.Context()); err == nil || r != nil || a.Size() != 2*tile.Width {
		t.Fatalf("%+v, %v at %d", r, err, a.Size())
	}
	if data, err := a.Save(); err == nil {
		if _, err := audit.Resume(s.policy, s, data); err != nil {
			t.Errorf("what is saved cannot be resumed: %v", err)
		}
		t.Errorf("half an audit is saved: %.200s", data)
	}
	s.fail = nil
	if r, err := a.Run(t.Context()); err != nil || len(r.Findings) > 0 || r.From != 2*tile.Width {
		t.Fatalf("%+v, %v", r, err)
	}
	whole := audit.New(s.policy, s)
	if _, err := whole.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	one, err1 := a.Save()
	two, err2 := whole.Save()
	if err1 != nil || err2 != nil || !bytes.Equal(one, two) {
		t.Errorf("the interrupted audit ended elsewhere: %v, %v", err1, err2)
	}
}

// TestBounded: while the first bundle is awaited, only a few others are in memory. When the
// audit is cancelled, everything ends.
func TestBounded(t *testing.T) {
	l := trialtest.NewLog(t)
	for l.Size() < 60*tile.Width {
		l.Append([]byte("no entry"))
	}
	for _, all := range []bool{false, true} {
		bounded(t, l, all)
	}
}

func bounded(t *testing.T, l *trialtest.Log, all bool) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t, l)
		asked := make(chan string, 1000)
		hang := make(chan struct{})
		blocking := blockingSource{s, asked, hang, all}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			_, err := audit.New(s.policy, blocking).Run(ctx)
			done <- err
		}()
		synctest.Wait() // until every goroutine waits for something
		// One awaited, those in the queue, and one more.
		if n, most := len(asked), 2*runtime.GOMAXPROCS(0)+2; n == 0 || n > most {
			t.Errorf("%d bundles are fetched ahead; the most is %d", n, most)
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("called off: %v", err)
		}
	}) // which fails if a goroutine is left
}

type blockingSource struct {
	*source
	asked chan string
	hang  chan struct{}
	all   bool // all requests hang, not only that for the first bundle
}

func (b blockingSource) Tile(ctx context.Context, path string) ([]byte, error) {
	b.asked <- path
	if !b.all && path != tile.Path(tile.Entries, 0, tile.Width) {
		return b.source.Tile(ctx, path)
	}
	select {
	case <-b.hang:
	case <-ctx.Done():
	}
	return nil, ctx.Err()
}
