package table

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of a define.xml. The largest in use have some tens of megabytes.
const (
	maxDefine      = 128 << 20
	maxDefinitions = 500000
	maxXMLDepth    = 64
)

// ParseDefine reads a define.xml. An XML document that is not well-formed, has a document type, is no
// define.xml or defines something twice is refused. What is only incomplete is a note.
func ParseDefine(data io.Reader) (*Define, error) {
	in := &io.LimitedReader{R: data, N: maxDefine + 1}
	r := bufio.NewReader(in)
	if b, _ := r.Peek(len(bom)); string(b) == string(bom) {
		_, _ = r.Discard(len(bom))
	}
	p := &definer{dec: xml.NewDecoder(r), define: new(Define), items: map[string]*Variable{}, lists: map[string][]ref{},
		methods: map[string]string{}, comments: map[string]string{}, leaves: map[string]string{}, oids: map[string]bool{}}
	p.dec.CharsetReader = charset
	if err := p.parse(); err != nil {
		if in.N <= 0 {
			err = fmt.Errorf("it has more than %d bytes", maxDefine)
		}
		line, _ := p.dec.InputPos()
		return nil, fmt.Errorf("read define.xml: line %d: %w", line, err)
	}
	if err := p.resolve(); err != nil {
		return nil, fmt.Errorf("read define.xml: %w", err)
	}
	return p.define, nil
}

// charset returns a reader of UTF-8 for a declared encoding.
func charset(name string, r io.Reader) (io.Reader, error) {
	switch strings.ToLower(name) {
	case "us-ascii", "ascii", "utf8":
		return r, nil
	case "iso-8859-1", "latin1":
		return &latinReader{r: r, one: true}, nil
	case "windows-1252", "cp1252":
		return &latinReader{r: r}, nil
	}
	return nil, fmt.Errorf("the encoding %q is not known: convert it to UTF-8", name)
}

// A latinReader turns ISO 8859-1, or windows-1252, into UTF-8.
type latinReader struct {
	r    io.Reader
	one  bool // ISO 8859-1
	rest []byte
	buf  [4096]byte
}

func (l *latinReader) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		n, err := l.r.Read(l.buf[:])
		if n == 0 {
			return 0, err
		}
		if l.one {
			for _, c := range l.buf[:n] {
				l.rest = utf8.AppendRune(l.rest, rune(c))
			}
		} else if l.rest, err = appendLatin(l.rest, l.buf[:n]); err != nil {
			return 0, err
		}
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// A ref is an ItemRef.
type ref struct {
	oid, role, method string
	order, key        int
	mandatory         bool
}

// A definer reads the elements of a define.xml.
type definer struct {
	dec    *xml.Decoder
	define *Define
	path   []string // the names of the open elements
	text   strings.Builder

	group  *Dataset // the open ItemGroupDef
	refs   [][]ref  // of each dataset
	keys   []string // def:DomainKeys of each dataset (version 1.0)
	list   string   // the open def:ValueListDef
	item   *Variable
	method string // the open MethodDef, comment CommentDef and leaf
	remark string
	leaf   string
	lang   bool // a TranslatedText of the open Description was taken

	items                     map[string]*Variable
	lists                     map[string][]ref
	methods, comments, leaves map[string]string
	archives                  []string // def:ArchiveLocationID of each dataset
	remarks                   []string // def:CommentOID of each dataset
	oids                      map[string]bool
}

// parse reads all elements.
func (p *definer) parse() error {
	for {
		tok, err := p.dec.Token()
		if err == io.EOF {
			if p.define.Version == "" {
				return errors.New("it has no MetaDataVersion with a def:DefineVersion: this is no define.xml")
			}
			return nil
		}
		if err != nil {
			return err
		}
		switch tok := tok.(type) {
		case xml.Directive:
			return errors.New("it has a document type, which Define-XML does not")
		case xml.StartElement:
			if len(p.path) == maxXMLDepth {
				return fmt.Errorf("elements are nested more than %d deep", maxXMLDepth)
			}
			if len(p.path) == 0 && (tok.Name.Local != "ODM" || p.define.Version != "") {
				return fmt.Errorf("the element %s is outside the one ODM element: this is no define.xml", tok.Name.Local)
			}
			p.path = append(p.path, tok.Name.Local)
			a, err := attributes(tok.Attr)
			if err != nil {
				return fmt.Errorf("%s: %w", tok.Name.Local, err)
			}
			p.text.Reset()
			if err := p.start(tok.Name.Local, a); err != nil {
				return fmt.Errorf("%s: %w", tok.Name.Local, err)
			}
		case xml.CharData:
			if p.text.Len() < MaxCell {
				p.text.Write(tok)
			}
		case xml.EndElement:
			p.end(tok.Name.Local)
			p.path = p.path[:len(p.path)-1]
		}
	}
}

// attributes returns the values of attributes by their local name, without name space declarations.
func attributes(list []xml.Attr) (map[string]string, error) {
	a := make(map[string]string, len(list))
	for _, attr := range list {
		if attr.Name.Space == "xmlns" || attr.Name.Local == "xmlns" {
			continue
		}
		if _, dup := a[attr.Name.Local]; dup {
			return nil, fmt.Errorf("attribute %s stands twice", attr.Name.Local)
		}
		a[attr.Name.Local] = strings.TrimSpace(attr.Value)
	}
	return a, nil
}

// within reports whether the element that holds the current one has a name.
func (p *definer) within(name string) bool { return len(p.path) > 1 && p.path[len(p.path)-2] == name }

// defines notes an OID, which must be new.
func (p *definer) defines(kind, oid string) error {
	if oid == "" {
		return errors.New("it has no OID")
	}
	if id := kind + " " + oid; p.oids[id] {
		return fmt.Errorf("%s is defined twice", oid)
	} else if p.oids[id] = true; len(p.oids) > maxDefinitions {
		return fmt.Errorf("there are more than %d definitions", maxDefinitions)
	}
	return nil
}

// number reads a number of an attribute that may be absent. It is 0 if it is absent or no number.
func (p *definer) number(of, name, s string) int {
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 1<<30 {
		p.note("%s has the %s %q, which is no number", of, name, s)
		return 0
	}
	return n
}

func (p *definer) note(format string, args ...any) {
	if len(p.define.Notes) < 1000 {
		p.define.Notes = append(p.define.Notes, fmt.Sprintf(format, args...))
	}
}
