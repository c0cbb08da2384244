package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/api/trialpb"
	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// A wireAnswer is one line of a batch's answer.
type wireAnswer struct {
	Result *client.Result
	Error  *wireProblem
}

const ndjson = "application/x-ndjson"

func (f *fixture) postBatch(body string) answer {
	f.t.Helper()
	return f.send(http.MethodPost, batchPath, body, "Content-Type", ndjson)
}

func parseAnswers(t testing.TB, body string) (list []wireAnswer) {
	t.Helper()
	if body != "" && !strings.HasSuffix(body, "\n") {
		t.Fatalf("the last line has no end: %q", body)
	}
	for line := range strings.Lines(body) {
		var a wireAnswer
		dec := json.NewDecoder(strings.NewReader(line))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&a); err != nil || (a.Result == nil) == (a.Error == nil) {
			t.Fatalf("not an answer: %v: %q", err, line)
		}
		list = append(list, a)
	}
	return list
}

// line returns the next document of a trial as a line of a batch, and its identity.
func (f *fixture) line(of trial.Hash) (string, trial.Hash) {
	p, s := f.document(of)
	envelope, key := trialtest.Sign(f.t, "ada", p, s)
	return body(envelope, key) + "\n", trial.StatementID(trialtest.Payload(f.t, p, s))
}

// TestBatchAnswers: each line has its own answer, in the order of the lines, and a line that is
// bad in any way harms no other. The answers are those of /v1/statements.
func TestBatchAnswers(t *testing.T) {
	f := newFixture(t, setup{})
	of := f.enrol()
	one, id1 := f.line(of)
	two, id2 := f.line(of)
	unknown, _ := f.line(trial.Hash{1})
	last, id3 := f.line(of)
	batch := one + "\n" + "{}\n" + strings.Repeat("x", maxBody+1) + "\n" + unknown +
		strings.Replace(two, `"payload":"`, "\"payload\":\"\xff", 1) + two + one + " \r\n" + strings.TrimSuffix(one, "\n") + "{}\n" + strings.TrimSuffix(last, "\n")
	a := f.postBatch(batch)
	newGolden(t, "batch").add("a batch", answer{a.status, a.header, shortened(a.body)})
	list := parseAnswers(t, a.body)
	var got []string
	for _, x := range list {
		if x.Error != nil {
			got = append(got, x.Error.Rule)
			continue
		}
		got = append(got, x.Result.ID.String())
		if v, err := receipt.Verify(f.policy, []byte(x.Result.Receipt)); err != nil || v.Entry.Statement.ID != x.Result.ID ||
			v.Index != x.Result.Index {
			t.Errorf("%s: %v", x.Result.ID, err)
		}
	}
	want := []string{id1.String(), "R1", "R1", "R2", "R9", "R1", id2.String(), id1.String(), "R1", "R1", id3.String()}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if *list[0].Result != *list[7].Result {
		t.Error("the same statement has two receipts")
	}
	single := f.post(strings.TrimSuffix(two, "\n"))
	if line := strings.Split(a.body, "\n")[6]; line != `{"result":`+single.body+"}" {
		t.Errorf("alone it is\n%s\nin a batch\n%s", single.body, line)
	}
	single = f.post(strings.TrimSuffix(unknown, "\n"))
	if line := strings.Split(a.body, "\n")[4]; line != `{"error":`+strings.TrimSpace(single.body)+"}" {
		t.Errorf("alone it is\n%s\nin a batch\n%s", single.body, line)
	}
	size := f.log.Size()
	if again := f.postBatch(batch); again.body != a.body || f.log.Size() != size {
		t.Errorf("again: size %d after %d\n%s", f.log.Size(), size, again.body)
	}
	if a := f.postBatch(""); a.status != 200 || a.body != "" {
		t.Errorf("no line: status %d, %q", a.status, a.body)
	}
	cut := f.postBatch(one + two[:len(two)/2])
	if list := parseAnswers(t, cut.body); len(list) != 2 || list[0].Result == nil ||
		!strings.Contains(list[1].Error.Message, "ends too early") {
		t.Errorf("a line that is cut off: %s", cut.body)
	}
	for _, contentType := range []string{"", "application/json", "text/plain"} {
		if a := f.send("POST", batchPath, one, "Content-Type", contentType); a.status != http.StatusUnsupportedMediaType {
			t.Errorf("content type %q: status %d", contentType, a.status)
		}
	}
	if a := f.send("POST", batchPath+"?x=1", one, "Content-Type", ndjson); a.status != http.StatusBadRequest {
		t.Errorf("a parameter: status %d", a.status)
	}
	if a := f.get("/metrics"); !strings.Contains(a.body, `trialproof_requests_total{protocol="http",route="/v1/batch",status="200"}`) {
		t.Error("it is not counted")
	}
}

// shortened cuts receipts, which other golden files have.
func shortened(body string) string {
	var b strings.Builder
	for line := range strings.Lines(body) {
		if i := strings.Index(line, `"index":`); i > 0 {
			line = line[:i] + "...\n"
		}
		b.WriteString(line)
	}
	return b.String()
}

// TestBatchParity: gRPC answers as HTTP does, without the mistakes that only lines can have.
func TestBatchParity(t *testing.T) {
	f := newFixture(t, setup{})
	of := f.enrol()
	stream, err := f.grpc.SubmitBatch(t.Context())
	fatal(t, err)
	var lines strings.Builder
	const n = 30
	for i := range n {
		p, s := f.document(of)
		envelope, key := trialtest.Sign(t, "ada", p, s)
		if i%5 == 4 {
			key = []byte("no key")
		}
		lines.WriteString(body(envelope, key) + "\n")
		fatal(t, stream.Send(message(t, envelope, key)))
	}
	fatal(t, stream.CloseSend())
	var b strings.Builder
	for {
		m, err := stream.Recv()
		if err == io.EOF {
			break
		}
		fatal(t, err)
		data, err := marshal(m)
		fatal(t, err)
		fmt.Fprintf(&b, "%s\n", data)
	}
	a := f.postBatch(lines.String())
	if a.body != b.String() || len(parseAnswers(t, a.body)) != n {
		t.Errorf("gRPC\n%s\nHTTP\n%s", b.String(), a.body)
	}
}

// TestBatchStreams: an answer comes while the call is open, and however long it is open: the
// server's limits of time for a request are over before it begins.
func TestBatchStreams(t *testing.T) {
	f := newFixture(t, setup{server: func(s *http.Server) { s.ReadTimeout, s.WriteTimeout = 1, 1 }})
	of := f.enrolGRPC()
	r, w := io.Pipe()
	resp := f.open(t, t.Context(), r)
	answers := bufio.NewReader(resp.Body)
	for range 3 {
		line, id := f.line(of)
		if _, err := io.WriteString(w, line); err != nil {
			t.Fatal(err)
		}
		text, err := answers.ReadString('\n') // nothing else is sent until it is there
		fatal(t, err)
		if list := parseAnswers(t, text); list[0].Result == nil || list[0].Result.ID != id {
			t.Fatal(text)
		}
	}
	w.Close()
	if rest, err := io.ReadAll(answers); err != nil || len(rest) > 0 {
		t.Errorf("%q, %v", rest, err)
	}
}

// enrolGRPC does what enrol does where HTTP allows no time.
func (f *fixture) enrolGRPC() trial.Hash {
	f.t.Helper()
	p, s := trialtest.Org("acme", "Acme", "ada")
	envelope, key := trialtest.Sign(f.t, "registrar", p, s)
	_, err := f.grpc.Submit(f.t.Context(), message(f.t, envelope, key))
	fatal(f.t, err)
	p, s = trialtest.Register("X-1")
	envelope, key = trialtest.Sign(f.t, "ada", p, s)
	r, err := f.grpc.Submit(f.t.Context(), message(f.t, envelope, key))
	fatal(f.t, err)
	id, err := trial.ParseHash(r.Id)
	fatal(f.t, err)
	return id
}

func (f *fixture) open(t *testing.T, ctx context.Context, body io.Reader) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.http.URL+batchPath, body)
	fatal(t, err)
	req.Header.Set("Content-Type", ndjson)
	resp, err := http.DefaultClient.Do(req)
	fatal(t, err)
	t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != ndjson {
		t.Fatalf("status %d, %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	return resp
}

// TestBatchSlow: who sends nothing, or a line that never ends, is cut off. What was sent is
// answered before.
func TestBatchSlow(t *testing.T) {
	f := newFixture(t, setup{})
	of := f.enrol()
	f.api.service.idle = 100 * time.Millisecond
	one, id := f.line(of)
	for what, c := range map[string]struct {
		rest    string
		answers int
	}{"nothing": {"", 1}, "half a line": {one[:100], 2}} {
		r, w := io.Pipe()
		defer w.Close()
		resp := f.open(t, t.Context(), r)
		if _, err := io.WriteString(w, one+c.rest); err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(resp.Body)
		fatal(t, err)
		list := parseAnswers(t, string(data))
		if len(list) != c.answers || list[0].Result == nil || list[0].Result.ID != id {
			t.Fatalf("%s: %s", what, data)
		}
		if c.answers == 2 && (list[1].Error.Code != "UNAVAILABLE" || !strings.Contains(list[1].Error.Message, "in time")) {
			t.Errorf("%s: %s", what, data)
		}
	}
	stream, err := f.grpc.SubmitBatch(t.Context())
	fatal(t, err)
	if _, err := stream.Recv(); err != io.EOF {
		t.Errorf("over gRPC: %v", err)
	}
}

// TestBatchSlowInFlight: who is cut off for sending nothing still has the answers to what was sent.
func TestBatchSlowInFlight(t *testing.T) {
	witness := new(testWitness)
	f := newFixture(t, setup{witness: witness, log: func(c *logserver.Config) { c.QuorumWait = 500 * time.Millisecond }})
	of := f.enrol()
	witness.silent.Store(true)
	f.api.service.idle = 10 * time.Millisecond
	line, id := f.line(of)
	r, w := io.Pipe()
	defer w.Close()
	resp := f.open(t, t.Context(), r)
	if _, err := io.WriteString(w, line); err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(resp.Body)
	fatal(t, err)
	if list := parseAnswers(t, string(data)); len(list) != 1 || list[0].Result == nil || list[0].Result.ID != id {
		t.Errorf("%s", data)
	}
}

// TestBatchWaits: a batch waits where single submissions are told to come again.
func TestBatchWaits(t *testing.T) {
	for what, limits := range map[string]Limits{
		"by key":     {PerKey: Rate{PerSecond: 1, Burst: 3}},
		"by address": {PerAddress: Rate{PerSecond: 1, Burst: 3}},
		"all places": {Submissions: 2},
	} {
		t.Run(what, func(t *testing.T) {
			f := newFixture(t, setup{limits: limits})
			var waits atomic.Int64
			f.api.service.sleep = func(ctx context.Context, d time.Duration) error {
				waits.Add(1)
				f.clock.Add(d)
				return ctx.Err()
			}
			of := f.enrol()
			busy := f.api.service.submitting
			if limits.Submissions > 0 {
				busy <- struct{}{}
				busy <- struct{}{}
				f.api.service.sleep = func(ctx context.Context, d time.Duration) error {
					if waits.Add(1) == 3 {
						<-busy
					}
					return ctx.Err()
				}
			}
			var lines strings.Builder
			for range 10 {
				line, _ := f.line(of)
				lines.WriteString(line)
			}
			list := parseAnswers(t, f.postBatch(lines.String()).body)
			if len(list) != 10 || slices.ContainsFunc(list, func(a wireAnswer) bool { return a.Result == nil }) {
				t.Errorf("%+v", list)
			}
			if waits.Load() < 3 {
				t.Errorf("it has waited %d times", waits.Load())
			}
		})
	}
}

// TestBatchesOpen: only so many batches are open at once, and single submissions keep half of the
// places.
func TestBatchesOpen(t *testing.T) {
	f := newFixture(t, setup{limits: Limits{Batches: 1, Submissions: 10}})
	f.api.service.batching <- struct{}{}
	if a := f.postBatch(""); a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") == "" {
		t.Errorf("status %d, %s", a.status, a.body)
	}
	if n := cap(f.api.service.batched); n != 5 {
		t.Errorf("batches have %d of 10 places", n)
	}
}

// TestBatchLeft: a caller that leaves in the middle loses nothing: what was taken is decided, and
// the same again has the receipts.
func TestBatchLeft(t *testing.T) {
	witness := new(testWitness)
	f := newFixture(t, setup{witness: witness})
	of := f.enrol()
	witness.silent.Store(true)
	ctx, leave := context.WithCancel(t.Context())
	r, w := io.Pipe()
	defer w.Close()
	f.open(t, ctx, r)
	var lines strings.Builder
	var ids []trial.Hash
	for range 20 {
		line, id := f.line(of)
		lines.WriteString(line)
		ids = append(ids, id)
	}
	cut := lines.Len() - 100
	if _, err := io.WriteString(w, lines.String()[:cut]); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids[:19] {
		for {
			if _, err := f.log.Receipt(t.Context(), id); errors.Is(err, logserver.ErrPending) {
				break // it has been taken
			}
			if t.Context().Err() != nil {
				t.Fatal("never taken")
			}
		}
	}
	leave()
	witness.silent.Store(false)
	list := parseAnswers(t, f.postBatch(lines.String()).body)
	for i, id := range ids {
		if list[i].Result == nil || list[i].Result.ID != id || list[i].Result.Receipt == "" {
			t.Fatalf("%d: %+v", i, list[i])
		}
	}
	seen := map[trial.Hash]bool{}
	for i := range f.log.Size() {
		raw, err := f.log.Entry(t.Context(), i)
		fatal(t, err)
		if e, err := trial.ParseEntry(raw); err == nil && e.Statement != nil {
			if seen[e.Statement.ID] {
				t.Errorf("%s is logged twice", e.Statement.ID)
			}
			seen[e.Statement.ID] = true
		}
	}
}

// TestBatchPending: while too few witnesses answer, the answer is the identity alone.
func TestBatchPending(t *testing.T) {
	witness := new(testWitness)
	f := newFixture(t, setup{witness: witness, log: func(c *logserver.Config) { c.QuorumWait = 50 * time.Millisecond }})
	p, s := trialtest.Org("acme", "Acme", "ada")
	envelope, key := trialtest.Sign(t, "registrar", p, s)
	witness.silent.Store(true)
	id := trial.StatementID(trialtest.Payload(t, p, s))
	if a := f.postBatch(body(envelope, key)); a.body != `{"result":{"id":"`+id.String()+"\"}}\n" {
		t.Error(a.body)
	}
	if _, err := f.client.NewBatcher().Submit(t.Context(), envelope, key); !errors.Is(err, client.ErrPending) {
		t.Error(err)
	}
}

// TestBatchLogStops: when the log stops, an open batch ends.
func TestBatchLogStops(t *testing.T) {
	f := newFixture(t, setup{})
	f.api.service.idle = time.Hour
	r, w := io.Pipe()
	defer w.Close()
	resp := f.open(t, t.Context(), r)
	stream, err := f.grpc.SubmitBatch(t.Context())
	fatal(t, err)
	_, err = stream.Header()
	fatal(t, err)
	f.close()
	if data, err := io.ReadAll(resp.Body); err != nil || len(data) > 0 {
		t.Errorf("%q, %v", data, err)
	}
	if _, err := stream.Recv(); err != io.EOF {
		t.Errorf("over gRPC: %v", err)
	}
}

// TestBatchBounded: a caller that takes no answers is read no further than the shares reach, and a
// large line takes several.
func TestBatchBounded(t *testing.T) {
	f := newFixture(t, setup{})
	for size, most := range map[int]int64{10: batchShares, 4 * shareBytes: batchShares / 5} {
		var reads atomic.Int64
		var stopped atomic.Bool
		sending := make(chan struct{})
		full := make(chan struct{})
		go func() {
			<-full
			close(sending)
		}()
		err := f.api.service.batch(t.Context(), batchCaller{
			next: func() (batchItem, error) {
				n := reads.Add(1)
				if n == most+1 {
					time.AfterFunc(50*time.Millisecond, func() { close(full) }) // it should not come back before
				}
				if stopped.Load() {
					return batchItem{}, io.EOF
				}
				return batchItem{size, func() ([]byte, []byte, error) { return nil, nil, malformed("odd") }}, nil
			},
			stop: func() { stopped.Store(true) },
			send: func(m *trialpb.SubmitAnswer) error {
				<-sending
				if n := reads.Load(); n > most+1 && !stopped.Load() {
					t.Errorf("%d lines of %d bytes are read, and no answer is taken", n, size)
				}
				return errors.New("the caller is gone")
			},
			flush: func() error { return nil },
		})
		if err == nil || !strings.Contains(err.Error(), "gone") {
			t.Errorf("it ended with %v", err)
		}
	}
}

// TestBatcher: many goroutines that submit at once have each their own answer, in few calls.
func TestBatcher(t *testing.T) {
	f := newFixture(t, setup{})
	of := f.enrol()
	b := f.client.NewBatcher()
	var wg sync.WaitGroup
	for i := range 300 {
		p, s := f.document(of)
		envelope, key := trialtest.Sign(t, "ada", p, s)
		id := trial.StatementID(trialtest.Payload(t, p, s))
		if i%10 == 0 {
			key = trialtest.Public("eve").SPKI()
		}
		wg.Go(func() {
			r, err := b.Submit(t.Context(), envelope, key)
			if i%10 == 0 {
				if rule := trial.RuleOf(err); rule != trial.RuleSignature {
					t.Errorf("%d: %v", i, err)
				}
			} else if err != nil || r.ID != id || r.Receipt == "" {
				t.Errorf("%d: %+v, %v", i, r, err)
			}
		})
	}
	wg.Wait()
	if a := f.get("/metrics"); strings.Contains(a.body, `route="/v1/statements",status="403"`) ||
		!strings.Contains(a.body, `route="/v1/batch",status="200"`) {
		t.Error("they were not sent as batches")
	}
	f.close()
	p, s := f.document(of)
	envelope, key := trialtest.Sign(t, "ada", p, s)
	f.http.Close()
	if _, err := b.Submit(t.Context(), envelope, key); !errors.Is(err, client.ErrUnavailable) {
		t.Errorf("without a log: %v", err)
	}
}

// FuzzLines: the lines that are read are those of the input, whatever the sizes in which it comes.
func FuzzLines(f *testing.F) {
	f.Add([]byte("a\nb\n\nccccccccccccccccc\n{}"), uint8(3))
	f.Add([]byte("\n\n"), uint8(0))
	f.Add([]byte("a\r\nbbbbbbbbbb"), uint8(10))
	f.Fuzz(func(t *testing.T, data []byte, chunk uint8) {
		const most = 10
		want := bytes.Split(data, []byte{'\n'})
		if len(want[len(want)-1]) == 0 {
			want = want[:len(want)-1]
		}
		l := &lines{r: bufio.NewReaderSize(&chunks{data, int(chunk) + 1}, 16), max: most}
		for i, w := range want {
			line, err := l.next()
			if len(w) > most && !errors.Is(err, errLongLine) || len(w) <= most && (err != nil || !bytes.Equal(line, w)) {
				t.Fatalf("line %d is %q, %v, want %q", i, line, err, w)
			}
			if len(w) > most && trial.RuleOf(err) != trial.RuleLimit {
				t.Fatal(err)
			}
		}
		for range 2 {
			if line, err := l.next(); err != io.EOF || line != nil {
				t.Fatalf("behind the last line: %q, %v", line, err)
			}
		}
		// What breaks off comes with the error.
		broken := &lines{r: bufio.NewReaderSize(io.MultiReader(bytes.NewReader(data), &failing{}), 16), max: most}
		for range bytes.Count(data, []byte{'\n'}) {
			if _, err := broken.next(); err != nil && !errors.Is(err, errLongLine) {
				t.Fatal(err)
			}
		}
		rest := data[bytes.LastIndexByte(data, '\n')+1:]
		if line, err := broken.next(); err != io.ErrClosedPipe || len(rest) <= most && !bytes.Equal(line, rest) {
			t.Fatalf("the rest %q is %q, %v", rest, line, err)
		}
	})
}

type chunks struct {
	data []byte
	n    int
}

func (c *chunks) Read(p []byte) (int, error) {
	if len(c.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.data[:min(c.n, len(c.data))])
	c.data = c.data[n:]
	return n, nil
}

type failing struct{}

func (*failing) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }
