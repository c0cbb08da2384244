package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/trialproof/trialproof/logserver/sqlite"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestBackupShown: a served log says in its metrics when it was last backed up, and how full its
// disk is.
func TestBackupShown(t *testing.T) {
	f := &folder{dir: filepath.Join(t.TempDir(), "log")}
	if _, err := f.create(t.Context(), "log.example/x", trialtest.Public("registrar")); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	said, words := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"serve", "-dir", f.dir, "-listen", "127.0.0.1:0", "-unwitnessed"}, strings.NewReader(""), io.Discard, words)
	}()
	url := ""
	for buf := make([]byte, 4096); url == ""; {
		n, err := said.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		if m := listening.FindStringSubmatch(string(buf[:n])); m != nil {
			url = m[1]
		}
	}
	go io.Copy(io.Discard, said)
	metric := func(name string) string {
		t.Helper()
		resp, err := http.Get(url + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		m := regexp.MustCompile(`(?m)^` + name + ` (.*)$`).FindSubmatch(text)
		if m == nil {
			t.Fatalf("no %s in\n%s", name, text)
		}
		return string(m[1])
	}
	if got := metric("trialproof_backup_time_seconds"); got != "0" {
		t.Errorf("before any backup: %s", got)
	}
	if free, size := metric("trialproof_disk_free_bytes"), metric("trialproof_disk_size_bytes"); free == "0" || size == "0" {
		t.Errorf("disk: %s bytes of %s are free", free, size)
	}
	for metric("trialproof_published_size") == "0" {
		if t.Context().Err() != nil {
			t.Fatal("nothing is published")
		}
	}
	to := filepath.Join(t.TempDir(), "backup")
	before := time.Now().Truncate(time.Second)
	var out bytes.Buffer
	args := []string{"backup", "-dir", f.dir, "-to", to, "-from", url}
	if status := run(t.Context(), args, strings.NewReader(""), &out, &out); status != 0 {
		t.Fatalf("backup: status %d: %s", status, &out)
	}
	last := lastBackup(filepath.Join(to, backupName))
	if last.Before(before) || metric("trialproof_backup_time_seconds") == "0" {
		t.Errorf("backed up at %v, not before %v; the log says %s", last, before, metric("trialproof_backup_time_seconds"))
	}
	stop()
	if status := <-ended; status != 0 {
		t.Errorf("serve: status %d", status)
	}

	// Only one backup at a time writes to a folder.
	lock, err := sqlite.LockDir(to)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	out.Reset()
	if status := run(t.Context(), args, strings.NewReader(""), &out, &out); status != 1 || !strings.Contains(out.String(), "is in use by") {
		t.Errorf("two at once: status %d: %s", status, &out)
	}
}

// TestLastBackup: what is no time is no backup.
func TestLastBackup(t *testing.T) {
	name := filepath.Join(t.TempDir(), backupName)
	for text, want := range map[string]int64{"": 0, "x\n": 0, "2026-11-27T10:00:00Z log.example/x size 2 root 00\n": 1795773600} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		got := int64(0)
		if at := lastBackup(name); !at.IsZero() {
			got = at.Unix()
		}
		if got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}
