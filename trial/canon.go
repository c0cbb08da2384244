package trial

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gowebpki/jcs"
)

// encode returns v in canonical JSON (RFC 8785). The struct types of this package list their
// members in sorted order and have no floats. Their texts have no character that encoding/json
// escapes and RFC 8785 does not (see checkText). The output of encoding/json is therefore
// canonical already. A test compares every type with an independent implementation.
func encode(v any) ([]byte, error) {
	if data := quickEncode(v); data != nil {
		return data, nil
	}
	return slowEncode(v)
}

// slowEncode does what encode does, for values of any type.
func slowEncode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return buf.Bytes()[:buf.Len()-1], nil // Encode adds a line feed
}

// decode parses canonical JSON into v. It encodes what it read, compares, and so refuses any
// other encoding of the same value: unknown, repeated, missing and reordered members, members
// in another case, white space, other escapes and other forms of numbers.
func decode(data []byte, v any) error { return decodeWith(encode, data, v) }

func decodeWith(encode func(any) ([]byte, error), data []byte, v any) error {
	if !utf8.Valid(data) {
		return errors.New("not UTF-8")
	}
	if err := json.Unmarshal(data, v); err != nil {
		if name, why := refusedMember(data, v); name != "" {
			return fmt.Errorf("member %s: %w", name, why)
		}
		return describeJSON(err)
	}
	again, err := encode(v)
	if err != nil {
		return err
	}
	if bytes.Equal(again, data) {
		return nil
	}
	// The data is refused; what follows finds out why.
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return describeJSON(err)
	}
	if canonical, err := jcs.Transform(data); err != nil {
		return fmt.Errorf("not JSON that has a canonical form (RFC 8785): %v", err)
	} else if !bytes.Equal(canonical, data) {
		return errors.New("not canonical JSON (RFC 8785)")
	}
	return errors.New("members are missing, empty, repeated or written in another case")
}

// refusedMember returns the name of the member whose value is refused by its own type, such as
// a digest that is too short, and why. encoding/json does not say which member it is. The
// contents of v are of no use afterwards.
func refusedMember(data []byte, v any) (name string, why error) {
	var members map[string]json.RawMessage
	if json.Unmarshal(data, &members) != nil {
		return "", nil
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		one, err := json.Marshal(map[string]json.RawMessage{name: members[name]})
		if err != nil {
			return "", nil
		}
		err = json.Unmarshal(one, v)
		_, other := errors.AsType[*json.UnmarshalTypeError](err) // that error names the member already
		if err != nil && !other {
			return name, err
		}
	}
	return "", nil
}

func describeJSON(err error) error {
	var te *json.UnmarshalTypeError
	switch {
	case errors.As(err, &te) && te.Field != "":
		member := strings.TrimPrefix(strings.TrimPrefix(te.Field, "Common."), "Content.")
		return fmt.Errorf("member %s: the value has the wrong type: %s", member, te.Value)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("JSON ends too early")
	}
	return fmt.Errorf("not JSON: %s", strings.TrimPrefix(err.Error(), "json: "))
}

// checkText refuses text that does not belong in a log that is read for decades: control and
// formatting characters (they can hide or reorder what is read), line and paragraph separators,
// surrounding space, and anything that looks like an e-mail address.
func checkText(member, s string, max int) error {
	if s == "" {
		return fmt.Errorf("%s is empty", member)
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("%s is not UTF-8", member)
	}
	if n := utf8.RuneCountInString(s); n > max {
		return fmt.Errorf("%s has %d characters; the most is %d", member, n, max)
	}
	if strings.TrimFunc(s, isSpace) != s {
		return fmt.Errorf("%s begins or ends with a space", member)
	}
	for _, r := range s {
		if isHidden(r) {
			return fmt.Errorf("%s has the character %U, which is not allowed", member, r)
		}
	}
	if strings.ContainsAny(s, "@\uFE6B\uFF20") { // also the small and the full-width sign
		return fmt.Errorf("%s looks like an e-mail address: none may enter a log", member)
	}
	return nil
}

// hidden are the characters that no text may have: Unicode 15's control, format, private use,
// surrogate and default ignorable characters, line and paragraph separators, variation
// selectors, noncharacters and the replacement character. The table is fixed. It is not that of
// package unicode, which grows with each Go release: a log that is admitted today must replay
// for ever.
var hidden = [][2]rune{
	{0x0000, 0x001f}, {0x007f, 0x009f}, {0x00ad, 0x00ad}, {0x034f, 0x034f}, {0x0600, 0x0605}, {0x061c, 0x061c},
	{0x06dd, 0x06dd}, {0x070f, 0x070f}, {0x0890, 0x0891}, {0x08e2, 0x08e2}, {0x115f, 0x1160}, {0x17b4, 0x17b5},
	{0x180b, 0x180f}, {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f}, {0x3164, 0x3164}, {0xd800, 0xf8ff},
	{0xfdd0, 0xfdef}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff0, 0xfffb}, {0xfffd, 0xffff},
	{0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
	{0xdfffe, 0xe0fff}, {0xefffe, 0x10ffff},
}

func isHidden(r rune) bool {
	if r >= 0x20 && r < 0x7f {
		return false
	}
	for _, h := range hidden {
		if r <= h[1] {
			return r >= h[0] || r&0xfffe == 0xfffe
		}
	}
	return r&0xfffe == 0xfffe // the last two code points of every plane are noncharacters
}

// isSpace uses a fixed table too; spaces that are control characters are in hidden.
func isSpace(r rune) bool {
	return r == ' ' || r == 0xa0 || r == 0x1680 || r >= 0x2000 && r <= 0x200a || r == 0x202f || r == 0x205f || r == 0x3000
}
