//go:build unix

package logserver_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/trialproof/trialproof/logserver"
)

// TestTileDirPlain: something that is not a file in a tile store is named and not waited for,
// and a link that leads out of it is not followed.
func TestTileDirPlain(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	d := logserver.NewTileDir(dir)
	if err := d.Replace(t.Context(), "tile/0/000", []byte("a tile")); err != nil {
		t.Fatal(err)
	}
	if data, err := d.Get(t.Context(), "tile/0/000"); err != nil || !bytes.Equal(data, []byte("a tile")) {
		t.Fatalf("%q, %v", data, err)
	}
	if _, err := d.Get(t.Context(), "tile/0/001"); err != logserver.ErrNotFound {
		t.Errorf("a tile that is not there: %v", err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "tile", "0", "002"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Get(t.Context(), "tile/0/002"); err == nil || !strings.Contains(err.Error(), "is neither a file nor a folder") {
		t.Errorf("a pipe: %v", err)
	}
	if err := os.Symlink(out, filepath.Join(dir, "tile", "entries")); err != nil {
		t.Fatal(err)
	}
	if err := d.Replace(t.Context(), "tile/entries/000", []byte("a bundle")); err == nil || !strings.Contains(err.Error(),
		"is neither a file nor a folder") {
		t.Errorf("a folder that is a link: %v", err)
	}
	if left, err := os.ReadDir(out); err != nil || len(left) > 0 {
		t.Errorf("written behind the link: %v, %v", left, err)
	}
}
