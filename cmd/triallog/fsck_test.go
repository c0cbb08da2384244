//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/trialproof/trialproof/trial/trialtest"
)

// smallLog makes a log with a genesis in a folder.
func smallLog(t *testing.T) *folder {
	t.Helper()
	f := &folder{dir: filepath.Join(t.TempDir(), "log")}
	if _, err := f.create(t.Context(), "log.example/x", trialtest.Public("registrar")); err != nil {
		t.Fatal(err)
	}
	return f
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func flip(t *testing.T, name string, at int) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	data[at] ^= 1
	put(t, name, string(data))
}

// TestRepairs: each repair is a line that follows from the one before it, with what
// was there and what was put back, and is written before the file.
func TestRepairs(t *testing.T) {
	f := smallLog(t)
	tile, bundle := f.path("tiles/tile/0/000"), f.path("tiles/tile/entries/000")
	good, err := os.ReadFile(tile)
	if err != nil {
		t.Fatal(err)
	}
	flip(t, tile, 3)
	bad, _ := os.ReadFile(tile)
	if status, out, _ := triallog(t, "fsck", "-dir", f.dir); status != 1 || !strings.Contains(out, "tile/0/000 is damaged") {
		t.Fatalf("fsck: %d %s", status, out)
	}
	if _, err := os.Stat(f.path(repairsName)); err == nil {
		t.Fatal("fsck without -repair wrote")
	}
	if status, out, errs := triallog(t, "fsck", "-dir", f.dir, "-repair"); status != 0 || !strings.Contains(out, "tile/0/000 was damaged") {
		t.Fatalf("repair: %d %s %s", status, out, errs)
	}
	if err := os.Remove(bundle); err != nil {
		t.Fatal(err)
	}
	put(t, f.path(repairsName), read(t, f.path(repairsName))+`{"previous":"torn`) // by a crash
	if status, out, errs := triallog(t, "fsck", "-dir", f.dir, "-repair"); status != 0 || !strings.Contains(out,
		"tile/entries/000 was damaged") {
		t.Fatalf("repair: %d %s %s", status, out, errs)
	}
	flip(t, f.path(checkpointName), 90)
	if status, out, errs := triallog(t, "fsck", "-dir", f.dir, "-repair"); status != 0 || !strings.Contains(out, "checkpoint was damaged") {
		t.Fatalf("repair: %d %s %s", status, out, errs)
	}
	lines := strings.SplitAfter(read(t, f.path(repairsName)), "\n")
	if len(lines) != 4 {
		t.Fatalf("repairs:\n%q", lines)
	}
	var all [3]repair
	for i := range all {
		if err := json.Unmarshal([]byte(lines[i]), &all[i]); err != nil {
			t.Fatal(err)
		}
	}
	r := all[0]
	if r.File != "tile/0/000" || r.Before != digest(bad) || r.After != digest(good) || r.Size != 2 || !strings.HasSuffix(r.Time, "Z") ||
		r.Build == "" || r.Source == "" {
		t.Errorf("%+v", r)
	}
	if all[1].Before != "missing" || all[1].Previous != digest([]byte(strings.TrimSuffix(lines[0], "\n"))) {
		t.Errorf("%+v", all[1])
	}
	if status, out, errs := triallog(t, "fsck", "-dir", f.dir); status != 0 || !strings.Contains(errs, "repairs: 3;") {
		t.Fatalf("fsck: %d %s %s", status, out, errs)
	}
	// A line that is altered, or taken out, shows; and nothing is repaired then.
	for _, text := range []string{strings.Replace(lines[0], `"file":"t`, `"file":"T`, 1) + lines[1] + lines[2], lines[0] + lines[2],
		lines[1] + lines[2]} {
		put(t, f.path(repairsName), text)
		if status, out, _ := triallog(t, "fsck", "-dir", f.dir); status != 1 || !strings.Contains(out,
			"does not follow from the line before it") {
			t.Fatalf("fsck: %d %s", status, out)
		}
		flip(t, tile, 3)
		if status, out, _ := triallog(t, "fsck", "-dir", f.dir, "-repair"); status != 1 || !strings.Contains(out, "could not be noted") {
			t.Fatalf("repair: %d %s", status, out)
		}
		flip(t, tile, 3)
	}
}

// TestFsckReadOnly checks a folder that cannot be written to, as another user.
func TestFsckReadOnly(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	f := smallLog(t)
	root := os.Getuid() == 0
	bin := filepath.Join(t.TempDir(), "triallog")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v %s", err, out)
	}
	if err := os.Chmod(filepath.Dir(filepath.Dir(bin)), 0o755); err != nil { // of all folders of this test
		t.Fatal(err)
	}
	before := map[string]string{}
	filepath.WalkDir(f.dir, func(name string, d fs.DirEntry, err error) error {
		mode := fs.FileMode(0o555)
		if !d.IsDir() {
			mode, before[name] = 0o444, read(t, name)
		}
		return os.Chmod(name, mode)
	})
	t.Cleanup(func() {
		filepath.WalkDir(f.dir, func(name string, d fs.DirEntry, err error) error { return os.Chmod(name, 0o755) })
	})
	run := func() (string, error) {
		cmd := exec.Command(bin, "fsck", "-dir", f.dir)
		if root {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
		cmd.Env = append(os.Environ(), "TMPDIR="+publicDir(t))
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		err := cmd.Run()
		return out.String(), err
	}
	if out, err := run(); err != nil || !strings.Contains(out, "ok: tree") || !strings.Contains(out, "cannot be written to") {
		t.Fatalf("%v %s", err, out)
	}
	for name, text := range before {
		if read(t, name) != text {
			t.Errorf("fsck wrote to %s", name)
		}
	}
	tile := f.path("tiles/tile/0/000")
	os.Chmod(tile, 0o644)
	flip(t, tile, 40)
	os.Chmod(tile, 0o444)
	if out, err := run(); err == nil || !strings.Contains(out, "tile/0/000 is damaged") {
		t.Fatalf("%v %s", err, out)
	}
}

// publicDir is a folder in which anyone may write.
func publicDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestMangledLogKey: what a copy that failed, or an editor, made of the log's key is
// named; line ends do not matter.
func TestMangledLogKey(t *testing.T) {
	f := smallLog(t)
	good := read(t, f.path(keyName))
	for text, want := range map[string]string{
		"": "log.key is empty", "\n": "log.key is empty", "\xef\xbb\xbf" + good: "BOM",
		strings.ReplaceAll(good, "\n", "\r\n"): "", good: "",
	} {
		put(t, f.path(keyName), text)
		status, _, stderr := triallog(t, "fsck", "-dir", f.dir)
		if want == "" && status != 0 || want != "" && (status != 1 || !strings.Contains(stderr, want)) {
			t.Errorf("log.key %.20q: status %d, %s", text, status, stderr)
		}
	}
}
