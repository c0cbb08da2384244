// Package sqlite runs Trillian over SQLite, with nothing to set up.
//
// Trillian's own storage/mysql is used unmodified. Beneath it, a database/sql driver wraps
// modernc.org/sqlite: it rewrites the one clause that only MySQL understands, reports existing
// keys as MySQL does, and lets a savepoint replace an older one of its name. Above it, Storage
// takes one lock for all writes and marks their context, so that writes begin IMMEDIATE and
// reads begin DEFERRED. The tests run Trillian's conformance suites over all of it.
//
// The package also opens plain databases with the same durability for the log server's other
// tables (OpenDB), and keeps a second process out of a folder (LockDir). It knows nothing of
// trials, entries or checkpoints.
package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/google/trillian"
	"github.com/google/trillian/storage"
	"github.com/google/trillian/storage/mysql"
	msqlite "modernc.org/sqlite"
)

//go:embed schema.sql
var schema string

// schemaVersion is kept in the file's user_version. A file with a higher version was written by
// a newer program and is refused.
const schemaVersion = 1

// Storage is Trillian's storage in one SQLite file. Writes are durable when they return. All
// methods may run concurrently; writes run one after another.
//
// A write is not interrupted once it has the lock, whatever happens to its context: it is
// short, and half a write is of no use.
type Storage struct {
	Log   storage.LogStorage
	Admin storage.AdminStorage

	db *sql.DB
}

// CreateStorage opens the file at path. It creates the file, its folder and Trillian's tables
// if they do not exist.
func CreateStorage(ctx context.Context, path string) (*Storage, error) {
	if err := createFile(path); err != nil {
		return nil, err
	}
	return open(ctx, path, func(db *sql.DB) error {
		return createSchema(ctx, db)
	})
}

// OpenStorage opens the file at path, which CreateStorage made. The error wraps
// fs.ErrNotExist if there is none.
func OpenStorage(ctx context.Context, path string) (*Storage, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return open(ctx, path, func(db *sql.DB) error {
		v, err := fileVersion(ctx, db)
		if err == nil && v == 0 {
			err = errors.New("it has no log")
		}
		return err
	})
}

func open(ctx context.Context, path string, prepare func(*sql.DB) error) (*Storage, error) {
	base, err := msqlite.NewConnector(dsn(path))
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	db, err := openPool(path, sql.OpenDB(connector{base}))
	if err != nil {
		return nil, err
	}
	if err := prepare(db); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), db.Close())
	}
	lock := make(writeLock, 1)
	return &Storage{
		Log:   logStorage{mysql.NewLogStorage(db, nil), lock},
		Admin: adminStorage{mysql.NewAdminStorage(db), lock},
		db:    db,
	}, nil
}

// Close closes the file. Nobody may be using the storage any more.
func (s *Storage) Close() error { return s.db.Close() }

func createSchema(ctx context.Context, db *sql.DB) error {
	v, err := fileVersion(ctx, db)
	if err != nil || v == schemaVersion {
		return err
	}
	tx, err := db.BeginTx(forWriting(ctx), nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, schema); err != nil {
		return fmt.Errorf("create schema: %w", err)
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", schemaVersion)); err != nil {
		return fmt.Errorf("create schema: %w", err)
	}
	return tx.Commit()
}

func fileVersion(ctx context.Context, db *sql.DB) (v int, err error) {
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&v); err != nil {
		return 0, err
	}
	if v > schemaVersion {
		return 0, fmt.Errorf("schema version %d needs a newer program; this one knows version %d", v, schemaVersion)
	}
	return v, nil
}

// writeLock has room for one token: whoever has put it in may write.
type writeLock chan struct{}

// do runs write alone. It waits for the lock as long as ctx lasts; write receives a context
// that is marked for writing and is never cancelled.
func (l writeLock) do(ctx context.Context, write func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case l <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-l }()
	return write(forWriting(context.WithoutCancel(ctx)))
}

type logStorage struct {
	storage.LogStorage
	lock writeLock
}

func (s logStorage) ReadWriteTransaction(ctx context.Context, tree *trillian.Tree, f storage.LogTXFunc) error {
	return s.lock.do(ctx, func(ctx context.Context) error {
		return s.LogStorage.ReadWriteTransaction(ctx, tree, f)
	})
}

func (s logStorage) QueueLeaves(
	ctx context.Context, tree *trillian.Tree, leaves []*trillian.LogLeaf, at time.Time,
) (res []*trillian.QueuedLogLeaf, err error) {
	err = s.lock.do(ctx, func(ctx context.Context) error {
		res, err = s.LogStorage.QueueLeaves(ctx, tree, leaves, at)
		return err
	})
	return res, err
}

func (s logStorage) AddSequencedLeaves(
	ctx context.Context, tree *trillian.Tree, leaves []*trillian.LogLeaf, at time.Time,
) (res []*trillian.QueuedLogLeaf, err error) {
	err = s.lock.do(ctx, func(ctx context.Context) error {
		res, err = s.LogStorage.AddSequencedLeaves(ctx, tree, leaves, at)
		return err
	})
	return res, err
}

type adminStorage struct {
	storage.AdminStorage
	lock writeLock
}

func (s adminStorage) ReadWriteTransaction(ctx context.Context, f storage.AdminTXFunc) error {
	return s.lock.do(ctx, func(ctx context.Context) error {
		return s.AdminStorage.ReadWriteTransaction(ctx, f)
	})
}
