package study

import (
	"html"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/trialproof/trialproof/trial"
)

// A privacy keeps natural persons out of facts: the people whom a document names,
// and whatever looks like an e-mail address or a telephone number. It errs on the
// side of withholding, and does not know people whom the document does not name as
// an official, contact or investigator.
type privacy struct {
	whole    map[string][][]string      // the words of each name, which stand together, by the first two
	ends     map[string]map[string]bool // the two words of a person's name that stand near each other, in either order
	initials map[string]map[string]bool // by last names, the initials of first names
	runes    []string                   // names in scripts that set no spaces
}

func newPrivacy(people []string) *privacy {
	p := &privacy{whole: map[string][][]string{}, ends: map[string]map[string]bool{}, initials: map[string]map[string]bool{}}
	for _, name := range people {
		if strings.HasPrefix(name, "[") { // [Redacted]
			continue
		}
		before, behind, comma := strings.Cut(parentheses.ReplaceAllString(clean(name), " "), ",")
		if unspaced(before) {
			p.runes = append(p.runes, strings.Join(strings.Fields(before), ""))
			continue
		}
		first, second := nameWords(before), nameWords(behind)
		switch {
		case len(first) == 0:
			continue
		case len(first) == 1 && comma && len(second) > 0: // "Doe, Jane"
			p.near(second[0], first[0])
		case len(first) == 1 && (utf8.RuneCountInString(first[0]) < 3 || generic[first[0]]):
			continue // initials, or "Sponsor", which stand everywhere
		default: // "Jane M. Doe, MD"
			p.whole[two(first)] = append(p.whole[two(first)], first)
			if !organisation.MatchString(before) {
				for len(first) > 2 && generic[first[len(first)-1]] { // "Jane Doe Director"
					first = first[:len(first)-1]
				}
				p.near(first[0], first[len(first)-1])
			}
		}
	}
	return p
}

// two is what names are found by.
func two(words []string) string { return strings.Join(words[:min(2, len(words))], " ") }

// near adds the first and the last word of a name, but for those of offices and desks.
func (p *privacy) near(first, last string) {
	if first == last || generic[first] || generic[last] {
		return
	}
	add := func(m map[string]map[string]bool, a, b string) {
		if m[a] == nil {
			m[a] = map[string]bool{}
		}
		m[a][b] = true
	}
	add(p.ends, first, last)
	r, _ := utf8.DecodeRuneInString(first)
	add(p.initials, last, string(r))
}

// names reports whether a clean text has one of the people in it.
func (p *privacy) names(c string) bool {
	all := letterWords(c)
	var ws []string // without initials
	for i, w := range all {
		if utf8.RuneCountInString(w) > 1 {
			ws = append(ws, w)
			continue
		}
		for _, near := range all[max(0, i-1):min(len(all), i+3)] { // "J. Doe", "J. M. Doe", "Doe J"
			if p.initials[near][w] {
				return true
			}
		}
	}
	for i, w := range ws {
		for _, key := range []string{w, two(ws[i:])} {
			for _, name := range p.whole[key] {
				if i+len(name) <= len(ws) && slices.Equal(ws[i:i+len(name)], name) {
					return true
				}
			}
		}
		near := ws[max(0, i-2):min(len(ws), i+3)] // with a middle name between
		if other := p.ends[w]; other != nil && slices.ContainsFunc(near, func(x string) bool { return other[x] }) {
			return true
		}
	}
	if len(p.runes) > 0 {
		joined := strings.Join(strings.Fields(c), "")
		return slices.ContainsFunc(p.runes, func(name string) bool { return strings.Contains(joined, name) })
	}
	return false
}

var parentheses = regexp.MustCompile(`\([^)]*\)`)

// unspaced reports whether a name is of two letters or more in a script that sets no
// spaces between words.
func unspaced(name string) bool {
	n := 0
	for _, r := range name {
		if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai) {
			n++
		}
	}
	return n >= 2
}

// text returns a text in the form of facts: Withheld and false if it names a
// person, or holds an address or a telephone number.
func (p *privacy) text(s string) (string, bool) {
	c := clean(s)
	if email.MatchString(c) || isLabelled(c) || slices.ContainsFunc(digits.FindAllString(c, -1), isPhone) || p.names(c) {
		return Withheld, false
	}
	return fit(s), true
}

// number is text for numbers of trials, many of which look like telephone numbers:
// only what is written as one is withheld.
func (p *privacy) number(s string) (string, bool) {
	c := clean(s)
	if email.MatchString(c) || isLabelled(c) || dialled.MatchString(c) || p.names(c) {
		return Withheld, false
	}
	return fit(s), true
}

// word returns a coded value in the form of facts, empty and false if it is the
// text of a person or an address.
func (p *privacy) word(coded string) (string, bool) {
	if _, ok := p.text(strings.ReplaceAll(coded, "-", " ")); !ok {
		return "", false
	}
	if _, ok := p.number(coded); !ok {
		return "", false
	}
	w := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return -1
	}, word(coded))
	w = strings.TrimLeft(w, ".-")
	return w[:min(len(w), 80)], true
}

var (
	email    = regexp.MustCompile(`(?i)[^\s@<>()\[\]]+\s*(@|\(at\)|\[at\])\s*[^\s@<>()\[\]]+\.\pL{2,}`)
	labelled = regexp.MustCompile(`(?i)\b(t[ée]l|telef[oó]n|t[ée]l[ée]phone|phone|fax|mobile|mobil|cell|call|hotline|whatsapp)\b[^\d+(]{0,20}(\+?[\d(][\d().\s/-]{4,}\d)`)
	dialled  = regexp.MustCompile(`\+\s?\(?\d[\d().\s/-]{6,}\d|(^|\s)\(?0\d+\)?[\s][\d\s/-]{5,}\d`)
	digits   = regexp.MustCompile(`\+?\s?\(?\d[\d().\s/-]{6,}\d`)
	american = regexp.MustCompile(`^(1[-.\s])?\(?\d{3}\)?[-.\s/]{0,2}\d{3}[-.\s]\d{4}$`)
	person   = regexp.MustCompile(`(?i)(^(dr|prof)\.? |,? (md|m\.d\.?|phd|ph\.d\.?|mbbs|msc|rn|pharmd)\.?$)`)

	organisation = regexp.MustCompile(`(?i)\b(academ(y|ic)|agency|association|biosciences?|biotech\w*|cent(er|re|ro)|charit(y|ies|é|able)|clinic(al|s)?|college|company|consorti(um|a)|cooperative|corp(oration)?|council|department|foundation|gmbh|group|health(care)?|hospitals?|h[oô]pita(l|ux)|inc|institut(e|es|o|ion)?|klinik(um|en)?|laborator(y|ies|ios?)|limited|llc|ltd|medical|ministry|network|oncology|pharma(ceuticals?)?|research|s\.?a\.?|sciences?|society|therapeutics|trust|universi(ty|té|tät|dad|tat|ta|tair\w*))(\b|$)`)
)

// isLabelled reports whether a text has a number that it calls one to be dialled.
func isLabelled(s string) bool {
	for _, m := range labelled.FindAllStringSubmatch(s, -1) {
		if len(strings.Join(groupsOf(m[len(m)-1]), "")) >= 7 {
			return true
		}
	}
	return false
}

func groupsOf(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// isPhone tells a telephone number from ranges, doses, years and the like.
func isPhone(s string) bool {
	s = strings.TrimSpace(s)
	groups := groupsOf(s)
	n, single, longest, round, years := 0, 0, 0, 0, 0
	rising := len(groups) >= 4 // as time points do
	for i, g := range groups {
		rising = rising && (i == 0 || len(g) > len(groups[i-1]) || len(g) == len(groups[i-1]) && g > groups[i-1])
		n += len(g)
		longest = max(longest, len(g))
		if len(g) == 1 {
			single++
		}
		if strings.HasSuffix(g, "00") {
			round++
		}
		if len(g) == 4 && (g[:2] == "19" || g[:2] == "20") {
			years++
		}
	}
	international := strings.HasPrefix(s, "+") || strings.HasPrefix(s, "00") && len(groups) > 1
	switch {
	case international:
		return n >= 8 && n <= 18
	case n > 15 || len(groups) > 7 || round >= len(groups)-1 && len(groups) > 1 || years == len(groups) || rising:
		return false
	case american.MatchString(s):
		return true
	case strings.HasPrefix(strings.TrimPrefix(s, "("), "0"):
		lead := groups[0]
		return n >= 10 && (longest >= 5 && len(lead) >= 2 || longest >= 3 && single <= 1 && len(groups) >= 3 || longest == 2 && len(lead) == 2 && len(groups) >= 4)
	case len(groups) == 1:
		return n >= 10 && n <= 13 && !strings.HasSuffix(s, "0000")
	}
	if _, err := trial.ParseIdentifier(s); err == nil {
		return false
	}
	return n >= 9 && len(groups) >= 3 && len(groups) <= 6 && single == 0 && longest >= 4 // thousands are in groups of three
}

// clean is a text as people read it: character references resolved, compatibility
// characters as what they stand for, hidden ones dropped, digits of any script and
// dashes of any width as ASCII has them.
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

// digitOf returns the value of a decimal digit. Each script has its ten in a row.
func digitOf(r rune) rune {
	n := rune(0)
	for n < 9 && unicode.IsDigit(r-n-1) {
		n++
	}
	return n % 10
}

// letterWords returns the words of a clean text in lower case, without accents.
func letterWords(s string) []string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r), r == '\'', r == '’', r == '‘', r == '`', r == '´':
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(unaccented.Replace(possessive.ReplaceAllString(s, ""))))
	return strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) })
}

var possessive = regexp.MustCompile(`['’]s\b`)

var unaccented = strings.NewReplacer("ß", "ss", "ø", "o", "Ø", "O", "ł", "l", "Ł", "L", "æ", "ae", "Æ", "AE", "œ", "oe", "đ", "d", "Đ", "D", "ı", "i", "þ", "th", "ð", "d")

// nameWords returns the words of a name without titles, degrees and initials.
func nameWords(s string) []string {
	return slices.DeleteFunc(letterWords(s), func(w string) bool { return utf8.RuneCountInString(w) < 2 || titles[w] })
}

func setOf(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

var titles = setOf(`dr prof professor mr mrs ms miss sir dame md phd dphil mbbs mbchb mbbch mph msc bsc mba rn bsn msn dnp pharmd
	dds dmd med habil priv doz univ dott assoc associate assistant asst frcp frcpc facs facc faan jr sr ii iii iv rer nat hon`)

// generic are words of the names of desks and offices, which are nobody's.
var generic = setOf(`administrator affairs call care center centers centre chair clinical clinic contact coordinator coordinators data department
	desk development director disclosure external for general head help hospital hotline information institute international lead leader line
	manager management medical monitor of office officer operations physician program project public recruitment registry regulatory
	relations research responsible science sciences scientific service services site sponsor study support team the transparency trial trials
	university use vice president`)

// isPerson reports whether a sponsor is a natural person: the register says so, or
// the name is written as a person's is.
func (o Organisation) isPerson() bool { return o.Class == "indiv" || person.MatchString(o.Name) }

// persons returns the people that the document names but for those who are its
// sponsor or a collaborator, and an organisation: some list themselves as the
// official, "Example Pharma" for "Example Pharma, Inc.".
func (s *Study) persons() []string {
	organisations := append([]Organisation{s.Sponsor}, s.Collaborators...)
	return slices.DeleteFunc(slices.Clone(s.People), func(name string) bool {
		return slices.ContainsFunc(organisations, func(o Organisation) bool { return o.isNamed(name) })
	})
}

// isNamed reports whether a name is certainly the organisation's and no person's.
func (o Organisation) isNamed(name string) bool {
	x, y := letterWords(clean(o.Name)), letterWords(clean(name))
	if len(x) == 0 || len(y) == 0 || !o.isOrganisation() {
		return false
	}
	if o.registered() { // one begins with the other
		n := min(len(x), len(y))
		return slices.Equal(x[:n], y[:n])
	}
	return slices.Equal(x, y)
}

// registered reports whether the register puts an organisation in a class that no
// person is in.
func (o Organisation) registered() bool {
	return slices.Contains([]string{"fed", "industry", "network", "nih", "other-gov"}, o.Class)
}

// isOrganisation reports whether it is certain that a sponsor is one: by its class,
// or by its name.
func (o Organisation) isOrganisation() bool {
	return !o.isPerson() && (o.registered() || organisation.MatchString(o.Name))
}

// fit makes a text one that an entry takes: what may not stand there is left out,
// and after 200 characters it is cut.
func fit(s string) string {
	s = strings.NewReplacer("@", "(at)", "\uFE6B", "(at)", "\uFF20", "(at)").Replace(s)
	s = strings.Map(func(r rune) rune {
		if r != ' ' && trial.CheckText("x"+string(r)+"x", 3) != nil {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = text(s)
	if utf8.RuneCountInString(s) > maxText {
		r := []rune(s)
		s = strings.TrimRight(string(r[:maxText-1]), " ") + "…"
	}
	return s
}
