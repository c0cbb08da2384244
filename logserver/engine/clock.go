package engine

import (
	"sync"
	"time"

	tclock "github.com/google/trillian/util/clock"
)

// clock tells the time to Trillian. Every answer is later than the one before and than every
// root seen, however the machine's clock is set: Trillian refuses to integrate at a time that
// is not later than the last root's.
type clock struct {
	now func() time.Time

	mu   sync.Mutex
	last int64 // nanoseconds since 1970; guarded by mu
}

var _ tclock.TimeSource = (*clock)(nil)

func newClock(now func() time.Time) *clock {
	if now == nil {
		now = time.Now
	}
	return &clock{now: now}
}

// Now implements tclock.TimeSource.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = max(c.last+1, c.now().UnixNano())
	return time.Unix(0, c.last)
}

// NewTimer implements tclock.TimeSource. Nothing in the server uses it.
func (c *clock) NewTimer(d time.Duration) tclock.Timer { return tclock.System.NewTimer(d) }

// notBefore makes every later answer be after the given time.
func (c *clock) notBefore(nanos uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = max(c.last, int64(nanos))
}
