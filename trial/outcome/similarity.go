package outcome

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// The few parameters of the comparison. Each is a round number that stands for a
// reason; none is fitted to pairs.
const (
	containment = 0.75 // how much the better covered side says, against the other
	tailCount   = 0.2  // what a detail ("measured by ...") counts of its weight
	tailCover   = 0.8  // how well a detail of one side covers what is named by the other
	familyShare = 0.45 // what two terms of one family have in common
	contrast    = 0.5  // what is left of a match across a contrast
	spellingMin = 0.6  // from here on two words of similar letters are one, misspelt or inflected
	partShare   = 0.9  // what a match with one of several things measured counts
	letters     = 0.15 // what the plain comparison of letters says in the end
)

// A token is a term or word that tells what is measured.
type token struct {
	text   string // of a word its stem, of a term its name
	term   *term
	weight float64
	tail   bool
	part   int // of a list of things measured, which it stands in
}

// Similarity says, from 0 to 1, how likely it is that two texts word the same outcome. It is
// symmetric and ignores time frames, which TimeFrames compares. It is rounded to four places, so
// that every machine gives the same value.
func Similarity(a, b Outcome) float64 {
	if c := cmp.Or(strings.Compare(a.Measure, b.Measure), strings.Compare(a.Description, b.Description)); c > 0 {
		a, b = b, a
	}
	x, y := measure(a), measure(b)
	wx, wy := withoutTimes(x), withoutTimes(y)
	known := map[string][]word{}
	define(known, wx)
	define(known, wy)
	wx, wy = expand(wx, wy, known), expand(wy, wx, known)
	p, q := tokens(wx), tokens(wy)
	s := letters*gramCosine(join(wx), join(wy)) + (1-letters)*best(p, q)
	return math.Round(1e4*min(1, s)) / 1e4
}

// measure returns what a text says is measured. It uses the description only if there is no
// measure, and drops a time frame that follows the measure after a comma.
func measure(t Outcome) string {
	s := t.Measure
	if strings.TrimSpace(s) == "" {
		return t.Description
	}
	if cut := strings.LastIndex(s, " , "); cut > 0 && t.TimeFrame == "" && len(listings(s[cut:])) > 0 {
		if head := s[:cut]; strings.Trim(head, " ,.") != "" {
			return head
		}
	}
	return s
}

// withoutTimes returns the words of a text apart from its time points.
func withoutTimes(s string) []word {
	all := words(s)
	found := listings(s)
	kept := slices.DeleteFunc(slices.Clone(all), func(w word) bool {
		return slices.ContainsFunc(found, func(l listing) bool { return w.start >= l.start && w.end <= l.end })
	})
	if !slices.ContainsFunc(kept, func(w word) bool { return weigh(w.text) > weightNone }) {
		return all
	}
	return kept
}

func join(ws []word) string {
	var b strings.Builder
	for _, w := range ws {
		if weigh(w.text) > weightNone {
			b.WriteString(" " + stem(w.text))
		}
	}
	return b.String()
}

// best compares two outcomes as wholes, and each with the parts of the other: of a registered
// "operation time and blood loss" an article may report each separately.
func best(p, q []token) float64 {
	s := overlap(p, q)
	for _, part := range several(p) {
		s = max(s, partShare*overlap(part, q))
	}
	for _, part := range several(q) {
		s = max(s, partShare*overlap(p, part))
	}
	return s
}

// several returns the parts of an outcome that names more than one thing, each with a term of its
// own. A composite is one thing.
func several(ts []token) [][]token {
	var parts [][]token
	number := -1
	for _, t := range ts {
		if t.text == stem("composite") {
			return nil
		}
		if t.tail || t.term == nil || faint[t.term.name] || t.part == number {
			continue
		}
		number = t.part
		var part []token
		for _, u := range ts {
			if u.part == number && !u.tail {
				part = append(part, u)
			}
		}
		parts = append(parts, part)
	}
	if len(parts) < 2 {
		return nil
	}
	return parts
}

// overlap compares two outcomes by their tokens.
func overlap(p, q []token) float64 {
	x, y := covered(p, q), covered(q, p)
	s := containment*max(x, y) + (1-containment)*min(x, y)
	if apart(p, q) {
		s *= contrast
	}
	return s
}

// covered returns how much of p's weight q has.
func covered(p, q []token) float64 {
	var sum, held float64
	for _, t := range p {
		w := t.weight
		if t.tail {
			w *= tailCount
		}
		best := 0.0
		for _, u := range q {
			f := t.like(u)
			if u.tail && !t.tail {
				f *= tailCover
			}
			best = max(best, f)
		}
		sum += w
		held += float64(w * best)
	}
	if sum == 0 {
		return 0
	}
	return held / sum
}

// like returns how far two tokens are the same.
func (t token) like(u token) float64 {
	switch {
	case t.text == u.text:
		return 1
	case t.term != nil && u.term != nil:
		for _, f := range t.term.families {
			if slices.Contains(u.term.families, f) {
				return familyShare
			}
		}
		return 0
	case t.term != nil || u.term != nil || len(t.text) < 4 || len(u.text) < 4:
		return 0
	}
	if s := dice(t.text, u.text); s >= spellingMin {
		return s
	}
	return 0
}

// apart reports whether p and q are on different sides of a contrast, by what their heads name, or
// by everything they name if a head names nothing of it.
func apart(p, q []token) bool {
	for _, set := range contrasts {
		x, y := sides(p, set), sides(q, set)
		if len(x) == 0 || len(y) == 0 {
			continue
		}
		if !slices.ContainsFunc(x, func(s string) bool { return slices.Contains(y, s) }) {
			return true
		}
	}
	return false
}

func sides(ts []token, set []string) []string {
	var head []string
	for _, t := range ts {
		if t.tail {
			continue
		}
		if t.term == nil {
			if slices.Contains(set, t.text) {
				head = append(head, t.text)
			}
			continue
		}
		if slices.Contains(set, t.term.name) {
			head = append(head, t.term.name)
		}
		for _, f := range t.term.families {
			if slices.Contains(set, f) {
				head = append(head, f)
			}
		}
	}
	return head
}

// grams counts the groups of n letters of a text.
func grams(s string, n int) map[string]float64 {
	r := []rune(s)
	m := map[string]float64{}
	for i := 0; i+n <= len(r); i++ {
		m[string(r[i:i+n])]++
	}
	return m
}

// dice compares two words by their pairs of letters.
func dice(a, b string) float64 {
	x, y := grams(a, 2), grams(b, 2)
	var both float64
	for g, n := range x {
		both += min(n, y[g])
	}
	return 2 * both / float64(max(1, len([]rune(a))-1+len([]rune(b))-1))
}

// gramCosine compares two texts by the cosine of their groups of three letters.
func gramCosine(a, b string) float64 {
	x, y := grams(a+" ", 3), grams(b+" ", 3)
	var dot, xx, yy float64 // of whole numbers: the order does not matter
	for g, n := range x {
		dot += float64(n * y[g])
		xx += float64(n * n)
	}
	for _, n := range y {
		yy += float64(n * n)
	}
	if xx == 0 || yy == 0 {
		return 0
	}
	return dot / math.Sqrt(xx*yy)
}
