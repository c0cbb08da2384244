package witness

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// A journal is a file of JSON values, one a line, that is only appended to. A last line without
// its line feed was torn by a crash before append returned, so nobody relies on it: readers
// skip it, and the next append cuts it off.
//
// One goroutine at a time may append; reads may run at the same time.
type journal struct {
	path   string
	what   string // for faults and errors
	files  Files
	faults faults
}

// append adds a line and returns when it is durable. After an error the line may be there all
// the same.
func (j journal) append(line []byte) error {
	f, err := j.files.OpenFile(j.path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	end, err := wholeLines(f)
	if err != nil {
		return err
	}
	err = j.faults.do("append "+j.what, func() error {
		if err := f.Truncate(end); err != nil {
			return err
		}
		_, err := f.WriteAt(append(bytes.Clone(line), '\n'), end)
		return err
	})
	if err != nil {
		return err
	}
	if err := j.faults.do("sync "+j.what, func() error { return f.Sync() }); err != nil {
		return err
	}
	if end == 0 { // the file, or its first line, is new
		return syncParent(j.files, j.path)
	}
	return nil
}

// sync makes durable what the file has now, if there is one: a write that failed, or a process
// that ended, may have left a line that is in memory only.
func (j journal) sync() error {
	f, err := j.files.OpenFile(j.path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// wholeLines returns the length of a file up to and with its last line feed.
func wholeLines(f File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return behindLF(f, info.Size())
}

// behindLF returns the offset after the last line feed in f[:end], or 0 if there is none.
func behindLF(f File, end int64) (int64, error) {
	buf := make([]byte, 4096)
	for end > 0 {
		start := max(0, end-int64(len(buf)))
		b := buf[:end-start]
		if _, err := f.ReadAt(b, start); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(b, '\n'); i >= 0 {
			return start + int64(i) + 1, nil
		}
		end = start
	}
	return 0, nil
}

// open returns the file and the length of its whole lines, or nil and 0 if there is no file.
func (j journal) open() (File, int64, error) {
	f, err := j.files.OpenFile(j.path, os.O_RDONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	end, err := wholeLines(f)
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, end, nil
}

// each calls fn with every whole line, without its line feed.
func (j journal) each(fn func(line []byte) error) error {
	f, end, err := j.open()
	if f == nil {
		return err
	}
	defer f.Close()
	r := bufio.NewReader(io.NewSectionReader(f, 0, end))
	for {
		line, err := r.ReadBytes('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := fn(bytes.TrimSuffix(line, []byte("\n"))); err != nil {
			return fmt.Errorf("%s: %w", j.path, err)
		}
	}
}

// search returns the checkpoint of the first line whose size is at least size, in a journal of
// notes whose sizes never decrease, or nil if there is none. It reads about log2 of the file's
// length lines.
func (j journal) search(size int64) (*checkpoint, []byte, error) {
	f, end, err := j.open()
	if f == nil {
		return nil, nil, err
	}
	defer f.Close()
	var found *checkpoint
	var foundNote []byte
	for lo, hi := int64(0), end; lo < hi; {
		mid := lo + (hi-lo)/2
		start, line, err := lineFrom(f, mid, end)
		if err != nil {
			return nil, nil, err
		}
		if start >= hi {
			hi = mid // no line starts in [mid, hi)
			continue
		}
		cp, note, err := parseNoteLine(bytes.TrimSuffix(line, []byte("\n")))
		if err != nil {
			return nil, nil, fmt.Errorf("%s: line at byte %d: %w", j.path, start, err)
		}
		if cp.size < size {
			lo = start + int64(len(line))
		} else {
			found, foundNote, hi = cp, note, mid
		}
	}
	return found, foundNote, nil
}

// last returns the checkpoint of the last whole line, or nil if there is none.
func (j journal) last() (*checkpoint, error) {
	f, end, err := j.open()
	if f == nil {
		return nil, err
	}
	defer f.Close()
	if end == 0 {
		return nil, nil
	}
	start, err := behindLF(f, end-1)
	if err != nil {
		return nil, err
	}
	line := make([]byte, end-1-start)
	if _, err := f.ReadAt(line, start); err != nil {
		return nil, err
	}
	cp, _, err := parseNoteLine(line)
	if err != nil {
		return nil, fmt.Errorf("%s: last line: %w", j.path, err)
	}
	return cp, nil
}

// lineFrom returns the first line, with its line feed, that starts at off or later, and its
// offset. It returns end and nothing if there is none.
func lineFrom(f File, off, end int64) (int64, []byte, error) {
	start := off
	before := max(0, off-1)
	r := bufio.NewReader(io.NewSectionReader(f, before, end-before))
	if off > 0 {
		// A line starts at off exactly if there is a line feed before it.
		skipped, err := r.ReadBytes('\n')
		start = off - 1 + int64(len(skipped))
		if err == io.EOF || start >= end {
			return end, nil, nil
		}
		if err != nil {
			return 0, nil, err
		}
	}
	line, err := r.ReadBytes('\n')
	return start, line, err
}

// noteLine returns the line of a journal for a note: one JSON string.
func noteLine(note []byte) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(string(note)) // strings always encode
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func parseNoteLine(line []byte) (*checkpoint, []byte, error) {
	var note string
	if err := json.Unmarshal(line, &note); err != nil {
		return nil, nil, err
	}
	cp, err := parseCheckpoint([]byte(note))
	return cp, []byte(note), err
}
