package logserver

import (
	"fmt"
	"time"

	"github.com/trialproof/trialproof/trial"
)

// Ready returns nil if the log accepts submissions, and otherwise why it does not.
func (l *Log) Ready() error {
	if l.cfg.Replica != nil && !l.Leads() {
		return l.standing.ready(l)
	}
	if err := l.takes(); err != nil {
		return err
	}
	if err := l.clock.wrong(l); err != nil {
		return fmt.Errorf("%w: %w", ErrNotReady, err)
	}
	if err := l.probe.ask(l); err != nil {
		return fmt.Errorf("%w: %w", ErrNotReady, err)
	}
	return l.quorum.ask(l)
}

// Warnings says, in whole sentences, what is wrong with a log that accepts submissions all the
// same.
func (l *Log) Warnings() []string {
	var list []string
	if w := l.clock.warning(l); w != "" {
		list = append(list, w)
	}
	if d := trial.Time(l.last.Load()).Std().Sub(l.now().Round(0)); d > maxClockAhead {
		list = append(list, fmt.Sprintf("the last entry bears a time that is %s ahead of this machine's clock: "+
			"every later entry will bear it too. Either the clock is behind, or it was ahead then: docs/operator.md says what is left",
			d.Round(time.Second)))
	}
	if signed, published := l.signedSize(), l.publishedSize(); signed > published {
		list = append(list, fmt.Sprintf("the tree of size %d waits for the witnesses, quorum %s; published is size %d",
			signed, l.cfg.Policy.QuorumText(), published))
	}
	for _, d := range l.Damaged() {
		list = append(list, d.Error())
	}
	return list
}

// takes does what Ready does, except for the clock, which is compared again with every batch.
func (l *Log) takes() error {
	if err := l.Err(); err != nil {
		return fmt.Errorf("%w: it has stopped: %w", ErrNotReady, err)
	}
	if !l.ready.Load() {
		return fmt.Errorf("%w: too few witnesses have said what they last saw; waiting for a quorum of %s",
			ErrNotReady, l.cfg.Policy.QuorumText())
	}
	err := l.files.check()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotReady, err)
	}
	if l.cfg.Replica != nil {
		if err := l.standing.ready(l); err != nil {
			return err
		}
	}
	if err := l.quorum.lost(l); err != nil {
		return err
	}
	l.stuck.Range(func(step, x any) bool {
		if f := x.(failing); time.Since(f.since) > stuckAfter {
			err = fmt.Errorf("%w: the step %q has failed since %s UTC and is tried again: %w",
				ErrNotReady, step, f.since.UTC().Format(time.DateTime), f.err)
		}
		return err == nil
	})
	return err
}

// pending says why a decided statement has no receipt yet.
func (l *Log) pending() error {
	if !l.Leads() {
		return fmt.Errorf("%w: the leader waits for the witnesses", ErrPending)
	}
	why := l.takes()
	if why == nil {
		l.stuck.Range(func(step, x any) bool {
			why = fmt.Errorf("the step %q fails and is tried again: %w", step, x.(failing).err)
			return false
		})
	}
	if d := l.Damaged(); why == nil && len(d) > 0 {
		why = d[0] // no proof for the witnesses can be made from it
	}
	if why == nil {
		return fmt.Errorf("%w: too few witnesses have cosigned yet", ErrPending)
	}
	return fmt.Errorf("%w: %w", ErrPending, why)
}

// failing is a step of sequencing that is tried again.
type failing struct {
	since time.Time
	err   error
}

// stuckAfter is how long a step of sequencing may fail before no more statements are accepted:
// a full disk, a database that is gone.
const stuckAfter = 2 * time.Second
