package main

import (
	"regexp"
	"strings"

	"github.com/trialproof/trialproof/trial"
)

// shortDigits is how many of an id's hexadecimal digits are enough to name it. Screens show
// so many; JSON, receipts and what people sign have the whole id.
const shortDigits = 12

// isDigits reports whether what was typed is the beginning of an id.
func isDigits(typed string) bool {
	return len(typed) >= shortDigits && len(typed) < 64 && strings.Trim(typed, "0123456789abcdef") == ""
}

// abbreviates reports whether what was typed is an id, or the first digits of it.
func abbreviates(typed string, id trial.Hash) bool {
	return len(typed) >= shortDigits && strings.HasPrefix(id.String(), typed)
}

var wholeIDs = regexp.MustCompile(`(SHA-256 )?\b[0-9a-f]{64}\b`)

// short abbreviates the ids in a line for a screen. Digests stay whole.
func short(line string) string {
	return wholeIDs.ReplaceAllStringFunc(line, func(s string) string {
		if strings.HasPrefix(s, "SHA-256 ") {
			return s
		}
		return s[:shortDigits]
	})
}
