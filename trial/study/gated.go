package study

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// A gated is an expression that most texts do not match, with a cheap test that shows that for
// most of them: where may is false, the expression matches nothing.
type gated struct {
	*regexp.Regexp
	may func(string) bool
}

func (g gated) MatchString(s string) bool { return g.may(s) && g.Regexp.MatchString(s) }

func (g gated) FindAllString(s string, n int) []string {
	if !g.may(s) {
		return nil
	}
	return g.Regexp.FindAllString(s, n)
}

func (g gated) FindAllStringSubmatch(s string, n int) [][]string {
	if !g.may(s) {
		return nil
	}
	return g.Regexp.FindAllStringSubmatch(s, n)
}

// gate compiles an expression.
func gate(expression string, may func(string) bool) gated {
	return gated{regexp.MustCompile(expression), may}
}

// holdsOne returns a test for one of several texts.
func holdsOne(list ...string) func(string) bool {
	return func(s string) bool {
		for _, x := range list {
			if strings.Contains(s, x) {
				return true
			}
		}
		return false
	}
}

// holdsDigits returns a test for so many digits.
func holdsDigits(n int) func(string) bool {
	return func(s string) bool {
		found := 0
		for i := range len(s) {
			if s[i] >= '0' && s[i] <= '9' {
				if found++; found == n {
					return true
				}
			}
		}
		return false
	}
}

// isASCII reports whether a text has no other characters: only then are the tests exact in which
// case makes no difference.
func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// mayHoldAt reports whether a text may have a word for the sign of an address.
func mayHoldAt(s string) bool {
	if !isASCII(s) {
		return true
	}
	for w := range strings.FieldsSeq(s) {
		for _, at := range []string{"at", "arroba", "arobase", "chiocciola", "klammeraffe"} {
			if strings.EqualFold(w, at) {
				return true
			}
		}
	}
	return false
}

// mayHoldAddress reports whether a text may have an address in its usual form, or an obscured one.
func mayHoldAddress(s string) bool {
	if strings.ContainsAny(s, "@([{<") || !isASCII(s) {
		return true
	}
	for i := range len(s) { // "name -at- site"
		if strings.IndexByte("-_*=", s[i]) >= 0 {
			rest := strings.TrimLeft(s[i:], "-_*= \t\n\f\r")
			if len(rest) > 2 && strings.EqualFold(rest[:2], "at") {
				return true
			}
		}
	}
	return false
}

// mayHoldORCID reports whether a text may have a number of ORCID, or its name.
func mayHoldORCID(s string) bool {
	return strings.Contains(s, "000") || !isASCII(s) || strings.Contains(strings.ToLower(s), "orcid")
}
