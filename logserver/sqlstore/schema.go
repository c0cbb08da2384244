package sqlstore

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"strings"
)

//go:embed schema.sql
var schema string

//go:embed upgrade-2.sql
var upgrade2 string

// upgrades bring a database from one version to the next; the first one leads to version 2. Each
// may run again after it was cut short, and on several servers at once.
var upgrades = []string{upgrade2}

// version is that of the tables this program works with.
var version = 1 + len(upgrades)

// ErrNewerTables says that a later release has upgraded the database.
var ErrNewerTables = errors.New("a newer triallog has upgraded this database: use that one")

// execute runs statements that are each ended by a semicolon at the end of a line.
func execute(ctx context.Context, db *sql.DB, d Dialect, statements string) error {
	for _, stmt := range strings.Split(types[d].Replace(statements), ";\n") {
		if strings.TrimSpace(stmt) == "" {
			continue
		}
		if _, err := db.ExecContext(ctx, stmt); err != nil {
			return err
		}
	}
	return nil
}

// Upgrade brings the tables of a log to the present version. The version is stored after each step, so
// that an upgrade that was cut short goes on where it stopped.
func Upgrade(ctx context.Context, db *sql.DB, d Dialect) error {
	at, err := tablesVersion(ctx, db)
	if err != nil {
		return err
	}
	for ; at < version; at++ {
		if err := execute(ctx, db, d, upgrades[at-1]); err != nil {
			return fmt.Errorf("upgrade the tables to version %d (run once as a user who may create tables): %w", at+1, err)
		}
		if _, err := db.ExecContext(ctx, "UPDATE tp_schema SET version = ? WHERE id = 1 AND version < ?", at+1, at+1); err != nil {
			return fmt.Errorf("store that the tables have version %d: %w", at+1, err)
		}
	}
	return nil
}

// tablesVersion returns the version of the tables, or ErrNewerTables. Those of version 1 do not say it.
func tablesVersion(ctx context.Context, db *sql.DB) (n int, err error) {
	if err := db.QueryRowContext(ctx, "SELECT version FROM tp_schema WHERE id = 1").Scan(&n); err == nil {
		if n > version {
			return n, fmt.Errorf("%w (its tables have version %d, this program knows %d)", ErrNewerTables, n, version)
		}
		return n, nil
	}
	// Either there is no such table, or the database cannot be read: then tp_log cannot be either.
	if err := db.QueryRowContext(ctx, "SELECT 1 FROM tp_log WHERE id = 1").Scan(new(int)); err != nil {
		return 0, noLog(err)
	}
	return 1, nil
}

func noLog(err error) error {
	return fmt.Errorf("the database holds no log (triallog init makes one): %w", err)
}
