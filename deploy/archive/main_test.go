package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestReleaseTwice makes a release of one system in two folders: the bytes are equal, and the
// program in them says which version and commit it is of.
func TestReleaseTwice(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the programs anew")
	}
	if _, err := exec.LookPath("git"); err != nil {
		trialtest.Skip(t, "git is not installed")
	}
	tracked, err := exec.Command("git", "-C", "../..", "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		trialtest.Skip(t, "this is no git working tree")
	}
	system := runtime.GOOS + "/" + runtime.GOARCH
	name := "trialproof-v0.0.1-test-" + strings.ReplaceAll(system, "/", "-") + ".tar.gz"
	var first []byte
	for i, folder := range []string{"one", "and another"} {
		dir := filepath.Join(t.TempDir(), folder)
		for file := range strings.SplitSeq(strings.TrimRight(string(tracked), "\x00"), "\x00") {
			data, err := os.ReadFile(filepath.Join("../..", file))
			if errors.Is(err, os.ErrNotExist) {
				continue // removed, and that not yet committed
			}
			to := filepath.Join(dir, file)
			if err := errors.Join(err, os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, data, 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		in := func(command string, args ...string) string {
			t.Helper()
			cmd := exec.Command(command, args...)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=x", "GIT_AUTHOR_EMAIL=x@example.org",
				"GIT_COMMITTER_NAME=x",
				"GIT_COMMITTER_EMAIL=x@example.org", "GIT_AUTHOR_DATE=2026-01-01T00:00:00Z", "GIT_COMMITTER_DATE=2026-01-01T00:00:00Z")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%s %v: %v\n%s", command, args, err, out)
			}
			return string(out)
		}
		in("git", "init", "-q")
		in("git", "add", "-A", "-f")
		in("git", "commit", "-q", "-m", "all")
		in("git", "tag", "v0.0.1-test")
		in("sh", "deploy/release.sh", "out", system)
		data, err := os.ReadFile(filepath.Join(dir, "out", name))
		if err != nil {
			t.Fatal(err)
		}
		sums, err := os.ReadFile(filepath.Join(dir, "out", "SHA256SUMS"))
		if want := fmt.Sprintf("%x  %s\n", sha256.Sum256(data), name); err != nil || string(sums) != want {
			t.Errorf("SHA256SUMS is %q, want %q (%v)", sums, want, err)
		}
		if i == 0 {
			first = data
			commit := strings.TrimSpace(in("git", "rev-parse", "HEAD"))
			in("tar", "-xzf", filepath.Join("out", name))
			said := in(filepath.Join(dir, strings.TrimSuffix(name, ".tar.gz"), "trial"), "version")
			if !strings.Contains(said, "version v0.0.1-test, commit "+commit) || strings.Contains(said, "with changes") {
				t.Errorf("the program of the release says: %s", said)
			}
		} else if !bytes.Equal(data, first) {
			t.Error("the archives that were made in two folders differ")
		}
	}
}

// TestPack: the archives of both sorts have the same files, with the modes of programs, and
// their bytes follow from content and time alone.
func TestPack(t *testing.T) {
	var outs [2]string
	for i := range outs {
		outs[i] = t.TempDir()
		dir := t.TempDir()
		var dirs []string
		for _, base := range []string{"trialproof-v1-linux-amd64", "trialproof-v1-windows-amd64"} {
			folder := filepath.Join(dir, base)
			program := "trial"
			if strings.Contains(base, "windows") {
				program += ".exe"
			}
			if err := errors.Join(os.Mkdir(folder, 0o755), os.WriteFile(filepath.Join(folder, program), []byte("program"), 0o600),
				os.WriteFile(filepath.Join(folder, "LICENSE"), []byte("text"), 0o777)); err != nil {
				t.Fatal(err)
			}
			dirs = append(dirs, folder)
		}
		if err := run(append([]string{outs[i], "1767225600"}, dirs...)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"trialproof-v1-linux-amd64.tar.gz", "trialproof-v1-windows-amd64.zip", "SHA256SUMS"} {
		a, aerr := os.ReadFile(filepath.Join(outs[0], name))
		b, berr := os.ReadFile(filepath.Join(outs[1], name))
		if err := errors.Join(aerr, berr); err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs (%v)", name, err)
		}
	}
	var listed []string
	f, err := os.Open(filepath.Join(outs[0], "trialproof-v1-linux-amd64.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		listed = append(listed, fmt.Sprintf("%s %v %s", h.Name, h.FileInfo().Mode(), h.ModTime.UTC().Format("2006-01-02")))
	}
	r, err := zip.OpenReader(filepath.Join(outs[0], "trialproof-v1-windows-amd64.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, h := range r.File {
		listed = append(listed, fmt.Sprintf("%s %v %s", h.Name, h.Mode(), h.Modified.UTC().Format("2006-01-02")))
	}
	want := []string{
		"trialproof-v1-linux-amd64/LICENSE -rw-r--r-- 2026-01-01", "trialproof-v1-linux-amd64/trial -rwxr-xr-x 2026-01-01",
		"trialproof-v1-windows-amd64/LICENSE -rw-r--r-- 2026-01-01", "trialproof-v1-windows-amd64/trial.exe -rwxr-xr-x 2026-01-01",
	}
	if strings.Join(listed, "\n") != strings.Join(want, "\n") {
		t.Errorf("the archives have\n%s", strings.Join(listed, "\n"))
	}
	if err := run([]string{outs[0], "1767225600", filepath.Join(t.TempDir(), "none")}); err == nil {
		t.Error("a folder that is not there was packed")
	}
}
