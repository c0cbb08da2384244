package frame

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Printable shows text that came from elsewhere on one line, with what a terminal would
// act on escaped.
func Printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString("; ")
		case strconv.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}

// A Progress is one line on a terminal, rewritten as work goes on. Elsewhere it shows
// nothing. It uses no escape sequence, which not every terminal of Windows takes.
type Progress struct {
	w     io.Writer // nil: not a terminal
	verb  string
	last  time.Time
	shown int // characters of the line
}

// Progress returns the progress of work that a verb such as "reading" names. It shows
// nothing of work that ends at once.
func (e *Env) Progress(verb string) *Progress {
	p := &Progress{verb: verb, last: time.Now()}
	if f, ok := e.Stderr.(*os.File); ok && isTerminal(f) {
		p.w = f
	}
	return p
}

// isTerminal reports whether a file is a terminal, or another device of characters.
func isTerminal(f *os.File) bool {
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}

// Show shows how far the work is.
func (p *Progress) Show(format string, args ...any) {
	if p.w == nil || time.Since(p.last) < 200*time.Millisecond {
		return
	}
	p.last = time.Now()
	line := p.verb + " " + fmt.Sprintf(format, args...)
	n := utf8.RuneCountInString(line)
	fmt.Fprintf(p.w, "\r%s%s", line, strings.Repeat(" ", max(0, p.shown-n)))
	p.shown = n
}

// End takes the line away.
func (p *Progress) End() {
	if p.shown > 0 {
		fmt.Fprintf(p.w, "\r%s\r", strings.Repeat(" ", p.shown))
	}
}
