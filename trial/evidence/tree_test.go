package evidence

import (
	"crypto/sha256"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/trialproof/trialproof/trial/history"
)

// storage is a tree in memory.
type storage []tlog.Hash

func (s storage) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var list []tlog.Hash
	for _, x := range indexes {
		list = append(list, s[x])
	}
	return list, nil
}

func grown(t testing.TB, n int, salt string) storage {
	var s storage
	for i := range n {
		h, err := tlog.StoredHashes(int64(i), []byte{byte(i), byte(i >> 8), salt[min(i, len(salt)-1)]}, s)
		if err != nil {
			t.Fatal(err)
		}
		s = append(s, h...)
	}
	return s
}

func rootOf(t testing.TB, s storage, n int) [32]byte {
	h, err := tlog.TreeHash(int64(n), s)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestRoots compares every pair of sizes with tlog: the hashes lead to both roots. With any
// hash altered, left out or added they no longer lead to the larger root, so they cannot be
// changed to lead to another smaller root.
func TestRoots(t *testing.T) {
	s := grown(t, 70, "x")
	for n := 1; n <= 70; n++ {
		for m := 0; m < n; m++ {
			e, err := NewInconsistent(nil, nil, uint64(m), uint64(n), s)
			if err != nil {
				t.Fatal(err)
			}
			proof, err := history.Hashes(e.Proof)
			if err != nil {
				t.Fatal(err)
			}
			small, large, err := roots(uint64(m), uint64(n), proof)
			if m == 0 {
				if err != nil || small != sha256.Sum256(nil) || len(proof) > 0 {
					t.Fatalf("0 of %d: %x, %v", n, small, err)
				}
				if _, _, err := roots(0, uint64(n), make([][32]byte, 1)); err == nil {
					t.Fatalf("0 of %d: a hash is taken", n)
				}
				continue
			}
			if err != nil || small != rootOf(t, s, m) || large != rootOf(t, s, n) {
				t.Fatalf("%d of %d: %x, %x, %v", m, n, small, large, err)
			}
			for i := range proof {
				proof[i][7] ^= 1
				if _, l, err := roots(uint64(m), uint64(n), proof); err == nil && l == large {
					t.Fatalf("%d of %d: hash %d is not bound", m, n, i)
				}
				proof[i][7] ^= 1
			}
			if _, _, err := roots(uint64(m), uint64(n), proof[:len(proof)-1]); err == nil {
				t.Fatalf("%d of %d: a hash is missing", m, n)
			}
			if _, _, err := roots(uint64(m), uint64(n), append(proof, [32]byte{})); err == nil {
				t.Fatalf("%d of %d: a hash too many", m, n)
			}
		}
	}
	for _, m := range []uint64{1, 2, 1 << 61, 1<<62 - 2} { // roots returns, whatever the sizes are
		roots(m, 1<<62-1, make([][32]byte, 70))
		roots(m, m+1, make([][32]byte, 70))
	}
}
