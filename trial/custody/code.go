package custody

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// A Code is what the label of a pack says.
type Code struct {
	// Serial is a GTIN and serial, "(01)09506000134352(21)A1", the SSCC of a case,
	// "(00)095060001343520005", or a kit number as it is printed, "K-00017".
	Serial string
	Expiry string    // AI 17 as YYYY-MM-DD, or ""
	Lot    string    // AI 10, or ""
	Token  *[16]byte // AI 99, or nil where the label has none
}

// tokenChars is the length of a token as text.
const tokenChars = 22

// maxKit is the length of the longest kit number.
const maxKit = 20

// NewToken reads a token of 16 bytes from a source of randomness, such as crypto/rand.Reader.
func NewToken(r io.Reader) (token [16]byte, err error) {
	if _, err := io.ReadFull(r, token[:]); err != nil {
		return token, fmt.Errorf("make a token: %w", err)
	}
	return token, nil
}

// EncodeToken returns a token as AI 99 carries it: 22 characters of unpadded base64url.
func EncodeToken(token [16]byte) string { return base64.RawURLEncoding.EncodeToString(token[:]) }

// DecodeToken is the inverse of EncodeToken. It takes no other encoding of the same bytes.
func DecodeToken(s string) (token [16]byte, err error) {
	if len(s) != tokenChars {
		return token, fmt.Errorf("token %.40q has %d characters, not %d: scan again, or copy all of it", s, len(s), tokenChars)
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != len(token) {
		return token, fmt.Errorf("token %q is not 16 bytes in base64url: scan again, or copy it letter by letter", s)
	}
	return [16]byte(b), nil
}

// serialElements returns the elements of c's serial. A kit number is AI 91, which is free for a
// company's own use.
func (c Code) serialElements() []element {
	if gtin, serial, ok := splitSerial(c.Serial); ok {
		return []element{{"01", gtin}, {"21", serial}}
	}
	if sscc, ok := strings.CutPrefix(c.Serial, "(00)"); ok {
		return []element{{"00", sscc}}
	}
	return []element{{"91", c.Serial}}
}

// splitSerial returns the GTIN and the serial of "(01)09506000134352(21)A1".
func splitSerial(s string) (gtin, serial string, ok bool) {
	rest, ok := strings.CutPrefix(s, "(01)")
	if !ok || len(rest) < 14 {
		return "", "", false
	}
	serial, ok = strings.CutPrefix(rest[14:], "(21)")
	return rest[:14], serial, ok
}

// elements returns all elements of c in the order of the symbol.
func (c Code) elements() []element {
	list := c.serialElements()
	if c.Expiry != "" {
		list = append(list, element{"17", strings.ReplaceAll(c.Expiry, "-", "")[min(2, len(c.Expiry)):]})
	}
	if c.Lot != "" {
		list = append(list, element{"10", c.Lot})
	}
	if c.Token != nil {
		list = append(list, element{"99", EncodeToken(*c.Token)})
	}
	return list
}

// bare reports whether c is a kit number and nothing else: it is printed without any AI.
func (c Code) bare() bool {
	return !strings.HasPrefix(c.Serial, "(") && c.Expiry == "" && c.Lot == "" && c.Token == nil
}

// Elements returns the element string that the symbol of c encodes, without the FNC1 in its
// first position and with GS for each later one: AI 01 and 21 (or 00 for a case, 91 for a kit
// number), 17, 10, 99. A kit number without expiry, lot and token stands alone, without AI. A
// serial that stands alone has GS after it if it could be read in another way without.
func (c Code) Elements() string {
	if c.bare() {
		return c.Serial
	}
	var b strings.Builder
	variable := false
	for _, e := range c.elements() {
		if variable {
			b.WriteString(gs)
		}
		b.WriteString(e.ai + e.value)
		variable = e.ai != "00" && e.ai != "01" && e.ai != "17"
	}
	if text := b.String(); !strings.Contains(text, gs) {
		r := reader{year: 2000}
		if r.read(text, nil); r.ambiguous() {
			return text + gs
		}
	}
	return b.String()
}

// Human returns the text below the symbol, with the application identifiers in brackets.
func (c Code) Human() string {
	if c.bare() {
		return c.Serial
	}
	var b strings.Builder
	for _, e := range c.elements() {
		b.WriteString("(" + e.ai + ")" + e.value)
	}
	return b.String()
}

// check checks that c can be printed and read again.
func (c Code) check() error {
	gtin, serial, isGTIN := splitSerial(c.Serial)
	sscc, isSSCC := strings.CutPrefix(c.Serial, "(00)")
	var err error
	switch {
	case isGTIN:
		err = errors.Join(checkKey("GTIN", gtin), checkText("serial", serial))
	case isSSCC && len(sscc) != 18:
		err = fmt.Errorf("SSCC %.40q has %d characters, not 18: compare it with the label", sscc, len(sscc))
	case isSSCC:
		err = checkKey("SSCC", sscc)
	default:
		err = checkKit(c.Serial)
	}
	if err != nil {
		return err
	}
	if c.Expiry != "" {
		if _, err := time.Parse(time.DateOnly, c.Expiry); err != nil {
			return fmt.Errorf("expiry %.40q is not a day such as 2027-12-31", c.Expiry)
		}
	}
	if c.Lot != "" {
		return checkText("lot", c.Lot)
	}
	return nil
}

// checkText checks a serial or a lot: 1 to 20 characters of set 82, and nothing in them that a
// bracketed AI or a typed FNC1 would be mistaken for.
func checkText(name, s string) error {
	switch {
	case s == "" || len(s) > 20:
		return fmt.Errorf("%s %.40q has %d characters, not 1 to 20: compare it with the label", name, s, len(s))
	case !charset82(s):
		return fmt.Errorf("%s %q has a character that GS1 does not allow in it: compare it with the label", name, s)
	case unescape(s) != s || len(brackets(s)) > 0:
		return fmt.Errorf("%s %q has a part that reads as FNC1 or as an AI in brackets: give the pack another %s", name, s, name)
	}
	return nil
}

// checkKit checks a kit number: 1 to 20 printable characters of ASCII, and nothing that would
// be read as a GS1 element string, a link or the identifier of a symbology.
func checkKit(s string) error {
	switch {
	case s == "":
		return errors.New("the line is empty: scan the DataMatrix of the label")
	case len(s) > maxKit:
		return fmt.Errorf("%.60q is no GS1 element string, and has %d characters where a kit number has at most %d: scan again",
			s, len(s), maxKit)
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return fmt.Errorf("kit number %q has a character that is not printable ASCII: scan again, or type it as it is printed", s)
		}
	}
	if looksLikeElements(s) {
		return fmt.Errorf("kit number %q reads as a GS1 element string too: type it as (91)%s if it is a kit number", s, s)
	}
	if s != strings.TrimSpace(s) || unescape(s) != s || len(brackets(s)) > 0 || s[0] == '(' || s[0] == ']' || isURI(s) {
		return fmt.Errorf("kit number %q reads as something else (an AI in brackets, FNC1, a link or a symbology): give it another number", s)
	}
	return nil
}
