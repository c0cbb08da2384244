package audit_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/audit"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// progress returns what an audit saves after each state entry on its way through l, and what it
// saves at its end.
func progress(t testing.TB, s *source) (parts [][]byte, end []byte) {
	t.Helper()
	a := audit.New(s.policy, s)
	a.Boundary = func() error {
		data, err := a.SaveProgress()
		parts = append(parts, data)
		return err
	}
	if r, err := a.Run(t.Context()); err != nil || len(r.Findings) > 0 {
		t.Fatal(r, err)
	}
	end, err := a.Save()
	if err != nil {
		t.Fatal(err)
	}
	return parts, end
}

// TestProgress: an audit that was killed after any state entry goes on from there and comes to
// the same end, whether the log has grown meanwhile or not.
func TestProgress(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	l := trialtest.NewLog(t)
	id := open(l)
	grow(l, id, 300)
	s := newSource(t, l)
	parts, end := progress(t, s)
	grow(l, id, 20)
	later := newSource(t, l)
	_, laterEnd := progress(t, later)
	for i, part := range parts {
		for src, want := range map[*source][]byte{s: end, later: laterEnd} {
			a, err := audit.Resume(src.policy, src, part)
			if err != nil {
				t.Fatalf("part %d: %v", i, err)
			}
			from := a.Size()
			r, err := a.Run(t.Context())
			if err != nil || len(r.Findings) > 0 || r.From != from || from == 0 {
				t.Fatalf("part %d: %+v, %v", i, r, err)
			}
			if got, err := a.Save(); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("part %d: it ends elsewhere: %v", i, err)
			}
		}
	}
	if !bytes.Equal(parts[len(parts)-1], end) {
		t.Error("behind the last state entry the audit is as good as ended, and saves something else")
	}
}

// TestProgressIsBound: whatever is altered in a state saved in the middle, an audit that goes
// on from it comes to the true end or to none. It accuses nobody.
func TestProgressIsBound(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	l := trialtest.NewLog(t)
	grow(l, open(l), 20)
	s := newSource(t, l)
	parts, end := progress(t, s)
	part := parts[2]
	for i := range part {
		for _, bit := range []byte{0x01, 0x10} {
			altered := slices.Clone(part)
			altered[i] ^= bit
			a, err := audit.Resume(s.policy, s, altered)
			if err != nil {
				continue
			}
			r, err := a.Run(t.Context())
			if err != nil {
				if !strings.Contains(err.Error(), "remove the state file") {
					t.Fatalf("byte %d: %v", i, err)
				}
				continue
			}
			got, err := a.Save()
			if len(r.Findings) > 0 || err != nil || !bytes.Equal(got, end) {
				t.Fatalf("byte %d: %v, %v", i, r.Findings, err)
			}
		}
	}
}

// TestProgressOfAnotherLog: a consistent state of a log that never existed.
func TestProgressOfAnotherLog(t *testing.T) {
	l := trialtest.NewLog(t)
	id := open(l)
	grow(l, id, 30)
	s := newSource(t, l)
	other := trialtest.NewLog(t)
	p, subjects := trialtest.Org("beta", "Beta", "ben")
	other.Admit("registrar", p, subjects)
	grow(other, open(other), 29)
	forged, _ := progress(t, newSource(t, other))
	swapped := bytes.Replace(forged[2], checkpointOf(t, forged[2]), checkpointOf(t, first(progress(t, s))), 1)
	a, err := audit.Resume(s.policy, s, swapped)
	if err != nil {
		t.Fatal(err)
	}
	r, err := a.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "remove the state file") {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := a.Save(); err == nil {
		t.Error("it is saved")
	}
}

func first(parts [][]byte, _ []byte) []byte { return parts[0] }

func checkpointOf(t testing.TB, saved []byte) []byte {
	t.Helper()
	begin := bytes.Index(saved, []byte(`{"checkpoint":`))
	end := bytes.Index(saved, []byte(`,"genesis":`))
	if begin != 0 || end < 0 {
		t.Fatalf("%.100s", saved)
	}
	return saved[:end]
}

// TestProgressAndBreaches: entries after the saved state are judged as in a whole audit, and
// the tree that the audit was going to is remembered.
func TestProgressAndBreaches(t *testing.T) {
	l := trialtest.NewLog(t)
	id := open(l)
	grow(l, id, 20)
	parts, _ := progress(t, newSource(t, l))
	s := newSource(t, l)
	resume := func() *audit.Auditor {
		t.Helper()
		a, err := audit.Resume(s.policy, s, parts[1])
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	kinds := func(a *audit.Auditor) string {
		t.Helper()
		r, err := a.Run(t.Context())
		if err != nil {
			return err.Error()
		}
		var list []string
		for _, f := range r.Findings {
			list = append(list, fmt.Sprint(f.Kind, " at ", f.Index))
		}
		return strings.Join(list, ", ")
	}
	size := l.Size()
	s.publish(t, l.Tree(size-1))
	if got := kinds(resume()); got != fmt.Sprintf("rollback at %d", size-1) {
		t.Error(got)
	}
	fork := l.Tree(size)
	fork.Root[0] ^= 1
	s.publish(t, fork)
	a := resume()
	if got := kinds(a); got != fmt.Sprintf("fork at %d", size) {
		t.Error(got)
	}
	if x, err := a.Evidence(t.Context()); err != nil {
		t.Error(x, err)
	}
	l.Append([]byte("x"))
	l.State.Skip(size)
	grow(l, id, 3)
	s.publish(t, l.Tree(l.Size()))
	a = resume()
	if got := kinds(a); got != fmt.Sprintf("rule at %d", size) {
		t.Error(got)
	}
	if _, err := a.Evidence(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := a.SaveProgress(); err == nil {
		t.Error("an audit with findings is saved")
	}
	// The rest cannot be read, so the breach cannot be reported yet.
	s.publish(t, checkpoint.Tree{Origin: trialtest.Origin, Size: 1000, Root: [32]byte{1}})
	if got := kinds(resume()); !strings.Contains(got, "fetch") {
		t.Error(got)
	}
	// An error of Boundary ends the replay, and the next run goes on.
	a = resume()
	s.publish(t, fork)
	l.Truncate(size)
	s.publish(t, l.Tree(size))
	stop := errors.New("disk full")
	a.Boundary = func() error { return stop }
	if _, err := a.Run(t.Context()); !errors.Is(err, stop) {
		t.Error(err)
	}
	a.Boundary = nil
	if r, err := a.Run(t.Context()); err != nil || len(r.Findings) > 0 {
		t.Error(r, err)
	}
}
