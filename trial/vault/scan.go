package vault

import (
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// A scanner reads JSON as it passes and keeps nothing but the way to where it is. It takes one
// value, or several behind each other as in ndjson. It is a Writer, so that a file is looked at
// while it is encrypted. Its memory is bounded: of long texts it keeps the beginning.
//
// It is as strict as encoding/json, and refuses text that is not UTF-8.
type scanner struct {
	visit visitor

	state  state
	levels []byte // '{' or '[' for each value that is open
	text   []byte // of the string that is read, as it is written, at most maxText
	long   bool   // the string has more than text
	key    bool   // the string is the name of a member
	hex    int    // digits of \u that are still to come
	word   string // what is left of true, false or null
	bom    int    // bytes of a byte order mark that were read
	utf    [utf8.UTFMax]byte
	utfLen int // bytes of a character in utf, which is not complete
	offset int64
	err    error
}

// A visitor hears what a scanner reads.
type visitor interface {
	open(array bool)          // an object or an array begins
	member(name string)       // in the object: the name of what follows
	text(s string, long bool) // a value that is a string, its beginning if it is long
	shut()                    // the object or the array ends
}

// Bounds of what a scanner keeps.
const (
	maxText  = 4 << 10
	maxDepth = 1000
)

type state byte

const (
	atValue   state = iota // before a value
	atElement              // before a value or the end of an empty array
	atName                 // before the name of a member
	atMember               // before the name of a member or the end of an empty object
	atColon                // behind the name of a member
	atNext                 // behind a value that is inside another
	inString
	inEscape
	inHex
	inWord
	inMinus    // behind the sign of a number
	inZero     // behind a number's leading zero
	inInteger  // in its other digits
	inPoint    // behind its point
	inFraction // in the digits behind its point
	inE        // behind its e
	inESign    // behind the sign of its exponent
	inExponent // in the digits of its exponent
)

// Write never fails: what is not JSON is found out at the end.
func (s *scanner) Write(p []byte) (int, error) {
	for i := 0; i < len(p) && s.err == nil; i++ {
		if s.state == inString {
			// Most bytes of a file are inside strings: the plain ones are passed over at once.
			start := i
			for i < len(p) && p[i] >= 0x20 && p[i] < utf8.RuneSelf && p[i] != '"' && p[i] != '\\' && s.utfLen == 0 {
				i++
			}
			s.keep(p[start:i])
			s.offset += int64(i - start)
			if i == len(p) {
				break
			}
		}
		s.err = s.step(p[i])
		s.offset++
	}
	return len(p), nil
}

// end returns an error unless everything that was written is JSON.
func (s *scanner) end() error {
	if s.bom != 0 && s.bom != 3 {
		return errJSON
	}
	if s.err == nil && (len(s.levels) > 0 || s.state != atValue) {
		s.err = s.step(' ') // ends a number at the top
		if s.err == nil && (len(s.levels) > 0 || s.state != atValue) {
			s.err = errors.New("the JSON ends too early")
		}
	}
	return s.err
}

func (s *scanner) keep(p []byte) {
	if n := maxText - len(s.text); n < len(p) {
		p, s.long = p[:n], true
	}
	s.text = append(s.text, p...)
}

var errJSON = errors.New("it is not JSON")

func (s *scanner) step(c byte) error {
	switch s.state {
	case inString:
		return s.inString(c)
	case inEscape:
		s.keep([]byte{c})
		switch c {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			s.state = inString
		case 'u':
			s.state, s.hex = inHex, 4
		default:
			return errJSON
		}
		return nil
	case inHex:
		s.keep([]byte{c})
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
			return errJSON
		}
		if s.hex--; s.hex == 0 {
			s.state = inString
		}
		return nil
	case inWord:
		if c != s.word[0] {
			return errJSON
		}
		if s.word = s.word[1:]; s.word == "" {
			s.after()
		}
		return nil
	}
	if s.state >= inMinus {
		if next, ok := inNumber(s.state, c); ok {
			s.state = next
			return nil
		}
		if s.state != inZero && s.state != inInteger && s.state != inFraction && s.state != inExponent {
			return errJSON
		}
		s.after() // the number ended before c
	}
	if isSpace(c) {
		return nil
	}
	return s.between(c)
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// between takes a byte that is in no string, word or number.
func (s *scanner) between(c byte) error {
	if s.offset == int64(s.bom) && s.bom < 3 && c == "\xef\xbb\xbf"[s.bom] {
		s.bom++
		return nil
	}
	if s.bom != 0 && s.bom != 3 {
		return errJSON
	}
	switch s.state {
	case atElement:
		if c == ']' {
			return s.pop()
		}
		return s.value(c)
	case atValue:
		return s.value(c)
	case atMember, atName:
		if c == '}' && s.state == atMember {
			return s.pop()
		}
		if c != '"' {
			return errJSON
		}
		s.begin(true)
	case atColon:
		if c != ':' {
			return errJSON
		}
		s.state = atValue
	case atNext:
		switch array := s.levels[len(s.levels)-1] == '['; {
		case c == ',' && array:
			s.state = atValue
		case c == ',':
			s.state = atName
		case c == ']' && array, c == '}' && !array:
			return s.pop()
		default:
			return errJSON
		}
	}
	return nil
}

// value takes the first byte of a value.
func (s *scanner) value(c byte) error {
	switch {
	case c == '{' || c == '[':
		if len(s.levels) == maxDepth {
			return errors.New("its JSON is nested too deep")
		}
		s.levels = append(s.levels, c)
		s.state = atMember
		if c == '[' {
			s.state = atElement
		}
		s.visit.open(c == '[')
	case c == '"':
		s.begin(false)
	case c == '-':
		s.state = inMinus
	case c == '0':
		s.state = inZero
	case c >= '1' && c <= '9':
		s.state = inInteger
	case c == 't':
		s.state, s.word = inWord, "rue"
	case c == 'f':
		s.state, s.word = inWord, "alse"
	case c == 'n':
		s.state, s.word = inWord, "ull"
	default:
		return errJSON
	}
	return nil
}

func (s *scanner) begin(key bool) {
	s.state, s.key, s.text, s.long = inString, key, s.text[:0], false
}

func (s *scanner) pop() error {
	s.levels = s.levels[:len(s.levels)-1]
	s.visit.shut()
	s.after()
	return nil
}

// after is called behind a value.
func (s *scanner) after() {
	s.state = atNext
	if len(s.levels) == 0 {
		s.state = atValue
	}
}

func (s *scanner) inString(c byte) error {
	if s.utfLen > 0 || c >= utf8.RuneSelf {
		return s.wide(c)
	}
	switch {
	case c < 0x20:
		return errJSON
	case c == '\\':
		s.keep([]byte{c})
		s.state = inEscape
	case c == '"':
		text := unescape(s.text, s.long)
		if s.key {
			s.state = atColon
			if s.long {
				text = "" // no member that matters has so long a name
			}
			s.visit.member(text)
			return nil
		}
		s.visit.text(text, s.long)
		s.after()
	default:
		s.keep([]byte{c})
	}
	return nil
}

// wide takes a byte of a character that has several. Text that is not UTF-8 is refused: two
// readers may read it differently.
func (s *scanner) wide(c byte) error {
	s.utf[s.utfLen] = c
	s.utfLen++
	if !utf8.FullRune(s.utf[:s.utfLen]) {
		return nil
	}
	if r, n := utf8.DecodeRune(s.utf[:s.utfLen]); r == utf8.RuneError && n == 1 {
		return errors.New("it has text that is not UTF-8")
	}
	s.keep(s.utf[:s.utfLen])
	s.utfLen = 0
	return nil
}

// unescape returns what a string says that was written so. Of a long one it returns nothing:
// it may be cut inside an escape.
func unescape(written []byte, long bool) string {
	if long {
		return ""
	}
	for _, c := range written {
		if c == '\\' {
			var text string
			if json.Unmarshal(append(append([]byte{'"'}, written...), '"'), &text) != nil {
				return ""
			}
			return text
		}
	}
	return string(written)
}

// inNumber returns the state behind another byte of a number, or that c is none.
func inNumber(s state, c byte) (state, bool) {
	digit := c >= '0' && c <= '9'
	switch {
	case s == inMinus && c == '0':
		return inZero, true
	case (s == inMinus || s == inInteger) && digit:
		return inInteger, true
	case (s == inZero || s == inInteger) && c == '.':
		return inPoint, true
	case (s == inPoint || s == inFraction) && digit:
		return inFraction, true
	case (s == inZero || s == inInteger || s == inFraction) && (c == 'e' || c == 'E'):
		return inE, true
	case s == inE && (c == '+' || c == '-'):
		return inESign, true
	case (s == inE || s == inESign || s == inExponent) && digit:
		return inExponent, true
	}
	return s, false
}
