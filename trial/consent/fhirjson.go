package consent

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"
)

// MaxFHIR bounds a FHIR resource, in bytes, and maxDepth how deep it nests.
const (
	MaxFHIR  = 1 << 20
	maxDepth = 40
)

// A Refused says where in a FHIR Consent something stands that does not permit a release, or that
// is not understood, and why.
type Refused struct {
	Path string // such as provision.provision[0].securityLabel
	Why  string
}

func (r *Refused) Error() string { return r.Path + ": " + r.Why }

// A node is a JSON value, with the path that leads to it.
type node struct {
	path  string
	value any // map[string]any, []any, string, json.Number, bool or nil
}

// parseFHIR parses a JSON object. A member that is there twice has no one meaning, so it is
// refused.
func parseFHIR(data []byte) (*node, error) {
	if len(data) > MaxFHIR {
		return nil, fmt.Errorf("it has %d bytes; the most is %d", len(data), MaxFHIR)
	}
	if !utf8.Valid(data) {
		return nil, errors.New("it is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	v, err := readValue(dec, "", 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("there is something behind the JSON object")
	}
	if _, ok := v.(map[string]any); !ok {
		return nil, errors.New("it is not a JSON object")
	}
	return &node{"", v}, nil
}

func readValue(dec *json.Decoder, path string, depth int) (any, error) {
	if depth > maxDepth {
		return nil, &Refused{path, "it nests too deep"}
	}
	t, err := dec.Token()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, errors.New("it is cut short: the JSON ends too early")
	}
	if err != nil {
		return nil, fmt.Errorf("it is not JSON (behind %q): %w", path, err)
	}
	switch t {
	case json.Delim('{'):
		object := map[string]any{}
		for dec.More() {
			name, err := dec.Token()
			if err != nil {
				return nil, fmt.Errorf("it is not JSON (behind %q): %w", path, err)
			}
			member := name.(string)
			if _, twice := object[member]; twice {
				return nil, &Refused{join(path, member), "it is there twice"}
			}
			if object[member], err = readValue(dec, join(path, member), depth+1); err != nil {
				return nil, err
			}
		}
		return object, closed(dec)
	case json.Delim('['):
		list := []any{}
		for dec.More() {
			v, err := readValue(dec, fmt.Sprintf("%s[%d]", path, len(list)), depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, closed(dec)
	}
	return t, nil
}

// closed reads the end of an object or array.
func closed(dec *json.Decoder) error {
	if _, err := dec.Token(); err != nil {
		return errors.New("it is cut short: the JSON ends too early")
	}
	return nil
}

func join(path, member string) string {
	if path == "" {
		return member
	}
	return path + "." + member
}

func (n *node) refuse(format string, args ...any) error {
	return &Refused{n.path, fmt.Sprintf(format, args...)}
}

// has reports whether a member is there.
func (n *node) has(member string) bool {
	object, _ := n.value.(map[string]any)
	_, ok := object[member]
	return ok
}

// get returns a member, whose value is nil if it is not there.
func (n *node) get(member string) *node {
	object, _ := n.value.(map[string]any)
	return &node{join(n.path, member), object[member]}
}

// list returns the elements of an array, none if it is not there.
func (n *node) list() ([]*node, error) {
	if n.value == nil {
		return nil, nil
	}
	values, ok := n.value.([]any)
	if !ok {
		return nil, n.refuse("it is not an array")
	}
	var list []*node
	for i, v := range values {
		list = append(list, &node{fmt.Sprintf("%s[%d]", n.path, i), v})
	}
	return list, nil
}

// text returns a text, "" if it is not there.
func (n *node) text() (string, error) {
	if n.value == nil {
		return "", nil
	}
	s, ok := n.value.(string)
	if !ok {
		return "", n.refuse("it is not a text")
	}
	return s, nil
}

// only refuses members that are not named: nobody may guess what they restrict. An extension that
// modifies nothing may be left out of account; one that modifies may not.
func (n *node) only(members ...string) error {
	object, ok := n.value.(map[string]any)
	if !ok {
		return n.refuse("it is not an object")
	}
	var unknown []string
	for name := range object {
		if name != "id" && name != "extension" && !slices.Contains(members, name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		return n.get(name).refuse("this is not understood here, so nobody can tell whether it permits a release")
	}
	return nil
}

// A coding is a code of a code system.
type coding struct{ system, code string }

// codingAt reads a Coding.
func (n *node) coding() (c coding, err error) {
	if err = n.only("system", "code", "display", "version", "userSelected"); err != nil {
		return c, err
	}
	if c.system, err = n.get("system").text(); err == nil {
		c.code, err = n.get("code").text()
	}
	if err == nil && c.code == "" {
		err = n.refuse("it has no code")
	}
	return c, err
}

// concept reads the codings of a CodeableConcept. One that has only text has none.
func (n *node) concept() (list []coding, err error) {
	if err := n.only("coding", "text"); err != nil {
		return nil, err
	}
	codings, err := n.get("coding").list()
	if err != nil {
		return nil, err
	}
	for _, x := range codings {
		c, err := x.coding()
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}
