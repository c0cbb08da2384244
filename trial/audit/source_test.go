package audit_test

import (
	"bytes"
	"context"
	"crypto/sha256"
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
	"github.com/trialproof/trialproof/trial/tile"
	"github.com/trialproof/trialproof/trial/trialtest"
)

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
		{"no state entry at the end", checkpoint.Tree{}, l.Tree(l.Size()), []trialtest.Cosigner{w1, w2},
			[]string{fmt.Sprintf("rule at %d", open)}},
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
		"another log's": {bend(func(g *trial.Genesis) { g.Log = "other.example/log" }),
			`rule at 0: R5: statement for another log: the genesis is of the log "other.example/log"`},
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
		l.Admit("registrar", &trial.Rules{Common: trialtest.Common(), From: index, Set: 2}, trial.NamedSubject("rules",
			sha256.Sum256([]byte("2"))))
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
		if newer := newerRules(err); newer == nil || newer.From != index || newer.Set != 2 || !strings.Contains(err.Error(),
			"needs a newer trialproof") {
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
		if r, err := audit.New(s.policy, s).Run(t.Context()); err == nil || r != nil || !strings.Contains(err.Error(),
			"ends within entry") {
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
