package study

import (
	"html"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Names are compared by keys. All usual spellings of a name have the same key, such as "Jürgen
// Müßterlich" and "JUERGEN MUESSTERLICH".

// clean returns a text as people read it: character references are resolved, compatibility
// characters replaced, hidden ones removed, and digits of any script and dashes of any width
// written in ASCII.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r):
			return -1
		case unicode.Is(unicode.Pd, r), r == '\u2212':
			return '-'
		case r == '·', r == '•', r == '∙':
			return '.'
		case unicode.IsSpace(r):
			return ' '
		case r > unicode.MaxASCII && unicode.IsDigit(r):
			return '0' + digitOf(r)
		}
		return r
	}, norm.NFKC.String(html.UnescapeString(strings.ToValidUTF8(s, ""))))
}

// digitOf returns the value of a decimal digit. Each script has its ten digits in a row.
func digitOf(r rune) rune {
	n := rune(0)
	for n < 9 && unicode.IsDigit(r-n-1) {
		n++
	}
	return n % 10
}

// letterWords returns the words of a clean text in lower case, without accents.
func letterWords(s string) []string {
	var list []string
	for _, w := range rawWords(s) {
		list = append(list, unaccentedLower(w))
	}
	return list
}

// rawWords returns the runs of letters of a clean text. An apostrophe is part of a word.
func rawWords(s string) []string {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune("'’‘`´ʼ", r) {
			return -1
		}
		return r
	}, possessive.ReplaceAllString(s, ""))
	return strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.Is(unicode.Mn, r) })
}

var possessive = regexp.MustCompile(`['’]s\b`)

// unaccentedLower writes a word in lower case, without accents.
func unaccentedLower(w string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(unaccented.Replace(w)))
}

var unaccented = strings.NewReplacer(
	"ß", "ss", "ẞ", "SS", "ø", "o", "Ø", "O", "ł", "l", "Ł", "L", "æ", "ae", "Æ", "AE", "œ", "oe", "Œ", "OE",
	"đ", "d", "Đ", "D", "ı", "i", "þ", "th", "Þ", "TH", "ð", "d",
)

var umlauts = strings.NewReplacer("ae", "a", "oe", "o", "ue", "u")

// keyOf returns the key of a word. Accents, the ways to write an umlaut without one (ue for ü,
// oe for ø), and doubled letters make no difference to it. The key of a key is itself.
func keyOf(word string) string {
	key := unaccentedLower(word)
	for {
		var b strings.Builder
		var last rune
		for _, r := range umlauts.Replace(key) {
			if r != last {
				b.WriteRune(r)
			}
			last = r
		}
		if b.String() == key {
			return key
		}
		key = b.String()
	}
}

// A token is a word of a text that is searched for names.
type token struct {
	lower   string // without accents
	key     string
	letters int
	capital bool // it begins with a capital
	upper   bool // it is all capitals
}

func newToken(w string) token {
	r, _ := utf8.DecodeRuneInString(w)
	return token{
		lower: unaccentedLower(w), key: keyOf(w), letters: utf8.RuneCountInString(w),
		capital: unicode.IsUpper(r), upper: w == strings.ToUpper(w),
	}
}

// tokens returns the words of a clean text, and the same words divided where capitals show that
// they are run together ("JaneSample", "JSample").
func tokens(c string) (whole, parted []token) {
	for _, w := range rawWords(c) {
		whole = append(whole, newToken(w))
		for _, part := range capitals(w) {
			parted = append(parted, newToken(part))
		}
	}
	return whole, parted
}

// capitals divides a word before each capital that begins a word in it.
func capitals(w string) (parts []string) {
	r := []rune(w)
	start := 0
	for i := 1; i < len(r); i++ {
		begins := unicode.IsUpper(r[i]) && (unicode.IsLower(r[i-1]) || i+1 < len(r) && unicode.IsUpper(r[i-1]) && unicode.IsLower(r[i+1]))
		if begins {
			parts = append(parts, string(r[start:i]))
			start = i
		}
	}
	return append(parts, string(r[start:]))
}

// nearly reports whether two words differ in at most one letter: a different one, one more or
// one less, or two that changed places.
func nearly(a, b string) bool {
	x, y := []rune(a), []rune(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	for len(x) > 0 && x[0] == y[0] {
		x, y = x[1:], y[1:]
	}
	for len(x) > 0 && x[len(x)-1] == y[len(y)-1] {
		x, y = x[:len(x)-1], y[:len(y)-1]
	}
	return len(y) <= 1 || len(x) == 2 && len(y) == 2 && x[0] == y[1] && x[1] == y[0]
}
