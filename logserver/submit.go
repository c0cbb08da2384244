package logserver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/trialproof/trialproof/trial"
)

// Limits of one batch, without its state entry.
const (
	maxBatchEntries = 256
	maxBatchBytes   = 1 << 20

	fewSubmitters = 4
	moment        = time.Millisecond
)

// An Outcome is the result of a submission that was not refused.
type Outcome struct {
	ID      trial.Hash // identity of the statement
	Index   uint64
	Receipt []byte
}

// Submit checks a DSSE envelope and its signature by key (DER SPKI), gets it admitted and waits
// for its receipt. Submitting the same statement again gives the same receipt.
//
// A *trial.Refusal says which rule it breaks; nothing has been written then. ErrPending comes
// with the Outcome's ID: the statement is in the log, and Receipt returns its receipt once the
// quorum is met. After ErrNotReady and ErrClosing nothing has been decided, and after any other
// error something may have been: submit the same again, after ErrLost to the server that leads.
func (l *Log) Submit(ctx context.Context, envelope, key []byte) (Outcome, error) {
	signed, err := trial.Check(envelope, key)
	if err != nil {
		if rule := trial.RuleOf(err); rule != "" {
			l.cfg.Metrics.Refused(rule)
		}
		return Outcome{}, err
	}
	if !l.Leads() {
		return Outcome{ID: signed.ID}, ErrLost
	}
	if err := l.takes(); err != nil {
		return Outcome{ID: signed.ID}, err
	}
	sub, err := l.pool.add(signed)
	if err != nil {
		return Outcome{ID: signed.ID}, err
	}
	out := Outcome{ID: signed.ID}
	undecided := time.NewTimer(l.cfg.QuorumWait + 4*l.cfg.BatchDelay)
	defer undecided.Stop()
	select {
	case <-sub.decided:
	case <-undecided.C:
		// It stays in the pool: the same statement again joins it, or finds it in the log.
		err := fmt.Errorf("%w: the statement has not been decided yet: submit the same again", ErrNotReady)
		if why := l.takes(); why != nil {
			err = fmt.Errorf("%w; the statement has not been decided yet: submit the same again", why)
		}
		return out, err
	case <-ctx.Done():
		return out, context.Cause(ctx)
	}
	if sub.err != nil {
		return out, sub.err
	}
	out.Index = sub.index
	wait, cancel := context.WithTimeout(ctx, l.cfg.QuorumWait)
	defer cancel()
	if _, err := l.Await(wait, sub.index); err != nil {
		if ctx.Err() != nil && !errors.Is(context.Cause(ctx), ErrClosing) {
			return out, context.Cause(ctx)
		}
		return out, l.pending()
	}
	out.Receipt, err = l.receipt(ctx, sub.index, sub)
	return out, err
}

// A submission is one statement on its way to a decision. All who submit the same statement
// meanwhile share it.
type submission struct {
	signed  *trial.Signed
	decided chan struct{} // closed once the fields below are set
	index   uint64
	raw     []byte // the entry; nil if it was in the log already
	err     error
}

func (s *submission) refuse(err error) {
	s.err = err
	close(s.decided)
}

func (s *submission) admit(index uint64, raw []byte) {
	s.index, s.raw = index, raw
	close(s.decided)
}

// A pool holds submissions in their order of arrival until the sequencer takes them. The zero
// pool is open.
type pool struct {
	mu     sync.Mutex // guards the fields below
	closed error
	queue  []*submission
	held   map[trial.Hash]*submission // queued or being decided
	wake   chan struct{}              // of capacity 1: the queue is not empty

	last int // submissions of the last batch; only take uses it
}

func (p *pool) init() {
	p.held = map[trial.Hash]*submission{}
	p.wake = make(chan struct{}, 1)
}

func (p *pool) add(signed *trial.Signed) (*submission, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed != nil {
		return nil, p.closed
	}
	if s := p.held[signed.ID]; s != nil {
		return s, nil
	}
	s := &submission{signed: signed, decided: make(chan struct{})}
	p.queue = append(p.queue, s)
	p.held[signed.ID] = s
	select {
	case p.wake <- struct{}{}:
	default:
	}
	return s, nil
}

// take waits until the queue is not empty, lets it fill, and takes a batch off its front. It
// returns nil when ctx ends.
//
// An idle log takes a batch at once. If the last batch had several submitters, or one is still
// waiting for witnesses (busy), others are on their way, and waiting for them costs less than
// another batch. It then waits until none has come for a moment, and at most for delay.
func (p *pool) take(ctx context.Context, delay time.Duration, busy func() bool) []*submission {
	select {
	case <-p.wake:
	case <-ctx.Done():
		return nil
	}
	if p.last > fewSubmitters || busy() {
		p.fill(ctx, delay, busy)
	}
	if ctx.Err() != nil {
		return nil // whoever ended it closes the pool, which hands back what is in it
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	n, bytes := 0, 0
	for n < len(p.queue) && n < maxBatchEntries {
		bytes += len(p.queue[n].signed.Envelope.Payload)
		if n > 0 && bytes > maxBatchBytes {
			break
		}
		n++
	}
	batch := p.queue[:n:n]
	p.last = n
	p.queue = p.queue[n:]
	if len(p.queue) > 0 {
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}
	return batch
}

// fill returns when the queue holds a whole batch, when delay has passed, or when
// nothing is busy and nobody has come within a moment.
func (p *pool) fill(ctx context.Context, delay time.Duration, busy func() bool) {
	tick := time.NewTicker(moment)
	defer tick.Stop()
	end := time.NewTimer(delay)
	defer end.Stop()
	for n := p.len(); n < maxBatchEntries; {
		select {
		case <-tick.C:
		case <-end.C:
			return
		case <-ctx.Done():
			return
		}
		m := p.len()
		if m == n && !busy() {
			return
		}
		n = m
	}
}

func (p *pool) len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.queue)
}

// release forgets submissions whose outcome is in the journal by now.
func (p *pool) release(batch []*submission) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range batch {
		delete(p.held, s.signed.ID)
	}
}

func (p *pool) holds(id trial.Hash) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held[id] != nil
}

// open takes submissions, unless the log is closing.
func (p *pool) open() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed != ErrClosing {
		p.closed = nil
	}
}

// close hands back everything that has not been taken, and everything that comes later.
func (p *pool) close(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed != ErrClosing {
		p.closed = err
	}
	for _, s := range p.queue {
		delete(p.held, s.signed.ID)
		s.refuse(p.closed)
	}
	p.queue = nil
}
