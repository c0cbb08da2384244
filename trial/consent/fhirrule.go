package consent

import (
	"regexp"
	"slices"
)

// A rule is a provision as far as it is understood.
type rule struct {
	node
	kind     string // permit, deny or ""
	span     span
	actors   []string // references; nil: whoever
	data     []string // FHIR resource types; nil: whatever
	purposes bool     // it names purposes
	research bool     // one of them is research
	use      []string // what its research purposes are in the words of the Data Use Ontology
	effect   bool     // its actions are those of a release; true if it names none
	below    []node
}

// ruleOf reads the elements of a provision. In R4 a provision has a type, and in R5 it has none:
// kind says what it is.
func ruleOf(n, root node, r5 bool, kind string) (*rule, error) {
	names := []string{"id", "period", "actor", "action", "purpose", "code", "provision", "type", "class"}
	if r5 {
		names = append(names[:7], "resourceType")
	}
	if err := n.object(names...); err != nil {
		return nil, err
	}
	return readRule(n, root, r5, kind)
}

func readRule(n, root node, r5 bool, kind string) (r *rule, err error) {
	r = &rule{node: n, kind: kind}
	if r.span, err = readPeriod(n.get("period")); err != nil {
		return nil, err
	}
	actors, err := n.get("actor").list()
	if err != nil {
		return nil, err
	}
	if r.actors, err = readActors(actors, root, r5, kind != "deny"); err != nil {
		return nil, err
	}
	if r.effect, err = readActions(n.get("action"), kind); err != nil {
		return nil, err
	}
	if err := r.readPurposes(n.get("purpose")); err != nil {
		return nil, err
	}
	if err := r.readCodes(n.get("code")); err != nil {
		return nil, err
	}
	if r.data, err = readData(n); err != nil {
		return nil, err
	}
	r.below, err = n.get("provision").list()
	return r, err
}

var resourceType = regexp.MustCompile(`^[A-Z][A-Za-z]{1,63}$`)

// readData reads the kinds of data that a provision is about: class in R4, resourceType in R5. What
// a file is released for is labelled with the types of its resources; other kinds are not understood.
func readData(n node) (types []string, err error) {
	for _, member := range []string{"class", "resourceType"} {
		list, err := n.get(member).concepts(false)
		if err != nil {
			return nil, err
		}
		for _, codes := range list {
			c := codes[0]
			if !c.in(resourceTypes) || !resourceType.MatchString(c.code) {
				return nil, c.refuse("only types of FHIR resources (%s) are understood as kinds of data", resourceTypes)
			}
			types = append(types, c.code)
		}
	}
	slices.Sort(types)
	return slices.Compact(types), nil
}

// readActions reads the actions of a provision. A permission has to permit to keep the data and to
// use it, because who receives a file does both; "access" is to look at it, and no more. What
// denies any of these denies a release.
func readActions(n node, kind string) (effect bool, err error) {
	list, err := n.concepts(true)
	if err != nil || !n.present() {
		return true, err
	}
	var found []string
	for _, codes := range list {
		i := slices.IndexFunc(codes, func(c coding) bool { return c.in(consentAction) })
		if i < 0 || !slices.Contains([]string{"collect", "access", "use", "disclose", "correct"}, codes[i].code) {
			return false, codes[max(i, 0)].refuse("the action is not one of %s", consentAction)
		}
		found = append(found, codes[i].code)
	}
	if kind == "deny" {
		return slices.ContainsFunc(found, func(code string) bool { return code != "correct" }), nil
	}
	if !slices.Contains(found, "collect") || !slices.Contains(found, "use") {
		return false, n.refuse("it permits %v: who receives a file keeps it (collect) and uses it (use), and one of these is not permitted; "+
			"access alone is to look at data", found)
	}
	return true, nil
}

func (r *rule) readPurposes(n node) error {
	list, err := n.concepts(false)
	if err != nil {
		return err
	}
	for _, codes := range list {
		research, use, err := purposeOf(codes)
		if err != nil {
			return err
		}
		if r.purposes = true; !research {
			continue
		}
		if r.research = true; use == nil && r.kind != "deny" {
			return codes[0].refuse("%s is research that needs more words than this: say what is permitted with HRESCH, or with codes of the "+
				"Data Use Ontology", codes[0].code)
		}
		r.addUse(use)
	}
	return nil
}

// readCodes reads codes of the Data Use Ontology. Others are of the content of data.
func (r *rule) readCodes(n node) error {
	list, err := n.concepts(true)
	if err != nil {
		return err
	}
	for _, codes := range list {
		i := slices.IndexFunc(codes, func(c coding) bool { return c.in(duoSystem) })
		if i < 0 || r.kind == "deny" {
			return codes[0].refuse("%s", notUnderstood("code"))
		}
		_, use, err := purposeOf(codes[i : i+1])
		if err != nil {
			return err
		}
		r.purposes, r.research = true, true
		r.addUse(use)
	}
	return nil
}

// addUse adds a use that is permitted beside the others. To health research without a limit, health
// research in one project adds nothing.
func (r *rule) addUse(use []string) {
	had := slices.Clone(r.use)
	for _, code := range use {
		if !slices.Contains(r.use, code) {
			r.use = append(r.use, code)
		}
	}
	wide, one := purposeUse["HRESCH"], purposeUse["CLINTRCH"]
	if slices.Equal(use, wide) && slices.Equal(had, one) || slices.Equal(had, wide) && slices.Equal(use, one) {
		r.use = wide
	}
}

// readR4 reads the provisions of R4: one at the root, and its exceptions.
func readR4(root node, research bool) (*Permission, error) {
	n := root.get("provision")
	if !n.present() {
		return nil, n.refuse("it is missing: nothing in the resource permits anything")
	}
	below, err := n.get("provision").list()
	if err != nil {
		return nil, err
	}
	kind := n.get("type")
	permits := 0
	for _, b := range append([]node{n}, below...) {
		switch t := b.get("type"); {
		case t.value == "permit":
			permits++
		case t.present() && t.value != "deny", !t.present() && b.path != n.path:
			return nil, t.refuse("it is neither permit nor deny but %s", shown(t))
		}
	}
	if permits == 0 {
		return nil, kind.refuse("no provision says permit, and a policy (OPTIN, OPTOUT or another) is not read as if one did")
	}
	base, err := ruleOf(n, root, false, "permit") // if it is a denial, its elements say what the permits below are about
	if err != nil {
		return nil, err
	}
	var denies []*rule
	var found *rule
	for _, b := range below {
		at, _ := b.get("type").value.(string)
		r, err := ruleOf(b, root, false, at)
		if err != nil {
			return nil, err
		}
		switch {
		case len(r.below) > 0:
			return nil, r.get("provision").first().refuse("%s", notUnderstood("provision"))
		case at == "deny":
			denies = append(denies, r)
		case kind.value == "permit":
			return nil, b.get("type").refuse("it is a permit inside a permit: nobody can tell whether it narrows the outer one or adds to it")
		case r.purposes && !r.research: // it adds to the others what is no concern here
		case found != nil:
			return nil, b.get("type").refuse("there are several permits for research: give each as a Consent of its own")
		default:
			found = r
		}
	}
	if kind.value == "permit" {
		if err := optedOut(root.get("policyRule")); err != nil {
			return nil, err
		}
		return permission(denies, research, base)
	}
	if found == nil {
		return nil, kind.refuse("no provision permits research")
	}
	return permission(denies, research, base, found)
}

// optedOut refuses a policy that a permit at the root contradicts.
func optedOut(n node) error {
	if !n.present() {
		return nil
	}
	list, err := n.codings(true)
	for _, c := range list {
		if c.in(actCode) && slices.Contains([]string{"OPTOUT", "OPTOUTE", "NOPP", "NOAUTH", "DISSENT"}, c.code) {
			return c.refuse("the policy is %s and the provision is a permit: they contradict each other", c.code)
		}
	}
	return err
}

// readR5 reads the decision of R5 and its exceptions. "Provisions are assumed to be a negation of
// the previous level": those of a permit deny, and those of a denial are not called a permit.
func readR5(root node, research bool) (*Permission, error) {
	if d := root.get("decision"); d.value != "permit" {
		return nil, d.refuse("the decision is %s: what the provisions except from it is nowhere called a permit", shown(d))
	}
	span, err := readPeriod(root.get("period"))
	if err != nil {
		return nil, err
	}
	base := &rule{node: root, kind: "permit", span: span, effect: true}
	grantees, err := root.get("grantee").list()
	if err != nil {
		return nil, err
	}
	for _, g := range grantees {
		a, err := readReference(g, root)
		if err != nil {
			return nil, err
		}
		if a.resource != "" && a.resource != "Organization" {
			return nil, g.refuse("it is a %s: data is released to organisations", a.resource)
		}
		if a.name() == "" {
			return nil, g.refuse("it is to a contained resource without an identifier: nothing outside of this file can be compared with it")
		}
		base.actors = append(base.actors, a.name())
	}
	below, err := root.get("provision").list()
	if err != nil {
		return nil, err
	}
	var denies []*rule
	for _, b := range below {
		r, err := ruleOf(b, root, true, "deny")
		if err != nil {
			return nil, err
		}
		if len(r.below) > 0 {
			return nil, r.get("provision").first().refuse("%s", notUnderstood("provision"))
		}
		denies = append(denies, r)
	}
	return permission(denies, research, base)
}

// permission returns what is permitted by rules that all have to hold, less what is denied.
func permission(denies []*rule, research bool, all ...*rule) (*Permission, error) {
	p := &Permission{Open: true}
	var when span
	for _, r := range all {
		var ok bool
		if when, ok = when.and(r.span); !ok {
			return nil, r.get("period").refuse("it has no day in common with the period of the provision above it")
		}
		switch {
		case r.actors != nil && p.Actors != nil:
			return nil, r.get("actor").first().refuse("actors on two levels are not understood: say in one place who may receive")
		case r.actors != nil:
			p.Actors = r.actors
		}
		switch {
		case r.data != nil && p.Data != nil:
			return nil, r.refuse("kinds of data on two levels are not understood: say in one place what may be released")
		case r.data != nil:
			p.Data = r.data
		}
		switch {
		case r.purposes && !r.research:
			return nil, r.get("purpose").first().refuse("it permits no research: %s is another purpose", shown(r.get("purpose").first().get("code")))
		case r.purposes && !p.Open && !sameUse(p.Use, r.use):
			return nil, r.get("purpose").first().refuse("it and the provision above it permit different research: say it in one place")
		case r.purposes:
			p.Use, p.Open = r.use, false
		}
	}
	for _, d := range denies {
		if err := p.less(d, &when); err != nil {
			return nil, err
		}
	}
	last := all[len(all)-1]
	if p.Data != nil {
		if p.Data = slices.DeleteFunc(p.Data, func(d string) bool { return slices.Contains(p.NotData, d) }); len(p.Data) == 0 {
			return nil, last.refuse("what is denied leaves no kind of data of those that are permitted")
		}
	}
	p.Period, p.endPath = when.period(), when.end.path
	if p.Open && research {
		p.Use = slices.Clone(purposeUse["CLINTRCH"]) // "consent to participate in research protocol and information sharing required"
	}
	if !p.Open { // only limits, such as one project: nothing says to what research
		if err := checkUse("it", p.Use); err != nil {
			return nil, last.refuse("its codes of the Data Use Ontology limit a use, and none of them names one")
		}
	}
	slices.Sort(p.Use)
	return p, when.session()
}

func sameUse(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// less takes from a permission what a provision denies, or more: a denial for some research counts
// for all, and one for somebody at some time counts at all times.
func (p *Permission) less(d *rule, when *span) error {
	if !d.effect || d.purposes && !d.research {
		return nil // it denies nothing that a release for research does
	}
	common, ok := when.and(d.span)
	switch {
	case !ok:
		return nil // it denies at another time
	case d.actors != nil:
		p.NotActors = append(p.NotActors, d.actors...)
		return nil
	case d.data != nil:
		p.NotData = append(p.NotData, d.data...)
		return nil
	case common.equal(*when):
		return d.refuse("it denies all that is permitted, or all research of some kind, so that nothing is left for certain")
	}
	left, ok := when.less(common)
	if !ok {
		return d.get("period").refuse("it denies in the middle of what is permitted: give what is before and after as two Consents")
	}
	*when = left
	return nil
}
