package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/trialproof/trialproof/trial/history"
)

// A liar stands in front of a log, and changes what it answers.
type liar struct {
	*httptest.Server
	mu      sync.Mutex
	page    func(html string) string               // guarded by mu, as is the next
	history func(h *history.History, q url.Values) // changes an answer
}

func newLiar(t *testing.T, log string) *liar {
	t.Helper()
	at, err := url.Parse(log)
	if err != nil {
		t.Fatal(err)
	}
	l := new(liar)
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(at)
		r.Out.Header.Del("Accept-Encoding") // what is changed must not be compressed
	}}
	proxy.ModifyResponse = func(r *http.Response) error {
		l.mu.Lock()
		defer l.mu.Unlock()
		page, lie := l.page, l.history
		switch {
		case page != nil && strings.HasPrefix(r.Header.Get("Content-Type"), "text/html"):
			lie = nil
		case lie != nil && r.Request.URL.Path == "/v1/history":
			page = nil
		default:
			return nil
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		if page != nil {
			body = []byte(page(string(body)))
		} else {
			h := new(history.History)
			if err := json.Unmarshal(body, h); err != nil {
				return err
			}
			lie(h, r.Request.URL.Query())
			if body, err = json.Marshal(h); err != nil {
				return err
			}
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.ContentLength = int64(len(body))
		r.Header.Set("Content-Length", fmt.Sprint(len(body)))
		return nil
	}
	l.Server = httptest.NewServer(proxy)
	t.Cleanup(l.Close)
	return l
}

// lies sets how the next answers are changed.
func (l *liar) lies(page func(string) string, history func(*history.History, url.Values)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.page, l.history = page, history
}

// TestTrialPage opens the page of a trial: the browser draws it again from what it has verified, and
// names a server that hides an entry, invents one, or shows another history.
func TestTrialPage(t *testing.T) {
	t.Parallel()
	needVerifier(t)
	w := startTown(t, "", true)
	w.trialCmd("org", "-key", "registrar.key", "-id", "acme", "-name", "Acme", "ada.pub")
	w.trial = w.trialCmd("register", "-key", "ada.key", "-number", "X-1")
	other := w.trialCmd("register", "-key", "ada.key", "-number", "X-2")
	w.trialCmd("identify", "-key", "ada.key", "-trial", w.trial, "NCT03421379")
	w.write("v1.pdf", "one\n")
	w.write("v2.pdf", "two\n")
	w.trialCmd("submit", "-key", "ada.key", "-trial", w.trial, "-kind", "protocol", "-version", "1.0", "v1.pdf")
	w.trialCmd("submit", "-key", "ada.key", "-trial", w.trial, "-kind", "milestone", "-event", "first-enrolment", "-date", "2026-03-02")
	w.trialCmd("submit", "-key", "ada.key", "-trial", w.trial, "-kind", "protocol", "-version", "2.0", "-previous", "v1.pdf.tlog-proof", "v2.pdf")

	l := newLiar(t, w.log.url)
	page := newTab(t, 1100, 900)
	open := func(query string, shows ...string) {
		t.Helper()
		page.open(l.URL + "/trial?" + query)
		page.poll("the page is checked", `!!document.getElementById("checked").dataset.state`)
		page.shows(shows...)
	}
	for _, id := range []string{w.trial, "NCT03421379", "X-1", w.trial[:12]} {
		open("id="+id, "Checked by your browser: this page is what the log proves", "protocol version 2.0 (global)", "Replaying witnesses checked that nothing is left out")
	}
	page.picture("trial")
	open("id=X-1&on=2020-01-01", "No protocol version had been logged by the end of 2020-01-01", "this page is what the log proves")
	if n := eval[int](page, `document.querySelectorAll("svg.timeline .dot").length`); n < 3 {
		t.Errorf("the timeline has %d dots", n)
	}

	const hides, fails = "This log's server showed something else than its log proves", "What this log's server answers does not hold"
	l.lies(func(html string) string {
		return strings.ReplaceAll(html, "protocol version 2.0", "protocol version 1.9")
	}, nil)
	open("id=X-1", hides, "protocol version 2.0 (global)")
	page.picture("trial-lie")
	l.lies(func(html string) string {
		i := strings.Index(html, `<li id="entry-`)
		return html[:i] + html[i+strings.Index(html[i:], "</li>")+5:]
	}, nil)
	open("id=X-1", hides)
	l.lies(func(html string) string {
		return strings.Replace(html, `<ol class="entries" id="older">`, `<ol class="entries" id="older"><li id="entry-999">results</li>`, 1)
	}, nil)
	open("id=X-1", hides)
	ofTrial := func(q url.Values) bool { return q.Get("kind") == "trial" }
	l.lies(nil, func(h *history.History, q url.Values) {
		if ofTrial(q) {
			h.Entries = h.Entries[:len(h.Entries)-1]
		}
	})
	open("id=X-1", fails, "some are withheld")
	l.lies(nil, func(h *history.History, q url.Values) {
		if ofTrial(q) {
			h.Entries = append(h.Entries, h.Entries[0])
		}
	})
	open("id=X-1", fails)
	l.lies(nil, func(h *history.History, q url.Values) {
		if ofTrial(q) {
			h.ID = other
		}
	})
	open("id=X-1", fails)
	l.lies(nil, nil)

	page.open(l.URL + "/trial?id=nothing-here")
	page.shows("There is nothing to show", "nothing is published as")
}
