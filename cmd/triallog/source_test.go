package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/trialproof/trialproof/trial/tile"
)

// TestTileSource reads tiles as logs, mirrors and plain files serve them.
func TestTileSource(t *testing.T) {
	var busy, asked atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch {
		case busy.Add(-1) >= 0:
			http.Error(w, "busy", http.StatusServiceUnavailable)
		case r.URL.Path == "/log/tile/entries/000":
			w.Write([]byte("whole"))
		case r.URL.Path == "/log/tile/entries/001.p/3":
			w.Write([]byte("part"))
		case r.URL.Path == "/log/tile/entries/002":
			w.Write(make([]byte, tile.MaxBundle+1))
		case r.URL.Path == "/log/tile/entries/003":
			http.Error(w, "no", http.StatusBadRequest)
		default:
			http.NotFound(w, r)
		}
	}))
	defer srv.Close()
	s, err := newTileSource(srv.URL + "/log/")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"tile/entries/000": "whole", "tile/entries/000.p/5": "whole", "tile/entries/001.p/3": "part"} {
		if got, err := s.Tile(t.Context(), path); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	for _, path := range []string{"tile/entries/001", "tile/entries/004.p/1", "checkpoint"} {
		if _, err := s.Tile(t.Context(), path); !errors.Is(err, errNotServed) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := s.Tile(t.Context(), "tile/entries/002"); err == nil {
		t.Error("a bundle without end was taken")
	}
	busy.Store(2)
	if got, err := s.Tile(t.Context(), "tile/entries/000"); err != nil || string(got) != "whole" {
		t.Errorf("a mirror that is busy for a moment: %q, %v", got, err)
	}
	busy.Store(0)
	asked.Store(0)
	if _, err := s.Tile(t.Context(), "tile/entries/003"); err == nil || asked.Load() != 1 {
		t.Errorf("a verdict was asked for %d times: %v", asked.Load(), err)
	}

	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "tile/entries"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tile/entries/000"), []byte("file"), 0o644); err != nil {
		t.Fatal(err)
	}
	if s, err = newTileSource("file://" + dir); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Tile(t.Context(), "tile/entries/000.p/7"); err != nil || string(got) != "file" {
		t.Errorf("a file: %q, %v", got, err)
	}
	for _, bad := range []string{"", "log.example", "ftp://log.example", "http:///x", "file://", "file://host/x"} {
		if _, err := newTileSource(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
