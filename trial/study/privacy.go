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
	whole map[string][][]string      // the words of each name, which stand together, by the first
	ends  map[string]map[string]bool // the two words of a person's name that stand near each other, in either order
}

func newPrivacy(people []string) *privacy {
	p := &privacy{map[string][][]string{}, map[string]map[string]bool{}}
	for _, name := range people {
		if strings.HasPrefix(name, "[") { // [Redacted]
			continue
		}
		before, behind, comma := strings.Cut(clean(name), ",")
		first, second := nameWords(before), nameWords(behind)
		switch {
		case len(first) == 0:
			continue
		case len(first) == 1 && comma && len(second) > 0: // "Doe, Jane"
			p.near(first[0], second[0])
		case len(first) == 1 && (utf8.RuneCountInString(first[0]) < 3 || generic[first[0]]):
			continue // initials, or "Sponsor", which stand everywhere
		default: // "Jane M. Doe, MD"
			p.whole[first[0]] = append(p.whole[first[0]], first)
			if !organisation.MatchString(before) {
				p.near(first[0], first[len(first)-1])
			}
		}
	}
	return p
}

// near adds the words of a name, but for those of offices and desks.
func (p *privacy) near(a, b string) {
	if a == b || generic[a] || generic[b] {
		return
	}
	if p.ends[a] == nil {
		p.ends[a] = map[string]bool{}
	}
	p.ends[a][b] = true
}

// names reports whether a text has one of the people in it.
func (p *privacy) names(s string) bool {
	ws := letterWords(clean(s))
	for i, w := range ws {
		for _, name := range p.whole[w] {
			if i+len(name) <= len(ws) && slices.Equal(ws[i:i+len(name)], name) {
				return true
			}
		}
		near := ws[max(0, i-2):min(len(ws), i+3)] // with a middle name between
		if other := p.ends[w]; other != nil && slices.ContainsFunc(near, func(x string) bool { return other[x] }) {
			return true
		}
	}
	return false
}

// text returns a text in the form of facts: Withheld and false if it names a
// person, or holds an address or a telephone number.
func (p *privacy) text(s string) (string, bool) {
	c := clean(s)
	if email.MatchString(c) || labelled.MatchString(c) || slices.ContainsFunc(digits.FindAllString(c, -1), isPhone) || p.names(s) {
		return Withheld, false
	}
	return fit(s), true
}

// number is text for numbers of trials, many of which look like telephone numbers:
// only what is written as one is withheld.
func (p *privacy) number(s string) (string, bool) {
	c := clean(s)
	if email.MatchString(c) || labelled.MatchString(c) || dialled.MatchString(c) || p.names(s) {
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
	labelled = regexp.MustCompile(`(?i)\b(tel|telephone|phone|fax|mobile|call)\b[^\pL\d]{0,4}\+?[\d(][\d().\s/-]{4,}\d`)
	dialled  = regexp.MustCompile(`\+\s?\(?\d[\d().\s/-]{6,}\d|(^|\s)\(?0\d+\)?[\s][\d\s/-]{5,}\d`)
	digits   = regexp.MustCompile(`\+?\s?\(?\d[\d().\s/-]{6,}\d`)
	american = regexp.MustCompile(`^(1[-.\s])?\(?\d{3}\)?[-.\s/]{0,2}\d{3}[-.\s]\d{4}$`)
	person   = regexp.MustCompile(`(?i)(^(dr|prof)\.? |,? (md|m\.d\.?|phd|ph\.d\.?|mbbs|msc|rn|pharmd)\.?$)`)

	organisation = regexp.MustCompile(`(?i)\b(academ|agency|association|bioscience|biotech|cent(er|re)\b|charit|clinic|college|company|consorti|cooperative|corp|council|department|foundation|gmbh|group|health|hospital|h[oô]pital|inc\b|institut|klinik|laborator|limited|llc|ltd|medical|ministry|network|oncology|pharma|research|s\.?a\.?\b|sciences|society|therapeutics|trust|universi)`)
)

// isPhone tells a telephone number from ranges, doses and the like.
func isPhone(s string) bool {
	s = strings.TrimSpace(s)
	n, groups, single, longest := 0, 0, 0, 0
	for _, g := range strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' }) {
		n += len(g)
		groups++
		if len(g) == 1 {
			single++
		}
		longest = max(longest, len(g))
	}
	switch {
	case n > 15 || groups > 7:
		return false
	case strings.HasPrefix(s, "+"):
		return n >= 8
	case american.MatchString(s):
		return true
	case strings.HasPrefix(strings.TrimPrefix(s, "("), "0"):
		return n >= 10 && longest >= 3 && single <= 1 && groups >= 3
	}
	if _, err := trial.ParseIdentifier(s); err == nil {
		return false
	}
	return n >= 9 && groups >= 3 && groups <= 6 && single == 0 && longest >= 4 // thousands are in groups of three
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

// isOrganisation reports whether it is certain that a sponsor is none: the register
// puts it in a class that no person is in, or its name says what it is.
func (o Organisation) isOrganisation() bool {
	return !o.isPerson() && (slices.Contains([]string{"fed", "industry", "network", "nih", "other-gov"}, o.Class) || organisation.MatchString(o.Name))
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
