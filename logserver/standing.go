package logserver

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// A Standing says what a server is among those over one journal.
type Standing struct {
	Replica bool   // there may be others
	Leads   bool   // this server does
	Leader  string // where the leader is reached; "" if none is known
	Epoch   uint64 // of the leader
	// Age is how long ago the journal last said what is published and who leads.
	Age time.Duration
}

// standing is what a replica knows of itself and the others.
type standing struct {
	mu    sync.Mutex // guards the fields below
	leads bool
	lease Lease
	since time.Time               // when the lease last changed
	heard time.Time               // when the journal last answered
	err   error                   // why it did not, or why what it said is not served
	end   context.CancelCauseFunc // ends the present term; nil while following
	rest  time.Time               // until then it lets others lead
	hurry chan struct{}           // of capacity 1: look at once; it is not guarded
}

// Standing returns what this server is among the others.
func (l *Log) Standing() Standing {
	s := &l.standing
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.cfg.Replica == nil {
		return Standing{Leads: true, Epoch: l.epoch}
	}
	st := Standing{Replica: true, Leads: s.leads, Epoch: s.lease.Epoch, Age: time.Since(s.heard)}
	switch {
	case s.leads:
		st.Leader = l.cfg.Replica.URL
	case s.alive(l):
		st.Leader = s.lease.Holder
	}
	return st
}

// alive reports whether the leader has been heard of lately. The caller holds mu.
func (s *standing) alive(l *Log) bool {
	return !s.lease.Freed && !s.since.IsZero() && time.Since(s.since) <= l.cfg.Replica.Lease
}

// Leads reports whether this server leads.
func (l *Log) Leads() bool {
	if l.cfg.Replica == nil {
		return true
	}
	l.standing.mu.Lock()
	defer l.standing.mu.Unlock()
	return l.standing.leads
}

// Stale returns why nothing is read from this server, or nil: it has not heard from the journal
// for so long that what it has may be old.
func (l *Log) Stale() error {
	if l.cfg.Replica == nil {
		return nil
	}
	s := &l.standing
	s.mu.Lock()
	defer s.mu.Unlock()
	age := time.Since(s.heard)
	if age < staleLeases*l.cfg.Replica.Lease {
		return nil
	}
	err := fmt.Errorf("%w: this server has learned nothing new for %s and does not show what may be old", ErrNotReady, age.Round(time.Second))
	if s.err != nil {
		err = fmt.Errorf("%w: %w", err, s.err)
	}
	return err
}

// ready returns why a replica neither leads nor can pass on what it is sent.
func (s *standing) ready(l *Log) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.err != nil && time.Since(s.heard) > stuckAfter:
		return fmt.Errorf("%w: this replica has heard nothing for %s: %w", ErrNotReady, time.Since(s.heard).Round(time.Second), s.err)
	case s.leads || s.alive(l):
		return nil
	}
	return fmt.Errorf("%w: no server leads; one takes over within seconds", ErrNotReady)
}

// lose ends the present term.
func (s *standing) lose(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leads = false
	if s.end != nil {
		s.end(err)
	}
}

// saw records what the journal said of the lease, or why it said nothing.
func (s *standing) saw(l *Log, lease Lease, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.err = err
	if err != nil {
		return
	}
	// While the journal was out of reach nobody could be heard: that is not the leader's silence.
	if deaf := now.Sub(s.heard) > l.cfg.Replica.Lease/2; deaf || !lease.same(s.lease) {
		s.since = now
	}
	s.heard = now
	s.lease = lease
}

// vacant returns the lease if it is time to take it.
func (s *standing) vacant(l *Log) (Lease, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || time.Now().Before(s.rest) {
		return Lease{}, false
	}
	return s.lease, s.lease.Freed || time.Since(s.since) > l.cfg.Replica.Lease
}

// begin begins a term, in which the server leads once it has taken over.
func (s *standing) begin(end context.CancelCauseFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end = end
}

// lead says that the server leads from now on, unless the term has been lost meanwhile.
func (s *standing) lead(term context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leads = term.Err() == nil
}
