package engine

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestSplitHosts(t *testing.T) {
	for dsn, want := range map[string][]string{
		"u:p@tcp(a:3306,b:3306)/db?x=1":   {"u:p@tcp(a:3306)/db?x=1", "u:p@tcp(b:3306)/db?x=1"},
		"u:p@tcp(a)/db":                   {"u:p@tcp(a)/db"},
		"u:p(,)@tcp(a, b,c)/db":           {"u:p(,)@tcp(a)/db", "u:p(,)@tcp(b)/db", "u:p(,)@tcp(c)/db"},
		"u@unix(/a/s,/b/s)/db?timeout=2s": {"u@unix(/a/s)/db?timeout=2s", "u@unix(/b/s)/db?timeout=2s"},
		"u@tcp([::1]:3306,[::2])/db":      {"u@tcp([::1]:3306)/db", "u@tcp([::2])/db"},
		"u@tcp(a)/db?loc=US%2FPacific":    {"u@tcp(a)/db?loc=US%2FPacific"},
		"u@/db":                           {"u@/db"},
		"/db":                             {"/db"},
		"nothing":                         {"nothing"},
	} {
		if got := splitHosts(dsn); !slices.Equal(got, want) {
			t.Errorf("%s: %q", dsn, got)
		}
	}
}

// A fakeHost is a database server that is down, or that answers nothing but errors.
type fakeHost struct {
	name       string
	down, lost atomic.Bool
	mu         sync.Mutex
	open       int
}

var errDown, errNotPrepared = errors.New("connection refused"), errors.New("WSREP has not yet prepared node for application use")

func (f *fakeHost) Connect(context.Context) (driver.Conn, error) {
	if f.down.Load() {
		return nil, errDown
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open++
	return &fakeConn{f}, nil
}

func (f *fakeHost) Driver() driver.Driver { return nil }

func (f *fakeHost) connections() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.open
}

type fakeConn struct{ f *fakeHost }

func (c *fakeConn) Prepare(string) (driver.Stmt, error) { return nil, errors.ErrUnsupported }
func (c *fakeConn) Begin() (driver.Tx, error)           { return nil, errors.ErrUnsupported }

func (c *fakeConn) Close() error {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	c.f.open--
	return nil
}

func (c *fakeConn) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	switch {
	case c.f.down.Load():
		return nil, errDown
	case c.f.lost.Load():
		return nil, errNotPrepared
	}
	return &oneRow{name: c.f.name}, nil
}

type oneRow struct {
	name string
	done bool
}

func (r *oneRow) Columns() []string { return []string{"host"} }
func (r *oneRow) Close() error      { return nil }
func (r *oneRow) Next(to []driver.Value) error {
	if r.done {
		return errors.New("EOF")
	}
	to[0], r.done = r.name, true
	return nil
}

// TestHosts: one host is used until it is gone, or has lost the others, and its connections are
// not used again then.
func TestHosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, c := &fakeHost{name: "a"}, &fakeHost{name: "b"}, &fakeHost{name: "c"}
		h := &hosts{list: []host{{a, "a"}, {b, "b"}, {c, "c"}}}
		db := sql.OpenDB(h)
		h.follow(db)
		asked := func() (name string) {
			db.QueryRow("SELECT 1").Scan(&name)
			return name
		}
		wait := func() { time.Sleep(5 * time.Second) }
		wait()
		for range 3 {
			if got := asked(); got != "a" {
				t.Fatalf("the host is %q", got)
			}
		}
		a.lost.Store(true) // it still accepts connections
		wait()
		if got := asked(); got != "b" {
			t.Fatalf("after a has lost the others: %q", got)
		}
		if n := a.connections(); n != 0 {
			t.Errorf("%d connections to a are kept", n)
		}
		b.down.Store(true)
		wait()
		if got := asked(); got != "c" {
			t.Fatalf("after b is down: %q", got)
		}
		c.down.Store(true)
		wait()
		if got := asked(); got != "" {
			t.Fatalf("with no host: %q", got)
		}
		a.lost.Store(false)
		wait()
		if got := asked(); got != "a" {
			t.Fatalf("when a is back: %q", got)
		}
		b.down.Store(false)
		wait()
		if got := asked(); got != "a" {
			t.Fatalf("b came back, and a was left: %q", got)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if n := a.connections() + b.connections() + c.connections(); n != 0 {
			t.Errorf("%d connections are left open", n)
		}
	})
}
