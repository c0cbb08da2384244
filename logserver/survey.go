package logserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/trialproof/trialproof/trial/tile"
)

// A survey computes the tree again from its entries, 256 at a time, and compares what is stored
// with it. The same entries are in the bundle, in the tree's database and at a mirror, and
// their hashes are in two tiles. Until the root is known, the majority decides which of them to
// use; then only the root decides.
type survey struct {
	c        *checker
	hashes   *hashTree // computed again; its edges are never read from the store
	treeSize uint64
	sources  []string          // of the chunks
	tiles    map[string][]byte // tiles above level 0 that are not complete yet
	mends    []Mend
	leaves   []string // where the database differs
}

// maxMends bounds what is kept until the root is known.
const maxMends = 10_000

func (c *checker) survey(ctx context.Context) (*survey, error) {
	l := c.l
	size, _, err := l.tree.Head(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the tree's head: %w", err)
	}
	s := &survey{c: c, treeSize: size, tiles: map[string][]byte{}}
	if s.hashes, err = openHashTree(ctx, l.tiles, &l.damages, 0); err != nil {
		return nil, err
	}
	l.hashes = s.hashes
	return s, nil
}

// A copyOf is what one place has as the entries of a chunk.
type copyOf struct {
	source string
	raws   [][]byte
	root   tlog.Hash
}

// chunk returns the entries from first on, and compares what is stored of them.
func (s *survey) chunk(ctx context.Context, first uint64, n int) ([][]byte, error) {
	path := tile.Path(tile.Entries, first/tile.Width, tile.Width)
	stored, err := s.get(ctx, path)
	if err != nil {
		return nil, err
	}
	votes := map[tlog.Hash]int{}
	var copies []copyOf
	add := func(source string, raws [][]byte) {
		if len(raws) == n {
			x := copyOf{source, raws, chunkRoot(raws)}
			copies = append(copies, x)
			votes[x.root]++
		}
	}
	add("entry bundle "+path, cutBundle(stored, n))
	if first+uint64(n) <= s.treeSize {
		leaves, err := s.c.l.tree.Leaves(ctx, first, uint64(n))
		if err != nil {
			s.leaves = append(s.leaves, fmt.Sprintf("read leaves %d to %d of the database: %v", first, first+uint64(n)-1, err))
		} else {
			add("the tree's database", leaves)
		}
	}
	for level := range 2 { // what the tiles say about the same entries
		root, err := s.tileSays(ctx, level, first, n)
		if err != nil {
			return nil, err
		}
		if root != (tlog.Hash{}) {
			votes[root]++
		}
	}
	agree := len(votes) == 1 && len(copies) > 0
	if !agree && s.c.how.Mirror != nil {
		data, err := s.c.how.Mirror.Tile(ctx, tile.Path(tile.Entries, first/tile.Width, n))
		if err == nil {
			add("the mirror", cutBundle(data, n))
		}
	}
	if len(copies) == 0 {
		return nil, fmt.Errorf("entries %d to %d: neither %s nor the database has them: name a mirror that has, with -repair -from URL",
			first, first+uint64(n)-1, path)
	}
	best := copies[0]
	for _, x := range copies[1:] {
		if votes[x.root] > votes[best.root] {
			best = x
		}
	}
	s.compareLeaves(first, best, copies)
	s.sources = append(s.sources, best.source)
	batch := make([]BatchEntry, n)
	for i, raw := range best.raws {
		batch[i].Raw = raw
	}
	for _, p := range s.hashes.append(batch) {
		if p.Offset == 0 && (strings.HasPrefix(p.Path, "tile/0/") || p.Path == path) {
			if err := s.compare(ctx, p.Path, p.Data, best.source); err != nil {
				return nil, err
			}
			continue
		}
		s.tiles[p.Path] = append(s.tiles[p.Path], p.Data...)
		if len(s.tiles[p.Path]) == tile.Width*tlog.HashSize {
			if err := s.compare(ctx, p.Path, s.tiles[p.Path], "the tiles below it"); err != nil {
				return nil, err
			}
			delete(s.tiles, p.Path)
		}
	}
	if len(s.mends) > maxMends {
		return nil, fmt.Errorf("over %d files are damaged: make the log again by triallog restore", maxMends)
	}
	return best.raws, nil
}

// get returns what is stored, or nil if it is missing.
func (s *survey) get(ctx context.Context, path string) ([]byte, error) {
	data, err := s.c.l.tiles.Get(ctx, path)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return data, nil
}

// tileSays returns the root of a chunk by the tile of a level, or zero if the tile says nothing
// about it.
func (s *survey) tileSays(ctx context.Context, level int, first uint64, n int) (h tlog.Hash, err error) {
	if level == 1 && n < tile.Width {
		return h, nil // its root is in no tile
	}
	data, err := s.get(ctx, tile.Path(level, first>>(tile.Height*(level+1)), tile.Width))
	if err != nil {
		return h, err
	}
	if level == 1 {
		i := int(first / tile.Width % tile.Width * tlog.HashSize)
		if len(data) >= i+tlog.HashSize {
			h = tlog.Hash(data[i:])
		}
		return h, nil
	}
	if len(data) < n*tlog.HashSize {
		return h, nil
	}
	return treeRoot(n, func(i int) tlog.Hash { return tlog.Hash(data[i*tlog.HashSize:]) }), nil
}

func chunkRoot(raws [][]byte) tlog.Hash {
	return treeRoot(len(raws), func(i int) tlog.Hash { return tlog.RecordHash(raws[i]) })
}

// treeRoot returns the RFC 6962 root over n leaf hashes.
func treeRoot(n int, leaf func(i int) tlog.Hash) tlog.Hash {
	if n == 1 {
		return leaf(0)
	}
	k := 1
	for 2*k < n {
		k *= 2
	}
	return tlog.NodeHash(treeRoot(k, leaf), treeRoot(n-k, func(i int) tlog.Hash { return leaf(k + i) }))
}

// cutBundle returns the first n entries of a bundle, or fewer if it is damaged.
func cutBundle(data []byte, n int) [][]byte {
	raws, _, _ := tile.Split(data, n)
	return raws
}

// compareLeaves records where the database differs from the chosen entries.
func (s *survey) compareLeaves(first uint64, best copyOf, copies []copyOf) {
	for _, x := range copies {
		if x.source != "the tree's database" {
			continue
		}
		for i := range x.raws {
			if !bytes.Equal(x.raws[i], best.raws[i]) {
				s.leaves = append(s.leaves, fmt.Sprintf("entry %d: the database holds other bytes than %s, which agrees with the tiles: "+
					"the database was altered; "+
					"make it again by triallog restore", first+uint64(i), best.source))
			}
		}
	}
}

// compare records a file that does not begin with the bytes that belong there.
func (s *survey) compare(ctx context.Context, path string, want []byte, source string) error {
	stored, err := s.get(ctx, path)
	if err != nil {
		return err
	}
	why := ""
	switch {
	case stored == nil:
		why = "it is missing"
	case len(stored) < len(want):
		why = fmt.Sprintf("it has %d bytes where %d belong", len(stored), len(want))
	case !bytes.HasPrefix(stored, want):
		at := 0
		for stored[at] == want[at] {
			at++
		}
		why = fmt.Sprintf("byte %d of it is not the one that belongs there", at)
	default:
		return nil
	}
	s.mends = append(s.mends, Mend{Path: path, Why: why, Source: source, Before: stored, After: bytes.Clone(want), Tree: s.c.l.signed.Tree})
	return nil
}

// end compares the root. Only if the entries lead to the root that the log signed, it is known
// what is damaged and what repairs it.
func (s *survey) end(ctx context.Context) error {
	l := s.c.l
	for _, path := range slices.Sorted(maps.Keys(s.tiles)) {
		if err := s.compare(ctx, path, s.tiles[path], "the tiles below it"); err != nil {
			return err
		}
	}
	root, err := s.hashes.root(ctx, l.signed.Size) // of the rightmost tiles, which are in memory
	if err != nil {
		return err
	}
	if root != tlog.Hash(l.signed.Root) {
		s.c.damaged++
		s.c.found("the entries lead to the root %x at size %d, but the log signed %x: entries were altered in more than one place, "+
			"and which are right is not known here: name a mirror, with -repair -from URL, or make the log again by triallog restore",
			root[:], l.signed.Size, l.signed.Root)
		for _, m := range s.mends {
			s.c.found("%s does not agree with %s", m.Path, m.Source)
		}
		return nil
	}
	for _, m := range s.mends {
		s.c.mend(m, func() error { return l.tiles.Replace(ctx, m.Path, m.After) })
	}
	for _, text := range s.leaves {
		s.c.found("%s", text)
	}
	return nil
}
