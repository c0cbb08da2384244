package dataset

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
)

// A Key is what the owner of datasets keeps: the seeds from which every salt and every subject's
// secret is derived. A new key has one seed, the root. Each erasure replaces a seed by the seeds
// beside the path to what was erased, and overwrites it. A Key must not be used by several
// goroutines while one of them erases.
type Key struct {
	root *node // nil: all is erased
}

// A node of the key tree has a seed or, where something below it was erased, children. A child
// is nil if all of it was erased.
type node struct {
	seed Hash
	kids *[2]*node // nil: the seed is there
}

// The depths of the key tree, in bits. See the package comment.
const (
	datasetBits = 64
	branchBits  = 2
	rowBits     = 40
	subjectBits = 32
	linkBits    = 64
	maxPathBits = 1 + datasetBits + branchBits + rowBits + maxColumnBits
)

// The branches under a dataset's seed.
const (
	branchRows     = 0
	branchColumns  = 1
	branchSubjects = 2
)

// A path leads from the root of the key tree to a node: its bits, first to last.
type path struct {
	bits [(maxPathBits + 7) / 8]byte
	n    int
}

// then returns p followed by the n lowest bits of v, the most significant of them first.
func (p path) then(v uint64, n int) path {
	for i := n - 1; i >= 0; i-- {
		p.bits[p.n/8] |= byte(v>>i&1) << (7 - p.n%8)
		p.n++
	}
	return p
}

func (p path) bit(i int) byte { return p.bits[i/8] >> (7 - i%8) & 1 }

func datasetPath(extract Extract, name string) path {
	h := sum(sha256.New(), "trialproof/dataset/seed/v1\n", extract[:], []byte(name))
	return path{}.then(0, 1).then(binary.BigEndian.Uint64(h[:]), datasetBits)
}

func (c *Commitment) path() path { return datasetPath(c.Extract, c.Name) }

func (p path) branch(b uint64) path { return p.then(b, branchBits) }

// linkNumber is the place of a subject among all the subjects of the key.
func linkNumber(id []byte) uint64 {
	h := sum(sha256.New(), "trialproof/dataset/link/v1\n", id)
	return binary.BigEndian.Uint64(h[:])
}

func linkPath(id []byte) path { return path{}.then(1, 1).then(linkNumber(id), linkBits) }

// child returns the seed of a child: SHA-256(bit || seed).
func child(seed *Hash, bit byte) Hash {
	var b [1 + len(seed)]byte
	b[0] = bit
	copy(b[1:], seed[:])
	return sha256.Sum256(b[:])
}

// NewKey returns a key with a root seed read from random, which must be a source of secrets.
func NewKey(random io.Reader) (*Key, error) {
	n := new(node)
	if _, err := io.ReadFull(random, n.seed[:]); err != nil {
		return nil, fmt.Errorf("draw a key: %w", err)
	}
	return &Key{n}, nil
}

// errErased says that a seed was asked for that is no longer in the key.
var errErased = errors.New("it was erased from this key")

// seed returns the seed at p. It fails if p or anything below it was erased.
func (k *Key) seed(p path) (Hash, error) {
	n, i := k.root, 0
	for ; n != nil && n.kids != nil && i < p.n; i++ {
		n = n.kids[p.bit(i)]
	}
	if n == nil || n.kids != nil {
		return Hash{}, errErased
	}
	s := n.seed
	for ; i < p.n; i++ {
		s = child(&s, p.bit(i))
	}
	return s, nil
}

// erase removes p and all below it: every seed above it is replaced by its children.
func (k *Key) erase(p path) { k.root = erase(k.root, p, 0) }

func erase(n *node, p path, depth int) *node {
	if n == nil {
		return nil
	}
	if depth == p.n {
		n.wipe()
		return nil
	}
	if n.kids == nil {
		n.kids = &[2]*node{{seed: child(&n.seed, 0)}, {seed: child(&n.seed, 1)}}
		clear(n.seed[:])
	}
	b := p.bit(depth)
	n.kids[b] = erase(n.kids[b], p, depth+1)
	return n.normal()
}

// normal returns nil if nothing is left of n.
func (n *node) normal() *node {
	if n.kids != nil && n.kids[0] == nil && n.kids[1] == nil {
		return nil
	}
	return n
}

// wipe overwrites all seeds at n and below.
func (n *node) wipe() {
	if n == nil {
		return
	}
	clear(n.seed[:])
	if n.kids != nil {
		n.kids[0].wipe()
		n.kids[1].wipe()
	}
}

// at returns the node at p if the tree is split as far as there, otherwise nil.
func (k *Key) at(p path) *node {
	n := k.root
	for i := 0; i < p.n && n != nil; i++ {
		if n.kids == nil {
			return nil
		}
		n = n.kids[p.bit(i)]
	}
	return n
}

// trim removes the seeds at or below n whose leaves are all numbered limit or more: they were
// never used. The leaves below n begin at first and are 1<<height.
func (n *node) trim(first, limit uint64, height int) *node {
	if n == nil {
		return nil
	}
	if first >= limit {
		n.wipe()
		return nil
	}
	if n.kids == nil || height == 0 {
		return n
	}
	n.kids[0] = n.kids[0].trim(first, limit, height-1)
	n.kids[1] = n.kids[1].trim(first+1<<(height-1), limit, height-1)
	return n.normal()
}

// trimDataset removes from the split branches of a dataset what it never used.
func (k *Key) trimDataset(c *Commitment) {
	p := c.path()
	n := k.at(p)
	if n == nil || n.kids == nil {
		return
	}
	if half := n.kids[1]; half != nil && half.kids != nil { // the branches of subjects and none
		half.kids[1].wipe()
		half.kids[1] = nil
		half.kids[0] = half.kids[0].trim(0, c.SubjectCount, subjectBits)
		n.kids[1] = half.normal()
	}
	if half := n.kids[0]; half != nil && half.kids != nil { // rows and columns
		half.kids[0] = half.kids[0].trim(0, c.RowCount, rowBits)
		n.kids[0] = half.normal()
	}
}

// EraseRows removes from the key what opens these rows of a dataset, counted from 0. That takes
// about one seed for each bit of the number of rows, and for the first rows of a dataset 66 more.
// The commitment must be the one that was logged: seeds of rows that it does not have are removed
// as well. Nothing changes if one of the rows is not in the dataset.
func (k *Key) EraseRows(c *Commitment, rows ...uint64) error {
	for _, row := range rows {
		if row >= c.RowCount {
			return fmt.Errorf("erase row %d of %s: it has %d rows, counted from 0", row, c.Name, c.RowCount)
		}
	}
	for _, row := range rows {
		k.erase(c.path().branch(branchRows).then(row, rowBits))
	}
	k.trimDataset(c)
	return nil
}

// EraseSubject removes from the key what opens the rows of a subject in one dataset, and its leaf
// among the subjects. It returns the rows, after checking that they are its. The key still has the subject's secret, which names it
// in this and in other datasets: see Forget.
func (k *Key) EraseSubject(ix *Index, handle Hash) ([]uint64, error) {
	pos, ok, err := ix.find(handle)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("erase a subject of %s: none has the handle %s", ix.c.Name, handle)
	}
	rows, err := ix.rowsAt(pos)
	if err != nil {
		return nil, err
	}
	if err := ix.own(k, pos, rows); err != nil {
		return nil, fmt.Errorf("erase a subject of %s: %w", ix.c.Name, err)
	}
	if err := k.EraseRows(&ix.c, rows...); err != nil {
		return nil, err
	}
	k.erase(ix.c.path().branch(branchSubjects).then(pos, subjectBits))
	k.trimDataset(&ix.c)
	return rows, nil
}

// Forget removes from the key the secret of a subject. Its handles in any dataset can then no
// longer be derived, and no later dataset under this key can have the subject. Erase it in each
// dataset first: EraseSubject asks for the handle.
func (k *Key) Forget(id []byte) { k.erase(linkPath(id)) }

// EraseDataset removes from the key all that opens anything of a dataset.
func (k *Key) EraseDataset(c *Commitment) { k.erase(c.path()) }

const keyMagic = "trialproof/dataset/key/v1\n"

// The marks of the nodes in a key's file.
const (
	markErased = 0
	markSeed   = 1
	markSplit  = 2
)

// Marshal returns the bytes of the key's file. They are secret.
func (k *Key) Marshal() []byte {
	b := k.root.append([]byte(keyMagic))
	check := sha256.Sum256(b)
	return append(b, check[:]...)
}

func (n *node) append(b []byte) []byte {
	switch {
	case n == nil:
		return append(b, markErased)
	case n.kids == nil:
		return append(append(b, markSeed), n.seed[:]...)
	}
	return n.kids[1].append(n.kids[0].append(append(b, markSplit)))
}

// ParseKey parses exactly what Marshal returns.
func ParseKey(data []byte) (*Key, error) {
	body, ok := bytes.CutPrefix(data, []byte(keyMagic))
	if !ok || len(body) < sha256.Size+1 {
		return nil, errors.New("it is not a key file of datasets")
	}
	end := len(data) - sha256.Size
	if sha256.Sum256(data[:end]) != Hash(data[end:]) {
		return nil, errors.New("the key file is damaged: its check sum does not fit; take its backup")
	}
	root, rest, err := parseNode(body[:len(body)-sha256.Size], 0)
	if err == nil && len(rest) > 0 {
		err = errors.New("bytes follow its last node")
	}
	if err != nil {
		return nil, fmt.Errorf("the key file is malformed: %w", err)
	}
	return &Key{root}, nil
}

func parseNode(b []byte, depth int) (n *node, rest []byte, err error) {
	if len(b) == 0 {
		return nil, nil, errors.New("it ends early")
	}
	mark, b := b[0], b[1:]
	switch {
	case mark == markErased:
		return nil, b, nil
	case mark == markSeed && len(b) >= len(Hash{}):
		return &node{seed: Hash(b)}, b[len(Hash{}):], nil
	case mark == markSplit && depth < maxPathBits:
		n = &node{kids: new([2]*node)}
		for i := range n.kids {
			if n.kids[i], b, err = parseNode(b, depth+1); err != nil {
				return nil, nil, err
			}
		}
		if n.normal() == nil {
			return nil, nil, errors.New("a node has no child and is not marked as erased")
		}
		return n, b, nil
	}
	return nil, nil, fmt.Errorf("no node can be like that at depth %d", depth)
}

// A walker derives the leaves below a seed, at a depth of at most 64. In order it takes about two
// hashes for each, because it keeps the seeds on the path to the last one.
type walker struct {
	seeds [65]Hash // by depth; the first is the seed that all derive from
	depth int
	last  uint64
	fresh bool // no leaf was derived yet
}

func (w *walker) reset(seed Hash, depth int) {
	w.seeds[0], w.depth, w.fresh = seed, depth, true
}

// leaf returns leaf i.
func (w *walker) leaf(i uint64) *Hash {
	from := w.depth
	if w.fresh {
		from = 0
	} else {
		from -= bits.Len64(w.last ^ i)
	}
	for d := from; d < w.depth; d++ {
		w.seeds[d+1] = child(&w.seeds[d], byte(i>>(w.depth-1-d)&1))
	}
	w.last, w.fresh = i, false
	return &w.seeds[w.depth]
}
