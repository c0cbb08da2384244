package table

import (
	"fmt"
	"unicode/utf8"
)

// high holds the code points of the bytes 0x80 to 0x9f in windows-1252; 0 stands for the five bytes that
// it does not define. The other bytes are those of ISO 8859-1.
var high = [32]rune{
	0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0,
	0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178,
}

// appendLatin appends the UTF-8 of windows-1252 text.
func appendLatin(b, s []byte) ([]byte, error) {
	for _, c := range s {
		r := rune(c)
		if 0x80 <= c && c <= 0x9f {
			if r = high[c-0x80]; r == 0 {
				return b, fmt.Errorf("byte 0x%02x is neither UTF-8 nor windows-1252", c)
			}
		}
		b = utf8.AppendRune(b, r)
	}
	return b, nil
}

// The encodings a text of XPT can be in.
const (
	ascii = iota
	unicode
	latin
)

// appendText appends the text of an XPT field as UTF-8 and says what encoding it took it to be in.
func appendText(b, s []byte) ([]byte, int, error) {
	n := 0
	for n < len(s) && s[n] < utf8.RuneSelf {
		n++
	}
	if n == len(s) {
		return append(b, s...), ascii, nil
	}
	if utf8.Valid(s) {
		return append(b, s...), unicode, nil
	}
	b, err := appendLatin(b, s)
	return b, latin, err
}
