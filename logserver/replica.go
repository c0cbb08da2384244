package logserver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/trialproof/trialproof/trial/checkpoint"
)

// Several servers may stand over one journal, tree and tile store. One leads: it alone decides,
// appends and signs. The others follow: they read what is published, replay it by the rules, serve
// it, and take over when they have heard nothing of the leader for as long as a lease lasts.
//
// Nothing relies on there being one leader at a time. A leader that was paused, or cut off, may
// believe in itself for as long as it likes, because
//
//   - Decide compares and swaps the epoch and the size in one transaction: an earlier epoch
//     decides nothing more, so what stands at an index is fixed once, whoever carries it out;
//   - everything after that (append, tiles) writes bytes that were decided, and writing them twice
//     changes nothing;
//   - Sign compares and swaps the epoch too, and the checkpoint follows from the bytes: no two
//     servers can sign different roots of one size;
//   - Publish keeps the first cosigned checkpoint of a size.
//
// What it must not do is to hold others up: a database frees the locks of a transaction whose
// server says nothing more (package engine asks MariaDB for that).
//
// So the lease only says who should try. It is measured by each follower's own clock, as the time
// for which the leader's beat has not changed: no two clocks are compared.

// A Replica is one of several servers over one journal.
type Replica struct {
	// URL is where the other servers reach this one.
	URL string
	// Lease is how long a leader may be silent before another server takes over; 0 means 3 s.
	// All servers of a log have the same.
	Lease time.Duration
}

// Times, as parts of a lease or as so many leases.
const (
	beatsPerLease = 6
	looksPerLease = 30

	// staleLeases is how long a server may have heard nothing from the journal before it refuses
	// reads: what it would serve may be old.
	staleLeases = 3
	// resignLeases is how long a leader may be unable to accept statements, for a reason that is
	// perhaps its own, before it lets another server try, and restLeases for how long it does.
	resignLeases = 1
	restLeases   = 3
)

// copyEvery is how often a replica that follows writes the copy of the checkpoint at most.
const copyEvery = time.Second

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

// alone makes sure that no replica leads, before somebody who knows nothing of others claims the
// journal, or compares what they write.
func (l *Log) alone(ctx context.Context) error {
	first, err := l.journal.Lease(ctx)
	if err != nil || first.Holder == "" || first.Freed {
		return err
	}
	wait := Config{Replica: new(Replica)}
	wait.setDefaults()
	for end := time.Now().Add(wait.Replica.Lease); time.Now().Before(end); {
		if err := sleep(ctx, wait.Replica.Lease/beatsPerLease); err != nil {
			return err
		}
		if now, err := l.journal.Lease(ctx); err != nil {
			return err
		} else if !now.same(first) {
			return fmt.Errorf("a replica at %s leads this log: stop all of its servers first, or serve as a replica too", now.Holder)
		}
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run leads, or follows and leads in turn, until take ends or the log stops.
func (l *Log) run(take context.Context) {
	defer l.pool.close(ErrClosing)
	if l.cfg.Replica == nil {
		l.lead(take)
		return
	}
	for take.Err() == nil && l.Err() == nil {
		if epoch, ok := l.follow(take); ok {
			l.epoch = epoch
			l.lead(take)
		}
	}
}

// lead leads under l.epoch until the term ends or the log stops. If it is take that ends, it
// returns sooner: what is decided still gets cosigned until the log's work ends.
func (l *Log) lead(take context.Context) {
	term, end := context.WithCancelCause(l.work)
	l.standing.begin(end)
	l.mu.Lock()
	l.recent = nil // an earlier leader may yet publish what it has signed
	l.mu.Unlock()
	var working sync.WaitGroup
	work := func(f func()) { working.Add(1); l.done.Go(func() { defer working.Done(); f() }) }
	if l.cfg.Replica != nil {
		l.ready.Store(false) // the witnesses are asked again: others have led since
		work(func() { l.beat(term) })
		if err := l.takeOver(term); err != nil {
			l.giveUp(err)
			working.Wait()
			return
		}
		l.log.Info("this server leads", "epoch", l.epoch, "size", l.signedSize())
	}
	l.cosigner = newCosigner(l)
	work(func() { l.cosigner.run(term) })
	work(func() { l.clock.watch(term, l) })
	l.pool.open()
	l.standing.lead(term)
	l.sequencer.run(take, term)
	if take.Err() != nil || l.Err() != nil {
		return
	}
	l.pool.close(ErrLost)
	working.Wait()
	l.cosigner = nil
	l.log.Warn("this server no longer leads", "epoch", l.epoch, "why", context.Cause(term))
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

// giveUp ends a term in which the server could not take over.
func (l *Log) giveUp(err error) {
	if errors.Is(err, ErrLost) || errors.Is(err, ErrClosing) || l.work.Err() != nil {
		l.standing.lose(err)
		return
	}
	if final(err) {
		l.fail(err)
		l.standing.lose(err)
		return
	}
	l.log.Error("this server could not take over", "epoch", l.epoch, "error", err)
	l.resignFor(err)
}

// final reports whether an error says that what is stored is not what the log signed: no later
// attempt, and no other server, can change that.
func final(err error) bool {
	return errors.Is(err, ErrTreeConflict) || errors.Is(err, errRoot) || errors.Is(err, ErrRolledBack) || errors.Is(err, errReplay)
}

// resignFor lets other servers lead, and this one not for some leases.
func (l *Log) resignFor(err error) {
	l.standing.mu.Lock()
	l.standing.rest = time.Now().Add(restLeases * l.cfg.Replica.Lease)
	l.standing.mu.Unlock()
	ctx, cancel := context.WithTimeout(l.work, l.cfg.Replica.Lease)
	defer cancel()
	if ferr := l.journal.Free(ctx, l.epoch); ferr != nil {
		l.log.Warn("the lead was not given up: another server takes it when it has waited", "error", ferr)
	}
	l.standing.lose(fmt.Errorf("%w: this one has given it up: %w", ErrLost, err))
}

// beat shows the others that this server lives, until the term ends.
func (l *Log) beat(term context.Context) {
	every := time.NewTicker(l.cfg.Replica.Lease / beatsPerLease)
	defer every.Stop()
	healthy := time.Now()
	for {
		l.mu.Lock()
		fresh := l.fresh
		l.mu.Unlock()
		ctx, cancel := context.WithTimeout(term, l.cfg.Replica.Lease)
		err := l.journal.Beat(ctx, l.epoch, fresh)
		cancel()
		switch {
		case term.Err() != nil:
			return
		case errors.Is(err, ErrLost):
			l.standing.lose(err)
			return
		case err == nil:
			l.mu.Lock()
			if string(l.fresh) == string(fresh) {
				l.fresh = nil
			}
			l.mu.Unlock()
			l.standing.saw(l, Lease{Epoch: l.epoch, Holder: l.cfg.Replica.URL, Beat: 1}, nil)
		default:
			l.standing.saw(l, Lease{}, fmt.Errorf("tell the database that this server lives: %w", err))
			l.log.Warn("this server could not show that it lives", "error", err)
		}
		why := l.takes()
		if why == nil {
			why = l.clock.wrong(l)
		}
		if why == nil || !l.Leads() { // taking over may take long, and another server would be no faster
			healthy = time.Now()
		} else if time.Since(healthy) > resignLeases*l.cfg.Replica.Lease {
			l.log.Error("this server gives up the lead", "epoch", l.epoch, "why", why)
			l.resignFor(why)
			return
		}
		select {
		case <-every.C:
		case <-term.Done():
			return
		}
	}
}

// follow reads what is published and who leads, until it is this server's turn, whose epoch it
// returns, or ctx ends or the log stops.
func (l *Log) follow(ctx context.Context) (epoch uint64, ok bool) {
	every := time.NewTicker(l.cfg.Replica.Lease / looksPerLease)
	defer every.Stop()
	copied, last := uint64(0), time.Time{}
	for l.Err() == nil {
		lease, err := l.look(ctx)
		if ctx.Err() != nil {
			return 0, false
		}
		if final(err) {
			l.fail(err)
			return 0, false
		}
		if size := l.publishedSize(); err == nil && size > copied && time.Since(last) > copyEvery {
			if err = l.copyPublished(); err == nil {
				copied = size
			}
			last = time.Now()
		}
		l.standing.saw(l, lease, err)
		if lease, ok := l.standing.vacant(l); ok {
			if epoch, err := l.candidate(ctx, lease); err == nil {
				return epoch, true
			} else if !errors.Is(err, ErrLost) && ctx.Err() == nil {
				l.log.Warn("this server cannot take the lead", "error", err)
				l.standing.saw(l, lease, err)
			}
		}
		select {
		case <-every.C:
		case <-l.standing.hurry:
		case <-ctx.Done():
			return 0, false
		}
	}
	return 0, false
}

// Hurry makes a server that follows look at once for what is published: somebody knows that there
// is more.
func (l *Log) Hurry() {
	select {
	case l.standing.hurry <- struct{}{}:
	default:
	}
}

// look reads the lease and the published tree.
func (l *Log) look(ctx context.Context) (Lease, error) {
	ctx, cancel := context.WithTimeout(ctx, l.cfg.Replica.Lease)
	defer cancel()
	lease, err := l.journal.Lease(ctx)
	if err != nil {
		return lease, fmt.Errorf("read who leads: %w", err)
	}
	_, published, err := l.journal.Newest(ctx)
	if err != nil {
		return lease, fmt.Errorf("read what is published: %w", err)
	}
	if published == nil {
		return lease, nil
	}
	return lease, l.see(ctx, published, lease.Fresh)
}

// see moves to a published checkpoint, and to fresh cosignatures on it.
func (l *Log) see(ctx context.Context, published, fresh []byte) error {
	l.mu.Lock()
	last := l.published
	l.mu.Unlock()
	pub, err := l.quorate(published)
	if err != nil {
		return fmt.Errorf("the published checkpoint: %w", err)
	}
	if pub.Size < last.size {
		// A node that lags, or an old copy: who takes the lead will know.
		return fmt.Errorf("the database shows size %d as published, but this server has seen size %d there", pub.Size, last.size)
	}
	if pub.Size > last.size {
		// A server that starts while its leader waits for witnesses has loaded more than is published.
		if pub.Size <= l.signedSize() {
			err = l.holds(ctx, pub.Tree, "the published checkpoint")
		} else {
			err = l.advance(ctx, pub.Tree)
		}
		if err != nil {
			return err
		}
		l.mu.Lock()
		if pub.Size > l.signed.Size {
			l.signed = signedTree{pub.Tree, published}
		}
		l.recent = nil // others may have been published since the last one that was seen
		l.mu.Unlock()
		l.setPublished(publication{pub.Size, published})
		if size, err := l.journal.SnapshotSize(ctx); err == nil {
			l.sequencer.saver.others(size)
		}
	}
	l.mu.Lock()
	shown := string(l.published.note)
	l.mu.Unlock()
	if fresh == nil || string(fresh) == shown {
		return nil
	}
	if cp, err := l.quorate(fresh); err == nil && cp.Tree == pub.Tree {
		l.refresh(fresh, cp.Size)
	}
	return nil
}

// quorate opens a checkpoint that must have the quorum. A follower is given the same ones many
// times a second, and verifies them once.
func (l *Log) quorate(note []byte) (*checkpoint.Checkpoint, error) {
	for _, o := range l.opened {
		if o.cp != nil && o.note == string(note) {
			return o.cp, nil
		}
	}
	cp, err := l.cfg.Policy.Open(note)
	if err == nil && !cp.Quorum() {
		err = fmt.Errorf("it lacks the quorum of %s", l.cfg.Policy.QuorumText())
	}
	if err == nil {
		l.opened = [2]opened{l.opened[1], {string(note), cp}}
	}
	return cp, err
}

// An opened checkpoint is one that was verified.
type opened struct {
	note string
	cp   *checkpoint.Checkpoint
}

// candidate takes the lead, if this server could use it.
func (l *Log) candidate(ctx context.Context, lease Lease) (epoch uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, l.cfg.Replica.Lease)
	defer cancel()
	own := l.now()
	db, err := l.journal.Now(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the database's clock: %w", err)
	}
	if d := wallSince(db, own); !db.IsZero() && d > maxClockAhead {
		return 0, fmt.Errorf("this machine's clock is %s ahead of the database's: set it", d.Round(time.Second))
	}
	if err := l.copyPublished(); err != nil { // a disk that is full would stop it at once
		return 0, err
	}
	return l.journal.Take(ctx, lease, l.cfg.Replica.URL)
}

// copyPublished writes the copy of the published checkpoint that is kept outside the database, so
// that a replica too notices an old copy of the database.
func (l *Log) copyPublished() error {
	l.mu.Lock()
	p := l.published
	l.mu.Unlock()
	if p.note == nil {
		return nil
	}
	if err := l.saveCheckpoint(p.note); err != nil {
		return fmt.Errorf("write the copy of the checkpoint: %w", err)
	}
	return nil
}
