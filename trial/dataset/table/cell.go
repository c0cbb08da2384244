package table

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// AppendCell appends the canonical encoding of a value: 'M' and the code of a missing value, 'T' and
// the text, or 'N' and the decimal. Different values have different encodings. It has no length of its
// own: whoever joins cells must prefix each with its length.
func AppendCell(b []byte, v Value) []byte {
	switch v.Kind {
	case Text:
		if v.Text == "" { // the same as missing
			return append(b, 'M', '.')
		}
		return append(append(b, 'T'), v.Text...)
	case Number:
		return append(append(b, 'N'), v.Text...)
	}
	if v.Missing == 0 {
		return append(b, 'M', '.')
	}
	return append(b, 'M', v.Missing)
}

// ParseCell is the inverse of AppendCell. It returns an error for bytes that AppendCell does not give
// for any value of a Reader.
func ParseCell(b []byte) (Value, error) {
	if len(b) < 2 {
		return Value{}, errors.New("cell is too short")
	}
	rest := b[1:]
	switch b[0] {
	case 'M':
		if c := rest[0]; len(rest) != 1 || !isMissing(c) {
			return Value{}, fmt.Errorf("missing value has the unknown code %q", rest)
		}
		return Value{Missing: rest[0]}, nil
	case 'T':
		if !utf8.Valid(rest) {
			return Value{}, errors.New("text is not UTF-8")
		}
		if rest[len(rest)-1] == ' ' {
			return Value{}, errors.New("text ends in a blank")
		}
		return Value{Kind: Text, Text: string(rest)}, nil
	case 'N':
		d, err := appendDecimal(nil, rest)
		if err != nil {
			return Value{}, err
		}
		if string(d) != string(rest) {
			return Value{}, fmt.Errorf("number %q is not canonical, want %q", rest, d)
		}
		return Value{Kind: Number, Text: string(rest)}, nil
	}
	return Value{}, fmt.Errorf("cell has the unknown kind %q", b[0])
}

// isMissing reports whether c is the code of a missing value.
//
// SPEC (TS-140): "The first byte is: ._ 0x5f, . 0x2e, .A 0x41, .B 0x42, ... .Z 0x5a"
func isMissing(c byte) bool { return c == '.' || c == '_' || 'A' <= c && c <= 'Z' }
