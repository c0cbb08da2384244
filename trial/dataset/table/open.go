package table

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode/utf8"
)

// Open reads the header of a table and returns a reader of its rows. What the table is written in is told
// from the content: XPT, Dataset-JSON as JSON or NDJSON, CSV, and each of them compressed with zlib or
// gzip. An XPT library with more than one table gives an error instead of io.EOF at the end of the
// first; use NewXPT for it.
//
// The name is the name of the file: it stands in messages, and a CSV table is called after it. All columns
// of CSV are text until Define.Describe says otherwise.
func Open(name string, r io.Reader) (Reader, error) {
	t, err := open(name, bufio.NewReaderSize(r, 64<<10), false)
	if err != nil {
		return nil, fmt.Errorf("open table %s: %w", name, unexpected(err))
	}
	return t, nil
}

// open is Open; inside says that the input was decompressed already.
func open(name string, r *bufio.Reader, inside bool) (Reader, error) {
	head, err := r.Peek(1024)
	if err != nil && err != io.EOF {
		return nil, err
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(head, bom), " \t\r\n")
	switch {
	case len(head) == 0:
		return nil, errors.New("the file is empty")
	case bytes.HasPrefix(head, []byte(headerStart)), len(head) > len("HEADER ") && strings.HasPrefix(headerStart, string(head)):
		return openXPT(r)
	case bytes.HasPrefix(head, []byte("\x1f\x8b")), isZlib(name, head):
		if inside {
			return nil, errors.New("the file is compressed twice: decompress it once")
		}
		return openCompressed(name, r, head[0] == 0x1f)
	case bytes.HasPrefix(head, []byte("**COMPRESSED**")):
		return nil, errors.New("this is a SAS CPORT file, whose format is not published: export the table as XPT version 5 or Dataset-JSON")
	case len(head) > 16 && string(head[12:16]) == "\xc2\xea\x81\x60":
		return nil, errors.New("this is a SAS data set (sas7bdat): export it as XPT version 5 or Dataset-JSON")
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return nil, errors.New("this is a ZIP archive or a spreadsheet: take the table out of it, as CSV if it is a spreadsheet")
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return nil, errors.New("this is UTF-16 text: convert it to UTF-8")
	case bytes.IndexByte(head, 0) >= 0:
		return nil, errors.New("this is no table that is known: want XPT, Dataset-JSON or CSV")
	case len(text) > 0 && text[0] == '{':
		return openJSON(r)
	case len(text) > 0 && text[0] == '[':
		return nil, errors.New("this is JSON without the metadata of Dataset-JSON: rows alone have no columns")
	case len(text) > 0 && text[0] == '<':
		return nil, errors.New("this is XML: want XPT, Dataset-JSON or CSV (a define.xml is read with ParseDefine)")
	}
	return openCSV(name, r)
}

var bom = []byte("\xef\xbb\xbf")

// isZlib reports whether a file starts as zlib does (RFC 1950): the method DEFLATE with a window of 32 KiB,
// at one of the four levels. "x^" is text too, so the name decides.
func isZlib(name string, head []byte) bool {
	return len(head) > 2 && head[0] == 0x78 &&
		(head[1] == 0x01 || head[1] == 0x9c || head[1] == 0xda || head[1] == 0x5e && !strings.EqualFold(path.Ext(name), ".csv"))
}

// openCompressed opens what is compressed.
//
// SPEC (Compressed Dataset-JSON 1.1): "A DSJC file consists solely of the zLib-compressed byte stream
// without any additional headers, signatures, or metadata wrapping."
func openCompressed(name string, r *bufio.Reader, isGzip bool) (Reader, error) {
	ext := path.Ext(name)
	var z io.Reader
	var err error
	if isGzip {
		z, err = gzip.NewReader(r)
	} else {
		z, err = zlib.NewReader(r)
	}
	if err != nil {
		return nil, fmt.Errorf("decompress: %w", err)
	}
	inner := name
	if strings.EqualFold(ext, ".gz") || strings.EqualFold(ext, ".zlib") {
		inner = strings.TrimSuffix(name, ext)
	}
	t, err := open(inner, bufio.NewReaderSize(&whole{z: z, rest: r}, 64<<10), true)
	if err != nil {
		return nil, err
	}
	if isGzip && strings.EqualFold(ext, ".dsjc") {
		t.Table().note("dsjc", "", "the file is compressed with gzip; Compressed Dataset-JSON 1.1 asks for zlib")
	}
	return t, nil
}

// A whole reads a compressed stream that must be all there is.
type whole struct {
	z    io.Reader
	rest *bufio.Reader
}

func (w *whole) Read(p []byte) (int, error) {
	n, err := w.z.Read(p)
	if err == io.EOF {
		if _, more := w.rest.ReadByte(); more == nil {
			err = errors.New("something follows the compressed data")
		} else if more != io.EOF {
			err = more
		}
	}
	if err != nil && err != io.EOF {
		err = fmt.Errorf("decompress: %w", err)
	}
	return n, err
}

// openXPT returns the one table of a library.
func openXPT(r io.Reader) (Reader, error) {
	x, err := NewXPT(r)
	if err != nil {
		return nil, err
	}
	m, err := x.NextMember()
	if err == io.EOF {
		return nil, errors.New("the XPT library has no table")
	}
	if err != nil {
		return nil, err
	}
	return &rows{table: m.Table(), next: func() ([]Value, error) {
		v, err := m.Next()
		if err == io.EOF && x.ahead {
			return nil, errMembers
		}
		return v, err
	}}, nil
}

// An input is a buffered reader of text that counts lines.
type input struct {
	r        io.Reader
	buf      []byte
	pos, end int
	read     int64 // bytes of the input up to end
	line     int64 // from 1
	err      error
}

func newInput(r io.Reader) *input { return &input{r: r, buf: make([]byte, 64<<10), line: 1} }

// fill reads on. It returns io.EOF at the end of the input.
func (in *input) fill() error {
	for tries := 0; in.err == nil; tries++ {
		n, err := in.r.Read(in.buf)
		in.pos, in.end, in.err = 0, n, err
		in.read += int64(n)
		if n > 0 {
			return nil
		}
		if err == nil && tries > 100 {
			in.err = io.ErrNoProgress
		}
	}
	return in.err
}

// peek returns the next byte without taking it.
func (in *input) peek() (byte, error) {
	if in.pos == in.end {
		if err := in.fill(); err != nil {
			return 0, err
		}
	}
	return in.buf[in.pos], nil
}

// offset is how many bytes were taken.
func (in *input) offset() int64 { return in.read - int64(in.end-in.pos) }

// skipBOM takes a byte order mark of UTF-8, if there is one, and reports that.
func (in *input) skipBOM() (bool, error) {
	if c, err := in.peek(); err != nil || c != bom[0] {
		return false, err
	}
	if in.end-in.pos < len(bom) || !bytes.HasPrefix(in.buf[in.pos:in.end], bom) {
		return false, errors.New("the file does not start with UTF-8 text")
	}
	in.pos += len(bom)
	return true, nil
}

// checkUTF8 returns an error if a text is not UTF-8.
func checkUTF8(b []byte) error {
	if !utf8.Valid(b) {
		return fmt.Errorf("%s is not UTF-8", quote(b))
	}
	return nil
}
