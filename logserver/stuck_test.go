package logserver_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestStuckIsNotReady: while a step fails for long, as on a full disk, no statement is accepted
// and nothing hangs. When it works again, everything goes on and nothing is lost.
func TestStuckIsNotReady(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	f := newFixture(t)
	f.create()
	full := new(fullTiles)
	f.wrap = func(c *logserver.Config) {
		full.TileStore = c.Tiles
		c.Tiles, c.QuorumWait = full, 100*time.Millisecond
	}
	l, stop := f.open()
	defer stop()
	waitReady(t, l)
	id := f.enrol(l)
	full.set(errors.New("no space left on device"))
	p, s, _ := f.document(id)
	env, key := trialtest.Sign(t, "ada", p, s)
	if _, err := l.Submit(t.Context(), env, key); !errors.Is(err, logserver.ErrPending) {
		t.Fatalf("decided, and its tiles cannot be stored: %v", err)
	}
	p, s, _ = f.document(id)
	env2, _ := trialtest.Sign(t, "ada", p, s)
	if _, err := l.Submit(t.Context(), env2, key); !errors.Is(err, logserver.ErrNotReady) {
		t.Fatalf("behind one that is stuck: %v", err)
	}
	for l.Ready() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	if err := l.Ready(); !strings.Contains(err.Error(), "store tiles") {
		t.Fatalf("not ready, but why: %v", err)
	}
	full.set(nil)
	waitReady(t, l)
	for _, e := range [][]byte{env, env2} {
		for {
			out, err := l.Submit(t.Context(), e, key)
			if err == nil && out.Receipt != nil {
				break
			}
			if !errors.Is(err, logserver.ErrNotReady) && !errors.Is(err, logserver.ErrPending) {
				t.Fatal(err)
			}
		}
	}
}

// fullTiles is a store whose disk can be full.
type fullTiles struct {
	logserver.TileStore
	mu  sync.Mutex
	err error
}

func (f *fullTiles) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *fullTiles) Put(ctx context.Context, parts []logserver.TilePart) error {
	f.mu.Lock()
	err := f.err
	f.mu.Unlock()
	if err != nil {
		return err
	}
	return f.TileStore.Put(ctx, parts)
}
