package main

import (
	"regexp"
	"strings"

	"github.com/trialproof/trialproof/trial"
)

var wholeIDs = regexp.MustCompile(`(SHA-256 )?\b[0-9a-f]{64}\b`)

// short abbreviates the ids in a line for a screen. Digests stay whole, and so do ids in JSON,
// in receipts and in what people sign.
func short(line string) string {
	return wholeIDs.ReplaceAllStringFunc(line, func(s string) string {
		if strings.HasPrefix(s, "SHA-256 ") {
			return s
		}
		return s[:trial.ShortDigits]
	})
}
