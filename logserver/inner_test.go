package logserver

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// memoryTiles is a TileStore in memory.
type memoryTiles map[string][]byte

func (m memoryTiles) Put(ctx context.Context, parts []TilePart) error {
	for _, p := range parts {
		m[p.Path] = append(m[p.Path][:p.Offset], p.Data...)
	}
	return nil
}

func (m memoryTiles) Replace(ctx context.Context, path string, data []byte) error {
	m[path] = data
	return nil
}

func (m memoryTiles) Get(ctx context.Context, path string) ([]byte, error) {
	if m[path] == nil {
		return nil, ErrNotFound
	}
	return m[path], nil
}

// TestFlippedInnerTile flips a bit in a full tile of a level above 0, which only a
// tree of over 65,536 entries has.
func TestFlippedInnerTile(t *testing.T) {
	store := memoryTiles{}
	tree, err := openHashTree(t.Context(), store, &damages{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	const size = 256*256 + 700
	for first := 0; first < size; first += 256 {
		var batch []BatchEntry
		for i := first; i < min(first+256, size); i++ {
			batch = append(batch, BatchEntry{Raw: fmt.Appendf(nil, "entry %d", i)})
		}
		store.Put(t.Context(), tree.append(batch))
	}
	root, err := tree.root(t.Context(), size)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"tile/1/000", "tile/0/007", "tile/0/000", "tile/0/257"} {
		good := store[path]
		for _, at := range []int{0, 7*32 + 5, len(good) - 1} {
			store[path] = bytes.Clone(good)
			store[path][at] ^= 4
			opened, err := openHashTree(t.Context(), store, &damages{}, size)
			if err != nil {
				t.Fatal(err)
			}
			named := false
			for _, i := range []uint64{0, 7, 255, 7*256 + 3, 65535, 257 * 256, size - 1} {
				proof, err := opened.inclusion(t.Context(), i, size)
				if err != nil {
					if !strings.HasPrefix(err.Error(), path+" is damaged") {
						t.Fatalf("a bit of %s is flipped, blamed is: %v", path, err)
					}
					named = true
					continue
				}
				var p tlog.RecordProof
				for _, h := range proof {
					p = append(p, h)
				}
				if err := tlog.CheckRecord(p, size, root, int64(i), tlog.RecordHash(fmt.Appendf(nil, "entry %d", i))); err != nil {
					t.Fatalf("a bit of %s is flipped, and the proof of %d does not verify", path, i)
				}
			}
			if !named {
				t.Errorf("a bit of %s at %d is flipped, and nothing says so", path, at)
			}
		}
		store[path] = good
	}
}
