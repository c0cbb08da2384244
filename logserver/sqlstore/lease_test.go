package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/trialproof/trialproof/logserver/sqlstore"
)

// older makes the tables as they were before version 2.
func older(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
	t.Helper()
	_, err := sqlstore.Create(t.Context(), db, d, 7)
	must(t, err)
	for _, table := range []string{"tp_lease", "tp_schema"} {
		_, err := db.Exec("DROP TABLE " + table)
		must(t, err)
	}
	_, err = db.Exec("UPDATE tp_log SET epoch = 41")
	must(t, err)
}

// TestUpgrade: tables of an earlier version are upgraded, also where that was cut short, and
// those of a later one are left alone.
func TestUpgrade(t *testing.T) {
	stores(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		older(t, db, d)
		if _, err := sqlstore.Open(t.Context(), db, d); err != nil { // to be read only
			t.Fatal(err)
		}
		if _, err := db.Exec("SELECT 1 FROM tp_lease"); err == nil {
			t.Fatal("opening it changed the tables")
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := sqlstore.Open(ended, db, d); err == nil {
			t.Fatal("opened without the database")
		}
		for _, missing := range []string{"", "DROP TABLE tp_schema", "DELETE FROM tp_schema", "UPDATE tp_schema SET version = 1", "DELETE FROM tp_lease"} {
			if missing != "" {
				_, err := db.Exec(missing)
				must(t, err)
			}
			if missing == "DELETE FROM tp_lease" {
				_, err := db.Exec("UPDATE tp_schema SET version = 1")
				must(t, err)
			}
			must(t, sqlstore.Upgrade(t.Context(), db, d))
			s, err := sqlstore.Open(t.Context(), db, d)
			must(t, err)
			l, err := s.Lease(t.Context())
			must(t, err)
			if l.Epoch != 41 || s.TreeID() != 7 {
				t.Fatalf("after %q: %+v", missing, l)
			}
			var version int
			must(t, db.QueryRow("SELECT version FROM tp_schema").Scan(&version))
			if version != 2 {
				t.Fatalf("after %q: version %d", missing, version)
			}
		}
		_, err := db.Exec("UPDATE tp_schema SET version = 99")
		must(t, err)
		if _, err := sqlstore.Open(t.Context(), db, d); !errors.Is(err, sqlstore.ErrNewerTables) {
			t.Fatalf("tables of version 99: %v", err)
		}
	})
}
