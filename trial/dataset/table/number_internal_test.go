package table

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// TestAppendDouble refuses what is no number, and writes no minus zero.
func TestAppendDouble(t *testing.T) {
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if b, err := appendDouble(nil, f); err == nil {
			t.Errorf("%v: %q", f, b)
		}
	}
	for f, want := range map[float64]string{
		0: "0", math.Copysign(0, -1): "0", 1: "1", -2.5: "-2.5", 1e15: "1000000000000000", 1e22: "10000000000000000000000",
		1e23: "99999999999999991611392", 0.1: "0.1", 1e-5: "0.00001", math.MaxFloat64: strconv.FormatFloat(math.MaxFloat64, 'f', 0, 64),
	} {
		if b, err := appendDouble(nil, f); err != nil || string(b) != want {
			t.Errorf("%v: %q, %v, want %q", f, b, err, want)
		}
	}
}

// TestDecimal compares random literals in many forms with one another: equal values are written the same.
func TestDecimal(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 20000 {
		n, shift := r.Int64N(1e9), r.IntN(12)
		digits := strconv.FormatInt(n, 10)
		want := digits
		if shift > 0 {
			padded := strings.Repeat("0", max(0, shift+1-len(digits))) + digits
			want = padded[:len(padded)-shift] + "." + padded[len(padded)-shift:]
			want = strings.TrimSuffix(strings.TrimRight(want, "0"), ".")
		}
		if r.IntN(2) == 0 && n != 0 {
			want, digits = "-"+want, "-"+digits
		}
		forms := []string{digits + "e-" + strconv.Itoa(shift), digits + ".000E-" + strconv.Itoa(shift), digits + "0000e-" +
			strconv.Itoa(shift+4), want}
		for _, form := range forms {
			if got, err := appendDecimal(nil, []byte(form)); err != nil || string(got) != want {
				t.Fatalf("%s: %q, %v, want %q", form, got, err, want)
			}
			if n < 1<<50 {
				f, long, err := appendFloat(nil, []byte(form), false)
				if err != nil || string(f) != want || long {
					t.Fatalf("%s as a double: %q, %v, want %q", form, f, err, want)
				}
			}
		}
		if back, err := ParseCell(append([]byte("N"), want...)); err != nil || back.Text != want {
			t.Fatalf("%s: %v", want, err)
		}
	}
}

// TestCell checks that the encoding of a cell is injective, and that ParseCell takes nothing else.
func TestCell(t *testing.T) {
	values := []Value{{}, {Missing: '_'}, {Missing: 'A'}, {Missing: 'Z'}, {Kind: Text, Text: "."}, {Kind: Text, Text: "A"},
		{Kind: Text, Text: "1"}, {Kind: Text, Text: "M."},
		{Kind: Number, Text: "1"}, {Kind: Number, Text: "-1"}, {Kind: Number, Text: "0"}, {Kind: Number, Text: "0.5"}, {Kind: Text, Text: "N1"}}
	seen := map[string]bool{}
	for _, v := range values {
		b := AppendCell([]byte("x"), v)
		if seen[string(b)] || b[0] != 'x' {
			t.Errorf("%+v: %q", v, b)
		}
		seen[string(b)] = true
		back, err := ParseCell(b[1:])
		if v.Missing == 0 && v.Kind == Missing {
			v.Missing = '.'
		}
		if err != nil || back != v {
			t.Errorf("%+v: %+v, %v", v, back, err)
		}
	}
	for _, same := range []Value{{Missing: '.'}, {Kind: Text}, {}} {
		if b := AppendCell(nil, same); string(b) != "M." {
			t.Errorf("%+v: %q", same, b)
		}
	}
	for _, bad := range []string{"", "T", "M", "N", "M..", "Ma", "M1", "Ta ", "T\xff", "N01", "N1.0", "N-0", "N+1", "N1e2", "N.5",
		"N1.", "Nx", "Xa", "N ", "N1 ", "N" + strings.Repeat("1", 500)} {
		if v, err := ParseCell([]byte(bad)); err == nil {
			t.Errorf("%q: %+v", bad, v)
		}
	}
}
