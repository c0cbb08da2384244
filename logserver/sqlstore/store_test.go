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
	"github.com/trialproof/trialproof/logserver/sqlite"
	"github.com/trialproof/trialproof/logserver/sqlstore"
	"github.com/trialproof/trialproof/trial"
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

// sid returns the identity of the i-th statement of the batch at first.
func sid(first uint64, i int) trial.Hash {
	return trial.Hash{1, byte(first >> 8), byte(first), byte(i >> 8), byte(i)}
}

func batch(first uint64, n int) logserver.Batch {
	b := logserver.Batch{First: first}
	for i := range n {
		id := sid(first, i)
		b.Entries = append(b.Entries, logserver.BatchEntry{
			Raw: fmt.Appendf(nil, "entry %d", first+uint64(i)), ID: id,
			Records: []trial.RecordKey{{Kind: "trial", ID: "t"}, {Kind: "identifier", ID: id.String()}},
		})
	}
	b.Entries = append(b.Entries, logserver.BatchEntry{Raw: []byte("state")})
	return b
}

// TestJournal walks through the life of a journal with two leaders.
func TestJournal(t *testing.T) {
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
		old, err := s.Claim(ctx)
		must(t, err)
		must(t, s.Decide(ctx, old, batch(0, 2)))
		epoch, err := s.Claim(ctx)
		must(t, err)
		if epoch <= old {
			t.Fatalf("epoch %d after %d", epoch, old)
		}
		// Later writes of the earlier leader fail with ErrLost and leave no trace.
		lost(t, s.Decide(ctx, old, batch(3, 1)))
		lost(t, s.Sign(ctx, old, 3, []byte("old")))
		// So does a batch at any index but the next.
		lost(t, s.Decide(ctx, epoch, batch(2, 1)))
		lost(t, s.Decide(ctx, epoch, batch(4, 1)))
		got, size, batches, err := s.Decided(ctx, 0)
		must(t, err)
		if got != epoch || size != 3 || len(batches) != 1 || len(batches[0].Entries) != 3 ||
			string(batches[0].Entries[1].Raw) != "entry 1" {
			t.Fatalf("decided: epoch %d, size %d, %v", got, size, batches)
		}
		if signed, published, err := s.Newest(ctx); err != nil || signed != nil || published != nil {
			t.Fatalf("newest: %q %q %v", signed, published, err)
		}
		must(t, s.Sign(ctx, epoch, 3, []byte("cp3")))
		lost(t, s.Sign(ctx, epoch, 3, []byte("another root")))
		lost(t, s.Sign(ctx, epoch, 2, []byte("smaller")))
		must(t, s.Decide(ctx, epoch, batch(3, 300)))
		must(t, s.Sign(ctx, epoch, 304, []byte("cp304")))
		must(t, s.Decide(ctx, epoch, batch(304, 1)))
		must(t, s.Sign(ctx, epoch, 306, []byte("cp306")))
		if _, _, batches, err := s.Decided(ctx, 306); err != nil || len(batches) != 0 {
			t.Fatalf("batches after signing: %v %v", batches, err)
		}

		// Publishing: the first one stays, and one that was passed over is gone.
		if _, err := s.Covering(ctx, 0); !errors.Is(err, logserver.ErrNotFound) {
			t.Fatalf("covering before any is published: %v", err)
		}
		for _, p := range []struct {
			size      uint64
			note, get string
		}{{3, "pub3", "pub3"}, {306, "pub306", "pub306"}, {306, "later cosignatures", "pub306"}} {
			if kept, err := s.Publish(ctx, p.size, []byte(p.note)); err != nil || string(kept) != p.get {
				t.Fatalf("publish %d: kept %q, %v", p.size, kept, err)
			}
		}
		for index, want := range map[uint64]string{0: "pub3", 2: "pub3", 3: "pub306", 305: "pub306"} {
			if cp, err := s.Covering(ctx, index); err != nil || string(cp) != want {
				t.Fatalf("covering %d: %q %v, want %q", index, cp, err, want)
			}
		}
		if _, err := s.Covering(ctx, 306); !errors.Is(err, logserver.ErrNotFound) {
			t.Fatalf("covering what is not there: %v", err)
		}
		signed, published, err := s.Newest(ctx)
		if err != nil || string(signed) != "cp306" || string(published) != "pub306" {
			t.Fatalf("newest: %q %q %v", signed, published, err)
		}

		// Indexes.
		found, err := s.Lookup(ctx, []trial.Hash{sid(0, 1), sid(3, 200), {9}})
		must(t, err)
		if len(found) != 2 || found[sid(0, 1)] != 1 || found[sid(3, 200)] != 203 {
			t.Fatalf("lookup: %v", found)
		}
		list, err := s.Entries(ctx, trial.RecordKey{Kind: "trial", ID: "t"}, 1, 3)
		must(t, err)
		if fmt.Sprint(list) != "[1 3 4]" {
			t.Fatalf("entries about the trial from 1: %v", list)
		}
		if list, err := s.Entries(ctx, trial.RecordKey{Kind: "org", ID: "t"}, 0, 10); err != nil || len(list) != 0 {
			t.Fatalf("entries about another record: %v %v", list, err)
		}
	})
}

// TestDecideIsOneTransaction: a batch that cannot be stored whole leaves nothing.
func TestDecideIsOneTransaction(t *testing.T) {
	stores(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		ctx := t.Context()
		s, err := sqlstore.Create(ctx, db, d, 1)
		must(t, err)
		epoch, err := s.Claim(ctx)
		must(t, err)
		must(t, s.Decide(ctx, epoch, batch(0, 2)))
		b := batch(3, 2)
		b.Entries[1].ID = sid(0, 0) // of the first batch
		if err := s.Decide(ctx, epoch, b); err == nil || errors.Is(err, logserver.ErrLost) {
			t.Fatalf("a statement decided twice: %v", err)
		}
		if _, size, batches, err := s.Decided(ctx, 0); err != nil || size != 3 || len(batches) != 1 {
			t.Fatalf("size %d, %d batches, %v", size, len(batches), err)
		}
		if found, err := s.Lookup(ctx, []trial.Hash{b.Entries[0].ID}); err != nil || len(found) != 0 {
			t.Fatalf("half of a batch is there: %v %v", found, err)
		}
		must(t, s.Decide(ctx, epoch, batch(3, 2)))
	})
}

func TestSnapshot(t *testing.T) {
	stores(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		ctx := t.Context()
		s, err := sqlstore.Create(ctx, db, d, 1)
		must(t, err)
		if size, records, err := s.LoadSnapshot(ctx); err != nil || size != 0 || records != nil {
			t.Fatalf("an empty snapshot: %d %v %v", size, records, err)
		}
		var records []trial.Record
		for i := range 1000 {
			records = append(records, &trial.IdentifierRecord{ID: fmt.Sprintf("nct:NCT%08d", i+1), Kind: "identifier",
				Entries: trial.Entries{Peaks: []trial.Hash{}}})
		}
		must(t, s.SaveSnapshot(ctx, 10, records))
		changed := &trial.IdentifierRecord{ID: "nct:NCT00000003", Kind: "identifier", Entries: trial.Entries{Count: 1,
			Peaks: []trial.Hash{{1}}}}
		must(t, s.SaveSnapshot(ctx, 20, []trial.Record{changed}))
		lost(t, s.SaveSnapshot(ctx, 15, records))
		size, got, err := s.LoadSnapshot(ctx)
		must(t, err)
		if size != 20 || len(got) != 1000 {
			t.Fatalf("size %d, %d records", size, len(got))
		}
		for _, r := range got {
			if r.RecordKey().ID == changed.ID && r.EntryTree().Count != 1 {
				t.Fatal("the changed record is the old one")
			}
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

func lost(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, logserver.ErrLost) {
		t.Fatalf("error %v, want ErrLost", err)
	}
}
