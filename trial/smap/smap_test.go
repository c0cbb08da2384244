package smap

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"maps"
	"math/rand"
	"slices"
	"testing"
)

func h(i int) Hash {
	return sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i)))
}

// naive computes the root from the definition in the package comment.
func naive(pairs map[Hash]Hash, depth int) Hash {
	switch len(pairs) {
	case 0:
		return sha256.Sum256([]byte{2})
	case 1:
		for k, v := range pairs {
			return sha256.Sum256(append(append([]byte{0}, k[:]...), v[:]...))
		}
	}
	side := [2]map[Hash]Hash{{}, {}}
	for k, v := range pairs {
		side[k[depth/8]>>(7-depth%8)&1][k] = v
	}
	l, r := naive(side[0], depth+1), naive(side[1], depth+1)
	return sha256.Sum256(append(append([]byte{1}, l[:]...), r[:]...))
}

func TestRootFollowsFromSetAlone(t *testing.T) {
	for n := range 60 {
		pairs := map[Hash]Hash{}
		for i := range n {
			pairs[h(i)] = h(1000 + i)
		}
		want := naive(pairs, 0)
		list := []Leaf{}
		for k, v := range pairs {
			list = append(list, Leaf{k, v})
		}
		m := New(list)
		if m.Root() != want || m.Len() != n {
			t.Fatalf("n=%d: New has root %x, len %d; want %x, %d", n, m.Root(), m.Len(), want, n)
		}
		if m := m.Set(h(n), h(1)); m.Root() != naive(with(pairs, h(n), h(1)), 0) || m.Len() != n+1 {
			t.Fatalf("n=%d: Set on what New made: root %x, len %d", n, m.Root(), m.Len())
		}
		for seed := range 4 {
			var m Map
			for _, i := range rand.New(rand.NewSource(int64(seed))).Perm(n) {
				if i%3 == 0 {
					m = m.Set(h(i), h(5000)) // overwritten below
					m.Root()
				}
				m = m.Set(h(i), h(1000+i))
			}
			if m.Root() != want || m.Len() != n {
				t.Fatalf("n=%d seed=%d: root %x, len %d; want %x, %d", n, seed, m.Root(), m.Len(), want, n)
			}
		}
	}
}

func with(pairs map[Hash]Hash, key, value Hash) map[Hash]Hash {
	pairs = maps.Clone(pairs)
	pairs[key] = value
	return pairs
}

func TestNewRefusesAKeyTwice(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a key with two values makes a map")
		}
	}()
	New([]Leaf{{h(1), h(2)}, {h(3), h(4)}, {h(1), h(5)}})
}

func TestKeysThatPartAtTheLastBit(t *testing.T) {
	var a, b Hash
	b[31] = 1
	m := Map{}.Set(a, h(1)).Set(b, h(2))
	if got, want := m.Root(), naive(map[Hash]Hash{a: h(1), b: h(2)}, 0); got != want {
		t.Fatalf("root %x, want %x", got, want)
	}
	p := m.Prove(a)
	if len(p.Siblings) != 256 {
		t.Fatalf("%d siblings, want 256", len(p.Siblings))
	}
	if v, ok, err := p.Verify(m.Root(), a); err != nil || !ok || v != h(1) {
		t.Fatalf("verify: %x %v %v", v, ok, err)
	}
	p.Siblings = append(p.Siblings, Hash{})
	if _, _, err := p.Verify(m.Root(), a); !errors.Is(err, ErrProof) {
		t.Fatalf("257 siblings: %v", err)
	}
}

func TestSetLeavesTheOldMapAlone(t *testing.T) {
	m := Map{}.Set(h(1), h(2))
	root := m.Root()
	m2 := m.Set(h(1), h(3)).Set(h(4), h(5))
	if m.Root() != root || m.Len() != 1 {
		t.Fatal("the receiver of Set changed")
	}
	if v, _ := m2.Get(h(1)); v != h(3) {
		t.Fatal("the new map has not the new value")
	}
	if _, ok := m.Get(h(4)); ok {
		t.Fatal("the old map has the new key")
	}
}

func TestProofs(t *testing.T) {
	var m Map
	for n := range 40 {
		root := m.Root()
		for i := range 60 {
			p := m.Prove(h(i))
			v, ok, err := p.Verify(root, h(i))
			if err != nil {
				t.Fatalf("n=%d key %d: %v", n, i, err)
			}
			if ok != (i < n) || ok && v != h(100+i) {
				t.Fatalf("n=%d key %d: present %v, value %x", n, i, ok, v)
			}
			mutations(t, p, root, h(i), ok, v)
		}
		m = m.Set(h(n), h(100+n))
	}
}

// mutations alters p in every part. No alteration may lead to a different answer.
func mutations(t *testing.T, p Proof, root, key Hash, present bool, value Hash) {
	t.Helper()
	check := func(what string, q Proof) {
		v, ok, err := q.Verify(root, key)
		if err == nil && (ok != present || v != value) {
			t.Fatalf("%s: a lie was believed", what)
		}
		if err == nil {
			t.Fatalf("%s: accepted", what)
		}
	}
	clone := func() Proof {
		q := Proof{Siblings: append([]Hash(nil), p.Siblings...)}
		if p.At != nil {
			at := *p.At
			q.At = &at
		}
		return q
	}
	for i := range p.Siblings {
		q := clone()
		q.Siblings[i][7] ^= 1
		check("sibling changed", q)
		q = clone()
		q.Siblings = append(q.Siblings[:i], q.Siblings[i+1:]...)
		check("sibling dropped", q)
	}
	if p.At != nil {
		q := clone()
		q.At = nil
		check("leaf withheld", q)
		q = clone()
		q.At.Value[0] ^= 1
		check("value changed", q)
		q = clone()
		q.At.Key[31] ^= 1
		check("key changed", q)
	} else {
		q := clone()
		q.At = &Leaf{key, h(7)}
		check("leaf invented", q)
	}
}

// TestMisplacedLeaf: whoever makes the root can put a leaf where it does not belong. It proves
// nothing about the keys whose place it takes.
func TestMisplacedLeaf(t *testing.T) {
	var left, right Hash
	right[0] = 0x80
	leaf := hashPair(tagLeaf, &right, &left) // belongs to the right
	empty := emptyHash
	root := hashPair(tagInner, &leaf, &empty)
	p := Proof{Siblings: []Hash{emptyHash}, At: &Leaf{right, left}}
	if v, ok, err := p.Verify(root, left); !errors.Is(err, ErrProof) {
		t.Fatalf("absence by a leaf from elsewhere: %x %v %v", v, ok, err)
	}
	if v, ok, err := p.Verify(root, right); !errors.Is(err, ErrProof) {
		t.Fatalf("presence in the wrong place: %x %v %v", v, ok, err)
	}
}

func FuzzProofVerify(f *testing.F) {
	var m Map
	for i := range 30 {
		m = m.Set(h(i), h(100+i))
	}
	root := m.Root()
	for i := range 60 {
		p := m.Prove(h(i))
		var data []byte
		for _, sibling := range p.Siblings {
			data = append(data, sibling[:]...)
		}
		var key, value []byte
		if p.At != nil {
			key, value = p.At.Key[:], p.At.Value[:]
		}
		f.Add(data, i, key, value)
	}
	f.Fuzz(func(t *testing.T, data []byte, i int, key, value []byte) {
		if i < 0 || i > 60 {
			return
		}
		var p Proof
		for len(data) >= Size && len(p.Siblings) < 300 {
			p.Siblings = append(p.Siblings, Hash(data))
			data = data[Size:]
		}
		if len(key) == Size && len(value) == Size {
			p.At = &Leaf{Hash(key), Hash(value)}
		}
		v, ok, err := p.Verify(root, h(i))
		if err != nil {
			return
		}
		want, has := m.Get(h(i))
		if ok != has || ok && v != want {
			t.Fatalf("a made-up proof was believed")
		}
		if genuine := m.Prove(h(i)); !slices.Equal(genuine.Siblings, p.Siblings) || (genuine.At == nil) != (p.At == nil) || p.At != nil &&
			*genuine.At != *p.At {
			t.Fatalf("a second proof of the same: %v", p)
		}
	})
}

func BenchmarkSet(b *testing.B) {
	var m Map
	for i := range 100_000 {
		m = m.Set(h(i), h(i))
	}
	m.Root()
	b.ResetTimer()
	for i := range b.N {
		m = m.Set(h(i%100_000), h(i+1))
		m.Root()
	}
}
