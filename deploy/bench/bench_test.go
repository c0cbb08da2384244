package main

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestRun measures a log on SQLite for as long as one submission of each client takes, and writes
// the page.
func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short: it builds and starts programs")
	}
	out := t.TempDir()
	if err := run(t.Context(), []string{"-only", "submissions", "-systems", "SQLite", "-clients", "1,3", "-length", "1ns", "-out", out}, t.Output()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(out, "performance", "results.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r Results
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	if r.Submissions == nil || len(r.Submissions.Systems) != 1 || len(r.Submissions.Systems[0].Rates) != 2 {
		t.Fatalf("results %s", data)
	}
	for i, v := range r.Submissions.Systems[0].Rates {
		if want := []int{1, 3}[i]; v.Clients != want || v.Receipts < want || v.Failed+v.Refused > 0 || v.P50 <= 0 || v.EntryBytes < 1000 {
			t.Errorf("%d clients: %+v", want, v)
		}
	}
	if r.Submissions.Ed25519 <= 0 || r.Submissions.Date == "" {
		t.Errorf("conditions %+v", r.Submissions.Conditions)
	}
	text, err := os.ReadFile(filepath.Join(out, "performance.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| SQLite | 1 |", "| SQLite | 3 |", "Ed25519 verifications a second"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the page has no %q", want)
		}
	}
	for _, pl := range []string{"submissions", "latency"} {
		f, err := os.Open(filepath.Join(out, "performance", pl+".svg"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for d := xml.NewDecoder(f); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", pl, err)
			}
		}
	}
}

// TestRekorClient: an answer counts only if it has the entry that was sent and an inclusion proof.
func TestRekorClient(t *testing.T) {
	var answer func(body string) (int, string)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		status, text := answer(string(data))
		w.WriteHeader(status)
		io.WriteString(w, text)
	}))
	defer s.Close()
	entry := func(body, verification string) string {
		data, _ := json.Marshal([]byte(body))
		return `{"x":{"body":` + string(data) + `,"verification":` + verification + `}}`
	}
	const proof = `{"inclusionProof":{"rootHash":"00"}}`
	b := &bench{length: time.Nanosecond}
	for name, c := range map[string]struct {
		answer func(string) (int, string)
		good   int
	}{
		"good":          {func(body string) (int, string) { return 201, entry(body, proof) }, 2},
		"no proof":      {func(body string) (int, string) { return 201, entry(body, `{}`) }, 0},
		"another entry": {func(string) (int, string) { return 201, entry("another", proof) }, 0},
		"refused":       {func(body string) (int, string) { return 500, entry(body, proof) }, 0},
	} {
		answer = c.answer
		r, err := b.many(context.Background(), 2, rekorClient(s.URL))
		if err != nil {
			t.Fatal(err)
		}
		if bad := r.Failed > 0; r.Receipts < c.good || bad == (c.good > 0) || r.Receipts > 0 && c.good == 0 {
			t.Errorf("%s: %d good and %d failed: %s", name, r.Receipts, r.Failed, r.FirstError)
		}
	}
}
