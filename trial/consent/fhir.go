package consent

import (
	"fmt"
	"slices"
	"strings"
)

// A Permission is what a FHIR Consent permits: to use a person's data, by some organisations and in
// some time. It never holds more than the resource says for certain.
type Permission struct {
	Subject string     // such as Patient/p1, or SYSTEM|VALUE of an identifier; empty if none is named
	Period  *Period    // when; nil if it does not say
	Use     []string   // codes of the Data Use Ontology; empty if it names no purpose
	Only    [][]*Actor // whom it is for: one of each list; none: it names nobody
	Except  []*Actor   // whom it is not for
}

// ReadFHIR reads a FHIR Consent of R4 or R5 in JSON. The error is a *Refusal where an element does
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
	if err := verified(root.get("verification")); err != nil {
		return nil, err
	}
	research, err := checkKind(root, r5)
	if err != nil {
		return nil, err
	}
	read := readR4
	if r5 {
		read = readR5
	}
	p, err := read(root)
	if err != nil {
		return nil, err
	}
	if research && len(p.Use) == 0 {
		// SPEC: consentscope#research: "Consent to participate in research protocol and information
		// sharing required". The research of a health record is health research.
		p.Use = []string{duoHMB}
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

// checkKind refuses a Consent that is neither one to research nor one to the use of data, and reports
// whether it is one to research. Its scope
// (R4) or category has to say that it is.
func checkKind(root node, r5 bool) (research bool, err error) {
	found := false
	see := func(n node) error {
		list, err := n.codings(true)
		for _, c := range list {
			category := c.in(actCode) || c.in(consentCategory)
			switch {
			case c.in(consentScope) && (c.code == "research" || c.code == "patient-privacy"),
				category && slices.Contains([]string{"RESEARCH", "RSREID", "research", "rsreid"}, c.code):
				found, research = true, research || c.code != "patient-privacy"
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
	for _, name := range a.Names {
		if !strings.HasPrefix(name, "#") {
			return name, nil
		}
	}
	return "", n.refuse("it is a contained Patient without an identifier: nothing outside this file can be compared with it")
}

// Terms returns the terms under which an organisation may receive the data. Who knows the actors
// by their names in the file says which organisation each is, or works for. Use is what the data
// is wanted for, where the file names no purpose or permits more; nil is all that it permits. Who is
// excluded, and of whom nobody has said which organisation that is, stays in the terms.
func (p *Permission) Terms(to string, use []string, who map[string]string) (*Terms, error) {
	for _, list := range p.Only {
		if err := oneOf(list, to, who); err != nil {
			return nil, err
		}
	}
	t := &Terms{Period: p.Period, Recipient: to, Subject: p.Subject, Use: slices.Clone(p.Use)}
	for _, a := range p.Except {
		switch org := a.org(who); {
		case org == to, org == "" && a.named(to):
			return nil, &Refusal{a.Path, fmt.Sprintf("the consent excludes %s, which is %s", a, to)}
		case org == "": // whoever knows that it is this organisation must say so: it stays in the terms
			t.Not = append(t.Not, a.String())
		}
	}
	if use != nil {
		if err := p.allows(use); err != nil {
			return nil, err
		}
		t.Use = slices.Clone(use)
	}
	slices.Sort(t.Not)
	t.Not = slices.Compact(t.Not)
	slices.Sort(t.Use)
	t.Use = slices.Compact(t.Use)
	return t, nil
}

// allows refuses a use that the file does not permit.
func (p *Permission) allows(use []string) error {
	permitted := p.Use
	if len(permitted) == 0 {
		permitted = []string{duoGRU} // research of any kind, and no more than research
	}
	if err := Match(permitted, use); err != nil {
		return fmt.Errorf("the FHIR Consent does not permit that use: %w", err)
	}
	return nil
}

func oneOf(list []*Actor, to string, who map[string]string) error {
	var unknown *Actor
	var names []string
	for _, a := range list {
		switch a.org(who) {
		case to:
			return nil
		case "":
			if a.named(to) {
				return nil
			}
			unknown = a
		}
		names = append(names, a.String())
	}
	if unknown != nil {
		return &Refusal{unknown.Path, fmt.Sprintf("the consent is for %s alone, and nobody has said which organisation that is: "+
			"if it is %s, say so, as in %s=%s", strings.Join(names, ", "), to, unknown, to)}
	}
	return &Refusal{list[0].Path, fmt.Sprintf("the consent is for %s, not for %s", strings.Join(names, ", "), to)}
}

// shown returns a value for a message.
func shown(n node) string {
	if !n.present() {
		return "missing"
	}
	return fmt.Sprintf("%.60q", fmt.Sprint(n.value))
}
