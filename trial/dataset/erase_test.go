package dataset

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"testing"
)

// seedsOf returns the seeds on a path, from the root to its end.
func seedsOf(root Hash, p path) []Hash {
	all := []Hash{root}
	for i := range p.n {
		root = child(&root, p.bit(i))
		all = append(all, root)
	}
	return all
}

// without checks that no 32 bytes of a key's file are any of these seeds.
func without(t *testing.T, file []byte, seeds []Hash) {
	t.Helper()
	windows := map[Hash]bool{}
	for i := range len(file) - len(Hash{}) {
		windows[Hash(file[i:])] = true
	}
	for _, s := range seeds {
		if windows[s] {
			t.Fatalf("the key file has the seed %s, above or at what was erased", s)
		}
	}
}

// TestErase erases rows and subjects of a table, and disclosed all others.
func TestErase(t *testing.T) {
	for _, cells := range []bool{false, true} {
		t.Run(fmt.Sprint(cells), func(t *testing.T) { testErase(t, cells) })
	}
}

func testErase(t *testing.T, cells bool) {
	tb := newTable("ERASE", 20_000, 800)
	k := testKey(t, "erase")
	root := k.root.seed
	var file bytes.Buffer
	c, _ := tb.commit(t, k, Options{Cells: cells, Private: true, Index: &file})
	open := func() *Index {
		ix, err := OpenIndex(bytes.NewReader(file.Bytes()), int64(file.Len()))
		if err != nil {
			t.Fatal(err)
		}
		return ix
	}
	ix := open()
	s := &stream{name: "erase"}
	gone := map[uint64]bool{}
	var rows []uint64
	for len(gone) < 1000 {
		row := uint64(s.below(len(tb.rows)))
		if !gone[row] {
			gone[row] = true
			rows = append(rows, row)
		}
	}
	if err := k.EraseRows(c, rows...); err != nil {
		t.Fatal(err)
	}
	ids := tb.ids()
	lost := map[string]bool{}
	var paths []path
	handles := map[string]Hash{}
	for len(lost) < 50 {
		id := ids[s.below(len(ids))]
		if lost[string(id)] {
			continue
		}
		lost[string(id)] = true
		token, err := k.Token(id)
		if err != nil {
			t.Fatal(err)
		}
		handle := c.Handle(token)
		handles[string(id)] = handle
		pos, _, _ := ix.find(handle)
		paths = append(paths, c.path().branch(branchSubjects).then(pos, subjectBits), linkPath(id))
		erased, err := k.EraseSubject(ix, handle)
		if err != nil || !slices.Equal(erased, tb.rowsOf(id)) {
			t.Fatal(err, erased)
		}
		for _, r := range erased {
			gone[r] = true
		}
		k.Forget(id)
		if _, err := k.EraseSubject(ix, handle); err == nil {
			t.Error("a subject was erased twice")
		}
	}
	// Restart.
	data := k.Marshal()
	t.Logf("the key file has %d bytes after %d rows and %d subjects were erased", len(data), len(gone), len(lost))
	k, err := ParseKey(data)
	if err != nil || !bytes.Equal(k.Marshal(), data) {
		t.Fatal(err)
	}
	ix = open()
	for row := range gone {
		p := ix.rowPath(row)
		if cells {
			p = p.then(2, 3)
		}
		paths = append(paths, p)
		if _, err := ix.Disclose(k, []RowCells{{row, tb.rows[row]}}, nil); err == nil {
			t.Fatalf("row %d was disclosed", row)
		}
	}
	var seeds []Hash
	for _, p := range paths {
		seeds = append(seeds, seedsOf(root, p)...)
	}
	without(t, data, seeds)
	var some []RowCells
	for i, r := range tb.rows {
		if gone[uint64(i)] {
			continue
		}
		some = append(some, RowCells{uint64(i), r})
		if i%40 == 0 {
			if _, err := ix.Disclose(k, some[len(some)-1:], nil); err != nil {
				t.Fatal(err)
			}
		}
		if len(some) == 200 || i == len(tb.rows)-1 {
			d, err := ix.Disclose(k, some, nil)
			if err != nil || len(d.Rows) != len(some) || d.Verify(c) != nil {
				t.Fatal(err)
			}
			some = nil
		}
	}
	for _, id := range ids {
		d, err := ix.DiscloseSubject(k, id, ShowID, tb.read, nil)
		if lost[string(id)] {
			if err == nil {
				t.Fatalf("subject %s was disclosed", id)
			}
			if p, err := ix.ProveHandle(handles[string(id)]); err != nil || p.At == nil {
				t.Fatal(err)
			}
			continue
		}
		kept := slices.ContainsFunc(tb.rowsOf(id), func(row uint64) bool { return !gone[row] })
		if (err == nil) != kept {
			t.Fatalf("subject %s: %v", id, err)
		}
		if err == nil {
			for _, r := range d.Rows {
				if r.Shown() == gone[r.Row] {
					t.Fatalf("row %d of subject %s: shown is %v", r.Row, id, r.Shown())
				}
			}
		}
	}
	// The key commits to other extracts as before, but not to this one again, and not to the lost.
	if _, err := NewBuilder(k, tb.Header, Options{}); err == nil {
		t.Error("an extract was committed again after rows of it were erased")
	}
	next := &table{Header: tb.Header}
	next.Extract = testExtract("next")
	for _, r := range tb.rows {
		if !lost[string(r[1])] {
			next.rows = append(next.rows, r)
		}
	}
	fresh := &Key{&node{seed: root}}
	c2, _ := next.commit(t, k, Options{Cells: cells})
	if c3, _ := next.commit(t, fresh, Options{Cells: cells}); *c2 != *c3 {
		t.Error("a key from which others were erased commits to another root")
	}
	b, _ := NewBuilder(k, next.Header, Options{Index: io.Discard})
	back := slices.IndexFunc(tb.rows, func(r [][]byte) bool { return lost[string(r[1])] })
	if err := b.Add(tb.rows[back]); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Finish(); err == nil {
		t.Error("a subject came back that was forgotten")
	}
	k.EraseDataset(c)
	without(t, k.Marshal(), seedsOf(root, c.path().branch(branchRows)))
	if _, err := ix.Disclose(k, []RowCells{{0, tb.rows[0]}}, nil); err == nil {
		t.Error("a row was disclosed of a dataset that was erased")
	}
}

// TestEraseAll erases every row of small tables one by one: the key stays small, and each row that
// was not erased keeps its salt.
func TestEraseAll(t *testing.T) {
	for n := uint64(1); n < 40; n++ {
		k := testKey(t, "all")
		c := &Commitment{Extract: testExtract("all"), Name: "ALL", RowCount: n, SubjectCount: n, Columns: 1}
		at := func(row uint64) path { return c.path().branch(branchRows).then(row, rowBits) }
		var salts []Hash
		for i := range n {
			s, err := k.seed(at(i))
			if err != nil {
				t.Fatal(err)
			}
			salts = append(salts, s)
		}
		for i := range n {
			row := i * 7 % n
			if n%7 == 0 {
				row = i
			}
			if err := k.EraseRows(c, row); err != nil {
				t.Fatal(err)
			}
			salts[row] = Hash{}
			for j, s := range salts {
				if got, err := k.seed(at(uint64(j))); (err != nil) != s.IsZero() || got != s {
					t.Fatalf("%d rows: salt %d is %s, %v; want %s", n, j, got, err, s)
				}
			}
			if !wiped(k.root) {
				t.Fatal("a seed that was replaced is still in memory")
			}
			k2, err := ParseKey(k.Marshal())
			if err != nil || !bytes.Equal(k2.Marshal(), k.Marshal()) {
				t.Fatal(err)
			}
		}
		if size := len(k.Marshal()); size > 80*34 {
			t.Errorf("%d rows: when all are erased the key file has %d bytes", n, size)
		}
		if err := k.EraseRows(c, n); err == nil {
			t.Error("a row was erased that is not there")
		}
	}
}

func wiped(n *node) bool {
	return n == nil || n.kids == nil || n.seed.IsZero() && wiped(n.kids[0]) && wiped(n.kids[1])
}
