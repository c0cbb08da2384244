package consent

import (
	"regexp"
	"slices"
	"strings"
)

// An actor is somebody whom a FHIR Consent names. Who that is in the log, the file does not say.
type actor struct {
	names    []string // in the file: Organization/54, #org1, SYSTEM|VALUE of an identifier
	resource string   // Organization, if the file says that
}

// name returns the first name that says something outside of the file; "" if there is none.
func (a *actor) name() string {
	for _, name := range a.names {
		if !strings.HasPrefix(name, "#") {
			return name
		}
	}
	return ""
}

// typed finds the type in a reference such as Organization/54 or https://site.example/fhir/Organization/54.
var typed = regexp.MustCompile(`^(?:https?://.*/)?([A-Z][A-Za-z]+)/[A-Za-z0-9.-]{1,64}(?:/_history/[A-Za-z0-9.-]{1,64})?$`)

// readReference reads a Reference, and what it contains if that is in the same file.
func readReference(n, root node) (*actor, error) {
	if err := n.object("id", "reference", "type", "identifier", "display", "extension"); err != nil {
		return nil, err
	}
	a := &actor{}
	ref, err := n.get("reference").text()
	if err != nil {
		return nil, err
	}
	if a.resource, err = n.get("type").text(); err != nil {
		return nil, err
	}
	a.resource = strings.TrimPrefix(a.resource, "http://hl7.org/fhir/StructureDefinition/")
	if m := typed.FindStringSubmatch(ref); m != nil {
		if a.resource != "" && a.resource != m[1] {
			return nil, n.get("type").refuse("the reference is to a %s", m[1])
		}
		a.resource = m[1]
	}
	if ref != "" {
		a.names = append(a.names, ref)
	}
	if id := n.get("identifier"); id.present() {
		if err := a.identify(id); err != nil {
			return nil, err
		}
	}
	if strings.HasPrefix(ref, "#") {
		if err := a.contained(n.get("reference"), ref, root); err != nil {
			return nil, err
		}
	}
	if len(a.names) == 0 {
		return nil, n.refuse("it has neither a reference nor an identifier: a name alone says who it is to nobody")
	}
	return a, nil
}

func (a *actor) identify(id node) error {
	value, err := id.get("value").text()
	if err != nil {
		return err
	}
	system, err := id.get("system").text()
	if err != nil {
		return err
	}
	if value == "" {
		return id.refuse("the identifier has no value")
	}
	a.names = append(a.names, system+"|"+value)
	return nil
}

// contained takes type and identifiers from the resource that a reference such as #org1 names.
func (a *actor) contained(at node, ref string, root node) error {
	list, err := root.get("contained").list()
	if err != nil {
		return err
	}
	var found []node
	for _, c := range list {
		if id := c.get("id"); id.value == ref[1:] {
			found = append(found, c)
		}
	}
	if len(found) != 1 {
		return at.refuse("%d contained resources have the id %.60q, and one is expected", len(found), ref[1:])
	}
	of, err := found[0].get("resourceType").text()
	if err != nil {
		return err
	}
	if a.resource != "" && a.resource != of {
		return at.refuse("the contained resource is a %.40q, and the reference says %s", of, a.resource)
	}
	a.resource = of
	ids := found[0].get("identifier")
	if !ids.present() {
		return nil
	}
	nodes, err := ids.list()
	for _, id := range nodes {
		if err := a.identify(id); err != nil {
			return err
		}
	}
	return err
}

// recipientRoles are the roles of those who receive data: information recipient, and primary one.
var recipientRoles = []string{"IRCP", "PRCP"}

// readActors reads the actors of a provision. They count as those who receive the data. A
// provision about others, such as who keeps it or wrote it, is not understood.
func readActors(list []node, root node, r5, permit bool) (names []string, err error) {
	for _, n := range list {
		if err := n.object("id", "role", "reference"); err != nil {
			return nil, err
		}
		role := n.get("role")
		if role.present() {
			codes, err := role.codings(true)
			if err != nil {
				return nil, err
			}
			if !slices.ContainsFunc(codes, func(c coding) bool { return c.in(participation) && slices.Contains(recipientRoles, c.code) }) {
				where := role
				if len(codes) > 0 {
					where = codes[0].node
				}
				return nil, where.refuse("a provision is understood for actors who receive data (%s of %s), not for others",
					strings.Join(recipientRoles, ", "), participation)
			}
		} else if !r5 {
			return nil, role.refuse("R4 wants the role of an actor, and it is missing")
		}
		ref := n.get("reference")
		if !ref.present() {
			return nil, ref.refuse("it is missing, so nobody can tell for whom the provision is")
		}
		a, err := readReference(ref, root)
		if err != nil {
			return nil, err
		}
		if permit && a.resource != "" && a.resource != "Organization" {
			return nil, ref.refuse("it is a %s: data is released to organisations, and what one person or group may have, its organisation may not",
				a.resource)
		}
		if a.name() == "" {
			return nil, ref.refuse("it is to a contained resource without an identifier: nothing outside of this file can be compared with it")
		}
		names = append(names, a.name())
	}
	return names, nil
}
