package dataset

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"sort"
	"sync"

	"github.com/trialproof/trialproof/trial/smap"
)

// Token returns what links a subject in all the datasets of a key: SHA-256 of
// "trialproof/dataset/token/v1", a line feed, the subject's secret and its id. It does not reveal
// the id. It fails if the subject was forgotten.
func (k *Key) Token(id []byte) (Hash, error) {
	secret, err := k.secret(id)
	return tokenOf(&secret, id), err
}

func (k *Key) secret(id []byte) (Hash, error) {
	s, err := k.seed(linkPath(id))
	if err != nil {
		return Hash{}, fmt.Errorf("the secret of the subject: %w", err)
	}
	return s, nil
}

func tokenOf(secret *Hash, id []byte) Hash {
	return sum(sha256.New(), "trialproof/dataset/token/v1\n", secret[:], id)
}

// Handle returns the handle in this dataset of the subject with a token.
func (c *Commitment) Handle(token Hash) Hash { return c.contexts().handleOf(&token) }

func (x *contexts) handleOf(token *Hash) Hash {
	var b [2 * len(token)]byte
	copy(b[:], x.handle[:])
	copy(b[32:], token[:])
	return sha256.Sum256(b[:])
}

// bodyOf returns a subject's value in the map.
func (x *contexts) bodyOf(salt *Hash, count uint64, rows *Hash) Hash {
	var b [32 + 32 + 8 + 32]byte
	copy(b[:], x.subject[:])
	copy(b[32:], salt[:])
	binary.BigEndian.PutUint64(b[64:], count)
	copy(b[72:], rows[:])
	return sha256.Sum256(b[:])
}

// A subject is a record of the index.
type subject struct {
	handle, body Hash
	count, last  uint64 // how many rows; the number of the last one
}

// finishSubjects returns the subjects sorted by handle, and the place of each by ordinal.
func (b *Builder) finishSubjects() ([]subject, []uint32, error) {
	type link struct {
		number uint64
		ord    uint32
		handle Hash
	}
	links := make([]link, len(b.names))
	for i, name := range b.names {
		links[i] = link{number: linkNumber([]byte(name)), ord: uint32(i)}
	}
	// In the order of their numbers, subjects share most of the seeds on the way.
	slices.SortFunc(links, func(x, y link) int { return cmp.Compare(x.number, y.number) })
	seed, whole := b.key.seed(path{}.then(1, 1))
	err := share(len(links), b.opts.workers, func(lo, hi int) error {
		var w walker
		w.reset(seed, linkBits)
		for i := lo; i < hi; i++ {
			l := &links[i]
			id := []byte(b.names[l.ord])
			var secret Hash
			if whole == nil {
				secret = *w.leaf(l.number)
			} else {
				var err error
				if secret, err = b.key.secret(id); err != nil {
					return fmt.Errorf("the table has a subject again that was forgotten: %w", err)
				}
			}
			token := tokenOf(&secret, id)
			l.handle = b.ctx.handleOf(&token)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	slices.SortFunc(links, func(x, y link) int { return bytes.Compare(x.handle[:], y.handle[:]) })
	records := make([]subject, len(links))
	places := make([]uint32, len(links))
	if seed, err = b.key.seed(b.c.path().branch(branchSubjects)); err != nil && len(links) > 0 {
		return nil, nil, fmt.Errorf("subjects of this extract are committed already: %w", err)
	}
	err = share(len(links), b.opts.workers, func(lo, hi int) error {
		var w walker
		w.reset(seed, subjectBits)
		for i := lo; i < hi; i++ {
			if i > 0 && links[i].handle == links[i-1].handle {
				return errors.New("two subjects have one handle")
			}
			s := &b.subjects[links[i].ord]
			root := s.root()
			records[i] = subject{links[i].handle, b.ctx.bodyOf(w.leaf(uint64(i)), s.count, &root), s.count, s.last - 1}
			places[links[i].ord] = uint32(i)
		}
		return nil
	})
	return records, places, err
}

// share calls f for parts of 0 to n, at once, and returns an error of one of them.
func share(n, workers int, f func(lo, hi int) error) error {
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() { errs[i] = f(n*i/workers, n*(i+1)/workers) })
	}
	wg.Wait()
	return cmp.Or(errs...)
}

// A subjectMap computes the hashes of package smap from sorted records. Of the subtrees at a depth
// at which each has about a hundred records it keeps the hashes.
type subjectMap struct {
	depth   int
	buckets []bucket // 1 << depth, in order of the prefix
	n       uint64
}

type bucket struct {
	start uint64 // the first record
	hash  Hash
}

// mapDepth is the depth of the buckets of n subjects.
func mapDepth(n uint64) int { return max(0, bits.Len64(n)-8) }

func mapOf(records []subject) *subjectMap {
	m := &subjectMap{depth: mapDepth(uint64(len(records))), n: uint64(len(records))}
	m.buckets = make([]bucket, 1<<m.depth)
	lo := 0
	for i := range m.buckets {
		hi := lo + sort.Search(len(records)-lo, func(j int) bool { return prefix(&records[lo+j].handle, m.depth) > uint64(i) })
		m.buckets[i] = bucket{uint64(lo), mapHash(records[lo:hi], m.depth)}
		lo = hi
	}
	return m
}

// prefix returns the first bits of a handle.
func prefix(h *Hash, depth int) uint64 { return binary.BigEndian.Uint64(h[:]) >> (64 - depth) }

func bitOf(h *Hash, i int) byte { return h[i/8] >> (7 - i%8) & 1 }

var emptyMap = Hash(smap.Map{}.Root())

// halve returns where the records with a set bit at depth begin.
func halve(records []subject, depth int) int {
	return sort.Search(len(records), func(i int) bool { return bitOf(&records[i].handle, depth) == 1 })
}

func mapLeaf(handle, body *Hash) Hash {
	var b [65]byte
	copy(b[1:], handle[:])
	copy(b[33:], body[:])
	return sha256.Sum256(b[:])
}

// mapHash returns the hash of the subtree at depth that has these records.
func mapHash(records []subject, depth int) Hash {
	switch len(records) {
	case 0:
		return emptyMap
	case 1:
		return mapLeaf(&records[0].handle, &records[0].body)
	}
	i := halve(records, depth)
	l, r := mapHash(records[:i], depth+1), mapHash(records[i:], depth+1)
	return hashChildren(&l, &r)
}

// records returns where the records of the subtree of a prefix lie; p has depth bits.
func (m *subjectMap) records(p uint64, depth int) (lo, hi uint64) {
	up := m.depth - depth
	lo, hi = m.buckets[p<<up].start, m.n
	if end := (p + 1) << up; end < uint64(len(m.buckets)) {
		hi = m.buckets[end].start
	}
	return lo, hi
}

// hash returns the hash of the subtree of a prefix of depth bits.
func (m *subjectMap) hash(p uint64, depth int) Hash {
	lo, hi := m.records(p, depth)
	switch {
	case depth == m.depth:
		return m.buckets[p].hash
	case hi-lo <= 1: // a leaf has the same hash at any depth
		for i := p << (m.depth - depth); ; i++ {
			if first, end := m.records(i, m.depth); first < end || i+1 == (p+1)<<(m.depth-depth) {
				return m.buckets[i].hash
			}
		}
	}
	l, r := m.hash(p<<1, depth+1), m.hash(p<<1|1, depth+1)
	return hashChildren(&l, &r)
}

func (m *subjectMap) root() Hash { return m.hash(0, 0) }

// prove returns the proof for a handle, whether the map has it or not. load returns records.
func (m *subjectMap) prove(handle Hash, load func(lo, hi uint64) ([]subject, error)) (smap.Proof, error) {
	var p smap.Proof
	for depth := 0; ; depth++ {
		lo, hi := m.records(prefix(&handle, depth), depth)
		if hi-lo <= 1 || depth == m.depth {
			records, err := load(lo, hi)
			if err != nil {
				return p, err
			}
			for ; len(records) > 1 && depth < 256; depth++ {
				i := halve(records, depth)
				here, other := records[:i], records[i:]
				if bitOf(&handle, depth) == 1 {
					here, other = other, here
				}
				p.Siblings = append(p.Siblings, smap.Hash(mapHash(other, depth+1)))
				records = here
			}
			if len(records) == 1 {
				p.At = &smap.Leaf{Key: smap.Hash(records[0].handle), Value: smap.Hash(records[0].body)}
			}
			return p, nil
		}
		next := prefix(&handle, depth+1)
		p.Siblings = append(p.Siblings, smap.Hash(m.hash(next^1, depth+1)))
	}
}
