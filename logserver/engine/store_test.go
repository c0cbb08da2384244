package engine

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/trialproof/trialproof/trial/trialtest"
)

// mysqlEnv names a MySQL or MariaDB server on which the tests may create and
// drop databases, such as root@tcp(127.0.0.1:3306)/.
const mysqlEnv = "TRIALPROOF_TEST_MYSQL"

// onStores runs f on SQLite and, if mysqlEnv is set, on MySQL, each time with an empty database
// that newConfig makes.
func onStores[T testing.TB](t T, run func(T, string, func(T)), f func(t T, newConfig func(testing.TB) Config)) {
	run(t, "sqlite", func(t T) {
		f(t, func(t testing.TB) Config {
			return Config{SQLite: filepath.Join(t.TempDir(), "tree.db")}
		})
	})
	run(t, "mysql", func(t T) {
		dsn := os.Getenv(mysqlEnv)
		if dsn == "" {
			trialtest.Skip(t, mysqlEnv+" is not set: MySQL is not tested")
		}
		f(t, func(t testing.TB) Config { return Config{MySQL: newDatabase(t, dsn)} })
	})
}

// test is onStores for tests.
func test(t *testing.T, f func(t *testing.T, newConfig func(testing.TB) Config)) {
	onStores(t, func(t *testing.T, name string, g func(*testing.T)) { t.Run(name, g) }, f)
}

// benchmark is onStores for benchmarks.
func benchmark(b *testing.B, f func(b *testing.B, newConfig func(testing.TB) Config)) {
	onStores(b, func(b *testing.B, name string, g func(*testing.B)) { b.Run(name, g) }, f)
}

// newDatabase makes a database with a name of its own and drops it afterwards.
func newDatabase(t testing.TB, dsn string) string {
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatalf("%s: %v", mysqlEnv, err)
	}
	cfg.DBName = ""
	db, err := sql.Open("mysql", cfg.FormatDSN())
	if err != nil {
		t.Fatalf("%s: %v", mysqlEnv, err)
	}
	name := "trialproof_test_" + rand.Text()
	if _, err := db.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatalf("%s: %v", mysqlEnv, err)
	}
	t.Cleanup(func() {
		if _, err := db.Exec("DROP DATABASE " + name); err != nil {
			t.Error(err)
		}
		db.Close()
	})
	cfg.DBName = name
	return cfg.FormatDSN()
}

// create makes a tree and returns cfg with its id.
func create(t testing.TB, cfg Config) Config {
	t.Helper()
	id, err := Create(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	cfg.TreeID = id
	return cfg
}

// open opens cfg's tree until the test ends, or closeNow is called.
func open(t testing.TB, cfg Config) (tree *Tree, closeNow func()) {
	t.Helper()
	tree, err := Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	closed := false
	closeNow = func() {
		if closed {
			return
		}
		closed = true
		if err := tree.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(closeNow)
	return tree, closeNow
}

func newTestTree(t testing.TB, cfg Config) *Tree {
	t.Helper()
	tree, _ := open(t, create(t, cfg))
	return tree
}

// testLeaves returns leaves for first, first+1, ... that differ from each other.
func testLeaves(first uint64, n int) [][]byte {
	leaves := make([][]byte, n)
	for i := range leaves {
		leaves[i] = fmt.Appendf(nil, "leaf %d", first+uint64(i))
	}
	return leaves
}
