package sqlstore_test

import (
	"database/sql"
	"errors"
	"testing"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/logserver/sqlstore"
	"github.com/trialproof/trialproof/trial"
)

// TestRestorer fills a journal as a restore does: there is no log in it until the checkpoints
// are stored.
func TestRestorer(t *testing.T) {
	stores(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		ctx := t.Context()
		s, err := sqlstore.Create(ctx, db, d, 7)
		if err != nil {
			t.Fatal(err)
		}
		epoch, err := s.Claim(ctx)
		if err != nil {
			t.Fatal(err)
		}
		first, second := batch(0, 3), batch(4, 2)
		second.Entries[1].ID = first.Entries[2].ID // the same statement again
		if err := s.Place(ctx, epoch, first); err != nil {
			t.Fatal(err)
		}
		if err := s.Place(ctx, epoch, first); !errors.Is(err, logserver.ErrLost) {
			t.Fatalf("placed twice: %v", err)
		}
		if err := s.Place(ctx, epoch-1, second); !errors.Is(err, logserver.ErrLost) {
			t.Fatalf("placed under an old epoch: %v", err)
		}
		if err := s.Place(ctx, epoch, second); err != nil {
			t.Fatal(err)
		}
		if signed, _, err := s.Newest(ctx); signed != nil || err != nil {
			t.Fatalf("there is a checkpoint already: %q, %v", signed, err)
		}
		if done, err := sqlstore.Finished(ctx, db, d); done || err != nil {
			t.Fatalf("finished %v: %v", done, err)
		}
		newest, published := logserver.Stored{Size: 7, Note: []byte("seven")}, logserver.Stored{Size: 4, Note: []byte("four")}
		if err := s.Restored(ctx, epoch, logserver.Stored{Size: 6, Note: []byte("six")}, published); !errors.Is(err, logserver.ErrLost) {
			t.Fatalf("a checkpoint of another size than was placed: %v", err)
		}
		if err := s.Restored(ctx, epoch, newest, published); err != nil {
			t.Fatal(err)
		}
		if done, err := sqlstore.Finished(ctx, db, d); !done || err != nil {
			t.Fatalf("finished %v: %v", done, err)
		}
		if err := s.Place(ctx, epoch, batch(7, 1)); !errors.Is(err, logserver.ErrLost) {
			t.Fatalf("placed behind the end: %v", err)
		}
		signed, pub, err := s.Newest(ctx)
		if err != nil || string(signed) != "seven" || string(pub) != "four" {
			t.Fatalf("newest are %q and %q: %v", signed, pub, err)
		}
		if cp, err := s.Covering(ctx, 2); err != nil || string(cp) != "four" {
			t.Fatalf("covering 2: %q, %v", cp, err)
		}
		if _, size, batches, err := s.Decided(ctx, 7); size != 7 || len(batches) != 0 || err != nil {
			t.Fatalf("decided %d with %d batches: %v", size, len(batches), err)
		}
		id := first.Entries[2].ID
		if at, err := s.Lookup(ctx, []trial.Hash{id}); err != nil || at[id] != 2 {
			t.Fatalf("the statement that stands twice is found at %d, want the first, 2: %v", at[id], err)
		}
		if list, err := s.Entries(ctx, trial.RecordKey{Kind: "trial", ID: "t"}, 0, 9); err != nil || len(list) != 5 {
			t.Fatalf("entries about t: %v, %v", list, err)
		}
		// A log is not cleared away.
		err = sqlstore.Clear(ctx, db, func(int64) error { t.Error("the tree of a log was dropped"); return nil })
		if d == sqlstore.MySQL && err == nil {
			t.Fatal("a log was cleared away")
		}
	})
}

// TestClear removes a restore that was interrupted at any point.
func TestClear(t *testing.T) {
	stores(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		if d != sqlstore.MySQL {
			return // a file is removed as a whole
		}
		ctx := t.Context()
		none := func(tree int64) error { t.Errorf("tree %d was dropped", tree); return nil }
		if err := sqlstore.Clear(ctx, db, none); err != nil {
			t.Fatalf("clear an empty database: %v", err)
		}
		for range 2 {
			s, err := sqlstore.Create(ctx, db, d, 7)
			if err != nil {
				t.Fatal(err)
			}
			epoch, err := s.Claim(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Place(ctx, epoch, batch(0, 3)); err != nil {
				t.Fatal(err)
			}
			if err := s.Tiles().Put(ctx, []logserver.TilePart{{Path: "tile/0/000", Data: []byte("x")}}); err != nil {
				t.Fatal(err)
			}
			cut := errors.New("cut short")
			if err := sqlstore.Clear(ctx, db, func(int64) error { return cut }); !errors.Is(err, cut) {
				t.Fatal(err)
			}
			var dropped int64
			if err := sqlstore.Clear(ctx, db, func(tree int64) error { dropped = tree; return nil }); err != nil || dropped != 7 {
				t.Fatalf("dropped tree %d: %v", dropped, err)
			}
			if _, err := s.Tiles().Get(ctx, "tile/0/000"); !errors.Is(err, logserver.ErrNotFound) {
				t.Fatalf("a tile is left: %v", err)
			}
		}
	})
}
