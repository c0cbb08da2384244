package logserver

import (
	"bytes"
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/trialproof/trialproof/trial"
)

// Check compares everything a log has stored with everything else: tree, tiles,
// entry bundles, checkpoints, journal, and the state that the entries lead to.
// It writes nothing and calls found with each thing that does not agree, named.
// An error says that the check could not be finished. The log must not be open.
func Check(ctx context.Context, cfg Config, found func(problem string), progress func(done, total uint64)) error {
	l, err := newLog(cfg)
	if err != nil {
		return err
	}
	c := &checker{l: l, found: func(format string, args ...any) { found(fmt.Sprintf(format, args...)) }}
	signed, published, err := l.journal.Newest(ctx)
	if err != nil {
		return fmt.Errorf("read newest checkpoint: %w", err)
	}
	if signed == nil {
		return errUnfinished
	}
	cp, err := cfg.Policy.Open(signed)
	if err != nil {
		c.found("the stored checkpoint: %v", err)
		return nil
	}
	l.signed = signedTree{cp.Tree, signed}
	if l.hashes, err = openHashTree(ctx, l.tiles, cp.Size); err != nil {
		c.found("%v", err)
		return nil
	}
	if err := l.holds(ctx, cp.Tree, "the stored checkpoint"); err != nil {
		c.found("%v", err)
	}
	if err := l.compareCopy(ctx); err != nil {
		c.found("%v", err)
	}
	if published != nil {
		pub, err := cfg.Policy.Open(published)
		if err == nil {
			err = l.holds(ctx, pub.Tree, "the published checkpoint")
		}
		if err != nil {
			c.found("%v", err)
		}
	}
	if err := c.head(ctx); err != nil {
		return err
	}
	if err := c.tiles(ctx); err != nil {
		return err
	}
	return c.entries(ctx, progress)
}

type checker struct {
	l     *Log
	found func(format string, args ...any)
}

// head holds the tree's head to the newest checkpoint. After a crash it may be
// ahead by batches that were decided and not signed: the next start finishes them.
func (c *checker) head(ctx context.Context) error {
	l := c.l
	size, root, err := l.tree.Head(ctx)
	if err != nil {
		return fmt.Errorf("read the tree's head: %w", err)
	}
	_, decided, _, err := l.journal.Decided(ctx, l.signed.Size)
	if err != nil {
		return fmt.Errorf("read decided batches: %w", err)
	}
	if size <= l.signed.Size || size > decided {
		if err := l.compareTree(ctx); err != nil {
			c.found("%v", err)
		}
		return nil
	}
	path, err := l.tree.Consistency(ctx, l.signed.Size, size)
	if err != nil {
		return fmt.Errorf("read consistency proof: %w", err)
	}
	proof := make(tlog.TreeProof, len(path))
	for i, h := range path {
		proof[i] = h
	}
	if err := tlog.CheckTree(proof, int64(size), root, int64(l.signed.Size), l.signed.Root); err != nil {
		c.found("%v: the tree of size %d does not follow from the newest checkpoint of size %d", ErrRolledBack, size, l.signed.Size)
	}
	return nil
}

// tiles recomputes every tile above level 0 from those below it.
func (c *checker) tiles(ctx context.Context) error {
	size := c.l.signed.Size
	for level := 1; size>>(tileHeight*level) > 0; level++ {
		count := size >> (tileHeight * level)
		for n := uint64(0); n*tileWidth < count; n++ {
			width := int(min(count-n*tileWidth, tileWidth))
			tt, err := c.l.hashes.read(ctx, level, n, width)
			if err != nil {
				c.found("%v", err)
				continue
			}
			for i, h := range tt.nodes[0] {
				below, err := c.l.hashes.read(ctx, level-1, n*tileWidth+uint64(i), tileWidth)
				if err != nil {
					c.found("%v", err)
					continue
				}
				if below.nodes[tileHeight][0] != h {
					c.found("tile %s: its hash %d is not the root of tile %s below it: one of them was altered",
						tilePath(level, n), i, tilePath(level-1, n*tileWidth+uint64(i)))
				}
			}
		}
	}
	return nil
}

// entries holds every entry of the bundles to the level 0 tiles, to the tree's
// leaves and to the rules, and the snapshot to the state they lead to.
func (c *checker) entries(ctx context.Context, progress func(done, total uint64)) error {
	l, size := c.l, c.l.signed.Size
	state := new(trial.State)
	snapshot, records, err := l.journal.LoadSnapshot(ctx)
	if err != nil {
		c.found("the snapshot of the state: %v", err)
	}
	treeSize, _, err := l.tree.Head(ctx)
	if err != nil {
		return fmt.Errorf("read the tree's head: %w", err)
	}
	sound := true // so far: the rules are not replayed over what is altered
	for next := uint64(0); next < size; next += tileWidth {
		n := min(size-next, tileWidth)
		raws, err := c.bundle(ctx, next, int(n))
		if err != nil {
			c.found("%v", err)
			sound = false
			continue
		}
		c.leaves(ctx, next, raws, treeSize)
		var ids []trial.Hash
		for i, raw := range raws {
			e, err := trial.ParseEntry(raw)
			if err == nil {
				err = e.Verify()
			}
			if err == nil && sound {
				err = state.Apply(e)
			}
			if err != nil {
				c.found("entry %d: %v", next+uint64(i), err)
				sound = false
				continue
			}
			ids = append(ids, trial.Hash{})
			if e.Statement != nil {
				ids[len(ids)-1] = e.Statement.ID
			}
			if e.State != nil && sound {
				state.Commit()
				if state.Size() == snapshot {
					c.snapshot(e, state, records)
				}
			}
		}
		if len(ids) == len(raws) {
			if err := c.identities(ctx, next, ids); err != nil {
				return err
			}
		}
		if progress != nil {
			progress(next+n, size)
		}
	}
	if !sound {
		return nil
	}
	return c.about(ctx, state)
}

// about holds the journal's index of what each entry is about to the records
// that the entries lead to. Keys are not indexed by what they signed.
func (c *checker) about(ctx context.Context, state *trial.State) error {
	for _, r := range state.Records() {
		key, want := r.RecordKey(), r.Log()
		if key.Kind == "key" {
			continue
		}
		indexes, err := c.l.journal.Entries(ctx, key, 0, int(want.Count)+maxBatchEntries)
		if err != nil {
			return fmt.Errorf("look up entries of %s %s: %w", key.Kind, key.ID, err)
		}
		var got trial.Entries
		for _, i := range indexes {
			if i >= c.l.signed.Size {
				break // decided and not signed yet
			}
			leaf, err := c.l.hashes.hash(ctx, 0, i)
			if err != nil {
				return err
			}
			got.Add(i, trial.Hash(leaf))
		}
		if got.Root() != want.Root() {
			c.found("%s %s: the journal lists %d entries about it, %d lead to its record: its index was altered", key.Kind, key.ID, got.Count, want.Count)
		}
	}
	return nil
}

// bundle reads an entry bundle and holds each entry to its hash in the tile.
func (c *checker) bundle(ctx context.Context, first uint64, n int) ([][]byte, error) {
	tile, err := c.l.hashes.read(ctx, 0, first/tileWidth, n)
	if err != nil {
		return nil, err
	}
	data, err := c.l.tiles.Get(ctx, tilePath(-1, first/tileWidth))
	if err != nil {
		return nil, fmt.Errorf("read entry bundle %d: %w", first/tileWidth, err)
	}
	var raws [][]byte
	for i := range n {
		raw, rest, err := cutEntry(data)
		if err != nil {
			return nil, fmt.Errorf("entry bundle %s: %w", tilePath(-1, first/tileWidth), err)
		}
		data = rest
		if tlog.RecordHash(raw) != tile.nodes[0][i] {
			return nil, fmt.Errorf("entry %d: tile %s and entry bundle %s do not agree: one of them was altered",
				first+uint64(i), tilePath(0, first/tileWidth), tilePath(-1, first/tileWidth))
		}
		raws = append(raws, raw)
	}
	return raws, nil
}

// leaves holds the tree's own copy of the entries to the bundles.
func (c *checker) leaves(ctx context.Context, first uint64, raws [][]byte, treeSize uint64) {
	if treeSize < first+uint64(len(raws)) {
		return // said by compareTree
	}
	leaves, err := c.l.tree.Leaves(ctx, first, uint64(len(raws)))
	if err != nil {
		c.found("read leaves %d to %d of the database: %v", first, first+uint64(len(raws))-1, err)
		return
	}
	for i := range raws {
		if !bytes.Equal(leaves[i], raws[i]) {
			c.found("entry %d: the database holds other bytes than the entry bundle, which agrees with the tiles: the database was altered", first+uint64(i))
		}
	}
}

// identities holds the index of statements to where they stand.
func (c *checker) identities(ctx context.Context, first uint64, ids []trial.Hash) error {
	var ask []trial.Hash
	for _, id := range ids {
		if !id.IsZero() {
			ask = append(ask, id)
		}
	}
	at, err := c.l.journal.Lookup(ctx, ask)
	if err != nil {
		return fmt.Errorf("look up statements: %w", err)
	}
	for i, id := range ids {
		if got, ok := at[id]; !id.IsZero() && (!ok || got != first+uint64(i)) {
			c.found("entry %d: the journal has statement %s at %d: its index was altered", first+uint64(i), id, got)
		}
	}
	return nil
}

func (c *checker) snapshot(last *trial.Entry, state *trial.State, records []trial.Record) {
	if len(records) != state.Len() {
		c.found("the snapshot of the state at %d has %d records, the entries lead to %d", state.Size(), len(records), state.Len())
		return
	}
	if _, err := trial.Load(state.Genesis(), last.State, records); err != nil {
		c.found("the snapshot of the state: %v", err)
	}
}
