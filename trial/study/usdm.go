package study

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/trialproof/trialproof/trial/outcome"
)

// usdmSponsor is the code of CDISC's terminology for a clinical study sponsor.
const usdmSponsor = "C70793"

// parseUSDM reads a study definition in USDM 4.
func parseUSDM(data []byte) (*Study, error) {
	if err := checkUSDMForm(data); err != nil {
		return nil, err
	}
	var d usdmDocument
	if err := json.Unmarshal(data, &d); err != nil {
		return nil, fmt.Errorf("not valid USDM 4.0: %w", err)
	}
	if err := d.check(); err != nil {
		return nil, fmt.Errorf("not valid USDM 4.0: %w", err)
	}
	// USDM gives its versions no order, and sponsors write each version to a document of its
	// own. Of several versions the one with the latest date is read, or the first if the days
	// do not tell. Of several designs of a version the first, the main one, is read.
	v := &d.Study.Versions[0]
	for i := range d.Study.Versions {
		if w := &d.Study.Versions[i]; d.Study.dates(w).Dated > d.Study.dates(v).Dated {
			v = w
		}
	}
	s := d.Study.dates(v)
	s.Format, s.Version, s.Enrolment = USDM, text(v.VersionIdentifier), Enrolment{Count: -1}
	v.organisations(s)
	for _, t := range v.Titles {
		switch word(t.Type.Decode) {
		case "brief-study-title":
			s.Title = plainText(t.Text)
		case "official-study-title":
			s.OfficialTitle = plainText(t.Text)
		case "study-acronym":
			s.Acronym = plainText(t.Text)
		}
	}
	for _, i := range v.Interventions {
		s.Interventions = append(s.Interventions, Intervention{text(cmp.Or(i.Label, i.Name)), word(i.Type.Decode)})
	}
	for _, a := range v.Amendments {
		x := Amendment{Number: text(a.Number), Summary: plainText(a.Summary)}
		for _, r := range append([]usdmReason{a.Primary}, a.Secondary...) {
			if w := word(r.Code.Decode); w != "" && w != "not-applicable" {
				x.Reasons = append(x.Reasons, w)
			}
		}
		s.Amendments = append(s.Amendments, x)
	}
	if err := v.Designs[0].read(s, v.CriterionItems); err != nil {
		return nil, fmt.Errorf("not valid USDM 4.0: %w", err)
	}
	items := textsByID(v.ContentItems)
	for _, doc := range d.Study.documents(v) {
		for _, c := range doc.Contents {
			if x := (Section{text(c.Number), plainText(c.Title), plainText(items[c.ItemID])}); x != (Section{}) {
				s.Sections = append(s.Sections, x)
			}
		}
	}
	return s, s.checkDates()
}

// documents returns the document versions that a version of the study names, or all of them if
// it names none.
func (u *usdmStudy) documents(v *usdmVersion) (list []usdmDocumentVersion) {
	for _, doc := range u.DocumentedBy {
		for _, dv := range doc.Versions {
			if len(v.DocumentVersionIDs) == 0 || slices.Contains(v.DocumentVersionIDs, dv.ID) {
				list = append(list, dv)
			}
		}
	}
	return list
}

// dates returns a study with the dates of a version and of its documents. Of several approvals
// the last is this version's: those before it are of earlier versions. Days in the same form
// can be compared as texts.
func (u *usdmStudy) dates(v *usdmVersion) *Study {
	all := slices.Clone(v.Dates)
	for _, doc := range u.documents(v) {
		all = append(all, doc.Dates...)
	}
	var approved, effective string
	for _, d := range all {
		switch w := word(d.Type.Decode); {
		case strings.Contains(w, "effective"):
			effective = max(effective, d.Date)
		case strings.Contains(w, "approval"):
			approved = max(approved, d.Date)
		}
	}
	s := new(Study)
	s.addDate(ProtocolApproved, approved, "")
	s.addDate(ProtocolEffective, effective, "")
	if day := cmp.Or(effective, approved); len(day) == len("2026-03-01") {
		s.Dated = day
	}
	return s
}

// organisations reads identifiers, sponsors and people. An organisation is a sponsor by its
// type or by its role.
func (v *usdmVersion) organisations(s *Study) {
	names, sponsors := map[string]string{}, map[string]bool{}
	sponsor := ""
	for _, o := range v.Organizations {
		names[o.ID] = text(cmp.Or(o.Label, o.Name))
		if o.Type.Code == usdmSponsor {
			sponsors[o.ID] = true
			sponsor = cmp.Or(sponsor, o.ID)
		}
	}
	for _, r := range v.Roles {
		for _, id := range r.OrganizationIDs {
			switch {
			case r.Code.Code == usdmSponsor:
				sponsors[id] = true
				sponsor = cmp.Or(sponsor, id)
			case word(r.Code.Decode) == "co-sponsor" && names[id] != "":
				s.Collaborators = append(s.Collaborators, Organisation{Name: names[id]})
			}
		}
		for _, p := range r.AssignedPersons {
			name := strings.Join(append(slices.Clone(p.Name.GivenNames), p.Name.FamilyName), " ")
			if text(name) == "" { // some write the text with a comma for each part, empty or not
				name = strings.Trim(p.Name.Text, ", ")
			}
			s.addPerson(name)
		}
	}
	s.Sponsor.Name, s.sponsorIsOrganisation = names[sponsor], sponsor != ""
	for _, id := range v.Identifiers {
		switch {
		case checkNCT(text(id.Text)) == nil:
			s.addIdentifier("nct", id.Text)
		case sponsors[id.ScopeID]:
			s.addIdentifier("sponsor", id.Text)
		default:
			s.addIdentifier(word(names[id.ScopeID]), id.Text)
		}
	}
}

// read reads what a design says into s.
func (d *usdmDesign) read(s *Study, items []usdmText) error {
	s.Type = studyType(cmp.Or(d.StudyType.Decode, strings.TrimSuffix(d.InstanceType, "StudyDesign")))
	s.Phases = phases(text(d.Phase.StandardCode.Decode))
	s.Model = designModel(d.Model.Decode)
	s.setMasking(strings.TrimSuffix(text(d.Blinding.StandardCode.Decode), " Study"), nil)
	for _, c := range d.Characteristics {
		if w := allocation(c.Decode); w == "randomized" || w == "non-randomized" {
			s.Allocation = w
		}
	}
	if len(d.IntentTypes) > 0 {
		s.Purpose = strings.TrimSuffix(word(d.IntentTypes[0].Decode), "-study")
	}
	for _, a := range d.Arms {
		s.Arms = append(s.Arms, Arm{text(cmp.Or(a.Label, a.Name)), armType(a.Type.Decode), plainText(a.Description)})
	}
	for _, i := range d.Indications {
		if c := text(cmp.Or(i.Label, i.Description, i.Name)); !slices.Contains(s.Conditions, c) {
			s.Conditions = append(s.Conditions, c)
		}
	}
	for _, o := range d.Objectives {
		s.Objectives = append(s.Objectives, Objective{level(o.Level.Decode), plainText(o.Text)})
		for _, e := range o.Endpoints {
			s.Outcomes = append(s.Outcomes, outcome.Outcome{Level: level(e.Level.Decode), Measure: plainText(e.Text)})
		}
	}
	s.Eligibility.Criteria = d.criteria(textsByID(items))
	p := d.Population
	s.Eligibility.HealthyVolunteers = yesNo(p.HealthySubject)
	for _, c := range p.Sex {
		w := sex(c.Decode)
		if w == "" { // who else may take part is not known
			s.Eligibility.Sex = ""
			break
		}
		if s.Eligibility.Sex == "" || s.Eligibility.Sex == w {
			s.Eligibility.Sex = w
		} else {
			s.Eligibility.Sex = "all"
		}
	}
	if a := p.Age; a != nil {
		s.Eligibility.MinimumAge, s.Eligibility.MaximumAge = a.Min.age(), a.Max.age()
	}
	if n := p.Enrolment; n != nil {
		q := &n.usdmQuantity
		if n.Max != nil {
			q = n.Max
		}
		if q.Value != nil {
			if *q.Value < 0 || *q.Value > math.MaxInt32 || *q.Value != math.Trunc(*q.Value) {
				return fmt.Errorf("the enrolment %v is not a number of people", *q.Value)
			}
			s.Enrolment = Enrolment{int(*q.Value), Planned}
		}
	}
	return nil
}

// criteria joins the criteria in their order, inclusion first.
func (d *usdmDesign) criteria(items map[string]string) string {
	var in, out []string
	for _, c := range d.Criteria {
		t := plainText(items[c.ItemID])
		switch {
		case t == "":
		case strings.HasPrefix(word(c.Category.Decode), "exclusion"):
			out = append(out, t)
		default:
			in = append(in, t)
		}
	}
	var parts []string
	if len(in) > 0 {
		parts = append(parts, "Inclusion Criteria: "+strings.Join(in, " "))
	}
	if len(out) > 0 {
		parts = append(parts, "Exclusion Criteria: "+strings.Join(out, " "))
	}
	return strings.Join(parts, " ")
}

func (q *usdmQuantity) age() string {
	if q == nil || q.Value == nil {
		return ""
	}
	unit := strings.ToLower(text(q.Unit.StandardCode.Decode))
	if unit != "" && *q.Value != 1 && !strings.HasSuffix(unit, "s") {
		unit += "s"
	}
	return text(strconv.FormatFloat(*q.Value, 'f', -1, 64) + " " + unit)
}

// armType returns CDISC's types of arms in the registry's words.
func armType(s string) string {
	switch w := strings.TrimSuffix(word(s), "-arm"); w {
	case "investigational":
		return "experimental"
	case "placebo-control":
		return "placebo-comparator"
	default:
		return w
	}
}

func textsByID(items []usdmText) map[string]string {
	m := make(map[string]string, len(items))
	for _, i := range items {
		m[i.ID] = i.Text
	}
	return m
}

// plainText returns the text of HTML: without tags and comments, of which those that separate
// words leave a space, and with entities replaced. Text that only looks like a tag, such as "p
// < 0.05", stays.
func plainText(s string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '<')
		if i < 0 {
			break
		}
		b.WriteString(s[:i])
		s = s[i:]
		end := strings.IndexByte(s, '>')
		if end < 0 {
			break
		}
		name := strings.TrimPrefix(s[1:end], "/")
		if c, ok := strings.CutPrefix(name, "!--"); ok && !strings.HasSuffix(c, "--") {
			if k := strings.Index(s, "-->"); k >= 0 {
				end = k + 2
			}
		} else if name == "" || !isLetter(name[0]) && name[0] != '!' {
			b.WriteByte('<')
			s = s[1:]
			continue
		}
		if n := strings.IndexAny(name, " \t\r\n/"); n >= 0 {
			name = name[:n]
		}
		if !slices.Contains(inline, strings.ToLower(name)) {
			b.WriteByte(' ')
		}
		s = s[end+1:]
	}
	b.WriteString(s)
	return text(html.UnescapeString(b.String()))
}

// inline are the tags that occur inside words.
var inline = []string{"a", "b", "em", "font", "i", "small", "span", "strong", "sub", "sup", "u", "usdm:ref", "usdm:tag"}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
