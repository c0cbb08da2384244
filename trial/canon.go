package trial

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gowebpki/jcs"
)

// encode returns v in canonical JSON (RFC 8785). Its struct types list their
// members in sorted order and hold no floats, and no text with a character that
// encoding/json escapes where RFC 8785 does not (see checkText), so that the
// bytes of encoding/json are canonical as they come. A test holds every type to
// that with an independent implementation.
func encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return buf.Bytes()[:buf.Len()-1], nil // Encode adds a line feed
}

// decode parses canonical JSON into v and refuses any other spelling of the
// same value: it encodes what it read and compares. That alone rules out
// unknown, repeated, missing and reordered members, members in another case,
// white space, other escapes and other numbers.
func decode(data []byte, v any) error { return decodeWith(encode, data, v) }

func decodeWith(encode func(any) ([]byte, error), data []byte, v any) error {
	if !utf8.Valid(data) {
		return errors.New("not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return describeJSON(err)
	}
	again, err := encode(v)
	if err != nil {
		return err
	}
	if bytes.Equal(again, data) {
		return nil
	}
	if canonical, err := jcs.Transform(data); err != nil {
		return fmt.Errorf("not JSON that has a canonical form (RFC 8785): %v", err)
	} else if !bytes.Equal(canonical, data) {
		return errors.New("not canonical JSON (RFC 8785)")
	}
	return errors.New("members are missing, empty, repeated or spelt in another case")
}

func describeJSON(err error) error {
	var te *json.UnmarshalTypeError
	switch {
	case errors.As(err, &te) && te.Field != "":
		return fmt.Errorf("member %s: %s is not what stands there", te.Field, te.Value)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("JSON ends too early")
	}
	return fmt.Errorf("not JSON: %s", strings.TrimPrefix(err.Error(), "json: "))
}

// checkText refuses text that has no place in a log that is read for decades:
// control and formatting characters (they can hide or reorder what is read),
// line and paragraph separators, surrounding space, and anything that looks
// like an e-mail address.
func checkText(member, s string, max int) error {
	if s == "" {
		return fmt.Errorf("%s is empty", member)
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("%s is not UTF-8", member)
	}
	if n := utf8.RuneCountInString(s); n > max {
		return fmt.Errorf("%s has %d characters, the most is %d", member, n, max)
	}
	if strings.TrimSpace(s) != s {
		return fmt.Errorf("%s begins or ends with space", member)
	}
	for _, r := range s {
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs) {
			return fmt.Errorf("%s holds the character %U, which is not allowed", member, r)
		}
	}
	if strings.Contains(s, "@") {
		return fmt.Errorf("%s looks like an e-mail address: none may enter a log", member)
	}
	return nil
}
