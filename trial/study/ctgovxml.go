package study

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/trialproof/trialproof/trial/outcome"
)

// xmlRecord is the registry's older XML, with the members that are read. Members were renamed
// over the years; both names are here.
//
// Source: https://clinicaltrials.gov/ct2/html/images/info/public.xsd
type xmlRecord struct {
	XMLName      xml.Name `xml:"clinical_study"`
	DownloadDate string   `xml:"required_header>download_date"`
	URL          string   `xml:"required_header>url"`

	NCTID        string   `xml:"id_info>nct_id"`
	Aliases      []string `xml:"id_info>nct_alias"`
	OrgStudyID   string   `xml:"id_info>org_study_id"`
	SecondaryIDs []string `xml:"id_info>secondary_id"`

	BriefTitle    string            `xml:"brief_title"`
	BriefSummary  string            `xml:"brief_summary>textblock"`
	Description   string            `xml:"detailed_description>textblock"`
	OfficialTitle string            `xml:"official_title"`
	Acronym       string            `xml:"acronym"`
	LeadSponsor   xmlOrganisation   `xml:"sponsors>lead_sponsor"`
	Collaborators []xmlOrganisation `xml:"sponsors>collaborator"`

	OverallStatus  string  `xml:"overall_status"`
	StartDate      xmlDate `xml:"start_date"`
	PrimaryDate    xmlDate `xml:"primary_completion_date"`
	CompletionDate xmlDate `xml:"completion_date"`
	Phase          string  `xml:"phase"`
	StudyType      string  `xml:"study_type"`
	StudyDesign    string  `xml:"study_design"` // until 2017: "Allocation: Randomized, Masking: Open Label, ..."
	Design         struct {
		Allocation    string `xml:"allocation"`
		Model         string `xml:"intervention_model"`
		Observational string `xml:"observational_model"`
		Purpose       string `xml:"primary_purpose"`
		Masking       string `xml:"masking"`
	} `xml:"study_design_info"`

	Primary   []xmlOutcome `xml:"primary_outcome"`
	Secondary []xmlOutcome `xml:"secondary_outcome"`
	Other     []xmlOutcome `xml:"other_outcome"`

	Enrollment struct {
		Count string `xml:",chardata"`
		Type  string `xml:"type,attr"`
	} `xml:"enrollment"`
	Conditions []string `xml:"condition"`
	Arms       []struct {
		Label       string `xml:"arm_group_label"`
		Type        string `xml:"arm_group_type"`
		Description string `xml:"description"`
	} `xml:"arm_group"`
	Interventions []struct {
		Type string `xml:"intervention_type"`
		Name string `xml:"intervention_name"`
	} `xml:"intervention"`
	Eligibility struct {
		Criteria   string `xml:"criteria>textblock"`
		Gender     string `xml:"gender"`
		MinimumAge string `xml:"minimum_age"`
		MaximumAge string `xml:"maximum_age"`
		Volunteers string `xml:"healthy_volunteers"`
	} `xml:"eligibility"`
	Oversight struct {
		DMC        string `xml:"has_dmc"`
		Drug       string `xml:"is_fda_regulated_drug"`
		Device     string `xml:"is_fda_regulated_device"`
		Unapproved string `xml:"is_unapproved_device"`
		Export     string `xml:"is_us_export"`
		PPSD       string `xml:"is_ppsd"`
	} `xml:"oversight_info"`
	FDARegulated string `xml:"is_fda_regulated"` // until 2017, drug and device alike

	Countries []string `xml:"location_countries>country"`

	FirstReceived    string  `xml:"firstreceived_date"`
	FirstSubmitted   string  `xml:"study_first_submitted"`
	FirstPosted      xmlDate `xml:"study_first_posted"`
	ResultsReceived  string  `xml:"firstreceived_results_date"`
	ResultsSubmitted string  `xml:"results_first_submitted"`
	Pending          struct {
		Events []struct {
			XMLName xml.Name
			Date    string `xml:",chardata"`
		} `xml:",any"`
	} `xml:"pending_results"`
	ResultsPosted        xmlDate `xml:"results_first_posted"`
	DispositionReceived  string  `xml:"firstreceived_results_disposition_date"`
	DispositionSubmitted string  `xml:"disposition_first_submitted"`
	DispositionPosted    xmlDate `xml:"disposition_first_posted"`
	LastChanged          string  `xml:"lastchanged_date"`
	LastSubmitted        string  `xml:"last_update_submitted"`
	LastPosted           xmlDate `xml:"last_update_posted"`
	Verified             string  `xml:"verification_date"`

	Responsible struct {
		Type         string `xml:"responsible_party_type"`
		NameTitle    string `xml:"name_title"`
		Investigator string `xml:"investigator_full_name"`
	} `xml:"responsible_party"`
	Officials     []xmlPerson `xml:"overall_official"`
	Contacts      []xmlPerson `xml:"overall_contact"`
	Backups       []xmlPerson `xml:"overall_contact_backup"`
	SiteContacts  []xmlPerson `xml:"location>contact"`
	SiteBackups   []xmlPerson `xml:"location>contact_backup"`
	Investigators []xmlPerson `xml:"location>investigator"`

	Documents []struct {
		Type     string `xml:"document_type"`
		Date     string `xml:"document_date"`
		Protocol string `xml:"document_has_protocol"`
		SAP      string `xml:"document_has_sap"`
		ICF      string `xml:"document_has_icf"`
	} `xml:"provided_document_section>provided_document"`

	Results *struct {
		Outcomes []struct {
			Type        string `xml:"type"`
			Title       string `xml:"title"`
			Description string `xml:"description"`
			TimeFrame   string `xml:"time_frame"`
		} `xml:"outcome_list>outcome"`
		PointOfContact string `xml:"point_of_contact>name_or_title"`
	} `xml:"clinical_results"`
}

type xmlOrganisation struct {
	Agency string `xml:"agency"`
	Class  string `xml:"agency_class"`
}

type xmlDate struct {
	Date string `xml:",chardata"`
	Type string `xml:"type,attr"`
}

type xmlOutcome struct {
	Measure     string `xml:"measure"`
	TimeFrame   string `xml:"time_frame"`
	Description string `xml:"description"`
}

// An xmlPerson's name is either complete in last_name, or in three parts.
type xmlPerson struct {
	First  string `xml:"first_name"`
	Middle string `xml:"middle_name"`
	Last   string `xml:"last_name"`
}

func (p xmlPerson) name() string { return p.First + " " + p.Middle + " " + p.Last }

// parseXML reads one clinical_study of the registry's older exports.
func parseXML(data []byte) (*Study, error) {
	root, err := rootElement(data)
	if err != nil {
		return nil, fmt.Errorf("not well-formed XML: %w", err)
	}
	if root != "clinical_study" {
		switch root {
		case "allTrials", "fullTrial":
			return parseISRCTN(data, root)
		case "Trials_downloaded_from_ICTRP", "Trial":
			return parseICTRP(data, root)
		}
		return nil, byRoot(root)
	}
	var r xmlRecord
	d := xml.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&r); err != nil {
		return nil, fmt.Errorf("not well-formed XML: %w", err)
	}
	if err := checkEnd(d); err != nil {
		return nil, err
	}
	r.NCTID = text(r.NCTID)
	if err := checkNCT(r.NCTID); err != nil {
		return nil, err
	}
	if i := strings.LastIndex(r.URL, "/NCT"); i >= 0 && !strings.HasPrefix(text(r.URL[i+1:]), r.NCTID) {
		return nil, fmt.Errorf("the record contradicts itself: its number is %s, its URL is of %.20s", r.NCTID, r.URL[i+1:])
	}
	downloaded := registryDate(strings.TrimPrefix(text(r.DownloadDate), "ClinicalTrials.gov processed this data on "))
	s := &Study{
		Format: CTGovXML, Dated: downloaded, Seen: downloaded,
		Title: text(r.BriefTitle), OfficialTitle: text(r.OfficialTitle), Acronym: text(r.Acronym),
		Summary: text(r.BriefSummary + " " + r.Description),
		Sponsor: Organisation{text(r.LeadSponsor.Agency), class(r.LeadSponsor.Class)},
		Type:    studyType(r.StudyType), Phases: phases(text(r.Phase)),
		Status: status(r.OverallStatus),
	}
	s.addIdentifier("nct", r.NCTID)
	for _, a := range r.Aliases {
		s.addIdentifier("nct-alias", a)
	}
	s.addIdentifier("sponsor", r.OrgStudyID)
	for _, id := range r.SecondaryIDs {
		s.addIdentifier("", id)
	}
	for _, c := range r.Collaborators {
		s.Collaborators = append(s.Collaborators, Organisation{text(c.Agency), class(c.Class)})
	}
	r.design(s)
	if s.Enrolment, err = enrolment(r.Enrollment.Count, r.Enrollment.Type); err != nil {
		return nil, err
	}
	for _, c := range r.Conditions {
		s.Conditions = append(s.Conditions, text(c))
	}
	for _, a := range r.Arms {
		s.Arms = append(s.Arms, Arm{text(a.Label), word(a.Type), text(a.Description)})
	}
	for _, i := range r.Interventions {
		s.Interventions = append(s.Interventions, Intervention{text(i.Name), word(i.Type)})
	}
	for _, l := range []struct {
		level string
		list  []xmlOutcome
	}{{Primary, r.Primary}, {Secondary, r.Secondary}, {Other, r.Other}} {
		for _, o := range l.list {
			s.Outcomes = append(s.Outcomes, outcome.Outcome{
				Level: l.level, Measure: text(o.Measure),
				TimeFrame: text(o.TimeFrame), Description: text(o.Description),
			})
		}
	}
	e := r.Eligibility
	s.Eligibility = Eligibility{text(e.Criteria), sex(e.Gender), age(e.MinimumAge), age(e.MaximumAge), yesNoText(e.Volunteers)}
	o := r.Oversight
	s.Oversight = Oversight{
		FDADrug: yesNoText(o.Drug), FDADevice: yesNoText(o.Device), UnapprovedDevice: yesNoText(o.Unapproved), PPSD: yesNoText(o.PPSD),
		USExport: yesNoText(o.Export), DMC: yesNoText(o.DMC),
	}
	if all := yesNoText(r.FDARegulated); all != "" && s.Oversight.FDADrug == "" && s.Oversight.FDADevice == "" {
		s.Oversight.FDARegulated = all
	}
	for _, c := range r.Countries {
		if c = text(c); c != "" {
			s.Countries = append(s.Countries, c)
		}
	}
	slices.Sort(s.Countries)
	s.Countries = slices.Compact(s.Countries)
	r.dates(s)
	for _, e := range r.Pending.Events {
		s.addReview(e.XMLName.Local, e.Date, false)
	}
	r.people(s)
	for _, d := range r.Documents {
		doc := Document{Label: text(d.Type), Date: registryDate(d.Date)}
		for _, k := range []struct{ has, kind string }{{d.Protocol, "protocol"}, {d.SAP, "sap"}, {d.ICF, "icf"}} {
			if yesNoText(k.has) == "yes" {
				doc.Kinds = append(doc.Kinds, k.kind)
			}
		}
		s.Documents = append(s.Documents, doc)
	}
	if r.Results != nil {
		s.Results = true
		for _, o := range r.Results.Outcomes {
			s.Reported = append(s.Reported, outcome.Outcome{
				Level: level(o.Type), Measure: text(o.Title),
				TimeFrame: text(o.TimeFrame), Description: text(o.Description),
			})
		}
		s.addPerson(r.Results.PointOfContact)
	}
	return s, s.checkDates()
}

// design reads the design. Its older form is one text of "Name: value", with commas between and
// inside.
func (r *xmlRecord) design(s *Study) {
	d := r.Design
	if r.StudyDesign != "" {
		old := map[string]string{}
		var name string
		for _, part := range strings.Split(r.StudyDesign, ",") {
			if n, v, ok := strings.Cut(part, ":"); ok {
				name = word(n)
				old[name] = v
			} else if name != "" {
				old[name] += "," + part
			}
		}
		d.Allocation, d.Model, d.Observational = old["allocation"], old["intervention-model"], old["observational-model"]
		d.Purpose, d.Masking = old["primary-purpose"], old["masking"]
	}
	if d.Allocation != "" {
		s.Allocation = allocation(d.Allocation)
	}
	s.Model = designModel(d.Model + d.Observational)
	s.Purpose = word(d.Purpose)
	s.setMasking(text(d.Masking), nil)
}

// enrolment reads a number of participants from text.
func enrolment(n, kind string) (Enrolment, error) {
	n = text(n)
	if n == "" {
		return Enrolment{Count: -1}, nil
	}
	count, err := strconv.ParseUint(n, 10, 31)
	if err != nil {
		return Enrolment{}, fmt.Errorf("the enrolment %.20q is not a number", n)
	}
	return Enrolment{int(count), dateKind(kind)}, nil
}

func (r *xmlRecord) dates(s *Study) {
	for _, d := range []struct {
		event, date, kind string
	}{
		{Start, r.StartDate.Date, dateKind(r.StartDate.Type)},
		{PrimaryCompletion, r.PrimaryDate.Date, dateKind(r.PrimaryDate.Type)},
		{Completion, r.CompletionDate.Date, dateKind(r.CompletionDate.Type)},
		{FirstSubmitted, cmp.Or(r.FirstSubmitted, r.FirstReceived), Actual},
		{FirstPosted, r.FirstPosted.Date, dateKind(r.FirstPosted.Type)},
		{ResultsSubmitted, cmp.Or(r.ResultsSubmitted, r.ResultsReceived), Actual},
		{ResultsPosted, r.ResultsPosted.Date, dateKind(r.ResultsPosted.Type)},
		{CertificateSubmitted, cmp.Or(r.DispositionSubmitted, r.DispositionReceived), Actual},
		{CertificatePosted, r.DispositionPosted.Date, dateKind(r.DispositionPosted.Type)},
		{UpdateSubmitted, cmp.Or(r.LastSubmitted, r.LastChanged), Actual},
		{UpdatePosted, r.LastPosted.Date, dateKind(r.LastPosted.Type)},
		{Verified, r.Verified, ""},
	} {
		if text(d.date) != "" {
			s.addDate(d.event, registryDate(d.date), d.kind)
		}
	}
}

func (r *xmlRecord) people(s *Study) {
	s.addPerson(r.Responsible.NameTitle)
	s.addResponsible(r.Responsible.Type, r.Responsible.Investigator)
	for _, list := range [][]xmlPerson{r.Officials, r.Contacts, r.Backups, r.SiteContacts, r.SiteBackups, r.Investigators} {
		for _, p := range list {
			s.addPerson(p.name())
		}
	}
}

// class returns the code of a class of organisation: "U.S. Fed" is fed.
func class(s string) string {
	if w := word(s); w != "u.s.-fed" {
		return w
	}
	return "fed"
}

// sex returns the code for who may take part: "Both" was the older word for all. It returns ""
// for a word that is not known.
func sex(s string) string {
	switch w := word(s); w {
	case "both", "all":
		return "all"
	case "female", "male":
		return w
	}
	return ""
}

// rootElement returns the name of the XML's root.
func rootElement(data []byte) (string, error) {
	d := xml.NewDecoder(bytes.NewReader(data))
	for {
		t, err := d.Token()
		if err != nil {
			return "", err
		}
		if e, ok := t.(xml.StartElement); ok {
			return e.Name.Local, nil
		}
	}
}

// checkEnd refuses anything but white space and comments after the root.
func checkEnd(d *xml.Decoder) error {
	for {
		t, err := d.Token()
		if err != nil {
			if err == io.EOF {
				return nil
			}
			return fmt.Errorf("not well-formed XML: %w", err)
		}
		switch t := t.(type) {
		case xml.CharData:
			if len(bytes.TrimSpace(t)) == 0 {
				continue
			}
		case xml.Comment, xml.ProcInst:
			continue
		}
		return fmt.Errorf("not well-formed XML: something follows the root")
	}
}
