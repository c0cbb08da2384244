package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/trillian"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/trialproof/trialproof/logserver"
)

// check compares the tree with leaves: its size, its root and every byte.
func check(t *testing.T, tree *Tree, leaves [][]byte) {
	t.Helper()
	size, root, err := tree.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if size != uint64(len(leaves)) {
		t.Fatalf("size is %d, want %d", size, len(leaves))
	}
	if want := rootOf(t, leaves); root != want {
		t.Fatalf("root of %d leaves is %x, want %x", size, root, want)
	}
	got, err := tree.Leaves(t.Context(), 0, size)
	if err != nil {
		t.Fatal(err)
	}
	for i := range leaves {
		if string(got[i]) != string(leaves[i]) {
			t.Fatalf("leaf %d is %.40q, want %.40q", i, got[i], leaves[i])
		}
	}
}

// rootOf returns the root of leaves, computed by another implementation of RFC 6962.
func rootOf(t testing.TB, leaves [][]byte) [32]byte {
	t.Helper()
	var hashes hashReader
	for i, l := range leaves {
		hashes.add(t, int64(i), l)
	}
	root, err := tlog.TreeHash(int64(len(leaves)), hashes)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

type hashReader []tlog.Hash

func (r *hashReader) add(t testing.TB, index int64, leaf []byte) {
	t.Helper()
	h, err := tlog.StoredHashes(index, leaf, *r)
	if err != nil {
		t.Fatal(err)
	}
	*r = append(*r, h...)
}

func (r hashReader) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		if x >= int64(len(r)) {
			return nil, fmt.Errorf("no hash %d", x)
		}
		out[i] = r[x]
	}
	return out, nil
}

// plant adds a leaf without Append and does not integrate it.
func plant(t testing.TB, tree *Tree, index uint64, leaf []byte) {
	t.Helper()
	_, err := tree.backend.client.AddSequencedLeaves(context.Background(), &trillian.AddSequencedLeavesRequest{
		LogId: tree.treeID,
		Leaves: []*trillian.LogLeaf{{
			LeafIndex: int64(index), LeafValue: leaf, LeafIdentityHash: identity(index, leaf),
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAppend(t *testing.T) {
	type step struct {
		first, n int
		plant    map[int]string // before the step; "" is the right leaf
		conflict int            // index of a leaf with other bytes, -1 if there is none
		gap      bool
		size     int // afterwards
	}
	ok := func(first, n, size int) step { return step{first: first, n: n, conflict: -1, size: size} }
	with := func(s step, plant map[int]string) step { s.plant = plant; return s }
	clash := func(s step, index int) step { s.conflict = index; return s }
	gap := func(s step) step { s.gap = true; return s }
	const right, other = "", "other bytes"

	tests := map[string][]step{
		"nothing":                          {ok(0, 0, 0)},
		"one after another":                {ok(0, 1, 1), ok(1, 2, 3), ok(3, 300, 303)},
		"again":                            {ok(0, 10, 10), ok(0, 10, 10), ok(0, 10, 10)},
		"again, in part":                   {ok(0, 10, 10), ok(3, 4, 10), ok(9, 1, 10)},
		"overlap":                          {ok(0, 10, 10), ok(5, 10, 15), ok(0, 20, 20)},
		"nothing at the end and before it": {ok(0, 10, 10), ok(10, 0, 10), ok(4, 0, 10)},
		"gap":                              {ok(0, 10, 10), gap(ok(11, 1, 10)), ok(10, 1, 11)},
		"gap on an empty log":              {gap(ok(1, 1, 0)), gap(ok(1, 0, 0)), ok(0, 1, 1)},

		"all there, none integrated":     {with(ok(0, 3, 3), map[int]string{0: right, 1: right, 2: right})},
		"first there":                    {with(ok(0, 5, 5), map[int]string{0: right})},
		"last there":                     {with(ok(0, 5, 5), map[int]string{4: right})},
		"middle there":                   {with(ok(0, 5, 5), map[int]string{1: right, 3: right})},
		"later there":                    {with(ok(0, 5, 5), map[int]string{7: right}), ok(5, 5, 10)},
		"there after integrated":         {ok(0, 300, 300), with(ok(290, 20, 310), map[int]string{305: right})},
		"a leaf more than the batch has": {with(ok(0, 5, 5), map[int]string{5: right}), ok(5, 1, 6)},

		"other bytes first":         {with(clash(ok(0, 5, 5), 0), map[int]string{0: other})},
		"other bytes last":          {with(clash(ok(0, 5, 5), 4), map[int]string{4: other})},
		"other bytes after a hole":  {with(clash(ok(0, 5, 5), 3), map[int]string{1: right, 3: other})},
		"other bytes after the end": {with(ok(0, 5, 5), map[int]string{5: other}), clash(ok(5, 1, 6), 5)},
		"other bytes, integrated": {ok(0, 5, 5), with(clash(ok(5, 5, 10), 7), map[int]string{7: other}), clash(ok(6, 3, 10), 7), ok(8,
			4, 12)},
	}
	test(t, func(t *testing.T, newConfig func(testing.TB) Config) {
		for name, steps := range tests {
			t.Run(name, func(t *testing.T) {
				tree := newTestTree(t, newConfig(t))
				leaves := testLeaves(0, 400)
				for i, s := range steps {
					for index, leaf := range s.plant {
						if leaf == right {
							leaf = string(leaves[index])
						}
						plant(t, tree, uint64(index), []byte(leaf))
					}
					err := tree.Append(t.Context(), uint64(s.first), leaves[s.first:s.first+s.n])
					switch {
					case s.conflict >= 0:
						if !errors.Is(err, logserver.ErrTreeConflict) {
							t.Errorf("step %d: got %v, want ErrTreeConflict", i, err)
						} else if want := fmt.Sprintf("leaf %d:", s.conflict); !strings.Contains(err.Error(), want) {
							t.Errorf("step %d: %q does not name the index: want %q", i, err, want)
						}
						leaves[s.conflict] = []byte(other)
					case s.gap:
						if err == nil || errors.Is(err, logserver.ErrTreeConflict) {
							t.Errorf("step %d: got %v, want a refusal of the gap", i, err)
						}
					case err != nil:
						t.Errorf("step %d: %v", i, err)
					}
					check(t, tree, leaves[:s.size])
					if s.conflict >= 0 { // the bytes that are there stay
						leaves[s.conflict] = testLeaves(uint64(s.conflict), 1)[0]
						if i+1 < len(steps) && steps[i+1].conflict < 0 {
							leaves[s.conflict] = []byte(other)
						}
					}
				}
			})
		}
	})
}

func TestAppendEmptyLeaf(t *testing.T) {
	tree := newTestTree(t, Config{SQLite: t.TempDir() + "/tree.db"})
	if err := tree.Append(t.Context(), 0, [][]byte{[]byte("a"), {}}); err == nil {
		t.Error("an empty leaf was taken")
	}
	check(t, tree, nil)
}

func TestAppendSizes(t *testing.T) {
	test(t, func(t *testing.T, newConfig func(testing.TB) Config) {
		tree := newTestTree(t, newConfig(t))
		var all [][]byte
		for _, n := range []int{1, 255, 256, 257, 1000, maxMessageLeaves + 1} {
			next := uint64(len(all))
			leaves := testLeaves(next, n)
			all = append(all, leaves...)
			if err := tree.Append(t.Context(), next, leaves); err != nil {
				t.Fatal(err)
			}
			check(t, tree, all)
		}
	})
}

// TestAppendEqualLeaves: the same bytes at many indexes.
func TestAppendEqualLeaves(t *testing.T) {
	test(t, func(t *testing.T, newConfig func(testing.TB) Config) {
		tree := newTestTree(t, newConfig(t))
		var all [][]byte
		for range 3 {
			leaves := [][]byte{[]byte("same"), []byte("same"), []byte("same")}
			if err := tree.Append(t.Context(), uint64(len(all)), leaves); err != nil {
				t.Fatal(err)
			}
			all = append(all, leaves...)
			check(t, tree, all)
		}
	})
}

// TestAppendLarge: batches that do not fit into one message, and leaves of bytes that
// statements must escape.
func TestAppendLarge(t *testing.T) {
	test(t, func(t *testing.T, newConfig func(testing.TB) Config) {
		tree := newTestTree(t, newConfig(t))
		leaves := testLeaves(0, 64)
		for i := range leaves {
			leaf := make([]byte, 65535)
			for j := copy(leaf, leaves[i]); j < len(leaf); j++ {
				leaf[j] = "\x00'\"\\?\xff\n"[j%7]
			}
			leaves[i] = leaf
		}
		if n := messageLen(leaves); n >= len(leaves) {
			t.Fatalf("%d leaves go into one message: the test is too small", n)
		}
		for range 2 {
			if err := tree.Append(t.Context(), 0, leaves); err != nil {
				t.Fatal(err)
			}
			check(t, tree, leaves)
		}
	})
}

// TestRoots compares root and consistency proofs with x/mod's at every size.
func TestRoots(t *testing.T) {
	const sizes = 300
	test(t, func(t *testing.T, newConfig func(testing.TB) Config) {
		tree := newTestTree(t, newConfig(t))
		var hashes hashReader
		roots := []tlog.Hash{{}}
		for n := uint64(1); n <= sizes; n++ {
			leaf := testLeaves(n-1, 1)
			if err := tree.Append(t.Context(), n-1, leaf); err != nil {
				t.Fatal(err)
			}
			hashes.add(t, int64(n-1), leaf[0])
			want, err := tlog.TreeHash(int64(n), hashes)
			if err != nil {
				t.Fatal(err)
			}
			size, root, err := tree.Head(t.Context())
			if err != nil || size != n || root != want {
				t.Fatalf("head is %d %x (%v), want %d %x", size, root, err, n, want)
			}
			roots = append(roots, want)
			from := n * 2 / 3
			checkConsistency(t, tree, from, n, roots)
		}
		for _, from := range []uint64{1, 2, 127, 128, 255, 256, 257, 299} {
			for _, to := range []uint64{256, 257, 300} {
				if from <= to {
					checkConsistency(t, tree, from, to, roots)
				}
			}
		}
	})
}

func checkConsistency(t *testing.T, tree *Tree, from, to uint64, roots []tlog.Hash) {
	t.Helper()
	proof, err := tree.Consistency(t.Context(), from, to)
	if err != nil {
		t.Fatal(err)
	}
	if from == 0 || from == to {
		if len(proof) != 0 {
			t.Fatalf("proof from %d to %d has %d hashes, want none", from, to, len(proof))
		}
		return
	}
	p := make(tlog.TreeProof, len(proof))
	for i, h := range proof {
		p[i] = h
	}
	if err := tlog.CheckTree(p, int64(to), roots[to], int64(from), roots[from]); err != nil {
		t.Fatalf("proof from %d to %d: %v", from, to, err)
	}
}
