package logserver_test

import (
	"errors"
	"testing"
	"time"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestWaiting: what is decided and cannot be stored waits since its first failure, and what is
// stored and not cosigned since it was decided.
func TestWaiting(t *testing.T) {
	f := newFixture(t)
	w := f.witnesses(1, 1)[0]
	f.create()
	full := new(fullTiles)
	f.wrap = func(c *logserver.Config) {
		full.TileStore = c.Tiles
		c.Tiles = full
	}
	l, stop := f.open()
	defer stop()
	waitReady(t, l)
	id := f.enrol(l)
	for l.Size() < 6 { // genesis, acme and the trial, each with its state entry
		if _, err := l.Await(t.Context(), l.Size()); err != nil {
			t.Fatal(err)
		}
	}
	if since := l.Waiting(t.Context()); !since.IsZero() {
		t.Fatalf("nothing waits, and it does since %v", since)
	}
	if ahead := l.ClocksAhead(); len(ahead) == 0 || ahead["w1"] != 0 {
		t.Errorf("clocks: %v", ahead)
	}

	submit := func() (since time.Time) {
		t.Helper()
		p, s, _ := f.document(id)
		env, key := trialtest.Sign(t, "ada", p, s)
		go l.Submit(t.Context(), env, key)
		for since.IsZero() {
			if t.Context().Err() != nil {
				t.Fatal("nothing waits")
			}
			since = l.Waiting(t.Context())
		}
		return since
	}
	f.clock.Add(time.Second) // the entries before it are older
	w.clock.Add(time.Second)
	decided := f.clock.Now()
	w.down.Store(true)
	if since := submit(); !since.Equal(decided) {
		t.Errorf("waits since %v, decided %v", since, decided)
	}
	f.clock.Add(time.Hour)
	w.clock.Add(time.Hour + 5*time.Second)
	if since := l.Waiting(t.Context()); !since.Equal(decided) {
		t.Errorf("waits since %v, decided %v", since, decided)
	}
	w.down.Store(false)
	if _, err := l.Await(t.Context(), 6); err != nil {
		t.Fatal(err)
	}
	if since := l.Waiting(t.Context()); !since.IsZero() {
		t.Errorf("published, and it waits since %v", since)
	}
	if got := l.ClocksAhead()["w1"]; got != -5*time.Second {
		t.Errorf("this clock is 5 s behind, and %v ahead", got)
	}

	before := time.Now()
	full.set(errors.New("no space left on device"))
	if since := submit(); since.Before(before) {
		t.Errorf("a step fails since %v, not %v", since, before)
	}
	full.set(nil)
	if l.Stopped() {
		t.Error("a log that tries again has stopped")
	}
}
