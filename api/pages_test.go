package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trialproof/trialproof/api/trialpb"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// page fetches a page of a history.
func (f *fixture) page(kind, id string, size, from uint64) (*history.History, answer) {
	f.t.Helper()
	a := f.get(fmt.Sprintf("/v1/history?kind=%s&id=%s&size=%d&from=%d", kind, id, size, from))
	if a.status != http.StatusOK {
		return nil, a
	}
	h, err := history.Parse([]byte(a.body))
	fatal(f.t, err)
	return h, a
}

// long logs documents of a trial, of 27 kB each, whose entries fill more than two pages.
func (f *fixture) long(id trial.Hash) (n uint64) {
	f.t.Helper()
	for n = 0; n*27_000 < 5<<19; n++ {
		subjects := trialtest.Documents("document", fmt.Sprint(n))
		for k := range 170 { // of 200 bytes each
			subjects = append(subjects, trialtest.Documents("document", fmt.Sprint(n, k))[0])
			subjects[len(subjects)-1].Name = fmt.Sprintf("appendix-%d", k+1)
		}
		f.submit("ada", &trial.Document{Common: trialtest.Common(), Trial: id, Version: fmt.Sprint(n)}, subjects)
	}
	return n
}

// TestHistoryPages reads a history of several pages while the log grows, and detects pages that
// are withheld, repeated or exchanged.
func TestHistoryPages(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	f := newFixture(t, setup{})
	id := f.enrol()
	count := f.long(id) + 1
	p, s := trialtest.Register("X-2")
	other := f.submit("ada", p, s).ID

	first, a := f.page("trial", id.String(), 0, 0)
	if len(a.body) > 3<<20 {
		t.Errorf("a page has %d bytes", len(a.body))
	}
	var pages [][]history.Entry
	read := func(pages ...[]history.Entry) error {
		r, err := history.NewReader(f.policy, first)
		for _, entries := range pages {
			if err == nil {
				err = r.Add(entries)
			}
		}
		if err == nil {
			_, err = r.Verdict()
		}
		return err
	}
	r, err := history.NewReader(f.policy, first)
	fatal(t, err)
	size, from, more := r.More()
	for ; more; _, from, more = r.More() {
		// The log grows between the pages; they stay of one tree.
		doc, subjects := f.document(other)
		f.submit("ada", doc, subjects)
		h, a := f.page("trial", id.String(), size, from)
		if h == nil || len(h.Entries) == 0 || h.Record != "" {
			t.Fatalf("page from %d: status %d, %+v", from, a.status, h)
		}
		fatal(t, r.Add(h.Entries))
		pages = append(pages, h.Entries)
	}
	if v, err := r.Verdict(); err != nil || uint64(len(v.Entries)) != count || len(pages) < 2 {
		t.Fatalf("%d pages, want %d entries: %v", len(pages), count, err)
	}
	for name, c := range map[string]struct {
		pages [][]history.Entry
		says  string
	}{
		"whole":                  {pages, ""},
		"the last page withheld": {pages[:len(pages)-1], "some are withheld"},
		"a page repeated":        {[][]history.Entry{pages[0], pages[0]}, "the order was changed"},
		"a page left out":        {pages[1:], "some are withheld"},
		"pages exchanged":        {[][]history.Entry{pages[1], pages[0]}, "the order was changed"},
		"one entry too many": {append(pages[:len(pages):len(pages)], []history.Entry{{Index: size - 1, Entry: first.State.Entry,
			Path: first.State.Path}}), "more are shown"},
	} {
		if err := read(c.pages...); (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}

	// Another record's history can be read as of the tree of the first one.
	h, _ := f.page("trial", other.String(), size, 0)
	if h == nil {
		t.Fatal("the tree of the first page is no longer served")
	}
	v, err := h.Verify(f.policy)
	if err != nil || len(v.Entries) != 1 || v.Checkpoint.Size != size {
		t.Fatalf("the other trial as of size %d: %+v, %v", size, v, err)
	}
	now, _ := f.page("trial", other.String(), 0, 0)
	if v, err := now.Verify(f.policy); err != nil || len(v.Entries) != 1+len(pages) {
		t.Fatalf("the other trial as of now: %v", err)
	}
	// After ten minutes that tree is gone, but its further pages are not.
	f.clock.Add(11 * time.Minute)
	if _, a := f.page("org", "acme", size, 0); a.status != http.StatusGone || !strings.Contains(a.body, "ask for the newest") {
		t.Errorf("after 11 minutes: status %d, %s", a.status, a.body)
	}
	if h, a := f.page("trial", id.String(), size, pages[0][0].Index); h == nil || len(h.Entries) != len(pages[0]) {
		t.Errorf("a further page after 11 minutes: status %d", a.status)
	}
	for query, status := range map[string]int{
		"size=99999": http.StatusGone, "size=99999&from=3": http.StatusGone, "from=3": http.StatusGone, "size=3": http.StatusGone,
		"size=-1": http.StatusBadRequest, "from=x": http.StatusBadRequest, "size=01": http.StatusBadRequest,
		"size=18446744073709551615": http.StatusBadRequest,
	} {
		if a := f.get("/v1/history?kind=trial&id=" + id.String() + "&" + query); a.status != status {
			t.Errorf("%s: status %d, want %d: %s", query, a.status, status, a.body)
		}
	}
}

// TestPagesShared: readers of one page wait for it together. A page of the newest tree is not
// shared. A page that failed is made again. The number of kept pages is bounded.
func TestPagesShared(t *testing.T) {
	c := newPages()
	key := pageKey{trial.RecordKey{Kind: "trial", ID: "1"}, 7, 0}
	var mu sync.Mutex
	made := 0
	release := make(chan struct{})
	slow := func() (*trialpb.History, error) {
		mu.Lock()
		made++
		mu.Unlock()
		<-release
		return &trialpb.History{Record: strings.Repeat("x", 1<<20)}, nil
	}
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			if m, err := c.get(context.Background(), key, slow); err != nil || len(m.Record) != 1<<20 {
				t.Error(err)
			}
		})
	}
	close(release)
	wg.Wait()
	if made != 1 {
		t.Errorf("one page was made %d times", made)
	}
	newest := key
	newest.size = 0
	for range 2 {
		_, err := c.get(t.Context(), newest, slow)
		fatal(t, err)
	}
	if made != 3 {
		t.Errorf("the newest tree's page was shared: %d made", made)
	}
	bad := errors.New("no disk")
	failing := pageKey{key.record, 8, 0}
	if _, err := c.get(t.Context(), failing, func() (*trialpb.History, error) { return nil, bad }); !errors.Is(err, bad) {
		t.Errorf("a failure is %v", err)
	}
	if _, err := c.get(t.Context(), failing, slow); err != nil {
		t.Errorf("a failure is kept: %v", err)
	}
	for n := range uint64(100) {
		_, err := c.get(t.Context(), pageKey{key.record, 100 + n, 0}, slow)
		fatal(t, err)
	}
	if c.bytes > maxKeptPages || len(c.known) != c.used.Len() || len(c.known) > 40 {
		t.Errorf("%d pages of %d bytes are kept, %d in order", len(c.known), c.bytes, c.used.Len())
	}
}

// TestBounded: only so many answers are sent at the same time.
func TestBounded(t *testing.T) {
	f := newFixture(t, setup{})
	f.enrol()
	entered, release := make(chan struct{}), make(chan struct{})
	h := f.api.bounded(2, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		<-release
	}))
	ask := func() *response {
		w := &response{header: http.Header{}}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/history", nil)
		fatal(t, err)
		h.ServeHTTP(w, r)
		return w
	}
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() { ask() })
		<-entered
	}
	w := ask()
	var p struct{ Message string }
	if w.status != http.StatusServiceUnavailable || w.header.Get("Retry-After") != "1" || json.Unmarshal(w.body, &p) != nil ||
		!strings.Contains(p.Message, "ask again") {
		t.Errorf("a third one: status %d, %s", w.status, w.body)
	}
	close(release)
	wg.Wait()
	go func() { <-entered }()
	if w := ask(); w.status != 0 {
		t.Errorf("afterwards: status %d", w.status)
	}
}

type response struct {
	header http.Header
	status int
	body   []byte
}

func (w *response) Header() http.Header { return w.header }
func (w *response) WriteHeader(s int)   { w.status = s }
func (w *response) Write(b []byte) (int, error) {
	w.body = append(w.body, b...)
	return len(b), nil
}
