package consent

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// A code is 32 characters of Crockford's base 32: 28 that carry 140 bits, and a check of 4 that
// names a mistyped one before anything is sent.
const (
	codeAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	codeBits     = 28
	codeCheck    = 4
)

// spell returns the code that the first bits of a hash give.
func spell(sum [32]byte) string {
	var b strings.Builder
	for i := range codeBits {
		b.WriteByte(codeAlphabet[at5(sum[:], i)])
	}
	return b.String() + check(b.String())
}

// at5 returns the i-th 5 bits of data, the first ones first.
func at5(data []byte, i int) (v byte) {
	for bit := 5 * i; bit < 5*i+5; bit++ {
		v = v<<1 | data[bit/8]>>(7-bit%8)&1
	}
	return v
}

func check(code string) string {
	sum := sha256.Sum256([]byte("trialproof/code-check/v1\n" + code))
	var b strings.Builder
	for i := range codeCheck {
		b.WriteByte(codeAlphabet[at5(sum[:], i)])
	}
	return b.String()
}

// A Master is the secret of a slip. It gives the code of each consent on it. It has the form of
// a code.
type Master string

// NewMaster returns a new secret.
func NewMaster() Master {
	var sum [32]byte
	rand.Read(sum[:]) // never fails
	return Master(spell(sum))
}

// Code returns the code of the consent with a number, counted from 1.
func (m Master) Code(number int) string {
	h := hmac.New(sha256.New, []byte(m))
	fmt.Fprintf(h, "trialproof/consent-code/v1\n%d", number)
	return spell([32]byte(h.Sum(nil)))
}

// ParseCode reads a code as a person types it: in groups, in lower case, with I, L and O for 1
// and 0.
func ParseCode(typed string) (string, error) {
	code := strings.Map(func(r rune) rune {
		switch r = unicode.ToUpper(r); {
		case unicode.IsSpace(r), unicode.Is(unicode.Pd, r), r == '\u2212': // the dashes, and the minus, that a telephone types
			return -1
		case r == 'I', r == 'L':
			return '1'
		case r == 'O':
			return '0'
		}
		return r
	}, typed)
	if len(code) != codeBits+codeCheck || strings.Trim(code, codeAlphabet) != "" {
		return "", fmt.Errorf("a code has %d digits and letters, and no U", codeBits+codeCheck)
	}
	if code[codeBits:] != check(code[:codeBits]) {
		return "", errors.New("the code is mistyped: its last four characters do not fit the others")
	}
	return code, nil
}

// Grouped returns a code in groups of four, for print.
func Grouped(code string) string {
	var groups []string
	for ; len(code) > 4; code = code[4:] {
		groups = append(groups, code[:4])
	}
	return strings.Join(append(groups, code), " ")
}
