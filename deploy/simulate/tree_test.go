package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/trialproof/trialproof/logserver"
)

// A tree is a logserver.Tree in memory, with the habits of Trillian's: an append that fails may
// have stored some leaves, and what is stored may be integrated only by a later one.
type tree struct {
	mu     sync.Mutex // guards the fields below
	leaves [][]byte   // stored; nil where one is missing
	hashes []tlog.Hash
	size   uint64 // integrated
}

// ReadHashes implements tlog.HashReader.
func (t *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	list := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		list[i] = t.hashes[x]
	}
	return list, nil
}

func (t *tree) Append(_ context.Context, first uint64, leaves [][]byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.store(first, leaves); err != nil {
		return err
	}
	return t.integrate()
}

// store stores leaves. The caller holds mu.
func (t *tree) store(first uint64, leaves [][]byte) error {
	if first > t.size {
		return fmt.Errorf("leaves at %d, but only %d are integrated", first, t.size)
	}
	for i, leaf := range leaves {
		at := first + uint64(i)
		for uint64(len(t.leaves)) <= at {
			t.leaves = append(t.leaves, nil)
		}
		if old := t.leaves[at]; old != nil && !bytes.Equal(old, leaf) {
			return logserver.ErrTreeConflict
		}
		t.leaves[at] = bytes.Clone(leaf)
	}
	return nil
}

// integrate brings the size up to the first missing leaf. The caller holds mu.
func (t *tree) integrate() error {
	for t.size < uint64(len(t.leaves)) && t.leaves[t.size] != nil {
		hashes, err := tlog.StoredHashes(int64(t.size), t.leaves[t.size], t)
		if err != nil {
			return err
		}
		t.hashes = append(t.hashes, hashes...)
		t.size++
	}
	return nil
}

// appendPartly is what an append that fails may have done.
func (t *tree) appendPartly(r *rand.Rand, first uint64, leaves [][]byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, leaf := range leaves {
		if r.IntN(2) == 0 {
			if t.store(first+uint64(i), [][]byte{leaf}) != nil && first+uint64(i) <= t.size {
				return
			}
		}
	}
	if r.IntN(2) == 0 {
		t.integrate()
	}
}

func (t *tree) Head(context.Context) (uint64, [32]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	root, err := tlog.TreeHash(int64(t.size), t)
	return t.size, root, err
}

// root returns the root of a prefix.
func (t *tree) root(size uint64) ([32]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if size > t.size {
		return [32]byte{}, fmt.Errorf("the tree has only %d leaves", t.size)
	}
	return tlog.TreeHash(int64(size), t)
}

func (t *tree) Leaves(_ context.Context, first, n uint64) ([][]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if first+n > t.size {
		return nil, errors.New("beyond the integrated size")
	}
	return t.leaves[first : first+n], nil
}

func (t *tree) Consistency(_ context.Context, from, to uint64) ([][32]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if to > t.size {
		return nil, errors.New("beyond the integrated size")
	}
	if from == 0 || from == to {
		return nil, nil
	}
	p, err := tlog.ProveTree(int64(to), int64(from), t)
	list := make([][32]byte, len(p))
	for i, h := range p {
		list[i] = h
	}
	return list, err
}

// A linkedTree is the tree at the other end of a connection.
type linkedTree struct{ *link }

func (l linkedTree) Append(ctx context.Context, first uint64, leaves [][]byte) error {
	what := fmt.Sprint(first, len(leaves))
	r := l.p.w.draw(l.p.name + " appends partly " + what)
	partly := func() { l.p.w.count("appends done in part"); l.db.tree.appendPartly(r, first, leaves) }
	return l.do(ctx, "Append", what, func() error { return l.db.tree.Append(ctx, first, leaves) }, partly)
}

type head struct {
	size uint64
	root [32]byte
}

func (l linkedTree) Head(ctx context.Context) (uint64, [32]byte, error) {
	h, err := call(ctx, l.link, "Head", "", func() (h head, err error) {
		h.size, h.root, err = l.db.tree.Head(ctx)
		return h, err
	})
	return h.size, h.root, err
}

func (l linkedTree) Leaves(ctx context.Context, first, n uint64) ([][]byte, error) {
	return call(ctx, l.link, "Leaves", fmt.Sprint(first, n), func() ([][]byte, error) { return l.db.tree.Leaves(ctx, first, n) })
}

func (l linkedTree) Consistency(ctx context.Context, from, to uint64) ([][32]byte, error) {
	return call(ctx, l.link, "Consistency", fmt.Sprint(from, to), func() ([][32]byte, error) { return l.db.tree.Consistency(ctx, from, to) })
}

// tiles are a logserver.TileStore in memory.
type tiles struct {
	mu    sync.Mutex // guards files
	files map[string][]byte
}

func (s *tiles) put(p logserver.TilePart) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	data := s.files[p.Path]
	if len(data) < p.Offset {
		return fmt.Errorf("tile %s has %d bytes, but %d were stored", p.Path, len(data), p.Offset)
	}
	next := append(bytes.Clone(data[:p.Offset]), p.Data...)
	if len(next) < len(data) {
		next = append(next, data[len(next):]...)
	}
	s.files[p.Path] = next
	return nil
}

func (s *tiles) Put(_ context.Context, parts []logserver.TilePart) error {
	for _, p := range parts {
		if err := s.put(p); err != nil {
			return err
		}
	}
	return nil
}

func (s *tiles) Replace(_ context.Context, path string, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[path] = bytes.Clone(data)
	return nil
}

func (s *tiles) Get(_ context.Context, path string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, ok := s.files[path]
	if !ok {
		return nil, logserver.ErrNotFound
	}
	return bytes.Clone(data), nil
}

// linkedTiles are the tiles at the other end of a connection.
type linkedTiles struct{ *link }

func (l linkedTiles) Put(ctx context.Context, parts []logserver.TilePart) error {
	what := ""
	for _, p := range parts {
		what += fmt.Sprintf("%s+%d ", p.Path, p.Offset)
	}
	r := l.p.w.draw(l.p.name + " puts partly " + what)
	partly := func() {
		for _, p := range parts {
			if r.IntN(2) == 0 {
				l.db.tiles.put(p)
			}
		}
	}
	return l.do(ctx, "Put", what, func() error { return l.db.tiles.Put(ctx, parts) }, partly)
}

func (l linkedTiles) Replace(ctx context.Context, path string, data []byte) error {
	return l.do(ctx, "Replace", path, func() error { return l.db.tiles.Replace(ctx, path, data) })
}

func (l linkedTiles) Get(ctx context.Context, path string) ([]byte, error) {
	return call(ctx, l.link, "Get", path, func() ([]byte, error) { return l.db.tiles.Get(ctx, path) })
}
