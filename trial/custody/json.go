package custody

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	maxDocument = 16 << 20 // bytes
	maxDepth    = 64       // of arrays and objects in each other
)

// A node is a JSON value. Objects keep the order of their members.
type node struct {
	kind  byte     // '{', '[', 's' text, '0' number, 'b' true or false, 'n' null
	text  string   // of a text, a number, true or false
	names []string // of the members of an object
	list  []node   // the values of an array or an object
}

// get returns the member of an object with a name; null is none.
func (n node) get(name string) (node, bool) {
	for i, other := range n.names {
		if other == name {
			return n.list[i], n.list[i].kind != 'n'
		}
	}
	return node{}, false
}

// word returns the text of the member with a name, or "".
func (n node) word(name string) string {
	v, _ := n.get(name)
	if v.kind != 's' {
		return ""
	}
	return strings.TrimSpace(v.text)
}

// items returns the elements of an array, or the one value that stands for an array of one.
func (n node) items() []node {
	if n.kind == '[' {
		return n.list
	}
	return []node{n}
}

// parseJSON reads a document strictly: UTF-8, no name twice in an object, not too large or deep.
func parseJSON(doc []byte) (node, error) {
	if len(doc) > maxDocument {
		return node{}, fmt.Errorf("the document has %d bytes, more than 16 MB: split it into documents of fewer events", len(doc))
	}
	doc = bytes.TrimPrefix(doc, []byte("\ufeff"))
	if !utf8.Valid(doc) {
		return node{}, errors.New("the document is not UTF-8: save it as UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	n, err := readNode(d, 0)
	if err != nil {
		return node{}, err
	}
	if _, err := d.Token(); err != io.EOF {
		return node{}, errors.New("there is more after the end of the JSON document: give one document a file")
	}
	return n, nil
}

// readNode reads one value below depth others.
func readNode(d *json.Decoder, depth int) (n node, err error) {
	if depth > maxDepth {
		return n, fmt.Errorf("the document has more than %d objects and arrays in each other", maxDepth)
	}
	token, err := d.Token()
	if err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return n, fmt.Errorf("the document is not JSON at byte %d: %w", d.InputOffset(), err)
	}
	switch v := token.(type) {
	case nil:
		return node{kind: 'n'}, nil
	case bool:
		return node{kind: 'b', text: fmt.Sprint(v)}, nil
	case json.Number:
		return node{kind: '0', text: v.String()}, nil
	case string:
		return node{kind: 's', text: v}, checkEscapes(v)
	case json.Delim:
		n.kind = byte(v)
	}
	seen := map[string]bool{}
	for d.More() {
		if n.kind == '{' {
			name, err := readNode(d, depth+1)
			if err != nil {
				return n, err
			}
			if seen[name.text] {
				return n, fmt.Errorf("an object has %.60q twice, at byte %d: which one is meant is not known", name.text, d.InputOffset())
			}
			seen[name.text] = true
			n.names = append(n.names, name.text)
		}
		v, err := readNode(d, depth+1)
		if err != nil {
			return n, err
		}
		n.list = append(n.list, v)
	}
	if _, err := d.Token(); err != nil {
		return n, fmt.Errorf("the document is not JSON at byte %d: an object or array does not end", d.InputOffset())
	}
	return n, nil
}

// checkEscapes refuses what stands for half of a character: \ud800 without its other half is
// read as U+FFFD, so that two different texts would be the same.
func checkEscapes(s string) error {
	if strings.ContainsRune(s, utf8.RuneError) {
		return fmt.Errorf("the text %.60q has a character that was damaged (U+FFFD): export the document again", s)
	}
	return nil
}
