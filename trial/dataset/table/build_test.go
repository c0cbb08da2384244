package table_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"strings"
)

// A col is a column of an XPT file that a test makes.
type col struct {
	name, label, form string
	width, number     int // number is 1 for numeric
	length            int
}

func pad(s string, n int) string {
	if len(s) > n {
		panic(s)
	}
	return s + strings.Repeat(" ", n-len(s))
}

// fill pads with blanks to whole records.
func fill(s string) string { return s + strings.Repeat(" ", (80-len(s)%80)%80) }

func header(name, rest string) string {
	return pad("HEADER RECORD*******"+pad(name, 8)+"HEADER RECORD!!!!!!!"+rest, 80)
}

const zeros = "000000000000000000000000000000"

// library returns the records in front of the members.
func library(v8 bool) string {
	name := "LIBRARY"
	if v8 {
		name = "LIBV8"
	}
	return header(name, zeros) + pad("SAS     SAS     SASLIB  9.4     X64_10PR", 64) + "01JAN26:00:00:00" + pad("01JAN26:00:00:00", 80)
}

// member returns the header of a member, up to the rows.
func member(name, label string, size int, cols ...col) string {
	s := header("MEMBER", fmt.Sprintf("%017d160%06d0%d", 0, 0, size)) + header("DSCRPTR", zeros) +
		pad("SAS     "+pad(name, 8)+"SASDATA 9.4     X64_10PR", 64) + "01JAN26:00:00:00" +
		pad("01JAN26:00:00:00", 32) + pad(label, 40) + pad("", 8) + header("NAMESTR", fmt.Sprintf("%06d%04d%020d", 0, len(cols), 0))
	return s + namestrs(size, cols) + header("OBS", zeros)
}

func namestrs(size int, cols []col) string {
	var b []byte
	pos := 0
	for i, c := range cols {
		typ := 2
		if c.number == 1 {
			typ = 1
		}
		b = be16(b, typ, 0, c.length, i+1)
		short := c.name
		if len(short) > 8 {
			short = short[:8]
		}
		b = append(b, pad(short, 8)+pad(c.label, 40)+pad(c.form, 8)...)
		b = be16(b, c.width, 0, 0, 0)
		b = append(b, pad("", 8)...)
		b = be16(b, 0, 0)
		b = binary.BigEndian.AppendUint32(b, uint32(pos))
		rest := make([]byte, size-88)
		if len(c.name) > 8 {
			copy(rest, pad(c.name, 32))
		}
		b = append(b, rest...)
		pos += c.length
	}
	return fill(string(b))
}

func be16(b []byte, list ...int) []byte {
	for _, n := range list {
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	}
	return b
}

// ibm returns the IBM double of an IEEE double that has one.
func ibm(f float64) string {
	if f == 0 {
		return strings.Repeat("\x00", 8)
	}
	frac, exp := math.Frexp(math.Abs(f)) // f = frac * 2^exp, 1/2 <= frac < 1
	m := uint64(math.Ldexp(frac, 53)) << 3
	e := (exp + 4*64 + 3) / 4 // the next multiple of 4, with a positive numerator
	m >>= e*4 - (exp + 4*64)
	if bits.Len64(m) > 56 || e < 0 || e > 127 {
		panic(f)
	}
	word := uint64(e)<<56 | m
	if f < 0 {
		word |= 1 << 63
	}
	return string(binary.BigEndian.AppendUint64(nil, word))
}
