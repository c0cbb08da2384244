package engine

import (
	"os"
	"testing"

	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestDrop removes one tree of two, all of it, and can be repeated.
func TestDrop(t *testing.T) {
	dsn := os.Getenv(mysqlEnv)
	if dsn == "" {
		trialtest.Skip(t, mysqlEnv+" is not set: MySQL is not tested")
	}
	cfg := Config{MySQL: newDatabase(t, dsn)}
	if err := Drop(t.Context(), Config{MySQL: cfg.MySQL, TreeID: 1}); err != nil {
		t.Fatalf("drop from an empty database: %v", err)
	}
	gone, kept := create(t, cfg), create(t, cfg)
	for _, c := range []Config{gone, kept} {
		tree, closeNow := open(t, c)
		if err := tree.Append(t.Context(), 0, testLeaves(0, 300)); err != nil {
			t.Fatal(err)
		}
		closeNow()
	}
	for range 2 {
		if err := Drop(t.Context(), gone); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(t.Context(), gone); err == nil {
		t.Fatal("the tree is there still")
	}
	tree, _ := open(t, kept)
	if size, _, err := tree.Head(t.Context()); err != nil || size != 300 {
		t.Fatalf("the other tree has %d leaves: %v", size, err)
	}
	db, err := OpenMySQL(t.Context(), cfg.MySQL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, table := range []string{"SequencedLeafData", "LeafData", "Subtree", "TreeHead", "TreeControl", "Trees"} {
		var n int
		if err := db.QueryRow("SELECT COUNT(*) FROM "+table+" WHERE TreeId = ?", gone.TreeID).Scan(&n); err != nil || n != 0 {
			t.Errorf("%s holds %d rows of it: %v", table, n, err)
		}
	}
}
