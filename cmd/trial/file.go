package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/trialproof/trialproof/cmd/frame"
)

// regular refuses anything but a file: opening a pipe would wait for ever.
func regular(name string) (os.FileInfo, error) {
	st, err := os.Stat(name)
	if err != nil {
		return nil, frame.AsUsage(err)
	}
	if !st.Mode().IsRegular() {
		return nil, frame.Usagef("%s is not a file", name)
	}
	return st, nil
}

// folderOf refuses the name of a file to be written, given with a flag, if its folder does not
// exist.
func folderOf(flag, name string) error {
	if name == "" {
		return nil
	}
	dir := filepath.Dir(name)
	st, err := os.Stat(dir)
	if errors.Is(err, os.ErrNotExist) {
		return frame.Usagef("the folder %s of %s %s does not exist: make it first, or name another", dir, flag, name)
	}
	if err != nil {
		return frame.AsUsage(err)
	}
	if !st.IsDir() {
		return frame.Usagef("%s is not a folder: %s %s cannot be written there", dir, flag, name)
	}
	return nil
}

// maxSmall bounds files that are read whole: receipts, policies, keys.
const maxSmall = 4 << 20

func readSmall(name string) ([]byte, error) { return readAtMost(name, maxSmall) }

// maxLarge bounds packing lists and loggers' files.
const maxLarge = 32 << 20

// readAtMost reads a file that has at most so many bytes.
func readAtMost(name string, most int64) ([]byte, error) {
	st, err := regular(name)
	if err != nil {
		return nil, err
	}
	if isReceipts(name) {
		return nil, frame.Usagef("%s holds many receipts: take one out with trial receipt -from %s DOCUMENT|ID", name, quoted(name))
	}
	if st.Size() > most {
		return nil, frame.Usagef("%s has %d bytes, far more than such a file can have", name, st.Size())
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, frame.AsUsage(err)
	}
	return data, nil
}

// matching returns the files of a folder whose names match a pattern, sorted; none if there is no
// such folder. Unlike filepath.Glob it takes no character of the folder's name for a pattern.
func matching(dir, pattern string) (names []string, err error) {
	entries, err := os.ReadDir(cmp.Or(dir, "."))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, frame.AsUsage(err)
	}
	for _, e := range entries {
		if ok, err := filepath.Match(pattern, e.Name()); err != nil {
			return nil, err
		} else if ok {
			names = append(names, filepath.Join(dir, e.Name()))
		}
	}
	return names, nil
}

// readReceipt reads a receipt. A document that was given in its place is named, with the
// receipt that lies beside it.
func readReceipt(name string) ([]byte, error) {
	if beside := name + ".tlog-proof"; exists(beside) && !beginsAs(name, "c2sp.org/tlog-proof") {
		return nil, frame.Usagef("%s is a document, not a receipt: use the receipt beside it, %s", name, quoted(beside))
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

// A counter reports how much has been read.
type counter struct {
	ctx         context.Context
	r           io.Reader
	p           *frame.Progress
	what        string
	done, total int64
}

func (c *counter) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(b)
	c.done += int64(n)
	c.p.Show("%s %3d%%", c.what, 100*c.done/max(c.total, 1))
	return n, err
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}
