package logserver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

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
