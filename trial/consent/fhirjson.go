package consent

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxFHIR bounds a FHIR Consent, in bytes: it may have the signed paper in it.
const MaxFHIR = 4 << 20

// maxDepth bounds how deep objects and lists stand in one another.
const maxDepth = 40

// A Refused says which element of a FHIR Consent does not let it count, and why.
type Refused struct {
	Path string // such as provision.provision[0].securityLabel[0]; empty for the whole resource
	Why  string
}

func (r *Refused) Error() string {
	if r.Path == "" {
		return r.Why
	}
	return r.Path + ": " + r.Why
}

// A node is a value of the resource, with its path.
type node struct {
	path  string
	value any // map[string]any, []any, string, json.Number or bool; nil if the element is absent
}

func (n node) refuse(format string, args ...any) error {
	return &Refused{n.path, fmt.Sprintf(format, args...)}
}

// parseFHIR parses a resource in JSON. It refuses what two readers could read in two ways: a
// member that an object has twice, and null. It refuses an element without content too, and
// what changes the meaning of other elements in a way that is not known here.
func parseFHIR(data []byte) (node, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	switch trimmed := bytes.TrimLeft(data, " \t\r\n"); {
	case len(data) > MaxFHIR:
		return node{}, fmt.Errorf("a FHIR Consent has at most %d bytes, not %d", MaxFHIR, len(data))
	case bytes.HasPrefix(trimmed, []byte("<")):
		return node{}, errors.New("it is XML: give the FHIR Consent in JSON")
	case !bytes.HasPrefix(trimmed, []byte("{")) && !bytes.HasPrefix(trimmed, []byte("/")):
		return node{}, errors.New("it is not a FHIR Consent in JSON, which begins with {")
	case !utf8.Valid(data):
		return node{}, errors.New("the JSON is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	v, err := fhirValue(d, "", 0)
	if err == nil {
		if _, err = d.Token(); err == io.EOF {
			return node{"", v}, nil
		}
		if err == nil {
			err = errors.New("there is something behind the resource")
		}
	}
	var refused *Refused
	switch {
	case errors.As(err, &refused):
		return node{}, err
	case strings.Contains(err.Error(), "invalid character '/'"): // encoding/json has no other word for it
		return node{}, errors.New("it is not valid JSON: it has comments (// or /*), which JSON has not: take them out, or have its source do so")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return node{}, errors.New("it is not valid JSON: it ends in the middle; get the whole file")
	}
	return node{}, fmt.Errorf("it is not valid JSON: %w", err)
}

func fhirValue(d *json.Decoder, path string, depth int) (any, error) {
	here := node{path: path}
	if depth > maxDepth {
		return nil, &Refused{"", fmt.Sprintf("objects and lists stand more than %d deep in one another", maxDepth)}
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t {
	case nil:
		return nil, here.refuse("null is not a value of FHIR")
	case "":
		return nil, here.refuse("the text is empty")
	case json.Delim('{'):
		object := map[string]any{}
		for d.More() {
			t, err := d.Token()
			if err != nil {
				return nil, err
			}
			name, ok := t.(string)
			if !ok {
				return nil, fmt.Errorf("%v stands where a name of a member is expected", t)
			}
			child := node{path: join(path, name)}
			switch _, twice := object[name]; {
			case twice:
				return nil, child.refuse("the member is there twice: one reader would take the first, another the second")
			case name == "modifierExtension":
				return nil, child.refuse("it changes the meaning of the elements beside it, and is not understood here")
			case name == "implicitRules":
				return nil, child.refuse("it changes the meaning of the whole resource, and is not understood here")
			}
			if object[name], err = fhirValue(d, child.path, depth+1); err != nil {
				return nil, err
			}
		}
		if _, err = d.Token(); err == nil && len(object) == 0 {
			err = here.refuse("the element is empty")
		}
		return object, err
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := fhirValue(d, path+"["+strconv.Itoa(len(list))+"]", depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		if _, err = d.Token(); err == nil && len(list) == 0 {
			err = here.refuse("the list is empty")
		}
		return list, err
	}
	return t, nil
}

func join(path, name string) string {
	if !plainName(name) {
		name = strconv.Quote(name[:min(len(name), 40)])
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

func plainName(name string) bool {
	return name != "" && len(name) <= 60 && strings.Trim(name, "_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

func (n node) present() bool { return n.value != nil }

// get returns a member of an object. It is absent if the object is.
func (n node) get(name string) node {
	object, _ := n.value.(map[string]any)
	return node{join(n.path, name), object[name]}
}

// object refuses anything but an object, and members other than the names.
func (n node) object(names ...string) error {
	object, ok := n.value.(map[string]any)
	if !ok {
		return n.refuse("an object is expected here")
	}
	var unknown []string
	for name := range object {
		if !slices.Contains(names, name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		return n.get(unknown[0]).first().refuse("%s", notUnderstood(unknown[0]))
	}
	return nil
}

// list returns the members of a list; none if it is absent.
func (n node) list() ([]node, error) {
	if !n.present() {
		return nil, nil
	}
	list, ok := n.value.([]any)
	if !ok {
		return nil, n.refuse("a list is expected here")
	}
	var nodes []node
	for i, v := range list {
		nodes = append(nodes, node{n.path + "[" + strconv.Itoa(i) + "]", v})
	}
	return nodes, nil
}

// first returns the first member of a list, and anything else as it is.
func (n node) first() node {
	if list, ok := n.value.([]any); ok && len(list) > 0 {
		return node{n.path + "[0]", list[0]}
	}
	return n
}

// text returns a text; "" if it is absent.
func (n node) text() (string, error) {
	if !n.present() {
		return "", nil
	}
	s, ok := n.value.(string)
	if !ok || len(s) > 1000 || strings.TrimSpace(s) != s {
		return "", n.refuse("a text of at most 1000 bytes, without space around it, is expected here")
	}
	return s, nil
}

// A coding is a code of a vocabulary.
type coding struct {
	node
	system, code string
}

// codings returns the codings of a Coding or of a CodeableConcept: in the latter they are several
// names of one thing.
func (n node) codings(concept bool) (list []coding, err error) {
	nodes := []node{n}
	if concept {
		if err := n.object("id", "coding", "text", "extension"); err != nil {
			return nil, err
		}
		if nodes, err = n.get("coding").list(); err != nil {
			return nil, err
		}
	}
	for _, c := range nodes {
		if err := c.object("id", "system", "version", "code", "display", "userSelected", "extension"); err != nil {
			return nil, err
		}
		system, err := c.get("system").text()
		if err != nil {
			return nil, err
		}
		code, err := c.get("code").text()
		if err != nil {
			return nil, err
		}
		list = append(list, coding{c, system, code})
	}
	return list, nil
}

// concepts returns the codings of each member of a list.
func (n node) concepts(concept bool) (list [][]coding, err error) {
	nodes, err := n.list()
	for _, c := range nodes {
		codings, err := c.codings(concept)
		if err != nil {
			return nil, err
		}
		if len(codings) == 0 {
			return nil, c.refuse("it has no code, and words are not understood here")
		}
		list = append(list, codings)
	}
	return list, err
}
