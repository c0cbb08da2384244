package engine

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/trillian"
	"github.com/google/trillian/types"
	"k8s.io/klog/v2"
)

func TestReadRefusals(t *testing.T) {
	test(t, func(t *testing.T, newConfig func(testing.TB) Config) {
		tree := newTestTree(t, newConfig(t))
		if err := tree.Append(t.Context(), 0, testLeaves(0, 10)); err != nil {
			t.Fatal(err)
		}
		plant(t, tree, 10, testLeaves(10, 1)[0]) // there, but not integrated
		for _, r := range []struct{ first, n uint64 }{{0, 11}, {10, 1}, {10, 2}, {11, 1}, {1 << 63, 1}, {1<<64 - 1, 1}, {1, 1<<64 - 1}} {
			if got, err := tree.Leaves(t.Context(), r.first, r.n); err == nil {
				t.Errorf("Leaves(%d, %d) = %q", r.first, r.n, got)
			}
		}
		for _, r := range []struct{ from, to uint64 }{{0, 11}, {1, 11}, {11, 11}, {5, 4}, {1, 1 << 63}, {1 << 63, 1 << 63}} {
			if got, err := tree.Consistency(t.Context(), r.from, r.to); err == nil {
				t.Errorf("Consistency(%d, %d) = %x", r.from, r.to, got)
			}
		}
		for _, first := range []uint64{0, 5, 10} {
			if got, err := tree.Leaves(t.Context(), first, 0); err != nil || len(got) != 0 {
				t.Errorf("Leaves(%d, 0) = %q, %v", first, got, err)
			}
		}
		check(t, tree, testLeaves(0, 10))
	})
}

// TestConcurrentReaders reads while leaves are appended. There are more readers than maxReads,
// so some wait.
func TestConcurrentReaders(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	test(t, func(t *testing.T, newConfig func(testing.TB) Config) {
		tree := newTestTree(t, newConfig(t))
		all := testLeaves(0, 600)
		if err := tree.Append(t.Context(), 0, all[:10]); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for r := range 2 * maxReads {
			wg.Go(func() {
				reads := 0
				for last := uint64(0); ctx.Err() == nil; reads++ {
					size, _, err := tree.Head(t.Context())
					if err != nil || size < last {
						t.Errorf("reader %d: size %d after %d, %v", r, size, last, err)
						return
					}
					last = size
					first := size * uint64(r) / (2 * maxReads)
					got, err := tree.Leaves(t.Context(), first, size-first)
					if err != nil {
						t.Errorf("reader %d: %v", r, err)
						return
					}
					for i, l := range got {
						if !bytes.Equal(l, all[first+uint64(i)]) {
							t.Errorf("reader %d: leaf %d is %q", r, first+uint64(i), l)
							return
						}
					}
					if _, err := tree.Consistency(t.Context(), first, size); err != nil {
						t.Errorf("reader %d: %v", r, err)
						return
					}
				}
				if reads == 0 {
					t.Errorf("reader %d never read", r)
				}
			})
		}
		for first := 10; first < len(all); first += 10 {
			if err := tree.Append(t.Context(), uint64(first), all[first:first+10]); err != nil {
				t.Fatal(err)
			}
		}
		stop()
		wg.Wait()
		check(t, tree, all)
	})
}

func TestCancelledContext(t *testing.T) {
	test(t, func(t *testing.T, newConfig func(testing.TB) Config) {
		tree := newTestTree(t, newConfig(t))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := tree.Append(ctx, 0, testLeaves(0, 3)); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
		if err := tree.Append(t.Context(), 0, testLeaves(0, 3)); err != nil {
			t.Fatal(err)
		}
		check(t, tree, testLeaves(0, 3))
	})
}

// TestClockGoesBack opens a tree on a machine whose clock was set back by a day.
func TestClockGoesBack(t *testing.T) {
	test(t, func(t *testing.T, newConfig func(testing.TB) Config) {
		now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
		cfg := newConfig(t)
		cfg.Now = func() time.Time { return now }
		cfg = create(t, cfg)
		all := testLeaves(0, 60)
		var last uint64
		for n := 0; n < len(all); n += 10 {
			tree, closeNow := open(t, cfg)
			if err := tree.Append(t.Context(), uint64(n), all[n:n+10]); err != nil {
				t.Fatal(err)
			}
			check(t, tree, all[:n+10])
			at := rootTime(t, tree)
			if at <= last {
				t.Errorf("root of %d leaves has time %d, want more than %d", n+10, at, last)
			}
			last = at
			closeNow()
			now = now.Add(-24 * time.Hour)
		}
		now = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC) // right again
		tree, _ := open(t, cfg)
		if err := tree.Append(t.Context(), 60, testLeaves(60, 1)); err != nil {
			t.Fatal(err)
		}
		if at := rootTime(t, tree); at < uint64(now.UnixNano()) || at > uint64(now.Add(time.Second).UnixNano()) {
			t.Errorf("root has time %d, want %d", at, now.UnixNano())
		}
	})
}

func rootTime(t *testing.T, tree *Tree) uint64 {
	t.Helper()
	resp, err := tree.backend.client.GetLatestSignedLogRoot(t.Context(), &trillian.GetLatestSignedLogRootRequest{LogId: tree.treeID})
	if err != nil {
		t.Fatal(err)
	}
	var r types.LogRootV1
	if err := r.UnmarshalBinary(resp.SignedLogRoot.LogRoot); err != nil {
		t.Fatal(err)
	}
	return r.TimestampNanos
}

func TestOpenRefusals(t *testing.T) {
	test(t, func(t *testing.T, newConfig func(testing.TB) Config) {
		cfg := create(t, newConfig(t))
		cfg.TreeID++
		if _, err := Open(t.Context(), cfg); err == nil {
			t.Error("a tree that does not exist was opened")
		}
		if other := create(t, cfg); other.TreeID == cfg.TreeID {
			t.Error("two trees have one id")
		}
	})
	missing := filepath.Join(t.TempDir(), "tree.db")
	if _, err := Open(t.Context(), Config{SQLite: missing, TreeID: 1}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
	for _, cfg := range []Config{{}, {SQLite: "a", MySQL: "b"}, {MySQL: "root@tcp(127.0.0.1:1)/"}, {MySQL: "nonsense"}} {
		if _, err := Open(t.Context(), cfg); err == nil {
			t.Errorf("%+v was opened", cfg)
		}
	}
}

func TestMySQLConfig(t *testing.T) {
	cfg, err := mysqlConfig("u:p@tcp(db:3306)/log?interpolateParams=false&parseTime=false&multiStatements=true&charset=gbk&maxAllowedPacket=1024&readTimeout=5s&sql_mode=ANSI")
	if err != nil {
		t.Fatal(err)
	}
	dsn := cfg.FormatDSN()
	for _, want := range []string{"interpolateParams=true", "parseTime=true", "charset=utf8mb4", "collation=utf8mb4_general_ci",
		"maxAllowedPacket=16777216", "readTimeout=5s", "writeTimeout=30s", "timeout=10s", "sql_mode=%27STRICT_ALL_TABLES"} {
		if !strings.Contains(dsn, want) {
			t.Errorf("%s lacks %s", dsn, want)
		}
	}
	if cfg.MultiStatements || strings.Contains(dsn, "gbk") {
		t.Errorf("%s: want one statement at a time, in utf8mb4", dsn)
	}
	if _, err := mysqlConfig("user:secret@tcp(db:3306)log"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v, want an error without the password", err)
	}
}

func TestLogTo(t *testing.T) {
	var buf bytes.Buffer
	LogTo(slog.New(slog.NewTextHandler(&buf, &slog.HandlerOptions{Level: slog.LevelInfo})))
	defer logTo.Store(nil)
	klog.Infof("a batch of %d", 7)
	klog.Warningf("a warning [%d] of\ntwo lines", 8)
	klog.Errorf("an error")
	klog.V(1).Infof("chatter")
	cfg, err := mysqlConfig("user:secret@tcp(db:3306)/log")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Logger.Print("closing bad idle connection: ", io.EOF)
	got := buf.String()
	for _, want := range []string{
		`level=WARN msg="trillian: a warning [8] of\ntwo lines" at=engine_test.go:`,
		`level=ERROR msg="trillian: an error" at=engine_test.go:`,
		`level=WARN msg="mysql: closing bad idle connection: EOF"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("log lacks %s:\n%s", want, got)
		}
	}
	if strings.Contains(got, "batch") || strings.Contains(got, "chatter") {
		t.Errorf("log has what is debugging to us:\n%s", got)
	}
}
