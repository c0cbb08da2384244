package logserver_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// A server is one of several over the journal of a fixture.
type server struct {
	*logserver.Log
	name  string
	link  *link
	close func()
}

// A link is a server's way to the database, which can be cut: calls then fail, or hang until it
// is whole again.
type link struct {
	mu   sync.Mutex
	cut  bool
	hang chan struct{} // nil: calls do not hang
	logserver.Journal
	tiles logserver.TileStore
	tree  logserver.Tree
}

var errCut = errors.New("the link is cut")

func (k *link) set(cut, hang bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.cut = cut
	if k.hang != nil {
		close(k.hang)
		k.hang = nil
	}
	if hang {
		k.hang = make(chan struct{})
	}
}

// through runs a call unless the link is cut.
func (k *link) through(ctx context.Context, call func() error) error {
	k.mu.Lock()
	cut, hang := k.cut, k.hang
	k.mu.Unlock()
	if hang != nil {
		select {
		case <-hang:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if cut {
		return errCut
	}
	return call()
}

func (k *link) Lease(ctx context.Context) (l logserver.Lease, err error) {
	err = k.through(ctx, func() error { l, err = k.Journal.Lease(ctx); return err })
	return l, err
}

func (k *link) Take(ctx context.Context, seen logserver.Lease, holder string) (epoch uint64, err error) {
	err = k.through(ctx, func() error { epoch, err = k.Journal.Take(ctx, seen, holder); return err })
	return epoch, err
}

func (k *link) Beat(ctx context.Context, epoch uint64, fresh []byte) error {
	return k.through(ctx, func() error { return k.Journal.Beat(ctx, epoch, fresh) })
}

func (k *link) Free(ctx context.Context, epoch uint64) error {
	return k.through(ctx, func() error { return k.Journal.Free(ctx, epoch) })
}

func (k *link) Decide(ctx context.Context, epoch uint64, b logserver.Batch) error {
	return k.through(ctx, func() error { return k.Journal.Decide(ctx, epoch, b) })
}

func (k *link) Decided(ctx context.Context, from uint64) (epoch, size uint64, list []logserver.Batch, err error) {
	err = k.through(ctx, func() error { epoch, size, list, err = k.Journal.Decided(ctx, from); return err })
	return epoch, size, list, err
}

func (k *link) Sign(ctx context.Context, epoch, size uint64, cp []byte) error {
	return k.through(ctx, func() error { return k.Journal.Sign(ctx, epoch, size, cp) })
}

func (k *link) Newest(ctx context.Context) (signed, published []byte, err error) {
	err = k.through(ctx, func() error { signed, published, err = k.Journal.Newest(ctx); return err })
	return signed, published, err
}

func (k *link) Publish(ctx context.Context, size uint64, cp []byte) (kept []byte, err error) {
	err = k.through(ctx, func() error { kept, err = k.Journal.Publish(ctx, size, cp); return err })
	return kept, err
}

func (k *link) Put(ctx context.Context, parts []logserver.TilePart) error {
	return k.through(ctx, func() error { return k.tiles.Put(ctx, parts) })
}

func (k *link) Replace(ctx context.Context, path string, data []byte) error {
	return k.through(ctx, func() error { return k.tiles.Replace(ctx, path, data) })
}

func (k *link) Get(ctx context.Context, path string) (data []byte, err error) {
	err = k.through(ctx, func() error { data, err = k.tiles.Get(ctx, path); return err })
	return data, err
}

func (k *link) Append(ctx context.Context, first uint64, leaves [][]byte) error {
	return k.through(ctx, func() error { return k.tree.Append(ctx, first, leaves) })
}

func (k *link) Head(ctx context.Context) (size uint64, root [32]byte, err error) {
	err = k.through(ctx, func() error { size, root, err = k.tree.Head(ctx); return err })
	return size, root, err
}

func (k *link) Leaves(ctx context.Context, first, n uint64) (list [][]byte, err error) {
	err = k.through(ctx, func() error { list, err = k.tree.Leaves(ctx, first, n); return err })
	return list, err
}

func (k *link) Consistency(ctx context.Context, from, to uint64) (list [][32]byte, err error) {
	err = k.through(ctx, func() error { list, err = k.tree.Consistency(ctx, from, to); return err })
	return list, err
}

// testLease is far longer than any call takes on a busy machine, or servers would take the lead
// from each other for ever.
const testLease = time.Second

// serve opens a server of the fixture's log.
func (f *fixture) serve(name string, change func(*logserver.Config)) *server {
	f.t.Helper()
	s := &server{name: name, link: new(link)}
	f.wrap = func(cfg *logserver.Config) {
		cfg.CheckpointFile = f.path(name + ".checkpoint")
		cfg.Replica = &logserver.Replica{URL: name, Lease: testLease}
		s.link.Journal, s.link.tiles, s.link.tree = cfg.Journal, cfg.Tiles, cfg.Tree
		cfg.Journal, cfg.Tiles, cfg.Tree = s.link, s.link, s.link
		if change != nil {
			change(cfg)
		}
	}
	s.Log, s.close = f.open()
	return s
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// leader waits until exactly one server leads and takes submissions.
func leader(t testing.TB, servers ...*server) (l *server) {
	t.Helper()
	eventually(t, "one leader", func() bool {
		l = nil
		for _, s := range servers {
			if s.Leads() {
				if l != nil {
					return false
				}
				l = s
			}
		}
		return l != nil && l.Ready() == nil
	})
	return l
}

// clients submit documents of a trial to whoever leads, and count what was acknowledged.
type clients struct {
	f       *fixture
	trial   trial.Hash
	servers []*server
	stop    atomic.Bool
	wg      sync.WaitGroup
	mu      sync.Mutex
	got     map[trial.Hash]logserver.Outcome
	texts   map[trial.Hash][]byte
}

func (f *fixture) clients(n int, id trial.Hash, servers ...*server) *clients {
	c := &clients{f: f, trial: id, servers: servers, got: map[trial.Hash]logserver.Outcome{}, texts: map[trial.Hash][]byte{}}
	for who := range n {
		c.wg.Go(func() {
			for i := 0; !c.stop.Load(); i++ {
				c.submit(fmt.Sprintf("document %d of client %d", i, who))
			}
		})
	}
	return c
}

// submit submits the same statement until somebody has a receipt for it.
func (c *clients) submit(text string) {
	p := &trial.Document{Common: trialtest.Common(), Trial: c.trial, Version: text}
	env, key := trialtest.Sign(c.f.t, "ada", p, trialtest.Documents("document", text))
	for try := 0; ; try++ {
		c.mu.Lock()
		s := c.servers[try%len(c.servers)]
		c.mu.Unlock()
		out, err := s.Submit(c.f.t.Context(), env, key)
		if err == nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			if old, twice := c.got[out.ID]; twice {
				c.f.t.Errorf("%q was acknowledged at %d and %d", text, old.Index, out.Index)
			}
			c.got[out.ID], c.texts[out.ID] = out, []byte(text)
			return
		}
		if trial.RuleOf(err) != "" || c.f.t.Context().Err() != nil {
			c.f.t.Errorf("%q: %v", text, err)
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func (c *clients) acknowledged() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.got)
}

// more waits until so many more are acknowledged.
func (c *clients) more(n int) {
	c.f.t.Helper()
	want := c.acknowledged() + n
	eventually(c.f.t, "more receipts", func() bool { return c.acknowledged() >= want })
}

// check wants everything acknowledged in the log once, on every server, with a receipt that
// verifies.
func (c *clients) check() {
	c.f.t.Helper()
	c.stop.Store(true)
	c.wg.Wait()
	policy := c.f.parsePolicy()
	for _, s := range c.servers {
		for id, out := range c.got {
			eventually(c.f.t, s.name+" has the entry", func() bool { return s.Size() > out.Index })
			got, err := s.Receipt(c.f.t.Context(), id)
			if err != nil {
				c.f.t.Fatalf("%s: receipt of %d: %v", s.name, out.Index, err)
			}
			v, err := receipt.Verify(policy, got, receipt.Document{Name: "d", Digest: sha256.Sum256(c.texts[id])})
			if err != nil || v.Index != out.Index || string(got) != string(out.Receipt) {
				c.f.t.Fatalf("%s: receipt of %d: index %d, %v, another one than was given: %t", s.name, out.Index, v.Index, err,
					string(got) != string(out.Receipt))
			}
		}
		entries, err := s.About(c.f.t.Context(), trial.RecordKey{Kind: "trial", ID: c.trial.String()}, 0, 0)
		if err != nil {
			c.f.t.Fatal(err)
		}
		if len(entries) != len(c.got)+1 {
			c.f.t.Fatalf("%s has %d entries of the trial, wanted %d", s.name, len(entries), len(c.got)+1)
		}
	}
}

// TestReplicas: of three servers one leads, the others serve what it publishes, and one of them
// takes over when it leaves, is cut off or is silent. Nothing acknowledged is lost or there twice.
func TestReplicas(t *testing.T) {
	f := newFixture(t)
	f.witnesses(3, 2)
	f.create()
	a := f.serve("a", nil)
	defer a.close()
	id := f.enrol(leader(t, a).Log)
	b, c := f.serve("b", nil), f.serve("c", nil)
	defer b.close()
	closed := false
	defer func() {
		if !closed {
			c.close()
		}
	}()
	for _, s := range []*server{b, c} {
		eventually(t, s.name+" is ready", func() bool { return s.Ready() == nil })
		p, sub, _ := f.document(id)
		env, key := trialtest.Sign(t, "ada", p, sub)
		if _, err := s.Submit(t.Context(), env, key); !errors.Is(err, logserver.ErrLost) {
			t.Fatalf("%s follows and was submitted to: %v", s.name, err)
		}
		if st := s.Standing(); !st.Replica || st.Leads || st.Leader != "a" {
			t.Fatalf("%s: %+v", s.name, st)
		}
	}
	work := f.clients(8, id, a, b, c)
	work.more(20)

	// The database no longer answers the leader.
	a.link.set(true, false)
	next := leader(t, b, c)
	work.more(20)
	eventually(t, "a knows that it is deaf", func() bool { return a.Stale() != nil && a.Ready() != nil })
	a.link.set(false, false)
	eventually(t, "a follows", func() bool { return !a.Leads() && a.Ready() == nil && a.Stale() == nil })
	work.more(20)

	// The leader hangs in whatever it does, and goes on when another leads.
	next.link.set(false, true)
	rest := []*server{a, b, c}
	for i, s := range rest {
		if s == next {
			rest = append(rest[:i], rest[i+1:]...)
			break
		}
	}
	leader(t, rest...)
	next.link.set(false, false)
	work.more(20)
	eventually(t, "it follows", func() bool { return leader(t, a, b, c) != nil })

	// One leaves in order, a follower or the leader.
	c.close()
	closed = true
	work.mu.Lock()
	work.servers = []*server{a, b}
	work.mu.Unlock()
	work.more(20)
	leader(t, a, b)
	work.check()
}

// TestReplicaHistory: a follower proves what the leader proves.
func TestReplicaHistory(t *testing.T) {
	f := newFixture(t)
	f.create()
	a := f.serve("a", nil)
	defer a.close()
	id := f.enrol(leader(t, a).Log)
	b := f.serve("b", nil)
	defer b.close()
	for range 3 {
		p, s, _ := f.document(id)
		f.submit(a.Log, "ada", p, s)
	}
	eventually(t, "b has seen it", func() bool { return b.Size() == a.Size() })
	key := trial.RecordKey{Kind: "trial", ID: id.String()}
	want, err := a.History(t.Context(), key, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	got, err := b.History(t.Context(), key, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if string(got.Record) != string(want.Record) || string(got.Checkpoint) != string(want.Checkpoint) || len(got.Entries) != 4 {
		t.Errorf("b's history: record %s, %d entries", got.Record, len(got.Entries))
	}
}

// TestAlone: a server that knows of no others does not take a log that a replica leads.
func TestAlone(t *testing.T) {
	f := newFixture(t)
	f.create()
	a := f.serve("a", nil)
	leader(t, a)
	f.wrap = nil
	if _, stop, err := f.tryOpen(); err == nil {
		stop()
		t.Fatal("it was opened beside a replica")
	}
	check := func() error {
		cfg, closeAll, err := f.backends(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		defer closeAll()
		return logserver.Check(t.Context(), cfg, logserver.Checking{Found: func(s string) { t.Errorf("found: %s", s) }})
	}
	if err := check(); err == nil {
		t.Fatal("it was checked while a replica leads")
	}
	a.close()
	if err := check(); err != nil {
		t.Fatal(err)
	}
	l, stop := f.open()
	defer stop()
	waitReady(t, l)
}
