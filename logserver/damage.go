package logserver

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/trialproof/trialproof/trial/tile"
)

// A Damage says that a stored file does not have what the log signed. Its contents are neither
// served nor used in proofs. It wraps nothing: a missing file does not mean that there is no
// such tile.
type Damage struct {
	Path string // such as tile/0/000 or tile/entries/x001/067
	Why  string
}

func (d *Damage) Error() string {
	return fmt.Sprintf("%s is damaged: %s: stop the log and run triallog fsck -repair", d.Path, d.Why)
}

// damages are the files that were found damaged since the start.
type damages struct {
	mu   sync.Mutex // guards list
	list map[string]*Damage
	told func(*Damage) // of each file once; may be nil
}

// maxDamages bounds what is remembered. With more damages than that, the disk is gone.
const maxDamages = 1000

// found makes a damage known and returns it as an error.
func (d *damages) found(path, format string, args ...any) error {
	x := &Damage{path, fmt.Sprintf(format, args...)}
	d.mu.Lock()
	_, known := d.list[path]
	if !known && len(d.list) < maxDamages {
		if d.list == nil {
			d.list = map[string]*Damage{}
		}
		d.list[path] = x
	}
	d.mu.Unlock()
	if !known && d.told != nil {
		d.told(x)
	}
	return x
}

// Damaged returns the stored files that were found damaged since the start.
func (l *Log) Damaged() []*Damage {
	d := &l.damages
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []*Damage
	for _, path := range slices.Sorted(maps.Keys(d.list)) {
		list = append(list, d.list[path])
	}
	return list
}

// edges looks for what is wrong with the rightmost tiles if they do not lead to the root that
// the log signed. It makes each again from what is below it. If those lead to the root, the
// tiles that differ are damaged. Otherwise it returns nil.
func (t *hashTree) edges(ctx context.Context, size uint64, root [32]byte) error {
	anew := &hashTree{store: t.store, damages: &damages{}, size: size, full: map[tlog.Tile]*tileTree{}}
	wrong := ""
	for level := range t.edge {
		e := new(tileTree)
		first := size >> (tile.Height * (level + 1)) * tile.Width
		for i := range uint64(t.edge[level].width()) {
			h, err := t.below(ctx, level, first+i)
			if err != nil {
				return nil
			}
			if h != t.edge[level].nodes[0][i] && wrong == "" {
				wrong = tile.Path(level, first/tile.Width, tile.Width)
			}
			e.add(h)
		}
		anew.edge = append(anew.edge, e)
	}
	if got, err := anew.root(ctx, size); err != nil || got != root || wrong == "" {
		return nil
	}
	return t.damages.found(wrong, "the hashes in it do not lead to the root that the log signed at size %d, but those below it do", size)
}

// below returns the n-th hash of a level from what is stored below it: the root of a tile, or
// an entry.
func (t *hashTree) below(ctx context.Context, level int, n uint64) (h tlog.Hash, err error) {
	if level > 0 {
		tt, err := t.read(ctx, level-1, n, tile.Width)
		if err != nil {
			return h, err
		}
		return tt.nodes[tile.Height][0], nil
	}
	data, err := t.store.Get(ctx, tile.Path(tile.Entries, n/tile.Width, tile.Width))
	if err != nil {
		return h, err
	}
	var raw []byte
	for range n%tile.Width + 1 {
		if raw, data, err = tile.Cut(data); err != nil {
			return h, err
		}
	}
	return tlog.RecordHash(raw), nil
}

// checkBundle compares the rightmost entry bundle with the hashes of its entries,
// which lead to a signed root.
func (t *hashTree) checkBundle() error {
	path, rest := tile.Path(tile.Entries, t.size/tile.Width, tile.Width), t.bundle
	if len(t.edge) == 0 {
		return nil
	}
	for i, want := range t.edge[0].nodes[0] {
		raw, next, err := tile.Cut(rest)
		if err != nil {
			return t.damages.found(path, "%v", err)
		}
		if tlog.RecordHash(raw) != want {
			return t.damages.found(path, "its entry %d is not the one that the log signed", t.size-t.size%tile.Width+uint64(i))
		}
		rest = next
	}
	return nil
}
