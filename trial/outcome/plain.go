package outcome

import (
	"html"
	"slices"
	"strings"
	"unicode"
)

// Unescape returns a text without what its transport added: HTML entities, tags of
// HTML that only dress a text, and the backslashes of Markdown.
func Unescape(s string) string {
	for range 3 { // what was escaped twice is unescaped twice
		if !strings.Contains(s, "&") {
			break
		}
		t := html.UnescapeString(s)
		if t == s {
			break
		}
		s = t
	}
	if strings.Contains(s, "<") {
		s = withoutTags(s)
	}
	if strings.Contains(s, `\`) {
		var b strings.Builder
		for i := 0; i < len(s); i++ {
			if s[i] == '\\' && i+1 < len(s) && strings.IndexByte("!#()*+-.<>[]_`{|}~\\", s[i+1]) >= 0 {
				continue
			}
			b.WriteByte(s[i])
		}
		s = b.String()
	}
	return s
}

// tags are those that dress a text, and what stands in their place.
var tags = map[string]string{
	"sub": "", "sup": "", "b": "", "i": "", "em": "", "strong": "", "u": "", "span": "", "font": "",
	"p": " ", "br": " ", "div": " ", "li": " ", "ul": " ", "ol": " ", "td": " ", "tr": " ",
}

// withoutTags takes the tags off a text. "<5 mg" and "a<b and b>c" are none.
func withoutTags(s string) string {
	var b strings.Builder
	for {
		open := strings.IndexByte(s, '<')
		if open < 0 {
			break
		}
		end := strings.IndexByte(s[open:], '>')
		if end < 0 {
			break
		}
		name, _, _ := strings.Cut(strings.Trim(s[open+1:open+end], "/ "), " ")
		instead, ok := tags[strings.ToLower(name)]
		if open > 0 && isDigit(s[open-1]) && strings.EqualFold(name, "sup") && s[open+1] != '/' {
			instead = "^" // 10<sup>9</sup> is not 109
		}
		if !ok {
			b.WriteString(s[:open+1])
			s = s[open+1:]
			continue
		}
		b.WriteString(s[:open] + instead)
		s = s[open+end+1:]
	}
	return b.String() + s
}

// A mark is a word, number or sign of a text, in its one spelling.
type mark struct {
	text  string
	said  string // as the source has it
	tight bool   // a hyphen alone stands between it and the one before
	lower bool   // the source writes no capital
}

// signs are what is no letter and no digit and yet says something, in one spelling.
var signs = map[rune]string{
	'<': "<", '>': ">", '=': "=", '≤': "≤", '⩽': "≤", '≦': "≤", '≥': "≥", '⩾': "≥", '≧': "≥", '%': "%",
	'+': "+", '±': "±", '&': "and", '~': "≈", '≈': "≈",
	'∼': "≈", '≠': "≠", '^': "^",
}

// compound are signs that are written with several, the longest first.
var compound = []struct{ from, to string }{
	{">/=", "≥"}, {"</=", "≤"}, {"+/-", "±"}, {"+/−", "±"}, {"> =", "≥"}, {"< =", "≤"}, {">=", "≥"}, {"=>", "≥"}, {"<=", "≤"},
	{"=<", "≤"}, {"!=", "≠"},
}

// marks splits a text, of which at most textLimit bytes are read, into what it says,
// in order: case, punctuation, accents and what Unescape takes away say nothing.
// Whatever else differs makes other marks.
func marks(s string) []mark {
	s = Unescape(s[:min(len(s), textLimit)])
	s = withoutAcronyms(s)
	for _, c := range compound {
		s = strings.ReplaceAll(s, c.from, " "+c.to+" ")
	}
	r := []rune(s)
	at := func(i int) rune {
		if i < 0 || i >= len(r) {
			return ' '
		}
		return r[i]
	}
	var list []mark
	hyphen := -1 // where the last hyphen within a word stands
	for i := 0; i < len(r); {
		c := r[i]
		switch {
		case unicode.IsLetter(c) || unicode.IsDigit(c) || superscript(c):
			start := i
			if superscript(c) && unicode.IsDigit(at(i-1)) {
				list = append(list, mark{text: "^", said: "^"})
			}
			for i < len(r) && goesOn(r, start, i) {
				i++
			}
			said := string(r[start:i])
			text := foldings.Replace(strings.ToLower(strings.Map(func(r rune) rune {
				if unicode.Is(unicode.Mn, r) || r == ',' || r == '\'' || r == '’' {
					return -1
				}
				return r
			}, said)))
			list = append(list, mark{text: text, said: said, tight: hyphen >= 0 && hyphen == start-1, lower: strings.ToLower(said) == said})
			continue
		case isDash(c):
			before, after := at(i-1), at(i+1)
			digits := unicode.IsDigit(lastOf(r[:i])) && unicode.IsDigit(firstOf(r[i+1:])) && (before == ' ') == (after == ' ')
			switch {
			case digits: // a range
				list = append(list, mark{text: "–", said: "-"})
			case unicode.IsDigit(after) && !isWord(before):
				if i > 0 || c == '−' {
					list = append(list, mark{text: "-", said: "-"}) // a negative number
				}
			case isWord(before) && isWord(after):
				hyphen = i
			case isWord(before) && c != '—' && c != '–': // "CD4-", "pre- and post-dose"
				list = append(list, mark{text: "-", said: "-"})
			}
		case signs[c] != "":
			list = append(list, mark{text: signs[c], said: string(c), lower: true})
		case unicode.IsSymbol(c) && c != '`' && c != '|':
			list = append(list, mark{text: string(c), said: string(c)})
		}
		i++
	}
	return one(list)
}

// goesOn reports whether the rune at i goes on with the word that begins at start: a
// number and the letters behind it are two words, "50mg" and "50 mg" being one.
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
		return true
	case superscript(c):
		return !unicode.IsDigit(r[i-1]) // 10² is not 102
	case unicode.IsLetter(c) || unicode.Is(unicode.Mn, c):
		if !digitsOnly {
			return true
		}
		alone := !unicode.IsLetter(next) // EQ-5D, and 5 g
		return alone && !strings.ContainsRune("ghlmGHLM", c)
	case c == '.':
		return digitsOnly && unicode.IsDigit(next)
	case c == ',': // "1,000", and not "1,5"
		thousand := func(k int) bool { return i+k < len(r) && unicode.IsDigit(r[i+k]) }
		return digitsOnly && thousand(1) && thousand(2) && thousand(3) && !thousand(4)
	case c == '\'' || c == '’':
		return unicode.IsLetter(r[i-1]) && unicode.IsLetter(next)
	}
	return false
}

func superscript(c rune) bool {
	return strings.ContainsRune("⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉", c)
}

func isDash(c rune) bool { return strings.ContainsRune("-‐‑‒–—−", c) }

func isWord(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) }

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

// withoutAcronyms takes away an abbreviation in brackets that only repeats the words
// before it: "progression-free survival (PFS)".
func withoutAcronyms(s string) string {
	if !strings.ContainsAny(s, "([") {
		return s
	}
	ws := words(s)
	for i := len(ws) - 1; i > 0; i-- {
		w := ws[i]
		open := strings.LastIndexAny(s[:w.start], "([")
		if !isAcronym(w) || open < 0 || strings.TrimSpace(s[open+1:w.start]) != "" || initialled(ws[:i], w.text, true) == nil {
			continue
		}
		if end := strings.IndexAny(s[w.end:], ")]"); end >= 0 && strings.TrimSpace(s[w.end:w.end+end]) == "" {
			s = s[:open] + s[w.end+end+1:]
		}
	}
	return s
}

// alike are the differences of words that never matter, the published list: each row
// is spelt as its first. docs/outcomes.md has the same.
var alike = [][]string{
	{"%", "per cent", "percent"}, {"vs", "versus"}, {"≥", "greater than or equal to", "more than or equal to", "at least"}, {"≤",
		"less than or equal to"},
	{"1", "one"}, {"2", "two"}, {"3", "three"}, {"4", "four"}, {"5", "five"}, {"6", "six"}, {"7", "seven"}, {"8", "eight"}, {"9",
		"nine"}, {"10", "ten"}, {"11", "eleven"}, {"12", "twelve"},
	{"tumor", "tumour"}, {"tumors", "tumours"}, {"behavior", "behaviour"}, {"behavioral", "behavioural"}, {"labor", "labour"},
	{"color", "colour"}, {"center", "centre"}, {"centers", "centres"},
	{"liter", "litre"}, {"liters", "litres"}, {"meter", "metre"}, {"meters", "metres"}, {"fiber", "fibre"}, {"titer", "titre"},
	{"titers", "titres"}, {"program", "programme"}, {"programs", "programmes"},
	{"analyze", "analyse"}, {"analyzed", "analysed"}, {"dialyzed", "dialysed"}, {"labeled", "labelled"}, {"modeling", "modelling"},
}

// phrases are the rows of alike by their first word, the longest first.
var phrases = func() map[string][][]string {
	m := map[string][][]string{}
	for _, row := range alike {
		for _, p := range row[1:] {
			f := strings.Fields(p)
			m[f[0]] = append(m[f[0]], append([]string{row[0]}, f...))
		}
	}
	for _, list := range m {
		slices.SortFunc(list, func(a, b []string) int { return len(b) - len(a) })
	}
	return m
}()

// one brings marks to the spelling of the published list.
func one(list []mark) []mark {
	var out []mark
next:
	for i := 0; i < len(list); {
		m := list[i]
		for _, p := range phrases[m.text] {
			if i+len(p)-1 <= len(list) && slices.EqualFunc(list[i:i+len(p)-1], p[1:], func(m mark, s string) bool { return m.text == s }) {
				last := i + len(p) - 2
				if last > i {
					m.said += " … " + list[last].said
				}
				m.text = p[0]
				out = append(out, m)
				i += len(p) - 1
				continue next
			}
		}
		m.text = american(m.text)
		if m.lower && (m.text == "the" || m.text == "a" || m.text == "an") || m.text == "the" {
			i++
			if i < len(list) {
				list[i].tight = list[i].tight && m.tight
			}
			continue
		}
		out = append(out, m)
		i++
	}
	return out
}

// american writes ae and oe as e, and -is- as -iz-, in words long enough to be of the
// kind: haemoglobin, oedema, randomisation.
func american(w string) string {
	if len(w) < 6 {
		return w
	}
	w = strings.NewReplacer("ae", "e", "oe", "e").Replace(w)
	for _, e := range []string{"isation", "isations", "ised", "ising"} {
		if head, ok := strings.CutSuffix(w, e); ok && len(head) >= 4 {
			return head + "iz" + e[2:]
		}
	}
	return w
}
