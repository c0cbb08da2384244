package table

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// maxDigits is how many digits a decimal may have. A double has at most 309 in front of the point, and
// the shortest decimal of one at most 324 and 17 behind it.
const maxDigits = 400

// maxSignificant is how many significant digits of a JSON number can matter to a double.
const maxSignificant = 17

// appendDouble appends the canonical decimal of a double: exact if it is whole, otherwise the shortest
// that leads back to it.
func appendDouble(b []byte, f float64) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return b, errors.New("value is not a number")
	}
	switch {
	case f == 0:
		return append(b, '0'), nil // also for minus zero
	case f == math.Trunc(f):
		return strconv.AppendFloat(b, f, 'f', 0, 64), nil
	}
	return strconv.AppendFloat(b, f, 'f', -1, 64), nil
}

// A literal is a decimal number as JSON and CSV write it, taken apart.
type literal struct {
	neg         bool
	whole, frac []byte
	exp         int // power of ten
}

// parseLiteral reads sign, digits, fraction and exponent. It takes what JSON takes, and with loose
// also a plus sign, zeros in front, and a point without digits on one side.
func parseLiteral(s []byte, loose bool) (literal, error) {
	var l literal
	all := s
	if len(s) > 0 && (s[0] == '-' || loose && s[0] == '+') {
		l.neg, s = s[0] == '-', s[1:]
	}
	n := digits(s)
	l.whole, s = s[:n], s[n:]
	if !loose && (n == 0 || n > 1 && l.whole[0] == '0') {
		return l, notNumber(all)
	}
	if len(s) > 0 && s[0] == '.' {
		n := digits(s[1:])
		l.frac, s = s[1:1+n], s[1+n:]
		if n == 0 && !loose {
			return l, notNumber(all)
		}
	}
	if len(l.whole)+len(l.frac) == 0 {
		return l, notNumber(all)
	}
	if len(s) > 0 && (s[0] == 'e' || s[0] == 'E') {
		e := s[1:]
		neg := len(e) > 0 && e[0] == '-'
		if len(e) > 0 && (e[0] == '-' || e[0] == '+') {
			e = e[1:]
		}
		if n := digits(e); n == 0 || n != len(e) {
			return l, notNumber(all)
		}
		for _, c := range e {
			if l.exp = l.exp*10 + int(c-'0'); l.exp > 1<<20 {
				return l, fmt.Errorf("%s is out of range", quote(all))
			}
		}
		if neg {
			l.exp = -l.exp
		}
		s = nil
	}
	if len(s) > 0 {
		return l, notNumber(all)
	}
	return l, nil
}

func notNumber(s []byte) error { return fmt.Errorf("%s is not a number", quote(s)) }

// digits returns how many digits s starts with.
func digits(s []byte) int {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return n
}

// significant returns the number of digits from the first to the last that is not zero.
func (l literal) significant() int {
	whole := bytes.TrimLeft(l.whole, "0")
	frac := bytes.TrimRight(l.frac, "0")
	switch {
	case len(whole) == 0:
		return len(bytes.TrimLeft(frac, "0"))
	case len(frac) == 0:
		return len(bytes.TrimRight(whole, "0"))
	}
	return len(whole) + len(frac)
}

// appendTo appends the canonical decimal of the exact value, and reports whether it is whole.
func (l literal) appendTo(b []byte) ([]byte, bool, error) {
	whole := bytes.TrimLeft(l.whole, "0")
	all := append(append(make([]byte, 0, len(whole)+len(l.frac)), whole...), l.frac...)
	point := len(whole) + l.exp
	for len(all) > 0 && all[0] == '0' {
		all = all[1:]
		point--
	}
	all = bytes.TrimRight(all, "0")
	if len(all) == 0 {
		return append(b, '0'), true, nil
	}
	if point > maxDigits || len(all)-point > maxDigits {
		return b, false, fmt.Errorf("a number has more than %d digits", maxDigits)
	}
	if l.neg {
		b = append(b, '-')
	}
	if point <= 0 {
		b = append(b, '0', '.')
		for ; point < 0; point++ {
			b = append(b, '0')
		}
		return append(b, all...), false, nil
	}
	for i := range point {
		if i < len(all) {
			b = append(b, all[i])
		} else {
			b = append(b, '0')
		}
	}
	if point >= len(all) {
		return b, true, nil
	}
	b = append(b, '.')
	return append(b, all[point:]...), false, nil
}

// appendDecimal appends the canonical decimal of the exact value of a number that is text.
func appendDecimal(b, s []byte) ([]byte, error) {
	l, err := parseLiteral(s, true)
	if err != nil {
		return b, err
	}
	b, _, err = l.appendTo(b)
	return b, err
}

// plainWhole reports whether s is a whole number that is canonical already, and small enough to be a double.
func plainWhole(s []byte) bool {
	d := s
	if len(d) > 0 && d[0] == '-' {
		d = d[1:]
	}
	return len(d) > 0 && len(d) <= 15 && digits(d) == len(d) && (d[0] != '0' || len(s) == 1)
}

// appendFloat appends the canonical decimal of the double nearest to a number. It reports whether the
// number has more digits than a double can need. See parseLiteral for loose.
func appendFloat(b, s []byte, loose bool) ([]byte, bool, error) {
	if plainWhole(s) {
		return append(b, s...), false, nil
	}
	l, err := parseLiteral(s, loose)
	if err != nil {
		return b, false, err
	}
	f, err := strconv.ParseFloat(string(s), 64)
	if err != nil {
		return b, false, fmt.Errorf("%s is out of the range of a double", quote(s))
	}
	if f == 0 && l.significant() > 0 {
		return b, false, fmt.Errorf("%s is too small for a double", quote(s))
	}
	b, err = appendDouble(b, f)
	return b, l.significant() > maxSignificant, err
}

// ungroup removes the thousands separators of a decimal that is text. They must stand rightly.
//
// SPEC (Dataset-JSON 1.1, dataType): "Decimal numbers represented as a string in JSON must use the dot
// (.) as the decimal separator. When a thousand separator is used in a decimal represented as string,
// the comma is used."
func ungroup(s []byte) ([]byte, error) {
	if bytes.IndexByte(s, ',') < 0 {
		return s, nil
	}
	whole, rest := s, []byte(nil)
	if i := bytes.IndexByte(s, '.'); i >= 0 {
		whole, rest = s[:i], s[i:]
	}
	sign := 0
	if whole[0] == '-' || whole[0] == '+' {
		sign = 1
	}
	groups := bytes.Split(whole[sign:], []byte{','})
	for i, g := range groups {
		if digits(g) != len(g) || len(g) == 0 || len(g) > 3 || i > 0 && len(g) < 3 {
			return nil, fmt.Errorf("%s has commas that do not separate thousands", quote(s))
		}
	}
	return append(append(append([]byte(nil), whole[:sign]...), bytes.Join(groups, nil)...), rest...), nil
}

// quote shows the start of what a file holds in a message.
func quote(s []byte) string {
	if len(s) > 40 {
		return strconv.QuoteToASCII(string(s[:40])) + "..."
	}
	return strconv.QuoteToASCII(string(s))
}
