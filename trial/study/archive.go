package study

import (
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// A sizedFile can be read at any offset, as the directory of a zip archive requires.
type sizedFile interface {
	io.ReaderAt
	io.Seeker
}

// gzip reads a compressed export.
func (s *splitter) gzip(r io.Reader) error {
	z, err := gzip.NewReader(r)
	if err != nil {
		return fmt.Errorf("unpack the gzip file: %w", err)
	}
	inner := *s
	inner.packed = true
	err = inner.file(z)
	s.n, s.ended = inner.n, inner.ended
	if err != nil && s.ended == nil {
		err = fmt.Errorf("in the gzip file: %w", err)
	}
	return err
}

// zip reads each file of an archive. It goes on after a file that cannot be read, and returns
// the error at the end.
func (s *splitter) zip(r sizedFile) error {
	size, err := r.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return fmt.Errorf("read the zip archive: %w", err)
	}
	var bad error
	begun := s.n
	for _, f := range z.File {
		name := path.Base(f.Name)
		if f.Mode().IsDir() || strings.HasPrefix(name, ".") || strings.Contains(f.Name, "__MACOSX/") {
			continue
		}
		if f.Name == "[Content_Types].xml" {
			return unread("a file of a word processor or spreadsheet", "take the register's JSON")
		}
		err := s.member(f)
		if s.ended != nil {
			return err
		}
		if err != nil {
			bad = errors.Join(bad, fmt.Errorf("%s in the zip archive: %w", f.Name, err))
		}
	}
	if bad == nil && s.n == begun {
		return errors.New("the zip archive has no files")
	}
	return bad
}

func (s *splitter) member(f *zip.File) error {
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	inner := *s
	inner.packed = true
	err = inner.file(r)
	s.n, s.ended = inner.n, inner.ended
	return err
}
