package dataset

import (
	"bytes"
	"fmt"
	"testing"
)

// TestNaive compares commitments with those of the second implementation.
func TestNaive(t *testing.T) {
	for _, size := range [][2]int{{0, 1}, {1, 1}, {2, 1}, {3, 2}, {7, 7}, {64, 9}, {1023, 40}, {1024, 300}, {1025, 11}, {5000, 700}} {
		for i := range 8 {
			cells, private, none := i&1 > 0, i&2 > 0, i&4 > 0
			t.Run(fmt.Sprint(size, cells, private, none), func(t *testing.T) {
				tb := newTable(fmt.Sprint("T", size), size[0], size[1])
				if none {
					tb.Subject = -1
				}
				k := testKey(t, "naive")
				want := naive(k.root.seed[:], tb, cells, private)
				c, ix := tb.commit(t, k, Options{Cells: cells, Private: private})
				if *c != *want {
					t.Errorf("got  %+v\nwant %+v", c, want)
				}
				if *ix.Commitment() != *c {
					t.Errorf("the index has %+v", ix.Commitment())
				}
				if err := c.Check(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestSame: the result does not depend on batches or on how many goroutines hash.
func TestSame(t *testing.T) {
	tb := newTable("SAME", 5000, 400)
	for i := range 9 { // a batch ends early, in the middle of a chunk
		tb.rows[3000+i][3] = bytes.Repeat([]byte("x"), MaxCell)
	}
	for _, cells := range []bool{false, true} {
		var first []byte
		for _, batch := range []int{0, 1, 1000, 1024, 100000} {
			for _, workers := range []int{0, 1, 5} {
				k := testKey(t, "same")
				var file bytes.Buffer
				c, ix := tb.commit(t, k, Options{Cells: cells, Index: &file, batchRows: batch, workers: workers})
				if ix != nil {
					t.Fatal("an index that went to a writer was returned")
				}
				ix, err := OpenIndex(bytes.NewReader(file.Bytes()), int64(file.Len()))
				if err != nil || *ix.Commitment() != *c {
					t.Fatal(err)
				}
				if first == nil {
					first = file.Bytes()
				}
				if !bytes.Equal(first, file.Bytes()) {
					t.Fatalf("batch %d, workers %d: another index", batch, workers)
				}
			}
		}
	}
}

// TestEvery discloses every row, every column and every subject.
func TestEvery(t *testing.T) {
	for _, cells := range []bool{false, true} {
		for _, private := range []bool{false, true} {
			t.Run(fmt.Sprint(cells, private), func(t *testing.T) {
				tb := newTable("EVERY", 1100, 40)
				k := testKey(t, "every")
				c, ix := tb.commit(t, k, Options{Cells: cells, Private: private})
				largest := 0
				check := func(d *Disclosure, err error) *Disclosure {
					t.Helper()
					if err != nil {
						t.Fatal(err)
					}
					data, err := d.Marshal()
					if err != nil {
						t.Fatal(err)
					}
					again, err := ParseDisclosure(data)
					if err != nil {
						t.Fatalf("%v\n%s", err, data)
					}
					if err := again.Verify(c); err != nil {
						t.Fatalf("%v\n%s", err, data)
					}
					if len(again.Rows) == 1 {
						largest = max(largest, len(data))
					}
					return again
				}
				for i := range tb.rows {
					d := check(ix.Disclose(k, []RowCells{{uint64(i), tb.rows[i]}}, nil))
					for j, v := range d.Rows[0].Cells {
						if !bytes.Equal(v.Value, tb.rows[i][j]) || d.Columns[j].Text != tb.Columns[j] {
							t.Fatalf("row %d, column %d: %q", i, j, v.Value)
						}
					}
					h, err := ix.HandleAt(uint64(i))
					if err != nil || h.IsZero() != (len(tb.rows[i][1]) == 0) {
						t.Fatal(err, h)
					}
					if i%25 > 0 {
						continue
					}
					for set := 1; set < 32; set++ {
						var columns []int
						for j := range 5 {
							if set>>j&1 > 0 {
								columns = append(columns, j)
							}
						}
						d, err := ix.Disclose(k, []RowCells{{uint64(i), tb.rows[i]}}, columns)
						if !cells && set < 31 {
							if err == nil {
								t.Fatal("columns of a row were shown without trees of cells")
							}
							continue
						}
						if d = check(d, err); len(d.Rows[0].Cells) != len(columns) {
							t.Fatal("other columns")
						}
					}
				}
				var some []RowCells
				for i := len(tb.rows) - 1; i >= 0; i -= 37 {
					some = append(some, RowCells{uint64(i), tb.rows[i]})
				}
				check(ix.Disclose(k, some, nil))
				for _, id := range tb.ids() {
					for _, show := range []Show{ShowHandle, ShowToken, ShowID} {
						d := check(ix.DiscloseSubject(k, id, show, tb.read, nil))
						if fmt.Sprint(tb.rowsOf(id)) != fmt.Sprint(rowNumbers(d)) {
							t.Fatalf("%s: rows %v", id, rowNumbers(d))
						}
					}
				}
				if _, err := ix.DiscloseSubject(k, []byte("nobody"), ShowID, tb.read, nil); err == nil {
					t.Error("a subject that is not there was disclosed")
				}
				t.Logf("the largest disclosure of a row has %d bytes", largest)
			})
		}
	}
}

func rowNumbers(d *Disclosure) (rows []uint64) {
	for _, r := range d.Rows {
		rows = append(rows, r.Row)
	}
	return rows
}

// TestExample computes the example of the package comment.
func TestExample(t *testing.T) {
	k := &Key{&node{}}
	h := Header{Name: "DM", Extract: Extract{0xee}, Columns: []string{"USUBJID", "SEX"}, Subject: 0}
	for _, want := range []struct {
		cells                  bool
		rows, subjects, header string
	}{
		{false, "96f03f5cf69b78967dd1687805555a7659e9a1022c62a82c930b6c320569f828",
			"0ad8b55f43808de1fea11bb2f63f555ca67e2d4368d54aa4ba75f90fa299a537",
			"10ed9a0551a47f1f98d3c8401ebbb28e8c077b5680f92094e569e72286a64187"},
		{true, "78bdf6d8dfc8d8dffe406d21615f74cbfaae5ef60f99156b5146e2d913c8fe5d",
			"d8fc24b71b6123baf9ef0d6615b5026e15e9c4b816c3d3ce4ad12a1207da4a8a",
			"10ed9a0551a47f1f98d3c8401ebbb28e8c077b5680f92094e569e72286a64187"},
	} {
		tb := &table{h, [][][]byte{{[]byte("01"), []byte("F")}, {[]byte("02"), []byte("M")}, {[]byte("01"), []byte("F")}}}
		c, _ := tb.commit(t, k, Options{Cells: want.cells})
		if *c != *naive(k.root.seed[:], tb, want.cells, false) {
			t.Error("the second implementation differs")
		}
		if !want.cells && c.ID().String() != "5ec06a16a696e4b50bbe763169dcd98611028222f6a0735b58a9d2dc2411b8ef" {
			t.Errorf("id %s", c.ID())
		}
		if c.Rows.String() != want.rows || c.Subjects.String() != want.subjects || c.Header.String() != want.header {
			data, _ := c.Marshal()
			t.Errorf("cells %v: %s\nid %s", want.cells, data, c.ID())
		}
	}
}
