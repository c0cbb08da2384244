package outcome

import (
	"html"
	"regexp"
	"slices"
	"strings"
)

// Unescape returns a text without what its transport added: HTML entities, HTML tags that only
// format a text, and the backslashes of Markdown.
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

// tags has the tags that only format a text, and what replaces them.
var tags = map[string]string{
	"sub": "", "sup": "", "b": "", "i": "", "em": "", "strong": "", "u": "", "span": "", "font": "",
	"p": " ", "br": " ", "div": " ", "li": " ", "ul": " ", "ol": " ", "td": " ", "tr": " ",
}

// tagForm is a tag as HTML has it: a name and attributes with values.
var tagForm = regexp.MustCompile(`</?([A-Za-z]+)(?:\s+[A-Za-z-]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>=]+))*\s*/?>`)

// withoutTags removes the tags from a text: those with a known name that are opened and closed,
// and <br>. "<5 mg", "A<b and b>c" and "A<b>c" have no tags.
func withoutTags(s string) string {
	found := tagForm.FindAllStringSubmatchIndex(s, -1)
	name := func(m []int) string { return strings.ToLower(s[m[2]:m[3]]) }
	closing := func(m []int) bool { return s[m[0]+1] == '/' }
	real := make([]bool, len(found))
	open := map[string][]int{}
	for i, m := range found {
		n := name(m)
		if _, ok := tags[n]; !ok {
			continue
		}
		switch last := len(open[n]) - 1; {
		case n == "br":
			real[i] = true
		case !closing(m):
			open[n] = append(open[n], i)
		case last >= 0:
			real[i], real[open[n][last]] = true, true
			open[n] = open[n][:last]
		}
	}
	var b strings.Builder
	at := 0
	for i, m := range found {
		if !real[i] {
			continue
		}
		b.WriteString(s[at:m[0]])
		n := name(m)
		instead := tags[n]
		if n == "sup" || n == "sub" { // 10<sup>9</sup> is not 109
			switch {
			case closing(m) && m[1] < len(s) && isDigit(s[m[1]]):
				instead = " "
			case !closing(m) && n == "sup" && m[0] > 0 && (isDigit(s[m[0]-1]) || s[m[0]-1] == ')'):
				instead = "^"
			case !closing(m) && m[0] > 0 && isDigit(s[m[0]-1]):
				instead = "_"
			}
		}
		b.WriteString(instead)
		at = m[1]
	}
	return b.String() + s[at:]
}

// withoutAcronyms removes an abbreviation in brackets that only repeats the words before it:
// "progression-free survival (PFS)".
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

// alike is the published list of differences in words that never matter: each row has the normal
// form of its first entry. docs/outcomes.md has the same list.
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

// phrases has the entries of alike by their first word, the longest first.
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

// one brings marks to the normal form of the published list.
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
		if isArticle(list, i) {
			i++
			list[i].tight, list[i].apart = false, list[i].apart || m.apart
			continue
		}
		out = append(out, m)
		i++
	}
	return out
}

// isArticle reports whether a mark is the article "the", "a" or "an" before a word. A lower-case a
// is an article only after a word that can come before one: "vitamin a" and "lipoprotein(a)" are
// not "vitamin" and "lipoprotein".
func isArticle(list []mark, i int) bool {
	m := list[i]
	if !m.spaced || i+1 >= len(list) || list[i+1].apart || list[i+1].tight ||
		!isWord([]rune(list[i+1].text)[0]) || notAfter[list[i+1].text] {
		return false
	}
	if m.said == "the" || m.said == "The" {
		return true
	}
	return (m.said == "a" || m.said == "an") && i > 0 && !m.apart && beforeArticle[list[i-1].text]
}

var beforeArticle = setOf("of with without in at by for from to on as after before during within between over per is was had have " +
	"having has who achieve achieved achieving receive received receiving show showed showing using")

var notAfter = setOf("and or to vs versus of in with without at by for from on as is was positive negative virus")

func setOf(list string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(list) {
		m[w] = true
	}
	return m
}

// american writes ae and oe as e, and -is- as -iz-, in words that are long enough: haemoglobin,
// oedema, randomisation.
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
