package logserver

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// maxClockAhead is how far the log's clock may be ahead of the clocks it is
// compared with. An entry stamped in the future could never be taken back: no
// later entry may have an earlier time.
const maxClockAhead = time.Minute

// A clock remembers how the log's own clock compares with others. A clock that
// is behind stalls nothing: an entry's time is never before the last one's.
type clock struct {
	mu      sync.Mutex // guards what follows
	checked time.Time  // by the own clock; zero: never
	err     error
	ahead   map[int]time.Duration // by witness, at its last fresh cosignature
}

// wrong returns why the clock cannot be believed, or nil.
func (c *clock) wrong() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// cosigned notes the time on a cosignature just made.
func (c *clock) cosigned(witness int, at, own time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ahead == nil {
		c.ahead = map[int]time.Duration{}
	}
	c.ahead[witness] = own.Sub(at)
}

// check compares the own clock with the journal's and with the witnesses', the
// latter afresh if the last comparison is not of the last minute. A set of
// witnesses that could form a quorum must say that it is ahead: one whose own
// clock is wrong stops nobody.
func (c *clock) check(ctx context.Context, l *Log) error {
	now := l.now()
	c.mu.Lock()
	since := now.Sub(c.checked)
	recent := c.err == nil && !c.checked.IsZero() && since >= 0 && since < maxClockAhead
	c.mu.Unlock()
	if recent {
		return nil
	}
	db, err := l.journal.Now(ctx)
	if err != nil {
		return fmt.Errorf("read the database's clock: %w", err)
	}
	now = l.now()
	c.mu.Lock()
	clear(c.ahead) // what was measured by another setting of this clock
	c.mu.Unlock()
	l.cosigner.recosign(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = nil
	if d := now.Sub(db); !db.IsZero() && d > maxClockAhead {
		c.err = fmt.Errorf("this machine's clock is %s ahead of the database's: set it", d.Round(time.Second))
	}
	if !l.cfg.Policy.Unwitnessed() && l.cfg.Policy.Satisfied(func(w int) bool { return c.ahead[w] > maxClockAhead }) {
		c.err = fmt.Errorf("this machine's clock is more than %s ahead of the witnesses': set it", maxClockAhead)
	}
	if c.err == nil {
		c.checked = now
	}
	return c.err
}
