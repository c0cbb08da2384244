package study

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/trialproof/trialproof/trial"
)

// A privacy keeps natural persons out of facts: the people whom a document names, in any
// spelling, everybody who is written as a person is, and addresses and telephone numbers. In
// doubt it withholds. It cannot find a person whom the document names nowhere else and a text
// names without title, role or degree.
type privacy struct {
	people   []personName
	whole    map[string][][]string      // the words of desks and organisations, which stand together, by the first
	alone    map[string]bool            // names that are somebody's where they stand alone
	single   map[string]bool            // of these, those of one word
	authors  map[string]bool            // of cited works: not where they name a scale or disease
	pairs    map[string]map[string]bool // two words of one name, in either order
	lower    map[string][]string        // the ways in which people write what a key is of
	initials map[string]string          // by last names, the initials of first names
	glued    map[string]bool            // names run together
	long     map[string][]string        // of these, those that are looked for within words, by how they begin
	runes    []string                   // names in scripts that set no spaces
	own      []string                   // of organisations that are the sponsor or collaborate
	cited    bool                       // names are being added as those of authors
	work     int                        // steps taken: after maxSteps all is withheld
}

const (
	maxSteps = 50_000_000  // far above those of any register's record
	maxRead  = 2 * maxText // how many characters of a text are read: maxText of them are published
	begun    = 8           // letters of the shortest name that is looked for within words
)

func newPrivacy(people []string) *privacy {
	p := &privacy{
		whole: map[string][][]string{}, alone: map[string]bool{}, authors: map[string]bool{}, single: map[string]bool{},
		pairs: map[string]map[string]bool{}, initials: map[string]string{}, lower: map[string][]string{}, glued: map[string]bool{},
		long: map[string][]string{},
	}
	p.add(people, nil)
	return p
}

// add adds people. organisations are the words in the names of the sponsor and of
// collaborators, after which desks are named.
func (p *privacy) add(people []string, organisations map[string]bool) {
	for _, name := range people {
		if redacted.MatchString(name) {
			continue
		}
		if before, _, _ := strings.Cut(parentheses.ReplaceAllString(clean(name), " "), ","); unspaced(before) {
			p.runes = append(p.runes, strings.Join(strings.Fields(before), ""))
			continue
		}
		n, whole := readName(name, organisations)
		if len(whole) > 0 {
			p.whole[whole[0]] = append(p.whole[whole[0]], whole)
		}
		if len(n.words) > 0 {
			p.person(n)
		}
	}
}

// person adds the forms of a name.
func (p *privacy) person(n personName) {
	p.people = append(p.people, n)
	alone := p.alone
	if p.cited {
		alone = p.authors
	}
	for _, w := range n.alone {
		alone[w] = true
		if len(n.words) == 1 {
			p.single[w] = true
		}
	}
	for i, a := range n.words {
		if !slices.Contains(p.lower[a], n.lower[i]) {
			p.lower[a] = append(p.lower[a], n.lower[i])
		}
		for _, b := range n.words[i+1:] {
			for _, x := range [][2]string{{a, b}, {b, a}} {
				if p.pairs[x[0]] == nil {
					p.pairs[x[0]] = map[string]bool{}
				}
				p.pairs[x[0]][x[1]] = true
			}
		}
	}
	for _, last := range n.last {
		p.initials[last] += n.initials
		for _, w := range n.words {
			if w == last {
				continue
			}
			for _, g := range []string{keyOf(w + last), keyOf(last + w)} {
				if utf8.RuneCountInString(g) >= 5 {
					p.glued[g] = true
				}
				if len(g) >= begun {
					p.long[g[:begun]] = append(p.long[g[:begun]], g)
				}
			}
		}
		if utf8.RuneCountInString(last) < 3 || commonKeys[last] && len(n.initials) == 0 {
			continue
		}
		for _, i := range n.initials {
			p.glued[keyOf(string(i)+last)] = true
			if !commonKeys[last] {
				p.glued[keyOf(last+string(i))] = true
			}
		}
	}
}

// names reports whether a clean text names one of the people.
func (p *privacy) names(c string) bool {
	if p.work > maxSteps {
		return true
	}
	if len(p.runes) > 0 {
		joined := strings.Join(strings.Fields(c), "")
		if slices.ContainsFunc(p.runes, func(name string) bool { return strings.Contains(joined, name) }) {
			return true
		}
	}
	if len(p.people) == 0 && len(p.whole) == 0 {
		return false
	}
	whole, parted := tokens(c)
	return p.among(whole) || len(parted) > len(whole) && p.among(parted)
}

// among reports whether the words of a text name one of the people.
func (p *privacy) among(ts []token) bool {
	if p.besideInitial(ts) || p.spelt(ts) {
		return true
	}
	var ws []token // without initials, titles and particles
	titled := map[int]bool{}
	for i, t := range ts {
		if t.letters < 2 || particles[t.lower] || titles[t.lower] && !common[t.lower] || before[t.lower] {
			continue
		}
		titled[len(ws)] = i > 0 && t.capital && before[ts[i-1].lower]
		ws = append(ws, t)
	}
	in := map[string][]int{}
	for i, t := range ws {
		in[t.key] = append(in[t.key], i)
	}
	for i, t := range ws {
		switch {
		case p.alone[t.key] && !namesake(ws, i), p.glued[t.key], p.within(t.key):
			return true
		case p.authors[t.key] && !eponym(ws[i+1:]):
			return true
		case titled[i] && p.isLast(t.key):
			return true
		}
		for n := 2; n <= 3 && i+n <= len(ws); n++ { // a name that is parted: "O Brien", "Muster mann"
			joined := ""
			for _, x := range ws[i : i+n] {
				joined += x.key
			}
			if p.alone[keyOf(joined)] {
				return true
			}
		}
		for other := range p.pairs[t.key] {
			p.work++
			for _, j := range in[other] {
				if p.together(ws, i, j) {
					return true
				}
			}
		}
		if i+1 < len(ws) && p.misspelt(t, ws[i+1]) {
			return true
		}
	}
	keys := make([]string, 0, len(ts))
	for _, t := range ts {
		if t.letters > 1 && !titles[t.lower] {
			keys = append(keys, t.key)
		}
	}
	for i, k := range keys {
		for _, name := range p.whole[k] {
			if i+len(name) <= len(keys) && slices.Equal(keys[i:i+len(name)], name) {
				return true
			}
		}
	}
	return false
}

func (p *privacy) isLast(key string) bool { _, ok := p.initials[key]; return ok }

// together reports whether two words of one name mean that person in a text. Two that are also
// words of the language must be next to each other with capitals; if only one is, it must be
// near, or have a capital.
func (p *privacy) together(ws []token, i, j int) bool {
	a, b := ws[i], ws[j]
	apart := max(i-j, j-i)
	short := a.letters < 3 || b.letters < 3 || a.letters+b.letters < 7
	switch x, y := common[a.lower], common[b.lower]; {
	case x && y:
		from := min(i, j)
		by := from > 0 && (ws[from-1].lower == "by" || ws[from-1].lower == "with")
		return apart == 1 && (a.capital && b.capital || by) || apart == 2 && a.capital && b.capital && ws[from+1].capital
	case x || y:
		plain := a
		if y {
			plain = b
		}
		return apart <= 2 || plain.capital && !short
	}
	return apart <= 3 || !short
}

// misspelt reports whether two adjacent words are the name of a person except for one letter of
// one of them.
func (p *privacy) misspelt(a, b token) bool {
	if !a.capital || !b.capital {
		return false
	}
	for _, x := range [][2]token{{a, b}, {b, a}} {
		right, wrong := x[0], x[1]
		if wrong.letters < 4 || common[right.lower] && common[wrong.lower] {
			continue
		}
		for other := range p.pairs[right.key] {
			p.work++
			if utf8.RuneCountInString(other) >= 4 && (nearly(other, wrong.key) || p.written(other, wrong.lower, nearly)) {
				return true
			}
		}
	}
	return false
}

// within reports whether a word contains a whole name.
func (p *privacy) within(key string) bool {
	for i := 0; i+begun <= len(key); i++ {
		for _, name := range p.long[key[i:i+begun]] {
			p.work++
			if strings.HasPrefix(key[i:], name) {
				return true
			}
		}
	}
	return false
}

// besideInitial finds "J. Doe", "J. M. Doe", "Doe J", "Doe JM".
func (p *privacy) besideInitial(ts []token) bool {
	for i, t := range ts {
		initial := t.letters == 1 && t.upper || t.letters == 2 && t.upper
		if !initial || particles[t.lower] && !t.upper {
			continue
		}
		from, to := max(0, i-1), min(len(ts), i+3)
		if t.letters == 2 {
			to = min(len(ts), i+2)
		}
		for k, near := range ts[from:to] {
			first := p.initials[near.key]
			if from+k == i || first == "" || near.letters < 2 || !near.capital && common[near.lower] {
				continue
			}
			r, size := utf8.DecodeRuneInString(unaccentedLower(t.key))
			if strings.ContainsRune(first, r) && (t.letters == 1 || !common[near.lower] || strings.Contains(first, t.key[size:])) {
				return true
			}
		}
	}
	return false
}

// spelt finds names whose letters are separated: "J a n e D o e".
func (p *privacy) spelt(ts []token) bool {
	run := ""
	for i, t := range ts {
		if t.letters == 1 {
			run += t.key
		}
		if t.letters > 1 || i == len(ts)-1 {
			if k := keyOf(run); len(run) > 3 && (p.alone[k] || p.glued[k] || p.within(k)) {
				return true
			}
			run = ""
		}
	}
	return false
}

// namesake reports whether a word is the name of a scale, disease or method, and is used as
// such.
func namesake(ws []token, i int) bool {
	tied := i > 0 && eponyms[ws[i-1].lower] || i+1 < len(ws) && eponyms[ws[i+1].lower]
	return eponyms[ws[i].lower] && (tied || eponym(ws[i+1:]))
}

// eponym reports whether the words after a name make it the name of a scale, disease or method.
func eponym(next []token) bool {
	return slices.ContainsFunc(next[:min(5, len(next))], func(t token) bool { return namesakes[t.lower] })
}

var namesakes = setOf(`survival curve curves estimate estimates plot regression correction balance monitor monitoring palsy
	contracture lymphoma sarcoma ulcer paralysis stain staining lines line ratio scale scales score scores index indices test tests
	questionnaire inventory criteria criterion classification syndrome disease method equation formula grade grading staging stage
	instrument survey checklist schedule assessment assessments rating ratings profile model battery scan sign reflex procedure operation
	technique flap protocol diet questionnaires measure system form`)

// read returns a clean text as far as it is read, which is well beyond what is published of it.
func read(s string) string {
	n := 0
	for i := range s {
		if n++; n > maxRead {
			s = s[:i]
			break
		}
	}
	return clean(s)
}

// text returns a text in the form of facts. It returns Withheld and false if the text may name
// a person, or has an address or a telephone number.
func (p *privacy) text(s string) (string, bool) {
	c := read(s)
	if isAddress(c) || isLabelled(c) || hasPhone(c) ||
		p.names(c) || looksPersonal(p.disowned(c)) {
		return Withheld, false
	}
	return fit(s), true
}

// organisation does what text does, for the name of an organisation that is certainly not a
// person: "Hospital Dr. Jane Doe" is named after somebody. If the register says that it is a
// company or an authority, a last name alone is the organisation's own ("Doe Ltd.").
func (p *privacy) organisation(s string, registered bool) (string, bool) {
	c := read(s)
	if registered {
		q := *p
		q.alone, q.authors = p.single, nil
		p = &q
	}
	if isAddress(c) || isLabelled(c) || hasPhone(c) ||
		p.names(c) {
		return Withheld, false
	}
	return fit(s), true
}

// disowned returns a text without the names of the document's own organisations.
func (p *privacy) disowned(c string) string {
	for _, name := range p.own {
		c = strings.ReplaceAll(c, name, " ")
	}
	return c
}

// number does what text does, for numbers of trials, many of which look like telephone numbers:
// only those that are written as telephone numbers are withheld. A registry's number has no
// name in it; any other number may have one run together or misspelt.
func (p *privacy) number(s string) (string, bool) {
	if _, err := trial.ParseIdentifier(s); err == nil {
		return fit(s), true
	}
	c := read(s)
	if isAddress(c) || isLabelled(c) || dialled.MatchString(c) || p.names(c) || looksPersonal(c) || p.inNumber(c) {
		return Withheld, false
	}
	return fit(s), true
}

// written reports whether one of the spellings that people of the record have for a key is like
// a word. Two spellings of a key may differ in a doubled letter.
func (p *privacy) written(key, word string, like func(lower, word string) bool) bool {
	return slices.ContainsFunc(p.lower[key], func(lower string) bool { return like(lower, word) })
}

// inNumber reports whether a number contains a name, run together with digits and other
// letters, or misspelt by a letter.
func (p *privacy) inNumber(c string) bool {
	whole, parted := tokens(c)
	all := token{}
	for _, t := range whole {
		all.lower += t.lower
	}
	all.key = keyOf(all.lower)
	runs := append(slices.Clone(whole), all)
	within := func(lower, run string) bool { return holdsNearly(run, lower) }
	for _, n := range p.people {
		if p.work += 200 * len(c); p.work > maxSteps {
			return true
		}
		for _, last := range n.last {
			for _, t := range slices.Concat(parted, whole) {
				if t.key == last && t.letters >= 2 || len(last) >= 6 && (nearly(t.key, last) || p.written(last, t.lower, nearly)) {
					return true
				}
			}
			for _, run := range runs {
				if len(last) >= 5 && strings.Contains(run.key, last) {
					return true
				}
				if len(last) >= 7 && (holdsNearly(run.key, last) || p.written(last, run.lower, within)) {
					return true
				}
				for i, w := range n.words {
					if w == last || len(w)+len(last) < 7 {
						continue
					}
					both := func(lower, run string) bool {
						return holdsNearly(run, n.lower[i]+lower) || holdsNearly(run, lower+n.lower[i])
					}
					if holdsNearly(run.key, keyOf(w+last)) || holdsNearly(run.key, keyOf(last+w)) || p.written(last, run.lower, both) {
						return true
					}
				}
			}
		}
		for _, w := range n.words { // first names that are no other word
			if len(w) >= 6 && !commonKeys[w] && slices.ContainsFunc(runs, func(run token) bool { return strings.Contains(run.key, w) }) {
				return true
			}
		}
		if slices.ContainsFunc(parted, func(t token) bool { return slices.Contains(n.alone, t.key) }) {
			return true
		}
	}
	return false
}

// holdsNearly reports whether a run of letters contains a name, except for one letter.
func holdsNearly(run, name string) bool {
	r, n := []rune(run), len([]rune(name))
	if len(r)+1 < n {
		return false
	}
	for i := range r {
		for l := n - 1; l <= n+1 && i+l <= len(r); l++ {
			if nearly(string(r[i:i+l]), name) {
				return true
			}
		}
	}
	return false
}

// word returns a coded value in the form of facts. It returns "" and false if the value is the
// text of a person or an address.
func (p *privacy) word(coded string) (string, bool) {
	if _, ok := p.text(strings.ReplaceAll(coded, "-", " ")); !ok {
		return "", false
	}
	if isAddress(coded) || dialled.MatchString(coded) || p.names(coded) {
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

// fit makes a text one that an entry accepts: it leaves out characters that are not allowed,
// and cuts the text after 200 characters.
func fit(s string) string {
	s = atSigns.Replace(s)
	s = strings.Map(func(r rune) rune {
		if r != ' ' && !(r < utf8.RuneSelf && accepted[r]) && trial.CheckText("x"+string(r)+"x", 3) != nil {
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

var atSigns = strings.NewReplacer("@", "(at)", "\uFE6B", "(at)", "\uFF20", "(at)")

// accepted has the characters of ASCII that an entry accepts.
var accepted = func() (list [utf8.RuneSelf]bool) {
	for r := range list {
		list[r] = trial.CheckText("x"+string(rune(r))+"x", 3) == nil
	}
	return list
}()
