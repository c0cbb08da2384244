package study

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/trial/outcome"
)

// fhirR5 are members that a ResearchStudy has since R5.
var fhirR5 = []string{
	"associatedParty", "citeAs", "classifier", "comparisonGroup", "date", "descriptionSummary", "label", "name", "outcomeMeasure",
	"progressStatus", "purposeType", "recruitment", "studyDesign", "url", "version", "whyStopped",
}

// parseFHIR reads a ResearchStudy resource, or the one in a Bundle.
func parseFHIR(data []byte) (*Study, error) {
	t := resourceType(data)
	if t == "Bundle" {
		return parseBundle(data)
	}
	if t != "ResearchStudy" {
		return nil, fmt.Errorf("%w: a FHIR %.40q, not a ResearchStudy", ErrUnknown, t)
	}
	var r fhirStudy
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("not a valid FHIR ResearchStudy: %w", err)
	}
	if r.Status == "" {
		return nil, errors.New("not a valid FHIR ResearchStudy: status is missing")
	}
	members, err := memberNames(data)
	if err != nil {
		return nil, err
	}
	s := &Study{
		Format: FHIRR4, Version: text(r.Version), Title: text(r.Title), Summary: text(r.Description),
		Enrolment: Enrolment{Count: -1},
	}
	if slices.ContainsFunc(fhirR5, func(m string) bool { return members[m] }) {
		s.Format = FHIRR5
	}
	for _, l := range r.Labels {
		kind := l.Type.code()
		if name := word(l.Type.name()); strings.HasPrefix(kind, "c") && strings.Contains(name, "-") {
			kind = name // CDISC's codes are numbers
		}
		switch kind {
		case "brief", "brief-study-title":
			s.Title = text(l.Value)
		case "official", "official-study-title", "scientific":
			s.OfficialTitle = cmp.Or(s.OfficialTitle, text(l.Value))
		case "acronym", "study-acronym":
			s.Acronym = text(l.Value)
		}
	}
	r.parties(s)
	r.identifiers(s)
	r.design(s)
	for _, c := range r.Conditions {
		if t := c.name(); t != "" {
			s.Conditions = append(s.Conditions, t)
		}
	}
	for _, f := range r.Focus {
		if t := cmp.Or(f.name(), f.Concept.name(), text(f.Reference.Display)); t != "" {
			s.Interventions = append(s.Interventions, Intervention{Name: t})
		}
	}
	for _, a := range r.Arms {
		s.Arms = append(s.Arms, Arm{text(a.Name), word(a.Type.name()), text(a.Description)})
	}
	for _, g := range r.Groups {
		s.Arms = append(s.Arms, Arm{text(cmp.Or(g.Name, g.Eligibility.Display)), word(g.Type.name()), text(g.Description)})
	}
	for _, o := range r.Objectives {
		l := fhirLevel(o.Type)
		if t := text(cmp.Or(o.Description, o.Name)); t != "" {
			s.Objectives = append(s.Objectives, Objective{cmp.Or(l, Other), t})
		}
		for _, m := range o.Outcomes {
			s.Outcomes = append(s.Outcomes, m.outcome(l))
		}
	}
	for _, m := range r.Outcomes {
		s.Outcomes = append(s.Outcomes, m.outcome(""))
	}
	r.amendments(s)
	switch n := r.Recruitment; {
	case n.Actual != nil:
		s.Enrolment = Enrolment{int(*n.Actual), Actual}
	case n.Target != nil:
		s.Enrolment = Enrolment{int(*n.Target), Planned}
	}
	if s.Format == FHIRR4 { // since R5 it is the status of the publication
		s.Status = fhirStatus(word(r.Status))
	}
	r.dates(s)
	r.classifiers(s)
	return s, s.checkDates()
}

// resourceType returns the type of a resource, or "" if it is not a text.
func resourceType(resource []byte) string {
	var r struct {
		ResourceType string `json:"resourceType"`
	}
	if json.Unmarshal(resource, &r) != nil {
		return ""
	}
	return r.ResourceType
}

// parseBundle reads the one ResearchStudy of a Bundle.
func parseBundle(data []byte) (*Study, error) {
	var b struct {
		Entries []struct {
			Resource json.RawMessage `json:"resource"`
		} `json:"entry"`
	}
	if err := json.Unmarshal(data, &b); err != nil {
		return nil, fmt.Errorf("not a valid FHIR Bundle: %w", err)
	}
	var studies []json.RawMessage
	for _, e := range b.Entries {
		if resourceType(e.Resource) == "ResearchStudy" {
			studies = append(studies, e.Resource)
		}
	}
	switch len(studies) {
	case 0:
		return nil, fmt.Errorf("%w: a FHIR Bundle without a ResearchStudy", ErrUnknown)
	case 1:
		return parseFHIR(studies[0])
	}
	return nil, fmt.Errorf("the FHIR Bundle has %d ResearchStudy resources, not one: split it", len(studies))
}

// fhirLevel returns the level of a type, or "" if it has none.
func fhirLevel(types ...fhirConcept) string {
	for _, t := range types {
		for _, c := range []string{t.code(), t.name()} {
			if l := level(c); l != Other {
				return l
			}
		}
	}
	if len(types) > 0 && types[0].name() != "" {
		return Other
	}
	return ""
}

// outcome reads an outcome measure. If it has no level, it has that of its objective.
func (m fhirOutcome) outcome(objective string) outcome.Outcome {
	o := outcome.Outcome{
		Level:   cmp.Or(fhirLevel(m.Type...), objective, Other),
		Measure: text(cmp.Or(m.Name, m.Endpoint.Display, m.Description)),
	}
	if d := text(m.Description); d != o.Measure {
		o.Description = d
	}
	return o
}

// parties reads organisations and people. A party that has no role of an organisation is taken
// to be a person.
func (r *fhirStudy) parties(s *Study) {
	contained := map[string]string{} // names of organisations
	for _, c := range r.Contained {
		var name string
		if json.Unmarshal(c.Name, &name) == nil && c.ResourceType == "Organization" {
			contained["#"+c.ID] = text(name)
		}
	}
	s.Sponsor.Name = text(cmp.Or(r.Sponsor.Display, contained[r.Sponsor.Reference]))
	sponsor := r.Sponsor.Reference
	var people []string
	for _, p := range r.Parties {
		name := text(cmp.Or(p.Name, contained[p.Party.Reference], p.Party.Display))
		o := Organisation{Name: name}
		if len(p.Classifiers) > 0 {
			o.Class = class(p.Classifiers[0].name())
		}
		switch p.Role.code() {
		case "sponsor":
			s.Sponsor, sponsor = o, p.Party.Reference
		case "lead-sponsor":
			if s.Sponsor.Name == "" {
				s.Sponsor, sponsor = o, p.Party.Reference
			}
		case "sponsor-investigator":
			s.Sponsor = Organisation{name, "indiv"}
			people = append(people, name)
		case "collaborator":
			s.Collaborators = append(s.Collaborators, o)
		case "data-monitoring", "funding-source", "irb", "recruitment-site", "reviewer", "site":
		default:
			people = append(people, name)
		}
	}
	people = append(people, r.Investigator.Display)
	for _, c := range r.Contacts {
		people = append(people, c.Name)
	}
	for _, c := range r.Contained {
		switch c.ResourceType {
		case "Practitioner", "Person", "Patient", "RelatedPerson", "PractitionerRole":
			people = append(people, c.Practitioner.Display)
			var names oneOrMore[struct {
				Text   string   `json:"text"`
				Family string   `json:"family"`
				Given  []string `json:"given"`
			}]
			if json.Unmarshal(c.Name, &names) == nil {
				for _, n := range names {
					people = append(people, n.Text, strings.Join(append(n.Given, n.Family), " "))
				}
			}
		}
	}
	if strings.Contains(sponsor, "Practitioner") {
		s.Sponsor.Class = "indiv"
		people = append(people, s.Sponsor.Name)
	}
	s.sponsorIsOrganisation = contained[sponsor] != "" || strings.Contains(sponsor, "Organization/")
	own := s.sponsorIsOrganisation || s.Sponsor.isOrganisation() // it may be its own contact
	for _, name := range people {
		if name = text(name); name != s.Sponsor.Name || !own {
			s.addPerson(name)
		}
	}
}

// identifiers reads the study's numbers. A number that the sponsor assigned, and that has no
// other type, is the sponsor's.
func (r *fhirStudy) identifiers(s *Study) {
	for _, id := range r.Identifiers {
		typ := word(id.Type.name())
		switch {
		case checkNCT(text(id.Value)) == nil:
			typ = "nct"
		case strings.HasPrefix(typ, "sponsor"), typ == "" && s.Sponsor.Name != "" && text(id.Assigner.Display) == s.Sponsor.Name:
			typ = "sponsor"
		case typ == "" && id.System != "":
			typ = word(path.Base(id.System))
		}
		s.addIdentifier(typ, id.Value)
	}
}

// fhirDesigns has the codes of HL7's value set of study designs.
var fhirDesigns = map[string]func(*Study){
	"sevco:01001": func(s *Study) { s.Type = "interventional" },
	"sevco:01002": func(s *Study) { s.Type = "observational" },
	"sevco:01003": func(s *Study) { s.Allocation = "randomized" },
	"sevco:01005": func(s *Study) { s.Allocation = "non-randomized" },
	"sevco:01011": func(s *Study) { s.Model = "parallel" },
	"sevco:01012": func(s *Study) { s.Model = "crossover" },
	"sevco:01016": func(s *Study) { s.Model = "single-group" },
	"sevco:01060": func(s *Study) { s.Masked = append(s.Masked, "participant") },
	"sevco:01061": func(s *Study) { s.Masked = append(s.Masked, "care-provider") },
	"sevco:01062": func(s *Study) { s.Masked = append(s.Masked, "outcomes-assessor") },
	"sevco:01063": func(s *Study) { s.Masked = append(s.Masked, "data-analyst") },
}

func (r *fhirStudy) design(s *Study) {
	for _, x := range r.Phase.spellings() { // the first that is known
		if s.Phases = phases(x); s.Phases != nil {
			break
		}
	}
	for _, c := range append(slices.Clone(r.Purpose), r.PrimaryPurpose) {
		s.Purpose = cmp.Or(s.Purpose, c.code())
	}
	for _, c := range r.Category {
		if t := studyType(c.name()); t == "interventional" || t == "observational" {
			s.Type = t
		}
	}
	masking := ""
	for _, c := range r.StudyDesign {
		for _, x := range c.Coding {
			if set := fhirDesigns[strings.ToLower(x.Code)]; set != nil {
				set(s)
			}
		}
		if v, ok := strings.CutPrefix(c.Text, "Design Masking: "); ok {
			masking = v
		}
		if v, ok := strings.CutPrefix(c.Text, "Design Allocation: "); ok {
			s.Allocation = allocation(v)
		}
	}
	who := s.Masked
	s.Masked = nil
	s.setMasking(masking, who)
	if s.Masking == "" && len(s.Masked) > 0 {
		s.Masking = "masked"
	}
}

// amendments reads the extensions of HL7's guides for protocols (EBM and M11). Only a coding
// gives a reason, because a concept's own text may say anything.
func (r *fhirStudy) amendments(s *Study) {
	for _, e := range r.Extensions {
		if !strings.HasSuffix(e.URL, "/research-study-study-amendment") && !strings.HasSuffix(e.URL, "/m11-protocol-amendment") {
			continue
		}
		var a Amendment
		for _, p := range e.Parts {
			switch p.URL {
			case "amendmentNumber":
				a.Number = text(p.Text)
			case "description":
				a.Summary = text(p.Text)
			case "primaryReason", "secondaryReason":
				for _, c := range p.Concept.Coding {
					if w := word(c.Display); w != "" {
						a.Reasons = append(a.Reasons, w)
					}
				}
			}
		}
		s.Amendments = append(s.Amendments, a)
	}
}

// fhirStatus returns a status in the registry's words.
func fhirStatus(w string) string {
	switch w {
	case "active": // "opened for accrual"
		return "recruiting"
	case "closed-to-accrual", "active-but-not-recruiting":
		return "active-not-recruiting"
	case "temporarily-closed-to-accrual":
		return "suspended"
	case "administratively-completed": // "completed prematurely and will not resume"
		return "terminated"
	}
	return status(w)
}

// dates reads dates and, since R5, the status, which is a state without days.
func (r *fhirStudy) dates(s *Study) {
	add := func(event, date, kind string) {
		if s.Date(event).Date == "" {
			s.addDate(event, fhirDay(date), kind)
		}
	}
	add(Start, r.Period.Start, "")
	add(Completion, r.Period.End, "")
	if d := fhirDay(r.Date); len(d) == len("2026-03-01") {
		s.Dated = d
	}
	for _, p := range r.Progress {
		kind := ""
		if p.Actual != nil {
			kind = map[bool]string{true: Actual, false: Planned}[*p.Actual]
		}
		first, last := cmp.Or(p.Period.Start, p.Period.End), cmp.Or(p.Period.End, p.Period.Start)
		switch code := p.State.code(); {
		case code == "overall-study":
			add(Start, p.Period.Start, kind)
			add(Completion, p.Period.End, kind)
		case code == "primary-outcome-data-collection":
			add(PrimaryCompletion, p.Period.End, kind)
		case code == "registration-submission":
			add(FirstSubmitted, first, kind)
		case code == "registration-posting":
			add(FirstPosted, first, kind)
		case code == "results-submission":
			add(ResultsSubmitted, first, kind)
		case code == "results-posting":
			add(ResultsPosted, first, kind)
		case code == "update-submission":
			add(UpdateSubmitted, last, kind)
		case code == "update-posting":
			add(UpdatePosted, last, kind)
		case code == "record-verification":
			add(Verified, last, "")
		case word(p.State.Text) == "sponsor-approval":
			add(ProtocolApproved, first, "")
		case code == "version-date":
			if d := fhirDay(first); s.Dated == "" && len(d) == len("2026-03-01") {
				s.Dated = d
			}
		case first == "" && s.Status == "":
			s.Status = fhirStatus(code)
		}
	}
}

// fhirDay returns the day of a dateTime as it is written.
func fhirDay(s string) string {
	day, _, _ := strings.Cut(s, "T")
	return day
}

// classifiers reads the registry's fields that converters write as classifiers, and the
// countries of sites.
func (r *fhirStudy) classifiers(s *Study) {
	e, o := &s.Eligibility, &s.Oversight
	for _, c := range r.Classifiers {
		switch c.code() {
		case "includes-healthy-volunteers":
			e.HealthyVolunteers = "yes"
		case "does-not-include-healthy-volunteers":
			e.HealthyVolunteers = "no"
		case "includes-females", "includes-males":
			w := strings.TrimSuffix(strings.TrimPrefix(c.code(), "includes-"), "s")
			if e.Sex != "" && e.Sex != w {
				w = "all"
			}
			e.Sex = w
		}
		member, value, _ := strings.Cut(c.Text, ": ")
		if name, b, ok := strings.Cut(value, " "); ok && member == "Oversight Classifier" {
			member, value = name, b
		}
		switch member {
		case "Minimum Age":
			e.MinimumAge = age(value)
		case "Maximum Age":
			e.MaximumAge = age(value)
		case "Has Results":
			s.Results = yesNoText(value) == "yes"
		case "oversightHasDmc":
			o.DMC = yesNoText(value)
		case "isFdaRegulatedDrug":
			o.FDADrug = yesNoText(value)
		case "isFdaRegulatedDevice":
			o.FDADevice = yesNoText(value)
		case "isUnapprovedDevice":
			o.UnapprovedDevice = yesNoText(value)
		case "isUsExport":
			o.USExport = yesNoText(value)
		}
	}
	for _, c := range r.Contained {
		var a struct {
			Country string `json:"country"`
		}
		if c.ResourceType != "Location" || json.Unmarshal(c.Address, &a) != nil {
			continue
		}
		if n := text(a.Country); n != "" {
			s.Countries = append(s.Countries, n)
		}
	}
	var where []fhirConcept // of the study, by codes or names of countries
	for _, member := range []json.RawMessage{r.Location, r.Region} {
		var list oneOrMore[fhirConcept]
		if len(member) > 0 && json.Unmarshal(member, &list) == nil {
			where = append(where, list...)
		}
	}
	for _, c := range where {
		for _, x := range c.spellings() {
			if _, ok := countryNamed(x); ok {
				s.Countries = append(s.Countries, x)
				break
			}
		}
	}
	slices.Sort(s.Countries)
	s.Countries = slices.Compact(s.Countries)
}
