package logserver_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/logserver/engine"
	"github.com/trialproof/trialproof/logserver/sqlite"
	"github.com/trialproof/trialproof/logserver/sqlstore"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/trialtest"
	"github.com/trialproof/trialproof/witness"
)

// A fixture is a log in a folder, which a test opens, breaks and opens again.
type fixture struct {
	t      testing.TB
	dir    string
	mysql  string // DSN; empty: SQLite
	signer note.Signer
	skey   string
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
		mysql: testDatabase(t), t: t, dir: t.TempDir(), signer: signer, skey: skey, vkey: vkey, policy: "quorum none\n",
		clock: &fakeClock{now: trialtest.Start.Std()},
	}
}

// A testWitness is a witness in this process that can be cut off.
type testWitness struct {
	srv  *httptest.Server
	down atomic.Bool // refuses connections' requests at once
	hang atomic.Bool // accepts requests and never answers
	// clock is the witness's own.
	clock *fakeClock
}

// witnesses starts n witnesses and makes the policy require k of them.
func (f *fixture) witnesses(n, k int) []*testWitness {
	f.t.Helper()
	var list []*testWitness
	var lines, names string
	for i := range n {
		name := fmt.Sprintf("w%d", i+1)
		key, err := witness.NewKey(name+".example", witness.Ed25519)
		if err != nil {
			f.t.Fatal(err)
		}
		w := &testWitness{clock: &fakeClock{now: f.clock.Now()}}
		impl, err := witness.Open(witness.Config{Dir: f.path(name), Key: key, Logs: []witness.Log{{VKey: f.vkey}}, Now: w.clock.Now})
		if err != nil {
			f.t.Fatal(err)
		}
		h := impl.Handler()
		w.srv = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if w.hang.Load() {
				io.Copy(io.Discard, r.Body) // or the server does not see the client leave
				<-r.Context().Done()
				return
			}
			if w.down.Load() {
				http.Error(rw, "down", http.StatusServiceUnavailable)
				return
			}
			h.ServeHTTP(rw, r)
		}))
		f.t.Cleanup(func() { w.srv.CloseClientConnections(); w.srv.Close(); impl.Close() })
		lines += fmt.Sprintf("witness %s %s %s\n", name, key.VKey(), w.srv.URL)
		names += " " + name
		list = append(list, w)
	}
	f.policy = fmt.Sprintf("%sgroup g %d%s\nquorum g\n", lines, k, names)
	return list
}

// testDatabase makes a MySQL or MariaDB database for one test and returns its
// DSN, where TRIALPROOF_TEST_STORE=mysql asks for that instead of SQLite.
func testDatabase(t testing.TB) string {
	t.Helper()
	if os.Getenv("TRIALPROOF_TEST_STORE") != "mysql" {
		return ""
	}
	cfg, err := mysql.ParseDSN(os.Getenv("TRIALPROOF_TEST_MYSQL"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("mysql", cfg.FormatDSN())
	if err != nil {
		t.Fatal(err)
	}
	cfg.DBName = fmt.Sprintf("ls_%d_%d", os.Getpid(), time.Now().UnixNano())
	if _, err := db.Exec("CREATE DATABASE " + cfg.DBName); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := db.Exec("DROP DATABASE " + cfg.DBName); err != nil {
			t.Error(err)
		}
		db.Close()
	})
	return cfg.FormatDSN()
}

// ownClock is a journal on this machine, so that it has no clock of its own.
type ownClock struct{ logserver.Journal }

func (ownClock) Now(context.Context) (time.Time, error) { return time.Time{}, nil }

func (f *fixture) parsePolicy() *checkpoint.Policy {
	p, err := checkpoint.ParsePolicy([]byte("log " + f.vkey + "\n" + f.policy))
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
	dialect := sqlstore.SQLite
	var db *sql.DB
	var err error
	if f.mysql != "" {
		ec.SQLite, ec.MySQL, dialect = "", f.mysql, sqlstore.MySQL
		db, err = engine.OpenMySQL(ctx, f.mysql)
	} else {
		db, err = sqlite.OpenDB(f.path("log.db"))
	}
	if err != nil {
		return cfg, nil, err
	}
	var store *sqlstore.Store
	if create {
		id, err := engine.Create(ctx, ec)
		if err != nil {
			return cfg, nil, err
		}
		store, err = sqlstore.Create(ctx, db, dialect, id)
		if err != nil {
			return cfg, nil, err
		}
	} else if store, err = sqlstore.Open(ctx, db, dialect); err != nil {
		return cfg, nil, err
	}
	ec.TreeID = store.TreeID()
	tree, err := engine.Open(ctx, ec)
	if err != nil {
		db.Close()
		return cfg, nil, err
	}
	cfg.Tree, cfg.Journal, cfg.Tiles = tree, store, logserver.NewTileDir(f.path("tiles"))
	if f.mysql != "" {
		cfg.Tiles = store.Tiles()
		cfg.Journal = ownClock{store} // the database's is not the fake one
	}
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
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
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
	deadline := time.Now().Add(2 * time.Minute)
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
	for deadline := time.Now().Add(2 * time.Minute); errors.Is(err, logserver.ErrPending) &&
		time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		out.Receipt, err = l.Receipt(f.t.Context(), out.ID) // a slow machine, and a test that waits for the quorum briefly
	}
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
	return &trial.Document{Common: trialtest.Common(), Trial: id, Version: fmt.Sprint(f.n)}, trialtest.Documents("document", text),
		[]byte(text)
}
