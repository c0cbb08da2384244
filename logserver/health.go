package logserver

import (
	"context"
	"errors"
	"time"

	"github.com/trialproof/trialproof/trial"
)

// Waiting returns when the oldest entry was decided that is not published yet, or when the step
// that holds it up began to fail; the zero time if nothing waits.
func (l *Log) Waiting(ctx context.Context) (since time.Time) {
	l.mu.Lock()
	signed, published := l.signed.Size, l.published.size
	l.mu.Unlock()
	if signed > published {
		// Its time is at most what is asked for. If it cannot be read, the last entry's is.
		since = trial.Time(l.last.Load()).Std()
		if raws, err := l.hashes.entries(ctx, published, 1); err == nil {
			if e, err := trial.ParseEntry(raws[0]); err == nil {
				since = e.Time.Std()
			}
		}
	}
	l.stuck.Range(func(_, x any) bool {
		if f := x.(failing); since.IsZero() || f.since.Before(since) {
			since = f.since
		}
		return true
	})
	return since
}

// ClocksAhead returns how far this machine's clock is ahead of those that it was compared with:
// by the label of a witness, or "database". It is negative where this clock is behind.
func (l *Log) ClocksAhead() map[string]time.Duration {
	now, c := l.now(), &l.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	list := map[string]time.Duration{}
	for w, r := range c.witnesses {
		list[l.cfg.Policy.Witnesses[w].Label] = r.ahead(now)
	}
	if !c.database.own.IsZero() {
		list["database"] = c.database.ahead(now)
	}
	return list
}

// Stopped reports whether the log has stopped for good because something does not agree. A log
// that was closed has not.
func (l *Log) Stopped() bool {
	err := l.Err()
	return err != nil && !errors.Is(err, ErrClosing)
}
