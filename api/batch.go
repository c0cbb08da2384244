package api

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/trialproof/trialproof/api/trialpb"
	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
)

// What one batch may hold: its statements in flight and their answers, in shares of memory. When
// all are held, nothing more is read until the caller has taken an answer.
const (
	batchShares = 1024
	shareBytes  = 16 << 10
)

// A batchItem is one statement of a batch as it came. open returns its envelope and key; it runs
// beside others.
type batchItem struct {
	size int
	open func() (envelope, key []byte, err error)
}

// A batchAnswer is the place of one answer in the order of answers.
type batchAnswer struct {
	shares int
	ready  chan batchOutcome // of capacity 1
}

type batchOutcome struct {
	message *trialpb.SubmitAnswer
	failed  error // what the message does not tell, for the operator
}

// A batchCaller is the caller of a batch, over HTTP or gRPC.
type batchCaller struct {
	next  func() (batchItem, error) // io.EOF is the end; only one goroutine calls it
	stop  func()                    // makes next return, now and later; any goroutine may call it
	send  func(*trialpb.SubmitAnswer) error
	flush func() error // sends what send has written; the first call opens the answer
}

// batch submits a caller's statements as submit does, and sends each answer once, in the order of
// the statements, when it and those before it are there. Where submit refuses because of a rate or
// of how many are waiting, a batch waits: it reads no further than it may.
//
// It ends when the caller has sent all and been answered, when nothing has come for as long as
// one request may take, or when the log stops. If ctx ends, statements that were taken stay in the
// pool, as with submit.
func (s *service) batch(ctx context.Context, caller batchCaller) error {
	select {
	case s.batching <- struct{}{}:
		defer func() { <-s.batching }()
	default:
		return tooMany("too many batches are open: try again later", retryNotReady)
	}
	ctx, cancel := context.WithCancel(ctx)
	stopped := make(chan struct{})
	go func() { // no log grows so large: this waits until the log stops or ctx ends
		defer close(stopped)
		s.log.Await(ctx, math.MaxUint64)
		if ctx.Err() == nil {
			caller.stop()
		}
	}()
	shares := make(chan struct{}, batchShares)
	queue := make(chan *batchAnswer, batchShares)
	go s.readBatch(ctx, caller, shares, queue)
	err := caller.flush()
	flush := func() { // so that the caller has what there is while it waits for more
		if err == nil {
			err = caller.flush()
		}
	}
	var failed error
	for {
		a, ok := received(queue, flush)
		if !ok {
			break
		}
		out, _ := received(a.ready, flush)
		if failed == nil {
			failed = out.failed
		}
		if err == nil {
			err = caller.send(out.message)
		}
		if err != nil { // nobody reads the answers: those behind are given up, and the queue ends
			cancel()
			caller.stop()
		}
		for range a.shares {
			<-shares
		}
	}
	flush()
	cancel()
	<-stopped
	return errors.Join(err, failed)
}

// received receives from a channel, and calls wait first if it must wait.
func received[T any](c <-chan T, wait func()) (T, bool) {
	select {
	case v, ok := <-c:
		return v, ok
	default:
	}
	wait()
	v, ok := <-c
	return v, ok
}

// readBatch reads a caller's statements and has them submitted, each with a place in the queue,
// which it closes at the end.
func (s *service) readBatch(ctx context.Context, caller batchCaller, shares chan struct{}, queue chan *batchAnswer) {
	defer close(queue)
	idle := time.AfterFunc(s.idle, caller.stop)
	defer idle.Stop()
	turn := make(chan struct{}, 1)
	for {
		idle.Reset(s.idle)
		item, err := caller.next()
		idle.Stop()
		if err != nil {
			return
		}
		for wait := s.perAddress.take(callOf(ctx).addr); wait > 0; wait = s.perAddress.take(callOf(ctx).addr) {
			if s.sleep(ctx, wait) != nil {
				return
			}
		}
		a := &batchAnswer{shares: 1 + item.size/shareBytes, ready: make(chan batchOutcome, 1)}
		for range a.shares {
			select {
			case shares <- struct{}{}:
			case <-ctx.Done():
				return
			}
		}
		queue <- a // has room: it holds at most one answer for each share
		go func() { a.ready <- s.batchOne(ctx, item, turn) }()
	}
}

// batchOne submits one statement of a batch and returns the answer.
func (s *service) batchOne(ctx context.Context, item batchItem, turn chan struct{}) (out batchOutcome) {
	defer func() {
		if v := recover(); v != nil { // the others go on
			out = s.batchFailure(ctx, panicError(v))
		}
	}()
	envelope, key, err := item.open()
	if err != nil {
		s.metrics.Refused(trial.RuleOf(err))
		return s.batchFailure(ctx, err)
	}
	r, err := s.submitPatiently(ctx, envelope, key, turn)
	if err != nil {
		return s.batchFailure(ctx, err)
	}
	return batchOutcome{message: &trialpb.SubmitAnswer{Answer: &trialpb.SubmitAnswer_Result{Result: r}}}
}

// submitPatiently is submit for a batch, whose statements wait where others are told to come
// again. All batches together leave half of the places to single submissions.
func (s *service) submitPatiently(ctx context.Context, envelope, key []byte, turn chan struct{}) (*trialpb.Receipt, error) {
	select {
	case s.batched <- struct{}{}:
		defer func() { <-s.batched }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for {
		r, err := s.submit(ctx, envelope, key)
		p, ok := errors.AsType[*problem](err)
		if !ok || p != tooManyWaiting && p.code != codes.ResourceExhausted {
			return r, err
		}
		select { // one at a time, so that they do not all come again at once
		case turn <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		wait := p.retry
		if p == tooManyWaiting {
			wait = batchPause
		}
		err = s.sleep(ctx, wait)
		<-turn
		if err != nil {
			return nil, err
		}
	}
}

// batchPause is how long a batch waits when all places are taken.
const batchPause = 20 * time.Millisecond

// sleep waits, or returns why ctx has ended.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *service) batchFailure(ctx context.Context, err error) batchOutcome {
	p := s.problem(ctx, err)
	out := batchOutcome{message: &trialpb.SubmitAnswer{Answer: &trialpb.SubmitAnswer_Error{Error: p.proto()}}}
	if p.code == codes.Internal || errors.Is(err, logserver.ErrStore) {
		out.failed = err
	}
	return out
}

// SubmitBatch implements trialpb.LogServer.
func (s *service) SubmitBatch(stream grpc.BidiStreamingServer[trialpb.SubmitRequest, trialpb.SubmitAnswer]) error {
	type received struct {
		req *trialpb.SubmitRequest
		err error
	}
	stopped, end := context.WithCancel(stream.Context())
	defer end()
	requests := make(chan received)
	go func() {
		for {
			req, err := stream.Recv() // ends at the latest when this method has returned
			select {
			case requests <- received{req, err}:
			case <-stopped.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return s.batch(stream.Context(), batchCaller{
		next: func() (batchItem, error) {
			select {
			case r := <-requests:
				if r.err != nil {
					return batchItem{}, r.err
				}
				size := len(r.req.GetEnvelope().GetPayload()) + len(r.req.GetKey())
				return batchItem{size, func() ([]byte, []byte, error) { return fromSubmit(r.req) }}, nil
			case <-stopped.Done():
				return batchItem{}, io.EOF
			}
		},
		stop:  end,
		send:  stream.Send,
		flush: func() error { return nil },
	})
}

const batchPath = "/v1/batch"

var batchMethod = trialpb.Log_SubmitBatch_FullMethodName

// batch serves SubmitBatch as lines of JSON. A line of the request is what /v1/statements takes.
// A line of the answer is {"result":{...}}, the receipt or the id alone, or {"error":{...}}.
func (s *Server) batch(w http.ResponseWriter, r *http.Request) {
	// A page elsewhere can make a browser send other types without asking.
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/x-ndjson" {
		p := badRequest("the content type of a batch is application/x-ndjson")
		p.status = http.StatusUnsupportedMediaType
		s.fail(w, r, p)
		return
	}
	if err := checkQuery(r, nil); err != nil {
		s.fail(w, r, err)
		return
	}
	// The server's limits of time are for a whole request. Here each line must come, and each
	// answer be taken, within the same time.
	rc := http.NewResponseController(w)
	rc.EnableFullDuplex() // an error says that it needs no enabling, as with HTTP/2
	rc.SetReadDeadline(time.Time{})
	lines := newLines(r.Body, maxBody)
	var stopped atomic.Bool
	// Package http takes the end of the time for reading for the caller's leaving.
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	defer cancel()
	defer context.AfterFunc(r.Context(), func() {
		if !stopped.Load() {
			cancel()
		}
	})()
	started := false
	var unsent error
	err := s.service.batch(ctx, batchCaller{
		next: func() (batchItem, error) {
			line, err := lines.next()
			switch {
			case err == nil:
				return batchItem{len(line), func() ([]byte, []byte, error) { return parseLine(line) }}, nil
			case errors.Is(err, errLongLine):
				return batchItem{open: func() ([]byte, []byte, error) { return nil, nil, err }}, nil
			case len(line) > 0:
				why := malformed("request: the batch breaks off in this line")
				if stopped.Load() {
					why = unavailable("the line did not come in time: send it again")
				}
				return batchItem{open: func() ([]byte, []byte, error) { return nil, nil, why }}, nil
			}
			return batchItem{}, err
		},
		stop: func() {
			stopped.Store(true)
			rc.SetReadDeadline(time.Unix(1, 0))
		},
		send: func(m *trialpb.SubmitAnswer) error {
			data, err := marshalAnswer(m)
			if err != nil {
				return err
			}
			rc.SetWriteDeadline(time.Now().Add(requestTimeout))
			_, unsent = w.Write(append(data, '\n'))
			return unsent
		},
		flush: func() error {
			if !started {
				started = true
				w.Header().Set("Content-Type", "application/x-ndjson")
				w.Header().Set("Cache-Control", "no-store")
				w.WriteHeader(http.StatusOK)
			}
			rc.SetWriteDeadline(time.Now().Add(requestTimeout))
			unsent = rc.Flush()
			return unsent
		},
	})
	if !started {
		s.fail(w, r, err)
		return
	}
	if err != nil {
		c := callOf(r.Context())
		c.err, c.failed = err, unsent == nil
	}
}

// marshalAnswer returns what marshal does. It writes receipts, of which a batch has many, itself.
func marshalAnswer(m *trialpb.SubmitAnswer) ([]byte, error) {
	r := m.GetResult()
	if r == nil || r.Receipt == nil || r.Index == nil || !utf8.ValidString(*r.Receipt) {
		return marshal(m)
	}
	b := make([]byte, 0, len(*r.Receipt)+len(*r.Receipt)/16+200)
	b = fmt.Appendf(b, `{"result":{"id":"%s","index":"%d","receipt":"`, r.Id, *r.Index)
	for i := range len(*r.Receipt) {
		switch c := (*r.Receipt)[i]; {
		case c == '\n':
			b = append(b, '\\', 'n')
		case c < ' ' || c == '"' || c == '\\' || c == 0x7f:
			return marshal(m) // a receipt has none of these
		default:
			b = append(b, c)
		}
	}
	return append(b, "\"}}"...), nil
}

// lines reads lines of at most max bytes.
type lines struct {
	r   *bufio.Reader
	max int
	end error // why there is nothing more
}

func newLines(r io.Reader, max int) *lines {
	return &lines{r: bufio.NewReaderSize(r, 32<<10), max: max}
}

// errLongLine is wrapped by the error for a line that is too long. It was skipped.
var errLongLine = errors.New("too long")

// longLine is a refusal that is told from the end of the lines.
type longLine struct{ *trial.Refusal }

func (longLine) Is(target error) bool { return target == errLongLine }
func (l longLine) Unwrap() error      { return l.Refusal }

// next returns the next line without its line feed, in memory of its own. The last line need not
// end with one. io.EOF comes with no line. Any other error but errLongLine comes with the part of
// a line that could be read, and after it come no more lines.
func (l *lines) next() ([]byte, error) {
	if l.end != nil {
		return nil, l.end
	}
	var line []byte
	read, long := false, false
	for {
		part, err := l.r.ReadSlice('\n')
		whole := err == nil
		read = read || len(part) > 0
		part = bytes.TrimSuffix(part, []byte{'\n'})
		if long = long || len(line)+len(part) > l.max; long {
			line = nil
		} else {
			line = append(line, part...)
		}
		if !whole && err != bufio.ErrBufferFull {
			l.end = err
		}
		switch {
		case whole || l.end == io.EOF && read:
			if long {
				return nil, longLine{&trial.Refusal{Rule: trial.RuleLimit, Detail: fmt.Sprintf("the line has more than %d bytes", l.max)}}
			}
			return line, nil
		case l.end != nil:
			return line, l.end
		}
	}
}

// parseLine returns the envelope and the key of a line. Every error is a refusal.
func parseLine(line []byte) (envelope, key []byte, err error) {
	switch {
	case len(bytes.TrimSpace(line)) == 0:
		return nil, nil, malformed("request: the line is empty")
	case !utf8.Valid(line):
		return nil, nil, malformed("request: the line is not UTF-8")
	}
	return parseStatement(line)
}
