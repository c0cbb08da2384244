package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// A breakdown fails the calls of the log's stores while it is on.
type breakdown struct {
	on       atomic.Bool
	database error // of every call of the journal
	tiles    error // of storing tiles
	decide   error
	lease    error
}

type failingJournal struct {
	logserver.Journal
	b *breakdown
}

func (j failingJournal) err(also error) error {
	if !j.b.on.Load() {
		return nil
	}
	return errors.Join(j.b.database, also)
}

func (j failingJournal) Newest(ctx context.Context) (signed, published []byte, err error) {
	if err := j.err(nil); err != nil {
		return nil, nil, err
	}
	return j.Journal.Newest(ctx)
}

func (j failingJournal) Lookup(ctx context.Context, ids []trial.Hash) (map[trial.Hash]uint64, error) {
	if err := j.err(nil); err != nil {
		return nil, err
	}
	return j.Journal.Lookup(ctx, ids)
}

func (j failingJournal) Decide(ctx context.Context, epoch uint64, b logserver.Batch) error {
	if err := j.err(j.b.decide); err != nil {
		return err
	}
	return j.Journal.Decide(ctx, epoch, b)
}

func (j failingJournal) Lease(ctx context.Context) (logserver.Lease, error) {
	if err := j.err(j.b.lease); err != nil {
		return logserver.Lease{}, err
	}
	return j.Journal.Lease(ctx)
}

func (j failingJournal) Beat(ctx context.Context, epoch uint64, fresh []byte) error {
	if err := j.err(j.b.lease); err != nil {
		return err
	}
	return j.Journal.Beat(ctx, epoch, fresh)
}

func (j failingJournal) Take(ctx context.Context, seen logserver.Lease, holder string) (uint64, error) {
	if err := j.err(j.b.lease); err != nil {
		return 0, err
	}
	return j.Journal.Take(ctx, seen, holder)
}

type failingTiles struct {
	logserver.TileStore
	b *breakdown
}

func (s failingTiles) Put(ctx context.Context, parts []logserver.TilePart) error {
	if s.b.on.Load() && s.b.tiles != nil {
		return s.b.tiles
	}
	return s.TileStore.Put(ctx, parts)
}

// TestReadiness: whatever fails, /readyz, the metrics and the page say what, a submission gets
// status 503 with the reason and a time to try again, and everything is well when it is over.
func TestReadiness(t *testing.T) {
	gone := errors.New("connection refused")
	for _, c := range []struct {
		name  string
		b     *breakdown
		s     setup
		start func(f *fixture, w *testWitness) // breaks what is not in b
		end   func(f *fixture, w *testWitness)
		why   []string // one of these is said
	}{
		{name: "database", b: &breakdown{database: gone}, why: []string{"connection refused"}},
		{name: "database that is full", b: &breakdown{decide: errors.New("The table 'tp_batches' is full")}, why: []string{"is full"}},
		{name: "disk", b: &breakdown{tiles: errors.New("no space left on device")}, why: []string{"no space left on device"}},
		{name: "quorum", s: setup{witness: new(testWitness)},
			start: func(f *fixture, w *testWitness) { w.silent.Store(true) },
			end:   func(f *fixture, w *testWitness) { w.silent.Store(false) }, why: []string{"too few witnesses", "w1"}},
		{name: "clock", s: setup{witness: new(testWitness)}, start: func(f *fixture, w *testWitness) { f.clock.Add(3 * time.Hour) },
			end: func(f *fixture, w *testWitness) { f.clock.Add(-3 * time.Hour) }, why: []string{"clock"}},
		{name: "lease", s: setup{log: func(c *logserver.Config) {
			c.Replica = &logserver.Replica{URL: "http://127.0.0.1:1", Lease: 300 * time.Millisecond}
		}}, b: &breakdown{lease: gone}, why: []string{"connection refused"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := c.b
			if b == nil {
				b = new(breakdown)
			}
			set := c.s.log
			c.s.log = func(cfg *logserver.Config) {
				cfg.Journal, cfg.Tiles = failingJournal{cfg.Journal, b}, failingTiles{cfg.Tiles, b}
				if set != nil {
					set(cfg)
				}
				cfg.QuorumWait = time.Second
			}
			if c.name == "clock" { // the witness has a clock of its own
				c.s.witness.now = func() time.Time { return trialtest.Start.Std() }
			}
			f := newFixture(t, c.s)
			ready := func() bool { return f.get("/readyz").status == http.StatusOK }
			await(t, "ready at the start", ready)
			f.enrol()
			size := f.log.Size()
			b.on.Store(true)
			if c.start != nil {
				c.start(f, c.s.witness)
			}
			// Some are noticed only by what somebody submits. That is decided, or not; it is in no
			// case an internal error.
			p, s := trialtest.Register("X-9")
			envelope, key := trialtest.Sign(t, "ada", p, s)
			await(t, "a refusal", func() bool {
				a := f.post(body(envelope, key))
				switch a.status {
				case http.StatusAccepted, http.StatusOK: // while nobody has noticed
					return false
				case http.StatusServiceUnavailable:
				default:
					t.Fatalf("status %d: %s", a.status, a.body)
				}
				return contains(a.wire(t).Message, c.why) && a.header.Get("Retry-After") != ""
			})
			await(t, "/readyz says it", func() bool {
				a := f.get("/readyz")
				return a.status == http.StatusServiceUnavailable && contains(a.body, c.why)
			})
			if a := f.get("/metrics"); !strings.Contains(a.body, "\ntrialproof_ready 0\n") {
				t.Error("the metrics do not say it")
			}
			if a := f.get("/"); !contains(strings.ReplaceAll(a.body, "&#39;", "'"), c.why) || !strings.Contains(a.body, "are not taken at the moment") {
				t.Errorf("the page does not say it: status %d", a.status)
			}
			if a := f.get("/v1/receipts/" + strings.Repeat("ab", 32)); a.status != http.StatusNotFound && a.status != http.StatusServiceUnavailable {
				t.Errorf("a read: status %d, %s", a.status, a.body)
			}
			if n := f.log.Size(); n != size && c.name != "lease" { // whose holder may go on until it is lost
				t.Errorf("something was published: size %d, before %d", n, size)
			}
			b.on.Store(false)
			if c.end != nil {
				c.end(f, c.s.witness)
			}
			await(t, "ready again", ready)
			await(t, "the receipt", func() bool { return f.post(body(envelope, key)).status == http.StatusOK })
		})
	}
}

func contains(text string, one []string) bool {
	for _, s := range one {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}

func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}
