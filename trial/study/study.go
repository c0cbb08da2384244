// Package study reads trial documents in the formats that registries and sponsors use. It has
// one neutral model of them, so that versions can be compared whatever their formats are:
// ClinicalTrials.gov's API v2 records, its older full-study records and XML, XML of ISRCTN and
// of WHO's portal, CDISC USDM 4.0, and HL7 FHIR ResearchStudy.
//
// It reads bytes that others have hashed. A document that cannot be read is still proven to be
// the one that was logged, and Parse says why it could not be read. The package knows no log,
// no receipt and no rule.
//
// A reader takes what the document says and adds nothing: what is not there is empty. Coded
// values are given in the words below, the same for all formats. A value that has no word here
// is kept in lower case with hyphens.
package study

import (
	"strings"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/outcome"
)

// A Study is one version of what a document says about one trial.
type Study struct {
	Format  string // one of Formats
	Version string // as the document names itself, if it does
	// PartOnly says that the study comes from facts: long texts are cut, and members that facts
	// do not have are empty.
	PartOnly bool
	Dated    string // day (YYYY-MM-DD) that the document declares for this version or download; "" if it does not
	Seen     string // day on which its register showed it, as a download says; "" if the document is none

	Identifiers   []Identifier
	Title         string // brief title
	OfficialTitle string
	Acronym       string
	Summary       string // brief and detailed description, which are not facts
	Sponsor       Organisation
	Collaborators []Organisation

	Type       string   // interventional, observational, expanded-access
	Phases     []string // early-phase1, phase1, phase2, phase3, phase4, not-applicable
	Allocation string   // randomized, non-randomized, not-applicable
	Model      string   // single-group, parallel, crossover, factorial, sequential; of an observational study cohort, ...
	Purpose    string   // treatment, prevention, diagnostic, ...
	Masking    string   // none, single, double, triple, quadruple; masked where no number is given
	Masked     []string // participant, care-provider, investigator, outcomes-assessor; sorted

	Conditions    []string
	Arms          []Arm
	Interventions []Intervention
	Objectives    []Objective
	Outcomes      []outcome.Outcome // as planned: registered, or in a protocol
	Reported      []outcome.Outcome // as in the document's own results
	Eligibility   Eligibility
	Enrolment     Enrolment

	Dates     []Date
	Status    string        // recruiting, completed, terminated, withdrawn, withheld, ...
	Results   bool          // the document has results
	Announced bool          // the register says that there are results, whether or not they are in the document
	Waived    bool          // the register says that results are waived
	Review    []ReviewEvent // of results that are not posted
	Oversight Oversight
	Countries []string // as the document names them, sorted, none twice
	facts     *trial.Facts
	saying    *[2]string // the result of said
	usSite    string     // of facts, which have no countries: yes, no or ""
	euSite    string
	Documents []Document
	Sections  []Section // of a protocol, in order

	Amendments []Amendment // that made this version of a protocol

	// People are the names of natural persons in the document. They are here only to prevent
	// that anything with one of them is published.
	People []string

	authors               []string // of works that the document cites, "Doe, J"
	investigators         []string // of People, those who are certainly people
	sponsorInvestigator   bool     // the document says that the sponsor is an investigator
	sponsorIsOrganisation bool     // the document says that the sponsor is an organisation

	known map[any]bool // of Identifiers and People, so that none is added twice
}

// Formats that Parse knows.
const (
	CTGovV2  = "ctgov-v2"  // ClinicalTrials.gov API v2 study record
	CTGovV1  = "ctgov-v1"  // ClinicalTrials.gov full-study record, of the API before v2
	CTGovXML = "ctgov-xml" // ClinicalTrials.gov clinical_study
	USDM     = "usdm"      // CDISC USDM 4
	FHIRR4   = "fhir-r4"   // HL7 FHIR ResearchStudy, R4
	FHIRR5   = "fhir-r5"   // the same in the shape of R5 and R6, which has outcome measures
	ISRCTN   = "isrctn"    // ISRCTN registry, XML
	ICTRP    = "ictrp"     // WHO's portal, XML: its copy of a register's record
	Logged   = "facts"     // facts of a log's entry
)

// An Identifier is a number by which a trial is known. Value is as in the document; callers
// that want a registry's number test the form of each.
type Identifier struct {
	Type  string // nct, sponsor, or what the document calls it; may be empty
	Value string
}

// RegistryNumber is the type of the number that a record has in a register other than
// ClinicalTrials.gov.
const RegistryNumber = "registry"

// An Organisation is a sponsor or collaborator.
type Organisation struct {
	Name  string
	Class string // industry, nih, fed, network, indiv, other, ...; "" if not said
}

// An Arm is an arm or group of the trial.
type Arm struct {
	Label       string
	Type        string // experimental, active-comparator, placebo-comparator, no-intervention, ...
	Description string
}

// An Intervention is what is given or done.
type Intervention struct {
	Name string
	Type string // drug, device, biological, ...
}

// Levels of objectives and outcomes.
const (
	Primary   = "primary"
	Secondary = "secondary"
	Other     = "other" // exploratory and all others
)

// An Objective is what a protocol wants to find out.
type Objective struct {
	Level string
	Text  string
}

// Eligibility says who may take part. Criteria is free text.
type Eligibility struct {
	Criteria          string
	Sex               string // all, female, male
	MinimumAge        string // "18 years"
	MaximumAge        string
	HealthyVolunteers string // yes, no, ""
}

// Enrolment is how many people take part.
type Enrolment struct {
	Count int    // -1 if the document does not say
	Kind  string // Actual, Planned or ""
}

// Kinds of dates and counts.
const (
	Actual  = "actual"
	Planned = "planned"
)

// A Date is when something happened or is to happen, as precisely as in the document: a month
// may mean any of its days.
type Date struct {
	Event string // one of the events below
	Date  string // YYYY, YYYY-MM or YYYY-MM-DD
	Kind  string // Actual, Planned or "" where the document does not say
}

// Events of dates.
const (
	Start                = "start" // first enrolment
	PrimaryCompletion    = "primary-completion"
	Completion           = "completion"
	FirstSubmitted       = "first-submitted"
	FirstPosted          = "first-posted"
	UpdateSubmitted      = "update-submitted"
	UpdatePosted         = "update-posted"
	Verified             = "verified"
	ResultsSubmitted     = "results-submitted"     // first
	ResultsPosted        = "results-posted"        // first
	CertificateSubmitted = "certificate-submitted" // of delayed results, first
	CertificatePosted    = "certificate-posted"
	ProtocolApproved     = "protocol-approved"
	ProtocolEffective    = "protocol-effective"
)

// Oversight says what regulators have to do with the trial: yes, no, or "" if the document does
// not say.
type Oversight struct {
	FDARegulated     string // until 2017: a drug or device, not said which
	FDADrug          string // studies an FDA-regulated drug
	FDADevice        string // studies an FDA-regulated device
	UnapprovedDevice string // a device not approved or cleared
	PPSD             string // a paediatric postmarket surveillance of a device, ordered under section 522
	USExport         string // product exported from the United States
	DMC              string // has a data monitoring committee
}

// A Document is one that the record lists, such as a posted protocol.
type Document struct {
	Label string   // as the record names it
	Kinds []string // protocol, sap, icf
	Date  string   // that it bears
}

// A Section is a section of a protocol's text.
type Section struct {
	Number string
	Title  string
	Text   string
}

// An Amendment says why a protocol was changed.
type Amendment struct {
	Number  string
	Reasons []string // codes, such as new-safety-information-available
	Summary string   // free text, which is not a fact
}

// Date returns the date of an event, or the zero Date if there is none.
func (s *Study) Date(event string) Date {
	for _, d := range s.Dates {
		if d.Event == event {
			return d
		}
	}
	return Date{}
}

// Selected reports whether the study is a selection of a record's fields: it lacks the type,
// the eligibility and the oversight that whole records of the registry have. WHO's copy of a
// record always is one. It says nothing about what it lacks.
func (s *Study) Selected() bool {
	lacks := s.Type == "" || s.Eligibility.Sex == "" && s.Eligibility.MinimumAge == "" && s.Oversight == Oversight{}
	return s.Format == ICTRP || s.Format == CTGovV2 && lacks && s.Status != "withheld" && s.Status != "no-longer-available"
}

// SelectedOnly describes a selection of fields.
const SelectedOnly = "a selection of fields, not the whole record: it says nothing of what it lacks"

// ResultsElsewhere says what the document says about results that it does not have: that the
// register has them, and since when. It is "" if the document says nothing of the kind, or only
// that they were submitted, which the register may still hold back.
func (s *Study) ResultsElsewhere() string {
	if s.Results || !s.Announced && s.Date(ResultsPosted).Date == "" {
		return ""
	}
	var said []string
	if s.Announced {
		said = append(said, "hasResults")
	}
	for _, event := range []string{ResultsSubmitted, ResultsPosted} {
		if d := s.Date(event).Date; d != "" {
			said = append(said, strings.TrimPrefix(event, "results-")+" "+d)
		}
	}
	return strings.Join(said, ", ")
}

// OutcomesOf returns the planned outcomes of a level, in order.
func (s *Study) OutcomesOf(level string) []outcome.Outcome {
	var list []outcome.Outcome
	for _, o := range s.Outcomes {
		if o.Level == level {
			list = append(list, o)
		}
	}
	return list
}

// Number returns the first value of a type of identifier.
func (s *Study) Number(typ string) string {
	for _, id := range s.Identifiers {
		if id.Type == typ {
			return id.Value
		}
	}
	return ""
}

// addDate appends a date if there is one. A registry's own estimate of when it posted something
// is not a plan.
func (s *Study) addDate(event, date, kind string) {
	if kind == Planned && strings.HasSuffix(event, "-posted") {
		kind = ""
	}
	if date != "" {
		s.Dates = append(s.Dates, Date{event, date, kind})
	}
}

// addIdentifier appends an identifier that is not there yet.
func (s *Study) addIdentifier(typ, value string) {
	if id := (Identifier{typ, text(value)}); id.Value != "" && s.isNew(id) {
		s.Identifiers = append(s.Identifiers, id)
	}
}

// addPerson notes the name of a natural person.
func (s *Study) addPerson(name string) {
	if name = text(name); name != "" && s.isNew(name) {
		s.People = append(s.People, name)
	}
}

// addResponsible notes the investigator who is the responsible party of a record of
// ClinicalTrials.gov. The sponsor may be the same person.
func (s *Study) addResponsible(typ, name string) {
	s.addPerson(name)
	if name = text(name); name != "" {
		s.investigators = append(s.investigators, name)
	}
	s.sponsorInvestigator = s.sponsorInvestigator || word(typ) == "sponsor-investigator"
}

func (s *Study) isNew(v any) bool {
	if s.known == nil {
		s.known = map[any]bool{}
	}
	old := s.known[v]
	s.known[v] = true
	return !old
}

// text folds white space, so that differences in line breaks and indentation are not changes.
func text(s string) string { return strings.Join(strings.Fields(s), " ") }

// word returns a coded value: lower case, with hyphens between words.
func word(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return r == ' ' || r == '_' || r == '-' || r == '/' || r == ',' || r == '\t' || r == '\n'
	}), "-")
}
