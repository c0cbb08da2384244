package consent

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Permission is what a FHIR Consent permits. It never holds more than the resource says for
// certain.
type Permission struct {
	Terms              // subject, period, use and data; For adds the rest
	Actors    []string // references of those who alone may receive; empty: it names nobody
	NotActors []string // of those who must not
	NotData   []string // FHIR resource types that must not be released
	Open      bool     // it names no purpose, so what for is for the signed paper to say: until Narrow does, no request is answered

	endPath string // of the end of the period
}

// ReadFHIR reads a FHIR Consent of R4 or R5 in JSON. The error is a *Refused where an element does
// not let it count. Only an explicit permit is a permission: at the root or one level below in
// R4; in R5 at the root, because the provisions below negate it. Everything else narrows it, and
// what is not understood is refused, because it may.
func ReadFHIR(data []byte) (*Permission, error) {
	root, err := parseFHIR(data)
	if err != nil {
		return nil, err
	}
	if t := root.get("resourceType"); t.value == "Bundle" {
		return nil, t.refuse("it is a Bundle: take the Consent out of it, and give that alone")
	} else if t.value != "Consent" {
		return nil, t.refuse("it is no FHIR Consent")
	}
	r5, err := version(root)
	if err != nil {
		return nil, err
	}
	if s := root.get("status"); s.value != "active" {
		return nil, s.refuse("only a consent that is active counts, and this is %s", shown(s))
	}
	if err := whole(root.get("meta")); err != nil {
		return nil, err
	}
	if err := verified(root.get("verification")); err != nil {
		return nil, err
	}
	research, err := kindOf(root, r5)
	if err != nil {
		return nil, err
	}
	read := readR4
	if r5 {
		read = readR5
	}
	p, err := read(root, research)
	if err != nil {
		return nil, err
	}
	p.Subject, err = subject(root, r5)
	return p, err
}

// Members of a Consent beside those of any resource, in R4 and in R5 alone and in both.
var (
	membersR4 = strings.Fields("scope patient dateTime performer organization policy policyRule")
	membersR5 = strings.Fields("subject date period grantor grantee manager controller regulatoryBasis policyBasis policyText decision")
	members   = strings.Fields("resourceType id meta language text contained extension identifier status category sourceAttachment " +
		"sourceReference verification provision")
	primitives = strings.Fields("_id _language _status _dateTime _date _decision") // their extensions do not change their meaning
)

// version reports whether a Consent is one of R5. A resource that has members of both, or of
// neither, nobody can read for certain.
func version(root node) (r5 bool, err error) {
	if err := root.object(slices.Concat(members, membersR4, membersR5, primitives)...); err != nil {
		return false, err
	}
	first := func(names []string) (n node) {
		for _, name := range names {
			if n = root.get(name); n.present() {
				return n
			}
		}
		return node{}
	}
	of4, of5 := first(membersR4), first(membersR5)
	provision := root.get("provision")
	_, object := provision.value.(map[string]any)
	switch {
	case of4.present() && of5.present():
		return false, of5.refuse("FHIR R5 has this element and R4 has %s: a resource of both cannot be read for certain", of4.path)
	case of5.present() && object:
		return false, provision.refuse("it is one object as in R4, and %s is of R5: a resource of both cannot be read for certain", of5.path)
	case of4.present() && provision.present() && !object:
		return false, provision.refuse("it is a list as in R5, and %s is of R4: a resource of both cannot be read for certain", of4.path)
	}
	return !of4.present() && !object, nil
}

// whole refuses a resource of which a server has left something out, as it says in the tags.
func whole(meta node) error {
	for _, member := range []string{"tag", "security"} {
		list, err := meta.get(member).list()
		if err != nil {
			return err
		}
		for _, t := range list {
			if code := t.get("code"); slices.Contains([]any{"SUBSETTED", "REDACTED", "MASKED"}, code.value) {
				return t.refuse("a server has left something out of this resource (%v): get the whole of it", code.value)
			}
		}
	}
	return nil
}

func verified(n node) error {
	list, err := n.list()
	for _, v := range list {
		if is := v.get("verified"); is.present() && is.value != true {
			return is.refuse("the consent was not verified with the patient")
		}
	}
	return err
}

// narrowCategories are categories of consents that permit no research with identified data, or
// nothing of the kind.
var narrowCategories = map[string]string{
	"EMRGONLY": "it is for emergencies only", "emrgonly": "it is for emergencies only",
	"RSDID": "it is for data without identity, and nobody can tell whether a file is that",
	"rsdid": "it is for data without identity, and nobody can tell whether a file is that",
	"npp":   "it says that a notice was received, which permits nothing",
	"acd":   "it is an advance directive on care", "dnr": "it is an advance directive on care", "hcd": "it is an advance directive on care",
	"polst": "it is an advance directive on care",
}

// kindOf refuses a Consent that is neither one to research nor one to the use of data, as its scope
// (R4) or category has to say, and reports whether it is one to research.
func kindOf(root node, r5 bool) (research bool, err error) {
	found := false
	see := func(n node) error {
		list, err := n.codings(true)
		for _, c := range list {
			category := c.in(actCode) || c.in(consentCategory)
			switch {
			case c.in(consentScope) && c.code == "patient-privacy":
				found = true
			case c.in(consentScope) && c.code == "research",
				category && slices.Contains([]string{"RESEARCH", "RSREID", "research", "rsreid"}, c.code):
				found, research = true, true
			case c.in(consentScope):
				return c.refuse("a consent of the scope %.40q is none to research or to the use of data", c.code)
			case category && narrowCategories[c.code] != "":
				return c.refuse("%s", narrowCategories[c.code])
			}
		}
		return err
	}
	if scope := root.get("scope"); scope.present() {
		if err := see(scope); err != nil {
			return false, err
		}
		if !found {
			return false, scope.refuse("the scope is not research or patient-privacy of %s", consentScope)
		}
	}
	categories, err := root.get("category").list()
	if err != nil {
		return false, err
	}
	for _, c := range categories {
		if err := see(c); err != nil {
			return false, err
		}
	}
	if found {
		return research, nil
	}
	where := root.get("scope")
	if r5 {
		where = root.get("category")
	}
	return false, where.refuse("neither scope nor category says research or patient-privacy in the words of %s", consentScope)
}

// subject returns whose data it is.
func subject(root node, r5 bool) (string, error) {
	n := root.get("patient")
	if r5 {
		n = root.get("subject")
	}
	if !n.present() {
		return "", nil
	}
	a, err := readReference(n, root)
	if err != nil {
		return "", err
	}
	if a.resource != "" && a.resource != "Patient" {
		return "", n.refuse("it is a %s: a consent is read for one patient", a.resource)
	}
	if name := a.name(); name != "" {
		return name, nil
	}
	return "", n.refuse("it is a contained Patient without an identifier: nothing outside this file can be compared with it")
}

// Narrow narrows a permission to what the signed paper permits: codes of use, and kinds of data.
// Where the file names a purpose or kinds of data, they have to be among these; where it does not
// name a purpose, research of any kind may be said. What is empty is left as it is.
func (p *Permission) Narrow(use, data []string) error {
	if len(use) > 0 {
		permitted := p.Use
		if p.Open {
			permitted = []string{duoGRU}
		}
		if err := Match(permitted, use); err != nil {
			return fmt.Errorf("the FHIR Consent does not permit that use: %w", err)
		}
		p.Use, p.Open = sortedUnique(use), false
	}
	for _, d := range data {
		if len(p.Data) > 0 && !slices.Contains(p.Data, d) || slices.Contains(p.NotData, d) {
			return fmt.Errorf("the FHIR Consent does not permit the release of %s", d)
		}
	}
	if len(data) > 0 {
		p.Data = sortedUnique(data)
	}
	return nil
}

// Current refuses a permission whose period is over at a time.
func (p *Permission) Current(at time.Time) error {
	end, ok := p.End()
	if ok && at.After(end) {
		return &Refused{p.endPath, fmt.Sprintf("the permission ended on %s", end.UTC().Format(time.RFC3339))}
	}
	return nil
}

// ErrActor is wrapped by the error of For where nothing says whether an organisation is one that
// the resource names.
var ErrActor = errors.New("say with -actor who that is")

// For returns the terms for one organisation, which the resource may name by one of the
// references given. Who is excluded stays in the terms.
func (p *Permission) For(org string, references ...string) (*Terms, error) {
	named := func(ref string) bool { return slices.Contains(references, ref) }
	if len(p.Actors) > 0 && !slices.ContainsFunc(p.Actors, named) {
		return nil, fmt.Errorf("the consent is for %s alone, and nothing says that %s is it: %w, for example -actor %s=%s",
			strings.Join(p.Actors, ", "), org, ErrActor, org, p.Actors[0])
	}
	excluded := func(ref string) bool { return named(ref) || ref == org || strings.HasSuffix(ref, "/"+org) }
	if i := slices.IndexFunc(p.NotActors, excluded); i >= 0 {
		return nil, fmt.Errorf("the consent excludes %s, which is %s", p.NotActors[i], org)
	}
	if len(p.NotData) > 0 && len(p.Data) == 0 {
		return nil, fmt.Errorf("the FHIR Consent denies the release of %s and does not say what it permits: name with -data what may be released",
			strings.Join(p.NotData, ", "))
	}
	t := p.Terms
	t.Recipient, t.Not = org, sortedUnique(p.NotActors)
	return &t, nil
}

func sortedUnique(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

// shown returns a value for a message.
func shown(n node) string {
	if !n.present() {
		return "missing"
	}
	return fmt.Sprintf("%.60q", fmt.Sprint(n.value))
}
