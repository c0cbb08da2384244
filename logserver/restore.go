package logserver

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/tile"
)

// A Restorer is a Journal without a log in it, into which one is restored.
type Restorer interface {
	Journal

	// Place stores the indexes of a batch, if epoch is the newest and the decided size is
	// b.First. Otherwise it returns ErrLost. It keeps no bytes: tree and tiles have them by the
	// time that anyone asks for the journal's newest checkpoint.
	Place(ctx context.Context, epoch uint64, b Batch) error

	// Restored stores the newest signed checkpoint and the newest published one, of the same
	// size or a smaller one, in one transaction. From then on there is a log.
	Restored(ctx context.Context, epoch uint64, signed, published Stored) error
}

// Stored is a checkpoint with its size.
type Stored struct {
	Size uint64
	Note []byte
}

// Restore fills an empty tree, journal and tile store with the entries that the plan's source
// serves, and returns when the log can be opened. Every entry is replayed, and the root is
// computed from the entries alone, before any checkpoint is stored. Until then the journal has
// no log, whatever was written.
//
// Another restore cannot use anything of one that was cut short: the caller empties the stores
// first.
func (p *Plan) Restore(ctx context.Context, cfg Config, journal Restorer, progress func(done, total uint64)) error {
	cfg.Journal = journal
	l, err := newLog(cfg)
	if err != nil {
		return err
	}
	if l.epoch, err = journal.Claim(ctx); err != nil {
		return fmt.Errorf("claim the journal: %w", err)
	}
	if signed, _, err := journal.Newest(ctx); err != nil {
		return err
	} else if signed != nil {
		return errors.New("the database holds a log already")
	}
	if l.hashes, err = openHashTree(ctx, l.tiles, &l.damages, 0); err != nil {
		return err
	}
	r := &restoring{Plan: p, l: l, journal: journal, state: new(trial.State)}
	if err := r.replay(ctx, progress); err != nil {
		return err
	}
	l.signed = p.newest
	if err := l.compareTree(ctx); err != nil {
		return err
	}
	if err := journal.SaveSnapshot(ctx, p.newest.Size, r.state.Records()); err != nil {
		return fmt.Errorf("save snapshot: %w", err)
	}
	if err := journal.Restored(ctx, l.epoch, Stored{p.newest.Size, p.newest.note}, Stored{p.published.Size, p.published.note}); err != nil {
		return fmt.Errorf("store checkpoints: %w", err)
	}
	return l.saveCheckpoint(p.newest.Size, p.newest.note)
}

// restoring is a restore in progress, on one goroutine except for what is fetched ahead.
type restoring struct {
	*Plan
	l       *Log
	journal Restorer
	state   *trial.State
	batch   Batch      // replayed and not yet written
	bytes   int        // in batch
	written chan error // receives the outcome of the batch being written; nil if none is
}

// replay replays the entries in order, up to the newest tree.
func (r *restoring) replay(ctx context.Context, progress func(done, total uint64)) (err error) {
	defer func() { err = errors.Join(err, r.wait()) }()
	size := r.newest.Size
	read := func(ctx context.Context, n uint64) (bundle, error) { return fetch(ctx, r.source, n, size) }
	for b, err := range tile.Ahead(ctx, 0, size, read) {
		if err != nil {
			return err
		}
		for i, e := range b.entries {
			err := r.take(e, b.errs[i])
			if newer, ok := errors.AsType[*trial.NewerRules](err); ok {
				return newer
			}
			if err != nil {
				return fmt.Errorf("entry %d: %w: what the URL serves was altered, or the log broke its rules: restore from another copy",
					r.state.Size(), err)
			}
			// Bundles are written whole, and divided where a root is known.
			next := r.batch.Next()
			roots := r.known[next]
			if next%tile.Width != 0 && r.bytes < maxBatchBytes && len(roots) == 0 && next != size {
				continue
			}
			if err := r.place(ctx); err != nil {
				return err
			}
			for _, k := range roots {
				if err := r.compare(ctx, k, e); err != nil {
					return err
				}
			}
		}
		if progress != nil {
			progress(r.state.Size(), size)
		}
	}
	return ctx.Err()
}

// take replays an entry and adds it to the batch.
func (r *restoring) take(e *trial.Entry, err error) error {
	if err == nil {
		err = r.state.Apply(e)
	}
	if err != nil {
		return err
	}
	if e.Genesis != nil && e.Genesis.Log != r.l.origin {
		return fmt.Errorf("the genesis is of the log %q", e.Genesis.Log)
	}
	// Nothing is ever rolled back here, so each entry can be made final to learn what it
	// changed.
	r.state.Commit()
	entry := BatchEntry{Raw: e.Raw, Records: aboutOf(e, r.state.Changed())}
	if e.Statement != nil {
		entry.ID = e.Statement.ID
		entry.Records = append(entry.Records, foundBy(e.Statement)...)
	}
	r.batch.Entries = append(r.batch.Entries, entry)
	r.bytes += len(e.Raw)
	return nil
}

// aboutOf returns what an entry is about: the records that it changed, except its signer's key,
// and for the genesis except the keys.
func aboutOf(e *trial.Entry, changed []trial.Record) []trial.RecordKey {
	var about []trial.RecordKey
	for _, rec := range changed {
		key := rec.RecordKey()
		if key.Kind == "key" && (e.Statement == nil || key.ID == e.Signer.Key.ID().String()) {
			continue
		}
		about = append(about, key)
	}
	return about
}

// place writes the batch to all three stores, in no particular order and while the next one is
// replayed: a restore that does not finish leaves nothing that is used.
func (r *restoring) place(ctx context.Context) error {
	if err := r.wait(); err != nil {
		return err
	}
	b := r.batch
	r.batch, r.bytes = Batch{First: b.Next()}, 0
	leaves := make([][]byte, len(b.Entries))
	for i, e := range b.Entries {
		leaves[i] = e.Raw
	}
	parts := r.l.hashes.append(b.Entries)
	written := make(chan error, 1)
	r.written = written
	go func() {
		var wg sync.WaitGroup
		errs := make([]error, 3)
		wg.Go(func() { errs[0] = r.l.tree.Append(ctx, b.First, leaves) })
		wg.Go(func() { errs[1] = r.l.tiles.Put(ctx, parts) })
		wg.Go(func() { errs[2] = r.journal.Place(ctx, r.l.epoch, b) })
		wg.Wait()
		err := errors.Join(errs...)
		if err != nil {
			err = fmt.Errorf("write entries %d to %d: %w", b.First, b.Next()-1, err)
		}
		written <- err
	}()
	return nil
}

// wait returns when the batch being written is durable.
func (r *restoring) wait() error {
	if r.written == nil {
		return nil
	}
	err := <-r.written
	r.written = nil
	return err
}

// compare compares the entries up to a tree that the log has signed with its root.
func (r *restoring) compare(ctx context.Context, k knownTree, last *trial.Entry) error {
	if last.State == nil {
		return fmt.Errorf("%s of size %d does not end with a state entry", k.who, k.Size)
	}
	if err := r.wait(); err != nil {
		return err
	}
	root, err := r.l.hashes.root(ctx, k.Size)
	if err != nil {
		return fmt.Errorf("compute root of %d: %w", k.Size, err)
	}
	if root != tlog.Hash(k.Root) {
		return fmt.Errorf("the entries lead to the root %x at size %d, but %s says %x: an entry was altered, or it is another tree: "+
			"restore from another copy", root[:], k.Size, k.who, k.Root)
	}
	return nil
}
