package main

import (
	"sync"
	"time"
	"unsafe"
)

// A clock is a machine's wall clock, which can be set. Its monotonic part cannot.
type clock struct {
	w   *world
	mu  sync.Mutex // guards off
	off time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return twoParts(c.w.wall().Add(c.off), c.w.now())
}

// set sets the clock off the true time.
func (c *clock) set(off time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off = off
}

// twoParts returns a time as time.Now does outside of a bubble: with a monotonic part, which a
// wall clock that is set does not change. No function of package time makes one.
func twoParts(wall time.Time, monotonic time.Duration) time.Time {
	type parts struct {
		wall uint64
		ext  int64
		loc  *time.Location
	}
	since := wall.Unix() - time.Date(1885, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	t := wall
	(*parts)(unsafe.Pointer(&t)).wall = 1<<63 | uint64(since)<<30 | uint64(wall.Nanosecond())
	(*parts)(unsafe.Pointer(&t)).ext = int64(monotonic) + 1
	if !t.Round(0).Equal(wall) || t.Add(time.Second).Sub(t) != time.Second {
		panic("package time keeps its parts otherwise")
	}
	return t
}
