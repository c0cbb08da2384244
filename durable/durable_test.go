package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// alone asserts that a folder has these files and nothing else.
func alone(t *testing.T, dir string, want ...string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); got != strings.Join(want, " ") {
		t.Errorf("the folder has %s, want %s", got, want)
	}
}

func TestReplace(t *testing.T) {
	for what, f := range map[string]func(string, []byte, fs.FileMode) error{"Replace": Replace, "ReplaceAlone": ReplaceAlone} {
		dir := t.TempDir()
		victim, name := filepath.Join(t.TempDir(), "victim"), filepath.Join(dir, "f")
		if err := os.WriteFile(victim, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, link := range []string{name, name + ".tmp"} {
			if err := os.Symlink(victim, link); err != nil {
				t.Fatal(err)
			}
		}
		for _, text := range []string{"one", "two"} {
			if err := f(name, []byte(text), 0o600); err != nil || read(t, name) != text {
				t.Errorf("%s: %v", what, err)
			}
		}
		if st, err := os.Lstat(name); err != nil || st.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", what, st.Mode(), err)
		}
		if read(t, victim) != "mine" {
			t.Errorf("%s followed a link", what)
		}
		os.Remove(name + ".tmp")
		alone(t, dir, "f")
		folder := filepath.Join(dir, "d")
		if err := os.MkdirAll(filepath.Join(folder, "x"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := f(folder, nil, 0o600); err == nil {
			t.Errorf("%s replaced a folder", what)
		}
		alone(t, dir, "d", "f")
	}
}

// TestReplaceAtOnce: of several writers at once one has the last word, and its bytes are whole.
func TestReplaceAtOnce(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "f")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if err := Replace(name, []byte(strings.Repeat(string(rune('a'+i)), 100_000)), 0o600); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := read(t, name); len(got) != 100_000 || strings.Trim(got, got[:1]) != "" {
		t.Error("the bytes are of several writers")
	}
	alone(t, dir, "f")
}

func TestCreate(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "f")
	if err := Create(name, []byte("one"), 0o644); err != nil || read(t, name) != "one" {
		t.Fatal(err)
	}
	if err := Create(name, []byte("two"), 0o644); !errors.Is(err, fs.ErrExist) || read(t, name) != "one" {
		t.Errorf("over another: %v", err)
	}
	if err := os.Symlink(filepath.Join(dir, "nowhere"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := Create(filepath.Join(dir, "link"), []byte("two"), 0o644); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a link: %v", err)
	}
	if err := Create(filepath.Join(dir, "no", "f"), nil, 0o644); err == nil {
		t.Error("in a folder that is not there")
	}
	alone(t, dir, "f", "link")
	if err := Rename(name, name+"2"); err != nil {
		t.Error(err)
	}
	for range 2 { // what is not there is removed
		if err := Remove(name + "2"); err != nil {
			t.Error(err)
		}
	}
	alone(t, dir, "link")
}
