package api

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/trialproof/trialproof/api/trialpb"
	"github.com/trialproof/trialproof/api/web"
	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
)

func TestCheckpoint(t *testing.T) {
	f := newFixture(t, setup{})
	f.enrol()
	a := f.get("/checkpoint")
	cp, err := f.policy.Open([]byte(a.body))
	fatal(t, err)
	if cp.Size != f.log.Size() || a.header.Get("Content-Type") != "text/plain; charset=utf-8" ||
		a.header.Get("Cache-Control") != "public, max-age=1" {
		t.Errorf("size %d, header %v", cp.Size, a.header)
	}
	if got, err := f.client.Checkpoint(t.Context()); err != nil || string(got) != a.body {
		t.Errorf("client: %q, %v", got, err)
	}
}

func TestTiles(t *testing.T) {
	f := newFixture(t, setup{})
	f.enrol()
	size := f.log.Size()
	for _, path := range []string{fmt.Sprintf("tile/0/000.p/%d", size), "tile/0/000.p/1", fmt.Sprintf("tile/entries/000.p/%d", size)} {
		want, err := f.log.Tile(t.Context(), path)
		fatal(t, err)
		a := f.get("/" + path)
		if a.status != 200 || a.body != string(want) || a.header.Get("Content-Type") != "application/octet-stream" ||
			a.header.Get("Cache-Control") != immutable {
			t.Errorf("%s: status %d, header %v", path, a.status, a.header)
		}
		if got, err := f.client.Tile(t.Context(), path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: client: %v", path, err)
		}
		bundle := strings.Contains(path, "entries")
		a = f.get("/"+path, "Accept-Encoding", "br, gzip;q=0.5")
		if (a.header.Get("Content-Encoding") == "gzip") != bundle || (a.header.Get("Vary") != "") != bundle {
			t.Errorf("%s: header %v", path, a.header)
		}
		if bundle {
			r, err := gzip.NewReader(strings.NewReader(a.body))
			fatal(t, err)
			if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: unzipped: %v", path, err)
			}
		}
		if a := f.get("/"+path, "Accept-Encoding", "gzip;q=0, *"); a.body != string(want) {
			t.Errorf("%s: zipped unasked", path)
		}
		if a := f.send(http.MethodHead, "/"+path, ""); a.status != 200 || a.header.Get("Content-Length") != fmt.Sprint(len(want)) {
			t.Errorf("HEAD %s: status %d, header %v", path, a.status, a.header)
		}
	}
	for path, want := range map[string]int{
		"/tile/0/000": 404, "/tile/1/000.p/1": 404, "/tile/entries/001": 404, fmt.Sprintf("/tile/0/000.p/%d", size+1): 404,
		"/tile/0/0": 400, "/tile/0/x1/067": 400, "/tile/0/000.p/0": 400, "/tile/0/000.p/256": 400, "/tile/00/000": 400,
		"/tile/": 400, "/tile/data/000": 400, "/tile/entries": 400, "/tile/64/000": 400, "/tile/0/000.p/01": 400,
	} {
		a := f.get(path)
		if a.status != want || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: status %d, header %v", path, a.status, a.header)
		}
	}
}

func TestReady(t *testing.T) {
	f := newFixture(t, setup{})
	for _, path := range []string{"/healthz", "/readyz"} {
		if a := f.get(path); a.status != 200 || a.header.Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("%s: status %d, %s", path, a.status, a.body)
		}
	}
	if a := f.get("/metrics"); !strings.Contains(a.body, "\ntrialproof_ready 1\n") {
		t.Error("metrics do not say ready")
	}
	f.close()
	want := f.log.Ready().Error()
	if a := f.get("/readyz"); a.status != 503 || a.body != want+"\n" || a.header.Get("Retry-After") == "" {
		t.Errorf("closed: status %d, %q, wanted %q", a.status, a.body, want)
	}
	if a := f.get("/healthz"); a.status != 200 {
		t.Errorf("healthz of a closed log: status %d", a.status)
	}
	if a := f.get("/metrics"); !strings.Contains(a.body, "\ntrialproof_ready 0\n") {
		t.Error("metrics say ready")
	}
	if a := f.get("/"); a.status != 200 || !strings.Contains(a.body, "not taken") {
		t.Errorf("the page of a closed log: status %d", a.status)
	}
}

func TestMetrics(t *testing.T) {
	f := newFixture(t, setup{})
	f.enrol()
	for range 3 {
		f.get("/v1/entries/1")
	}
	f.get("/v1/entries/999")
	f.get("/nowhere")
	f.get("/nowhere/else")
	f.grpc.GetLog(t.Context(), &trialpb.GetLogRequest{})
	a := f.get("/metrics")
	for _, line := range []string{
		`trialproof_requests_total{protocol="http",route="/v1/entries/{index}",status="200"} 3`,
		`trialproof_requests_total{protocol="http",route="/v1/entries/{index}",status="404"} 1`,
		`trialproof_requests_total{protocol="http",route="none",status="404"} 2`,
		`trialproof_requests_total{protocol="grpc",route="/trialproof.v1.Log/GetLog",status="OK"} 1`,
		`trialproof_request_seconds_count{protocol="http",route="/v1/statements",status="200"} 2`,
		fmt.Sprintf(`trialproof_published_size %d`, f.log.Size()),
	} {
		if !strings.Contains(a.body, line+"\n") {
			t.Errorf("no %s", line)
		}
	}
	if _, err := New(Config{Log: f.log, Metrics: f.api.metrics}); err == nil {
		t.Error("metrics taken twice")
	}
}

func TestLogMetrics(t *testing.T) {
	m := NewMetrics()
	var _ logserver.Metrics = m
	m.Sequenced(7, time.Second)
	m.Sequenced(3, time.Second)
	m.Refused(trial.RuleHolder)
	m.Published(12, time.Second)
	m.Witness("w1", nil, time.Second)
	m.Witness("w1", errors.New("down"), time.Second)
	w := httptest.NewRecorder()
	m.handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range []string{
		"trialproof_entries_sequenced_total 10", "trialproof_batch_seconds_count 2", `trialproof_refused_total{rule="R8"} 1`,
		"trialproof_quorum_seconds_count 1", `trialproof_witness_seconds_count{result="cosigned",witness="w1"} 1`,
		`trialproof_witness_seconds_count{result="failed",witness="w1"} 1`,
	} {
		if !strings.Contains(w.Body.String(), line+"\n") {
			t.Errorf("no %s", line)
		}
	}
}

func TestPages(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	f := newFixture(t, setup{})
	f.enrol()
	cp, err := f.log.Checkpoint()
	fatal(t, err)
	index := html.UnescapeString(f.get("/").body)
	for _, want := range []string{"log.example/trials", fmt.Sprintf("in %d entries (%d entries in the last 7 days)</dd>", f.log.Size(), f.log.Size()), "No witness: the operator",
		strings.Split(string(cp), "\n")[2][:20]} {
		if !strings.Contains(index, want) {
			t.Errorf("the page has no %q:\n%s", want, index)
		}
	}
	for _, path := range []string{"/", "/check", "/trial?id=X-1", "/trial?id=nothing", "/overview", "/editor", "/docs", "/search?q=acme", "/org?id=acme", "/org?id=x"} {
		a := f.get(path)
		if a.header.Get("Content-Security-Policy") != web.CSP || strings.Contains(web.CSP, "unsafe-inline") ||
			!strings.Contains(web.CSP, "frame-ancestors 'none'") || a.header.Get("X-Content-Type-Options") != "nosniff" ||
			a.header.Get("Referrer-Policy") != "no-referrer" || a.header.Get("Content-Type") != "text/html; charset=utf-8" || a.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: header %v", path, a.header)
		}
		if regexp.MustCompile(`https?://|(src|href|action)="//|@import|url\(|<style|<script>|\son[a-z]+=|\sstyle=`).MatchString(a.body) {
			t.Errorf("%s has something of its own that its policy does not allow, or names something elsewhere:\n%s", path, a.body)
		}
		if want := map[bool]int{true: 404, false: 200}[strings.HasSuffix(path, "nothing") || strings.HasSuffix(path, "=x")]; a.status != want {
			t.Errorf("%s: status %d", path, a.status)
		}
	}
	a := f.get("/consent")
	policy := a.header.Get("Content-Security-Policy")
	if a.status != 200 || policy != strings.Replace(web.CSP, "connect-src 'self'", "connect-src 'self' https:", 1) ||
		regexp.MustCompile(`<style|<script>|\son[a-z]+=|\sstyle=`).MatchString(a.body) {
		t.Errorf("/consent: status %d, policy %s", a.status, policy)
	}
}

func TestOtherOrigins(t *testing.T) {
	f := newFixture(t, setup{})
	for _, path := range []string{"/checkpoint", "/v1/log", "/v1/entries/999", "/tile/0/000.p/2", "/openapi.json"} {
		if a := f.get(path, "Origin", "https://elsewhere.example"); a.header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("GET %s: header %v", path, a.header)
		}
	}
	for _, method := range []string{"POST", "OPTIONS"} {
		a := f.send(method, "/v1/statements", "{}", "Origin", "https://elsewhere.example", "Content-Type", "application/json",
			"Access-Control-Request-Method", "POST")
		if a.header.Get("Access-Control-Allow-Origin") != "" || a.status < 400 {
			t.Errorf("%s: status %d, header %v", method, a.status, a.header)
		}
	}
}

// TestFromIsAnIndex: a number that is larger than any index is the caller's mistake.
func TestFromIsAnIndex(t *testing.T) {
	f := newFixture(t, setup{})
	id := f.enrol()
	for _, path := range []string{"/v1/trials/entries?trial=" + id.String(), "/v1/records/entries?kind=trial&id=" + id.String(),
		"/v1/stream?"} {
		if a := f.get(path + "&from=18446744073709551615"); a.status != 400 {
			t.Errorf("%s: status %d, %s", path, a.status, a.body)
		}
	}
}
