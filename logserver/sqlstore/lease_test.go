package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/logserver/sqlstore"
)

// TestLease: of those who saw the same lease one takes it, and whatever a leader does to it keeps
// those out who have not seen that.
func TestLease(t *testing.T) {
	stores(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		ctx := t.Context()
		s, err := sqlstore.Create(ctx, db, d, 7)
		must(t, err)
		now := func() logserver.Lease {
			t.Helper()
			l, err := s.Lease(ctx)
			must(t, err)
			return l
		}
		first := now()
		if first.Holder != "" || first.Fresh != nil || first.Freed {
			t.Fatalf("a new log's lease: %+v", first)
		}
		epoch, err := s.Take(ctx, first, "http://a")
		must(t, err)
		_, err = s.Take(ctx, first, "http://b")
		lost(t, err)
		if l := now(); l.Epoch != epoch || l.Holder != "http://a" || l.Beat == first.Beat {
			t.Fatalf("after a has taken it: %+v", l)
		}
		lost(t, s.Decide(ctx, epoch-1, batch(0, 1)))
		must(t, s.Decide(ctx, epoch, batch(0, 1)))

		seen := now()
		must(t, s.Beat(ctx, epoch, []byte("fresh")))
		_, err = s.Take(ctx, seen, "http://b")
		lost(t, err)
		must(t, s.Beat(ctx, epoch, nil))
		if l := now(); string(l.Fresh) != "fresh" || l.Beat != seen.Beat+2 {
			t.Fatalf("after two beats: %+v, before %+v", l, seen)
		}
		lost(t, s.Beat(ctx, epoch-1, []byte("old")))
		lost(t, s.Free(ctx, epoch-1))

		// A leader that was replaced while it was silent.
		next, err := s.Take(ctx, now(), "http://b")
		must(t, err)
		lost(t, s.Beat(ctx, epoch, []byte("of the old leader")))
		lost(t, s.Free(ctx, epoch))
		lost(t, s.Decide(ctx, epoch, batch(2, 1)))
		lost(t, s.Sign(ctx, epoch, 2, []byte("cp2")))
		must(t, s.Sign(ctx, next, 2, []byte("cp2")))

		// Freed, taken, and claimed by one that asks nobody.
		seen = now()
		must(t, s.Free(ctx, next))
		_, err = s.Take(ctx, seen, "http://a")
		lost(t, err)
		if l := now(); !l.Freed || string(l.Fresh) != "fresh" {
			t.Fatalf("freed: %+v", l)
		}
		_, err = s.Take(ctx, now(), "http://a")
		must(t, err)
		seen = now()
		claimed, err := s.Claim(ctx)
		must(t, err)
		_, err = s.Take(ctx, seen, "http://b")
		lost(t, err)
		if l := now(); l.Epoch != claimed || l.Holder != "" || l.Freed {
			t.Fatalf("claimed: %+v", l)
		}
	})
}

// TestLeaseRace: many take the same lease at once, and one gets it.
func TestLeaseRace(t *testing.T) {
	stores(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s, err := sqlstore.Create(t.Context(), db, d, 7)
		must(t, err)
		for range 20 {
			seen, err := s.Lease(t.Context())
			must(t, err)
			results := make(chan error)
			const rivals = 4
			for range rivals {
				go func() { _, err := s.Take(t.Context(), seen, "http://x"); results <- err }()
			}
			won := 0
			for range rivals {
				switch err := <-results; {
				case err == nil:
					won++
				case d == sqlstore.MySQL && !errors.Is(err, logserver.ErrLost):
					t.Errorf("taking a lease: %v", err)
				}
			}
			if won != 1 {
				t.Fatalf("%d have the lead", won)
			}
		}
	})
}

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
