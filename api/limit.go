package api

import (
	"math"
	"net/netip"
	"sync"
	"time"
)

// A limiter has a token bucket per caller. A nil limiter limits nobody.
//
// Its memory is bounded: it keeps two generations of buckets. When the younger one is full, it
// becomes the older one, and what was there is forgotten. A bucket in use moves to the younger
// generation, so it is forgotten only after limiterCallers others have come since it was last
// used.
type limiter struct {
	rate  float64 // tokens a second
	burst float64
	now   func() time.Time

	mu             sync.Mutex // guards the fields below
	younger, older map[string]bucket
}

type bucket struct {
	tokens float64
	at     time.Time // when there were so many
}

const limiterCallers = 32768

// newLimiter returns nil, which limits nobody, for the zero rate.
func newLimiter(r Rate, now func() time.Time) *limiter {
	if r.PerSecond <= 0 {
		return nil
	}
	return &limiter{rate: r.PerSecond, burst: float64(max(r.Burst, 1)), now: now, younger: map[string]bucket{}}
}

// take takes a token of the caller and returns 0, or how long to wait for one.
func (l *limiter) take(caller string) time.Duration {
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.refilled(caller)
	wait := time.Duration(0)
	if b.tokens >= 1 {
		b.tokens--
	} else {
		wait = time.Duration(math.Ceil((1 - b.tokens) / l.rate * float64(time.Second)))
	}
	l.put(caller, b)
	return wait
}

// giveBack returns a token that take has taken.
func (l *limiter) giveBack(caller string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.refilled(caller)
	b.tokens = min(b.tokens+1, l.burst)
	l.put(caller, b)
}

// refilled returns the caller's bucket as of now. l.mu is held.
func (l *limiter) refilled(caller string) bucket {
	now := l.now()
	b, ok := l.younger[caller]
	if !ok {
		b, ok = l.older[caller]
	}
	if !ok {
		return bucket{l.burst, now}
	}
	if d := now.Sub(b.at); d > 0 {
		b = bucket{min(b.tokens+d.Seconds()*l.rate, l.burst), now}
	}
	return b
}

// put stores the caller's bucket. l.mu is held.
func (l *limiter) put(caller string, b bucket) {
	if _, ok := l.younger[caller]; !ok && len(l.younger) >= limiterCallers {
		l.older, l.younger = l.younger, map[string]bucket{}
	}
	l.younger[caller] = b
}

// addressOf returns the address for which a connection's remote address counts: an IPv4
// address, or the /64 of an IPv6 address, because one host has many of those.
func addressOf(remote string) string {
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return remote // a local socket
	}
	addr := ap.Addr().Unmap()
	if addr.Is6() {
		if p, err := addr.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return addr.String()
}
