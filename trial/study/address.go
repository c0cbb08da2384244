package study

import (
	"regexp"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/trial"
)

// Addresses and telephone numbers are withheld, whoever they belong to, written normally or
// obscured ("name at site dot org").

var (
	email = gate(`(?i)[^\s@<>()\[\]{}]+\s*(@|`+obscuredAt+`)\s*[^\s@<>()\[\]{}]+\s*(\.|`+obscuredDot+`)\s*\pL{2,}`, mayHoldAddress)
	// spelt matches an address in words. knownEnd matches one in which only the "@" is a word;
	// it must have a known ending, because "at" may come before anything.
	spelt = gate(`(?i)[\pL\d._+-]{2,}\s+(at|arroba|arobase|chiocciola|`+
		`klammeraffe)\s+[\pL\d-]+(\s+[\pL\d-]+)?(\s*(`+obscuredDot+`)\s*|\s+(dot|punto|punkt|ponto)\s+)\pL{2,}`, mayHoldAt)
	knownEnd = gate(`[\pL\d._+-]{2,}\s+(at|AT|arroba|arobase)\s+[\pL\d-]+(\.[\pL\d-]+)*\.(com|org|net|edu|gov|info|int|`+
		`eu|de|fr|uk|ch|nl|es|se|dk|fi|pl|cz|ca|au|jp|cn|kr|br|ru|il|ir|eg|tr|gr|pt|be|ie|mx|za|pk)(\P{L}|$)`, mayHoldAt)
	orcid = gate(`(?i)\b000\d-\d{4}-\d{4}-\d{3}[\dX]\b|\borcid\b`, mayHoldORCID)

	labelled = gate(`(?i)\b(t[ée]l|telef[oó]n|t[ée]l[ée]phone|phone|fax|mobile|mobil|cell|call|hotline|`+
		`whatsapp)\b[^\d+(]{0,20}(\+?[\d(][\d().\s/-]{4,}\d)`, holdsDigits(1))
	dialled  = gate(`\+\s?\(?\d[\d().\s/-]{6,}\d|(^|\s)\(?0\d+\)?[\s][\d\s/-]{5,}\d`, holdsDigits(2))
	digits   = gate(`\+?\s?\(?\d[\d().\s/-]{6,}\d`, holdsDigits(2))
	american = regexp.MustCompile(`^(1[-.\s])?\(?\d{3}\)?[-.\s/]{0,2}\d{3}[-.\s]\d{4}$`)
)

const (
	obscuredAt  = `[(\[{<]\s*(at|a|ät|@|arroba|arobase)\s*[)\]}>]|[-_*=]+\s*at\s*[-_*=]+`
	obscuredDot = `[(\[{<]\s*(dot|\.|punto|punkt|point|ponto)\s*[)\]}>]|[-_*=]+\s*dot\s*[-_*=]+|\s(dot|punto|punkt|ponto)\s`
)

// isAddress reports whether a clean text has an e-mail address, or a person's number in a
// register of researchers.
func isAddress(c string) bool {
	return email.MatchString(c) || spelt.MatchString(c) || knownEnd.MatchString(c) || orcid.MatchString(c)
}

// isLabelled reports whether a text has a number that it calls a telephone number or the like.
func isLabelled(s string) bool {
	if !sevenDigits(s) {
		return false
	}
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

var sevenDigits = holdsDigits(7)

// hasPhone reports whether a text has a telephone number, which has more than seven digits.
func hasPhone(s string) bool {
	return sevenDigits(s) && slices.ContainsFunc(digits.FindAllString(s, -1), isPhone)
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
		return n >= 10 && (longest >= 5 && len(lead) >= 2 || longest >= 3 && single <= 1 && len(groups) >= 3 ||
			longest == 2 && len(lead) == 2 && len(groups) >= 4)
	case len(groups) == 1:
		return n >= 10 && n <= 13 && !strings.HasSuffix(s, "0000")
	}
	if _, err := trial.ParseIdentifier(s); err == nil {
		return false
	}
	return n >= 9 && len(groups) >= 3 && len(groups) <= 6 && single == 0 && longest >= 4 // thousands are in groups of three
}
