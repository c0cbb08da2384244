package logserver_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/logserver/engine"
	"github.com/trialproof/trialproof/logserver/sqlite"
	"github.com/trialproof/trialproof/logserver/sqlstore"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/trialtest"
	"github.com/trialproof/trialproof/witness"
)

var _ = sql.ErrNoRows
var _ = httptest.NewServer
var _ = witness.Open

// A fixture is a log in a folder, which a test opens, breaks and opens again.
type fixture struct {
	t      testing.TB
	dir    string
	mysql  string // DSN; empty: SQLite
	signer note.Signer
	vkey   string
	policy string // without the log line
	wrap   func(*logserver.Config)
	clock  *fakeClock
	n      int
}

// A fakeClock stands still until it is moved.
type fakeClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, trialtest.Origin)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	return &fixture{
		t: t, dir: t.TempDir(), signer: signer, vkey: vkey, policy: "quorum none\n",
		clock: &fakeClock{now: trialtest.Start.Std()},
	}
}

func (f *fixture) parsePolicy() *receipt.Policy {
	p, err := receipt.ParsePolicy([]byte("log " + f.vkey + "\n" + f.policy))
	if err != nil {
		f.t.Fatal(err)
	}
	return p
}

func (f *fixture) path(name string) string { return filepath.Join(f.dir, name) }

// backends opens the tree and the journal, making them if create is set.
func (f *fixture) backends(ctx context.Context, create bool) (logserver.Config, func(), error) {
	cfg := logserver.Config{
		Signer: f.signer, Policy: f.parsePolicy(), CheckpointFile: f.path("checkpoint"),
		Now: f.clock.Now, RetryDelay: time.Millisecond,
	}
	if os.Getenv("TRIALPROOF_TEST_LOG") != "" {
		cfg.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	ec := engine.Config{SQLite: f.path("tree.db"), Now: f.clock.Now}
	db, err := sqlite.OpenDB(f.path("log.db"))
	if err != nil {
		return cfg, nil, err
	}
	var store *sqlstore.Store
	if create {
		id, err := engine.Create(ctx, ec)
		if err != nil {
			return cfg, nil, err
		}
		store, err = sqlstore.Create(ctx, db, sqlstore.SQLite, id)
		if err != nil {
			return cfg, nil, err
		}
	} else if store, err = sqlstore.Open(ctx, db, sqlstore.SQLite); err != nil {
		return cfg, nil, err
	}
	ec.TreeID = store.TreeID()
	tree, err := engine.Open(ctx, ec)
	if err != nil {
		db.Close()
		return cfg, nil, err
	}
	cfg.Tree, cfg.Journal, cfg.Tiles = tree, store, logserver.NewTileDir(f.path("tiles"))
	if f.wrap != nil {
		f.wrap(&cfg)
	}
	return cfg, func() { tree.Close(); db.Close() }, nil
}

func (f *fixture) create() {
	f.t.Helper()
	cfg, closeAll, err := f.backends(f.t.Context(), true)
	if err != nil {
		f.t.Fatal(err)
	}
	defer closeAll()
	g := trial.NewGenesis(trialtest.Origin, f.vkey, []trial.PublicKey{trialtest.Public("registrar")}, trialtest.Start)
	if err := logserver.Create(f.t.Context(), cfg, g); err != nil {
		f.t.Fatal(err)
	}
}

// open starts the log and returns it with a function that closes it.
func (f *fixture) open() (*logserver.Log, func()) {
	f.t.Helper()
	l, stop, err := f.tryOpen()
	if err != nil {
		f.t.Fatal(err)
	}
	return l, stop
}

func (f *fixture) tryOpen() (*logserver.Log, func(), error) {
	cfg, closeAll, err := f.backends(f.t.Context(), false)
	if err != nil {
		return nil, nil, err
	}
	l, err := logserver.Open(f.t.Context(), cfg)
	if err != nil {
		closeAll()
		return nil, nil, err
	}
	return l, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := l.Close(ctx); err != nil {
			f.t.Error(err)
		}
		closeAll()
	}, nil
}

// waitReady returns when the log takes submissions.
func waitReady(t testing.TB, l *logserver.Log) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for l.Ready() != nil {
		if time.Now().After(deadline) {
			t.Fatal(l.Ready())
		}
		time.Sleep(time.Millisecond)
	}
}

func (f *fixture) submit(l *logserver.Log, who string, p trial.Predicate, subjects []trial.Subject) logserver.Outcome {
	f.t.Helper()
	env, key := trialtest.Sign(f.t, who, p, subjects)
	out, err := l.Submit(f.t.Context(), env, key)
	if err != nil {
		f.t.Fatalf("submit %s: %v", p.Kind(), err)
	}
	return out
}

// enrol makes the organisation acme with the administrator ada, and returns the
// id of a trial that it registers.
func (f *fixture) enrol(l *logserver.Log) trial.Hash {
	f.t.Helper()
	p, s := trialtest.Org("acme", "Acme", "ada")
	f.submit(l, "registrar", p, s)
	p, s = trialtest.Register("X-1")
	return f.submit(l, "ada", p, s).ID
}

func (f *fixture) document(id trial.Hash) (trial.Predicate, []trial.Subject, []byte) {
	f.n++
	text := fmt.Sprintf("document %d", f.n)
	return &trial.Document{Common: trialtest.Common(), Trial: id, Version: fmt.Sprint(f.n)}, trialtest.Documents("document", text), []byte(text)
}

func TestOneLog(t *testing.T) {
	f := newFixture(t)
	f.create()
	l, stop := f.open()
	waitReady(t, l)
	id := f.enrol(l)
	var outs []logserver.Outcome
	for range 20 {
		p, s, text := f.document(id)
		out := f.submit(l, "ada", p, s)
		v, err := receipt.Verify(f.parsePolicy(), out.Receipt, receipt.Document{Name: "doc", Digest: sha256.Sum256(text)})
		if err != nil {
			t.Fatal(err)
		}
		if v.Index != out.Index {
			t.Fatalf("index %d, receipt says %d", out.Index, v.Index)
		}
		outs = append(outs, out)
	}
	stop()
	l, stop = f.open()
	defer stop()
	waitReady(t, l)
	for _, out := range outs {
		r, err := l.Receipt(t.Context(), out.ID)
		if err != nil {
			t.Fatal(err)
		}
		if string(r) != string(out.Receipt) {
			t.Fatal("another receipt after the restart")
		}
	}
	cp, _ := l.Checkpoint()
	if !strings.HasPrefix(string(cp), trialtest.Origin+"\n") {
		t.Fatalf("checkpoint %q", cp)
	}
}
