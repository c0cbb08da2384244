package dataset

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
)

// each calls f with every change of one byte of data: three others in its place, and without it.
func each(data []byte, f func(changed []byte)) {
	for i := range data {
		for _, by := range []byte{data[i] ^ 1, data[i] + 7, '0'} {
			if by != data[i] {
				changed := bytes.Clone(data)
				changed[i] = by
				f(changed)
			}
		}
		f(append(bytes.Clone(data[:i]), data[i+1:]...))
	}
}

func TestTamper(t *testing.T) {
	for _, cells := range []bool{false, true} {
		tb := newTable("TAMPER", 40, 9)
		tb.rows[7][1] = []byte("01-00003")
		k := testKey(t, "tamper")
		c, ix := tb.commit(t, k, Options{Cells: cells, Private: cells})
		other := *tb
		other.Extract = testExtract("other")
		c2, ix2 := other.commit(t, k, Options{Cells: cells, Private: cells})
		id := tb.rows[7][1]
		columns := []int{1, 3}
		if !cells {
			columns = nil
		}
		row, err := ix.Disclose(k, []RowCells{{7, tb.rows[7]}}, columns)
		if err != nil {
			t.Fatal(err)
		}
		whole, err := ix.DiscloseSubject(k, id, ShowID, tb.read, columns)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range []*Disclosure{row, whole} {
			data, _ := d.Marshal()
			each(data, func(changed []byte) {
				if got, err := ParseDisclosure(changed); err == nil && got.Verify(c) == nil {
					t.Fatalf("a disclosure was altered and verifies:\n%s\n%s", data, changed)
				}
			})
			text, _ := c.Marshal()
			each(text, func(changed []byte) {
				if got, err := ParseCommitment(changed); err == nil && d.Verify(got) == nil {
					t.Fatalf("a commitment was altered and a disclosure verifies:\n%s\n%s", text, changed)
				}
			})
			if d.Verify(c2) == nil {
				t.Error("a disclosure verifies for another extract of the same rows")
			}
			// A disclosure that names the other commitment has other hashes.
			d.Dataset = c2.ID()
			if d.Subject != nil {
				d.Subject.Dataset = c2.ID()
			}
			if d.Verify(c2) == nil {
				t.Error("a disclosure verifies for another extract")
			}
		}
		absent := *tb
		absent.Extract, absent.rows = testExtract("absent"), nil
		for _, r := range tb.rows {
			if !bytes.Equal(r[1], id) {
				absent.rows = append(absent.rows, r)
			}
		}
		c3, ix3 := absent.commit(t, k, Options{Cells: cells})
		for _, show := range []Show{ShowHandle, ShowToken, ShowID} {
			p, err := ix3.ProveSubject(k, id, show)
			if err != nil {
				t.Fatal(err)
			}
			if present, err := p.Verify(c3); present || err != nil {
				t.Fatal(present, err)
			}
			data, _ := p.Marshal()
			each(data, func(changed []byte) {
				got, err := ParseSubjectProof(changed)
				if err != nil {
					return
				}
				// Another handle, token or id may be absent just as well: then it is another one.
				if present, err := got.Verify(c3); err == nil && (present || got.Handle == p.Handle && got.Token == p.Token &&
					bytes.Equal(got.ID, p.ID) && got.Secret == p.Secret) {
					t.Fatalf("a proof of absence was altered and verifies:\n%s\n%s", data, changed)
				}
			})
		}
		for _, show := range []Show{ShowToken, ShowID} {
			pair, err := ProvePair(k, ix, ix3, id, show)
			if err != nil {
				t.Fatal(err)
			}
			data, _ := pair.Marshal()
			again, err := ParsePair(data)
			if err != nil {
				t.Fatal(err)
			}
			if was, is, err := again.Verify(c, c3); !was || is || err != nil {
				t.Fatal(was, is, err)
			}
			if _, _, err := again.Verify(c2, c3); err == nil {
				t.Error("a pair verifies for another extract")
			}
			each(data, func(changed []byte) {
				if got, err := ParsePair(changed); err == nil {
					if was, is, err := got.Verify(c, c3); err == nil && was && !is {
						t.Fatalf("a pair was altered and verifies:\n%s\n%s", data, changed)
					}
				}
			})
			if show == ShowToken && strings.Contains(string(data), string(id)) {
				t.Error("a pair that shows a token shows the id")
			}
		}
		both, err := ProvePair(k, ix, ix2, id, ShowHandle)
		if err != nil {
			t.Fatal(err)
		}
		if was, is, err := both.Verify(c, c2); !was || !is || err != nil {
			t.Error(was, is, err)
		}
	}
}

// TestIndexTamper: a damaged index may give no disclosure; it never gives a false one.
func TestIndexTamper(t *testing.T) {
	tb := newTable("INDEX", 12, 5)
	k := testKey(t, "index")
	var file bytes.Buffer
	c, _ := tb.commit(t, k, Options{Index: &file})
	each(file.Bytes(), func(changed []byte) {
		ix, err := OpenIndex(bytes.NewReader(changed), int64(len(changed)))
		if err != nil {
			return
		}
		if *ix.Commitment() == *c && ix.Check() == nil && slices.Equal(ix.Columns(), tb.Columns) {
			t.Fatal("a damaged index was found to be whole")
		}
		for i := range tb.rows {
			if d, err := ix.Disclose(k, []RowCells{{uint64(i), tb.rows[i]}}, nil); err == nil && *ix.Commitment() == *c && d.Verify(c) != nil {
				t.Fatal("a damaged index gives a false disclosure")
			}
		}
		for _, id := range tb.ids() {
			if p, err := ix.ProveSubject(k, id, ShowHandle); err == nil && *ix.Commitment() == *c {
				if present, err := p.Verify(c); err != nil || !present {
					t.Fatal("a damaged index gives a false proof")
				}
			}
		}
	})
}

// TestGuess plays someone who has the log, the index and the disclosures of all cells but those of
// a coded column, and tries every code with every salt and seed that he can see or compute.
func TestGuess(t *testing.T) {
	const coded = 2
	for _, cells := range []bool{true, false} {
		tb := newTable("GUESS", 300, 20)
		k := testKey(t, "guess")
		var file bytes.Buffer
		c, _ := tb.commit(t, k, Options{Cells: cells, Index: &file})
		ix, err := OpenIndex(bytes.NewReader(file.Bytes()), int64(file.Len()))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := c.Marshal()
		public := append(append([]byte(nil), text...), file.Bytes()...)
		salts := []Hash{{}, c.ID(), c.Header, c.Rows, c.Subjects, Hash(sha256.Sum256(nil))}
		hidden := map[int]bool{}
		for i := range tb.rows {
			if !cells && i%3 == 0 {
				hidden[i] = true // the row is not disclosed
				continue
			}
			columns := []int{0, 1, 3, 4}
			if !cells {
				columns = nil
			}
			d, err := ix.Disclose(k, []RowCells{{uint64(i), tb.rows[i]}}, columns)
			if err != nil {
				t.Fatal(err)
			}
			data, _ := d.Marshal()
			public = append(public, data...)
			salts = append(salts, d.Rows[0].Salt)
			for _, cell := range d.Rows[0].Cells {
				salts = append(salts, cell.Salt)
			}
			hidden[i] = cells
		}
		for _, s := range salts[:len(salts):len(salts)] {
			salts = append(salts, child(&s, 0), child(&s, 1))
		}
		seen := map[Hash]bool{}
		for i := range len(public) - 32 {
			seen[Hash(public[i:])] = true
			if i+64 <= len(public) {
				var h Hash
				if _, err := hex.Decode(h[:], public[i:i+64]); err == nil {
					seen[h] = true
				}
			}
		}
		x := c.contexts()
		leaf := func(salt *Hash, row int, code string) Hash {
			if cells {
				return x.cellLeaf(salt, uint64(row), coded, []byte(code))
			}
			guess := append([][]byte(nil), tb.rows[row]...)
			guess[coded] = []byte(code)
			return x.rowLeaf(salt, uint64(row), guess)
		}
		tried := 0
		for row := range tb.rows {
			if !hidden[row] {
				continue
			}
			for _, code := range codes {
				p := ix.rowPath(uint64(row))
				if cells {
					p = p.then(coded, 3)
				}
				salt, err := k.seed(p)
				if err != nil {
					t.Fatal(err)
				}
				// Control: whoever has the salt can tell which code it is.
				if seen[leaf(&salt, row, code)] != (code == string(tb.rows[row][coded])) {
					t.Fatalf("row %d: the salt does not tell whether the code is %q", row, code)
				}
				if row%10 == 0 {
					for i := range salts {
						tried++
						if seen[leaf(&salts[i], row, code)] {
							t.Fatalf("row %d: the code %q was guessed", row, code)
						}
					}
				}
			}
			if salt, _ := k.seed(ix.rowPath(uint64(row))); bytes.Contains(public, []byte(salt.String())) {
				t.Fatalf("the seed of row %d is public", row)
			}
		}
		t.Logf("%d guesses", tried)
	}
}
