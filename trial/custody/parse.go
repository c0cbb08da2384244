package custody

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxLine is the length of the longest line of a scanner.
const maxLine = 1024

// errFNC1 says why a line without FNC1 is not read.
var errFNC1 = errors.New("the line has no FNC1, and without it can be read in more than one way: " +
	"configure the scanner to send FNC1 as GS (ASCII 29), or type the label with its application identifiers in brackets")

// escapes are what scanners and people type for FNC1.
var escapes = strings.NewReplacer("{GS}", gs, "<GS>", gs, "[GS]", gs, "{FNC1}", gs, "<FNC1>", gs, `\x1d`, gs, `\x1D`, gs,
	`\u001d`, gs, `\u001D`, gs, "^]", gs, "\u241d", gs)

// unescape returns s with GS in place of what is typed for it. A line that has GS itself is
// left as it is.
func unescape(s string) string {
	if strings.Contains(s, gs) {
		return s
	}
	return escapes.Replace(s)
}

// Parse reads one line of a hand scanner, or one that was typed: a GS1 element string with or
// without FNC1 and with or without the symbology identifier of ISO/IEC 15424; the same with its
// application identifiers in brackets; a GS1 Digital Link or EPC URI; or a kit number. year is
// the current year, from which the century of an expiry follows.
//
// Without FNC1 nothing marks where a serial ends, and the line is read only if there is exactly
// one way to read it.
func Parse(text string, year int) (Code, error) {
	c, err := parse(text, year)
	if err != nil {
		return Code{}, fmt.Errorf("read code: %w", err)
	}
	return c, nil
}

func parse(text string, year int) (Code, error) {
	if len(text) > maxLine {
		return Code{}, fmt.Errorf("the line has %d characters, where no label has more than %d: scan one label a line", len(text), maxLine)
	}
	s := unescape(strings.Trim(text, " \t\r\n"))
	s, gs1 := cutSymbology(s)
	// "FNC1 in first position" is sent by some scanners too.
	s, first := strings.CutPrefix(s, gs)
	s = strings.Trim(s, " ")
	switch {
	case isURI(s):
		list, err := parseURI(s)
		if err != nil {
			return Code{}, err
		}
		return newCode(list, year)
	case strings.HasPrefix(s, "("):
		list, err := splitBrackets(s)
		if err != nil {
			return Code{}, err
		}
		return newCode(list, year)
	case first || strings.Contains(s, gs):
		list, err := split(s)
		if err != nil {
			return Code{}, err
		}
		return newCode(list, year)
	}
	return parseWithoutFNC1(s, gs1, year)
}

// cutSymbology cuts the symbology identifier off, and reports whether it is one of a GS1
// symbol: ]d2 DataMatrix, ]Q3 QR code, ]C1 GS1-128, ]e0 DataBar, ]J1 DotCode.
func cutSymbology(s string) (string, bool) {
	if len(s) < 3 || s[0] != ']' {
		return s, false
	}
	return s[3:], slices.Contains([]string{"]d2", "]Q3", "]C1", "]e0", "]J1"}, s[:3])
}

// split returns the elements of a string in which FNC1 is sent as GS.
func split(s string) ([]element, error) {
	var list []element
	for s != "" {
		id, a, ok := lookup(s)
		if !ok {
			return nil, fmt.Errorf("%.8q begins no application identifier that GS1 has: scan again, or type the label with its brackets", s)
		}
		s = s[len(id):]
		value := s
		if a.more == 0 && len(s) >= a.digits {
			value = s[:a.digits]
		}
		value, _, _ = strings.Cut(value, gs)
		if err := a.check(id, value); err != nil {
			return nil, err
		}
		list = append(list, element{id, value})
		s = strings.TrimPrefix(s[len(value):], gs)
	}
	return list, nil
}

// brackets returns the positions in s at which an application identifier in brackets begins.
func brackets(s string) []int {
	var list []int
	for i := range len(s) {
		if s[i] != '(' {
			continue
		}
		if id, _, ok := lookup(s[i+1:]); ok && strings.HasPrefix(s[i+1+len(id):], ")") {
			list = append(list, i)
		}
	}
	return list
}

// splitBrackets returns the elements of "(01)09506000134352(21)A1".
func splitBrackets(s string) ([]element, error) {
	at := brackets(s)
	if len(at) == 0 || at[0] != 0 {
		return nil, fmt.Errorf("%.8q begins with no application identifier in brackets, such as (01): type the label as it is printed", s)
	}
	var list []element
	for i, from := range at {
		end := len(s)
		if i+1 < len(at) {
			end = at[i+1]
		}
		id, a, _ := lookup(s[from+1:])
		value := strings.Trim(s[from+len(id)+2:end], " "+gs)
		if err := a.check(id, value); err != nil {
			return nil, err
		}
		list = append(list, element{id, value})
	}
	return list, nil
}

// parseWithoutFNC1 reads a line that has no GS: an element string if it can be read in one way,
// or a kit number. gs1 says that it came from a GS1 symbol, so that it is no bare kit number.
func parseWithoutFNC1(s string, gs1 bool, year int) (Code, error) {
	if !gs1 && len(s) <= maxKit && !looksLikeElements(s) {
		return Code{Serial: s}, checkKit(s)
	}
	r := reader{year: year}
	r.read(s, nil)
	switch {
	case r.ambiguous() || !gs1 && strings.HasPrefix(s, "91") && len(s) <= maxKit:
		return Code{}, errFNC1
	case len(r.found) == 1:
		return r.found[0], nil
	}
	if _, _, ok := lookup(s); !ok && !gs1 {
		return Code{}, checkKit(s)
	}
	list, err := split(s) // for its error
	if err != nil {
		return Code{}, err
	}
	return newCode(list, year)
}

// looksLikeElements reports whether a text that could be a kit number is read as an element
// string: it begins as one with a GTIN, is one of an SSCC, or is a kit number after AI 91 with
// another element after it.
func looksLikeElements(s string) bool {
	if len(s) >= 16 && s[:2] == "01" && allDigits(s[:16]) || len(s) == 20 && s[:2] == "00" && allDigits(s) {
		return true
	}
	if len(s) > maxKit || !strings.HasPrefix(s, "91") {
		return false
	}
	r := reader{year: 2000, kits: true}
	r.read(s, nil)
	return len(r.found) > 0 || r.ambiguous()
}

// maxSteps bounds the work for a line without FNC1. A line that needs more is ambiguous.
const maxSteps = 20000

// A reader finds the ways to read an element string without FNC1, up to two.
type reader struct {
	year  int
	kits  bool // only what has AI 91 and something else
	steps int
	found []Code
}

// ambiguous reports whether there are two ways, or perhaps more than were tried.
func (r *reader) ambiguous() bool { return len(r.found) > 1 || r.steps > maxSteps }

// read reads s after some elements.
func (r *reader) read(s string, before []element) {
	if r.steps++; r.steps > maxSteps || len(r.found) > 1 {
		return
	}
	if s == "" {
		c, err := newCode(before, r.year)
		if err == nil && (!r.kits || before[0].ai == "91" && len(before) > 1) && !slices.ContainsFunc(r.found, c.equal) {
			r.found = append(r.found, c)
		}
		return
	}
	id, a, ok := lookup(s)
	if !ok || slices.ContainsFunc(before, func(e element) bool { return e.ai == id }) || r.kits && len(before) == 0 && id != "91" {
		return
	}
	s = s[len(id):]
	for n := max(a.digits, 1); n <= min(a.digits+a.more, len(s)); n++ {
		// A token has 22 characters, and a kit number at most 20.
		if id == "99" && n != tokenChars || id == "91" && n > maxKit || a.check(id, s[:n]) != nil {
			continue
		}
		r.read(s[n:], append(before[:len(before):len(before)], element{id, s[:n]}))
	}
}

// equal reports whether two codes say the same.
func (c Code) equal(d Code) bool {
	return c.Serial == d.Serial && c.Expiry == d.Expiry && c.Lot == d.Lot &&
		(c.Token == nil) == (d.Token == nil) && (c.Token == nil || *c.Token == *d.Token)
}

// newCode returns what elements say.
func newCode(list []element, year int) (c Code, err error) {
	m := map[string]string{}
	for _, e := range list {
		if old, ok := m[e.ai]; ok && old != e.value {
			return c, fmt.Errorf("AI %s stands there twice, with %.40q and %.40q: scan one label a line", e.ai, old, e.value)
		}
		m[e.ai] = e.value
	}
	gtin, isGTIN := m["01"]
	serial, isSerial := m["21"]
	sscc, isSSCC := m["00"]
	kit, isKit := m["91"]
	switch {
	case isGTIN && isSSCC:
		return c, errors.New("the label names a pack (AI 01) and a case (AI 00): scan one label a line")
	case isGTIN && !isSerial:
		return c, errors.New("the label has a GTIN (AI 01) and no serial (AI 21), so it names a product and not a pack: " +
			"scan the code with the serial")
	case isGTIN:
		c.Serial = "(01)" + gtin + "(21)" + serial
	case isSSCC:
		c.Serial = "(00)" + sscc
	case isKit && !isSerial:
		if err := checkKit(kit); err != nil {
			return c, err
		}
		c.Serial = kit
	default:
		return c, errors.New("the label names no pack: it has no GTIN and serial (AI 01 and 21), no SSCC (AI 00) and " +
			"no kit number (AI 91): scan its other code")
	}
	c.Lot = m["10"]
	if date, ok := m["17"]; ok {
		if c.Expiry, err = parseExpiry(date, year); err != nil {
			return c, err
		}
	}
	if text, ok := m["99"]; ok {
		token, err := DecodeToken(text)
		if err != nil {
			return c, fmt.Errorf("AI 99: %w", err)
		}
		c.Token = &token
	}
	return c, c.check()
}

// parseExpiry returns the day that YYMMDD means. Day 00 is the last day of the month.
//
// SPEC: General Specifications, section 7.12: if YY is 51 to 99 above the last two digits of the
// current year, it is in the century before; if it is 50 to 99 below, in the next.
func parseExpiry(s string, year int) (string, error) {
	wrong := fmt.Errorf("AI 17 has the expiry %.40q, which is no day as YYMMDD: compare it with the label", s)
	if len(s) != 6 || !allDigits(s) || year < 1000 || year > 8999 {
		return "", wrong
	}
	yy, _ := strconv.Atoi(s[:2])
	century := year - year%100
	switch d := yy - year%100; {
	case d >= 51:
		century -= 100
	case d <= -50:
		century += 100
	}
	month := fmt.Sprintf("%04d-%s", century+yy, s[2:4])
	if s[4:] != "00" {
		if _, err := time.Parse(time.DateOnly, month+"-"+s[4:]); err != nil {
			return "", wrong
		}
		return month + "-" + s[4:], nil
	}
	t, err := time.Parse("2006-01", month)
	if err != nil {
		return "", wrong
	}
	return t.AddDate(0, 1, -1).Format(time.DateOnly), nil
}
