package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"
)

// A network carries messages between processes: late, in another order than they were sent,
// twice, or not at all.
type network struct {
	w *world

	mu    sync.Mutex // guards the fields below
	hosts map[string]*host
	cuts  map[string]bool // "from to"
}

// A host is an address, and what serves there now.
type host struct {
	p       *process // nil: nothing
	handler http.Handler
}

func newNetwork(w *world) *network {
	return &network{w: w, hosts: map[string]*host{}, cuts: map[string]bool{}}
}

// listen has a process serve an address.
func (n *network) listen(addr string, p *process, h http.Handler) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[addr] = &host{p, h}
}

func (n *network) at(addr string) (*process, http.Handler) {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.hosts[addr]
	if h == nil || h.p.gone() {
		return nil, nil
	}
	return h.p, h.handler
}

// cut cuts one address off another, or connects them again.
func (n *network) cut(from, to string, cut bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cuts[from+" "+to] = cut
}

func (n *network) isCut(from, to string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.cuts[from+" "+to]
}

// A sender is a process with its address. It is an http.RoundTripper.
type sender struct {
	n    *network
	p    *process
	addr string
}

func (s sender) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
		req.Body.Close()
	}
	what := fmt.Sprintf("%s %s %s", req.Method, req.URL.Path, brief(body))
	rec, err := ask(req.Context(), s, req.URL.Host, what, func(ctx context.Context, h http.Handler) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(ctx, req.Method, cmp.Or(req.URL.Path, "/"), bytes.NewReader(body))
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		return rec
	})
	if err != nil {
		return nil, err
	}
	resp := rec.Result()
	resp.Request = req
	return resp, nil
}

// ask sends a message and waits for the answer. What serve returns is never used by two.
func ask[T any](ctx context.Context, s sender, to, what string, serve func(context.Context, http.Handler) T) (answer T, err error) {
	w := s.n.w
	key := fmt.Sprintf("%s -> %s %s [%s]", s.p.name, to, what, callerOf(ctx))
	if err := s.p.running(ctx, key); err != nil {
		return answer, err
	}
	r := w.draw(key)
	there, back, again := w.delay(r), w.delay(r), w.delay(r)
	lost, unanswered, doubled := w.chance(r, w.plan.msgLost/2), w.chance(r, w.plan.msgLost/2), w.chance(r, w.plan.msgDoubled)
	sent := w.now()
	w.event("%s", key)
	answers := make(chan result[T], 1)
	deliver := func(copy int, after time.Duration) {
		w.sleep(after)
		p, h := s.n.at(to)
		if s.n.isCut(s.addr, to) {
			return // nobody hears of it
		}
		if h == nil {
			if copy == 0 {
				w.sleep(back)
				answers <- result[T]{err: errCut}
			}
			return
		}
		// The server notices if the client leaves, but not at once, and not if it is a copy.
		serving, end := context.WithCancel(caller(context.Background(), fmt.Sprintf("%s at %d, copy %d", key, sent, copy)))
		defer end()
		if copy == 0 {
			defer context.AfterFunc(ctx, func() { w.sleep(back); end() })()
		}
		if p.running(serving, "") != nil {
			return
		}
		a := serve(serving, h)
		if p.running(serving, "") != nil {
			return
		}
		w.event("%s answers copy %d of %s at %d", p.name, copy, key, sent)
		if copy > 0 {
			return // the client no longer listens
		}
		w.sleep(back)
		if !unanswered && !s.n.isCut(to, s.addr) {
			answers <- result[T]{v: a}
		}
	}
	if lost {
		w.count("messages lost")
	} else {
		go deliver(0, there)
	}
	if unanswered {
		w.count("answers lost")
	}
	if doubled {
		w.count("messages doubled")
		go deliver(1, again)
	}
	select {
	case res := <-answers:
		answer, err = res.v, res.err
	case <-ctx.Done():
		err = ctx.Err()
	case <-s.p.died:
		err = errDead
	}
	if err == nil {
		err = s.p.running(ctx, key)
	}
	if err != nil {
		var none T
		return none, err
	}
	return answer, nil
}
