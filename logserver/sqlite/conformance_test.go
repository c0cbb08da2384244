package sqlite

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/google/trillian"
	"github.com/google/trillian/integration/storagetest"
	"github.com/google/trillian/storage"
	"github.com/google/trillian/storage/testonly"
	"google.golang.org/protobuf/proto"
)

func newStorage(t *testing.T) *Storage {
	t.Helper()
	s, err := CreateStorage(t.Context(), filepath.Join(t.TempDir(), "tree.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// The numbers of tests in Trillian v1.8.0's two suites. A suite that has become
// smaller proves less than it did: find out why before lowering one.
const (
	wantLogTests   = 11
	wantAdminTests = 10
)

func TestLogStorageConformance(t *testing.T) {
	n := 0
	storagetest.RunLogStorageTests(t, func(_ context.Context, t *testing.T) (storage.LogStorage, storage.AdminStorage) {
		n++ // called once for each test
		s := newStorage(t)
		return s.Log, s.Admin
	})
	if n < wantLogTests {
		t.Errorf("the suite ran %d tests, want %d", n, wantLogTests)
	}
}

func TestAdminStorageConformance(t *testing.T) {
	n := 0
	tester := &testonly.AdminStorageTester{NewAdminStorage: func() storage.AdminStorage {
		n++
		return newStorage(t).Admin
	}}
	tester.RunAllTests(t)
	if n < wantAdminTests {
		t.Errorf("the suite ran %d tests, want %d", n, wantAdminTests)
	}
}

// TestUndeletedTree is missing from the suite: MySQL reads Deleted = 'false' as
// Deleted = 0, SQLite does not.
func TestUndeletedTree(t *testing.T) {
	ctx, s := t.Context(), newStorage(t)
	tree, err := storage.CreateTree(ctx, s.Admin, proto.Clone(testonly.PreorderedLogTree).(*trillian.Tree))
	if err != nil {
		t.Fatal(err)
	}
	listed := func() (admin, active int) {
		trees, err := storage.ListTrees(ctx, s.Admin, false)
		if err != nil {
			t.Fatal(err)
		}
		ids, err := s.Log.GetActiveLogIDs(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return len(trees), len(ids)
	}
	if _, err := storage.SoftDeleteTree(ctx, s.Admin, tree.TreeId); err != nil {
		t.Fatal(err)
	}
	if a, b := listed(); a != 0 || b != 0 {
		t.Errorf("deleted tree: listed %d and %d times, want 0 and 0", a, b)
	}
	if _, err := storage.UndeleteTree(ctx, s.Admin, tree.TreeId); err != nil {
		t.Fatal(err)
	}
	if a, b := listed(); a != 1 || b != 1 {
		t.Errorf("undeleted tree: listed %d and %d times, want 1 and 1", a, b)
	}
}
