package table_test

import (
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/dataset/table"
)

// flat joins the cells of rows.
func flat(rows [][]string) string {
	lines := make([]string, len(rows))
	for i, r := range rows {
		lines[i] = strings.Join(r, "|")
	}
	return strings.Join(lines, "\n")
}

func readString(name, s string) (string, *table.Table, error) {
	rows, tab, err := read(name, strings.NewReader(s))
	return flat(rows), tab, err
}

// TestIBM reads IBM doubles that were worked out by hand. A decimal is the exact value if it is whole.
func TestIBM(t *testing.T) {
	rounded := []string{"4055555555555555", "4020000000000001", "4020000000000003", "40ffffffffffffff"}
	max := new(big.Int).Lsh(big.NewInt(1<<56-1), 4*63-56)
	for word, want := range map[string]string{
		"0000000000000000": "N0",
		"8000000000000000": "N0", // minus zero
		"4000000000000000": "N0", // no fraction: 0 with another exponent; 40 is no code of a missing value
		"4110000000000000": "N1",
		"c110000000000000": "N-1",
		"c276a00000000000": "N-118.625", // the example of the IBM manual
		"4019999999999999": "N0.09999999999999999",
		"401999999999999a": "N0.1",
		"413243f6a8885a30": "N3.141592653589793",
		"4080000000000000": "N0.5",
		"3f80000000000000": "N0.03125",
		"4e20000000000001": "N9007199254740993", // 2^53+1: whole, so exact
		"4effffffffffffff": "N72057594037927935",
		"5010000000000000": "N1152921504606846976",
		"5110000000000000": "N18446744073709551616", // 2^64
		"7fffffffffffffff": "N" + max.String(),
		"ffffffffffffffff": "N-" + max.String(),
		"0010000000000000": "N" + strconv.FormatFloat(math.Pow(16, -65), 'f', -1, 64),
		"0000000000000001": "N" + strconv.FormatFloat(math.Ldexp(1, -312), 'f', -1, 64),
		"4020000000000001": "N0.125",               // 54 bits, and a tie
		"4020000000000003": "N0.12500000000000006", // another tie, to the even one above
		"4055555555555555": "N0.3333333333333333",  // 55 bits
		"40ffffffffffffff": "N1",                   // 56 bits, the nearest double is 1
		"4101000000000000": "N0.0625",              // not normalized
		"2e00000000000000": "M.", "5f00000000000000": "M_", "4100000000000000": "MA", "5a00000000000000": "MZ",
		"5b00000000000000": "N0", "5e00000000000000": "N0",
		"2e00000000000001": "N" + strconv.FormatFloat(math.Ldexp(1, 4*(0x2e-64)-56), 'f', -1, 64),
	} {
		raw, err := hex.DecodeString(word)
		if err != nil {
			t.Fatal(err)
		}
		for n := 8; n >= 2; n-- {
			if strings.Trim(word[2*n:], "0") != "" { // a shorter variable has the same value if the rest is zero
				break
			}
			got, tab, err := readString("x.xpt", library(false)+member("A", "", 140, col{name: "N", number: 1, length: n})+fill(string(raw[:n])))
			if err != nil || got != want {
				t.Errorf("%s in %d bytes: %q (%v), want %q", word, n, got, err, want)
				continue
			}
			notes := strings.Join(tab.Notes, "")
			if lossy := slices.Contains(rounded, word); lossy != strings.Contains(notes, "more than 53 bits") {
				t.Errorf("%s: notes %q", word, notes)
			}
			if special := want[0] == 'M' && want != "M."; special != strings.Contains(notes, "special missing value ."+want[1:]) {
				t.Errorf("%s: notes %q", word, notes)
			}
		}
	}
}

// TestIBMRule compares random IBM doubles with the rule of the package comment, worked out in rationals.
func TestIBMRule(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var rows, want strings.Builder
	const n = 20000
	for range n {
		word := r.Uint64() | 1 // not a missing value
		if r.IntN(2) == 0 {
			word &^= 1<<uint(r.IntN(56)) - 1
			word |= 1 << 55
		}
		if r.IntN(2) == 0 {
			word = word&^(0x7f<<56) | uint64(60+r.IntN(12))<<56
		}
		fraction := new(big.Rat).SetInt(new(big.Int).SetUint64(word & (1<<56 - 1)))
		scale := new(big.Int).Lsh(big.NewInt(1), 4*127)
		value := new(big.Rat).Mul(fraction, new(big.Rat).SetFrac(new(big.Int).Lsh(big.NewInt(1), uint(4*(word>>56&0x7f))), scale))
		value.Mul(value, new(big.Rat).SetFrac(scale, new(big.Int).Lsh(big.NewInt(1), 4*64+56)))
		if word>>63 != 0 {
			value.Neg(value)
		}
		if value.IsInt() {
			want.WriteString("N" + value.Num().String() + "\n")
		} else {
			f, _ := value.Float64()
			want.WriteString("N" + strconv.FormatFloat(f, 'f', -1, 64) + "\n")
		}
		raw, _ := hex.DecodeString(fmt.Sprintf("%016x", word))
		rows.Write(raw)
	}
	got, _, err := readString("x.xpt", library(false)+member("A", "", 140, col{name: "N", number: 1, length: 8})+fill(rows.String()))
	if err != nil {
		t.Fatal(err)
	}
	if got+"\n" != want.String() {
		a, b := strings.Split(got, "\n"), strings.Split(want.String(), "\n")
		for i := range a {
			if a[i] != b[i] {
				t.Fatalf("number %d is %s, want %s", i, a[i], b[i])
			}
		}
	}
}

// TestDouble writes random doubles to XPT, as a tool does, and as JSON. Both give the same cell.
func TestDouble(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var rows strings.Builder
	list := []string{}
	for range 5000 {
		f := math.Ldexp(r.Float64()+0.5, r.IntN(500)-250)
		if r.IntN(2) == 0 {
			f = math.Round(r.Float64()*1e6) / 1e3
		}
		if r.IntN(2) == 0 {
			f = -f
		}
		if f == 0 {
			f = 1
		}
		rows.WriteString(ibm(f))
		list = append(list, "["+strconv.FormatFloat(f, 'g', 17, 64)+"]")
	}
	x, tx, err := readString("x.xpt", library(false)+member("A", "", 140, col{name: "N", number: 1, length: 8})+fill(rows.String()))
	if err != nil {
		t.Fatal(err)
	}
	j, tj, err := readString("x.json", doc(`{"itemOID":"I","name":"N","label":"","dataType":"double"}`, list...))
	if err != nil {
		t.Fatal(err)
	}
	if x != j {
		t.Error("the cells differ")
	}
	if len(tx.Notes)+len(tj.Notes) > 0 {
		t.Errorf("notes %q and %q", tx.Notes, tj.Notes)
	}
}

// TestTruncated cuts a small file at every byte. Only a cut between two records where a row ends cannot be
// seen, and gives the rows in front of it.
func TestTruncated(t *testing.T) {
	head := library(false) + member("AE", "Events", 140, col{name: "TERM", length: 10}, col{name: "SEQ", number: 1, length: 8})
	var data string
	for i := range 45 {
		data += pad(fmt.Sprintf("x%d", i), 10) + ibm(float64(i))
	}
	whole := head + fill(data)
	seen := 0
	for n := len("HEADER R"); n < len(whole); n++ {
		rows, _, err := read("ae.xpt", strings.NewReader(whole[:n]))
		cut := n - len(head)
		if n >= len(head) && cut%80 == 0 && cut%18 == 0 {
			seen++
			if err != nil || len(rows) != cut/18 {
				t.Errorf("%d bytes: %d rows, %v", n, len(rows), err)
			}
			continue
		}
		if err == nil || err == io.EOF {
			t.Fatalf("%d bytes of %d: %d rows and no error", n, len(whole), len(rows))
		}
		if cut > 0 && !strings.Contains(err.Error(), fmt.Sprintf("after row %d: the file is truncated", min(cut/80*80, cut)/18)) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	if rows, _, err := read("ae.xpt", strings.NewReader(whole)); err != nil || len(rows) != 45 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	if seen != 2 {
		t.Errorf("%d cuts that cannot be seen, want those of 0 and of 720 bytes", seen)
	}
}

// TestPadding reads rows of text that end in blank rows.
func TestPadding(t *testing.T) {
	for _, c := range []struct {
		length, rows int
		blank        int // that many rows at the end are blank
		want, room   int // the rows that are read, and the rows taken for padding
	}{
		{8, 1, 0, 1, 9},
		{8, 9, 0, 9, 1},
		{8, 10, 0, 10, 0},
		{8, 10, 1, 9, 1},   // the last row cannot be told from padding
		{8, 10, 9, 1, 9},   // nor can the last nine
		{8, 11, 1, 11, 9},  // the last row is the reason for the second record
		{8, 30, 20, 21, 9}, // a whole record of blanks lies before the last one
		{8, 1, 1, 1, 9},    // without any row there would be no record
		{7, 11, 0, 11, 0},
		{7, 12, 1, 12, 10}, // the row lies across two records
		{80, 3, 2, 3, 0},
		{79, 2, 1, 2, 0},
		{200, 3, 2, 3, 0},
		{20, 0, 0, 0, 0},
	} {
		data := ""
		for i := range c.rows {
			text := ""
			if i < c.rows-c.blank {
				text = "v"
			}
			data += pad(text, c.length)
		}
		s := library(false) + member("A", "", 140, col{name: "C", length: c.length}) + fill(data)
		rows, tab, err := read("a.xpt", strings.NewReader(s))
		if err != nil || len(rows) != c.want {
			t.Errorf("%+v: %d rows, %v", c, len(rows), err)
			continue
		}
		notes := strings.Join(tab.Notes, "\n")
		if c.room > 0 != strings.Contains(notes, fmt.Sprintf("room for %d blank rows", c.room)) {
			t.Errorf("%+v: notes %q", c, notes)
		}
		// With a number in the row, blanks are no row, and nothing has to be told.
		if c.length > 8 || c.blank > 0 {
			continue
		}
		data = strings.Repeat(ibm(1), c.rows)
		s = library(false) + member("A", "", 140, col{name: "C", number: 1, length: 8}) + fill(data)
		if rows, tab, err := read("a.xpt", strings.NewReader(s)); err != nil || len(rows) != c.rows || len(tab.Notes) > 0 {
			t.Errorf("%d numbers: %d rows, notes %q, %v", c.rows, len(rows), tab.Notes, err)
		}
	}
}

// TestBlankRows keeps blank rows between others. In a number, blanks are a value like any other.
func TestBlankRows(t *testing.T) {
	got, _, err := readString("a.xpt", library(false)+member("A", "", 140, col{name: "C", length: 8})+fill(pad("v", 8)+pad("", 16)+"w"))
	if err != nil || got != "Tv\nM.\nM.\nTw" {
		t.Errorf("%q, %v", got, err)
	}
	blank := "M.|N" + strconv.FormatFloat(math.Ldexp(0x20202020202020, 4*(0x20-64)-56), 'f', -1, 64)
	cols := []col{{name: "C", length: 8}, {name: "N", number: 1, length: 8}}
	got, _, err = readString("a.xpt", library(false)+member("A", "", 140, cols...)+fill(pad("v", 8)+ibm(1)+pad("", 16)+pad("w", 8)+ibm(2)))
	if want := "Tv|N1\n" + blank + "\nTw|N2"; err != nil || got != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}

// TestMembers reads a library of three tables, one of them empty, with descriptors of 136 bytes.
func TestMembers(t *testing.T) {
	a := member("AE", "Adverse Events", 136, col{name: "TERM", label: "Term", length: 3, form: "$", width: 3}) + fill("abcdefghi")
	b := member("EMPTY", "", 136, col{name: "N", number: 1, length: 8, form: "DATE", width: 9})
	c := member("DM", "", 136, col{name: "X", length: 1}, col{name: "Y", number: 1, length: 3}) + fill("z\x41\x10\x00")
	for _, skip := range []bool{false, true} {
		x, err := table.NewXPT(strings.NewReader(library(false) + a + b + c))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for {
			m, err := x.NextMember()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			s := m.Table().Name + " " + m.Table().Label
			for _, c := range m.Table().Columns {
				s += fmt.Sprintf(" %s:%s:%s", c.Name, c.Type, c.Format)
			}
			if !skip {
				rows, _, err := readAll(m)
				if err != nil {
					t.Fatal(err)
				}
				s += " " + flat(rows)
			}
			got = append(got, s)
		}
		want := []string{"AE Adverse Events TERM:text:$3. Tabc\nTdef\nTghi", "EMPTY  N:number:DATE9. ", "DM  X:text: Y:number: Tz|N1"}
		if skip {
			for i, s := range []string{" Tabc\nTdef\nTghi", " ", " Tz|N1"} {
				want[i] = strings.TrimSuffix(want[i], s)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	_, _, err := readString("lib.xpt", library(false)+a+b)
	if err == nil || !strings.Contains(err.Error(), "more than one table") {
		t.Errorf("two members: %v", err)
	}
	if _, err := table.Open("lib.xpt", strings.NewReader(library(false))); err == nil || !strings.Contains(err.Error(), "no table") {
		t.Errorf("no member: %v", err)
	}
	// What is skipped is checked.
	x, err := table.NewXPT(strings.NewReader(library(false) + a[:len(a)-80] + "ab" + pad("\x81", 78) + c))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.NextMember(); err != nil {
		t.Fatal(err)
	}
	if _, err := x.NextMember(); err == nil || !strings.Contains(err.Error(), "row 1: column TERM: byte 0x81") {
		t.Errorf("skipped: %v", err)
	}
}
