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
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sort"
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
	root node
	n    int
}

// A node is an *inner, a *Leaf or a *stub; nil is the empty subtree. A map of a million keys has
// a million of the first two, of 64 bytes each.
type node any

type inner struct {
	left, right node
	hash        Hash // zero until it is asked for
}

// A Leaf is a pair as it is in the tree.
type Leaf struct {
	Key, Value Hash
}

// A stub is a subtree of which only the hash is known, see Part.
type stub struct{ hash Hash }

// bit returns the i-th bit of key, counted from its most significant.
func bit(key *Hash, i int) byte { return key[i/8] >> (7 - i%8) & 1 }

// Len returns the number of keys.
func (m Map) Len() int { return m.n }

// Get returns the value of key, and whether it has one.
func (m Map) Get(key Hash) (Hash, bool) {
	if l := m.find(&key, nil); l != nil && l.Key == key {
		return l.Value, true
	}
	return Hash{}, false
}

// find follows key's path. It returns the leaf at its end, nil if an empty subtree is there, and
// shows each inner node on the way, with the bit of the key there, to visit.
func (m Map) find(key *Hash, visit func(n *inner, b byte)) *Leaf {
	n := m.root
	for depth := 0; ; depth++ {
		in, ok := n.(*inner)
		if !ok {
			l, _ := n.(*Leaf)
			return l
		}
		b := bit(key, depth)
		if visit != nil {
			visit(in, b)
		}
		n = in.child(b)
	}
}

func (n *inner) child(b byte) node {
	if b == 0 {
		return n.left
	}
	return n.right
}

// with returns a copy of n with another child.
func (n *inner) with(b byte, child node) *inner {
	if b == 0 {
		return &inner{left: child, right: n.right}
	}
	return &inner{left: n.left, right: child}
}

// Set returns m with key set to value.
func (m Map) Set(key, value Hash) Map {
	root, added := set(m.root, 0, &Leaf{key, value})
	if added {
		m.n++
	}
	m.root = root
	return m
}

func set(n node, depth int, l *Leaf) (_ node, added bool) {
	var in *inner
	switch n := n.(type) {
	case nil:
		return l, true
	case *stub:
		panic("smap: a key is set that the part has no proof of")
	case *Leaf:
		if n.Key == l.Key {
			return l, false
		}
		// Push the leaf that is here down until the two keys differ.
		in = new(inner).with(bit(&n.Key, depth), n)
	case *inner:
		in = n
	}
	b := bit(&l.Key, depth)
	child, added := set(in.child(b), depth+1, l)
	return in.with(b, child), added
}

// New returns the map of pairs whose keys all differ. It takes less time and leaves less behind
// than Set for each. It sorts pairs.
func New(pairs []Leaf) Map {
	slices.SortFunc(pairs, func(a, b Leaf) int { return bytes.Compare(a.Key[:], b.Key[:]) })
	for i := 1; i < len(pairs); i++ {
		if pairs[i-1].Key == pairs[i].Key {
			panic("smap: a key has two values")
		}
	}
	return Map{root: build(pairs, 0), n: len(pairs)}
}

// build returns the subtree of sorted pairs whose keys have their first bits in common.
func build(pairs []Leaf, depth int) node {
	switch len(pairs) {
	case 0:
		return nil
	case 1:
		return &Leaf{pairs[0].Key, pairs[0].Value}
	}
	i := sort.Search(len(pairs), func(i int) bool { return bit(&pairs[i].Key, depth) == 1 })
	return &inner{left: build(pairs[:i], depth+1), right: build(pairs[i:], depth+1)}
}

// Root returns the hash that commits to all of m.
func (m Map) Root() Hash { return sum(m.root) }

func sum(n node) Hash {
	switch n := n.(type) {
	case *inner:
		if n.hash == (Hash{}) {
			l, r := sum(n.left), sum(n.right)
			n.hash = hashPair(tagInner, &l, &r)
		}
		return n.hash
	case *Leaf:
		return hashPair(tagLeaf, &n.Key, &n.Value)
	case *stub:
		return n.hash
	}
	return emptyHash
}

func hashPair(tag byte, a, b *Hash) Hash {
	var buf [1 + 2*Size]byte
	buf[0] = tag
	copy(buf[1:], a[:])
	copy(buf[1+Size:], b[:])
	return sha256.Sum256(buf[:])
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
	l := m.find(&key, func(n *inner, b byte) { p.Siblings = append(p.Siblings, sum(n.child(1-b))) })
	if l != nil {
		p.At = &Leaf{l.Key, l.Value}
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
