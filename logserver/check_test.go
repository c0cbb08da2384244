package logserver_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/logserver/sqlite"
)

// check returns what does not agree in a log that is not open.
func (f *fixture) check() (problems string) {
	f.t.Helper()
	cfg, closeAll, err := f.backends(f.t.Context(), false)
	if err != nil {
		f.t.Fatal(err)
	}
	defer closeAll()
	if err := logserver.Check(f.t.Context(), cfg, logserver.Checking{Found: func(p string) { problems += p + "\n" }}); err != nil {
		f.t.Fatal(err)
	}
	return problems
}

// TestCheck alters each of the log's stores in turn. Each alteration is named.
func TestCheck(t *testing.T) {
	if os.Getenv("TRIALPROOF_TEST_STORE") == "mysql" {
		t.Log("the alterations are of SQLite's files")
		return
	}
	f := newFixture(t)
	f.witnesses(3, 2)
	f.create()
	l, stop := f.open()
	waitReady(t, l)
	id := f.enrol(l)
	f.grow(l, id, 300) // a full tile and one above it
	stop()
	if problems := f.check(); problems != "" {
		t.Fatalf("a sound log:\n%s", problems)
	}
	query := func(file, q string) func() error {
		return func() error {
			db, err := sqlite.OpenDB(f.path(file))
			if err != nil {
				return err
			}
			defer db.Close()
			res, err := db.Exec(q)
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil || n != 1 {
				return fmt.Errorf("%d rows altered: %w", n, err)
			}
			return nil
		}
	}
	tile := func(name string) func() error {
		return func() error {
			data, err := os.ReadFile(f.path(name))
			if err != nil {
				return err
			}
			data[len(data)/2] ^= 1
			return os.WriteFile(f.path(name), data, 0o644)
		}
	}
	for _, c := range []struct {
		what  string
		alter func() error
		named string
	}{
		{"a full tile", tile("tiles/tile/0/000"), "tile/0/000 is damaged: byte 4096 of it"},
		{"a tile above", tile("tiles/tile/1/000"), "tile/1/000 is damaged: byte 16 of it"},
		{"the edge tile", tile("tiles/tile/0/001"), "tile/0/001 is damaged"},
		{"an entry bundle", tile("tiles/tile/entries/000"), "tile/entries/000 is damaged"},
		{"a leaf", query("tree.db",
			`UPDATE LeafData SET LeafValue = X'00' WHERE LeafIdentityHash = (SELECT LeafIdentityHash FROM SequencedLeafData WHERE SequenceNumber = 7)`), "entry 7: the database holds other bytes"},
		{"an identity's index", query("log.db", `UPDATE tp_statements SET entry = 299 WHERE entry = 4`), "its index was altered"},
		{"what an entry is about", query("log.db",
			`DELETE FROM tp_about WHERE (record, entry) = (SELECT record, entry FROM tp_about WHERE entry = 4 LIMIT 1)`), "its index " +
			"was altered"},
		{"a record of the snapshot", query("log.db",
			`UPDATE tp_records SET data = CAST(replace(data, 'Acme', 'Acne') AS BLOB) WHERE kind = 'org'`), "snapshot"},
		{"the copy of the checkpoint", func() error { return os.WriteFile(f.path("checkpoint"), []byte("x"), 0o644) },
			"checkpoint is damaged: "},
	} {
		saved := t.TempDir()
		copyLog(t, saved, f.dir)
		if err := c.alter(); err != nil {
			t.Fatalf("alter %s: %v", c.what, err)
		}
		if problems := f.check(); c.named != "" && !strings.Contains(problems, c.named) {
			t.Errorf("%s was altered; named was:\n%s", c.what, problems)
		}
		copyLog(t, f.dir, saved)
	}
}

// alterLeaf alters a leaf in Trillian's database.
func alterLeaf(t *testing.T, file string, index int) {
	t.Helper()
	db, err := sqlite.OpenDB(file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = db.Exec(`UPDATE LeafData SET LeafValue = X'00' WHERE LeafIdentityHash = (SELECT LeafIdentityHash FROM SequencedLeafData WHERE SequenceNumber = ?)`, index)
	if err != nil {
		t.Fatal(err)
	}
}
