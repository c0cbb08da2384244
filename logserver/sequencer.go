package logserver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
)

// A sequencer decides which entry gets which index. It is one goroutine, run, and the only
// owner of the state.
type sequencer struct {
	l     *Log
	state *trial.State
	saver saver

	// unfinished is a decided batch, which the hashes and the state have, and whose checkpoint
	// is not stored. It outlives a term: what is decided stands, whoever carries it out.
	unfinished *unfinished
}

type unfinished struct {
	Batch
	parts []TilePart
}

// run takes batches until take or the term ends or the log stops. A batch that was taken is
// carried on until the term ends.
func (s *sequencer) run(take, term context.Context) {
	taking, stop := context.WithCancel(take)
	defer context.AfterFunc(term, stop)()
	for taking.Err() == nil && s.l.Err() == nil {
		batch := s.l.pool.take(taking, s.l.cfg.BatchDelay, s.busy)
		if len(batch) == 0 {
			continue
		}
		s.sequence(term, batch)
		s.l.pool.release(batch)
	}
	stop()
}

// busy reports whether an earlier batch is waiting for witnesses.
func (s *sequencer) busy() bool { return s.l.signedSize() > s.l.publishedSize() }

// sequence gives each submission of a batch its outcome, or no outcome if the log stops.
func (s *sequencer) sequence(ctx context.Context, subs []*submission) {
	start := s.l.now()
	b, admitted, err := s.admit(ctx, subs)
	if err != nil {
		s.handBack(admitted, err)
		return
	}
	if len(admitted) == 0 {
		return // if nothing was admitted, nothing is written
	}
	if err := s.decide(ctx, b); err != nil {
		s.state.Rollback()
		s.handBack(admitted, err)
		return
	}
	s.commit()
	for i, sub := range admitted {
		sub.admit(b.First+uint64(i), b.Entries[i].Raw)
	}
	if err := s.apply(ctx, b); err != nil {
		return
	}
	s.saver.saved(s.state.Size())
	s.l.cfg.Metrics.Sequenced(len(b.Entries), s.l.now().Sub(start))
}

// commit makes the batch that the state has tried permanent, and what it changed known to the
// view and the next snapshot.
func (s *sequencer) commit() {
	s.state.Commit()
	s.l.last.Store(int64(s.state.Time()))
	changed := s.state.Changed()
	s.saver.add(s.state.Size(), changed)
	s.l.view.add(change{s.state.Size(), s.state.Map(), changed})
}

// handBack refuses submissions. The pool forgets them first: a submitter may submit the same
// again at once, and that is judged again.
func (s *sequencer) handBack(subs []*submission, err error) {
	s.l.pool.release(subs)
	for _, sub := range subs {
		sub.refuse(err)
	}
}

// admit tries each submission on the state and answers at once those that are refused or in the
// log already. It returns the batch that the rest make.
func (s *sequencer) admit(ctx context.Context, subs []*submission) (b Batch, admitted []*submission, err error) {
	ids := make([]trial.Hash, len(subs))
	for i, sub := range subs {
		ids[i] = sub.signed.ID
	}
	var found map[trial.Hash]uint64
	lookUp := func() (err error) { found, err = s.l.journal.Lookup(ctx, ids); return err }
	if err := s.l.retry(ctx, "look up statements", lookUp); err != nil {
		return b, subs, err
	}
	if err := s.l.files.check(); err != nil {
		return b, subs, fmt.Errorf("%w: %w", ErrNotReady, err)
	}
	now, err := s.l.clock.check(ctx, s.l)
	if err != nil {
		return b, subs, fmt.Errorf("%w: %w", ErrNotReady, err)
	}
	at := max(trial.TimeOf(now), s.state.Time())
	b.First = s.state.Size()
	for _, sub := range subs {
		if index, ok := found[sub.signed.ID]; ok {
			sub.admit(index, nil)
			continue
		}
		e, records, err := s.state.Admit(sub.signed, at)
		if err != nil {
			s.l.cfg.Metrics.Refused(trial.RuleOf(err))
			s.handBack([]*submission{sub}, err)
			continue
		}
		b.Entries = append(b.Entries, BatchEntry{e, sub.signed.ID, append(records, foundBy(sub.signed)...)})
		admitted = append(admitted, sub)
	}
	if len(admitted) == 0 {
		return b, nil, nil
	}
	end, err := s.state.Close(at)
	if err != nil {
		s.state.Rollback()
		return b, admitted, err
	}
	b.Entries = append(b.Entries, BatchEntry{Raw: end})
	return b, admitted, nil
}

// decide fixes the batch. After an error of unknown outcome it looks into the journal: a batch
// that is there is decided, whatever was reported.
func (s *sequencer) decide(ctx context.Context, b Batch) error {
	return s.l.retry(ctx, "decide", func() error {
		err := s.l.journal.Decide(ctx, s.l.epoch, b)
		if err == nil {
			return nil
		}
		epoch, size, batches, rerr := s.l.journal.Decided(ctx, s.l.signedSize())
		switch {
		case rerr != nil:
			return errors.Join(err, rerr)
		case epoch != s.l.epoch:
			return ErrLost
		case size == b.First:
			return err // not written: try again
		}
		for _, d := range batches {
			if d.First == b.First && sameBatch(d, b) {
				return nil
			}
		}
		return ErrLost
	})
}

func sameBatch(a, b Batch) bool {
	if len(a.Entries) != len(b.Entries) {
		return false
	}
	for i := range a.Entries {
		if string(a.Entries[i].Raw) != string(b.Entries[i].Raw) {
			return false
		}
	}
	return true
}

// apply carries out a decided batch. It returns nil when the batch's checkpoint is stored.
func (s *sequencer) apply(ctx context.Context, b Batch) error {
	// Our own computation of the tree, from the decided bytes.
	s.unfinished = &unfinished{b, s.l.hashes.append(b.Entries)}
	return s.carryOut(ctx)
}

// carryOut does what is left of the unfinished batch. Every step may be done again and can only
// write the same bytes.
func (s *sequencer) carryOut(ctx context.Context) error {
	b, parts := s.unfinished.Batch, s.unfinished.parts
	leaves := make([][]byte, len(b.Entries))
	for i, e := range b.Entries {
		leaves[i] = e.Raw
	}
	size := b.Next()
	root, err := s.l.hashes.root(ctx, size)
	if err != nil {
		s.l.fail(fmt.Errorf("compute root of %d: %w", size, err))
		return err
	}
	if err := s.l.retry(ctx, "append", func() error {
		if err := s.l.tree.Append(ctx, b.First, leaves); err != nil {
			return err
		}
		return s.compare(ctx, size, root)
	}); err != nil {
		return err
	}
	if err := s.l.retry(ctx, "store tiles", func() error { return s.l.tiles.Put(ctx, parts) }); err != nil {
		return err
	}
	if err := s.sign(ctx, checkpoint.Tree{Origin: s.l.origin, Size: size, Root: root}); err != nil {
		return err
	}
	s.unfinished = nil
	return nil
}

// compare compares the tree's head with our own root at exactly our size.
func (s *sequencer) compare(ctx context.Context, size uint64, root [32]byte) error {
	got, gotRoot, err := s.l.tree.Head(ctx)
	if err != nil {
		return err
	}
	switch {
	case got < size:
		return fmt.Errorf("the tree's size is %d after appending up to %d", got, size)
	case got == size && gotRoot == root:
		return nil
	case got == size:
		return fmt.Errorf("%w: its root at %d is %x, but ours is %x", errRoot, size, gotRoot, root)
	}
	// Somebody appended more. Only another leader may do that.
	epoch, _, _, err := s.l.journal.Decided(ctx, s.l.signedSize())
	if err != nil {
		return err
	}
	if epoch != s.l.epoch {
		return ErrLost
	}
	return fmt.Errorf("%w: its size is %d, but only %d entries are decided", errRoot, got, size)
}

var errRoot = errors.New("the tree is not the one that was decided")

// sign signs and stores the checkpoint of a tree whose tiles are stored. The
// stored checkpoint is the commit point: it can be shown to anyone from now on.
func (s *sequencer) sign(ctx context.Context, tree checkpoint.Tree) error {
	if tree.Size == 0 || tree.Size <= s.l.signedSize() {
		err := fmt.Errorf("a checkpoint of size %d after one of %d", tree.Size, s.l.signedSize())
		s.l.fail(err)
		return err
	}
	signed, err := s.l.cfg.signTree(tree)
	if err != nil {
		s.l.fail(err)
		return err
	}
	if err := s.l.retry(ctx, "store checkpoint", func() error {
		err := s.l.journal.Sign(ctx, s.l.epoch, tree.Size, signed)
		if err == nil {
			return nil
		}
		stored, _, rerr := s.l.journal.Newest(ctx)
		if rerr != nil {
			return errors.Join(err, rerr)
		}
		if string(stored) == string(signed) {
			return nil // stored, although an error was reported
		}
		return err
	}); err != nil {
		return err
	}
	s.l.setSigned(tree, signed)
	return nil
}

func (l *Log) setSigned(tree checkpoint.Tree, signed []byte) {
	l.mu.Lock()
	l.signed = signedTree{tree, signed}
	l.quorum.waits(tree.Size, l.published.size)
	l.mu.Unlock()
	if l.cosigner != nil { // nil while the log is opened
		l.cosigner.wakeUp()
	}
}

// tellEvery is how often a step that fails again and again is logged.
const tellEvery = 10 * time.Second

// retry runs a step until it succeeds, ctx ends or the error is final, which stops the log.
func (l *Log) retry(ctx context.Context, step string, f func() error) error {
	start := time.Now()
	var told time.Time
	for {
		err := f()
		if err == nil {
			l.stuck.Delete(step)
			return nil
		}
		if errors.Is(err, ErrTreeConflict) || errors.Is(err, ErrLost) || errors.Is(err, errRoot) {
			err = fmt.Errorf("%s: %w", step, err)
			l.stuck.Delete(step)
			l.fail(err)
			return err
		}
		if cause := context.Cause(ctx); errors.Is(cause, ErrLost) {
			l.stuck.Delete(step)
			return fmt.Errorf("%s: %w", step, cause)
		} else if cause != nil {
			return fmt.Errorf("%s: %w", step, errors.Join(ErrClosing, err))
		}
		l.stuck.Store(step, failing{start, err})
		if time.Since(told) > tellEvery {
			told = time.Now()
			l.log.Warn("a step of sequencing failed and is tried again", "step", step, "since", start.UTC(), "error", err)
		}
		select {
		case <-time.After(l.cfg.RetryDelay):
		case <-ctx.Done():
		}
	}
}
