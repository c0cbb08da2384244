package trial_test

import (
	"encoding/binary"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
)

// goldenEntries returns the log of every kind, verified.
func goldenEntries(t *testing.T) []*trial.Entry {
	t.Helper()
	data, err := os.ReadFile("testdata/golden/rules-1.entries")
	if err != nil {
		t.Fatal(err)
	}
	var list []*trial.Entry
	for len(data) > 2 {
		end := 2 + int(binary.BigEndian.Uint16(data))
		list = append(list, verified(t, data[2:end]))
		data = data[end:]
	}
	return list
}

func verified(t *testing.T, raw []byte) *trial.Entry {
	t.Helper()
	e, err := trial.ParseEntry(raw)
	if err == nil {
		err = e.Verify()
	}
	if err != nil {
		t.Fatal(err)
	}
	return e
}

var entryTime = regexp.MustCompile(`"time":"[^"]*","type":"statement"}$`)

// TestPart: with the records that Consulted names, and no others, a Part judges every entry of
// every kind as the State does: the entries that keep the rules, with the map roots that
// follow, and, at every index, each statement of the log once more. Without any one of the
// records it judges nothing wrongly.
func TestPart(t *testing.T) {
	golden := goldenEntries(t)
	genesis := golden[0].Genesis
	s := new(trial.State)
	var last *trial.StateEntry
	var since []*trial.Entry
	same := func(entries []*trial.Entry, want error) {
		t.Helper()
		size, root := s.Size(), s.MapRoot()
		known, err := s.Consulted(entries)
		if err != nil || s.Size() != size || s.MapRoot() != root {
			t.Fatalf("at %d: the state was altered: %v", size, err)
		}
		if last == nil {
			known = nil
		}
		judge := func(known []trial.Known) error {
			p, err := trial.NewPart(genesis, last, known)
			if err != nil {
				t.Fatalf("at %d: %v", size, err)
			}
			for i, e := range entries {
				if err := p.Judges(); err != nil {
					return err
				}
				if err = p.Apply(e); err != nil && i < len(entries)-1 && !errors.Is(err, trial.ErrUnknown) {
					t.Fatalf("at %d: entry %d of %d: %v", size, i, len(entries), err)
				} else if err != nil {
					return err
				}
			}
			return nil
		}
		if got := judge(known); (got == nil) != (want == nil) || got != nil && got.Error() != want.Error() {
			t.Fatalf("at %d: a part says %v, the state %v", size, got, want)
		}
		for i := range known {
			got := judge(slices.Delete(slices.Clone(known), i, i+1))
			if !errors.Is(got, trial.ErrUnknown) {
				t.Fatalf("at %d: without %v a part says %v", size, known[i].Key, got)
			}
		}
	}
	repeated := map[trial.Rule]int{}
	for i, e := range golden {
		for _, old := range golden[:i] { // once more, with the time that it would have now
			if old.Statement == nil {
				continue
			}
			at := entryTime.Find(e.Raw)
			if at == nil || i%3 != 0 {
				continue
			}
			again := verified(t, entryTime.ReplaceAll(old.Raw, at))
			before := s.Size()
			err := s.Apply(again)
			if err == nil { // it was admitted again: the loop above covers that
				behind(t, s, golden[:i])
				continue
			}
			if s.Size() != before {
				t.Fatal("refused, and the state changed")
			}
			repeated[trial.RuleOf(err)]++
			same(append(slices.Clone(since), again), err)
		}
		if err := s.Apply(e); err != nil {
			t.Fatal(err)
		}
		since = append(since, e)
		same(since, nil)
		if e.State != nil {
			s.Commit()
			last, since = e.State, nil
		}
	}
	if len(repeated) < 3 {
		t.Errorf("too few rules were broken: %v", repeated)
	}
}

// behind returns s to the state after entries, after another entry was applied.
func behind(t *testing.T, s *trial.State, entries []*trial.Entry) {
	t.Helper()
	*s = trial.State{}
	for _, e := range entries {
		if err := s.Apply(e); err != nil {
			t.Fatal(err)
		}
		if e.State != nil {
			s.Commit()
		}
	}
}

// TestPartRefuses: a Part refuses records that its proofs do not show.
func TestPartRefuses(t *testing.T) {
	golden := goldenEntries(t)
	s := new(trial.State)
	var last *trial.StateEntry
	var since []*trial.Entry
	for _, e := range golden {
		if err := s.Apply(e); err != nil {
			t.Fatal(err)
		}
		since = append(since, e)
		if e.State != nil && len(since) > 2 && last != nil {
			break
		} else if e.State != nil {
			s.Commit()
			last, since = e.State, nil
		}
	}
	fresh := func() []trial.Known {
		known, err := s.Consulted(since)
		if err != nil || len(known) < 2 {
			t.Fatal(known, err)
		}
		return known
	}
	if _, err := trial.NewPart(golden[0].Genesis, last, fresh()); err != nil {
		t.Fatal(err)
	}
	has := func(k trial.Known) bool { return len(k.Record) > 0 }
	for name, bend := range map[string]func(known []trial.Known) []trial.Known{
		"a record twice":    func(k []trial.Known) []trial.Known { return append(k, k[0]) },
		"one withheld":      func(k []trial.Known) []trial.Known { k[slices.IndexFunc(k, has)].Record = nil; return k },
		"one altered":       func(k []trial.Known) []trial.Known { k[slices.IndexFunc(k, has)].Record[12] ^= 1; return k },
		"one of another":    func(k []trial.Known) []trial.Known { k[0].Record, k[1].Record = k[1].Record, k[0].Record; return k },
		"another's proof":   func(k []trial.Known) []trial.Known { k[0].Proof = k[1].Proof; return k },
		"no proof":          func(k []trial.Known) []trial.Known { k[0].Proof.Siblings = nil; return k },
		"another kind's":    func(k []trial.Known) []trial.Known { k[0].Key.Kind += "x"; return k },
		"a sibling altered": func(k []trial.Known) []trial.Known { k[0].Proof.Siblings[0][0] ^= 1; return k },
	} {
		if _, err := trial.NewPart(golden[0].Genesis, last, bend(fresh())); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// TestRulesAskForRecords reads the sources. If a rule looked at a record other than by get, a
// Part would judge as if there were no such record.
func TestRulesAskForRecords(t *testing.T) {
	allowed := []string{"get", "Record", "Records", "Len", "rehash", "Rollback", "Changed", "fill", "makeMaps", "put", "finish",
		"Consulted", "Touched"}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				sel, ok := n.(*ast.SelectorExpr)
				if !ok || sel.Sel.Name != "records" {
					return true
				}
				if seen++; !slices.Contains(allowed, fn.Name.Name) {
					t.Errorf("%s: %s looks at records without asking: use State.get", set.Position(sel.Pos()), fn.Name.Name)
				}
				return true
			})
		}
	}
	if seen < 10 {
		t.Errorf("only %d places found", seen)
	}
}
