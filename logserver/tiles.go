package logserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/tile"
)

// A tileTree is a tile with the hashes inside it: nodes[h][i] is the root of the i-th perfect
// subtree of height h over the tile's hashes. They never change once they are there, so a
// partial tile serves every smaller size too.
type tileTree struct {
	nodes [tile.Height + 1][]tlog.Hash
}

func (t *tileTree) width() int { return len(t.nodes[0]) }

func (t *tileTree) add(h tlog.Hash) {
	for level := 0; ; level++ {
		t.nodes[level] = append(t.nodes[level], h)
		n := len(t.nodes[level])
		if n%2 == 1 || level == tile.Height {
			return
		}
		h = tlog.NodeHash(t.nodes[level][n-2], t.nodes[level][n-1])
	}
}

// data returns the tile's bytes from the i-th hash on.
func (t *tileTree) data(i int) []byte {
	var b []byte
	for _, h := range t.nodes[0][i:] {
		b = append(b, h[:]...)
	}
	return b
}

// A hashTree is the Merkle tree as tiles: the rightmost ones in memory, the full ones in the
// store, with a cache. It is the log's own computation of the tree, from what was decided and
// never from what Trillian says.
//
// The rightmost tiles lead to the root that the log signed; whoever opens the tree compares
// that. Every other tile is used only if its root is the hash in the tile above it, and every
// entry only if it has the hash in the tile. So what is read is what was signed, or an error
// that names the file.
type hashTree struct {
	store   TileStore
	damages *damages

	mu     sync.RWMutex // guards the fields below
	size   uint64
	edge   []*tileTree // the rightmost tile of each level, partial or empty
	bundle []byte      // the rightmost entry bundle, partial or empty
	full   map[tlog.Tile]*tileTree
}

const cachedTiles = 512 // 16 KiB each

// openHashTree loads the right edge of the tree of a size from the store.
func openHashTree(ctx context.Context, store TileStore, d *damages, size uint64) (*hashTree, error) {
	t := &hashTree{store: store, damages: d, size: size, full: map[tlog.Tile]*tileTree{}}
	for level := 0; size>>(tile.Height*level) > 0; level++ {
		count := size >> (tile.Height * level)
		tt := new(tileTree)
		if w := int(count % tile.Width); w > 0 {
			var err error
			if tt, err = t.read(ctx, level, count/tile.Width, w); err != nil {
				return nil, err
			}
		}
		t.edge = append(t.edge, tt)
	}
	if w := int(size % tile.Width); w > 0 {
		path := tile.Path(tile.Entries, size/tile.Width, tile.Width)
		data, err := t.get(ctx, path)
		if err != nil {
			return nil, err
		}
		_, rest, err := tile.Split(data, w)
		if err != nil {
			return nil, d.found(path, "%v", err)
		}
		end := len(data) - len(rest)
		t.bundle = data[:end:end]
	}
	return t, nil
}

// get reads a stored file that must be there; if it is not, it was lost.
func (t *hashTree) get(ctx context.Context, path string) ([]byte, error) {
	data, err := t.store.Get(ctx, path)
	if errors.Is(err, ErrNotFound) {
		return nil, t.damages.found(path, "it is missing")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrStore, path, err)
	}
	return data, nil
}

// read reads a tile without checking it.
func (t *hashTree) read(ctx context.Context, level int, n uint64, width int) (*tileTree, error) {
	path := tile.Path(level, n, tile.Width)
	data, err := t.get(ctx, path)
	if err != nil {
		return nil, err
	}
	if len(data) < width*tlog.HashSize {
		return nil, t.damages.found(path, "it has %d bytes, wanted %d", len(data), width*tlog.HashSize)
	}
	tt := new(tileTree)
	for i := range width {
		tt.add(tlog.Hash(data[i*tlog.HashSize:]))
	}
	return tt, nil
}

// load reads a full tile, whose root must be the hash in the tile above it.
func (t *hashTree) load(ctx context.Context, level int, n uint64) (*tileTree, error) {
	t.mu.RLock()
	there := n < t.size>>(tile.Height*(level+1))
	t.mu.RUnlock()
	if !there {
		return nil, fmt.Errorf("%s is not a full tile of this tree", tile.Path(level, n, tile.Width))
	}
	tt, err := t.read(ctx, level, n, tile.Width)
	if err != nil {
		return nil, err
	}
	want, err := t.hash(ctx, tile.Height*(level+1), n)
	if err != nil {
		return nil, err
	}
	if tt.nodes[tile.Height][0] != want {
		above := tile.Path(level+1, n/tile.Width, tile.Width)
		return nil, t.damages.found(tile.Path(level, n, tile.Width), "its hashes do not lead to the one in %s above it", above)
	}
	return tt, nil
}

// append adds entries and returns the parts of tiles that must be stored
// before a checkpoint of the new size is signed.
func (t *hashTree) append(entries []BatchEntry) []TilePart {
	t.mu.Lock()
	defer t.mu.Unlock()
	var parts []TilePart
	start := make([]int, len(t.edge)) // width of each edge tile before
	for i, e := range t.edge {
		start[i] = e.width()
	}
	bundleStart := len(t.bundle)
	put := func(level int, n uint64) {
		if e := t.edge[level]; e.width() > start[level] {
			parts = append(parts, TilePart{tile.Path(level, n, tile.Width), start[level] * tlog.HashSize, e.data(start[level])})
		}
	}
	for _, entry := range entries {
		t.bundle = tile.Append(t.bundle, entry.Raw)
		h := tlog.RecordHash(entry.Raw)
		t.size++
		for level := 0; ; level++ {
			if level == len(t.edge) {
				t.edge, start = append(t.edge, new(tileTree)), append(start, 0)
			}
			e := t.edge[level]
			e.add(h)
			if e.width() < tile.Width {
				break
			}
			n := t.size>>(tile.Height*(level+1)) - 1
			put(level, n)
			if level == 0 {
				parts = append(parts, TilePart{tile.Path(tile.Entries, n, tile.Width), bundleStart, t.bundle[bundleStart:]})
				t.bundle, bundleStart = nil, 0
			}
			h = e.nodes[tile.Height][0]
			t.keep(tlog.Tile{H: tile.Height, L: level, N: int64(n), W: tile.Width}, e)
			t.edge[level], start[level] = new(tileTree), 0
		}
	}
	for level := range t.edge {
		put(level, t.size>>(tile.Height*(level+1)))
	}
	if len(t.bundle) > bundleStart {
		path := tile.Path(tile.Entries, t.size/tile.Width, tile.Width)
		parts = append(parts, TilePart{path, bundleStart, bytes.Clone(t.bundle[bundleStart:])})
	}
	return parts
}

// clone returns a copy to which entries can be appended without changing t.
func (t *hashTree) clone() *hashTree {
	t.mu.RLock()
	defer t.mu.RUnlock()
	c := &hashTree{store: t.store, damages: t.damages, size: t.size, bundle: slices.Clip(t.bundle), full: map[tlog.Tile]*tileTree{}}
	for _, e := range t.edge {
		x := new(tileTree)
		for level := range e.nodes {
			x.nodes[level] = slices.Clip(e.nodes[level])
		}
		c.edge = append(c.edge, x)
	}
	return c
}

// become takes over the entries that were appended to a clone.
func (t *hashTree) become(c *hashTree) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.size, t.edge, t.bundle = c.size, c.edge, c.bundle
	for id, tt := range c.full {
		t.keep(id, tt)
	}
}

// len returns the number of entries.
func (t *hashTree) len() uint64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.size
}

// extend appends what is stored of the entries from the tree's end up to a size. It is checked by
// nothing: the caller compares the root.
func (t *hashTree) extend(ctx context.Context, size uint64) error {
	for t.size < size {
		path := tile.Path(tile.Entries, t.size/tile.Width, tile.Width)
		data, err := t.store.Get(ctx, path)
		if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		first := t.size - t.size%tile.Width
		raws, _, err := tile.Split(data, int(min(size-first, tile.Width)))
		if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		var batch []BatchEntry
		for _, raw := range raws[t.size-first:] {
			batch = append(batch, BatchEntry{Raw: raw})
		}
		t.append(batch)
	}
	return nil
}

// keep caches a full tile. t.mu is held.
func (t *hashTree) keep(id tlog.Tile, tt *tileTree) {
	if len(t.full) >= cachedTiles {
		for old := range t.full { // any one will do
			delete(t.full, old)
			break
		}
	}
	t.full[id] = tt
}

// reader reads stored hashes for package tlog's proofs.
func (t *hashTree) reader(ctx context.Context) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			level, n := tlog.SplitStoredHashIndex(x)
			h, err := t.hash(ctx, level, uint64(n))
			if err != nil {
				return nil, err
			}
			hashes[i] = h
		}
		return hashes, nil
	})
}

// hash returns the root of the n-th perfect subtree of a height.
func (t *hashTree) hash(ctx context.Context, height int, n uint64) (tlog.Hash, error) {
	level, h := height/tile.Height, height%tile.Height
	at := n >> (tile.Height - h)
	i := int(n & (tile.Width>>h - 1))
	id := tlog.Tile{H: tile.Height, L: level, N: int64(at), W: tile.Width}
	t.mu.RLock()
	tt := t.full[id]
	if tt == nil && level < len(t.edge) && at == t.size>>(tile.Height*(level+1)) {
		tt = t.edge[level]
	}
	if tt != nil && i < len(tt.nodes[h]) {
		hash := tt.nodes[h][i]
		t.mu.RUnlock()
		return hash, nil
	}
	t.mu.RUnlock()
	tt, err := t.load(ctx, level, at)
	if err != nil {
		return tlog.Hash{}, err
	}
	t.mu.Lock()
	t.keep(id, tt)
	t.mu.Unlock()
	return tt.nodes[h][i], nil
}

// root returns the root at a size up to the tree's.
func (t *hashTree) root(ctx context.Context, size uint64) (tlog.Hash, error) {
	return tlog.TreeHash(int64(size), t.reader(ctx))
}

// prefix returns the first bytes of a tile, of which the tree has at least so many hashes.
func (t *hashTree) prefix(ctx context.Context, level int, n uint64, width int) ([]byte, error) {
	var data []byte
	for i := range width {
		h, err := t.hash(ctx, tile.Height*level, n*tile.Width+uint64(i))
		if err != nil {
			return nil, err
		}
		data = append(data, h[:]...)
	}
	return data, nil
}

// inclusion returns the RFC 6962 inclusion proof of index at size.
func (t *hashTree) inclusion(ctx context.Context, index, size uint64) ([][32]byte, error) {
	p, err := tlog.ProveRecord(int64(size), int64(index), t.reader(ctx))
	return fromTlog(p), err
}

// consistency returns the RFC 6962 consistency proof between two sizes.
func (t *hashTree) consistency(ctx context.Context, from, to uint64) ([][32]byte, error) {
	if from == 0 || from == to {
		return nil, nil
	}
	p, err := tlog.ProveTree(int64(to), int64(from), t.reader(ctx))
	return fromTlog(p), err
}

func fromTlog(p []tlog.Hash) [][32]byte {
	out := make([][32]byte, len(p))
	for i, h := range p {
		out[i] = h
	}
	return out
}

// entries returns the bytes of up to n entries from first on, at most to the end of the bundle
// with the first one, each compared with its hash in the tree.
func (t *hashTree) entries(ctx context.Context, first uint64, n int) ([][]byte, error) {
	path := tile.Path(tile.Entries, first/tile.Width, tile.Width)
	data, err := t.get(ctx, path)
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for i := first - first%tile.Width; len(out) < n && i/tile.Width == first/tile.Width; i++ {
		raw, rest, err := tile.Cut(data)
		if err != nil {
			return nil, t.damages.found(path, "%v", err)
		}
		data = rest
		if i < first {
			continue
		}
		want, err := t.hash(ctx, 0, i)
		if err != nil {
			return nil, err
		}
		if tlog.RecordHash(raw) != want {
			return nil, t.damages.found(path, "its entry %d is not the one that the log signed", i)
		}
		out = append(out, raw)
	}
	return out, nil
}

// entriesAt returns the bytes of entries of one bundle, in order, each compared with its hash
// in the tree. They are copies, so they do not keep the bundle in memory.
func (t *hashTree) entriesAt(ctx context.Context, indexes []uint64) ([][]byte, error) {
	first, last := indexes[0], indexes[len(indexes)-1]
	all, err := t.entries(ctx, first, int(last-first)+1)
	if err != nil {
		return nil, err
	}
	out := make([][]byte, len(indexes))
	for k, i := range indexes {
		if i-first >= uint64(len(all)) {
			return nil, t.damages.found(tile.Path(tile.Entries, first/tile.Width, tile.Width), "it ends before the entry at %d", i)
		}
		out[k] = bytes.Clone(all[i-first])
	}
	return out, nil
}

// ErrTilePath says that a path names no tile of any tree.
var ErrTilePath = errors.New("not a tile's path")

// Tile returns the bytes of a tile or entry bundle by its path as in c2sp.org/tlog-tiles, such
// as tile/0/x001/067.p/8. Only tiles of signed trees are there; others are ErrNotFound.
func (l *Log) Tile(ctx context.Context, path string) ([]byte, error) {
	name, ok := strings.CutPrefix(path, "tile/")
	if !ok {
		return nil, ErrTilePath
	}
	data := strings.HasPrefix(name, "entries/")
	if data {
		name = "data" + strings.TrimPrefix(name, "entries")
	}
	t, err := tlog.ParseTilePath("tile/8/" + name)
	if err != nil || t.L > 63 || t.L < 0 && !data { // x/mod has another name for bundles
		return nil, ErrTilePath
	}
	level := t.L
	if data {
		level = 0
	}
	// SPEC: "Logs MUST serve partial tiles corresponding to tree sizes for which
	// a checkpoint was produced". Nothing beyond the signed size is there.
	if t.L > 7 || uint64(t.N)*tile.Width+uint64(t.W) > l.signedSize()>>(tile.Height*level) {
		return nil, ErrNotFound
	}
	if !data {
		return l.hashes.prefix(ctx, t.L, uint64(t.N), t.W)
	}
	raws, err := l.hashes.entries(ctx, uint64(t.N)*tile.Width, t.W)
	if err != nil {
		return nil, err
	}
	var b []byte
	for _, raw := range raws {
		b = tile.Append(b, raw)
	}
	return b, nil
}

// parse parses the leaf at an index and compares it with the tree.
func (t *hashTree) parse(ctx context.Context, index uint64) (*trial.Entry, error) {
	raws, err := t.entries(ctx, index, 1)
	if err != nil {
		return nil, err
	}
	return trial.ParseEntry(raws[0])
}
