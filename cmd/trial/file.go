package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// regular refuses what is no file: to open a pipe would wait for ever.
func regular(name string) (os.FileInfo, error) {
	st, err := os.Stat(name)
	if err != nil {
		return nil, usageError{err}
	}
	if !st.Mode().IsRegular() {
		return nil, usagef("%s is not a file", name)
	}
	return st, nil
}

// folderOf refuses a file to be written, named by a flag, whose folder is not there.
func folderOf(flag, name string) error {
	if name == "" {
		return nil
	}
	dir := filepath.Dir(name)
	st, err := os.Stat(dir)
	if errors.Is(err, os.ErrNotExist) {
		return usagef("the folder %s of %s %s does not exist: make it first, or name another", dir, flag, name)
	}
	if err != nil {
		return usageError{err}
	}
	if !st.IsDir() {
		return usagef("%s is not a folder: %s %s cannot be written there", dir, flag, name)
	}
	return nil
}

// maxSmall bounds files that are read whole: receipts, policies, keys.
const maxSmall = 4 << 20

func readSmall(name string) ([]byte, error) {
	st, err := regular(name)
	if err != nil {
		return nil, err
	}
	if st.Size() > maxSmall {
		return nil, usagef("%s has %d bytes, far more than such a file can have", name, st.Size())
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, usageError{err}
	}
	return data, nil
}

// readReceipt reads a receipt. A document that was given in its place is named, with the
// receipt that lies beside it.
func readReceipt(name string) ([]byte, error) {
	if beside := name + ".tlog-proof"; exists(beside) && !beginsAs(name, "c2sp.org/tlog-proof") {
		return nil, usagef("%s is a document, not a receipt: use the receipt beside it, %s", name, quoted(beside))
	}
	return readSmall(name)
}

// beginsAs reports whether a file begins with a text.
func beginsAs(name, text string) bool {
	if _, err := regular(name); err != nil {
		return false
	}
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, len(text))
	_, err = io.ReadFull(f, head)
	return err == nil && string(head) == text
}

// printable shows text that came from elsewhere on one line, with what a terminal
// would act on escaped.
func printable(s string) string {
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

// visible shows what a page or a terminal would act on, or hide, as its escape: what
// rings, moves the cursor, reorders or has no width. Lines and spaces stay.
func visible(page []byte) []byte {
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

// A counter reports how much has been read.
type counter struct {
	ctx         context.Context
	r           io.Reader
	p           *progress
	what        string
	done, total int64
}

func (c *counter) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(b)
	c.done += int64(n)
	c.p.show("%s %3d%%", c.what, 100*c.done/max(c.total, 1))
	return n, err
}

// A progress is one line on a terminal, rewritten as work goes on. Elsewhere it
// shows nothing.
type progress struct {
	w     io.Writer // nil: not a terminal
	verb  string
	last  time.Time
	shown bool
}

func (e *env) progress(verb string) *progress {
	p := &progress{verb: verb, last: time.Now()}
	if f, ok := e.stderr.(*os.File); ok {
		if st, err := f.Stat(); err == nil && st.Mode()&os.ModeCharDevice != 0 {
			p.w = f
		}
	}
	return p
}

func (p *progress) show(format string, args ...any) {
	if p.w == nil || time.Since(p.last) < 200*time.Millisecond {
		return
	}
	p.last, p.shown = time.Now(), true
	fmt.Fprintf(p.w, "\r\x1b[K%s %s", p.verb, fmt.Sprintf(format, args...))
}

func (p *progress) end() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}
