package frame

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
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
// nothing.
type Progress struct {
	w     io.Writer // nil: not a terminal
	verb  string
	last  time.Time
	shown bool
}

// Progress returns the progress of work that a verb such as "reading" names. It shows
// nothing of work that ends at once.
func (e *Env) Progress(verb string) *Progress {
	p := &Progress{verb: verb, last: time.Now()}
	if IsTerminal(e.Stderr) {
		p.w = e.Stderr
	}
	return p
}

// IsTerminal reports whether a program's input or output is a terminal.
func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && (isatty.IsTerminal(f.Fd()) || isatty.IsCygwinTerminal(f.Fd()))
}

// Show shows how far the work is.
func (p *Progress) Show(format string, args ...any) {
	if p.w == nil || time.Since(p.last) < 200*time.Millisecond {
		return
	}
	p.last, p.shown = time.Now(), true
	fmt.Fprintf(p.w, "\r\x1b[K%s %s", p.verb, fmt.Sprintf(format, args...))
}

// End takes the line away.
func (p *Progress) End() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
