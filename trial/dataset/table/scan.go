package table

import (
	"errors"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// A scanner reads JSON (RFC 8259) strictly: UTF-8, no duplicate members, no lone surrogates, and nothing that
// the grammar does not have.
type scanner struct {
	*input
	oneLine bool  // a line feed is no white space: NDJSON
	base    int64 // the offset from which metadata counts
}

var errEnd = errors.New("the file is truncated: the JSON ends too early")

// space skips white space and returns the next byte without taking it, io.EOF at the end.
func (s *scanner) space() (byte, error) {
	for {
		c, err := s.peek()
		if err != nil {
			return 0, err
		}
		switch c {
		case '\n':
			if s.oneLine {
				return c, nil
			}
			s.line++
		case ' ', '\t', '\r':
		default:
			return c, nil
		}
		s.pos++
	}
}

// token skips white space and takes the next byte, which must exist.
func (s *scanner) token() (byte, error) {
	c, err := s.space()
	if err == io.EOF {
		return 0, errEnd
	}
	if err != nil {
		return 0, err
	}
	if c == '\n' { // only if oneLine
		return 0, errors.New("the value does not end on its line")
	}
	s.pos++
	return c, nil
}

// must takes the byte that must come next after white space.
func (s *scanner) must(want byte) error {
	c, err := s.token()
	if err != nil {
		return err
	}
	if c != want {
		return fmt.Errorf("there is %q, want %q", c, want)
	}
	return nil
}

// word takes the rest of true, false or null.
func (s *scanner) word(rest string) error {
	for i := range len(rest) {
		c, err := s.peek()
		if err == io.EOF {
			return errEnd
		}
		if err != nil {
			return err
		}
		if c != rest[i] {
			return fmt.Errorf("there is %q in a word, want %q", c, rest[i])
		}
		s.pos++
	}
	return nil
}

// number appends a number whose first byte c was taken. What it appends is not checked.
func (s *scanner) number(b []byte, c byte) ([]byte, error) {
	start := len(b)
	b = append(b, c)
	for {
		c, err := s.peek()
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, err
		}
		switch {
		case '0' <= c && c <= '9', c == '.', c == 'e', c == 'E', c == '+', c == '-':
		default:
			return b, nil
		}
		if len(b)-start > 2*maxDigits {
			return b, fmt.Errorf("number %s is too long", quote(b[start:]))
		}
		b = append(b, c)
		s.pos++
	}
}

// text appends a string whose opening quote was taken.
func (s *scanner) text(b []byte) ([]byte, error) {
	start, plain := len(b), true
	for {
		if s.pos == s.end {
			if err := s.fill(); err == io.EOF {
				return b, errEnd
			} else if err != nil {
				return b, err
			}
		}
		from := s.pos
		for s.pos < s.end {
			c := s.buf[s.pos]
			if c == '"' || c == '\\' || c < ' ' {
				break
			}
			plain = plain && c < utf8.RuneSelf
			s.pos++
		}
		b = append(b, s.buf[from:s.pos]...)
		if len(b)-start > MaxCell {
			return b, fmt.Errorf("a text has more than %d bytes", MaxCell)
		}
		if s.pos == s.end {
			continue
		}
		c := s.buf[s.pos]
		s.pos++
		switch {
		case c == '"' && plain:
			return b, nil
		case c == '"':
			return b, checkUTF8(b[start:])
		case c < ' ':
			return b, fmt.Errorf("the control character 0x%02x stands in a text, want an escape", c)
		}
		var err error
		if b, err = s.escape(b); err != nil {
			return b, err
		}
	}
}

// escape appends what the escape behind a backslash stands for.
func (s *scanner) escape(b []byte) ([]byte, error) {
	c, err := s.next()
	if err != nil {
		return b, err
	}
	switch c {
	case '"', '\\', '/':
		return append(b, c), nil
	case 'b':
		return append(b, '\b'), nil
	case 'f':
		return append(b, '\f'), nil
	case 'n':
		return append(b, '\n'), nil
	case 'r':
		return append(b, '\r'), nil
	case 't':
		return append(b, '\t'), nil
	case 'u':
		r, err := s.hex()
		if err != nil {
			return b, err
		}
		if utf16.IsSurrogate(r) {
			if err := s.word(`\u`); err != nil {
				return b, errors.New("a text has one half of a surrogate pair")
			}
			low, err := s.hex()
			if err != nil {
				return b, err
			}
			if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
				return b, errors.New("a text has one half of a surrogate pair")
			}
		}
		return utf8.AppendRune(b, r), nil
	}
	return b, fmt.Errorf("a text has the unknown escape \\%c", c)
}

// next takes the next byte, which must exist.
func (s *scanner) next() (byte, error) {
	c, err := s.peek()
	if err == io.EOF {
		return 0, errEnd
	}
	if err == nil {
		s.pos++
	}
	return c, err
}

// hex takes four hexadecimal digits.
func (s *scanner) hex() (rune, error) {
	var r rune
	for range 4 {
		c, err := s.next()
		if err != nil {
			return 0, err
		}
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, fmt.Errorf("%q is no hexadecimal digit", c)
		}
		r = r<<4 | rune(c)
	}
	return r, nil
}

// object calls member for each member of an object whose brace was taken, until member returns true or there
// are no more. seen holds the names that were read.
func (s *scanner) object(seen map[string]bool, member func(name string) (bool, error)) error {
	for first := len(seen) == 0; ; first = false {
		c, err := s.token()
		if err != nil {
			return err
		}
		if c == '}' {
			return nil
		}
		if !first {
			if c != ',' {
				return fmt.Errorf("there is %q, want , or }", c)
			}
			if c, err = s.token(); err != nil {
				return err
			}
		}
		if c != '"' {
			return fmt.Errorf("there is %q, want the name of a member", c)
		}
		name, err := s.text(nil)
		if err != nil {
			return err
		}
		if seen[string(name)] {
			return fmt.Errorf("member %s stands twice", quote(name))
		}
		seen[string(name)] = true
		if err := s.must(':'); err != nil {
			return err
		}
		if stop, err := member(string(name)); err != nil || stop {
			return err
		}
		if s.offset()-s.base > MaxHeader {
			return fmt.Errorf("the metadata has more than %d bytes", MaxHeader)
		}
	}
}

// skip takes any value.
func (s *scanner) skip(depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("values are nested more than %d deep", maxDepth)
	}
	c, err := s.token()
	if err != nil {
		return err
	}
	switch {
	case c == '"':
		_, err = s.text(nil)
	case c == '{':
		err = s.object(map[string]bool{}, func(string) (bool, error) { return false, s.skip(depth + 1) })
	case c == '[':
		return s.array(func() error { return s.skip(depth + 1) })
	case c == '-' || '0' <= c && c <= '9':
		var b []byte
		if b, err = s.number(nil, c); err == nil {
			_, err = parseLiteral(b, false)
		}
	default:
		err = s.constant(c)
	}
	return err
}

// constant takes the rest of true, false or null, whose first byte was taken.
func (s *scanner) constant(c byte) error {
	switch c {
	case 't':
		return s.word("rue")
	case 'f':
		return s.word("alse")
	case 'n':
		return s.word("ull")
	}
	return fmt.Errorf("there is %q, want a value", c)
}

// array calls element for each element of an array whose bracket was taken.
func (s *scanner) array(element func() error) error {
	if c, err := s.space(); err == nil && c == ']' {
		s.pos++
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		if s.offset()-s.base > MaxHeader {
			return fmt.Errorf("the metadata has more than %d bytes", MaxHeader)
		}
		c, err := s.token()
		if err != nil {
			return err
		}
		if c == ']' {
			return nil
		}
		if c != ',' {
			return fmt.Errorf("there is %q, want , or ]", c)
		}
	}
}
