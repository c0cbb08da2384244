package dataset

import (
	"crypto/sha256"
	"errors"
	"math/bits"
)

// hashChildren returns the hash of an inner node of an RFC 6962 tree.
func hashChildren(l, r *Hash) Hash {
	var b [1 + 2*sha256.Size]byte
	b[0] = 1
	copy(b[1:], l[:])
	copy(b[1+sha256.Size:], r[:])
	return sha256.Sum256(b[:])
}

// A span is the compact range of a tree from its first leaf: the roots of the perfect subtrees,
// the largest first.
type span struct {
	count uint64
	peaks []Hash
}

func (s *span) add(leaf Hash) {
	peaks := s.peaks
	for n := s.count; n&1 == 1; n >>= 1 {
		leaf = hashChildren(&peaks[len(peaks)-1], &leaf)
		peaks = peaks[:len(peaks)-1]
	}
	s.peaks = append(peaks, leaf)
	s.count++
}

// root returns the RFC 6962 root.
func (s *span) root() Hash {
	if len(s.peaks) == 0 {
		return sha256.Sum256(nil)
	}
	h := s.peaks[len(s.peaks)-1]
	for i := len(s.peaks) - 2; i >= 0; i-- {
		h = hashChildren(&s.peaks[i], &h)
	}
	return h
}

// treeRoot returns the RFC 6962 root of these leaf hashes.
func treeRoot(leaves []Hash) Hash {
	var peaks [64]Hash
	s := span{peaks: peaks[:0]}
	for _, l := range leaves {
		s.add(l)
	}
	return s.root()
}

// split returns the size of the left subtree of a tree of n > 1 leaves: the largest power of two
// below n.
func split(n uint64) uint64 { return 1 << (bits.Len64(n-1) - 1) }

// prove returns the hashes that, with the leaves at places, give the root of a tree of n leaves:
// of each largest subtree that has none of the places, from left to right. The places are
// increasing. sub returns the root of the leaves from lo up to hi.
func prove(n uint64, places []uint64, sub func(lo, hi uint64) (Hash, error)) ([]Hash, error) {
	var proof []Hash
	var walk func(lo, hi uint64, places []uint64) error
	walk = func(lo, hi uint64, places []uint64) error {
		switch {
		case len(places) == 0:
			h, err := sub(lo, hi)
			proof = append(proof, h)
			return err
		case hi-lo == 1:
			return nil
		}
		mid, k := lo+split(hi-lo), 0
		for k < len(places) && places[k] < mid {
			k++
		}
		if err := walk(lo, mid, places[:k]); err != nil {
			return err
		}
		return walk(mid, hi, places[k:])
	}
	err := walk(0, n, places)
	return proof, err
}

// subOf returns prove's sub for leaves in memory.
func subOf(leaves []Hash) func(lo, hi uint64) (Hash, error) {
	return func(lo, hi uint64) (Hash, error) { return treeRoot(leaves[lo:hi]), nil }
}

var errProof = errors.New("it has too few or too many hashes")

// proven returns the root of a tree of n leaves of which those at places, increasing and not
// empty, are given, and all else by the hashes that prove returns.
func proven(n uint64, places []uint64, leaves, proof []Hash) (Hash, error) {
	if len(places) == 0 || len(places) != len(leaves) || places[len(places)-1] >= n {
		return Hash{}, errProof
	}
	for i := 1; i < len(places); i++ {
		if places[i-1] >= places[i] {
			return Hash{}, errors.New("what it shows is not in order")
		}
	}
	var walk func(lo, hi uint64, from, to int) (Hash, error)
	walk = func(lo, hi uint64, from, to int) (Hash, error) {
		switch {
		case from == to:
			if len(proof) == 0 {
				return Hash{}, errProof
			}
			h := proof[0]
			proof = proof[1:]
			return h, nil
		case hi-lo == 1:
			return leaves[from], nil
		}
		mid, k := lo+split(hi-lo), from
		for k < to && places[k] < mid {
			k++
		}
		l, err := walk(lo, mid, from, k)
		if err != nil {
			return Hash{}, err
		}
		r, err := walk(mid, hi, k, to)
		if err != nil {
			return Hash{}, err
		}
		return hashChildren(&l, &r), nil
	}
	root, err := walk(0, n, 0, len(places))
	if err == nil && len(proof) > 0 {
		err = errProof
	}
	return root, err
}
