package sqlstore_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/logserver/engine"
	"github.com/trialproof/trialproof/logserver/journaltest"
	"github.com/trialproof/trialproof/logserver/sqlite"
	"github.com/trialproof/trialproof/logserver/sqlstore"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// stores runs a test on SQLite and on MySQL or MariaDB.
func stores(t *testing.T, f func(t *testing.T, db *sql.DB, d sqlstore.Dialect)) {
	t.Run("SQLite", func(t *testing.T) {
		db, err := sqlite.OpenDB(filepath.Join(t.TempDir(), "log.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		f(t, db, sqlstore.SQLite)
	})
	t.Run("MySQL", func(t *testing.T) {
		dsn := os.Getenv("TRIALPROOF_TEST_MYSQL")
		if dsn == "" {
			trialtest.Skip(t, "TRIALPROOF_TEST_MYSQL names no MySQL or MariaDB")
		}
		cfg, err := mysql.ParseDSN(dsn)
		if err != nil {
			t.Fatal(err)
		}
		admin, err := sql.Open("mysql", dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer admin.Close()
		cfg.DBName = fmt.Sprintf("store_%d_%d", os.Getpid(), time.Now().UnixNano())
		if _, err := admin.Exec("CREATE DATABASE " + cfg.DBName); err != nil {
			t.Fatal(err)
		}
		defer admin.Exec("DROP DATABASE " + cfg.DBName)
		db, err := engine.OpenMySQL(t.Context(), cfg.FormatDSN())
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		f(t, db, sqlstore.MySQL)
	})
}

var batch = journaltest.Batch

// TestContract holds the store to the contract of all journals.
func TestContract(t *testing.T) {
	stores(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		var last *sqlstore.Store
		journaltest.Test(t, func(t *testing.T) logserver.Journal {
			if last != nil {
				empty(t, db)
			}
			var err error
			last, err = sqlstore.Create(t.Context(), db, d, 7)
			must(t, err)
			return last
		})
	})
}

// empty drops the tables of a log.
func empty(t *testing.T, db *sql.DB) {
	t.Helper()
	for _, table := range []string{"log", "batches", "statements", "about", "checkpoints", "records", "tiles", "lease", "schema"} {
		_, err := db.Exec("DROP TABLE tp_" + table)
		must(t, err)
	}
}

// TestCreate: there is one log in a database, which must be made before it is opened.
func TestCreate(t *testing.T) {
	stores(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		ctx := t.Context()
		if _, err := sqlstore.Open(ctx, db, d); err == nil {
			t.Fatal("opened a log that nobody made")
		}
		if _, err := sqlstore.Create(ctx, db, d, 7); err != nil {
			t.Fatal(err)
		}
		if _, err := sqlstore.Create(ctx, db, d, 8); err == nil {
			t.Fatal("made a second log in one database")
		}
		s, err := sqlstore.Open(ctx, db, d)
		if err != nil || s.TreeID() != 7 {
			t.Fatalf("tree %d, %v", s.TreeID(), err)
		}
	})
}

func TestTiles(t *testing.T) {
	stores(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		ctx := t.Context()
		s, err := sqlstore.Create(ctx, db, d, 1)
		must(t, err)
		tiles := s.Tiles()
		if _, err := tiles.Get(ctx, "tile/0/000"); !errors.Is(err, logserver.ErrNotFound) {
			t.Fatalf("a tile that is not there: %v", err)
		}
		put := func(parts ...logserver.TilePart) { t.Helper(); must(t, tiles.Put(ctx, parts)) }
		put(logserver.TilePart{Path: "tile/0/000", Data: []byte("abc")}, logserver.TilePart{Path: "tile/1/000", Data: []byte{0, 1}})
		put(logserver.TilePart{Path: "tile/0/000", Offset: 3, Data: []byte("def")})
		put(logserver.TilePart{Path: "tile/0/000", Offset: 3, Data: []byte("def")}) // again
		if data, err := tiles.Get(ctx, "tile/0/000"); err != nil || !bytes.Equal(data, []byte("abcdef")) {
			t.Fatalf("%q %v", data, err)
		}
		put(logserver.TilePart{Path: "tile/0/001", Offset: 5, Data: []byte("x")})
		if _, err := tiles.Get(ctx, "tile/0/001"); err == nil {
			t.Fatal("a tile with a gap was read")
		}
		put()
	})
}

func TestClock(t *testing.T) {
	stores(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s, err := sqlstore.Create(t.Context(), db, d, 1)
		must(t, err)
		now, err := s.Now(context.Background())
		must(t, err)
		if d == sqlstore.SQLite {
			if !now.IsZero() {
				t.Fatalf("SQLite has a clock of its own: %v", now)
			}
			return
		}
		if d := time.Since(now); d > time.Minute || d < -time.Minute {
			t.Fatalf("the database's clock is %v off, though it is this machine's", d)
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
