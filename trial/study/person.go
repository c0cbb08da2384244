package study

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A personName is a name in the form in which texts are searched for it.
type personName struct {
	words    []string // keys, without titles, particles and initials
	lower    []string // the same without accents alone
	last     []string // keys of last names, of which a name with a hyphen has several
	alone    []string // keys that are the person where they stand alone
	initials string   // of first names
}

// readName reads the name of a person. The result has no words if the name is not a person's.
// whole has the words of a desk or an organisation, which texts are searched for as a whole.
func readName(name string, organisations map[string]bool) (p personName, whole []string) {
	first, second, comma := strings.Cut(parentheses.ReplaceAllString(clean(name), " "), ",")
	ws := nameParts(first)
	all := ws
	// Words of offices before and behind a name are taken off: "Jane Doe Study Director".
	start := slices.IndexFunc(ws, func(w namePart) bool { return !generic[w.lower] })
	if start < 0 { // a desk
		for _, w := range all {
			whole = append(whole, w.key)
		}
		if len(whole) < 2 {
			whole = nil
		}
		return p, whole
	}
	ws = ws[start:]
	end := slices.IndexFunc(ws, func(w namePart) bool { return generic[w.lower] })
	office := start > 0 || end >= 0
	if end >= 0 {
		ws = ws[:end]
	}
	if office || organisation.MatchString(first) {
		for _, w := range all {
			whole = append(whole, w.key)
		}
		if len(whole) < 2 {
			whole = nil
		}
	}
	rest := make([]string, 0, len(ws))
	for _, w := range ws {
		rest = append(rest, w.lower)
	}
	if organisation.MatchString(strings.Join(rest, " ")) || end < 0 && organisation.MatchString(first) ||
		office && slices.ContainsFunc(ws, func(w namePart) bool { return organisations[w.key] }) {
		return p, whole
	}
	given := ws
	n := len(ws)
	for n > 1 && ws[n-1].letters == 1 { // "Doe J"
		n--
	}
	surnames := ws[max(0, n-1):n]
	if comma && !organisation.MatchString(second) { // "Doe, Jane"; behind other commas are degrees
		behind := slices.DeleteFunc(nameParts(second), func(w namePart) bool {
			return generic[w.lower] || w.upper && len(w.key) > 1 && len(w.key) <= 5
		})
		if len(behind) > 0 && len(behind) <= 3 && len(ws) <= 2 && !degrees.MatchString(second) {
			surnames, given = ws, append(slices.Clone(behind), ws...)
			ws = append(slices.Clone(ws), behind...)
		}
	} else if len(ws) > 1 && ws[0].upper && !ws[len(ws)-1].upper && ws[0].letters > 2 { // "DOE Jane"
		surnames = []namePart{ws[0], ws[len(ws)-1]}
	}
	for _, w := range ws {
		if w.letters > 1 && !slices.Contains(p.words, w.key) {
			p.words, p.lower = append(p.words, w.key), append(p.lower, w.lower)
		}
	}
	if len(p.words) == 0 || len(p.words) == 1 && (utf8.RuneCountInString(p.words[0]) < 2 || beginsOne(p.words[0], organisations)) {
		return personName{}, whole
	}
	for i := len(ws) - 2; i >= 0 && ws[i].hyphen && ws[i+1].key == surnames[len(surnames)-1].key; i-- {
		surnames = append(slices.Clone(surnames), ws[i])
	}
	for _, w := range surnames {
		if w.letters < 2 {
			continue
		}
		p.last = append(p.last, w.key)
		if w.letters >= 4 && !common[w.lower] {
			p.alone = append(p.alone, w.key)
		}
		if w.particle != "" && w.letters >= 3 {
			p.alone = append(p.alone, keyOf(w.particle+w.key))
		}
		for _, article := range []string{"al", "el", "abdel", "abdul"} { // "Alhassan"
			if rest, ok := strings.CutPrefix(w.key, article); ok && utf8.RuneCountInString(rest) >= 5 && !commonKeys[rest] {
				p.alone = append(p.alone, rest)
			}
		}
	}
	if len(ws) == 1 && ws[0].letters >= 3 && !common[ws[0].lower] {
		p.alone = append(p.alone, ws[0].key)
	}
	for _, w := range given {
		if !slices.Contains(p.last, w.key) {
			r, _ := utf8.DecodeRuneInString(w.key)
			p.initials += string(r)
		}
	}
	return p, whole
}

// beginsOne reports whether a word is the name of an organisation, or its beginning: "Moderna"
// of "ModernaTX".
func beginsOne(word string, organisations map[string]bool) bool {
	for o := range organisations {
		if o == word || len(word) > 4 && strings.HasPrefix(o, word) {
			return true
		}
	}
	return false
}

// redacted matches what registers write in place of a name.
var redacted = regexp.MustCompile(`(?i)^\[(redacted|withheld|removed|deleted|confidential|not (available|applicable|provided))\]$`)

var parentheses = regexp.MustCompile(`\([^)]*\)`)

// A namePart is a word of a name that is not a title or a particle, or is an initial.
type namePart struct {
	token
	particle string // that stands before it
	hyphen   bool   // a hyphen ties it to the next
}

// nameParts returns the words of a name.
func nameParts(s string) (list []namePart) {
	s = possessive.ReplaceAllString(s, "")
	particle := ""
	for field := range strings.FieldsSeq(degree.ReplaceAllString(s, " ")) {
		ws := rawWords(field)
		for i, w := range ws {
			t := newToken(w)
			switch {
			case titles[t.lower]:
			case particles[t.lower]:
				particle += t.lower
			default:
				list = append(list, namePart{t, particle, i+1 < len(ws) && strings.ContainsRune(field, '-')})
				particle = ""
			}
		}
	}
	if len(list) == 0 && particle != "" { // "Le", "Ben" alone
		list = append(list, namePart{token: newToken(particle)})
	}
	return list
}

var (
	degree = regexp.MustCompile(`(?i)(^|[\s,.])(m\.\s?d|ph\.?\s?d|m\.\s?sc|b\.\s?sc|m\.?\s?phil|d\.\s?phil|m\.\s?s|b\.\s?s|` +
		`m\.\s?p\.\s?h|d\.\s?o|f\.\s?r\.\s?c\.\s?[ps]|m\.\s?b\.\s?b\.\s?s|dr\.? med|prof\.? dr)\b\.?`)
	degrees = regexp.MustCompile(`(?i)^[\s,]*(dr|prof(essor)?|md|m\.d|phd|ph\.? ?d|msc|m\.?s|mph|m\.?phil|mbbs|mbchb|bsc|rn|` +
		`pharm\.?d|dphil|dds|do|d\.o|frcp\w*|facs|mres|doctor|mme|mr|mrs|ms)\b`)
)

// unspaced reports whether a name has two letters or more in a script without spaces between
// words.
func unspaced(name string) bool {
	n := 0
	for _, r := range name {
		if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai) {
			n++
		}
	}
	return n >= 2
}

// What looks like a person whom the document does not list: a name after a title or a role, or
// a name before a degree.
var (
	titled = gate(`(?:^|[^\pL\d])(?:(?:Dr|Prof|Professor|PROFESSOR|Mr|Mrs|Herr|Frau|Mme)(?:\.\s*|\s+)|(?:DR|PROF|Ms|`+
		`Dott|Dra|dr|prof)\.\s*)(?:\s*(?:Dr|Prof|med|rer|nat|habil)\.)*\s*((?:\p{Lu}\.?[\s-]+|`+
		`\p{Lu}\.)*\p{Lu}[\pL\pM'’]+(?:[-\s]+(?:(?:van|von|de|del|der|den|di|da|bin|al|`+
		`el)\s+)*(?:\p{Lu}\.\s*)*\p{Lu}[\pL\pM'’]+){0,3})`,
		holdsOne("Dr", "Prof", "PROF", "Mr", "Herr", "Frau", "Mme", "DR", "Ms", "Dott", "Dra", "dr.", "prof."))
	behind = gate(`(\p{Lu}[\pL\pM'’-]+(?:\s+\p{Lu}\.?)*(?:\s+(?:van|von|de|del|der|den|di|da|bin|al|`+
		`el))*\s+\p{Lu}[\pL\pM'’-]+)(?:,\s*(?:MD|M\.D|MBBS|DO)|,?\s+(?:PhD|Ph\.\s?D|PharmD|DPhil))(?:[^\pL]|$)`,
		holdsOne("MD", "M.D", "MBBS", "DO", "PhD", "Ph.", "PharmD", "DPhil"))
	inRole = gate(`(?i:\b(?:PI|P\.I\.|(?:principal|chief|lead|coordinating)\s+investigator|contact(?:\s+person)?|`+
		`study\s+(?:chair|coordinator)))\s*[:=]\s*((?:\p{Lu}\.?[\s-]+|`+
		`\p{Lu}\.)*\p{Lu}[\pL\pM'’-]*\p{Ll}[\pL\pM'’-]*(?:\s+\p{Lu}[\pL\pM'’-]+){0,3})`, holdsOne(":", "="))
	authorOf  = regexp.MustCompile(`^((?:\pL[\pL\pM'’-]*\s+){0,3}?\p{Lu}[\pL\pM'’-]+)\s+(\p{Lu}{1,3})$`)
	isAPerson = regexp.MustCompile(`(?i)(^(dr|prof|professor)\.? |,? (md|m\.d\.?|phd|ph\.d\.?|mbbs|msc|rn|pharmd|mph)\.?$)`)
)

// looksPersonal reports whether a clean text has something that looks like a person's name.
func looksPersonal(c string) bool {
	return titled.MatchString(c) || behind.MatchString(c) || inRole.MatchString(c)
}
