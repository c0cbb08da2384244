package audit_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/audit"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/evidence"
	"github.com/trialproof/trialproof/trial/tile"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// proves audits s, with tiles and without. A third party with the policy must come to the same
// result from the evidence file.
func proves(t *testing.T, s *source, want evidence.Verdict) {
	t.Helper()
	var lines [2][]byte
	for i, withhold := range []bool{false, true} {
		s.withhold = withhold
		a := audit.New(s.policy, s)
		if _, err := a.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		lines[i] = provesLast(t, a, s, want)
	}
	if !bytes.Equal(lines[0], lines[1]) {
		t.Errorf("with tiles\n%s\nwithout\n%s", lines[0], lines[1])
	}
}

func provesLast(t *testing.T, a *audit.Auditor, s *source, want evidence.Verdict) []byte {
	t.Helper()
	x, err := a.Evidence(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	line := x.Marshal()
	if x, err = evidence.Parse(line); err != nil {
		t.Fatal(err)
	}
	v, err := x.Verify(s.policy)
	if err != nil {
		t.Fatal(err)
	}
	if v.Kind != want.Kind || v.Origin != want.Origin || v.Size != want.Size || v.Index != want.Index || v.Rule != want.Rule ||
		!strings.Contains(v.Text, want.Text) {
		t.Fatalf("it proves %+v, want %+v", v, want)
	}
	if v.Kind == "rule" && !slices.Equal(v.Witnesses, []string{w1.Key}) {
		t.Errorf("witnesses named: %v", v.Witnesses)
	}
	return line
}

// TestBreachesAlone: breaches that are in no batch, or that end the tree.
func TestBreachesAlone(t *testing.T) {
	bend := func(f func(g *trial.Genesis)) []byte {
		g := *trialtest.Genesis()
		f(&g)
		raw, err := g.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	for name, c := range map[string]struct {
		make  func(l *trialtest.Log)
		index uint64
		rule  trial.Rule
	}{
		"no genesis": {func(l *trialtest.Log) { l.Truncate(0); l.Append([]byte("\xff{}")) }, 0, trial.RuleMalformed},
		"another log's genesis": {func(l *trialtest.Log) {
			l.Truncate(0)
			l.Append(bend(func(g *trial.Genesis) { g.Log = "other.example/log" }))
		}, 0, trial.RuleLog},
		"a registrar twice": {func(l *trialtest.Log) {
			l.Truncate(0)
			l.Append(bend(func(g *trial.Genesis) { g.Registrars = append(g.Registrars, g.Registrars...) }))
		}, 0, trial.RuleMalformed},
		"no state entry behind the genesis": {func(l *trialtest.Log) { l.Truncate(1) }, 0, trial.RuleState},
		"a statement before the first state " +
			"entry": {func(l *trialtest.Log) { open(l); last := l.Leaves[3]; l.Truncate(1); l.Append(last) }, 1, trial.RuleNotEnrolled},
		"no state entry at the end": {func(l *trialtest.Log) { open(l) }, 3, trial.RuleState},
	} {
		t.Run(name, func(t *testing.T) {
			l := trialtest.NewLog(t)
			c.make(l)
			proves(t, newSource(t, l), evidence.Verdict{Kind: "rule", Origin: trialtest.Origin, Size: l.Size(), Index: c.index,
				Rule: c.rule})
		})
	}
}

// rewritten returns a log of n entries that differs from the one of grow in entry at.
func rewritten(t *testing.T, l *trialtest.Log, at int) *trialtest.Log {
	t.Helper()
	other := trialtest.NewLog(t)
	other.Truncate(0)
	for i, raw := range l.Leaves {
		if i == at {
			raw = append(slices.Clone(raw), ' ')
		}
		other.Append(raw)
	}
	return other
}

// TestTwoTrees: the log goes on from another past than the one it published. Whether it shows a
// tree of the same size, a larger or a smaller one, and whether it serves tiles or not, the two
// signatures are proof. An old tree alone proves nothing.
func TestTwoTrees(t *testing.T) {
	l := trialtest.NewLog(t)
	grow(l, open(l), 300)
	other := rewritten(t, l, 5)
	n := l.Size()
	for _, first := range []uint64{8, 9, 256, 257, n - 1} { // state entries end there or not: it does not matter here
		for _, second := range []uint64{7, 8, 256, 300, n} {
			for _, withhold := range []bool{false, true} {
				for _, forked := range []bool{false, true} {
					at := l
					if forked {
						at = other
					}
					e, err := audit.Compare(t.Context(), newPolicy(t), &source{log: at, withhold: withhold, tiles: map[string]int{}},
						signedBy(t, l.Tree(first), logKey), signedBy(t, at.Tree(second), logKey))
					if forked && second < first { // the hashes of the larger tree are those of first
						if err == nil || errors.Is(err, audit.ErrConsistent) {
							t.Fatalf("%d, then %d: %v, %v", first, second, e, err)
						}
						e, err = audit.Compare(t.Context(), newPolicy(t), &source{log: l, withhold: withhold, tiles: map[string]int{}},
							signedBy(t, l.Tree(first), logKey), signedBy(t, at.Tree(second), logKey))
					}
					switch {
					case !forked && !errors.Is(err, audit.ErrConsistent):
						t.Fatalf("%d, then %d: %v, %v", first, second, e, err)
					case forked && err != nil:
						t.Fatalf("%d, then %d: %v", first, second, err)
					case forked && (e.Kind == evidence.Fork) != (first == second):
						t.Fatalf("%d, then %d: %s", first, second, e.Kind)
					}
				}
			}
		}
	}
}

// TestEvidenceOfTwoTrees: the evidence of an auditor that was shown both trees.
func TestEvidenceOfTwoTrees(t *testing.T) {
	l := trialtest.NewLog(t)
	id := open(l)
	grow(l, id, 20)
	size := l.Size()
	first := signedBy(t, l.Tree(size), logKey, w1, w2)
	grow(l, id, 20)
	for name, c := range map[string]struct {
		tree func(other *trialtest.Log) checkpoint.Tree
		want string // "" if nothing can be proven
	}{
		"same size":  {func(o *trialtest.Log) checkpoint.Tree { return o.Tree(size) }, evidence.Fork},
		"larger":     {func(o *trialtest.Log) checkpoint.Tree { return o.Tree(o.Size()) }, evidence.Inconsistent},
		"smaller":    {func(o *trialtest.Log) checkpoint.Tree { return o.Tree(size - 3) }, evidence.Inconsistent},
		"an old one": {func(*trialtest.Log) checkpoint.Tree { return l.Tree(size - 3) }, ""},
		"nothing, and so": {func(*trialtest.Log) checkpoint.Tree {
			return checkpoint.Tree{Origin: trialtest.Origin, Root: [32]byte{1}}
		}, evidence.Inconsistent},
		"nothing, rightly": {func(*trialtest.Log) checkpoint.Tree { return l.Tree(0) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSource(t, l)
			s.checkpoint = first
			a := audit.New(s.policy, s)
			if r, err := a.Run(t.Context()); err != nil || len(r.Findings) > 0 {
				t.Fatal(r, err)
			}
			other := rewritten(t, l, 7)
			tree := c.tree(other)
			s.checkpoint = signedBy(t, tree, logKey, w1, w2)
			if tree.Size > size {
				s.log = other
			}
			r, err := a.Run(t.Context())
			if err != nil || len(r.Findings) == 0 {
				t.Fatal(r, err)
			}
			if c.want == "" {
				if x, err := a.Evidence(t.Context()); !errors.Is(err, audit.ErrUnprovable) {
					t.Errorf("%v, %v", x, err)
				}
				return
			}
			provesLast(t, a, s, evidence.Verdict{Kind: c.want, Origin: trialtest.Origin, Size: max(size, tree.Size)})
		})
	}
}

// TestUnprovable: faults that the network may have caused prove nothing about anyone.
func TestUnprovable(t *testing.T) {
	l := trialtest.NewLog(t)
	grow(l, open(l), 20)
	s := newSource(t, l)
	altered := slices.Clone(l.Leaves[6])
	altered[len(altered)/2] ^= 1
	l.Leaves[6] = altered
	a := audit.New(s.policy, s)
	if r, err := a.Run(t.Context()); err != nil || len(r.Findings) < 2 {
		t.Fatal(r, err)
	}
	if x, err := a.Evidence(t.Context()); !errors.Is(err, audit.ErrUnprovable) {
		t.Errorf("%+v, %v", x, err)
	}
	// A breach in a tree that was not read to its end is not known to be in it.
	l = trialtest.NewLog(t)
	id := open(l)
	l.Append([]byte("x"))
	l.State.Skip(l.Size() - 1)
	grow(l, id, 300)
	s = newSource(t, l)
	s.publish(t, checkpoint.Tree{Origin: trialtest.Origin, Size: 2 * l.Size()})
	a = audit.New(s.policy, s)
	if r, err := a.Run(t.Context()); err != nil || len(r.Findings) != 1 || r.Incomplete == nil {
		t.Fatal(r, err)
	}
	if x, err := a.Evidence(t.Context()); !errors.Is(err, audit.ErrUnprovable) {
		t.Errorf("%+v, %v", x, err)
	}
	// If the tiles show that the entry is in the tree, withholding a bundle does not help.
	s = newSource(t, l)
	s.fail = func(_ context.Context, path string) error {
		if path == tile.Path(tile.Entries, 1, int(l.Size()-tile.Width)) {
			return errors.New("withheld")
		}
		return nil
	}
	a = audit.New(s.policy, s)
	if r, err := a.Run(t.Context()); err != nil || len(r.Findings) != 1 || r.Incomplete == nil {
		t.Fatal(r, err)
	}
	provesLast(t, a, s, evidence.Verdict{Kind: evidence.Rule, Origin: trialtest.Origin, Size: l.Size(), Index: 4,
		Rule: trial.RuleMalformed})
}
