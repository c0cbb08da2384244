package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/trialproof/trialproof/trial"
)

// A Batcher submits statements of many goroutines together. What they submit while its calls are
// under way makes up the next call. Each call is of bounded length, so that it passes through any
// proxy, and its answers are read as they come.
type Batcher struct {
	c *Client

	mu      sync.Mutex // guards the fields below
	waiting []*batched
	calls   int
}

const (
	batchCalls = 4
	batchLines = 256
	batchBytes = 4 << 20 // of one call, or one statement more
)

// NewBatcher returns a Batcher of the client's log.
func (c *Client) NewBatcher() *Batcher { return &Batcher{c: c} }

// A batched is one statement on its way.
type batched struct {
	ctx  context.Context
	line []byte
	done chan struct{} // closed once the fields below are set
	res  Result
	err  error
}

func (b *batched) end(res Result, err error) {
	b.res, b.err = res, err
	close(b.done)
}

// Submit does what the client's Submit does.
func (b *Batcher) Submit(ctx context.Context, envelope, key []byte) (Result, error) {
	line := make([]byte, 0, len(envelope)+len(key)*4/3+64)
	line = append(append(line, `{"envelope":`...), envelope...)
	line = append(base64.StdEncoding.AppendEncode(append(line, `,"key":"`...), key), "\"}\n"...)
	if bytes.Count(line, []byte{'\n'}) != 1 { // it is no canonical envelope: the log says what is wrong with it
		return b.c.Submit(ctx, envelope, key)
	}
	x := &batched{ctx: ctx, line: line, done: make(chan struct{})}
	b.mu.Lock()
	b.waiting = append(b.waiting, x)
	b.start()
	b.mu.Unlock()
	select {
	case <-x.done:
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
	if errors.Is(x.err, errNotReady) || errors.Is(x.err, errEarly) {
		return b.c.Submit(ctx, envelope, key) // which tries again for a while
	}
	return x.res, x.err
}

// start makes calls of what is waiting. b.mu is held.
func (b *Batcher) start() {
	for b.calls < batchCalls && len(b.waiting) > 0 {
		n, size := 0, 0
		for n < len(b.waiting) && n < batchLines && size < batchBytes {
			size += len(b.waiting[n].line)
			n++
		}
		list := b.waiting[:n:n]
		b.waiting = b.waiting[n:]
		b.calls++
		go func() {
			b.c.batch(list)
			b.mu.Lock()
			defer b.mu.Unlock()
			b.calls--
			b.start()
		}()
	}
}

// errEarly says that a call ended before a statement was answered.
var errEarly = fmt.Errorf("%w: the batch ended early", ErrUnavailable)

// batch makes one call and gives each statement its answer.
func (c *Client) batch(list []*batched) {
	rest := list
	err := c.call(list, func(res Result, err error) bool {
		if len(rest) == 0 {
			return false
		}
		rest[0].end(res, err)
		rest = rest[1:]
		return true
	})
	if err == nil {
		err = errEarly
	}
	for _, x := range rest {
		x.end(Result{}, err)
	}
}

// call sends the statements whose submitters are still there and passes on the answers, in order.
// answer returns false if there are too many.
func (c *Client) call(list []*batched, answer func(Result, error) bool) error {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	var body bytes.Buffer
	for _, x := range list {
		body.Write(x.line)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/v1/batch", &body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	// Each answer, rather than the whole call, must come within the time for one.
	late := time.AfterFunc(wait, func() { cancel(errors.New("no answer came for a minute")) })
	defer late.Stop()
	client := http.Client{Transport: c.http.Transport, CheckRedirect: noRedirects}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		data, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
		if err != nil {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		return problem(resp.StatusCode, data)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		late.Reset(wait)
		res, err, ok := parseAnswer(lines.Bytes())
		if !ok || !answer(res, err) {
			return errors.New("the log's answer to a batch is not in the form of one")
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, errors.Join(context.Cause(ctx), err))
	}
	return nil
}

// maxLine bounds one line of a batch's answer, in bytes: a receipt as JSON.
const maxLine = 4 << 20

// parseAnswer returns one answer of a batch; ok is false if it is none.
func parseAnswer(line []byte) (res Result, err error, ok bool) {
	if res, ok := parseResult(string(line)); ok {
		return res, nil, true
	}
	var a struct {
		Result *Result
		Error  json.RawMessage
	}
	switch json.Unmarshal(line, &a); {
	case a.Result != nil && a.Error == nil && a.Result.Receipt == "":
		return *a.Result, ErrPending, true
	case a.Result != nil && a.Error == nil:
		return *a.Result, nil, true
	case a.Result == nil && a.Error != nil:
		var p struct{ Code string }
		json.Unmarshal(a.Error, &p)
		return Result{}, problem(statusOf[p.Code], a.Error), true
	}
	return Result{}, nil, false
}

// parseResult reads a receipt as the log writes it, in one pass; ok is false where it is written otherwise.
func parseResult(line string) (res Result, ok bool) {
	rest, ok1 := strings.CutPrefix(line, `{"result":{"id":"`)
	id, rest, ok2 := strings.Cut(rest, `","index":"`)
	index, rest, ok3 := strings.Cut(rest, `","receipt":"`)
	text, ok4 := strings.CutSuffix(rest, `"}}`)
	if !ok1 || !ok2 || !ok3 || !ok4 || text == "" || !utf8.ValidString(text) {
		return res, false
	}
	var b strings.Builder
	b.Grow(len(text))
	for {
		part, behind, more := strings.Cut(text, `\n`)
		for i := range len(part) {
			if c := part[i]; c < ' ' || c == '"' || c == '\\' {
				return res, false
			}
		}
		b.WriteString(part)
		if !more {
			break
		}
		b.WriteByte('\n')
		text = behind
	}
	var err, ierr error
	res.ID, err = trial.ParseHash(id)
	res.Index, ierr = strconv.ParseUint(index, 10, 64)
	res.Receipt = b.String()
	return res, err == nil && ierr == nil && strconv.FormatUint(res.Index, 10) == index
}

// statusOf gives the problems of a batch, which have no status, the one of the same problem alone.
var statusOf = map[string]int{
	"NOT_FOUND": http.StatusNotFound, "UNAVAILABLE": http.StatusServiceUnavailable, "RESOURCE_EXHAUSTED": http.StatusTooManyRequests,
	"INTERNAL": http.StatusInternalServerError, "DEADLINE_EXCEEDED": http.StatusGatewayTimeout, "CANCELLED": http.StatusServiceUnavailable,
}
