package logserver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/trialproof/trialproof/trial/checkpoint"
)

// copyEvery is how often a replica that follows writes the copy of the checkpoint at most.
const copyEvery = time.Second

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
	if err := l.saveCheckpoint(p.size, p.note); err != nil {
		return fmt.Errorf("write the copy of the checkpoint: %w", err)
	}
	return nil
}
