package sensor

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A node is a value of JSON with the place where it stands.
type node struct {
	kind byte // { [ " 0 (number) b (true, false) n (null)
	text string
	keys []string
	kids []*node
	end  int64 // offset after its first token
}

// A tree is a document of JSON.
type tree struct {
	text string
	dec  *json.Decoder
	name func(string) string // the plain name of a member, "" if it is of no interest
	at   int64               // where line was counted
	line int
}

const maxDepth = 64

// parse reads one value. It refuses a member that an object has twice, and what follows the
// value. If name is not nil, it maps the names of members to plain ones, or to "": those may be
// there twice.
func parse(text string, name func(string) string) (*tree, *node, error) {
	t := &tree{text: text, dec: json.NewDecoder(strings.NewReader(text)), name: name}
	t.dec.UseNumber()
	n, err := t.value(0)
	if err == nil {
		if _, e := t.dec.Token(); e == nil {
			err = errors.New("more follows the end of the document")
		} else if e != io.EOF {
			err = errors.New("it is not JSON: " + e.Error())
		}
	}
	if err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("the file ends too early: it is cut; ask for the whole file")
		}
		return nil, nil, fmt.Errorf("line %d: %w", t.lineAt(t.dec.InputOffset()), err)
	}
	return t, n, nil
}

func (t *tree) value(depth int) (*node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("it is nested more than %d deep", maxDepth)
	}
	tok, err := t.dec.Token()
	if err != nil {
		if _, ok := errors.AsType[*json.SyntaxError](err); ok {
			if int(t.dec.InputOffset()) >= len(strings.TrimRight(t.text, " \t\r\n")) {
				return nil, io.ErrUnexpectedEOF
			}
			return nil, fmt.Errorf("it is not JSON: %w", err)
		}
		return nil, err
	}
	n := &node{end: t.dec.InputOffset()}
	switch v := tok.(type) {
	case string:
		n.kind, n.text = '"', v
	case json.Number:
		n.kind, n.text = '0', v.String()
	case bool:
		n.kind = 'b'
		if v {
			n.text = "true"
		}
	case nil:
		n.kind = 'n'
	case json.Delim:
		n.kind = byte(v)
		seen := map[string]bool{}
		for t.dec.More() {
			if v == '{' {
				key, err := t.dec.Token()
				if err != nil {
					return nil, err
				}
				name, _ := key.(string)
				read := true
				if t.name != nil && t.name(name) == "" {
					read = false
				} else if t.name != nil {
					name = t.name(name)
				}
				if read && seen[name] {
					return nil, fmt.Errorf("the member %q occurs twice in one object", short(name))
				}
				seen[name] = true
				n.keys = append(n.keys, name)
			}
			kid, err := t.value(depth + 1)
			if err != nil {
				return nil, err
			}
			n.kids = append(n.kids, kid)
		}
		if _, err := t.dec.Token(); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// lineAt returns the line of an offset, counted from 1. It is fast if offsets grow.
func (t *tree) lineAt(offset int64) int {
	offset = min(offset, int64(len(t.text)))
	if offset < t.at || t.line == 0 {
		t.at, t.line = 0, 1
	}
	t.line += strings.Count(t.text[t.at:offset], "\n")
	t.at = offset
	return t.line
}

// errorf returns an error that names the line of a node.
func (t *tree) errorf(n *node, format string, args ...any) error {
	return fmt.Errorf("line %d: %w", t.lineAt(n.end), fmt.Errorf(format, args...))
}

// get returns a member of an object, nil if it has none or null.
func (n *node) get(name string) *node {
	if n == nil || n.kind != '{' {
		return nil
	}
	for i, key := range n.keys {
		if key == name && n.kids[i].kind != 'n' {
			return n.kids[i]
		}
	}
	return nil
}

// list returns the values of an array, or a value that stands alone as in JSON-LD.
func (n *node) list() []*node {
	switch {
	case n == nil || n.kind == 'n':
		return nil
	case n.kind == '[':
		return n.kids
	}
	return []*node{n}
}

// str returns the text of a member, "" if there is none.
func (t *tree) str(n *node, name string) (string, error) {
	m := n.get(name)
	if m == nil {
		return "", nil
	}
	if m.kind != '"' {
		return "", t.errorf(m, "%s is not a text", name)
	}
	return strings.TrimSpace(m.text), nil
}
