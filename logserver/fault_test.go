package logserver_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/audit"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// A fault fails one call of one step, in one of two ways: the call is lost, or it is done and
// reported as failed.
type fault struct {
	step    string
	done    bool
	on      func() // instead of failing, if set
	resumes bool   // after on, the call goes on as if nothing had been

	mu    sync.Mutex
	armed bool
	hit   bool
}

var errInjected = errors.New("injected fault")

// around runs f as step, faulty if it is the fault's turn.
func (f *fault) around(step string, run func() error) error {
	if f == nil {
		return run()
	}
	f.mu.Lock()
	now := f.armed && f.step == step
	if now {
		f.armed, f.hit = false, true
	}
	f.mu.Unlock()
	if !now {
		return run()
	}
	if f.resumes && !f.done {
		f.on()
		return run()
	}
	if f.done {
		if err := run(); err != nil {
			return err
		}
	}
	if f.on != nil {
		f.on()
	}
	if f.resumes {
		return nil
	}
	return errInjected
}

func (f *fault) arm() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed = true
}

type faultyTree struct {
	logserver.Tree
	f *fault
}

func (t faultyTree) Append(ctx context.Context, first uint64, leaves [][]byte) error {
	return t.f.around("Append", func() error { return t.Tree.Append(ctx, first, leaves) })
}

func (t faultyTree) Head(ctx context.Context) (size uint64, root [32]byte, err error) {
	err = t.f.around("Head", func() error { size, root, err = t.Tree.Head(ctx); return err })
	return size, root, err
}

type faultyTiles struct {
	logserver.TileStore
	f *fault
}

func (t faultyTiles) Put(ctx context.Context, parts []logserver.TilePart) error {
	return t.f.around("Put", func() error { return t.TileStore.Put(ctx, parts) })
}

type faultyJournal struct {
	logserver.Journal
	f *fault
}

func (j faultyJournal) Decide(ctx context.Context, epoch uint64, b logserver.Batch) error {
	return j.f.around("Decide", func() error { return j.Journal.Decide(ctx, epoch, b) })
}

func (j faultyJournal) Sign(ctx context.Context, epoch, size uint64, cp []byte) error {
	return j.f.around("Sign", func() error { return j.Journal.Sign(ctx, epoch, size, cp) })
}

func (j faultyJournal) Publish(ctx context.Context, size uint64, cp []byte) (kept []byte, err error) {
	err = j.f.around("Publish", func() error { kept, err = j.Journal.Publish(ctx, size, cp); return err })
	return kept, err
}

func (j faultyJournal) Lookup(ctx context.Context, ids []trial.Hash) (found map[trial.Hash]uint64, err error) {
	err = j.f.around("Lookup", func() error { found, err = j.Journal.Lookup(ctx, ids); return err })
	return found, err
}

func (j faultyJournal) Covering(ctx context.Context, index uint64) (cp []byte, err error) {
	err = j.f.around("Covering", func() error { cp, err = j.Journal.Covering(ctx, index); return err })
	return cp, err
}

func (j faultyJournal) SaveSnapshot(ctx context.Context, size uint64, records []trial.Record) error {
	return j.f.around("SaveSnapshot", func() error { return j.Journal.SaveSnapshot(ctx, size, records) })
}

func (f *fixture) inject(x *fault) {
	f.wrap = func(cfg *logserver.Config) {
		cfg.Tree = faultyTree{cfg.Tree, x}
		cfg.Tiles = faultyTiles{cfg.Tiles, x}
		cfg.Journal = faultyJournal{cfg.Journal, x}
	}
}

var steps = []string{"Lookup", "Decide", "Append", "Head", "Put", "Sign", "Publish", "Covering", "SaveSnapshot"}

// acknowledged is what submitters hold.
type acknowledged struct {
	mu       sync.Mutex
	receipts map[trial.Hash][]byte
}

// submitAll submits statements at the same time, and again until each is answered.
func (f *fixture) submitAll(l *logserver.Log, id trial.Hash, n int, ack *acknowledged) {
	f.t.Helper()
	type statement struct{ env, key []byte }
	var list []statement
	for range n {
		p, s, _ := f.document(id)
		env, key := trialtest.Sign(f.t, "ada", p, s)
		list = append(list, statement{env, key})
	}
	var wg sync.WaitGroup
	for _, st := range list {
		wg.Go(func() {
			for range 100 {
				out, err := l.Submit(f.t.Context(), st.env, st.key)
				if err == nil {
					ack.mu.Lock()
					ack.receipts[out.ID] = out.Receipt
					ack.mu.Unlock()
					return
				}
			}
			f.t.Error("a statement was not answered after 100 tries")
		})
	}
	wg.Wait()
}

// source reads a log in this process as an auditor does.
type source struct{ *logserver.Log }

func (s source) Checkpoint(context.Context) ([]byte, error) { return s.Log.Checkpoint() }

// reverify opens the log again, replays the whole tree, and checks that every acknowledged
// statement is in it once, with the receipt that it had.
func (f *fixture) reverify(ack *acknowledged) {
	f.t.Helper()
	f.wrap = nil
	l, stop := f.open()
	defer stop()
	waitReady(f.t, l)
	a := audit.New(f.parsePolicy(), source{l})
	report, err := a.Run(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	if len(report.Findings) > 0 {
		f.t.Fatalf("the tree does not replay: %v", report.Findings)
	}
	seen := map[trial.Hash]int{}
	for i := range report.Checkpoint.Size {
		raw, err := l.Entry(f.t.Context(), i)
		if err != nil {
			f.t.Fatal(err)
		}
		e, err := trial.ParseEntry(raw)
		if err != nil {
			f.t.Fatal(err)
		}
		if e.Statement != nil {
			seen[e.Statement.ID]++
		}
	}
	for id, n := range seen {
		if n != 1 {
			f.t.Errorf("statement %s stands in the log %d times", id, n)
		}
	}
	for id, want := range ack.receipts {
		if seen[id] == 0 {
			f.t.Errorf("the acknowledged statement %s is lost", id)
		}
		got, err := l.Receipt(f.t.Context(), id)
		if err != nil {
			f.t.Errorf("receipt of %s: %v", id, err)
		} else if string(got) != string(want) {
			f.t.Errorf("another receipt of %s after the restart", id)
		}
	}
}

// TestFaults fails every step of sequencing both ways, once while the log goes on and once with
// the process gone right after, and verifies everything again.
func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	for _, step := range steps {
		for _, done := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/done=%v", step, done), func(t *testing.T) {
				f := newFixture(t)
				f.witnesses(3, 2)
				f.create()
				x := &fault{step: step, done: done}
				f.inject(x)
				ack := &acknowledged{receipts: map[trial.Hash][]byte{}}
				l, stop := f.open()
				waitReady(t, l)
				id := f.enrol(l)
				f.submitAll(l, id, 5, ack)
				x.arm()
				f.submitAll(l, id, 20, ack)
				if step == "Covering" { // receipts of an earlier run come from the journal
					stop()
					l, stop = f.open()
					waitReady(t, l)
					for sid := range ack.receipts {
						if _, err := l.Receipt(t.Context(), sid); err != nil && !errors.Is(err, errInjected) {
							t.Error(err)
						}
					}
				}
				stop()
				if !x.hit {
					t.Fatal("the fault was never reached")
				}
				f.reverify(ack)
			})
		}
	}
}

// TestConflictStopsForGood puts other bytes where the journal has decided.
func TestConflictStopsForGood(t *testing.T) {
	f := newFixture(t)
	f.create()
	l, stop := f.open()
	waitReady(t, l)
	id := f.enrol(l)
	stop()

	cfg, closeAll, err := f.backends(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	size, _, err := cfg.Tree.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// Not integrated: only the next Append meets it.
	f.wrap = func(c *logserver.Config) { c.Tree = foreignTree{c.Tree, size} }
	closeAll()
	l, stop = f.open()
	defer stop()
	waitReady(t, l)
	p, s, _ := f.document(id)
	env, key := trialtest.Sign(t, "ada", p, s)
	out, err := l.Submit(t.Context(), env, key)
	if !errors.Is(err, logserver.ErrPending) || out.Receipt != nil {
		t.Fatalf("submit: %v", err)
	}
	if !errors.Is(l.Err(), logserver.ErrTreeConflict) {
		t.Fatalf("the log has not stopped for the conflict: %v", l.Err())
	}
	if _, err := l.Submit(t.Context(), env, key); !errors.Is(err, logserver.ErrNotReady) {
		t.Fatalf("submit after the stop: %v", err)
	}
	if l.Size() != size {
		t.Fatalf("size is %d, was %d", l.Size(), size)
	}
}

// foreignTree has another leaf at an index than will be appended.
type foreignTree struct {
	logserver.Tree
	at uint64
}

func (t foreignTree) Append(ctx context.Context, first uint64, leaves [][]byte) error {
	if first == t.at {
		if err := t.Tree.Append(ctx, first, [][]byte{[]byte("not what was decided")}); err != nil {
			return err
		}
	}
	return t.Tree.Append(ctx, first, leaves)
}

// TestRootMismatchSignsNothing: the tree answers with a root that is not ours.
func TestRootMismatchSignsNothing(t *testing.T) {
	for name, lie := range map[string]func(size uint64, root [32]byte) (uint64, [32]byte){
		"other root": func(size uint64, root [32]byte) (uint64, [32]byte) { root[0] ^= 1; return size, root },
		"further on": func(size uint64, root [32]byte) (uint64, [32]byte) { return size + 3, root },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.create()
			lying := new(lyingTree)
			f.wrap = func(c *logserver.Config) { lying.Tree = c.Tree; c.Tree = lying }
			l, stop := f.open()
			defer stop()
			waitReady(t, l)
			id := f.enrol(l)
			before, _ := l.Checkpoint()
			lying.mu.Lock()
			lying.lie = lie
			lying.mu.Unlock()
			p, s, _ := f.document(id)
			env, key := trialtest.Sign(t, "ada", p, s)
			if _, err := l.Submit(t.Context(), env, key); !errors.Is(err, logserver.ErrPending) {
				t.Fatalf("submit: %v", err)
			}
			if l.Err() == nil {
				t.Fatal("the log goes on")
			}
			if after, _ := l.Checkpoint(); string(after) != string(before) {
				t.Fatal("a checkpoint was signed over a root that is not agreed on")
			}
		})
	}
}

type lyingTree struct {
	logserver.Tree
	mu  sync.Mutex
	lie func(uint64, [32]byte) (uint64, [32]byte)
}

func (t *lyingTree) Head(ctx context.Context) (uint64, [32]byte, error) {
	size, root, err := t.Tree.Head(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lie != nil && err == nil {
		size, root = t.lie(size, root)
	}
	return size, root, err
}

// TestTwoServers: a second server claims the lead. The first can write nothing more, and says
// so.
func TestTwoServers(t *testing.T) {
	f := newFixture(t)
	f.create()
	l, stop := f.open()
	defer stop()
	waitReady(t, l)
	id := f.enrol(l)
	second, stopSecond := f.open()
	defer stopSecond()
	waitReady(t, second)
	ack := &acknowledged{receipts: map[trial.Hash][]byte{}}
	f.submitAll(second, id, 3, ack)
	size := second.Size()
	p, s, _ := f.document(id)
	env, key := trialtest.Sign(t, "ada", p, s)
	if _, err := l.Submit(t.Context(), env, key); !errors.Is(err, logserver.ErrLost) {
		t.Fatalf("the first server's submission: %v", err)
	}
	if !errors.Is(l.Err(), logserver.ErrLost) {
		t.Fatalf("the first server has not stepped down: %v", l.Err())
	}
	if second.Size() != size {
		t.Fatal("the first server wrote something")
	}
	out, err := second.Submit(t.Context(), env, key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := receipt.Verify(f.parsePolicy(), out.Receipt); err != nil {
		t.Fatal(err)
	}
}

// TestClockVouched: a witness whose clock is years ahead does not vouch for a log whose clock is a
// day ahead of the only other witness that answers.
func TestClockVouched(t *testing.T) {
	f := newFixture(t)
	ws := f.witnesses(3, 2)
	f.create()
	l, stop := f.open()
	waitReady(t, l)
	id := f.enrol(l)
	stop()
	ws[2].down.Store(true)
	ws[0].clock.Add(10 * 365 * 24 * time.Hour)
	f.clock.Add(24 * time.Hour)
	l, stop = f.open()
	defer stop()
	eventually(t, "both witnesses are heard", func() bool { return len(l.Warnings()) > 0 })
	size := l.Size()
	p, s, _ := f.document(id)
	env, key := trialtest.Sign(t, "ada", p, s)
	if _, err := l.Submit(t.Context(), env, key); !errors.Is(err, logserver.ErrNotReady) {
		t.Fatalf("a clock a day ahead: %v", err)
	}
	if l.Size() != size {
		t.Fatalf("the log grew from %d to %d", size, l.Size())
	}
}

// TestClock: a log whose clock is a day ahead of the witnesses' sequences nothing. A clock that
// is behind stops nothing.
func TestClock(t *testing.T) {
	f := newFixture(t)
	ws := f.witnesses(3, 2)
	f.create()
	l, stop := f.open()
	defer stop()
	waitReady(t, l)
	id := f.enrol(l)
	p, s, text := f.document(id)
	env, key := trialtest.Sign(t, "ada", p, s)

	f.clock.Add(24 * time.Hour)
	size := l.Size()
	if _, err := l.Submit(t.Context(), env, key); !errors.Is(err, logserver.ErrNotReady) {
		t.Fatalf("a clock a day ahead: %v", err)
	}
	if l.Size() != size || l.Ready() == nil {
		t.Fatalf("size %d, was %d; ready: %v", l.Size(), size, l.Ready())
	}
	// One witness that is ahead too changes nothing.
	ws[0].clock.Add(24 * time.Hour)
	if _, err := l.Submit(t.Context(), env, key); !errors.Is(err, logserver.ErrNotReady) {
		t.Fatalf("one witness of three vouched for the clock: %v", err)
	}
	f.clock.Add(-27 * time.Hour)
	out, err := l.Submit(t.Context(), env, key)
	if err != nil {
		t.Fatalf("a clock that is behind: %v", err)
	}
	v, err := receipt.Verify(f.parsePolicy(), out.Receipt, receipt.Document{Name: "d", Digest: sha256.Sum256(text)})
	if err != nil {
		t.Fatal(err)
	}
	if v.Entry.Time < trialtest.Start {
		t.Fatalf("the entry's time %s is before the log began", v.Entry.Time)
	}
}
