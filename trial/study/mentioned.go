package study

import (
	"bytes"
	"encoding/json"
	"html"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// This file finds people who are named in passing: by their e-mail addresses, as authors of
// what the document cites, or with a title or degree in an affiliation or another text.

var (
	address = regexp.MustCompile(`([\pL\d._%+'-]{2,64})@([\pL\d-]+)\.[\pL\d.-]+`)
	// What follows the names of members, and the starts of elements, that have citations and
	// affiliations.
	jsonText = regexp.MustCompile(`^"\s*:\s*("(?:[^"\\]|\\.)*")`)
	xmlText  = regexp.MustCompile(`^>([^<]*)</`)
)

// cited and affiliated are those members and elements, in each of the formats.
var (
	cited      = []string{`"citation`, `"ReferenceCitation`, `<citation`}
	affiliated = []string{
		`"affiliation`, `"OverallOfficialAffiliation`, `"investigatorAffiliation`, `"ResponsiblePartyInvestigatorAffiliation`,
		`<affiliation`, `<investigator_affiliation`,
	}
)

// maxMentioned is how many people of one sort are taken from a document at most.
const maxMentioned = 5000

// addMentioned notes the people whom a document names in passing.
func (s *Study) addMentioned(data []byte) {
	for rest, n := data, 0; n < maxMentioned; n++ {
		at := bytes.IndexByte(rest, '@')
		if at < 0 {
			break
		}
		if m := address.FindSubmatch(rest[max(0, at-80):min(len(rest), at+80)]); m != nil {
			s.addPerson(addressee(string(m[1]), string(m[2]), s.Acronym))
		}
		rest = rest[at+1:]
	}
	for _, key := range cited {
		each(data, key, func(t string) {
			for _, a := range authorsOf(t) {
				if !slices.Contains(s.authors, a) && len(s.authors) < maxMentioned {
					s.authors = append(s.authors, a)
				}
			}
		})
	}
	for _, key := range affiliated {
		each(data, key, s.addTitled)
	}
	texts := []string{s.Title, s.OfficialTitle, s.Summary, s.Eligibility.Criteria}
	for _, o := range slices.Concat(s.Outcomes, s.Reported) {
		texts = append(texts, o.Measure, o.TimeFrame, o.Description)
	}
	for _, a := range s.Arms {
		texts = append(texts, a.Label, a.Description)
	}
	for _, x := range s.Sections {
		texts = append(texts, x.Text)
	}
	for _, t := range texts {
		s.addTitled(t)
	}
}

// each calls f with the texts of a member or element of a document.
func each(data []byte, key string, f func(string)) {
	for n := 0; n < maxMentioned; n++ {
		at := bytes.Index(data, []byte(key))
		if at < 0 {
			return
		}
		data = data[at+len(key):]
		if key[0] == '<' {
			if m := xmlText.FindSubmatch(data); m != nil {
				f(html.UnescapeString(string(m[1])))
			}
			continue
		}
		var t string
		if m := jsonText.FindSubmatch(data); m != nil && json.Unmarshal(m[1], &t) == nil {
			f(t)
		}
	}
}

// addTitled notes the people who are named in a text with a title or a degree, unless the name
// is that of an organisation.
func (s *Study) addTitled(t string) {
	c := clean(t)
	if !strings.ContainsAny(c, ".:") && !titled.MatchString(c) && !behind.MatchString(c) {
		return
	}
	for _, x := range []gated{titled, behind, inRole} {
		for _, m := range x.FindAllStringSubmatch(c, 100) {
			if len(s.People) < maxMentioned && !organisation.MatchString(m[1]) {
				s.addPerson(m[1])
			}
		}
	}
}

// addressee returns the name in the local part of an address: "jane.doe", or "jdoe" as one
// word. It returns "" for addresses of desks, and of the trial, whose acronym is given.
func addressee(local, host, acronym string) string {
	var list []string
	real := false
	host, acronym = unaccentedLower(host), strings.Join(letterWords(clean(acronym)), "")
	for _, part := range strings.FieldsFunc(local, func(r rune) bool { return strings.ContainsRune("._-+%'0123456789", r) }) {
		lower := unaccentedLower(part)
		switch {
		case generic[lower], len(lower) > 3 && strings.HasPrefix(host, lower):
			return ""
		case len(lower) > 2 && strings.Contains(acronym, lower), titles[lower]:
			continue
		}
		real = real || !common[lower] && !madeOf(lower)
		list = append(list, part)
	}
	if !real || len(list) > 3 || len(list) == 1 && utf8.RuneCountInString(list[0]) < 5 {
		return ""
	}
	return strings.Join(list, " ")
}

// madeOf reports whether a word consists of words of desks that are run together.
func madeOf(s string) bool {
	if s == "" {
		return true
	}
	for i := 2; i <= len(s); i++ {
		if generic[s[:i]] && madeOf(s[i:]) {
			return true
		}
	}
	return false
}

// authorsOf returns the authors of a citation in the form of PubMed: "Doe J, Roe RA. Title."
// gives "Doe, J" and "Roe, R A".
func authorsOf(citation string) (list []string) {
	head, _, _ := strings.Cut(clean(citation), ". ")
	for part := range strings.SplitSeq(strings.ReplaceAll(head, ";", ","), ",") {
		if m := authorOf.FindStringSubmatch(strings.Trim(strings.TrimSpace(part), ".")); m != nil {
			list = append(list, m[1]+", "+strings.Join(strings.Split(m[2], ""), " "))
		}
	}
	return list
}
