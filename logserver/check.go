package logserver

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/trialproof/trialproof/durable"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/tile"
)

// A Checking has the options of Check.
type Checking struct {
	// Found is called with each thing that does not agree, with its name.
	Found func(problem string)
	// Progress may be nil.
	Progress func(done, total uint64)
	// Mirror has the entries that are in neither tiles nor tree. Nothing that it serves is
	// trusted. It may be nil.
	Mirror tile.Source
	// Repair is called with each damaged file whose correct bytes are known, before it is
	// repaired; an error leaves the file as it is. If Repair is nil, all are only reported.
	Repair func(Mend) error
}

// A Mend is a damaged file and the bytes that belong there, which lead to the root that the log
// signed.
type Mend struct {
	Path   string // such as tile/0/000; for the checkpoint's copy, its name
	Why    string
	Source string // where the correct bytes come from
	Before []byte // nil if the file is missing
	After  []byte
	Tree   checkpoint.Tree // that the log signed
}

// Check compares everything a log has stored with everything else: tree, tiles, entry bundles,
// checkpoints, journal, and the state that the entries lead to. It writes nothing but repairs.
// An error says that the check could not be finished. The log must not be open.
func Check(ctx context.Context, cfg Config, how Checking) error {
	l, err := newLog(cfg)
	if err != nil {
		return err
	}
	l.damages.told = nil                            // they are reported only once, with all that is known
	if _, err := l.journal.Lease(ctx); err == nil { // tables of the first version know no lease
		if err := l.alone(ctx); err != nil {
			return err
		}
	}
	c := &checker{l: l, how: how, found: func(format string, args ...any) { how.Found(fmt.Sprintf(format, args...)) }}
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
	if err := c.head(ctx); err != nil {
		return err
	}
	if err := c.entries(ctx); err != nil {
		return err
	}
	if c.sound {
		for _, what := range []struct {
			name string
			note []byte
		}{{"the stored checkpoint", signed}, {"the published checkpoint", published}} {
			if what.note == nil {
				continue
			}
			cp, err := cfg.Policy.Open(what.note)
			if err == nil {
				err = l.holds(ctx, cp.Tree, what.name)
			}
			if err != nil {
				c.found("%v", err)
			}
		}
	}
	return c.copy(ctx)
}

// copy compares the checkpoint kept outside the database. It can be made again from the one in
// the database, unless it may be of a larger tree.
func (c *checker) copy(ctx context.Context) error {
	l, name := c.l, c.l.cfg.CheckpointFile
	kept, err := readOptional(name)
	if err != nil || name == "" {
		return err
	}
	why := "it is missing"
	if kept != nil {
		cp, err := l.cfg.Policy.Open(kept)
		if err == nil && c.sound {
			if err := l.holds(ctx, cp.Tree, name); err != nil {
				c.found("%v", err)
			}
		}
		if err == nil {
			return nil
		}
		text, _, _ := strings.Cut(string(kept), "\n\n")
		if tree, perr := checkpoint.ParseTree(text + "\n"); perr == nil && tree.Size > l.signed.Size {
			c.found("%s is damaged: %v; it says size %d and the database %d, so that the database may be an old copy: it is not repaired",
				name, err, tree.Size, l.signed.Size)
			return nil
		}
		why = err.Error()
	} else if c.how.Repair == nil {
		return nil // as in a folder whose log was never published
	}
	m := Mend{
		Path: filepath.Base(name), Why: why, Source: "the database's newest checkpoint",
		Before: kept, After: l.signed.note, Tree: l.signed.Tree,
	}
	c.mend(m, func() error { return durable.ReplaceAlone(name, m.After, 0o644) })
	return nil
}

// mend repairs a file, or reports it.
func (c *checker) mend(m Mend, write func() error) {
	if c.how.Repair == nil {
		c.damaged++
		c.found("%s is damaged: %s; -repair can put it back from %s", m.Path, m.Why, m.Source)
		return
	}
	err := c.how.Repair(m)
	if err == nil {
		err = write()
	}
	if err != nil {
		c.damaged++
		c.found("%s is damaged: %s; it was not repaired: %v", m.Path, m.Why, err)
	}
}

type checker struct {
	l       *Log
	how     Checking
	found   func(format string, args ...any)
	damaged int  // files that are not repaired
	sound   bool // the entries lead to the signed root, and the tiles are theirs
}

// head compares the tree's head with the newest checkpoint. After a crash it may be ahead by
// batches that were decided and not signed; the next start finishes them.
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

// entries finds the entries that lead to the signed root, wherever they are, and compares with
// them the tiles, the bundles, the tree's leaves, the rules and the journal.
func (c *checker) entries(ctx context.Context) error {
	l, size := c.l, c.l.signed.Size
	snapshot, records, err := l.journal.LoadSnapshot(ctx)
	if err != nil {
		c.found("the snapshot of the state: %v", err)
	}
	s, err := c.survey(ctx)
	if err != nil {
		return err
	}
	state := new(trial.State)
	kept := true // no rule is broken so far; the replay ends at the first broken one
	var later []func() error
	for next := uint64(0); next < size; next += tile.Width {
		raws, err := s.chunk(ctx, next, int(min(size-next, tile.Width)))
		if err != nil {
			c.found("%v", err)
			return nil
		}
		var ids []trial.Hash
		for i, raw := range raws {
			e, err := trial.ParseEntry(raw)
			if err == nil {
				err = e.Verify()
			}
			if err == nil && kept {
				err = state.Apply(e)
			}
			if err != nil {
				later = append(later, func() error { c.found("entry %d: %v", next+uint64(i), err); return nil })
				kept = false
				continue
			}
			ids = append(ids, trial.Hash{})
			if e.Statement != nil {
				ids[len(ids)-1] = e.Statement.ID
			}
			if e.State != nil && kept {
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
		if c.how.Progress != nil {
			c.how.Progress(next+uint64(len(raws)), size)
		}
	}
	if err := s.end(ctx); err != nil {
		return err
	}
	for _, f := range later {
		f()
	}
	c.sound = c.damaged == 0
	if !kept || !c.sound {
		return nil
	}
	return c.about(ctx, state)
}

// about compares the journal's index of what each entry is about with the records that the
// entries lead to. Keys are not indexed by what they signed.
func (c *checker) about(ctx context.Context, state *trial.State) error {
	for _, r := range state.Records() {
		key, want := r.RecordKey(), r.EntryTree()
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
			c.found("%s %s: the journal lists %s about it, but %s to its record: its index was altered", key.Kind, key.ID,
				trial.Count(got.Count, "entry", "entries"), trial.Count(want.Count, "leads", "lead"))
		}
	}
	return nil
}

// identities compares the index of statements with the indexes of the entries.
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
		c.found("the snapshot of the state at %d has %d records, but the entries lead to %d", state.Size(), len(records), state.Len())
		return
	}
	if _, err := trial.Load(state.Genesis(), last.State, records); err != nil {
		c.found("the snapshot of the state: %v", err)
	}
}
