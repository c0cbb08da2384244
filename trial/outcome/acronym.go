package outcome

import "strings"

// isAcronym reports whether a word is written as an acronym.
func isAcronym(w word) bool {
	return w.capitals >= 2 && len(w.text) >= 2 && len(w.text) <= 7 && !isNumber(w.text)
}

// define notes the acronyms that a text defines itself: "disease-free survival ( DFS )".
func define(known map[string][]word, ws []word) {
	for i, w := range ws {
		if !isAcronym(w) || !strings.ContainsAny(w.gap, "([") {
			continue
		}
		if long := initialled(ws[:i], w.text, true); long != nil {
			known[w.text] = long
		}
	}
}

// initialled returns the words whose initials spell an acronym, in order and one after another
// except for small words, or nil if there are none. If last is set, they must be at the end.
func initialled(ws []word, acronym string, last bool) []word {
	if len(acronym) < 2 {
		return nil
	}
	if one := strings.TrimSuffix(acronym, "s"); one != acronym {
		if long := initialled(ws, one, last); long != nil { // SAEs: serious adverse events
			return long
		}
	}
	for start := len(ws) - 1; start >= 0; start-- {
		n, i := 0, start
		for i < len(ws) && n < len(acronym) && !isAcronym(ws[i]) && i-start < 4*len(acronym) {
			if ws[i].text[0] == acronym[n] {
				n++
			} else if weigh(ws[i].text) > weightNone || n == 0 {
				break
			}
			i++
		}
		if n == len(acronym) && (!last || i == len(ws)) {
			return ws[start:i]
		}
	}
	return nil
}

// expand replaces acronyms by what they stand for: by what either text defines or else, for
// acronyms that are not terms, by the words of the other text that they abbreviate.
func expand(ws, other []word, known map[string][]word) []word {
	var list []word
	sought := map[string][]word{} // by acronym, what the other text has for it
	for i, w := range ws {
		if !isAcronym(w) {
			list = append(list, w)
			continue
		}
		long := known[w.text]
		if s, ok := spelt[stem(w.text)]; long == nil && (!ok || s.capitals && w.capitals < 2) {
			if _, done := sought[w.text]; !done {
				sought[w.text] = initialled(other, w.text, false)
			}
			long = sought[w.text]
		}
		if long == nil {
			list = append(list, w)
			continue
		}
		for k, l := range long {
			if k == 0 {
				l.gap = w.gap
			}
			// The place in this text orders nothing any more.
			l.start, l.end = ws[i].start, ws[i].end
			list = append(list, l)
		}
	}
	return list
}
