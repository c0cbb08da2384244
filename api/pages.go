package api

import (
	"container/list"
	"context"
	"net/http"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/trialproof/trialproof/api/trialpb"
	"github.com/trialproof/trialproof/trial"
)

// Bounds on histories: bytes of pages that are kept, pages that are computed at the same time,
// and answers that are being sent at the same time. A page has about 1 MiB of entries, so
// readers of histories, however slow, use some 200 MiB at most.
const (
	maxKeptPages = 32 << 20
	maxPagesMade = 8
	maxAnswers   = 64
)

// A pageKey names a page of a history. If it names the tree's size, the page is the same for
// ever.
type pageKey struct {
	record     trial.RecordKey
	size, from uint64
}

// pages shares pages of histories between readers: readers that ask for the same page wait for
// it together, and the last used pages are kept.
type pages struct {
	making chan struct{}

	mu    sync.Mutex // guards the fields below
	known map[pageKey]*keptPage
	used  *list.List // of *keptPage, the one used last in front
	bytes int
}

type keptPage struct {
	key   pageKey
	place *list.Element
	bytes int
	done  chan struct{} // closed once the page is there or has failed
	msg   *trialpb.History
	err   error
}

func newPages() *pages {
	return &pages{making: make(chan struct{}, maxPagesMade), known: map[pageKey]*keptPage{}, used: list.New()}
}

// get returns a page, made by f unless it is there. A page of the newest tree is never another
// reader's: what was logged before it was asked for must be in it.
func (c *pages) get(ctx context.Context, key pageKey, f func() (*trialpb.History, error)) (*trialpb.History, error) {
	if key.size == 0 {
		return c.make(ctx, f)
	}
	c.mu.Lock()
	p := c.known[key]
	if p != nil {
		c.used.MoveToFront(p.place)
		c.mu.Unlock()
		select {
		case <-p.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if p.err == nil {
			return p.msg, nil
		}
		return c.make(ctx, f) // perhaps only the other reader has left
	}
	p = &keptPage{key: key, done: make(chan struct{})}
	p.place = c.used.PushFront(p)
	c.known[key] = p
	c.mu.Unlock()

	p.msg, p.err = c.make(ctx, f)
	c.mu.Lock()
	if p.err != nil {
		c.drop(p)
	} else if c.known[key] == p {
		p.bytes = proto.Size(p.msg)
		c.bytes += p.bytes
		for c.bytes > maxKeptPages && c.used.Len() > 1 {
			c.drop(c.used.Back().Value.(*keptPage))
		}
	}
	c.mu.Unlock()
	close(p.done)
	return p.msg, p.err
}

// drop forgets a page. The caller holds mu.
func (c *pages) drop(p *keptPage) {
	if c.known[p.key] == p {
		delete(c.known, p.key)
		c.used.Remove(p.place)
		c.bytes -= p.bytes
	}
}

// make calls f while fewer than maxPagesMade other calls of f are running.
func (c *pages) make(ctx context.Context, f func() (*trialpb.History, error)) (*trialpb.History, error) {
	select {
	case c.making <- struct{}{}:
		defer func() { <-c.making }()
		return f()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// bounded serves at most n requests at the same time, from the first byte read to the last byte
// written. Others are asked to come again in a second.
func (s *Server) bounded(n int, h http.Handler) http.Handler {
	slots := make(chan struct{}, n)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
			h.ServeHTTP(w, r)
		default:
			p := unavailable("too many ask for this at the same time: ask again")
			p.retry = time.Second
			s.fail(w, r, p)
		}
	})
}
