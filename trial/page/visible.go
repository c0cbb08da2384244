// Package page shows what was verified as HTML: the same on a log's pages, in a report that is
// printed, and in the browser, where the verifier makes the page anew from what it has verified.
//
// The package is pure: it compiles to js/wasm. It knows nothing of servers or files.
package page

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"
)

// Visible returns a page in which every character that does not print is shown as an escape. What
// comes with documents must not act on a terminal or turn the direction of a text.
func Visible(page []byte) []byte {
	var b bytes.Buffer
	for _, r := range string(page) {
		if r == '\n' || r == '\t' || unicode.Is(unicode.Zs, r) || strconv.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.Bytes()
}
