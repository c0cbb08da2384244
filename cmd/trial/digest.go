package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"
	"time"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/receipt"
)

// A file is a document on this machine. Its name stays here.
type file struct {
	name   string // stdinName for what was read from standard input
	digest trial.Hash
	// otherEnds are the digests of the same text with other line ends, of what is
	// read once alone.
	otherEnds []trial.Hash

	info os.FileInfo // when it had been read; nil for standard input
	same bool        // as when its reading began
	tail tail
}

// stdinName is how the standard input is named on a command line.
const stdinName = "-"

// A clock is how commands wait. Tests bring their own.
type clock struct {
	now   func() time.Time
	sleep func(ctx context.Context, d time.Duration) error
}

var machine = clock{time.Now, func(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}}

const (
	// settled is how long a file must not have changed before it is logged, unless
	// -settle says otherwise: who copies a large file, or whose editor saves it,
	// writes it in several steps.
	settled = 5 * time.Second
	// settleWait is how long a file that keeps changing is waited for.
	settleWait = 10 * time.Minute
)

// digestFiles reads files in one pass each, of any size, and shows progress on
// a terminal when that takes long. A file that changed while it was read is an
// error: its digest is that of no file that there ever was.
func (e *env) digestFiles(ctx context.Context, names []string) ([]file, error) {
	p := e.Progress("reading")
	defer p.End()
	files := make([]file, len(names))
	for i, name := range names {
		f, err := e.digest(ctx, p, name, fmt.Sprintf("%s (%d of %d)", name, i+1, len(names)))
		if err != nil {
			return nil, err
		}
		if !f.same {
			return nil, fmt.Errorf("%s changed while it was read: wait until it is complete, and run the command again", name)
		}
		files[i] = f
	}
	return files, nil
}

// finishedFiles is digestFiles for what will be logged, which can never be taken
// back. Files that changed within the time given are waited for and read again, and
// those that look cut short are warned of.
func (e *env) finishedFiles(ctx context.Context, c clock, settle time.Duration, names []string) ([]file, error) {
	p := e.Progress("reading")
	defer p.End()
	files := make([]file, len(names))
	told := map[string]bool{}
	for start, done := c.now(), 0; done < len(names); {
		i := done
		f, err := e.digest(ctx, p, names[i], fmt.Sprintf("%s (%d of %d)", names[i], i+1, len(names)))
		if err != nil {
			return nil, err
		}
		files[i] = f
		done++
		for k := range done { // while one was read, an earlier one may have changed
			wait := files[k].restless(c.now(), settle)
			if wait <= 0 {
				continue
			}
			if c.now().Sub(start) > settleWait {
				return nil, fmt.Errorf("%s keeps changing: submit it when it is complete", names[k])
			}
			if !told[names[k]] {
				told[names[k]] = true
				fmt.Fprintf(e.Stderr, "%s changed less than %s ago: waiting until it has not changed for so long (-settle)\n", names[k],
					settle)
			}
			if err := c.sleep(ctx, wait); err != nil {
				return nil, err
			}
			done = k
			break
		}
	}
	for _, f := range files {
		if why := f.tail.cutShort(); why != "" {
			fmt.Fprintf(e.Stderr, "warning: %s %s: see that it is complete. What is logged stays logged\n", f.name, why)
		}
	}
	return files, nil
}

// restless returns how long to wait before the file is read again: 0 if it has not changed
// since it was read, nor for the time given before.
func (f *file) restless(now time.Time, settle time.Duration) time.Duration {
	if f.info == nil {
		return 0
	}
	info, err := os.Stat(f.name)
	if err != nil || !f.same || !sameFile(info, f.info) {
		return max(settle, time.Second)
	}
	age := now.Sub(info.ModTime())
	if age >= settle || age < -settle { // a time to come says nothing
		return 0
	}
	return settle - max(age, 0)
}

func sameFile(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// digest reads one file, or the standard input.
func (e *env) digest(ctx context.Context, p *frame.Progress, name, what string) (file, error) {
	f := file{name: name, same: true}
	h := sha256.New()
	if name == stdinName {
		if e.stdinRead {
			return f, frame.Usagef("the standard input, %s, can be read once", stdinName)
		}
		e.stdinRead = true
		lf, crlf := newLineEnds("\n"), newLineEnds("\r\n")
		if _, err := io.Copy(io.MultiWriter(h, lf, crlf, &f.tail), &counter{ctx, e.Stdin, p, "standard input", 0, 0}); err != nil {
			return f, fmt.Errorf("read standard input: %w", err)
		}
		f.digest, f.otherEnds = trial.Hash(h.Sum(nil)), []trial.Hash{lf.sum(), crlf.sum()}
		return f, nil
	}
	before, err := regular(name)
	if err != nil {
		return f, err
	}
	r, err := os.Open(name)
	if err != nil {
		return f, frame.AsUsage(err)
	}
	defer r.Close()
	if _, err := io.Copy(io.MultiWriter(h, &f.tail), &counter{ctx, r, p, what, 0, before.Size()}); err != nil {
		return f, fmt.Errorf("read %s: %w", name, err)
	}
	if f.info, err = os.Stat(name); err != nil {
		return f, frame.AsUsage(err)
	}
	f.digest, f.same = trial.Hash(h.Sum(nil)), sameFile(before, f.info)
	return f, nil
}

// explain adds to the verdict that the file is not what was logged what may be the
// harmless cause: other line ends alone, or a file that is being written still.
func (f *file) explain(err error, logged func(trial.Hash) bool) error {
	p, ok := errors.AsType[*receipt.Problem](err)
	if !ok || p.Part != "file" {
		return err
	}
	why := ""
	for i, digest := range f.ends() {
		if digest != f.digest && logged(digest) {
			had, has := "line feeds alone (LF)", "carriage returns too (CRLF)"
			if i == 1 {
				had, has = has, "line feeds alone, in some lines or in all"
			}
			why = fmt.Sprintf("; it differs in its line ends alone: what was logged has %s, this file has %s. An editor, a mail "+
				"program or a version control system does so: ask for the file as it was", had, has)
			break
		}
	}
	if why == "" && f.restless(time.Now(), settled) > 0 {
		why = fmt.Sprintf("; it changed less than %s ago: if it is still being written, check it again when it is complete", settled)
	}
	return &receipt.Problem{Part: p.Part, Detail: p.Detail + why}
}

// ends returns the digests of the text with line feeds alone, and with carriage
// returns before them.
func (f *file) ends() []trial.Hash {
	if f.otherEnds != nil || f.name == stdinName {
		return f.otherEnds
	}
	r, err := os.Open(f.name)
	if err != nil {
		return nil
	}
	defer r.Close()
	lf, crlf := newLineEnds("\n"), newLineEnds("\r\n")
	if _, err := io.Copy(io.MultiWriter(lf, crlf), r); err != nil {
		return nil
	}
	return []trial.Hash{lf.sum(), crlf.sum()}
}

// lineEnds digests a text with one sort of line ends.
type lineEnds struct {
	end  []byte
	h    hash.Hash
	held bool // a carriage return was read, and not yet what comes behind it
}

func newLineEnds(end string) *lineEnds { return &lineEnds{end: []byte(end), h: sha256.New()} }

func (l *lineEnds) Write(b []byte) (int, error) {
	for rest := b; len(rest) > 0; {
		if l.held {
			l.held = false
			if rest[0] != '\n' {
				l.h.Write([]byte{'\r'})
			}
			continue
		}
		i := bytes.IndexAny(rest, "\r\n")
		if i < 0 {
			l.h.Write(rest)
			break
		}
		l.h.Write(rest[:i])
		if rest[i] == '\r' {
			l.held = true
		} else {
			l.h.Write(l.end)
		}
		rest = rest[i+1:]
	}
	return len(b), nil
}

func (l *lineEnds) sum() trial.Hash {
	if l.held {
		l.h.Write([]byte{'\r'})
	}
	return trial.Hash(l.h.Sum(nil))
}

// tailSize is what is kept of a file's end: the end of a zip file, with the
// longest comment that it can have.
const tailSize = 22 + 65535

// A tail keeps the first bytes and the last of what is written to it.
type tail struct{ head, end []byte }

func (t *tail) Write(b []byte) (int, error) {
	if n := 5 - len(t.head); n > 0 {
		t.head = append(t.head, b[:min(n, len(b))]...)
	}
	t.end = append(t.end, b[max(0, len(b)-tailSize):]...)
	if len(t.end) > 4*tailSize {
		t.end = append([]byte(nil), t.end[len(t.end)-tailSize:]...)
	}
	return len(b), nil
}

// cutShort says why a PDF or a ZIP file (as Word and Excel write) seems incomplete, "" if it
// does not. It is a guess, so it leads to a warning and to no refusal.
func (t *tail) cutShort() string {
	end := t.end[max(0, len(t.end)-tailSize):]
	switch {
	case bytes.HasPrefix(t.head, []byte("%PDF-")):
		if !bytes.Contains(end[max(0, len(end)-2048):], []byte("%%EOF")) {
			return "begins as a PDF and does not end as one (no %%EOF)"
		}
	case bytes.HasPrefix(t.head, []byte("PK\x03\x04")):
		for {
			i := bytes.LastIndex(end, []byte("PK\x05\x06"))
			if i < 0 {
				return "begins as a zip file, as Word and Excel write them, and does not end as one"
			}
			if len(end)-i >= 22 && i+22+int(binary.LittleEndian.Uint16(end[i+20:])) <= len(t.end[max(0, len(t.end)-tailSize):]) {
				return ""
			}
			end = end[:i]
		}
	}
	return ""
}

// stem returns the name that the files kept with a document begin with.
func (f *file) stem() string {
	if f.name == stdinName {
		return fmt.Sprintf("stdin-%.12s", f.digest)
	}
	return strings.TrimSuffix(f.name, "/")
}
