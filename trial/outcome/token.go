package outcome

import (
	"slices"
	"strings"
)

// tailOpeners begin a part that only details an outcome: how it is defined, with what and in whom it
// is measured.
var tailOpeners = openers(`defined as, defined by, measured by, measured with, measured using, measured as, measured on, as measured,
	measured at, assessed by, assessed with, assessed using, assessed as, as assessed, assessed according, according to, evaluated by,
	evaluated with, evaluated using, evaluated according, as evaluated, determined by, as determined, calculated as, calculated by,
	calculated from, based on, as per, using the, ie, i e, e g, for whom, in which, whichever, which comprised, which was,
	compared to, compared with, versus, vs,
	in patients, in subjects, in participants, among, in combination with, administered, in the intent, in the assessable, in the full,
	time from, measured in, expressed as, recorded by, reported by, as defined, as judged, graded by, graded according, following,
	during, after, before, prior to`)

// headOpeners begin what an outcome really is: the text before them is a detail.
var headOpeners = openers("in terms of, as reflected by, with respect to, with regard to")

func openers(list string) [][]string {
	var all [][]string
	for s := range strings.SplitSeq(list, ",") {
		all = append(all, strings.Fields(s))
	}
	return all
}

func opens(ws []word, list [][]string) bool {
	return slices.ContainsFunc(list, func(o []string) bool {
		if len(ws) < len(o) {
			return false
		}
		for i, w := range o {
			if ws[i].text != w {
				return false
			}
		}
		return true
	})
}

// tokens reads the terms and words of a text, each once, with what each weighs.
func tokens(ws []word) []token {
	var list []token
	place := map[string]int{}
	add := func(t token) {
		if t.weight == weightNone {
			return
		}
		if i, ok := place[t.text]; ok {
			list[i].tail = list[i].tail && t.tail
			return
		}
		place[t.text] = len(list)
		list = append(list, t)
	}
	tail, named, part := false, false, 0
	for i := 0; i < len(ws); {
		if opens(ws[i:], headOpeners) {
			for k := range list {
				list[k].tail = true
			}
			tail, named = false, true
		} else if named && opens(ws[i:], tailOpeners) {
			tail = true
		} else if strings.ContainsAny(ws[i].gap, ".;") && named && i > 0 {
			tail = true
		}
		if i > 0 && (ws[i].text == "and" || strings.ContainsAny(ws[i].gap, ",;/")) {
			part++
		}
		if s, n := spellingAt(ws[i:]); n > 0 {
			weight := weightConcept
			if faint[s.name] {
				weight = weightLight
			}
			add(token{text: "#" + s.name, term: s.term, weight: weight, tail: tail, part: part})
			named = named || !faint[s.name]
			i += n
			continue
		}
		w := ws[i].text
		weight, detail := weigh(w), tail
		if isCode(w) {
			weight, detail = weightConcept, false
		}
		add(token{text: stem(w), weight: weight, tail: detail, part: part})
		named = named || weight >= weightNormal
		i++
	}
	return list
}

// spellingAt finds the longest spelling of a term that begins a text; n is its words.
func spellingAt(ws []word) (s spelling, n int) {
	var key strings.Builder
	for i := 0; i < len(ws) && i < longest; i++ {
		if i > 0 {
			if strings.ContainsAny(ws[i].gap, ".;:") {
				break
			}
			key.WriteByte(' ')
		}
		key.WriteString(stem(ws[i].text))
		if found, ok := spelt[key.String()]; ok && (!found.capitals || ws[0].capitals >= 1 && ws[0].capitals >= len(ws[0].text)-1) {
			s, n = found, i+1
		}
	}
	return s, n
}

// isCode reports whether a word of letters and digits is a name such as PGE2 or CD34. Wherever it is
// in a text, it says what is measured.
func isCode(w string) bool {
	return len(w) >= 3 && !isDigit(w[0]) && strings.ContainsAny(w, "0123456789") && strings.Trim(w[1:], "0123456789.") != ""
}
