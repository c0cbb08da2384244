package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
)

// connector opens connections on which Trillian's storage/mysql works.
type connector struct{ driver.Connector }

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	dc, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	base, ok := dc.(baseConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("sqlite driver's %T lacks a method", dc), dc.Close())
	}
	return &conn{baseConn: base, cache: make(map[string]stmt)}, nil
}

// baseConn is what database/sql needs of a connection, and modernc.org/sqlite provides.
type baseConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// maxCached bounds the statements that a connection keeps prepared. Trillian
// executes fewer than ten different ones by text, two of them for every leaf.
const maxCached = 32

// conn is one connection. Like every driver.Conn it is used by one goroutine at a time.
type conn struct {
	baseConn
	cache map[string]stmt // by the text that Trillian gave
	// savepoint is the innermost savepoint of the open transaction, or "" if there is none.
	savepoint string
}

type writeKey struct{}

// forWriting marks ctx so that a transaction begun with it begins IMMEDIATE.
func forWriting(ctx context.Context) context.Context {
	return context.WithValue(ctx, writeKey{}, true)
}

// BeginTx begins IMMEDIATE if ctx came from forWriting, and otherwise DEFERRED. Trillian begins
// reads and writes in the same way, and a read with the write lock would wait for the writer,
// or make it wait.
func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	c.savepoint = ""
	if ctx.Value(writeKey{}) == nil {
		opts.ReadOnly = true // the driver's _txlock=immediate spares these
	}
	tx, err := c.baseConn.BeginTx(ctx, opts)
	return tx, mapError(err)
}

func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if err := c.replaceSavepoint(ctx, query); err != nil {
		return nil, mapError(err)
	}
	return c.exec(ctx, query, args)
}

// exec prepares query once in the connection's life. Only Exec may do so: a statement whose
// rows are still being read must not be run a second time.
func (c *conn) exec(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if s, ok := c.cache[query]; ok {
		return s.ExecContext(ctx, args)
	}
	if len(c.cache) >= maxCached {
		res, err := c.baseConn.ExecContext(ctx, rewrite(query), args)
		return res, mapError(err)
	}
	s, err := c.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	c.cache[query] = s
	return s.ExecContext(ctx, args)
}

func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.baseConn.QueryContext(ctx, rewrite(query), args)
	return rows, mapError(err)
}

func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	s, err := c.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (c *conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

func (c *conn) prepare(ctx context.Context, query string) (stmt, error) {
	ds, err := c.baseConn.PrepareContext(ctx, rewrite(query))
	if err != nil {
		return stmt{}, mapError(err)
	}
	base, ok := ds.(baseStmt)
	if !ok {
		return stmt{}, errors.Join(fmt.Errorf("sqlite driver's %T lacks a method", ds), ds.Close())
	}
	return stmt{base}, nil
}

func (c *conn) Close() error {
	var errs []error
	for _, s := range c.cache {
		errs = append(errs, s.Close())
	}
	clear(c.cache)
	return errors.Join(append(errs, c.baseConn.Close())...)
}

type baseStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// stmt is a prepared statement that reports errors as MySQL would.
type stmt struct{ baseStmt }

func (s stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	res, err := s.baseStmt.ExecContext(ctx, args)
	return res, mapError(err)
}

func (s stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := s.baseStmt.QueryContext(ctx, args)
	return rows, mapError(err)
}
