// Package smap is a Merkle map: a set of 32-byte keys, each with a 32-byte value, whose root
// commits to every pair and to nothing else. It proves that a key has a value, and that a key
// is absent.
//
// The tree is a binary trie over the bits of the key, most significant bit of the first byte
// first. A subtree without keys is empty. A subtree with a single key is that key's leaf, at
// whatever depth. Any other subtree is an inner node. The shape therefore follows from the set
// alone, never from the order of insertion. The hashes are
//
//	empty = SHA-256(0x02)
//	leaf  = SHA-256(0x00 || key || value)
//	inner = SHA-256(0x01 || left || right)
//
// The whole key is in the leaf, so that a leaf cannot pass for another one at a different
// place. Example: the map of the one pair (key 32 times 0x00, value 32 times 0x01) has the root
// SHA-256(0x00 || 00…00 || 01…01).
//
// Package smap knows nothing of trials: its caller decides what a key and a value mean. It must
// stay free of I/O and clocks, because it also runs in a browser.
package smap

import (
	"crypto/sha256"
	"errors"
	"fmt"
)

// Size is the length in bytes of keys, values and hashes.
const Size = sha256.Size

// Algorithm names this map in genesis and state entries.
const Algorithm = "trialproof/map/v1"

// A Hash is a key, a value or a node's hash.
type Hash = [Size]byte

const (
	tagLeaf  = 0x00
	tagInner = 0x01
	tagEmpty = 0x02
)

var emptyHash = sha256.Sum256([]byte{tagEmpty})

// A Map is a value: Set returns another one and leaves its receiver as it was, sharing what did
// not change. The zero Map is empty. Several goroutines may read a Map once Root has been
// called on it.
type Map struct {
	root *node
	n    int
}

// A node is a leaf (left and right nil) or an inner node, where a nil child is
// the empty subtree.
type node struct {
	left, right *node
	key, value  Hash // of a leaf
	hash        Hash // valid if hashed
	hashed      bool
	stub        bool // only its hash is known, see Part
}

func (n *node) leaf() bool { return n.left == nil && n.right == nil }

// bit returns the i-th bit of key, counted from its most significant.
func bit(key *Hash, i int) byte { return key[i/8] >> (7 - i%8) & 1 }

// Len returns the number of keys.
func (m Map) Len() int { return m.n }

// Get returns the value of key, and whether it has one.
func (m Map) Get(key Hash) (Hash, bool) {
	n := m.root
	for depth := 0; n != nil; depth++ {
		if n.leaf() {
			return n.value, n.key == key
		}
		n = n.child(bit(&key, depth))
	}
	return Hash{}, false
}

func (n *node) child(b byte) *node {
	if b == 0 {
		return n.left
	}
	return n.right
}

// Set returns m with key set to value.
func (m Map) Set(key, value Hash) Map {
	root, added := set(m.root, 0, key, value)
	if added {
		m.n++
	}
	m.root = root
	return m
}

func set(n *node, depth int, key, value Hash) (_ *node, added bool) {
	if n == nil {
		return &node{key: key, value: value}, true
	}
	if n.stub {
		panic("smap: a key is set that the part has no proof of")
	}
	if n.leaf() {
		if n.key == key {
			return &node{key: key, value: value}, false
		}
		// Push the leaf that is here down until the two keys differ.
		inner := &node{}
		if bit(&n.key, depth) == 0 {
			inner.left = n
		} else {
			inner.right = n
		}
		n = inner
	}
	c := &node{left: n.left, right: n.right}
	if bit(&key, depth) == 0 {
		c.left, added = set(n.left, depth+1, key, value)
	} else {
		c.right, added = set(n.right, depth+1, key, value)
	}
	return c, added
}

// Root returns the hash that commits to all of m.
func (m Map) Root() Hash { return m.root.sum() }

func (n *node) sum() Hash {
	if n == nil {
		return emptyHash
	}
	if !n.hashed {
		if n.leaf() {
			n.hash = hashPair(tagLeaf, &n.key, &n.value)
		} else {
			l, r := n.left.sum(), n.right.sum()
			n.hash = hashPair(tagInner, &l, &r)
		}
		n.hashed = true
	}
	return n.hash
}

func hashPair(tag byte, a, b *Hash) Hash {
	var buf [1 + 2*Size]byte
	buf[0] = tag
	copy(buf[1:], a[:])
	copy(buf[1+Size:], b[:])
	return sha256.Sum256(buf[:])
}

// A Leaf is a pair as it is in the tree.
type Leaf struct {
	Key, Value Hash
}

// A Proof shows what the map has for one key: what is where the key's path ends. At is the leaf
// there, or nil if the path ends in an empty subtree. If At is the key's own leaf, the key is
// present; otherwise it is absent.
type Proof struct {
	Siblings []Hash // from the root's child downwards, at most 256
	At       *Leaf
}

// Prove returns the proof for key, whether it is present or not.
func (m Map) Prove(key Hash) Proof {
	var p Proof
	n := m.root
	for depth := 0; n != nil; depth++ {
		if n.leaf() {
			p.At = &Leaf{n.key, n.value}
			break
		}
		b := bit(&key, depth)
		p.Siblings = append(p.Siblings, n.child(1-b).sum())
		n = n.child(b)
	}
	return p
}

// ErrProof is wrapped by every error of Verify: the proof does not lead from the key to the
// root.
var ErrProof = errors.New("map proof does not verify")

// Verify checks p against root. It returns the value of key and true if the map has the key,
// and false if it does not.
func (p Proof) Verify(root, key Hash) (value Hash, present bool, err error) {
	if len(p.Siblings) > 8*Size {
		return Hash{}, false, fmt.Errorf("%w: %d siblings", ErrProof, len(p.Siblings))
	}
	h := emptyHash
	if p.At != nil {
		for i := range p.Siblings {
			if bit(&p.At.Key, i) != bit(&key, i) {
				return Hash{}, false, fmt.Errorf("%w: the leaf shown is on another path", ErrProof)
			}
		}
		h = hashPair(tagLeaf, &p.At.Key, &p.At.Value)
	}
	for i := len(p.Siblings) - 1; i >= 0; i-- {
		if bit(&key, i) == 0 {
			h = hashPair(tagInner, &h, &p.Siblings[i])
		} else {
			h = hashPair(tagInner, &p.Siblings[i], &h)
		}
	}
	if h != root {
		return Hash{}, false, fmt.Errorf("%w: leads to root %x, not %x", ErrProof, h, root)
	}
	if p.At != nil && p.At.Key == key {
		return p.At.Value, true, nil
	}
	return Hash{}, false, nil
}
