package dataset

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
)

func FuzzDisclosure(f *testing.F) {
	tb := newTable("FUZZ", 20, 5)
	k := testKey(f, "fuzz")
	c, ix := tb.commit(f, k, Options{Cells: true})
	d, err := ix.DiscloseSubject(k, tb.ids()[0], ShowID, tb.read, []int{1, 2})
	if err != nil {
		f.Fatal(err)
	}
	data, _ := d.Marshal()
	f.Add(data)
	p, _ := ix.ProveSubject(k, []byte("nobody"), ShowToken)
	data, _ = p.Marshal()
	f.Add(data)
	pair, _ := ProvePair(k, ix, ix, tb.ids()[0], ShowID)
	data, _ = pair.Marshal()
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		same := func(v interface{ Marshal() ([]byte, error) }) {
			if again, err := v.Marshal(); err != nil || !bytes.Equal(again, data) {
				t.Fatal("it parses what it does not write")
			}
		}
		if d, err := ParseDisclosure(data); err == nil {
			same(d)
			d.Verify(c)
		}
		if p, err := ParseSubjectProof(data); err == nil {
			same(p)
			p.Verify(c)
		}
		if p, err := ParsePair(data); err == nil {
			same(p)
			p.Verify(c, c)
		}
		if c, err := ParseCommitment(data); err == nil {
			if again, err := c.Marshal(); err != nil || !bytes.Equal(again, data) {
				t.Fatal("it parses what it does not write")
			}
			d.Verify(c)
		}
	})
}

func FuzzKey(f *testing.F) {
	k := testKey(f, "fuzz")
	f.Add(k.Marshal())
	c := &Commitment{Extract: testExtract("fuzz"), Name: "FUZZ", RowCount: 9, Columns: 3}
	if err := k.EraseRows(c, 1, 2, 5); err != nil {
		f.Fatal(err)
	}
	f.Add(k.Marshal())
	f.Fuzz(func(t *testing.T, data []byte) {
		k, err := ParseKey(data)
		if err != nil { // with a check sum that fits
			s := sumKey(data)
			if k, err = ParseKey(s); err != nil {
				return
			}
			data = s
		}
		if !bytes.Equal(k.Marshal(), data) {
			t.Fatal("it parses what it does not write")
		}
		k.EraseRows(c, 0, 8)
		k.Forget([]byte("x"))
		if again, err := ParseKey(k.Marshal()); err != nil || !bytes.Equal(again.Marshal(), k.Marshal()) {
			t.Fatal(err)
		}
	})
}

func sumKey(nodes []byte) []byte {
	b := append([]byte(keyMagic), nodes...)
	s := sum(sha256.New(), string(b))
	return append(b, s[:]...)
}

func FuzzIndex(f *testing.F) {
	tb := newTable("FUZZ", 20, 5)
	k := testKey(f, "fuzz")
	var file bytes.Buffer
	tb.commit(f, k, Options{Index: &file})
	f.Add(file.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		ix, err := OpenIndex(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		var out bytes.Buffer
		if _, err := ix.WriteTo(&out); err != nil || !bytes.Equal(out.Bytes(), data) {
			t.Fatal("it does not write what it read")
		}
		ix.Check()
		for row := range min(ix.c.RowCount, 30) {
			if h, err := ix.HandleAt(row); err == nil && ix.c.RowCount > 0 {
				ix.Rows(h)
				ix.ProveHandle(h)
				testKey(t, "fuzz").EraseSubject(ix, h)
			}
			ix.rowsRoot(0, row+1)
		}
		for _, id := range tb.ids() {
			ix.DiscloseSubject(k, id, ShowID, func(row uint64) ([][]byte, error) {
				if row >= uint64(len(tb.rows)) {
					return nil, io.EOF
				}
				return tb.rows[row], nil
			}, nil)
		}
	})
}

// TestHostile: what cannot be is refused before memory is taken for it.
func TestHostile(t *testing.T) {
	tb := newTable("HOSTILE", 20, 5)
	k := testKey(t, "hostile")
	var file bytes.Buffer
	c, _ := tb.commit(t, k, Options{Index: &file})
	good := file.Bytes()
	refused := func(name string, data []byte) {
		t.Helper()
		if _, err := OpenIndex(bytes.NewReader(data), int64(len(data))); err == nil {
			t.Errorf("index with %s was opened", name)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
	refused("nothing", nil)
	refused("its end cut off", good[:len(good)-1])
	refused("its beginning cut off", good[1:])
	refused("more bytes", append(bytes.Clone(good), 0))
	huge := bytes.Clone(good)
	binary.BigEndian.PutUint64(huge[len(huge)-8:], 1<<62)
	refused("a huge head", huge)
	refused("a huge table", []byte(strings.Replace(string(good), `"rowCount":20,`, `"rowCount":1099511627775,`, 1)))
	// It says that it is larger than it is.
	if _, err := OpenIndex(bytes.NewReader(good), 1<<40); err == nil {
		t.Error("an index was opened whose size is wrong")
	}

	deep := bytes.Repeat([]byte{markSplit}, 1<<20)
	if _, err := ParseKey(sumKey(deep)); err == nil {
		t.Error("a key deeper than any path was parsed")
	}
	if _, err := ParseKey(sumKey([]byte{markSplit, markErased, markErased})); err == nil {
		t.Error("a key was parsed that is not as it is written")
	}
	if _, err := ParseKey(sumKey([]byte{markErased})); err != nil {
		t.Error(err)
	}

	bad := *c
	bad.RowCount = 1 << 60
	if err := bad.Check(); err == nil {
		t.Error("2^60 rows")
	}
	for _, h := range []Header{
		{Name: "X", Columns: []string{"A"}},
		{Name: "", Columns: []string{"A"}, Extract: Extract{1}},
		{Name: "X\n", Columns: []string{"A"}, Extract: Extract{1}},
		{Name: "X", Extract: Extract{1}},
		{Name: "X", Columns: []string{"A"}, Subject: 1, Extract: Extract{1}},
		{Name: "X", Columns: []string{"\xff"}, Extract: Extract{1}},
		{Name: "X", Columns: make([]string, MaxColumns+1), Extract: Extract{1}},
	} {
		if _, err := NewBuilder(k, h, Options{}); err == nil {
			t.Errorf("header %.60v was taken", h)
		}
	}
	large, id := make([]byte, MaxCell+1), make([]byte, MaxID+1)
	for _, row := range [][][]byte{{}, make([][]byte, 6), {nil, nil, nil, nil, large}, {nil, id, nil, nil, nil}} {
		b, err := NewBuilder(k, tb.Header, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Add(row); err == nil {
			t.Error("a row was taken that is too large or has other columns")
		}
		if b.Add(tb.rows[0]) == nil {
			t.Error("a row was taken after an error")
		}
		if _, _, err := b.Finish(); err == nil {
			t.Error("the builder finished after an error")
		}
	}
}

// full fails after some bytes.
type full int

func (f *full) Write(p []byte) (int, error) {
	if *f -= full(len(p)); *f < 0 {
		return 0, errors.New("no space left")
	}
	return len(p), nil
}

func TestFull(t *testing.T) {
	tb := newTable("FULL", 9000, 50)
	var file bytes.Buffer
	tb.commit(t, testKey(t, "full"), Options{Index: &file})
	for room := 0; room < file.Len(); room += 50_001 {
		f := full(room)
		b, err := NewBuilder(testKey(t, "full"), tb.Header, Options{Index: &f})
		for _, r := range tb.rows {
			if err == nil {
				err = b.Add(r)
			}
		}
		if err == nil {
			_, _, err = b.Finish()
		}
		if err == nil || !strings.Contains(err.Error(), "no space left") {
			t.Errorf("with room for %d bytes: %v", room, err)
		}
	}
}
