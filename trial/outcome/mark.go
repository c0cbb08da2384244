package outcome

import (
	"strings"
	"unicode"
)

// A mark is a word, number or sign of a text, in its normal form.
type mark struct {
	text   string
	said   string // as the source has it
	tight  bool   // only a hyphen is between it and the one before
	apart  bool   // a comma, a bracket or the like is between it and the one before
	spaced bool   // only spaces are around it
}

// signs has the normal form of signs that are written in more than one way.
var signs = map[rune]string{'⩽': "≤", '≦': "≤", '⩾': "≥", '≧': "≥", '&': "and", '~': "≈", '∼': "≈"}

// compound has the signs that are written with several characters.
var compound = strings.NewReplacer(">/=", " ≥ ", "</=", " ≤ ", "+/-", " ± ", "+/−", " ± ", ">=", " ≥ ", "<=", " ≤ ", "!=", " ≠ ")

// silent is the punctuation that says nothing, unless means finds that it does.
const silent = ".,:;()[]{}\"“”„'‘’`*#_•…"

// blanks returns a space for white space of any kind, and removes characters that nobody sees.
func blanks(c rune) rune {
	switch {
	case c == '\u00ad' || c == '\u200b' || c == '\u2060' || c == '\ufeff':
		return -1
	case unicode.IsSpace(c) || unicode.IsControl(c):
		return ' '
	}
	return c
}

// marks splits a text, of which at most textLimit bytes are read, into what it says,
// in order: every letter, number and sign. Case, silent punctuation, accents and what
// Unescape takes away say nothing. Whatever else differs makes other marks.
func marks(s string) []mark {
	s = Unescape(s[:min(len(s), textLimit)])
	s = strings.Map(blanks, s)
	s = withoutAcronyms(s)
	r := []rune(compound.Replace(s))
	at := func(i int) rune {
		if i < 0 || i >= len(r) {
			return ' '
		}
		return r[i]
	}
	var list []mark
	hyphen, apart := -1, false // where the last hyphen within a word stands
	add := func(m mark) {
		m.apart, apart = apart, false
		list = append(list, m)
	}
	for i := 0; i < len(r); {
		c, start := r[i], i
		switch {
		case unicode.IsLetter(c) || unicode.IsDigit(c) || raised(c) || lowered(c):
			if unicode.IsDigit(at(i-1)) || at(i-1) == ')' {
				if raised(c) {
					add(mark{text: "^", said: "^"})
				} else if lowered(c) {
					add(mark{text: "_", said: "_"})
				}
			}
			for i < len(r) && goesOn(r, start, i) {
				i++
			}
			said := string(r[start:i])
			add(mark{
				text: oneSpelling(said), said: said, tight: hyphen >= 0 && hyphen == start-1, spaced: at(start-1) == ' ' && at(i) == ' ',
			})
			continue
		case isDash(c):
			switch dashOf(r, i) {
			case "":
				apart = apart || at(i-1) == ' '
				if isWord(at(i-1)) && isWord(at(i+1)) {
					hyphen = i
				}
			case "–":
				add(mark{text: "–", said: "-"})
			default:
				add(mark{text: "-", said: "-"})
			}
		case signs[c] != "":
			add(mark{text: signs[c], said: string(c)})
		case strings.ContainsRune(silent, c) && !means(c, at(i-1), at(i+1), r[:i], r[i+1:]):
			apart = true
		case c != ' ':
			add(mark{text: strings.ToLower(string(c)), said: string(c)})
		}
		i++
	}
	return one(list)
}

// oneSpelling returns a word in lower case, without accents.
func oneSpelling(said string) string {
	return smallLetters.Replace(strings.ToLower(strings.Map(func(r rune) rune {
		if r >= 0x300 && r <= 0x333 || r == ',' || r == '\'' || r == '’' {
			return -1
		}
		return r
	}, said)))
}

// smallLetters are the foldings that change nothing of what is said; µ is not u, as units are.
var smallLetters = strings.NewReplacer(append([]string{"µ", "μ"}, folded...)...)

// means reports whether punctuation says something at its place: the points of .5,
// 1:2 and 1,5, CYP2D6*4, 2 * 3, #5, a_b, and the signs of minutes and inches.
func means(c, before, after rune, head, tail []rune) bool {
	number := unicode.IsNumber
	switch c {
	case '.':
		return number(after)
	case ',', ':':
		return number(before) && number(after)
	case '\'', '"', '’', '”':
		return number(before)
	case '*':
		return isWord(before) && isWord(after) || number(lastOf(head)) && number(firstOf(tail))
	case '_':
		return isWord(before) && isWord(after)
	case '#':
		return isWord(after)
	}
	return false
}

// dashOf returns what the dash at i says: "–" in a range of numbers, "-" if it may be a minus or
// belong to a word (CD4-, HER2(-), pre- and post-dose), and nothing if it joins or separates
// words.
func dashOf(r []rune, i int) string {
	before, after := ' ', ' '
	if i > 0 {
		before = r[i-1]
	}
	if i+1 < len(r) {
		after = r[i+1]
	}
	last, next := lastOf(r[:i]), firstOf(r[i+1:])
	point := next == '.' // of .5
	switch {
	case unicode.IsNumber(last) && unicode.IsNumber(next) && (before == ' ') == (after == ' '):
		return "–"
	case r[i] == '−':
		return "-"
	case isWord(before) && isWord(after):
		if unicode.IsLower(before) && unicode.IsNumber(after) {
			return "-" // "day-1"
		}
		return ""
	case unicode.IsNumber(next) || point || !unicode.IsLetter(next) || before != ' ' || after != ' ':
		return "-"
	}
	// "pain - at rest" and "- pain", but not "HER2 - patients"
	head := strings.TrimRight(string(r[:i]), " ")
	if head == "" {
		return ""
	}
	rest := []rune(strings.TrimRight(head, ")"))
	n := 0
	for n < len(rest) && unicode.IsLetter(rest[len(rest)-1-n]) {
		n++
	}
	if n >= 4 && unicode.IsLower(rest[len(rest)-1]) {
		return ""
	}
	return "-"
}

// goesOn reports whether the rune at i continues the word that begins at start. A number and the
// letters after it are two words, so "50mg" and "50 mg" are the same.
func goesOn(r []rune, start, i int) bool {
	c := r[i]
	digitsOnly := true
	for _, d := range r[start:i] {
		digitsOnly = digitsOnly && (unicode.IsDigit(d) || d == '.' || d == ',')
	}
	next := rune(' ')
	if i+1 < len(r) {
		next = r[i+1]
	}
	switch {
	case i == start:
		return true
	case unicode.IsDigit(c):
		return !raised(r[i-1]) && !lowered(r[i-1]) || digitsOnly // m²5 is not m25
	case raised(c) || lowered(c):
		return !unicode.IsDigit(r[i-1]) // 10² is not 102
	case unicode.Is(unicode.Mn, c):
		return !digitsOnly
	case unicode.IsLetter(c):
		if !digitsOnly {
			return true
		}
		alone := !unicode.IsLetter(next) // EQ-5D, and 5 g
		return alone && !strings.ContainsRune("ghlmGHLM", c)
	case c == '.':
		return digitsOnly && unicode.IsDigit(next)
	case c == ',': // "1,000", and not "1,5" or "0,125"
		thousand := func(k int) bool { return i+k < len(r) && unicode.IsDigit(r[i+k]) }
		first := strings.ContainsRune(string(r[start:i]), ',') || i-start <= 3 && r[start] != '0'
		return digitsOnly && first && thousand(1) && thousand(2) && thousand(3) && !thousand(4)
	case c == '\'' || c == '’':
		return unicode.IsLetter(r[i-1]) && unicode.IsLetter(next)
	}
	return false
}

func raised(c rune) bool { return strings.ContainsRune("⁰¹²³⁴⁵⁶⁷⁸⁹", c) }

func lowered(c rune) bool { return strings.ContainsRune("₀₁₂₃₄₅₆₇₈₉", c) }

func isDash(c rune) bool { return strings.ContainsRune("-‐‑‒–—−", c) }

func isWord(c rune) bool { return unicode.IsLetter(c) || unicode.IsNumber(c) }

func lastOf(r []rune) rune {
	for i := len(r) - 1; i >= 0; i-- {
		if r[i] != ' ' {
			return r[i]
		}
	}
	return ' '
}

func firstOf(r []rune) rune {
	for _, c := range r {
		if c != ' ' {
			return c
		}
	}
	return ' '
}
