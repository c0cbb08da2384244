package audit_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/audit"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestResumeEqualsAWholeRun divides histories of every length into audits at random.
func TestResumeEqualsAWholeRun(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l := trialtest.NewLog(t)
		s := newSource(t, l)
		a := audit.New(s.policy, s)
		var id trial.Hash
		for range rapid.IntRange(1, 6).Draw(rt, "audits") {
			for range rapid.IntRange(0, 5).Draw(rt, "trees") {
				if id.IsZero() {
					id = open(l)
				}
				for range rapid.IntRange(0, 9).Draw(rt, "entries") {
					l.Admit("ada", &trial.Document{Common: trialtest.Common(), Trial: id}, trialtest.Documents("document", "x"))
				}
				l.Close()
			}
			s.publish(t, l.Tree(l.Size()))
			r, err := a.Run(t.Context())
			if err != nil || len(r.Findings) > 0 {
				rt.Fatal(r, err)
			}
			saved, err := a.Save()
			if err != nil {
				rt.Fatal(err)
			}
			whole := audit.New(s.policy, s)
			if r, err := whole.Run(t.Context()); err != nil || len(r.Findings) > 0 {
				rt.Fatal(r, err)
			}
			again, err := whole.Save()
			if err != nil || !bytes.Equal(saved, again) {
				rt.Fatalf("in parts\n%s\nas a whole\n%s\n%v", saved, again, err)
			}
			if rapid.Bool().Draw(rt, "resume") {
				size := a.Size()
				if a, err = audit.Resume(s.policy, s, saved); err != nil {
					rt.Fatal(err)
				}
				if a.Size() != size || a.State().MapRoot() != l.State.MapRoot() {
					rt.Fatalf("resumed at %d with %s", a.Size(), a.State().MapRoot())
				}
			}
		}
	})
}

// savedAudit returns the file of a clean audit of a small log.
func savedAudit(t testing.TB) (*source, []byte) {
	t.Helper()
	l := trialtest.NewLog(t)
	grow(l, open(l), 11)
	s := newSource(t, l)
	a := audit.New(s.policy, s)
	if _, err := a.Save(); err == nil {
		t.Fatal("an audit that has not been run is saved")
	}
	if r, err := a.Run(t.Context()); err != nil || len(r.Findings) > 0 {
		t.Fatal(r, err)
	}
	data, err := a.Save()
	if err != nil {
		t.Fatal(err)
	}
	return s, data
}

// TestTamperedResume: every byte of the file counts. The file is checked against the
// checkpoint, so even a complete forged past is refused.
func TestTamperedResume(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	s, data := savedAudit(t)
	if _, err := audit.Resume(s.policy, s, data); err != nil {
		t.Fatal(err)
	}
	for i := range data {
		for _, bit := range []byte{1, 4, 0x20, 0x80} {
			altered := slices.Clone(data)
			altered[i] ^= bit
			if _, err := audit.Resume(s.policy, s, altered); err == nil {
				t.Fatalf("byte %d %q to %q is taken", i, data[i], altered[i])
			} else if !strings.HasPrefix(err.Error(), "state of an audit: ") {
				t.Fatalf("byte %d: %v", i, err)
			}
		}
		if _, err := audit.Resume(s.policy, s, data[:i]); err == nil {
			t.Fatalf("cut to %d bytes, it is taken", i)
		}
	}
	// A complete other state, with its own state entry, under the genuine checkpoint.
	other := trialtest.NewLog(t)
	p, subjects := trialtest.Org("mallory", "Mallory", "mallory")
	other.Admit("registrar", p, subjects)
	for other.Size() < s.log.Size()-1 {
		other.Close()
	}
	other.Close()
	so := newSource(t, other)
	ao := audit.New(so.policy, so)
	if r, err := ao.Run(t.Context()); err != nil || len(r.Findings) > 0 {
		t.Fatal(r, err)
	}
	forged, err := ao.Save()
	if err != nil {
		t.Fatal(err)
	}
	var genuine, mixed map[string]json.RawMessage
	for _, c := range [][]string{{"last", "records"}, {"last", "records", "before"}, {"genesis"}, {"records"}, {"last"}, {"before"},
		{"first"}, {"genesis", "first"}} {
		if err := json.Unmarshal(data, &genuine); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(forged, &mixed); err != nil {
			t.Fatal(err)
		}
		if c[0] == "genesis" { // another genesis of the same log
			g := trialtest.Genesis()
			g.VKey = "another"
			raw, err := g.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			mixed["genesis"], _ = json.Marshal(string(raw))
		}
		for _, name := range c {
			if len(genuine[name]) == 0 || len(mixed[name]) == 0 {
				t.Fatalf("the file has no member %s", name)
			}
			genuine[name] = mixed[name]
		}
		var parts []string
		for _, name := range []string{"checkpoint", "genesis", "first", "last", "before", "records"} {
			parts = append(parts, fmt.Sprintf("%q:%s", name, genuine[name]))
		}
		text := "{" + strings.Join(parts, ",") + "}\n"
		if _, err := audit.Resume(s.policy, s, []byte(text)); err == nil {
			t.Errorf("with another's %v it is taken", c)
		} else if strings.Contains(err.Error(), "form") {
			t.Errorf("with another's %v it is refused for its form alone: %v", c, err)
		}
	}
	// And one without the quorum.
	s.checkpoint = signedBy(t, s.log.Tree(s.log.Size()), logKey, w1)
	if err := json.Unmarshal(data, &genuine); err != nil {
		t.Fatal(err)
	}
	old := string(genuine["checkpoint"])
	cp, _ := json.Marshal(string(s.checkpoint))
	if _, err := audit.Resume(s.policy, s, bytes.Replace(data, []byte(old), cp, 1)); err == nil || !strings.Contains(err.Error(),
		"quorum") {
		t.Errorf("without the quorum: %v", err)
	}
}

// TestResumedAuditFinds: a fault after a resume point is found as in a whole run.
func TestResumedAuditFinds(t *testing.T) {
	s, data := savedAudit(t)
	size := s.log.Size()
	for _, c := range []struct {
		want string
		bend func()
	}{
		{fmt.Sprintf("fork at %d", size), func() {
			tree := s.log.Tree(size)
			tree.Root[0] ^= 1
			s.publish(t, tree)
		}},
		{"rollback at 2", func() { s.publish(t, s.log.Tree(2)) }},
		{fmt.Sprintf("rule at %d", size), func() {
			s.log.Append([]byte("no entry"))
			s.log.State.Skip(size)
			s.log.Close()
			s.publish(t, s.log.Tree(s.log.Size()))
		}},
	} {
		a, err := audit.Resume(s.policy, s, data)
		if err != nil {
			t.Fatal(err)
		}
		c.bend()
		r, err := a.Run(t.Context())
		if err != nil || len(r.Findings) != 1 || !strings.HasPrefix(r.Findings[0].String(), c.want+": ") {
			t.Errorf("want %s: %+v, %v", c.want, r, err)
		}
	}
}

func FuzzResume(f *testing.F) {
	s, data := savedAudit(f)
	f.Add(data)
	root := s.log.State.MapRoot()
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := audit.Resume(s.policy, s, text)
		if err != nil {
			return
		}
		if a.Size() != s.log.Size() || a.State().MapRoot() != root {
			t.Fatalf("a past that never was is believed: %s", text)
		}
		again, err := a.Save()
		if err != nil || !bytes.Equal(again, text) {
			t.Fatalf("reads\n%s\nwrites\n%s\n%v", text, again, err)
		}
	})
}
