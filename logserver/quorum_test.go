package logserver_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestNoReceiptBeforeTheQuorum: two witnesses of three are gone, so the submitter is told that
// the receipt is pending. One comes back, and the receipt is there.
func TestNoReceiptBeforeTheQuorum(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	f := newFixture(t)
	ws := f.witnesses(3, 2)
	f.create()
	f.wrap = func(c *logserver.Config) { c.QuorumWait = 3 * time.Second }
	l, stop := f.open()
	waitReady(t, l)
	id := f.enrol(l)
	size := l.Size()
	ws[0].down.Store(true)
	ws[2].down.Store(true)
	p, s, text := f.document(id)
	env, key := trialtest.Sign(t, "ada", p, s)
	out, err := l.Submit(t.Context(), env, key)
	if !errors.Is(err, logserver.ErrPending) || out.Receipt != nil || out.ID.IsZero() {
		t.Fatalf("submit without a quorum: %v, receipt %q", err, out.Receipt)
	}
	if r, err := l.Receipt(t.Context(), out.ID); !errors.Is(err, logserver.ErrPending) || r != nil {
		t.Fatalf("receipt without a quorum: %v", err)
	}
	if l.Size() != size {
		t.Fatal("a tree without a quorum was published")
	}
	if _, err := l.Entry(t.Context(), size); !errors.Is(err, logserver.ErrNotFound) {
		t.Fatalf("an unpublished entry was read: %v", err)
	}
	// It is not lost if the server stops meanwhile.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Close(ctx); err != nil {
		t.Fatal(err)
	}
	stop()
	ws[0].down.Store(false)
	l, stop = f.open()
	defer stop()
	waitReady(t, l)
	if _, err := l.Await(t.Context(), out.Index); err != nil {
		t.Fatal(err)
	}
	r, err := l.Receipt(t.Context(), out.ID)
	if err != nil {
		t.Fatal(err)
	}
	v, err := receipt.Verify(f.parsePolicy(), r, receipt.Document{Name: "d", Digest: sha256.Sum256(text)})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(v.Checkpoint.Cosignatures); n != 2 {
		t.Fatalf("%d cosignatures, want 2", n)
	}
	again, err := l.Submit(t.Context(), env, key)
	if err != nil || string(again.Receipt) != string(r) {
		t.Fatalf("the same statement again: %v", err)
	}
}

// TestHangingWitnessDelaysNobody: one witness accepts requests and never answers.
func TestHangingWitnessDelaysNobody(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	f := newFixture(t)
	ws := f.witnesses(3, 2)
	f.create()
	// A submission that waited for the hanging witness would outlast this.
	f.wrap = func(c *logserver.Config) { c.QuorumWait = 8 * time.Second }
	ws[1].hang.Store(true)
	l, stop := f.open()
	defer stop()
	waitReady(t, l)
	id := f.enrol(l)
	for range 20 {
		p, s, _ := f.document(id)
		f.submit(l, "ada", p, s)
	}
}

// TestProvenTimeIsTheQuorums: the operator's clock and one witness's are early, another's is
// late. The proven time is when the quorum was there.
func TestProvenTimeIsTheQuorums(t *testing.T) {
	f := newFixture(t)
	ws := f.witnesses(3, 2)
	f.create()
	ws[0].clock.Add(-30 * time.Second) // more, and no witness would have the log's time
	ws[1].clock.Add(2 * time.Hour)
	ws[2].down.Store(true)
	l, stop := f.open()
	defer stop()
	waitReady(t, l)
	p, s := trialtest.Org("acme", "Acme", "ada")
	out := f.submit(l, "registrar", p, s)
	v, err := receipt.Verify(f.parsePolicy(), out.Receipt)
	if err != nil {
		t.Fatal(err)
	}
	at, ok := v.ProvenTime()
	if want := trialtest.Start.Std().Add(2 * time.Hour); !ok || !at.Equal(want) {
		t.Fatalf("proven time %v, want %v", at, want)
	}
	if got := v.Entry.Time; got != trialtest.Start {
		t.Fatalf("admission time %s, want the operator's %s", got, trialtest.Start)
	}
}

// TestIdleLogIsCosignedAgain: the newest checkpoint gets fresh cosignatures, and receipts keep
// the first ones.
func TestIdleLogIsCosignedAgain(t *testing.T) {
	f := newFixture(t)
	ws := f.witnesses(3, 2)
	f.create()
	f.wrap = func(c *logserver.Config) { c.Recosign = 20 * time.Millisecond }
	l, stop := f.open()
	defer stop()
	waitReady(t, l)
	p, s := trialtest.Org("acme", "Acme", "ada")
	out := f.submit(l, "registrar", p, s)
	for _, w := range ws {
		w.clock.Add(time.Hour)
	}
	fresh := func() bool {
		note, err := l.Checkpoint()
		if err != nil {
			t.Fatal(err)
		}
		cp, err := f.parsePolicy().Open(note)
		if err != nil {
			t.Fatal(err)
		}
		at, ok := cp.ProvenTime()
		return ok && at.Equal(trialtest.Start.Std().Add(time.Hour))
	}
	for deadline := time.Now().Add(2 * time.Minute); !fresh(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the checkpoint was not cosigned again")
		}
	}
	if r, err := l.Receipt(t.Context(), out.ID); err != nil || string(r) != string(out.Receipt) {
		t.Fatalf("another receipt after the checkpoint was cosigned again: %v", err)
	}
}

// TestUnwitnessed: without witnesses a receipt says so.
func TestUnwitnessed(t *testing.T) {
	f := newFixture(t)
	f.create()
	l, stop := f.open()
	defer stop()
	waitReady(t, l)
	p, s := trialtest.Org("acme", "Acme", "ada")
	out := f.submit(l, "registrar", p, s)
	v, err := receipt.Verify(f.parsePolicy(), out.Receipt)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := v.ProvenTime(); ok || !strings.Contains(v.Text(), "the operator's word alone") || !strings.Contains(v.Text(),
		"no independent time") {
		t.Fatalf("verdict:\n%s", v.Text())
	}
}

// TestOldDatabase puts an older copy of the folder in place of the log. With the newest
// DIR/checkpoint the start refuses it; if that is an old copy too, the witnesses refuse.
func TestOldDatabase(t *testing.T) {
	if os.Getenv("TRIALPROOF_TEST_STORE") == "mysql" {
		t.Log("the folder holds no database: the comparison is the same")
		return
	}
	for _, withCopy := range []bool{false, true} {
		f := newFixture(t)
		f.witnesses(3, 2)
		f.create()
		l, stop := f.open()
		waitReady(t, l)
		id := f.enrol(l)
		stop()
		old := t.TempDir()
		copyLog(t, old, f.dir)
		l, stop = f.open()
		waitReady(t, l)
		p, s, _ := f.document(id)
		f.submit(l, "ada", p, s)
		stop()
		kept, err := os.ReadFile(f.path("checkpoint"))
		if err != nil {
			t.Fatal(err)
		}
		copyLog(t, f.dir, old)
		if !withCopy {
			if err := os.WriteFile(f.path("checkpoint"), kept, 0o644); err != nil {
				t.Fatal(err)
			}
			if _, _, err := f.tryOpen(); !errors.Is(err, logserver.ErrRolledBack) {
				t.Fatalf("opened an old database beside a newer checkpoint: %v", err)
			}
			continue
		}
		l, stop = f.open()
		size := l.Size()
		// The witnesses answer with a larger size, and the log stops for good.
		for l.Err() == nil {
			if _, err := l.Await(t.Context(), size); err != nil {
				break
			}
		}
		if err := l.Err(); err == nil || !strings.Contains(err.Error(), "old copy") {
			t.Fatalf("the log goes on over an old database: %v", err)
		}
		p, s, _ = f.document(id)
		env, key := trialtest.Sign(t, "ada", p, s)
		if _, err := l.Submit(t.Context(), env, key); !errors.Is(err, logserver.ErrNotReady) {
			t.Fatalf("submit over an old database: %v", err)
		}
		stop()
	}
}

// copyLog replaces the log's files, but not the witnesses', by those of another
// folder.
func copyLog(t *testing.T, to, from string) {
	t.Helper()
	for _, name := range []string{"log.db", "log.db-wal", "log.db-shm", "tree.db", "tree.db-wal", "tree.db-shm", "checkpoint", "tiles"} {
		if err := os.RemoveAll(to + "/" + name); err != nil {
			t.Fatal(err)
		}
		st, err := os.Stat(from + "/" + name)
		if err != nil {
			continue
		}
		if st.IsDir() {
			err = os.CopyFS(to+"/"+name, os.DirFS(from+"/"+name))
		} else {
			var data []byte
			if data, err = os.ReadFile(from + "/" + name); err == nil {
				err = os.WriteFile(to+"/"+name, data, 0o600)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestCloseAnswersOrHandsBack: a closing log leaves no submitter without an answer.
func TestCloseAnswersOrHandsBack(t *testing.T) {
	f := newFixture(t)
	ws := f.witnesses(3, 2)
	f.create()
	l, stop := f.open()
	waitReady(t, l)
	id := f.enrol(l)
	ws[0].down.Store(true)
	ws[1].down.Store(true)
	answers := make(chan error)
	const n = 30
	for range n {
		p, s, _ := f.document(id)
		env, key := trialtest.Sign(t, "ada", p, s)
		go func() {
			_, err := l.Submit(context.Background(), env, key)
			answers <- err
		}()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	go l.Close(ctx)
	for range n {
		if err := <-answers; !errors.Is(err, logserver.ErrPending) && !errors.Is(err, logserver.ErrClosing) && !errors.Is(err,
			logserver.ErrNotReady) {
			t.Errorf("a submitter was answered %v", err)
		}
	}
	stop()
}
