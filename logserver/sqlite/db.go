package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	msqlite "modernc.org/sqlite"
)

// busyTimeout is how long a transaction waits for another connection's write lock, in
// milliseconds. It is far above any transaction of ours: if it is reached, something outside
// this process has locked the file.
const busyTimeout = "10000"

// idleConns is how many connections stay open when nobody uses them. There is no upper limit:
// Trillian prepares statements on a second connection while it has a transaction on a first
// one, so readers could reach any limit and then wait for each other. Instead, whoever reads
// bounds the readers.
const idleConns = 8

// OpenDB opens the SQLite database in the file at path. The file and its folder are created if
// they do not exist. A transaction for which Commit returned nil has been synced to the disk
// (WAL, synchronous=FULL).
//
// Transactions begin IMMEDIATE, so that they never fail half-way because they lack the write
// lock. Those begun with sql.TxOptions.ReadOnly begin DEFERRED, see one snapshot and wait for
// nobody. Readers and the one writer run at the same time.
//
// OpenDB does not keep a second process out: see LockDir.
func OpenDB(path string) (*sql.DB, error) {
	if err := createFile(path); err != nil {
		return nil, err
	}
	c, err := msqlite.NewConnector(dsn(path))
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	return openPool(path, sql.OpenDB(c))
}

// createFile creates the folder with mode 0700 and the file with mode 0600, which SQLite then
// uses for the WAL too. It leaves existing ones alone.
func createFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	return f.Close()
}

// dsn returns the name by which the driver opens path. It is a URI, in which SQLite itself
// reads any file name. mode=rw makes it fail rather than create a new database where one is
// expected.
func dsn(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // a drive letter
	}
	q := url.Values{
		"mode":          {"rw"},
		"_busy_timeout": {busyTimeout},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"},
		"_foreign_keys": {"1"},
		"_txlock":       {"immediate"},
		"_dqs":          {"0"},
		"_error_rc":     {"1"},
		"_pragma": {
			"fullfsync(1)", "checkpoint_fullfsync(1)", // macOS: fsync alone does not reach the disk
			"journal_size_limit(67108864)",
		},
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
}

// openPool makes the first connection, so that errors appear here and only one connection
// changes the journal mode. It refuses a database that would not be durable. It owns db until
// it returns nil.
func openPool(path string, db *sql.DB) (*sql.DB, error) {
	db.SetMaxIdleConns(idleConns)
	if err := checkDurable(context.Background(), db); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), db.Close())
	}
	return db, nil
}

func checkDurable(ctx context.Context, db *sql.DB) error {
	var mode string
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return err
	}
	if !strings.EqualFold(mode, "wal") {
		return fmt.Errorf("journal mode is %s, want wal: does the file system support shared memory?", mode)
	}
	for pragma, want := range map[string]int{"synchronous": 2, "foreign_keys": 1} {
		var got int
		if err := db.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&got); err != nil {
			return err
		}
		if got != want {
			return fmt.Errorf("pragma %s is %d, want %d", pragma, got, want)
		}
	}
	return nil
}
