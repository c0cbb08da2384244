package sensor

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// decode returns the text of a file: UTF-8 or UTF-16 with or without a byte order mark, or else
// Latin-1.
func decode(data []byte) (string, error) {
	if len(data) > MaxSize {
		return "", fmt.Errorf("the file has %d bytes: at most %d are read", len(data), MaxSize)
	}
	var text string
	switch {
	case len(data) >= 2 && data[0] == 0xff && data[1] == 0xfe:
		return decode16(data[2:], 0)
	case len(data) >= 2 && data[0] == 0xfe && data[1] == 0xff:
		return decode16(data[2:], 1)
	case len(data) >= 4 && data[0] != 0 && data[1] == 0 && data[2] != 0 && data[3] == 0:
		return decode16(data, 0)
	case len(data) >= 4 && data[0] == 0 && data[1] != 0 && data[2] == 0 && data[3] != 0:
		return decode16(data, 1)
	case utf8.Valid(data):
		text = strings.TrimPrefix(string(data), "\ufeff")
	default:
		r := make([]rune, len(data))
		for i, c := range data {
			r[i] = rune(c)
		}
		text = string(r)
	}
	return text, noNUL(text)
}

// decode16 decodes UTF-16 of which the byte at low is the lower one of each two.
func decode16(data []byte, low int) (string, error) {
	if len(data)%2 != 0 {
		return "", errors.New("the file is UTF-16 with an odd number of bytes: it is cut; ask for the whole file")
	}
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = uint16(data[2*i+low]) | uint16(data[2*i+1-low])<<8
	}
	text := strings.TrimPrefix(string(utf16.Decode(units)), "\ufeff")
	return text, noNUL(text)
}

func noNUL(text string) error {
	if i := strings.IndexByte(text, 0); i >= 0 {
		return fmt.Errorf("line %d: the file is no text: export the readings as CSV", 1+strings.Count(text[:i], "\n"))
	}
	return nil
}

// A line is a line of a file, without its end.
type line struct {
	number int // from 1
	text   string
	ended  bool // by a line feed or a carriage return
}

// linesOf splits a text at \n, \r\n and \r.
func linesOf(text string) (list []line) {
	for n := 1; text != ""; n++ {
		i := strings.IndexAny(text, "\r\n")
		if i < 0 {
			return append(list, line{n, text, false})
		}
		list = append(list, line{n, text[:i], true})
		if strings.HasPrefix(text[i:], "\r\n") {
			i++
		}
		text = text[i+1:]
	}
	return list
}

// split splits a line into fields at a delimiter that is not within double quotes. It is not ok
// if a quote does not end.
func split(s string, delimiter byte) (fields []string, ok bool) {
	for {
		trimmed := strings.TrimLeft(s, " ")
		if !strings.HasPrefix(trimmed, `"`) {
			i := strings.IndexByte(s, delimiter)
			if i < 0 {
				return append(fields, strings.TrimSpace(s)), true
			}
			fields, s = append(fields, strings.TrimSpace(s[:i])), s[i+1:]
			continue
		}
		var field strings.Builder
		s = trimmed[1:]
		for {
			i := strings.IndexByte(s, '"')
			if i < 0 {
				return fields, false
			}
			field.WriteString(s[:i])
			if s = s[i+1:]; !strings.HasPrefix(s, `"`) {
				break
			}
			field.WriteByte('"')
			s = s[1:]
		}
		fields = append(fields, strings.TrimSpace(field.String()))
		s = strings.TrimLeft(s, " ")
		switch {
		case s == "":
			return fields, true
		case s[0] != delimiter:
			return fields, false
		}
		s = s[1:]
	}
}
