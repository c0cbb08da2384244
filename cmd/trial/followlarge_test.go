//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestFollowGenerated measures a follow: 300 generated records and 30 that change, or 20,000 and
// 2,000 where TRIALPROOF_TEST_LARGE is set.
//
//	TRIALPROOF_TEST_LARGE=1 go test ./cmd/trial -run FollowGenerated -v -timeout 60m
func TestFollowGenerated(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	n, changed := 300, 30
	if os.Getenv("TRIALPROOF_TEST_LARGE") != "" {
		n, changed = 20_000, 2_000
	}
	stores(t, func(t *testing.T, store string) {
		w := newTown(t, store)
		s := generatedRegistry(t, n)
		s.most = 1000
		measured := func(what string, records int) {
			t.Helper()
			logged, kept := treeSize(t, filepath.Join(w.dir, "log")), treeSize(t, filepath.Join(w.dir, "receipts"))
			cmd := exec.Command(filepath.Join(binDir, "trial"), w.following(s, "-once", "-json")...)
			var said bytes.Buffer
			cmd.Stderr = &said
			began := time.Now()
			if err := cmd.Run(); err != nil {
				t.Fatalf("%v\n%s", err, &said)
			}
			took := time.Since(began)
			logged, kept = treeSize(t, filepath.Join(w.dir, "log"))-logged, treeSize(t, filepath.Join(w.dir, "receipts"))-kept
			t.Logf("%s: %d records in %s (%.1f a second); the log's folder grew by %d bytes a record, the receipts and records by %d; "+
				"the follow had %s at most\n%s", what, records, took.Round(time.Millisecond), float64(records)/took.Seconds(), logged/int64(records),
				kept/int64(records), fmt.Sprintf("%d MiB", cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss>>10), strings.TrimSpace(said.String()))
		}
		measured("first", n)
		s.next("2026-08-13")
		for _, number := range s.numbers()[:changed] {
			s.update(number, "2026-08-13")
		}
		measured("changed", changed)
		s.next("2026-08-14")
		measured("again, with nothing new", changed)
		if got := w.chained(s); got != n+changed {
			t.Errorf("%d observations", got)
		}
	})
}

// treeSize returns the bytes of the files below a folder.
func treeSize(t *testing.T, dir string) (n int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil
		}
		if info, err := e.Info(); err == nil {
			n += info.Size()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
