package fetch_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial/tile"
	"github.com/trialproof/trialproof/trial/tile/fetch"
)

// TestSource reads tiles as logs, mirrors and folders of files serve them.
func TestSource(t *testing.T) {
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
	s, err := fetch.New(srv.URL+"/log/", fetch.Options{Wait: time.Minute, Tries: 5})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"tile/entries/000": "whole", "tile/entries/000.p/5": "whole",
		"tile/entries/001.p/3": "part"} {
		if got, err := s.Tile(t.Context(), path); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	for _, path := range []string{"tile/entries/001", "tile/entries/004.p/1", "checkpoint"} {
		if _, err := s.Tile(t.Context(), path); !errors.Is(err, fetch.ErrNotServed) {
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
	if s, err = fetch.New("file://"+dir, fetch.Options{Wait: time.Minute, Tries: 5}); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Tile(t.Context(), "tile/entries/000.p/7"); err != nil || string(got) != "file" {
		t.Errorf("a file: %q, %v", got, err)
	}
	for _, bad := range []string{"", "log.example", "ftp://log.example", "http:///x", "file://", "file://host/x"} {
		if _, err := fetch.New(bad, fetch.Options{Wait: time.Minute, Tries: 5}); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// TestRedirects: a client that must not follow redirects does not.
func TestRedirects(t *testing.T) {
	var asked atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.Write([]byte("elsewhere"))
	}))
	defer elsewhere.Close()
	srv := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusFound))
	defer srv.Close()
	for _, stay := range []bool{false, true} {
		asked.Store(0)
		s, err := fetch.New(srv.URL, fetch.Options{Wait: time.Minute, NoRedirects: stay})
		if err != nil {
			t.Fatal(err)
		}
		data, err := s.Checkpoint(t.Context())
		if stay && (err == nil || asked.Load() != 0) || !stay && string(data) != "elsewhere" {
			t.Errorf("staying %v: %q, %v, asked elsewhere %d times", stay, data, err, asked.Load())
		}
	}
}
