package vault

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// content looks at a file while it is encrypted: whether it has FHIR resources in JSON (one, a
// Bundle, ndjson, or an array), of which types, and whose data they are. It finds mistakes. It
// cannot prove that a file is of one person: names in free text, and files in other formats,
// are bytes to it.
type content struct {
	scan   scanner
	levels []level

	resources bool // there is a resource
	types     map[string]bool
	patients  int
	patient   patient              // the first
	refs      map[reference]bool   // to patients, and texts of which the type is not known
	texts     map[reference]string // as they were written first
	problem   error                // the first that was met
}

// A level is an object or an array that is open.
type level struct {
	array    bool
	member   string // the name of what follows
	resource string // members of these names, if they are texts
	id       string
	fullURL  string
	ref      string
	patient  bool // the member resource is the first patient
}

// A patient has an id, and in a Bundle a URL.
type patient struct{ id, url string }

// A reference is a FHIR reference without its version: server/Patient/ID. Without a type it is
// something else, such as urn:uuid:..., and all of it is the id.
type reference struct{ server, kind, id string }

const maxRefs = 100

func newContent() *content {
	c := &content{types: map[string]bool{}, refs: map[reference]bool{}, texts: map[reference]string{}}
	c.scan.visit = c
	return c
}

func (c *content) Write(p []byte) (int, error) { return c.scan.Write(p) }

func (c *content) fail(format string, args ...any) {
	if c.problem == nil {
		c.problem = fmt.Errorf(format, args...)
	}
}

func (c *content) open(array bool) { c.levels = append(c.levels, level{array: array}) }

func (c *content) member(name string) { c.levels[len(c.levels)-1].member = name }

func (c *content) text(s string, long bool) {
	if len(c.levels) == 0 || c.levels[len(c.levels)-1].array {
		return
	}
	l := &c.levels[len(c.levels)-1]
	var to *string
	switch l.member {
	case "resourceType":
		to = &l.resource
		c.resources = true
		if !resourceType.MatchString(s) {
			c.fail("resourceType %.40q is no type of FHIR resources", s)
		}
	case "id":
		to = &l.id
	case "fullUrl":
		to = &l.fullURL
	case "reference":
		to = &l.ref
	default:
		return
	}
	if long {
		c.fail("it has a member %s with a text of over %d bytes", l.member, maxText)
	}
	if *to != "" {
		c.fail("it has an object with two members %s", l.member)
	}
	*to = s
}

var resourceType = regexp.MustCompile(`^[A-Z][A-Za-z]{1,63}$`)

func (c *content) shut() {
	l := c.levels[len(c.levels)-1]
	c.levels = c.levels[:len(c.levels)-1]
	if l.patient && c.patient.url == "" {
		c.patient.url = l.fullURL
	}
	if l.ref != "" {
		c.refer(l.ref)
	}
	if l.resource == "" {
		return
	}
	if l.resource != "Bundle" && len(c.types) < maxRefs {
		c.types[l.resource] = true
	}
	if l.resource == "Patient" {
		if c.patients++; c.patients == 1 {
			c.patient.id = l.id
			if n := len(c.levels); n > 0 && c.levels[n-1].member == "resource" {
				c.levels[n-1].patient = true
			}
		}
	}
}

// refer takes a reference by the member whose value it is.
func (c *content) refer(text string) {
	if strings.HasPrefix(text, "#") {
		return // inside the resource: if it is a patient, it is counted as one
	}
	name := ""
	for _, l := range slices.Backward(c.levels) {
		if !l.array {
			name = l.member
			break
		}
	}
	r := parseReference(text)
	switch name {
	case "subject", "patient":
		if r.kind == "Group" {
			c.fail("its subject is %s, a group: a file has the data of one person", text)
		}
		if r.kind != "Patient" && r.kind != "" {
			return // a device, a place, a specimen
		}
	case "beneficiary", "individual", "for":
		if r.kind != "Patient" {
			return
		}
	default:
		return
	}
	if len(c.refs) == maxRefs && !c.refs[r] {
		c.fail("it refers to more than %d patients", maxRefs)
		return
	}
	if !c.refs[r] {
		c.refs[r], c.texts[r] = true, text
	}
}

func parseReference(text string) reference {
	text, _, _ = strings.Cut(text, "/_history/")
	parts := strings.Split(text, "/")
	if n := len(parts); n >= 2 && resourceType.MatchString(parts[n-2]) && parts[n-1] != "" {
		return reference{strings.Join(parts[:n-2], "/"), parts[n-2], parts[n-1]}
	}
	return reference{id: text}
}

// is reports whether a reference may be to the patient.
func (p patient) is(r reference) bool {
	if r.kind == "" {
		return p.url != "" && r.id == p.url || p.id != "" && r.id == "urn:uuid:"+p.id
	}
	if r.id != p.id {
		return p.url != "" && r == parseReference(p.url)
	}
	own := parseReference(p.url)
	return r.server == "" || own.kind == "" || own.server == r.server
}

// sameAs reports whether two references may be to one patient.
func (r reference) sameAs(o reference) bool {
	return r.id == o.id && r.kind == o.kind && (r.server == o.server || r.server == "" || o.server == "")
}

// found returns the subject and the types of resources of the file, or why it must not be
// protected with these options.
func (c *content) found(o *Options) (subject string, data []string, err error) {
	damaged := c.scan.end()
	if !c.resources {
		return o.Subject, o.Data, nil
	}
	if damaged != nil {
		return "", nil, fmt.Errorf("it has FHIR resources, and from byte %d on it cannot be read: %w", c.scan.offset, damaged)
	}
	if c.problem != nil {
		return "", nil, c.problem
	}
	data = slices.Sorted(maps.Keys(c.types))
	if len(o.Data) > 0 {
		for _, t := range data {
			if !slices.Contains(o.Data, t) {
				return "", nil, fmt.Errorf("it has a resource %s, which is not among the data that the file is said to have (%s): "+
					"leave it out of the file, or list it", t, strings.Join(o.Data, ", "))
			}
		}
		data = o.Data
	}
	if len(data) >= maxRefs {
		return "", nil, errors.New("it has resources of too many types")
	}
	subject, err = c.subject(o.Subject)
	return subject, data, err
}

// subject returns whose data the file has.
func (c *content) subject(given string) (string, error) {
	if c.patients > 1 {
		return "", fmt.Errorf("it has %d Patient resources: a file has the data of one person, so that it can be erased alone. "+
			"Make a file for each", c.patients)
	}
	refs := slices.SortedFunc(maps.Keys(c.refs), func(a, b reference) int { return strings.Compare(c.texts[a], c.texts[b]) })
	if c.patients == 1 {
		for _, r := range refs {
			if !c.patient.is(r) {
				return "", fmt.Errorf("it has the Patient %s and refers to %s too: a file has the data of one person", c.patient, c.texts[r])
			}
		}
		return chosen(given, c.patient.String(), c.patient.id, c.patient.url)
	}
	for i, r := range refs {
		for _, o := range refs[:i] {
			if !r.sameAs(o) {
				return "", fmt.Errorf("it refers to %s and to %s: a file has the data of one person", c.texts[o], c.texts[r])
			}
		}
	}
	if len(refs) == 0 {
		return given, nil
	}
	r := refs[0]
	if r.kind == "" {
		return chosen(given, r.id)
	}
	return chosen(given, r.kind+"/"+r.id, r.id, c.texts[r])
}

// chosen returns the subject that was given, and the first of the file's names for its patient if
// none was given. What has the form of a FHIR reference must be one of these names. What has not
// is the site's own pseudonym, with which nothing in the file can be compared.
func chosen(given string, names ...string) (string, error) {
	if given == "" || names[0] == "" {
		return cmp.Or(given, names[0]), nil
	}
	if (parseReference(given).kind != "" || strings.HasPrefix(given, "urn:")) && !slices.Contains(names, given) {
		return "", fmt.Errorf("it is said to have the data of %s, and it has those of %s", given, names[0])
	}
	return given, nil
}

// String returns the name by which a patient is known, "" if the file gives none.
func (p patient) String() string {
	if p.id != "" {
		return "Patient/" + p.id
	}
	return p.url
}
