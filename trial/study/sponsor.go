package study

import (
	"slices"
	"strings"
)

// This file tells organisations from persons. A sponsor who is certainly neither is treated as
// a person in what is published.

// registered reports whether the register puts an organisation in a class in which there are no
// persons.
func (o Organisation) registered() bool {
	return slices.Contains([]string{"fed", "industry", "network", "nih", "other-gov"}, o.Class)
}

// organisational reports whether a name has what only names of organisations have.
func organisational(name string) bool {
	plain := unaccentedLower(clean(name))
	return organisation.MatchString(name) || organisation.MatchString(plain) ||
		legalForm.MatchString(name) || institution.MatchString(plain)
}

// isWritten reports whether a sponsor's name is written like a person's, with a title or
// degree.
func (o Organisation) isWritten() bool {
	return isAPerson.MatchString(o.Name) && !organisational(o.Name)
}

// isOrganisation reports whether a sponsor is certainly an organisation, by its class or by its
// name.
func (o Organisation) isOrganisation() bool {
	return o.Class != "indiv" && !o.isWritten() && (o.registered() || organisational(o.Name))
}

// isNamed reports whether a name is certainly the organisation's and not a person's.
func (o Organisation) isNamed(name string) bool {
	x, y := letterWords(clean(o.Name)), letterWords(clean(name))
	if len(x) == 0 || len(y) == 0 || !o.isOrganisation() {
		return false
	}
	if o.registered() { // one begins with the other
		n := min(len(x), len(y))
		return slices.Equal(x[:n], y[:n])
	}
	return slices.Equal(x, y)
}

// sponsorIsPerson reports whether the sponsor is a natural person, or may be one: the document
// says so, an investigator has the same name, or the name has two words or more and nothing
// that only names of organisations have.
func (s *Study) sponsorIsPerson() bool {
	o := s.Sponsor
	switch {
	case o.Name == "", redacted.MatchString(o.Name):
		return false
	case o.Class == "indiv", o.isWritten(), slices.ContainsFunc(s.investigators, func(name string) bool {
		return sameName(name, o.Name) && !organisational(o.Name)
	}):
		return true
	case s.sponsorInvestigator && !organisational(o.Name):
		return true
	case o.isOrganisation(), s.sponsorIsOrganisation:
		return false
	}
	return mayBePerson(o.Name) || slices.ContainsFunc(s.People, func(name string) bool { return sameName(name, o.Name) })
}

// mayBePerson reports whether a name can be a person's: two to five words without digits.
func mayBePerson(name string) bool {
	c := clean(name)
	if unspaced(c) {
		return !strings.ContainsAny(c, "大院会社公") // of universities, hospitals, societies and companies
	}
	n := len(rawWords(c))
	return n >= 2 && n <= 6 && !strings.ContainsAny(c, "0123456789&/+") && !organisational(c)
}

// sameName reports whether two names have the same words, in whatever order.
func sameName(a, b string) bool {
	words := func(s string) (list []string) {
		for _, w := range nameParts(clean(s)) {
			if w.letters > 1 {
				list = append(list, w.key)
			}
		}
		slices.Sort(list)
		return list
	}
	x, y := words(a), words(b)
	return len(x) > 0 && slices.Equal(x, y)
}

// privacy returns what keeps the people of the document out of facts: everybody whom it names,
// except those who are its sponsor or a collaborator and an organisation. Some organisations
// list themselves as the official, "Example Pharma" for "Example Pharma, Inc.".
func (s *Study) privacy() *privacy {
	organisations := append([]Organisation{s.Sponsor}, s.Collaborators...)
	if s.sponsorIsPerson() {
		organisations = organisations[1:]
	}
	p := newPrivacy(nil)
	words := map[string]bool{}
	for _, o := range organisations {
		p.own = append(p.own, clean(o.Name))
		for _, w := range rawWords(clean(o.Name)) {
			if !o.registered() {
				break
			}
			words[keyOf(w)] = true
		}
	}
	people := slices.DeleteFunc(slices.Clone(s.People), func(name string) bool {
		return slices.ContainsFunc(organisations, func(o Organisation) bool { return o.isNamed(name) })
	})
	if s.sponsorIsPerson() {
		people = append(people, s.Sponsor.Name)
	}
	for _, o := range s.Collaborators {
		if o.Class == "indiv" || o.isWritten() || !o.isOrganisation() && !s.sponsorIsOrganisation && mayBePerson(o.Name) {
			people = append(people, o.Name)
		}
	}
	p.add(people, words)
	p.cited = true
	p.add(s.authors, words)
	p.cited = false
	return p
}
