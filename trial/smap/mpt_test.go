//go:build unix && !wasm

package smap

import (
	"testing"

	"filippo.io/torchwood/mpt"
)

// TestSecondOpinion puts the same keys into another implementation of an authenticated map. The
// hashes differ by design. Both must agree, by proofs that each checks itself, on which keys
// are present, with which values, and which are absent.
func TestSecondOpinion(t *testing.T) {
	var m Map
	other := mpt.NewMemTree()
	for n := range 200 {
		if n%4 == 3 { // overwrite
			m = m.Set(h(n/2), h(9000+n))
			if err := other.Set(mpt.Key(h(n/2)), mpt.Val(h(9000+n))); err != nil {
				t.Fatal(err)
			}
			continue
		}
		m = m.Set(h(n), h(1000+n))
		if err := other.Set(mpt.Key(h(n)), mpt.Val(h(1000+n))); err != nil {
			t.Fatal(err)
		}
	}
	snap, err := other.Snap(1)
	if err != nil {
		t.Fatal(err)
	}
	present := 0
	for i := range 400 {
		v, ok, err := m.Prove(h(i)).Verify(m.Root(), h(i))
		if err != nil {
			t.Fatal(err)
		}
		proof, err := other.Prove(mpt.Key(h(i)))
		if err != nil {
			t.Fatal(err)
		}
		v2, ok2, err := mpt.Verify(snap, mpt.Key(h(i)), proof)
		if err != nil {
			t.Fatal(err)
		}
		if ok != ok2 || ok && v != Hash(v2) {
			t.Fatalf("key %d: we say %v %x, mpt says %v %x", i, ok, v, ok2, v2)
		}
		if ok {
			present++
		}
	}
	if present != m.Len() || present == 400 {
		t.Fatalf("%d of 400 present, map has %d", present, m.Len())
	}
}
