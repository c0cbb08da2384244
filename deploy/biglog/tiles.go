package main

import (
	"golang.org/x/mod/sumdb/tlog"

	"github.com/trialproof/trialproof/trial/tile"
)

// A writer writes the bundles and tiles of a growing tree, each once.
type writer struct {
	dir    string
	size   int
	bytes  int
	bundle []byte
	levels []level
}

// A level has what a level of tiles has that is not in a full tile yet.
type level struct {
	n      uint64 // full tiles written
	hashes []tlog.Hash
}

func (w *writer) append(raw []byte) error {
	w.bundle = tile.Append(w.bundle, raw)
	w.size++
	w.bytes += len(raw)
	if w.size%tile.Width == 0 {
		if err := w.write(tile.Path(tile.Entries, uint64(w.size/tile.Width-1), tile.Width), w.bundle); err != nil {
			return err
		}
		w.bundle = w.bundle[:0]
	}
	return w.add(0, tlog.RecordHash(raw))
}

func (w *writer) add(l int, h tlog.Hash) error {
	if l == len(w.levels) {
		w.levels = append(w.levels, level{})
	}
	at := &w.levels[l]
	at.hashes = append(at.hashes, h)
	if len(at.hashes) < tile.Width {
		return nil
	}
	if err := w.write(tile.Path(l, at.n, tile.Width), flat(at.hashes)); err != nil {
		return err
	}
	root := perfect(at.hashes)
	at.n++
	at.hashes = at.hashes[:0]
	return w.add(l+1, root)
}

// finish writes the partial bundle and tiles that the tree ends with.
func (w *writer) finish() error {
	if n := w.size % tile.Width; n > 0 {
		if err := w.write(tile.Path(tile.Entries, uint64(w.size/tile.Width), n), w.bundle); err != nil {
			return err
		}
	}
	for l, at := range w.levels {
		if n := len(at.hashes); n > 0 {
			if err := w.write(tile.Path(l, at.n, n), flat(at.hashes)); err != nil {
				return err
			}
		}
	}
	return nil
}

// root returns the root of the tree: the perfect subtrees that the levels have, the smallest
// last, folded from the right.
func (w *writer) root() [32]byte {
	var peaks []tlog.Hash // the largest first
	for l := len(w.levels) - 1; l >= 0; l-- {
		hashes := w.levels[l].hashes
		for width := tile.Width / 2; width > 0; width /= 2 {
			if len(hashes)&width != 0 {
				at := len(hashes) &^ (2*width - 1)
				peaks = append(peaks, perfect(hashes[at:at+width]))
			}
		}
	}
	h := peaks[len(peaks)-1]
	for i := len(peaks) - 2; i >= 0; i-- {
		h = tlog.NodeHash(peaks[i], h)
	}
	return h
}

// perfect returns the root of a perfect subtree over hashes.
func perfect(hashes []tlog.Hash) tlog.Hash {
	if len(hashes) == 1 {
		return hashes[0]
	}
	half := len(hashes) / 2
	return tlog.NodeHash(perfect(hashes[:half]), perfect(hashes[half:]))
}

func flat(hashes []tlog.Hash) []byte {
	var b []byte
	for _, h := range hashes {
		b = append(b, h[:]...)
	}
	return b
}
