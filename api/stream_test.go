package api

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/trialproof/trialproof/api/trialpb"
	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// A lineReader reads a stream over HTTP.
type lineReader struct {
	t    *testing.T
	scan *bufio.Scanner
	stop context.CancelFunc
}

func (f *fixture) openLines(t *testing.T, from uint64) *lineReader {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	req, err := http.NewRequestWithContext(ctx, "GET", f.http.URL+"/v1/stream?from="+strconv.FormatUint(from, 10), nil)
	fatal(t, err)
	resp, err := http.DefaultClient.Do(req)
	fatal(t, err)
	t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/x-ndjson" {
		t.Fatalf("status %d, %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	return &lineReader{t, bufio.NewScanner(resp.Body), stop}
}

// TestStreamBytes: what a stream sends, from its header to the line that says why it ends.
func TestStreamBytes(t *testing.T) {
	f := newFixture(t, setup{})
	f.enrol()
	g := newGolden(t, "stream")
	req, err := http.NewRequestWithContext(t.Context(), "GET", f.http.URL+"/v1/stream?from=1", nil)
	fatal(t, err)
	resp, err := http.DefaultClient.Do(req)
	fatal(t, err)
	defer resp.Body.Close()
	all := bufio.NewReader(resp.Body)
	var sent strings.Builder
	for range f.log.Size() - 1 {
		line, err := all.ReadString('\n')
		fatal(t, err)
		sent.WriteString(line)
	}
	f.close()
	rest, err := io.ReadAll(all)
	fatal(t, err)
	g.add("a stream from 1", answer{resp.StatusCode, resp.Header, sent.String() + string(rest)})
}

type wireEntry struct {
	Index string
	Entry string
}

// next returns the next line; a nil entry is the last line, an error.
func (l *lineReader) next() (*wireEntry, *wireProblem) {
	l.t.Helper()
	if !l.scan.Scan() {
		l.t.Fatalf("the stream ended: %v", l.scan.Err())
	}
	var line struct {
		Result *wireEntry
		Error  *wireProblem
	}
	if err := json.Unmarshal(l.scan.Bytes(), &line); err != nil || (line.Result == nil) == (line.Error == nil) {
		l.t.Fatalf("line %q: %v", l.scan.Bytes(), err)
	}
	return line.Result, line.Error
}

// expect reads entries from first up to before end and compares them with the log.
func (f *fixture) expect(t *testing.T, first, end uint64, next func() (uint64, string)) {
	t.Helper()
	for i := first; i < end; i++ {
		raw, err := f.log.Entry(t.Context(), i)
		fatal(t, err)
		if index, entry := next(); index != i || entry != string(raw) {
			t.Fatalf("entry %d, wanted %d: %s", index, i, entry)
		}
	}
}

func (l *lineReader) entry() (uint64, string) {
	l.t.Helper()
	e, p := l.next()
	if e == nil {
		l.t.Fatalf("the stream ended: %+v", p)
	}
	index, err := strconv.ParseUint(e.Index, 10, 64)
	fatal(l.t, err)
	return index, e.Entry
}

func TestStreamHTTP(t *testing.T) {
	f := newFixture(t, setup{limits: Limits{Streams: 1}})
	id := f.enrol()
	lines := f.openLines(t, 3)
	f.expect(t, 3, f.log.Size(), lines.entry)
	for range 3 { // entries that are appended later
		size := f.log.Size()
		p, s := f.document(id)
		f.submit("ada", p, s)
		f.expect(t, size, f.log.Size(), lines.entry)
	}
	if a := f.get("/v1/stream"); a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") == "" {
		t.Errorf("a second stream where one is allowed: status %d, %s", a.status, a.body)
	}
	if a := f.send(http.MethodHead, "/v1/stream", ""); a.status != 200 { // opens none
		t.Errorf("HEAD: status %d", a.status)
	}
	lines.stop()
	f.api.service.streaming <- struct{}{} // returns when the stream's place is free
	<-f.api.service.streaming

	lines = f.openLines(t, f.log.Size()) // nothing to send: the header comes at once
	f.close()
	if e, p := lines.next(); e != nil || p.Code != "UNAVAILABLE" {
		t.Errorf("when the log closes: %+v, %+v", e, p)
	}
	if lines.scan.Scan() {
		t.Errorf("more after the error: %s", lines.scan.Bytes())
	}
	if a := f.get("/metrics"); strings.Contains(a.body, `request_seconds_count{protocol="http",route="/v1/stream",status="200"}`) ||
		!strings.Contains(a.body, `requests_total{protocol="http",route="/v1/stream",status="200"}`) {
		t.Error("how long a stream was open counts as latency, or it is not counted")
	}
}

func TestStreamGRPC(t *testing.T) {
	f := newFixture(t, setup{limits: Limits{Streams: 1}})
	id := f.enrol()
	open := func(from uint64) (trialpb.Log_StreamEntriesClient, context.CancelFunc) {
		ctx, stop := context.WithCancel(t.Context())
		stream, err := f.grpc.StreamEntries(ctx, &trialpb.StreamEntriesRequest{From: from})
		fatal(t, err)
		if h, err := stream.Header(); err != nil || len(h.Get("x-request-id")) != 1 {
			t.Fatalf("header %v, %v", h, err)
		}
		return stream, stop
	}
	stream, stop := open(2)
	next := func() (uint64, string) {
		t.Helper()
		e, err := stream.Recv()
		fatal(t, err)
		return e.Index, e.Entry
	}
	f.expect(t, 2, f.log.Size(), next)
	size := f.log.Size()
	p, s := f.document(id)
	f.submit("ada", p, s)
	f.expect(t, size, f.log.Size(), next)
	stop()
	if _, err := stream.Recv(); status.Code(err) != codes.Canceled {
		t.Errorf("after leaving: %v", err)
	}
	f.api.service.streaming <- struct{}{}
	<-f.api.service.streaming

	stream, stop = open(f.log.Size())
	defer stop()
	f.close()
	if _, err := stream.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("when the log closes: %v", err)
	}
}

// TestStreamOutlivesTimeouts: the server's limit on the time of an answer does not end a
// stream.
func TestStreamOutlivesTimeouts(t *testing.T) {
	f := newFixture(t, setup{server: func(s *http.Server) { s.WriteTimeout = 1 }})
	lines := f.openLines(t, 0)
	size := f.log.Size()
	f.expect(t, 0, size, lines.entry)
	f.openLines(t, size) // with nothing to send
	p, s := trialtest.Org("acme", "Acme", "ada")
	envelope, key := trialtest.Sign(t, "registrar", p, s)
	_, err := f.grpc.Submit(t.Context(), message(t, envelope, key)) // for over HTTP the answer comes too late
	fatal(t, err)
	f.expect(t, size, f.log.Size(), lines.entry)
}

// badTree reports other bytes at an index once it is told to.
type badTree struct {
	logserver.Tree
	bad atomic.Bool
}

func (b *badTree) Append(ctx context.Context, first uint64, leaves [][]byte) error {
	if b.bad.Load() {
		return logserver.ErrTreeConflict
	}
	return b.Tree.Append(ctx, first, leaves)
}

// TestStoppedLog: a log that has stopped for good says so to everyone, and why.
func TestStoppedLog(t *testing.T) {
	tree := new(badTree)
	f := newFixture(t, setup{log: func(c *logserver.Config) { tree.Tree, c.Tree = c.Tree, tree }})
	lines := f.openLines(t, f.log.Size())
	tree.bad.Store(true)
	p, s := trialtest.Org("acme", "Acme", "ada")
	envelope, key := trialtest.Sign(t, "registrar", p, s)
	if a := f.post(body(envelope, key)); a.status != http.StatusAccepted { // decided: it is in the journal
		t.Errorf("status %d, %s", a.status, a.body)
	}
	const want = "the log is not ready: it has stopped: append: the tree has other bytes than those decided; send it again later"
	if _, p := lines.next(); p == nil || p.Code != "UNAVAILABLE" || p.Message != want {
		t.Errorf("stream: %+v", p)
	}
	p, s = trialtest.Org("other", "Other", "eve")
	envelope, key = trialtest.Sign(t, "registrar", p, s)
	if a := f.post(body(envelope, key)); a.status != 503 || a.wire(t).Message != want {
		t.Errorf("status %d, %s", a.status, a.body)
	}
	if a := f.get("/readyz"); a.status != 503 || !strings.Contains(a.body, logserver.ErrTreeConflict.Error()) {
		t.Errorf("readyz: status %d, %s", a.status, a.body)
	}
	if a := f.get("/v1/entries/0"); a.status != 200 {
		t.Errorf("what is published: status %d", a.status)
	}
}
