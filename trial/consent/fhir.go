package consent

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// This file reads FHIR Consent, R4 (hl7.org/fhir/R4/consent.html) and R5 (hl7.org/fhir/R5/
// consent.html). It grants only what the resource permits in so many words, and refuses, with its
// path, whatever it does not understand.

// A Permission is what a FHIR Consent permits.
type Permission struct {
	Terms
	// Actors are the references of those who alone may receive; empty: the resource names nobody.
	// NotActors are those who must not.
	Actors, NotActors []string
	NotData           []string // FHIR resource types that must not be released
	end               *node    // of the period that ends first
}

// The code systems of what is understood.
const (
	systemScope    = "http://terminology.hl7.org/CodeSystem/consentscope"
	systemReason   = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
	systemRole     = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
	systemRoleR5   = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
	systemAction   = "http://terminology.hl7.org/CodeSystem/consentaction"
	systemResource = "http://hl7.org/fhir/resource-types"
)

// duoSystems are how the Data Use Ontology is named as a code system.
var duoSystems = []string{"http://purl.obolibrary.org/obo/duo.owl", "http://purl.obolibrary.org/obo/duo", "https://github.com/EBISPOT/DUO",
	"http://purl.obolibrary.org/obo/"}

// researchReasons are purposes of research that a code of use contains; the others of research
// are narrower than any code, and cannot be said.
var researchReasons = map[string]string{"HRESCH": duoHMB, "BIORCH": duoHMB}

// otherReasons are purposes that are no research.
var otherReasons = []string{"TREAT", "ETREAT", "CAREMGT", "COC", "COVERAGE", "DISASTER", "FAMRQT", "HDIRECT", "HLEGAL", "HMARKT",
	"HOPERAT", "HPAYMT", "PATRQT", "PUBHLTH", "PWATRNY", "RECORDMGT", "SUPNWK", "SYSADMIN", "THREAT"}

// ReadFHIR reads a FHIR Consent. A *Refused says at which path it does not permit a release, or is
// not understood.
func ReadFHIR(data []byte) (*Permission, error) {
	root, err := parseFHIR(data)
	if err != nil {
		return nil, err
	}
	if kind, err := root.get("resourceType").text(); err != nil || kind != "Consent" {
		return nil, &Refused{"resourceType", fmt.Sprintf("it is %.40q, not Consent", kind)}
	}
	if status, err := root.get("status").text(); err != nil || status != "active" {
		return nil, &Refused{"status", fmt.Sprintf("it is %.40q, not active", status)}
	}
	p := &Permission{}
	research, err := scopeOf(root)
	if err != nil {
		return nil, err
	}
	if err := verified(root); err != nil {
		return nil, err
	}
	_, list := root.get("provision").value.([]any)
	if root.has("decision") || root.has("subject") || list {
		err = p.readR5(root)
	} else {
		err = p.readR4(root)
	}
	if err != nil {
		return nil, err
	}
	if len(p.Use) == 0 && research { // consent to research, which FHIR means for health
		p.Use = []string{duoHMB}
	}
	slices.Sort(p.Use)
	p.Use = slices.Compact(p.Use)
	return p, p.session()
}

// scopeOf wants the scope, or a category, to be research or privacy, and reports whether it is
// research.
func scopeOf(root *node) (research bool, err error) {
	var found []coding
	if root.has("scope") {
		if found, err = root.get("scope").concept(); err != nil {
			return false, err
		}
	}
	categories, err := root.get("category").list()
	if err != nil {
		return false, err
	}
	for _, c := range categories {
		codes, err := c.concept()
		if err != nil {
			return false, err
		}
		found = append(found, codes...)
	}
	if slices.Contains(found, coding{systemScope, "research"}) {
		return true, nil
	}
	if !slices.Contains(found, coding{systemScope, "patient-privacy"}) {
		return false, &Refused{"scope", "neither it nor a category says research or patient-privacy: this consent is about something else"}
	}
	return false, nil
}

// verified refuses a consent that was asked about and not confirmed.
func verified(root *node) error {
	list, err := root.get("verification").list()
	if err != nil {
		return err
	}
	for _, v := range list {
		if said := v.get("verified"); said.value != true {
			return said.refuse("the consent was not verified with the person")
		}
	}
	return nil
}

// readR4 reads the root provision of R4 and those one level below.
func (p *Permission) readR4(root *node) error {
	if err := root.only("resourceType", "meta", "language", "text", "contained", "identifier", "status", "scope", "category", "patient", "dateTime",
		"performer", "organization", "sourceAttachment", "sourceReference", "policy", "policyRule", "verification", "provision"); err != nil {
		return err
	}
	if err := p.subject(root.get("patient")); err != nil {
		return err
	}
	base := root.get("provision")
	if !root.has("provision") {
		return base.refuse("there is none: nothing is permitted in so many words")
	}
	nested, err := base.get("provision").list()
	if err != nil {
		return err
	}
	kind, err := decisionOf(base.get("type"))
	if err != nil {
		return err
	}
	var permits, denies []*node
	for _, n := range nested {
		below, err := decisionOf(n.get("type"))
		switch {
		case err != nil:
			return err
		case n.has("provision"):
			return n.get("provision").refuse("provisions nest too deep: one level below the first is understood")
		case below == "permit" && kind == "permit":
			return n.get("type").refuse("a permission within a permission is not understood")
		case below == "permit":
			permits = append(permits, n)
		case below == "deny":
			denies = append(denies, n)
		default:
			return n.get("type").refuse("it is missing: nobody can tell whether this permits or denies")
		}
	}
	switch {
	case kind == "permit":
		permits = []*node{base}
	case len(permits) == 0:
		return base.get("type").refuse("nothing is permitted in so many words: it is not permit, and no provision below says permit")
	case kind == "": // what the base says narrows what is below
		if err := p.narrow(base, r4Members); err != nil {
			return err
		}
	default: // what a base denies says nothing of what is permitted below, but for when
		if err := base.only(append([]string{"type", "provision"}, r4Members...)...); err != nil {
			return err
		}
		if err := p.period(base.get("period")); err != nil {
			return err
		}
	}
	return p.decide(permits, denies, r4Members)
}

// readR5 reads the decision of R5 and its exceptions.
func (p *Permission) readR5(root *node) error {
	if err := root.only("resourceType", "meta", "language", "text", "contained", "identifier", "status", "category", "subject", "date", "period",
		"grantor", "manager", "controller", "sourceAttachment", "sourceReference", "regulatoryBasis", "policyBasis", "policyText", "verification",
		"decision", "provision"); err != nil {
		return err
	}
	if err := p.subject(root.get("subject")); err != nil {
		return err
	}
	if err := p.period(root.get("period")); err != nil {
		return err
	}
	exceptions, err := root.get("provision").list()
	if err != nil {
		return err
	}
	for _, n := range exceptions {
		if n.has("provision") {
			return n.get("provision").refuse("provisions nest too deep: one level is understood")
		}
	}
	kind, err := decisionOf(root.get("decision"))
	if err != nil {
		return err
	}
	if kind != "permit" {
		// Exceptions to a denial permit something, but none of them says so.
		return root.get("decision").refuse("it is not permit: nothing is permitted in so many words")
	}
	return p.decide(nil, exceptions, r5Members)
}

func decisionOf(n *node) (string, error) {
	kind, err := n.text()
	if err == nil && kind != "" && kind != "permit" && kind != "deny" {
		err = n.refuse("it is %.20q; it is permit or deny", kind)
	}
	return kind, err
}

// subject takes the person's reference. One to a contained resource says nothing outside of it.
func (p *Permission) subject(n *node) error {
	if n.value == nil {
		return nil
	}
	ref, err := reference(n)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(ref, "#") {
		p.Subject = ref
	}
	return nil
}

// reference returns the text of a Reference, or "" if it has an identifier alone.
func reference(n *node) (string, error) {
	if err := n.only("reference", "type", "identifier", "display"); err != nil {
		return "", err
	}
	return n.get("reference").text()
}

// Members of a provision that are understood, apart from type and provision. What narrows by the
// content of the data is not.
var (
	r4Members = []string{"period", "actor", "action", "purpose", "class"}
	r5Members = []string{"period", "actor", "action", "purpose", "resourceType"}
)

// decide joins one permission, or a permission without a provision of its own, with what is denied.
func (p *Permission) decide(permits, denies []*node, members []string) error {
	if len(permits) > 1 {
		return permits[1].refuse("several permissions are not understood together: give one Consent for each")
	}
	for _, n := range permits {
		if err := p.narrow(n, members); err != nil {
			return err
		}
	}
	for _, n := range denies {
		if err := p.deny(n, members); err != nil {
			return err
		}
	}
	for _, d := range p.NotData {
		if len(p.Data) == 0 {
			return &Refused{"provision", "it denies " + d + " and does not say what is permitted: name with -data what may be released"}
		}
		p.Data = slices.DeleteFunc(p.Data, func(x string) bool { return x == d })
		if len(p.Data) == 0 {
			return &Refused{"provision", "what is denied leaves nothing of what is permitted"}
		}
	}
	return nil
}

// narrow narrows the permission to what a provision permits.
func (p *Permission) narrow(n *node, members []string) error {
	if err := n.only(append([]string{"type", "provision"}, members...)...); err != nil {
		return err
	}
	if err := p.period(n.get("period")); err != nil {
		return err
	}
	actors, err := actorsOf(n)
	if err != nil {
		return err
	}
	if len(actors) > 0 {
		if len(p.Actors) > 0 {
			return n.get("actor").refuse("actors on two levels are not understood")
		}
		p.Actors = actors
	}
	actions, err := actionsOf(n)
	if err != nil {
		return err
	}
	if len(actions) > 0 && !slices.ContainsFunc(actions, releasing) {
		return n.get("action").refuse("it permits %s, and not access, use or disclosure", strings.Join(actions, ", "))
	}
	use, err := purposesOf(n)
	if err != nil {
		return err
	}
	if len(use) > 0 && len(p.Use) > 0 {
		return n.get("purpose").refuse("purposes on two levels are not understood")
	}
	if n.has("purpose") {
		codes := slices.DeleteFunc(slices.Clone(use), func(code string) bool { return code == "" })
		if len(codes) == 0 {
			return n.get("purpose").refuse("it permits no research")
		}
		p.Use = codes
	}
	data, err := dataOf(n)
	if err != nil {
		return err
	}
	if len(data) > 0 && len(p.Data) > 0 {
		return n.refuse("kinds of data on two levels are not understood")
	}
	if len(data) > 0 {
		p.Data = data
	}
	return nil
}

// deny takes what a provision denies from the permission. Where it denies less than can be said
// here, more is denied.
func (p *Permission) deny(n *node, members []string) error {
	if err := n.only(append([]string{"type", "provision"}, members...)...); err != nil {
		return err
	}
	actors, err := actorsOf(n)
	if err != nil {
		return err
	}
	actions, err := actionsOf(n)
	if err != nil {
		return err
	}
	data, err := dataOf(n)
	if err != nil {
		return err
	}
	use, err := purposesOf(n)
	if err != nil {
		return err
	}
	switch {
	case len(actions) > 0 && !slices.ContainsFunc(actions, releasing):
		return nil // it denies for example that the data be corrected
	case n.has("purpose") && !slices.ContainsFunc(use, func(code string) bool { return code != "" }):
		return nil // it denies what is no research, and nothing else is ever granted here
	case len(actors) > 0:
		p.NotActors = append(p.NotActors, actors...)
		return nil
	case len(data) > 0:
		p.NotData = append(p.NotData, data...)
		return nil
	case n.has("purpose"):
		return n.get("purpose").refuse("it denies research")
	}
	return n.refuse("it denies everything that is permitted")
}

func releasing(action string) bool {
	return slices.Contains([]string{"access", "use", "disclose"}, action)
}

// actorsOf returns the references of who receives. Other roles narrow by whose data it is or who
// keeps it, which is not understood.
func actorsOf(n *node) (refs []string, err error) {
	actors, err := n.get("actor").list()
	if err != nil {
		return nil, err
	}
	for _, a := range actors {
		if err := a.only("role", "reference"); err != nil {
			return nil, err
		}
		if a.has("role") {
			role, err := a.get("role").concept()
			if err != nil {
				return nil, err
			}
			if !slices.ContainsFunc(role, func(c coding) bool {
				return (c.system == systemRole || c.system == systemRoleR5) && (c.code == "IRCP" || c.code == "PRCP")
			}) {
				return nil, a.get("role").refuse("only the roles IRCP and PRCP, who receive, are understood")
			}
		}
		ref, err := reference(a.get("reference"))
		if err != nil {
			return nil, err
		}
		if ref == "" || strings.HasPrefix(ref, "#") {
			return nil, a.get("reference").refuse("it does not say who that is by a reference")
		}
		refs = append(refs, ref)
	}
	return refs, nil
}

func actionsOf(n *node) (codes []string, err error) {
	actions, err := n.get("action").list()
	if err != nil {
		return nil, err
	}
	for _, a := range actions {
		list, err := a.concept()
		if err != nil {
			return nil, err
		}
		known := false
		for _, c := range list {
			if c.system == systemAction && slices.Contains([]string{"access", "use", "disclose", "collect", "correct"}, c.code) {
				codes, known = append(codes, c.code), true
			}
		}
		if !known {
			return nil, a.refuse("this action is not understood")
		}
	}
	return codes, nil
}

// purposesOf returns the codes of use of the purposes, "" for one that is no research.
func purposesOf(n *node) (codes []string, err error) {
	purposes, err := n.get("purpose").list()
	if err != nil {
		return nil, err
	}
	for _, x := range purposes {
		c, err := x.coding()
		if err != nil {
			return nil, err
		}
		code := strings.Replace(c.code, "DUO_", "DUO:", 1)
		switch {
		case c.system == systemReason && researchReasons[c.code] != "":
			codes = append(codes, researchReasons[c.code])
		case c.system == systemReason && slices.Contains(otherReasons, c.code):
			codes = append(codes, "")
		case slices.Contains(duoSystems, c.system) && (slices.Contains(permissions, code) && code != duoDS || slices.Contains(modifiers, code)):
			codes = append(codes, code)
		default:
			return nil, x.refuse("the purpose %.40q is not understood, or is narrower than can be said here", c.code)
		}
	}
	return codes, nil
}

// dataOf returns the FHIR resource types that a provision is about.
func dataOf(n *node) (types []string, err error) {
	member := "class"
	if n.has("resourceType") {
		member = "resourceType"
	}
	list, err := n.get(member).list()
	if err != nil {
		return nil, err
	}
	for _, x := range list {
		c, err := x.coding()
		if err != nil {
			return nil, err
		}
		if c.system != systemResource && (member != "resourceType" || c.system != "http://hl7.org/fhir/fhir-types") {
			return nil, x.refuse("only resource types are understood as kinds of data, not %.60q", c.system)
		}
		types = append(types, c.code)
	}
	slices.Sort(types)
	return slices.Compact(types), nil
}

// period narrows the period to one of the resource.
func (p *Permission) period(n *node) error {
	if n.value == nil {
		return nil
	}
	if err := n.only("start", "end"); err != nil {
		return err
	}
	own := Period{}
	if p.Period != nil {
		own = *p.Period
	}
	for member, take := range map[string]func(text string, at time.Time){
		"start": func(text string, at time.Time) {
			if start, _, _ := own.bounds(); own.Start == "" || at.After(start) {
				own.Start = text
			}
		},
		"end": func(text string, at time.Time) {
			if _, end, _ := own.bounds(); own.End == "" || at.Before(end) {
				own.End, p.end = text, n.get("end")
			}
		},
	} {
		text, err := n.get(member).text()
		if err != nil {
			return err
		}
		if text == "" {
			continue
		}
		day, err := fhirTime(text, member == "end")
		if err != nil {
			return n.get(member).refuse("%v", err)
		}
		alone := Period{Start: day}
		if member == "end" {
			alone = Period{End: day}
		}
		start, end, err := alone.bounds()
		if err != nil {
			return n.get(member).refuse("%v", err)
		}
		if member == "end" {
			start = end
		}
		take(day, start)
	}
	if own != (Period{}) {
		p.Period = &own
	}
	return nil
}

// fhirTime returns a FHIR dateTime as a day or a moment: of a month or a year the first or the
// last day.
func fhirTime(text string, end bool) (string, error) {
	for layout, next := range map[string]func(time.Time) time.Time{
		"2006":    func(t time.Time) time.Time { return t.AddDate(1, 0, -1) },
		"2006-01": func(t time.Time) time.Time { return t.AddDate(0, 1, -1) },
	} {
		if t, err := time.Parse(layout, text); err == nil {
			if end {
				t = next(t)
			}
			return t.Format(time.DateOnly), nil
		}
	}
	if _, err := time.Parse(time.DateOnly, text); err == nil {
		return text, nil
	}
	if _, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return text, nil
	}
	return "", fmt.Errorf("%.40q is not a FHIR dateTime", text)
}

// session refuses a period that is empty, or so short that it is for the session of a program and
// not for the release of data.
func (p *Permission) session() error {
	if p.Period == nil || p.Period.Start == "" || p.Period.End == "" {
		return nil
	}
	start, end, err := p.Period.bounds()
	if err != nil {
		return err
	}
	if end.Before(start) {
		return p.end.refuse("the period is empty")
	}
	if d := end.Sub(start); d < 24*time.Hour-time.Second {
		return p.end.refuse("the permission lasts %s: that is for the session of a program, not for the release of data", d)
	}
	return nil
}

// Current refuses a permission whose period is over at a time.
func (p *Permission) Current(at time.Time) error {
	if p.Period == nil || p.Period.End == "" {
		return nil
	}
	_, end, err := p.Period.bounds()
	if err != nil {
		return err
	}
	if at.After(end) {
		return p.end.refuse("the permission ended on %s", end.UTC().Format(time.RFC3339))
	}
	return nil
}

// ErrActor is wrapped by the error of For where nothing says whether an organisation is one that
// the resource names.
var ErrActor = errors.New("say with -actor who that is")

// For returns the terms for one organisation, which the resource may name by one of the
// references given, or by its id. Who is excluded stays in the terms.
func (p *Permission) For(org string, references ...string) (*Terms, error) {
	named := func(ref string) bool {
		return slices.Contains(references, ref) || ref == org || strings.HasSuffix(ref, "/"+org)
	}
	if len(p.Actors) > 0 && !slices.ContainsFunc(p.Actors, named) {
		return nil, fmt.Errorf("the consent is for %s alone, and nothing says that %s is it: %w, for example -actor %s=%s",
			strings.Join(p.Actors, ", "), org, ErrActor, org, p.Actors[0])
	}
	if i := slices.IndexFunc(p.NotActors, named); i >= 0 {
		return nil, fmt.Errorf("the consent excludes %s, which is %s", p.NotActors[i], org)
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
