package smap

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestPart: for maps of every small size, and any keys present or absent in them, the part has
// the map's root before and after any of the keys are set.
func TestPart(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 60 {
		var m Map
		var all []Hash
		for i := range n {
			k := sha256.Sum256(fmt.Append(nil, n, i))
			if i%3 == 0 { // keys that differ late
				k[0], k[1] = 0xaa, 0
			}
			all = append(all, k)
			m = m.Set(k, Hash{byte(i)})
		}
		for range 20 {
			var keys []Hash
			var proofs []Proof
			for range rng.IntN(6) {
				k := sha256.Sum256(fmt.Append(nil, rng.Uint64()))
				if n > 0 && rng.IntN(2) == 0 {
					k = all[rng.IntN(n)]
				} else if rng.IntN(2) == 0 {
					k[0], k[1] = 0xaa, 0
				}
				keys, proofs = append(keys, k), append(proofs, m.Prove(k))
			}
			p, err := Part(m.Root(), keys, proofs)
			if err != nil || p.Root() != m.Root() {
				t.Fatalf("%d keys: %v", n, err)
			}
			full := m
			for _, k := range keys {
				v := Hash{byte(rng.Uint32())}
				p, full = p.Set(k, v), full.Set(k, v)
				if p.Root() != full.Root() {
					t.Fatalf("%d keys: the roots part", n)
				}
			}
		}
	}
}

func TestPartRefuses(t *testing.T) {
	var m Map
	var keys []Hash
	for i := range 9 {
		k := sha256.Sum256([]byte{byte(i)})
		keys = append(keys, k)
		m = m.Set(k, k)
	}
	proof := m.Prove(keys[0])
	if _, err := Part(m.Root(), keys[1:2], []Proof{proof}); err == nil {
		t.Error("another key's proof is taken")
	}
	if _, err := Part(Hash{1}, keys[:1], []Proof{proof}); err == nil {
		t.Error("another map's proof is taken")
	}
	p, err := Part(m.Root(), keys[:1], []Proof{proof})
	if err != nil {
		t.Fatal(err)
	}
	panics := 0
	for _, k := range keys[1:] {
		func() {
			defer func() {
				if recover() != nil {
					panics++
				}
			}()
			p.Set(k, k)
		}()
	}
	if panics != len(keys)-1 {
		t.Errorf("%d of %d keys without a proof are not to be set", panics, len(keys)-1)
	}
}
