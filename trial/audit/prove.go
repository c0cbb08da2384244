package audit

import (
	"context"
	"errors"
	"fmt"

	"github.com/transparency-dev/merkle/compact"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/evidence"
	"github.com/trialproof/trialproof/trial/tile"
)

// A window has the entries after the last state entry. With the records of the state there that
// the rules consult, others can judge the next entry.
type window struct {
	entries []leaf
	bytes   int
}

// maxWindow bounds the entries of one batch that are kept, in bytes. The server's batches have
// at most 1 MiB. A log that ends no tree for longer breaks rules that no evidence can show.
const maxWindow = 16 << 20

func (w *window) add(l leaf) {
	if w.bytes += len(l.raw); w.bytes > maxWindow {
		w.entries = nil
		return
	}
	w.entries = append(w.entries, l)
}

// A breach is the first entry that broke a rule, with everything that shows it.
type breach struct {
	genesis, state []byte
	first          uint64   // index of entries[0]
	entries        [][]byte // from the one after the state entry to the one that broke the rule
	known          []trial.Known
	err            error // why it cannot be shown
}

// capture keeps what shows that the last pending entry breaks a rule: by its form, if malformed
// is not nil, or as the state judged it just now.
func (a *Auditor) capture(malformed error) {
	if a.breach != nil {
		return
	}
	b := &breach{genesis: a.genesis, state: a.last, first: a.ended}
	a.breach = b
	if len(a.pending.entries) == 0 {
		b.err = fmt.Errorf("there are more than %d bytes of entries between two state entries", maxWindow)
		return
	}
	var entries []*trial.Entry
	for i, l := range a.pending.entries {
		b.entries = append(b.entries, l.raw)
		if malformed == nil || i < len(a.pending.entries)-1 {
			entries = append(entries, l.entry)
		}
	}
	b.known, b.err = a.state.Consulted(entries)
}

// ErrUnprovable is wrapped by every error of Evidence: for what was found there is only this
// auditor's claim.
var ErrUnprovable = errors.New("nothing of it can be proven to others")

// Evidence returns what proves the first finding of the last report that can be proven to
// others. It has been verified under the auditor's policy.
func (a *Auditor) Evidence(ctx context.Context) (*evidence.Evidence, error) {
	e, _, err := a.evidence(ctx)
	return e, err
}

func (a *Auditor) evidence(ctx context.Context) (*evidence.Evidence, Finding, error) {
	var why []error
	for _, f := range a.report.Findings {
		e, err := a.prove(ctx, f)
		if err == nil {
			_, err = e.Verify(a.Policy)
		}
		if err == nil {
			return e, f, nil
		}
		why = append(why, fmt.Errorf("%s at %d: %w", f.Kind, f.Index, err))
		if f.Kind == "rule" {
			break // later findings rest on entries that the rules refused
		}
	}
	return nil, Finding{}, fmt.Errorf("%w: %w", ErrUnprovable, errors.Join(why...))
}

func (a *Auditor) prove(ctx context.Context, f Finding) (*evidence.Evidence, error) {
	r := a.report
	switch f.Kind {
	case "fork":
		return evidence.NewFork(r.before, r.signed), nil
	case "rollback", "root":
		if r.before == nil {
			return nil, errors.New("no other checkpoint was seen before")
		}
		return Compare(ctx, a.Policy, a.Source, r.before, r.signed)
	case "rule":
		b := a.breach
		if b.err != nil {
			return nil, b.err
		}
		hashes := verified(ctx, a.Source, r.Checkpoint.Tree)
		return evidence.NewRule(r.signed, b.genesis, b.state, b.first, b.entries, b.known, func(index uint64) ([][32]byte, error) {
			p, err := tlog.ProveRecord(int64(r.Checkpoint.Size), int64(index), hashes)
			path := make([][32]byte, len(p))
			for i, h := range p {
				path[i] = h
			}
			return path, err
		})
	}
	return nil, errors.New("it is only this auditor's claim")
}

// ErrConsistent says that the smaller of two checkpoints' trees is part of the larger one:
// nothing is wrong between them.
var ErrConsistent = errors.New("the smaller tree is part of the larger")

// Compare returns what proves that two checkpoints, signed by a log of the policy, are of trees
// of which neither contains the other; or ErrConsistent. It reads hashes of the larger tree
// from src and checks them against its root. Another error says that the two could not be
// compared.
func Compare(ctx context.Context, p *checkpoint.Policy, src tile.Source, one, other []byte) (*evidence.Evidence, error) {
	a, err := evidence.Open(p, one)
	if err != nil {
		return nil, err
	}
	b, err := evidence.Open(p, other)
	if err != nil {
		return nil, err
	}
	if a.Size > b.Size {
		a, b, one, other = b, a, other, one
	}
	var e *evidence.Evidence
	switch {
	case a.Origin != b.Origin:
		return nil, fmt.Errorf("the checkpoints are of two logs, %q and %q", a.Origin, b.Origin)
	case a == b:
		return nil, ErrConsistent
	case a.Size == b.Size:
		e = evidence.NewFork(one, other)
	default:
		if e, err = evidence.NewInconsistent(one, other, a.Size, b.Size, verified(ctx, src, b)); err != nil {
			return nil, err
		}
	}
	if _, err := e.Verify(p); err != nil {
		return nil, ErrConsistent // the hashes lead to both roots
	}
	return e, nil
}

// verified returns a reader of a tree's hashes, each proven to lead to the tree's root. It
// reads tiles or, if they are withheld or wrong, the entries themselves.
func verified(ctx context.Context, src tile.Source, tree checkpoint.Tree) tlog.HashReader {
	t := &tiles{ctx: ctx, src: src, got: map[string][]byte{}}
	fast := tlog.TileHashReader(tlog.Tree{N: int64(tree.Size), Hash: tree.Root}, t)
	var all map[int64]tlog.Hash // set once tiles have failed
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		if all == nil {
			list, err := fast.ReadHashes(indexes)
			if err == nil {
				return list, nil
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			all = map[int64]tlog.Hash{}
		}
		return fromEntries(ctx, src, tree, all, indexes)
	})
}

// tiles reads a log's tiles for package tlog, which checks them against the root.
type tiles struct {
	ctx context.Context
	src tile.Source
	got map[string][]byte // by path
}

func (t *tiles) Height() int { return 8 }

func (t *tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t *tiles) ReadTiles(list []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, want := range list {
		path := tile.Path(want.L, uint64(want.N), want.W)
		if t.got[path] == nil {
			data, err := t.src.Tile(t.ctx, path)
			if err != nil {
				return nil, fmt.Errorf("fetch %s: %w", path, err)
			}
			t.got[path] = data
		}
		all = append(all, t.got[path])
	}
	return all, nil
}

// fromEntries computes the hashes from all entries of the tree, which must lead to its root. It
// keeps the hashes that were asked for.
func fromEntries(
	ctx context.Context, src tile.Source, tree checkpoint.Tree, known map[int64]tlog.Hash, indexes []int64,
) ([]tlog.Hash, error) {
	missing := map[compact.NodeID]int64{}
	for _, x := range indexes {
		if _, ok := known[x]; !ok {
			level, n := tlog.SplitStoredHashIndex(x)
			missing[compact.NewNodeID(uint(level), uint64(n))] = x
		}
	}
	if len(missing) > 0 {
		r := ranges.NewEmptyRange(0)
		found := map[int64]tlog.Hash{}
		visit := func(id compact.NodeID, hash []byte) {
			if x, ok := missing[id]; ok {
				found[x] = tlog.Hash(hash)
			}
		}
		for n := uint64(0); n*tile.Width < tree.Size; n++ {
			raws, err := entries(ctx, src, n, tree.Size)
			if err != nil {
				return nil, err
			}
			for _, raw := range raws {
				h := (&trial.Entry{Raw: raw}).LeafHash()
				visit(compact.NewNodeID(0, r.End()), h[:])
				if err := r.Append(h[:], visit); err != nil {
					return nil, err
				}
			}
		}
		if h, err := root(r); err != nil || [32]byte(h) != tree.Root {
			return nil, errors.New("neither the tiles nor the entries that the log serves lead to the root that it signed")
		}
		for x, h := range found {
			known[x] = h
		}
	}
	list := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		h, ok := known[x]
		if !ok {
			return nil, fmt.Errorf("the tree of size %d has no hash %d", tree.Size, x)
		}
		list[i] = h
	}
	return list, nil
}
