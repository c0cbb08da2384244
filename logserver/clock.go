package logserver

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// maxClockAhead is how far the log's clock may be ahead of the clocks that it is compared
	// with. An entry stamped in the future could never be taken back: no later entry may have
	// an earlier time.
	maxClockAhead = time.Minute
	// maxClockStep is how far the wall clock may move against the monotonic one before it is
	// compared with others again. Slewing moves both.
	maxClockStep = time.Second
	// clockRest is how long the log waits before it compares again a clock that was found wrong
	// and that nobody asks for.
	clockRest = 5 * time.Second
)

// A clock decides whether the log's own clock can be trusted. Entries are stamped with the wall
// clock, and the wall clock can be set. The monotonic clock cannot, so every reading is
// compared with an earlier one by both. A clock that is behind does not stop the log: an
// entry's time is never before the last one's.
type clock struct {
	checking turn // held during a comparison

	mu        sync.Mutex      // guards the fields below
	err       error           // of the last comparison
	checked   time.Time       // own reading at the last comparison that found nothing wrong; zero if there was none
	confirmed time.Time       // own reading when others last confirmed this clock, or at the first comparison
	then      reading         // of the database at confirmed
	database  reading         // the newest; zero if the journal has no clock of its own
	witnesses map[int]reading // by witness: its newest cosignature
	told      string          // the warning that was logged last
}

// A reading is what another clock said when the own clock said own.
type reading struct{ own, other time.Time }

// ahead returns how far the wall clock at now is ahead of the other clock, which since then has
// advanced as the monotonic clock says.
func (r reading) ahead(now time.Time) time.Duration {
	return wallSince(r.other.Add(now.Sub(r.own)), now)
}

// wallSince returns the time between two readings by the wall clock alone: Sub uses the
// monotonic clock if both readings have it.
func wallSince(from, to time.Time) time.Duration { return to.Round(0).Sub(from.Round(0)) }

// stepped returns how far the wall clock was set forward between two readings.
func stepped(from, to time.Time) time.Duration { return wallSince(from, to) - to.Sub(from) }

// cosigned records the time of a cosignature that was just made.
func (c *clock) cosigned(witness int, at, own time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.witnesses == nil {
		c.witnesses = map[int]reading{}
	}
	c.witnesses[witness] = reading{own, at}
}

// wrong returns why the clock cannot be trusted, or nil. It asks nobody: what is known of other
// clocks is enough to notice a step.
func (c *clock) wrong(l *Log) error {
	now := l.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	_, err := c.judge(l, now)
	return err
}

// recent reports whether the last comparison still holds at now.
func (c *clock) recent(l *Log, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil || c.checked.IsZero() {
		return false
	}
	since := now.Sub(c.checked)
	if since < 0 || since >= maxClockAhead || stepped(c.checked, now).Abs() > maxClockStep {
		return false
	}
	_, err := c.judge(l, now)
	return err == nil
}

// judge compares the clock's reading now with what is known of others. It is wrong if a set of
// witnesses that could form a quorum says that it is ahead. It also is if some of those that were heard
// say so, and no fewer than the others, or while none of the others has about the same time: where one
// says this and one that nobody knows, and an entry with a time from the future cannot be taken back.
// confirmed says that others agree with it. c.mu is held.
func (c *clock) judge(l *Log, now time.Time) (confirmed bool, err error) {
	known := !c.database.own.IsZero()
	if d := c.database.ahead(now); known && d > maxClockAhead {
		return false, fmt.Errorf("this machine's clock is %s ahead of the database's: set it", d.Round(time.Second))
	}
	p := l.cfg.Policy
	ahead := func(w int) bool { r, ok := c.witnesses[w]; return ok && r.ahead(now) > maxClockAhead }
	agrees := func(w int) bool { r, ok := c.witnesses[w]; return ok && r.ahead(now) <= maxClockAhead }
	if !p.Unwitnessed() && len(c.witnesses) > 0 {
		against, near := 0, 0 // a witness whose clock is ahead of this one does not vouch for it
		for w, r := range c.witnesses {
			switch {
			case ahead(w):
				against++
			case r.ahead(now).Abs() <= maxClockAhead:
				near++
			}
		}
		if against > 0 && near > 0 && against >= len(c.witnesses)-against && !p.Satisfied(ahead) {
			return false, fmt.Errorf("the clocks differ by more than %s, and no fewer witnesses say that this one is ahead than do not (by this "+
				"machine's clock %s): find out which is wrong and set it", maxClockAhead, c.differences(l, now))
		}
		if p.Satisfied(ahead) || against > 0 && near == 0 {
			return false, fmt.Errorf("this machine's clock is more than %s ahead of the witnesses' (%s): set it",
				maxClockAhead, c.differences(l, now))
		}
		confirmed = p.Satisfied(agrees)
	}
	if p.Unwitnessed() && known {
		// A database on this machine has this clock. One whose clock was set when
		// this one was says nothing about it.
		confirmed = (c.then.ahead(now) - c.database.ahead(now)).Abs() <= maxClockStep
	}
	step := stepped(c.confirmed, now)
	if confirmed || c.confirmed.IsZero() || step <= maxClockAhead {
		return confirmed, nil
	}
	who := "too few witnesses confirm the new time"
	if p.Unwitnessed() {
		who = "there is no witness to confirm the new time: if it is right, start the log again"
	}
	return false, fmt.Errorf("this machine's clock was set forward by %s while the log ran, and %s; if it is wrong, set it",
		step.Round(time.Second), who)
}

// differences names the witnesses whose clocks differ from the own one by more than clocks may,
// and by how much. c.mu is held.
func (c *clock) differences(l *Log, now time.Time) string {
	var list []string
	for _, w := range slices.Sorted(maps.Keys(c.witnesses)) {
		d, how := c.witnesses[w].ahead(now).Round(time.Second), "behind"
		if d.Abs() <= maxClockAhead {
			continue
		}
		if d < 0 {
			how = "ahead"
		}
		list = append(list, fmt.Sprintf("%s is %s %s", l.cfg.Policy.Witnesses[w].Label, d.Abs(), how))
	}
	return strings.Join(list, ", ")
}

// warning names the witnesses whose clocks differ from the own one, or returns "".
func (c *clock) warning(l *Log) string {
	now := l.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.warn(l, now)
}

func (c *clock) warn(l *Log, now time.Time) string {
	d := c.differences(l, now)
	if d == "" {
		return ""
	}
	return "by this machine's clock, the clock of witness " + d + ": find out which is wrong; proven times rest on the witnesses' clocks"
}

// check returns the time to stamp entries with. It compares the own clock with the journal's
// and with the witnesses', which it asks again unless the last comparison still holds.
func (c *clock) check(ctx context.Context, l *Log) (time.Time, error) {
	if now := l.now(); c.recent(l, now) {
		return now, nil
	}
	c.checking.take()
	defer c.checking.end()
	if now := l.now(); c.recent(l, now) {
		return now, nil // by the comparison that this call waited for
	}
	own := l.now()
	db, err := l.journal.Now(ctx)
	if err != nil {
		return own, fmt.Errorf("read the database's clock: %w", err)
	}
	l.cosigner.recosign(ctx)
	now := l.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.database = reading{}
	if !db.IsZero() {
		c.database = reading{own, db}
		if c.then.own.IsZero() {
			c.then = c.database
		}
	}
	var confirmed bool
	if confirmed, c.err = c.judge(l, now); c.err == nil {
		c.checked = now
		if confirmed || c.confirmed.IsZero() {
			c.confirmed, c.then = now, c.database
		}
	}
	if w := c.warn(l, now); w != c.told {
		c.told = w
		if w != "" {
			l.log.Warn("clocks differ", "why", w)
		}
	}
	return now, c.err
}

// watch compares the clock again after it was found wrong, although nobody submits, until ctx
// ends. So whoever asks whether the log is ready learns of a step, and of its end.
func (c *clock) watch(ctx context.Context, l *Log) {
	tick := time.NewTicker(clockRest)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if l.takes() != nil || c.wrong(l) == nil {
			continue
		}
		if _, err := c.check(ctx, l); err != nil {
			l.log.Error("no statement is accepted", "why", err)
		}
	}
}
