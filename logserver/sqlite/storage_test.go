package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/trillian"
	"github.com/google/trillian/storage"
	"github.com/google/trillian/storage/testonly"
	"github.com/google/trillian/types"
	"google.golang.org/protobuf/proto"
)

// newTree makes a PREORDERED_LOG tree with a root of size 0.
func newTree(t *testing.T, s *Storage) *trillian.Tree {
	t.Helper()
	tree, err := storage.CreateTree(t.Context(), s.Admin, proto.Clone(testonly.PreorderedLogTree).(*trillian.Tree))
	if err != nil {
		t.Fatal(err)
	}
	root, err := (&types.LogRootV1{RootHash: make([]byte, 32)}).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	err = s.Log.ReadWriteTransaction(t.Context(), tree, func(ctx context.Context, tx storage.LogTreeTX) error {
		return tx.StoreSignedLogRoot(ctx, &trillian.SignedLogRoot{LogRoot: root})
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func newLeaves(first, n int) []*trillian.LogLeaf {
	leaves := make([]*trillian.LogLeaf, n)
	for i := range leaves {
		h := sha256.Sum256(fmt.Append(nil, first+i))
		leaves[i] = &trillian.LogLeaf{LeafIndex: int64(first + i), LeafValue: fmt.Append(nil, first+i), LeafIdentityHash: h[:],
			MerkleLeafHash: h[:]}
	}
	return leaves
}

// TestConcurrentReadersAndWriters: several writers take turns, and readers never wait for a
// writer or see half a batch.
func TestConcurrentReadersAndWriters(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	const writers, readers, batches, batch = 4, 12, 15, 10
	s := newStorage(t)
	tree := newTree(t, s)

	ctx, stop := context.WithCancel(t.Context())
	var reading, writing sync.WaitGroup
	for range readers {
		reading.Go(func() {
			for reads := 0; ctx.Err() == nil || reads == 0; reads++ {
				if n, err := countLeaves(t.Context(), s, tree, writers*batches*batch); err != nil || n%batch != 0 {
					t.Errorf("read %d leaves, want whole batches of %d: %v", n, batch, err)
					return
				}
				if _, err := storage.GetTree(t.Context(), s.Admin, tree.TreeId); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for w := range writers {
		writing.Go(func() {
			for b := range batches {
				res, err := s.Log.AddSequencedLeaves(t.Context(), tree, newLeaves((b*writers+w)*batch, batch), time.Unix(1, 0))
				if err != nil {
					t.Errorf("writer %d: %v", w, err)
					return
				}
				for _, r := range res {
					if r.Status.GetCode() != 0 {
						t.Errorf("writer %d: %v", w, r.Status)
					}
				}
			}
		})
	}
	writing.Wait()
	stop()
	reading.Wait()
	if n, err := countLeaves(t.Context(), s, tree, writers*batches*batch); err != nil || n != writers*batches*batch {
		t.Errorf("read %d leaves in the end, want %d: %v", n, writers*batches*batch, err)
	}
}

// countLeaves counts, in one snapshot, the leaves at all indexes below limit: the
// range is read piece by piece, because a batch may be there before an earlier.
func countLeaves(ctx context.Context, s *Storage, tree *trillian.Tree, limit int) (n int, err error) {
	tx, err := s.Log.SnapshotForTree(ctx, tree)
	if err != nil {
		return 0, err
	}
	defer tx.Close()
	for at := 0; at < limit; {
		leaves, err := tx.GetLeavesByRange(ctx, int64(at), int64(limit-at))
		if err != nil {
			return 0, err
		}
		n += len(leaves)
		at += max(len(leaves), 1)
	}
	return n, tx.Commit(ctx)
}

// TestReaderDoesNotBlockWriter keeps a snapshot open while leaves are written, and a write open
// while another snapshot is taken.
func TestReaderDoesNotBlockWriter(t *testing.T) {
	s := newStorage(t)
	tree := newTree(t, s)
	old, err := s.Log.SnapshotForTree(t.Context(), tree)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	err = s.Log.ReadWriteTransaction(t.Context(), tree, func(ctx context.Context, _ storage.LogTreeTX) error {
		_, err := countLeaves(t.Context(), s, tree, 1)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Log.AddSequencedLeaves(t.Context(), tree, newLeaves(0, 5), time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if got, err := old.GetLeavesByRange(t.Context(), 0, 5); err != nil || len(got) != 0 {
		t.Errorf("the old snapshot has %d leaves, want none: %v", len(got), err)
	}
	if n, err := countLeaves(t.Context(), s, tree, 5); err != nil || n != 5 {
		t.Errorf("a new snapshot has %d leaves, want 5: %v", n, err)
	}
}

// TestBeginModes tells the modes apart by what happens to a second writer.
func TestBeginModes(t *testing.T) {
	s := newStorage(t)
	read, err := s.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer read.Rollback()
	write, err := s.db.BeginTx(forWriting(t.Context()), nil) // would wait if read had the lock
	if err != nil {
		t.Fatal(err)
	}
	defer write.Rollback()
	c, err := s.db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.ExecContext(t.Context(), "PRAGMA busy_timeout = 0"); err != nil {
		t.Fatal(err)
	}
	if tx, err := c.BeginTx(forWriting(t.Context()), nil); err == nil {
		tx.Rollback()
		t.Error("two transactions hold the write lock: the first began deferred")
	}
	if tx, err := c.BeginTx(t.Context(), nil); err != nil {
		t.Errorf("begin a read beside a write: %v", err)
	} else {
		tx.Rollback()
	}
}

// TestWriteLock: a caller waits for the lock only as long as its context lasts, and does not
// interrupt the write that has it.
func TestWriteLock(t *testing.T) {
	l := make(writeLock, 1)
	ctx, cancel := context.WithCancel(t.Context())
	err := l.do(ctx, func(inner context.Context) error {
		cancel()
		if err := inner.Err(); err != nil {
			t.Errorf("a write was interrupted: %v", err)
		}
		if inner.Value(writeKey{}) == nil {
			t.Error("the context of a write is not marked")
		}
		waiting, stop := context.WithCancel(t.Context())
		time.AfterFunc(time.Millisecond, stop)
		if err := l.do(waiting, func(context.Context) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("a second write got %v, want context.Canceled", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := l.do(ctx, func(context.Context) error { t.Error("began with a dead context"); return nil }); !errors.Is(err,
		context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if err := l.do(t.Context(), func(context.Context) error { return errors.ErrUnsupported }); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("the lock was not given back, or an error was lost: %v", err)
	}
}

// TestSavepoints uses savepoints as MySQL allows and Trillian needs.
func TestSavepoints(t *testing.T) {
	s := newStorage(t)
	if _, err := s.db.Exec("CREATE TABLE t(x INTEGER PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		stmts []string
		want  string
	}{
		"rolled back to the last": {[]string{"SAVEPOINT a", "1", "SAVEPOINT a", "2", "ROLLBACK TO SAVEPOINT a", "3"}, "[1 3]"},
		"kept after a rollback":   {[]string{"SAVEPOINT a", "1", "ROLLBACK TO SAVEPOINT a", "2", "ROLLBACK TO SAVEPOINT a", "3"}, "[3]"},
		"set again after a rollback": {[]string{"SAVEPOINT a", "1", "ROLLBACK TO SAVEPOINT a", "SAVEPOINT a", "2", "SAVEPOINT a", "3",
			"ROLLBACK TO SAVEPOINT a"}, "[2]"},
		"an outer one survives": {[]string{"SAVEPOINT a", "1", "SAVEPOINT b", "2", "SAVEPOINT b", "3", "ROLLBACK TO SAVEPOINT a",
			"4"}, "[4]"},
		"an outer one set again": {[]string{"SAVEPOINT a", "1", "SAVEPOINT b", "2", "SAVEPOINT a", "3", "ROLLBACK TO SAVEPOINT b",
			"4"}, "[1 4]"},
		"released": {[]string{"SAVEPOINT a", "1", "RELEASE SAVEPOINT a", "SAVEPOINT a", "2", "ROLLBACK TO SAVEPOINT a"},
			"[1]"},
	} {
		tx, err := s.db.BeginTx(forWriting(t.Context()), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, stmt := range test.stmts {
			if !strings.Contains(stmt, " ") {
				stmt = "INSERT INTO t VALUES(" + stmt + ")"
			}
			if _, err := tx.Exec(stmt); err != nil {
				t.Errorf("%s: %s: %v", name, stmt, err)
			}
		}
		rows, err := tx.Query("SELECT x FROM t ORDER BY x")
		if err != nil {
			t.Fatal(err)
		}
		got := []int{}
		for rows.Next() {
			var x int
			if err := rows.Scan(&x); err != nil {
				t.Fatal(err)
			}
			got = append(got, x)
		}
		if fmt.Sprint(got) != test.want {
			t.Errorf("%s: got %v, want %s", name, got, test.want)
		}
		if err := errors.Join(rows.Err(), tx.Rollback()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSavepointsDoNotStack releases a savepoint that was set twice: none is left.
func TestSavepointsDoNotStack(t *testing.T) {
	s := newStorage(t)
	tx, err := s.db.BeginTx(forWriting(t.Context()), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	for _, stmt := range []string{"SAVEPOINT a", "SAVEPOINT a", "SAVEPOINT a", "RELEASE SAVEPOINT a"} {
		if _, err := tx.Exec(stmt); err != nil {
			t.Fatalf("%s: %v", stmt, err)
		}
	}
	if _, err := tx.Exec("ROLLBACK TO SAVEPOINT a"); err == nil {
		t.Error("a savepoint is left: they stack up")
	}
}

// TestRangePlan: SQLite reads a range of leaves by their numbers. The other order of the join
// would read the whole log every time.
func TestRangePlan(t *testing.T) {
	s := newStorage(t)
	rows, err := s.db.Query(`EXPLAIN QUERY PLAN SELECT s.MerkleLeafHash,l.LeafIdentityHash,l.LeafValue,s.SequenceNumber,l.ExtraData,l.QueueTimestampNanos,s.IntegrateTimestampNanos
		FROM LeafData l,SequencedLeafData s
		WHERE l.LeafIdentityHash = s.LeafIdentityHash
		AND s.SequenceNumber >= ? AND s.SequenceNumber < ? AND l.TreeId = ? AND s.TreeId = l.TreeId ORDER BY s.SequenceNumber`, 1, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, detail)
	}
	got := strings.Join(plan, "\n")
	if len(plan) != 2 || !strings.HasPrefix(plan[0], "SEARCH s ") || !strings.Contains(plan[0], "SequenceNumber>? AND SequenceNumber<?") ||
		!strings.Contains(plan[1], "LeafIdentityHash=?") {
		t.Errorf("a range is read by\n%s", got)
	}
}

func TestOpenStorage(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	path := filepath.Join(dir, "tree?#%20 ü.db")
	if _, err := OpenStorage(t.Context(), path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("got %v, want fs.ErrNotExist", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Error("opening made the folder")
	}
	s, err := CreateStorage(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	tree := newTree(t, s)
	for p, want := range map[string]fs.FileMode{dir: fs.ModeDir | 0o700, path: 0o600, path + "-wal": 0o600} {
		if fi, err := os.Stat(p); err != nil || fi.Mode() != want {
			t.Errorf("%s: mode %v, want %v (%v)", p, fi.Mode(), want, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	for _, open := range []func(context.Context, string) (*Storage, error){OpenStorage, CreateStorage} {
		s, err := open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := storage.GetTree(t.Context(), s.Admin, tree.TreeId); err != nil {
			t.Errorf("the tree is gone: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}

	db, err := OpenDB(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	if _, err := OpenStorage(t.Context(), path); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("got %v, want a word of a newer program", err)
	}

	other := filepath.Join(dir, "other.db")
	if db, err := OpenDB(other); err != nil {
		t.Fatal(err)
	} else {
		db.Close()
	}
	if _, err := OpenStorage(t.Context(), other); err == nil {
		t.Error("a database without a log was opened")
	}
	if err := os.WriteFile(other, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenStorage(t.Context(), other); err == nil {
		t.Error("a file that is no database was opened")
	}
}

func TestOpenDB(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "journal.db")
	db, err := OpenDB(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE t(x INTEGER PRIMARY KEY, y INTEGER REFERENCES t(x))"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("INSERT INTO t VALUES(1, 2)"); err == nil {
		t.Error("foreign keys are off")
	}

	write, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer write.Rollback()
	// Every connection, not only the first, is durable, and a reader begins
	// beside the writer.
	read, err := db.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer read.Rollback()
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1",
		"busy_timeout": busyTimeout} {
		var got string
		if err := read.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s, want %s (%v)", pragma, got, want, err)
		}
	}
	// A write transaction has the lock from its beginning: another gives up.
	c, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.ExecContext(t.Context(), "PRAGMA busy_timeout = 0"); err != nil {
		t.Fatal(err)
	}
	if tx, err := c.BeginTx(t.Context(), nil); err == nil {
		tx.Rollback()
		t.Error("two transactions hold the write lock")
	}
}
