package logserver_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// goneJournal is a journal whose database cannot be reached.
type goneJournal struct {
	logserver.Journal
	gone atomic.Bool
}

var errGone = errors.New("dial tcp 127.0.0.1:3306: connection refused")

func (g *goneJournal) Lookup(ctx context.Context, ids []trial.Hash) (map[trial.Hash]uint64, error) {
	if g.gone.Load() {
		return nil, errGone
	}
	return g.Journal.Lookup(ctx, ids)
}

func (g *goneJournal) Newest(ctx context.Context) (signed, published []byte, err error) {
	if g.gone.Load() {
		return nil, nil, errGone
	}
	return g.Journal.Newest(ctx)
}

// until waits for a condition.
func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(what)
		}
	}
}

// TestDatabaseGone: the log reports it although nobody submits, and also to a submitter, and
// goes on when the database is back.
func TestDatabaseGone(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	f := newFixture(t)
	f.create()
	j := new(goneJournal)
	f.wrap = func(c *logserver.Config) { j.Journal = c.Journal; c.Journal, c.QuorumWait = j, 50*time.Millisecond }
	l, stop := f.open()
	defer stop()
	waitReady(t, l)
	id := f.enrol(l)
	j.gone.Store(true)
	until(t, "ready, though the database is gone", func() bool { return l.Ready() != nil })
	if err := l.Ready(); !strings.Contains(err.Error(), "the database: dial tcp") {
		t.Fatal(err)
	}
	p, s, _ := f.document(id)
	env, key := trialtest.Sign(t, "ada", p, s)
	if _, err := l.Submit(t.Context(), env, key); !errors.Is(err, logserver.ErrNotReady) {
		t.Fatalf("submitted: %v", err)
	}
	until(t, "it does not say what fails", func() bool {
		err := l.Ready()
		return err != nil && strings.Contains(err.Error(), "look up statements") && strings.Contains(err.Error(), errGone.Error())
	})
	j.gone.Store(false)
	waitReady(t, l)
	f.submit(l, "ada", p, s)
}

// TestPendingSaysWhy: whoever waits for a receipt learns of the full disk, and is not told
// about witnesses.
func TestPendingSaysWhy(t *testing.T) {
	f := newFixture(t)
	f.create()
	full := new(fullTiles)
	f.wrap = func(c *logserver.Config) {
		full.TileStore = c.Tiles
		c.Tiles, c.QuorumWait = full, 50*time.Millisecond
	}
	l, stop := f.open()
	defer stop()
	waitReady(t, l)
	id := f.enrol(l)
	full.set(errors.New("no space left on device"))
	p, s, _ := f.document(id)
	env, key := trialtest.Sign(t, "ada", p, s)
	out, err := l.Submit(t.Context(), env, key)
	if !errors.Is(err, logserver.ErrPending) {
		t.Fatalf("submit: %v", err)
	}
	until(t, "who asks for the receipt does not hear of the disk", func() bool {
		_, err := l.Receipt(t.Context(), out.ID)
		return errors.Is(err, logserver.ErrPending) && strings.Contains(err.Error(), "no space left on device")
	})
	if _, err := l.Submit(t.Context(), env, key); err == nil || !strings.Contains(err.Error(), "no space left on device") ||
		strings.Contains(err.Error(), "witness") {
		t.Fatalf("submitted again: %v", err)
	}
	full.set(nil)
}

// TestCopyNotWritten: the checkpoint's copy cannot be written, so nothing is published, and the
// log says so.
func TestCopyNotWritten(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	f := newFixture(t)
	f.create()
	f.wrap = func(c *logserver.Config) { c.QuorumWait = 50 * time.Millisecond }
	l, stop := f.open()
	defer stop()
	waitReady(t, l)
	id := f.enrol(l)
	blocked := f.path("checkpoint.tmp")
	if err := os.MkdirAll(filepath.Join(blocked, "in the way"), 0o755); err != nil {
		t.Fatal(err)
	}
	p, s, _ := f.document(id)
	env, key := trialtest.Sign(t, "ada", p, s)
	out, err := l.Submit(t.Context(), env, key)
	if !errors.Is(err, logserver.ErrPending) {
		t.Fatalf("submit: %v", err)
	}
	until(t, "who asks for the receipt does not hear of the copy", func() bool {
		_, err := l.Receipt(t.Context(), out.ID)
		return errors.Is(err, logserver.ErrPending) && strings.Contains(err.Error(), "write the checkpoint's copy")
	})
	until(t, "ready, though nothing is published", func() bool { return l.Ready() != nil })
	if err := os.Remove(filepath.Join(blocked, "in the way")); err != nil { // an empty folder does not matter
		t.Fatal(err)
	}
	waitReady(t, l)
}

// TestTruncated cuts the databases' files short while the log runs, removes and replaces them.
// SQLite continues from memory for a while, but nothing it stores would remain.
func TestTruncated(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	for _, name := range []string{"log.db", "tree.db"} {
		for how, damage := range map[string]func(file string) error{
			"cut short": func(file string) error { return os.Truncate(file, 4096) },
			"removed":   os.Remove,
			"replaced": func(file string) error {
				data, err := os.ReadFile(file)
				return errors.Join(err, os.Remove(file), os.WriteFile(file, data, 0o600))
			},
		} {
			f := newFixture(t)
			if f.mysql != "" {
				t.Skip("there is no file")
			}
			f.create()
			f.wrap = func(c *logserver.Config) { c.Files = []string{f.path("log.db"), f.path("tree.db")} }
			l, stop := f.open()
			waitReady(t, l)
			id := f.enrol(l)
			p, s, _ := f.document(id)
			f.submit(l, "ada", p, s)
			if err := damage(f.path(name)); err != nil {
				t.Fatal(err)
			}
			if err := l.Ready(); err == nil || !strings.Contains(err.Error(), name+" was "+how) {
				t.Fatalf("%s was %s, and the log says: %v", name, how, err)
			}
			p, s, _ = f.document(id)
			env, key := trialtest.Sign(t, "ada", p, s)
			if _, err := l.Submit(t.Context(), env, key); !errors.Is(err, logserver.ErrNotReady) {
				t.Fatalf("%s was %s, and a submission is answered: %v", name, how, err)
			}
			stop()
		}
	}
}
