package logserver_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// step sets the wall clock and leaves the monotonic one, as date -s does.
func (c *fakeClock) step(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = stepTime(c.now, d)
}

// stepTime moves the wall part of a time alone. No function of package time does that.
func stepTime(t time.Time, d time.Duration) time.Time {
	type parts struct {
		wall uint64
		ext  int64 // the monotonic part
		loc  *time.Location
	}
	moved := t.Add(d)
	(*parts)(unsafe.Pointer(&moved)).ext = (*parts)(unsafe.Pointer(&t)).ext
	if moved.Sub(t) != 0 || moved.Round(0).Sub(t.Round(0)) != d {
		panic("package time keeps its parts otherwise")
	}
	return moved
}

// twoParts gives the fixture a clock with a wall and a monotonic part.
func (f *fixture) twoParts() {
	now := time.Now()
	f.clock.now = stepTime(now, trialtest.Start.Std().Sub(now.Round(0)))
}

// refuses submits a statement and checks that neither it nor anything else is logged.
func (f *fixture) refuses(t *testing.T, l *logserver.Log, env, key []byte, want string) {
	t.Helper()
	size := l.Size()
	if _, err := l.Submit(t.Context(), env, key); !errors.Is(err, logserver.ErrNotReady) || !strings.Contains(fmt.Sprint(err), want) {
		t.Fatalf("by a wrong clock: %v, want %q", err, want)
	}
	if l.Size() != size {
		t.Fatalf("by a wrong clock the log grew from %d to %d", size, l.Size())
	}
	if err := l.Ready(); err == nil || !strings.Contains(err.Error(), want) {
		t.Fatalf("ready says: %v, want %q", err, want)
	}
}

// TestClockStep sets the wall clock forward while the log runs, by an hour and by ten years, at
// every age of the last comparison with others. Nothing is logged until it is set back, whether
// witnesses answer, are silent, or there are none.
func TestClockStep(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	for _, by := range []time.Duration{2 * time.Minute, time.Hour, 10 * 365 * 24 * time.Hour} {
		for _, mode := range []string{"witnesses", "silent witnesses", "no witness"} {
			t.Run(fmt.Sprint(mode, " ", by), func(t *testing.T) {
				f := newFixture(t)
				f.twoParts()
				var ws []*testWitness
				if mode != "no witness" {
					ws = f.witnesses(3, 2)
				}
				f.create()
				l, stop := f.open()
				defer stop()
				waitReady(t, l)
				id := f.enrol(l)
				silence := func(down bool) {
					for _, w := range ws {
						w.down.Store(down && mode == "silent witnesses")
					}
				}
				for _, age := range []time.Duration{0, time.Millisecond, time.Second, 20 * time.Second, 59 * time.Second,
					61 * time.Second, time.Hour} {
					p, s, _ := f.document(id)
					f.submit(l, "ada", p, s) // the comparison is made
					for _, c := range append([]*fakeClock{f.clock}, clocks(ws)...) {
						c.Add(age)
					}
					p, s, text := f.document(id)
					env, key := trialtest.Sign(t, "ada", p, s)
					silence(true)
					f.clock.step(by)
					if l.Ready() == nil {
						t.Fatal("ready, before anybody submits")
					}
					f.refuses(t, l, env, key, "clock")
					f.clock.step(-by)
					silence(false)
					out, err := l.Submit(t.Context(), env, key)
					if err != nil {
						t.Fatalf("the clock is right again: %v", err)
					}
					v, err := receipt.Verify(f.parsePolicy(), out.Receipt, receipt.Document{Name: "d", Digest: sha256.Sum256(text)})
					if err != nil {
						t.Fatal(err)
					}
					if d := f.clock.Now().Round(0).Sub(v.Entry.Time.Std()); d < 0 || d > time.Second {
						t.Fatalf("stamped %s, which is %s before the clock", v.Entry.Time, d)
					}
				}
			})
		}
	}
}

func clocks(ws []*testWitness) (list []*fakeClock) {
	for _, w := range ws {
		list = append(list, w.clock)
	}
	return list
}

// TestClockSetRight: a clock that was behind is corrected while the log runs, and the witnesses
// confirm it.
func TestClockSetRight(t *testing.T) {
	f := newFixture(t)
	f.twoParts()
	for _, w := range f.witnesses(3, 2) {
		w.clock.Add(time.Hour)
	}
	f.create()
	l, stop := f.open()
	defer stop()
	waitReady(t, l)
	id := f.enrol(l)
	f.clock.step(time.Hour)
	p, s, _ := f.document(id)
	f.submit(l, "ada", p, s)
	if w := l.Warnings(); len(w) > 0 {
		t.Fatal(w)
	}
}

// TestWitnessClocksNamed: two of three witnesses are ahead. Whichever clock is wrong, the log
// names them and goes on.
func TestWitnessClocksNamed(t *testing.T) {
	f := newFixture(t)
	ws := f.witnesses(3, 2)
	ws[0].clock.Add(time.Hour)
	ws[1].clock.Add(2 * time.Hour)
	f.create()
	l, stop := f.open()
	defer stop()
	waitReady(t, l)
	id := f.enrol(l)
	text := strings.Join(l.Warnings(), "\n")
	if !strings.Contains(text, "w1 is 1h0m0s ahead, w2 is 2h0m0s ahead") || strings.Contains(text, "w3") {
		t.Fatalf("the log warns: %q", text)
	}
	// The log's clock is set to theirs: now the witness that was right is named.
	f.clock.Add(time.Hour)
	p, s, _ := f.document(id)
	f.submit(l, "ada", p, s)
	if text := strings.Join(l.Warnings(), "\n"); !strings.Contains(text, "w3 is 1h0m0s behind") {
		t.Fatalf("the log warns: %q", text)
	}
}

// TestLastEntryAhead: an entry was stamped by a wrong clock before anybody compared it. The log
// reports that as long as it lasts.
func TestLastEntryAhead(t *testing.T) {
	f := newFixture(t)
	f.create()
	f.clock.Add(-24 * time.Hour)
	l, stop := f.open()
	defer stop()
	waitReady(t, l)
	f.enrol(l)
	if text := strings.Join(l.Warnings(), "\n"); !strings.Contains(text, "24h0m0s ahead of this machine's clock") {
		t.Fatalf("the log warns: %q", text)
	}
	f.clock.Add(24 * time.Hour)
	if w := l.Warnings(); len(w) > 0 {
		t.Fatal(w)
	}
}
