package outcome

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Contrast says why two outcomes that are alike may not be one: they qualify what is
// measured otherwise, name other numbers, or combine other events. It returns "" where
// nothing of that kind is seen. Similarity does not look at it, for it judges how alike
// texts are, and "severe hypoglycaemia" is much like "hypoglycaemia".
func Contrast(a, b Text) string {
	x, y := withoutTimes(measure(a)), withoutTimes(measure(b))
	if p, q := numbersOf(x), numbersOf(y); !within(p, q) && !within(q, p) {
		return fmt.Sprintf("they name other numbers, %s and %s", list(p), list(q))
	}
	p, q := qualifiersOf(x), qualifiersOf(y)
	for _, k := range slices.Sorted(maps.Keys(qualified)) {
		if p[k] != q[k] {
			return fmt.Sprintf("one of them says %q, the other does not", k)
		}
	}
	for _, sides := range opposites {
		i, j := sideOf(x, sides), sideOf(y, sides)
		if i >= 0 && j >= 0 && i != j {
			return fmt.Sprintf("one of them is of %s, the other of %s", strings.Fields(sides[i])[0], strings.Fields(sides[j])[0])
		}
	}
	if (combines(x) || combines(y)) && !maps.Equal(contentOf(x), contentOf(y)) {
		return "they combine several events, and not the same"
	}
	return ""
}

// qualified are words that set an outcome apart from one without them, each with its
// spellings and abbreviations.
var qualified = map[string]string{
	"serious": "serious sae saes susar susars", "severe": "severe", "fatal": "fatal", "nonfatal": "nonfatal non", "symptomatic": "symptomatic",
	"major": "major", "complete": "complete cr", "partial": "partial", "sustained": "sustained durable",
}

// opposites are sets of words of which an outcome is on one side.
var opposites = [][]string{
	{"left lv lvef", "right rv rvef"}, {"maternal mother mothers", "neonatal newborn newborns neonate neonates", "fetal foetal fetus"},
	{"central independent bicr birc irc", "investigator investigators local"}, {"rest resting", "movement activity walking exertion coughing"},
	{"freedom free", "frequency count rate number"}, {"fasting", "postprandial"}, {"upper", "lower"}, {"inf infinity", "last tau"},
	{"severe", "mild", "moderate"}, {"early", "late"}, {"ipsilateral", "contralateral"},
}

func qualifiersOf(ws []word) map[string]bool {
	found := map[string]bool{}
	for k, spellings := range qualified {
		for s := range strings.FieldsSeq(spellings) {
			found[k] = found[k] || slices.ContainsFunc(ws, func(w word) bool { return w.text == s })
		}
	}
	return found
}

// sideOf returns which side of a contrast a text names, -1 for none or several.
func sideOf(ws []word, sides []string) int {
	at := -1
	for i, side := range sides {
		if slices.ContainsFunc(ws, func(w word) bool { return slices.Contains(strings.Fields(side), w.text) }) {
			if at >= 0 {
				return -1
			}
			at = i
		}
	}
	return at
}

// numbersOf returns the numbers of a text, those within words too: the 90 of PASI-90
// and of PASI90.
func numbersOf(ws []word) map[string]bool {
	found := map[string]bool{}
	for _, w := range ws {
		for n := range strings.FieldsFuncSeq(w.text, func(r rune) bool { return r != '.' && (r < '0' || r > '9') }) {
			if n = strings.Trim(n, "."); n != "" {
				found[n] = true
			}
		}
	}
	return found
}

func within(p, q map[string]bool) bool {
	for k := range p {
		if !q[k] {
			return false
		}
	}
	return true
}

func list(set map[string]bool) string { return strings.Join(slices.Sorted(maps.Keys(set)), ", ") }

// combines reports whether an outcome is one of several events, whichever comes.
func combines(ws []word) bool {
	return slices.ContainsFunc(ws, func(w word) bool { return w.text == "or" || w.text == "composite" || w.text == "combined" })
}

// contentOf returns what a text names, by its stems.
func contentOf(ws []word) map[string]bool {
	set := map[string]bool{}
	for _, w := range ws {
		if weigh(w.text) > weightLight && w.text != "composite" && w.text != "combined" {
			set[stem(w.text)] = true
		}
	}
	return set
}
