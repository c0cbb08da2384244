package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial/trialtest"
)

// A world is one run of the simulation. Everything in it is in one testing/synctest bubble.
//
// The same seed must lead to the same run, though goroutines are scheduled by the real scheduler
// and not by the seed. So whatever crosses from one process to another, a message or a call of a
// store, takes a time that follows from the seed, from who does what and from the virtual time,
// and no two of them end at the same nanosecond. What one such end sets off is all that happens
// until the next one.
type world struct {
	t     *testing.T
	seed  uint64
	start time.Time
	plan  plan
	loud  func(string) // is given the trace, if set

	mu      sync.Mutex // guards the fields below
	calm    bool       // there are no faults, or no longer
	ends    map[time.Duration]bool
	drawn   map[string]int // how often a key was drawn for at this instant
	instant time.Duration
	lines   []string // of this instant
	trace   hash.Hash
	events  int
	counts  map[string]int
	broken  []string
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{
		t: t, seed: seed, start: time.Now(), ends: map[time.Duration]bool{}, drawn: map[string]int{},
		trace: sha256.New(), counts: map[string]int{},
	}
	w.calm, w.plan = true, newPlan(w.draw("plan"))
	return w
}

// now returns the virtual time since the start.
func (w *world) now() time.Duration { return time.Since(w.start) }

// wall returns the true time: what a clock shows that is right.
func (w *world) wall() time.Time {
	return trialtest.Start.Std().Add(w.now())
}

// draw returns the chances of what somebody does now. Two who do the same at the same instant
// have different ones.
func (w *world) draw(key string) *rand.Rand {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn()
	n := w.drawn[key]
	w.drawn[key]++
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d %d %s", w.seed, w.instant, n, key))
	return rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum[:]), binary.BigEndian.Uint64(sum[8:])))
}

// turn begins another instant if time has passed. The caller holds mu.
func (w *world) turn() {
	now := time.Since(w.start)
	if now == w.instant {
		return
	}
	// Within an instant the real scheduler decides who is first.
	slices.Sort(w.lines)
	for _, line := range w.lines {
		line = fmt.Sprintf("%16.9f %s", w.instant.Seconds(), line)
		fmt.Fprintln(w.trace, line)
		if w.loud != nil {
			w.loud(line)
		}
	}
	delete(w.ends, w.instant)
	clear(w.drawn)
	w.lines, w.instant = w.lines[:0], now
}

// sleep waits for about d, until an instant at which nothing else ends.
func (w *world) sleep(d time.Duration) { time.Sleep(w.unique(d)) }

func (w *world) unique(d time.Duration) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Since(w.start)
	for d = max(d, 1); w.ends[now+d]; d++ {
	}
	w.ends[now+d] = true
	return d
}

// rest has somebody sleep unless ctx ends first, and reports whether it did not. The time is not
// the same for two who begin at once.
func (w *world) rest(ctx context.Context, who string, d time.Duration) bool {
	d += time.Duration(w.draw(who + " rests").Int64N(int64(d/100) + 100_000))
	select {
	case <-time.After(w.unique(d)):
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// event adds a line to the trace.
func (w *world) event(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn()
	w.events++
	w.lines = append(w.lines, fmt.Sprintf(format, args...))
}

// count counts what a run has covered.
func (w *world) count(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts[what]++
}

// fail records that something promised does not hold.
func (w *world) fail(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.event("BROKEN %s", text)
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.broken) < 20 {
		w.broken = append(w.broken, fmt.Sprintf("at %.6f s: %s", time.Since(w.start).Seconds(), text))
	}
}

// set ends faults, or begins them.
func (w *world) set(calm bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calm = calm
}

func (w *world) isCalm() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calm
}

// chance reports whether a fault of a probability happens; none does once the world is calm.
func (w *world) chance(r *rand.Rand, p float64) bool {
	x := r.Float64()
	return x < p && !w.isCalm()
}

// brief returns the first bytes of a digest of what a call or message is about.
func brief(parts ...any) string {
	h := sha256.New()
	for _, p := range parts {
		switch p := p.(type) {
		case []byte:
			fmt.Fprintf(h, "%d ", len(p))
			h.Write(p)
		default:
			fmt.Fprintf(h, "%v ", p)
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:6])
}

// outcome returns an error as it is in the trace: its kind, because texts have durations and
// addresses.
func outcome(err error) string {
	if err == nil {
		return "ok"
	}
	text, _, _ := strings.Cut(err.Error(), ":")
	return text
}

// A process is one life of a server: from its start to its end, after which nothing that is left
// of it reaches anybody.
type process struct {
	w    *world
	name string // such as replica-2/5, the fifth life
	died chan struct{}

	mu     sync.Mutex
	dead   bool
	paused chan struct{} // closed when the pause ends; nil: it runs
}

var (
	errDead     = errors.New("simulated: this process was killed")
	errInjected = errors.New("simulated: fault")
	errCut      = errors.New("simulated: no connection")
)

// faulty reports whether an error comes from the simulation.
func faulty(err error) bool {
	return errors.Is(err, errDead) || errors.Is(err, errInjected) || errors.Is(err, errCut) || errors.Is(err, errFull) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

func (w *world) process(name string) *process {
	return &process{w: w, name: name, died: make(chan struct{})}
}

func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.dead {
		p.dead = true
		close(p.died)
	}
}

func (p *process) gone() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

// pause holds up everything that the process sends or is sent, until resume.
func (p *process) pause() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.paused == nil {
		p.paused = make(chan struct{})
	}
}

func (p *process) resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.paused != nil {
		close(p.paused)
		p.paused = nil
	}
}

// running returns nil once the process is not paused, unless it is dead or ctx ends. what tells
// those who wait apart.
func (p *process) running(ctx context.Context, what string) error {
	for {
		p.mu.Lock()
		dead, paused := p.dead, p.paused
		p.mu.Unlock()
		if dead {
			return errDead
		}
		if paused == nil {
			return nil
		}
		select {
		case <-paused:
			// All that waited goes on, each at an instant of its own.
			p.w.sleep(time.Duration(p.w.draw(p.name + " resumes " + what + callerOf(ctx)).Int64N(int64(time.Millisecond))))
		case <-p.died:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

type callerKey struct{}

// caller marks what is done on behalf of a message, so that two messages that lead to the same
// call are told apart.
func caller(ctx context.Context, message string) context.Context {
	return context.WithValue(ctx, callerKey{}, message)
}

func callerOf(ctx context.Context) string {
	s, _ := ctx.Value(callerKey{}).(string)
	return s
}
