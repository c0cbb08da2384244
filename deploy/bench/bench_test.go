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

// TestRun measures small logs on SQLite for as long as one submission of each client takes, and
// writes the page.
func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short: it builds and starts programs")
	}
	out := t.TempDir()
	if err := run(t.Context(), []string{"-systems", "SQLite", "-clients", "1,3", "-length", "1ns", "-sizes", "2400,5000",
		"-records", "20", "-soak", "1ns", "-only", "submissions,audit,import,growth,soak", "-out", out}, t.Output()); err != nil {
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
	if a := r.Audits; a == nil || a.Entries != 5000 || a.Middle <= 0 || a.CPU <= 0 || a.Receipts < 64 || a.Signatures <= a.Receipts {
		t.Errorf("audit %+v", a)
	}
	if i := r.Imports; i == nil || i.Records != 20 || i.PerSecond <= 0 {
		t.Errorf("import %+v", i)
	}
	if g := r.Growth; g == nil || len(g.Sizes) != 2 || g.Sizes[0].Entries != 2400 || g.Sizes[1].Bytes <= g.Sizes[0].Bytes || g.Sizes[1].Replay <= 0 {
		t.Errorf("growth %+v", g)
	}
	if s := r.Soak; s == nil || s.Rate.Receipts < soakClients || s.Bad > 0 || len(s.Samples) == 0 || s.Samples[0].Goroutines == 0 {
		t.Errorf("soak %+v", s)
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
	for _, pl := range []string{"submissions", "latency", "growth", "soak-memory", "soak-counts"} {
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

// TestTargets: what is reached is called met, and what is not is called missed.
func TestTargets(t *testing.T) {
	rates := func(at64, p50 float64, failed int) []Rate {
		cpu := map[string]float64{"log": 0.2, "clients": 0.1, "witness": 0.1}
		return []Rate{{Clients: 1, P50: p50, PerSecond: 20}, {Clients: 64, PerSecond: at64, CPU: cpu}, {Clients: 256, PerSecond: at64, CPU: cpu, Failed: failed}}
	}
	results := func(maria, rekor, p50 float64, failed int, ratio float64) string {
		r := Results{
			Submissions: &Submissions{Conditions: Conditions{Cores: 2}, Systems: []System{{Name: "SQLite", Rates: rates(4500, 5, 0)},
				{Name: "MariaDB", Rates: rates(maria, p50, failed)}, {Name: "Rekor", Rates: rates(rekor, 100, 0)}}},
			Audits:  &Audits{Middle: ratio, CPU: 0.1, RawCPU: 0.07, Receipts: 100, Signatures: 200, ReceiptsPerSecond: 80 * ratio, ReceiptRaw: 160},
			Imports: &Imports{PerSecond: 4000 * ratio},
			Growth: &Growth{Sizes: []Size{{Entries: 10_000, Rates: []Rate{{P50: 10}, {P50: 20}}},
				{Entries: 1_000_000, Rates: []Rate{{P50: 11 / ratio}, {P50: 20}}, Restart: 3 / ratio, ReplayMemory: 1 << 29}}},
			Soak: &Soak{Samples: []Sample{{Memory: 1}, {At: 5, Memory: 2, Goroutines: 3}}, Reads: map[string]int64{"entries": 7}},
		}
		out := t.TempDir()
		if err := r.write(out); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(out, "performance.md"))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	good := results(3000, 250, 30, 0, 1)
	if n := strings.Count(good, "| missed"); n != 1 || !strings.Contains(good, "4,500 a second | missed: 90 % of it") {
		t.Errorf("%d are missed:\n%s", n, good)
	}
	if !strings.Contains(good, "3,000 and 250 a second: 12.0 times | met, 1.20 times") || !strings.Contains(good, "90 % of 5,000 a second | met, 1.06 times") {
		t.Error(good)
	}
	bad := results(1000, 250, 120, 3, 0.5)
	for _, want := range []string{"4.0 times | missed: 40 % of it", "1,000 a second | missed: 47 %", "120.0 ms | missed: 50 %", "3 failed | missed", "0.50; 0.70 by processor time | missed: 77 %",
		"2,000 a second | missed: 80 %", "2.20 times | missed: 55 %", "6.00 s | missed: 83 %"} {
		if !strings.Contains(bad, want) {
			t.Errorf("no %q in\n%s", want, bad)
		}
	}
}

// TestAxis: every value of a plot is inside it.
func TestAxis(t *testing.T) {
	for _, log := range []bool{false, true} {
		for _, values := range [][]float64{{1, 16, 64, 256}, {7}, {0.3, 1200}, {0, 0}, {1e6, 10_000}, {}} {
			a := newAxis(log, values)
			if len(a.ticks) == 0 && len(values) > 1 {
				t.Errorf("%v has no ticks", values)
			}
			for _, v := range values {
				if at := a.at(v); !(at >= 0 && at <= 1.0001) {
					t.Errorf("%v, log %t: %g is at %g", values, log, v, at)
				}
			}
		}
	}
}
