package trial

import (
	"encoding/hex"
	"errors"
	"strings"
)

// A Hash is a SHA-256 digest: 64 lower-case hexadecimal digits in JSON.
type Hash [32]byte

func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// IsZero reports whether h is unset; such a member is left out of JSON.
func (h Hash) IsZero() bool { return h == Hash{} }

// MarshalText implements encoding.TextMarshaler.
func (h Hash) MarshalText() ([]byte, error) { return h.AppendText(nil) }

// AppendText implements encoding.TextAppender.
func (h Hash) AppendText(b []byte) ([]byte, error) { return hex.AppendEncode(b, h[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler; it takes lower case only.
func (h *Hash) UnmarshalText(text []byte) error {
	var err error
	*h, err = ParseHash(string(text))
	return err
}

// ParseHash parses 64 lower-case hexadecimal digits.
func ParseHash(s string) (Hash, error) {
	var h Hash
	if len(s) != 2*len(h) {
		return Hash{}, errors.New("not 64 hexadecimal digits")
	}
	if _, err := hex.Decode(h[:], []byte(s)); err != nil || strings.ContainsAny(s, "ABCDEF") {
		return Hash{}, errors.New("not 64 lower-case hexadecimal digits")
	}
	return h, nil
}

// ShortDigits is how many of an id's 64 digits are enough to name it where people type one.
const ShortDigits = 12

// IsShort reports whether what was typed is the beginning of an id: enough of its digits,
// and not all of them.
func IsShort(typed string) bool {
	return len(typed) >= ShortDigits && len(typed) < 64 && strings.Trim(typed, "0123456789abcdef") == ""
}

// Named reports whether what was typed is h in full, or the beginning of it.
func (h Hash) Named(typed string) bool {
	return len(typed) >= ShortDigits && strings.HasPrefix(h.String(), typed)
}
