package outcome

import (
	"strings"
	"unicode"
)

// A word is a run of letters and digits of a text, in lower case, with its place in the text.
type word struct {
	text       string
	capitals   int // number of capital letters in the source
	start, end int // bytes of the source
	gap        string
}

// textLimit is how many bytes of a text are read. It bounds the work of comparing each time with each.
const textLimit = 10_000

// folded are letters and digits that are written in more than one way.
var folded = []string{
	"α", "alpha", "β", "beta", "γ", "gamma", "δ", "delta", "κ", "kappa", "λ", "lambda",
	"á", "a", "à", "a", "â", "a", "ä", "a", "ã", "a", "å", "a", "ç", "c", "é", "e", "è", "e", "ê", "e", "ë", "e",
	"í", "i", "ï", "i", "î", "i", "ñ", "n", "ó", "o", "ô", "o", "ö", "o", "ò", "o", "ú", "u", "ü", "u", "ø", "o",
	"₀", "0", "₁", "1", "₂", "2", "₃", "3", "₄", "4", "₅", "5", "₆", "6", "₇", "7", "₈", "8", "₉", "9",
	"⁰", "0", "¹", "1", "²", "2", "³", "3", "⁴", "4", "⁵", "5", "⁶", "6", "⁷", "7", "⁸", "8", "⁹", "9",
}

// foldings are used for similarity, where µ may also be written u.
var foldings = strings.NewReplacer(append([]string{"μ", "u", "µ", "u"}, folded...)...)

// words splits a text. The gap of a word is the text before it, without spaces: "" if only a space
// separates two words.
func words(s string) []word {
	s = s[:min(len(s), textLimit)]
	var list []word
	last, start, capitals := 0, -1, 0
	flush := func(end int) {
		if start < 0 {
			return
		}
		list = append(list, word{
			text: foldings.Replace(strings.ToLower(s[start:end])), capitals: capitals,
			start: start, end: end, gap: strings.Join(strings.Fields(s[last:start]), ""),
		})
		last, start, capitals = end, -1, 0
	}
	for i, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			// A decimal point or an apostrophe stays within its word.
			if start >= 0 && (r == '.' || r == '\'' || r == '’') && i+1 < len(s) && isDigit(s[i-1]) && isDigit(s[i+1]) {
				continue
			}
			flush(i)
			continue
		}
		if start < 0 {
			start = i
		}
		if unicode.IsUpper(r) {
			capitals++
		}
	}
	flush(len(s))
	return list
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// isNumber reports whether a word is written in digits alone.
func isNumber(w string) bool {
	return w != "" && strings.Trim(w, "0123456789.") == ""
}

// spellings has one stem for British, American and irregular forms.
var spellings = map[string]string{
	"number": "count", "numbers": "count", "tumour": "tumor", "haemoglobin": "hemoglobin", "haemorrhage": "hemorrhage",
	"anaemia": "anemia", "oedema": "edema",
	"diarrhoea": "diarrhea", "faecal": "fecal", "faeces": "feces", "oesophageal": "esophageal", "ischaemic": "ischemic",
	"leukaemia": "leukemia", "paediatric": "pediatric", "programme": "program", "centre": "center", "behaviour": "behavior",
	"randomisation": "randomization", "randomised": "randomized", "hospitalisation": "hospitalization",
	"hospitalised": "hospitalized", "utilisation": "utilization", "immunisation": "immunization", "caecal": "cecal",
	"glycaemic": "glycemic", "hypoglycaemia": "hypoglycemia", "orthopaedic": "orthopedic", "fibre": "fiber",
	"stabilisation": "stabilization", "normalisation": "normalization", "titre": "titer", "titres": "titer",
	"died": "death", "dead": "death", "dying": "death", "deceased": "death", "die": "death", "dies": "death",
	"bled": "bleeding", "bleed": "bleeding", "bleeds": "bleeding", "fell": "fall", "slept": "sleep", "women": "woman",
	"men": "man", "children": "child", "feet": "foot", "teeth": "tooth", "metastases": "metastasis", "bases": "basis",
	"safe": "safety", "safely": "safety", "efficacious": "efficacy", "tolerable": "tolerability", "tolerated": "tolerability",
	"tolerance": "tolerability", "anxious": "anxiety", "depressive": "depression", "depressed": "depression", "weighed": "weight",
	"cured": "cure", "healed": "healing", "recovered": "recovery", "survived": "survival", "surviving": "survival",
	"alive": "survival", "painful": "pain", "viraemia": "viremia", "bacteraemia": "bacteremia",
}

// endings are removed from a word, the longest that fits; at least four letters remain.
var endings = []string{
	"izations", "ization", "ational", "ations", "ation", "ements", "ement", "ments", "ment", "ances", "ance", "ences", "ence",
	"ities", "ity", "ively", "ive", "ions", "ion", "ally", "als", "al", "ings", "ing", "ated", "ates", "ate", "edly", "ed",
	"ers", "er", "ies", "ness", "ically", "ical", "ics", "ic", "ous", "es", "ly", "s", "e", "y",
}

// stem returns what the inflections of a word have in common.
func stem(w string) string {
	if s, ok := spellings[w]; ok {
		w = s
	}
	if len(w) <= 4 || strings.ContainsAny(w, "0123456789") {
		if len(w) == 4 && strings.HasSuffix(w, "s") &&
			!strings.HasSuffix(w, "ss") && !strings.HasSuffix(w, "us") && !strings.HasSuffix(w, "is") {
			return w[:3]
		}
		return w
	}
	for _, e := range endings {
		kept := e == "s" && (strings.HasSuffix(w, "ss") || strings.HasSuffix(w, "is") || strings.HasSuffix(w, "us"))
		if len(w)-len(e) >= 4 && strings.HasSuffix(w, e) && !kept {
			return w[:len(w)-len(e)]
		}
	}
	return w
}
