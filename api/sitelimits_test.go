package api

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/trialproof/trialproof/api/web"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestPageQueries: whatever a query says, a page answers it or refuses it in words, with the headers
// that all pages have, and never with an internal error.
func TestPageQueries(t *testing.T) {
	f := newFixture(t, setup{})
	f.enrol()
	odd := []string{"", "0", "-1", "1", "007", "9223372036854775807", "92233720368547759",
		"18446744073709551615", "18446744073709551616", "99999999999999999999999", "1e3", "%00", "%ff%fe", "%ed%a0%80", "%zz",
		"a;b", "%1b%07%e2%80%ae",
		strings.Repeat("x", 4000), "<b>", "2026-02-30", "2026-03-01", "0000-00-00", "NCT03421379"}
	for _, path := range []string{"/trial?id=X-1&on=", "/trial?id=X-1&before=", "/trial?id=X-1&article=", "/trial?id=",
		"/trial?id=X-1&x=", "/trial?id=X-1&id=", "/overview?page=", "/overview?sort=", "/overview?state=", "/overview?org=", "/overview?q=",
		"/overview?page=1&page=", "/search?q=", "/org?id="} {
		for _, value := range odd {
			a := f.get(path + value)
			if a.status >= 500 || a.header.Get("Content-Security-Policy") != web.CSP || a.header.Get("Content-Type") != "text/html; charset=utf-8" ||
				a.header.Get("Cache-Control") != "no-cache" || a.header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s%.40s: status %d, header %v, %.300s", path, value, a.status, a.header, a.body)
			}
			if strings.ContainsAny(a.body, "\x00\x1b\a\u202e") || strings.Contains(a.body, "<b>") {
				t.Errorf("%s%.40s: the page has what was typed as it is", path, value)
			}
		}
	}
	if a := f.get("/overview?page=99999999999999999999"); !strings.Contains(a.body, "1 to 1 of 1") {
		t.Errorf("the page after the last is not the last: %s", a.body)
	}
}

// TestTableIsWhole: the table for programs has every row of a filter, also while most rows have not
// been read yet.
func TestTableIsWhole(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	f := newFixture(t, setup{})
	f.enrol()
	for i := range readNow + 5 {
		p, s := trialtest.Register(fmt.Sprint("Y-", i))
		f.submit("ada", p, s)
	}
	a := f.get("/overview.csv?state=cannot+be+told")
	if n := strings.Count(a.body, "\n") - 1; n != readNow+6 {
		t.Errorf("the table has %d rows of %d", n, readNow+6)
	}
}

// TestSearchProves: a search says that something is proven only where a page proves it.
func TestSearchProves(t *testing.T) {
	f := newFixture(t, setup{})
	for q, want := range map[string]bool{"NCT03421379": true, "pain": false, "X-1": false} {
		if a := f.get("/search?q=" + q); strings.Contains(a.body, "is proven on its own page") != want {
			t.Errorf("%s: %s", q, a.body)
		}
	}
}

// A discarder is a caller that throws an answer away.
type discarder struct{ header http.Header }

func (d discarder) Header() http.Header       { return d.header }
func (discarder) Write(p []byte) (int, error) { return len(p), nil }
func (discarder) WriteHeader(int)             {}

// TestFilesTakeNoMemory: the verifier and the page to keep are large. An answer with them takes no memory
// of their size, so that many callers who read slowly take none either.
func TestFilesTakeNoMemory(t *testing.T) {
	if len(web.Built()) != len(web.Modules) {
		trialtest.Skip(t, web.ErrNoVerifier.Error())
	}
	f := newFixture(t, setup{})
	for _, path := range []string{"/web/dossier.wasm", "/check.html"} {
		ask := func() { f.api.HTTP().ServeHTTP(discarder{http.Header{}}, httptest.NewRequest("GET", path, nil)) }
		ask()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		ask()
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 4<<20 {
			t.Errorf("%s: an answer takes %d kB of memory", path, n>>10)
		}
	}
	plain, packed := f.get("/web/verify.wasm", "Accept-Encoding", "identity"), f.get("/web/verify.wasm", "Accept-Encoding", "gzip")
	if !strings.HasPrefix(plain.body, "\x00asm") || !strings.HasPrefix(packed.body, "\x1f\x8b") ||
		packed.header.Get("Content-Encoding") != "gzip" || plain.header.Get("Etag") == packed.header.Get("Etag") {
		t.Errorf("headers %v and %v", plain.header, packed.header)
	}
	for _, a := range []answer{
		f.get("/web/verify.wasm", "If-None-Match", plain.header.Get("Etag"), "Accept-Encoding", "identity"),
		f.get("/web/verify.wasm", "If-None-Match", packed.header.Get("Etag"), "Accept-Encoding", "gzip"),
	} {
		if a.status != http.StatusNotModified || a.body != "" {
			t.Errorf("status %d, %d bytes", a.status, len(a.body))
		}
	}
}

// TestWebPaths: nothing but what pages load is served under /web/.
func TestWebPaths(t *testing.T) {
	f := newFixture(t, setup{})
	for _, name := range []string{"", "%2e%2e%2fserver.go", "..%2fweb.go", "gen%2fwasm_exec.js", "gen/wasm_exec.js", "web.go",
		"page.html", "check.html", "%00.js", "check.js%00", "%ff.js", "..%5ccheck.js", "check.js/", "CHECK.JS", "other.wasm", "verify.wasm.gz",
		".js", "*.js"} {
		if a := f.get("/web/" + name); a.status != http.StatusNotFound || a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: status %d, header %v", name, a.status, a.header)
		}
	}
	for _, path := range []string{"/check", "/trial", "/overview", "/overview.csv", "/search", "/org", "/editor",
		"/web/check.js", "/check.html", "/"} {
		for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS"} {
			if a := f.send(method, path, ""); a.status != http.StatusMethodNotAllowed || a.header.Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: status %d, header %v", method, path, a.status, a.header)
			}
		}
		a := f.send("HEAD", path, "")
		if a.body != "" || a.status >= 500 || a.header.Get("Content-Type") == "" || a.header.Get("Set-Cookie") != "" {
			t.Errorf("HEAD %s: status %d, header %v, body %.100q", path, a.status, a.header, a.body)
		}
	}
}

// TestFewAreGathered: however many ask for pages of trials, few are worked out at the same time, and
// whoever leaves does not wait.
func TestFewAreGathered(t *testing.T) {
	f := newFixture(t, setup{})
	f.enrol()
	for range maxGathered {
		f.api.overview.gathering <- struct{}{}
	}
	paths := []string{"/trial?id=X-1", "/overview", "/overview.csv", "/search?q=x"}
	answers := make(chan int)
	for _, path := range paths {
		ctx, leave := context.WithCancel(t.Context())
		leave()
		w := httptest.NewRecorder()
		f.api.HTTP().ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", path, nil)) // and it returns
		go func() { answers <- f.get(path).status }()
	}
	select {
	case status := <-answers:
		t.Errorf("a trial is worked out though %d are: status %d", maxGathered, status)
	case <-time.After(200 * time.Millisecond):
	}
	for range maxGathered {
		f.api.overview.gathering.leave()
	}
	for range paths {
		if status := <-answers; status != http.StatusOK {
			t.Errorf("status %d", status)
		}
	}
}
