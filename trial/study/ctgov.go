package study

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"html"
	"reflect"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/trial/outcome"
)

// v2Record is a study of ClinicalTrials.gov's API v2, with the members that are read.
//
// Source: https://clinicaltrials.gov/data-api/about-api/study-data-structure
type v2Record struct {
	ProtocolSection struct {
		IdentificationModule struct {
			NCTID          string   `json:"nctId"`
			NCTIDAliases   []string `json:"nctIdAliases"`
			OrgStudyIDInfo struct {
				ID string `json:"id"`
			} `json:"orgStudyIdInfo"`
			SecondaryIDInfos []struct {
				ID   string `json:"id"`
				Type string `json:"type"`
			} `json:"secondaryIdInfos"`
			BriefTitle    string `json:"briefTitle"`
			OfficialTitle string `json:"officialTitle"`
			Acronym       string `json:"acronym"`
		} `json:"identificationModule"`
		DescriptionModule struct {
			BriefSummary        string `json:"briefSummary"`
			DetailedDescription string `json:"detailedDescription"`
		} `json:"descriptionModule"`
		StatusModule struct {
			StatusVerifiedDate          string `json:"statusVerifiedDate"`
			OverallStatus               string `json:"overallStatus"`
			StartDateStruct             v2Date `json:"startDateStruct"`
			PrimaryCompletionDateStruct v2Date `json:"primaryCompletionDateStruct"`
			CompletionDateStruct        v2Date `json:"completionDateStruct"`
			StudyFirstSubmitDate        string `json:"studyFirstSubmitDate"`
			StudyFirstPostDateStruct    v2Date `json:"studyFirstPostDateStruct"`
			ResultsWaived               bool   `json:"resultsWaived"`
			ResultsFirstSubmitDate      string `json:"resultsFirstSubmitDate"`
			ResultsFirstPostDateStruct  v2Date `json:"resultsFirstPostDateStruct"`
			DispFirstSubmitDate         string `json:"dispFirstSubmitDate"`
			DispFirstPostDateStruct     v2Date `json:"dispFirstPostDateStruct"`
			LastUpdateSubmitDate        string `json:"lastUpdateSubmitDate"`
			LastUpdatePostDateStruct    v2Date `json:"lastUpdatePostDateStruct"`
		} `json:"statusModule"`
		SponsorCollaboratorsModule struct {
			ResponsibleParty struct {
				Type                 string `json:"type"`
				InvestigatorFullName string `json:"investigatorFullName"`
				OldNameTitle         string `json:"oldNameTitle"`
			} `json:"responsibleParty"`
			LeadSponsor   v2Organisation   `json:"leadSponsor"`
			Collaborators []v2Organisation `json:"collaborators"`
		} `json:"sponsorCollaboratorsModule"`
		OversightModule struct {
			OversightHasDMC      *bool `json:"oversightHasDmc"`
			IsFDARegulatedDrug   *bool `json:"isFdaRegulatedDrug"`
			IsFDARegulatedDevice *bool `json:"isFdaRegulatedDevice"`
			IsUnapprovedDevice   *bool `json:"isUnapprovedDevice"`
			IsUSExport           *bool `json:"isUsExport"`
			IsPPSD               *bool `json:"isPpsd"`
		} `json:"oversightModule"`
		ConditionsModule struct {
			Conditions []string `json:"conditions"`
		} `json:"conditionsModule"`
		DesignModule struct {
			StudyType  string   `json:"studyType"`
			Phases     []string `json:"phases"`
			DesignInfo struct {
				Allocation         string `json:"allocation"`
				InterventionModel  string `json:"interventionModel"`
				ObservationalModel string `json:"observationalModel"`
				PrimaryPurpose     string `json:"primaryPurpose"`
				MaskingInfo        struct {
					Masking   string   `json:"masking"`
					WhoMasked []string `json:"whoMasked"`
				} `json:"maskingInfo"`
			} `json:"designInfo"`
			EnrollmentInfo *struct {
				Count *int   `json:"count"`
				Type  string `json:"type"`
			} `json:"enrollmentInfo"`
		} `json:"designModule"`
		ArmsInterventionsModule struct {
			ArmGroups []struct {
				Label       string `json:"label"`
				Type        string `json:"type"`
				Description string `json:"description"`
			} `json:"armGroups"`
			Interventions []struct {
				Type string `json:"type"`
				Name string `json:"name"`
			} `json:"interventions"`
		} `json:"armsInterventionsModule"`
		OutcomesModule struct {
			PrimaryOutcomes   []v2Outcome `json:"primaryOutcomes"`
			SecondaryOutcomes []v2Outcome `json:"secondaryOutcomes"`
			OtherOutcomes     []v2Outcome `json:"otherOutcomes"`
		} `json:"outcomesModule"`
		EligibilityModule struct {
			EligibilityCriteria string `json:"eligibilityCriteria"`
			HealthyVolunteers   *bool  `json:"healthyVolunteers"`
			Sex                 string `json:"sex"`
			MinimumAge          string `json:"minimumAge"`
			MaximumAge          string `json:"maximumAge"`
		} `json:"eligibilityModule"`
		ContactsLocationsModule struct {
			CentralContacts  []v2Person `json:"centralContacts"`
			OverallOfficials []v2Person `json:"overallOfficials"`
			Locations        []struct {
				Country  string     `json:"country"`
				Contacts []v2Person `json:"contacts"`
			} `json:"locations"`
		} `json:"contactsLocationsModule"`
	} `json:"protocolSection"`
	HasResults     bool `json:"hasResults"`
	ResultsSection *struct {
		OutcomeMeasuresModule struct {
			OutcomeMeasures []struct {
				Type        string `json:"type"`
				Title       string `json:"title"`
				Description string `json:"description"`
				TimeFrame   string `json:"timeFrame"`
			} `json:"outcomeMeasures"`
		} `json:"outcomeMeasuresModule"`
		MoreInfoModule struct {
			PointOfContact struct {
				Title string `json:"title"`
			} `json:"pointOfContact"`
		} `json:"moreInfoModule"`
	} `json:"resultsSection"`
	AnnotationSection struct {
		AnnotationModule struct {
			UnpostedAnnotation struct {
				UnpostedResponsibleParty string `json:"unpostedResponsibleParty"`
				UnpostedEvents           []struct {
					Type        string `json:"type"`
					Date        string `json:"date"`
					DateUnknown bool   `json:"dateUnknown"`
				} `json:"unpostedEvents"`
			} `json:"unpostedAnnotation"`
		} `json:"annotationModule"`
	} `json:"annotationSection"`
	DocumentSection struct {
		LargeDocumentModule struct {
			LargeDocs []struct {
				HasProtocol bool   `json:"hasProtocol"`
				HasSAP      bool   `json:"hasSap"`
				HasICF      bool   `json:"hasIcf"`
				Label       string `json:"label"`
				Date        string `json:"date"`
			} `json:"largeDocs"`
		} `json:"largeDocumentModule"`
	} `json:"documentSection"`
	DerivedSection struct {
		MiscInfoModule struct {
			VersionHolder string `json:"versionHolder"`
		} `json:"miscInfoModule"`
	} `json:"derivedSection"`
}

type v2Date struct {
	Date string `json:"date"`
	Type string `json:"type"`
}

type v2Organisation struct {
	Name  string `json:"name"`
	Class string `json:"class"`
}

type v2Outcome struct {
	Measure     string `json:"measure"`
	TimeFrame   string `json:"timeFrame"`
	Description string `json:"description"`
}

type v2Person struct {
	Name string `json:"name"`
}

// parseHistory reads a version from an answer of the registry's history of a record. Its day is
// the day of its posting, not that of the download.
func parseHistory(data []byte, version string) (*Study, error) {
	s, err := parseCTGovV2(data)
	if err != nil || version == "" {
		return s, err
	}
	s.Version, s.Seen = version, ""
	s.Dated = cmp.Or(s.Date(UpdatePosted).Date, s.Date(UpdateSubmitted).Date, s.Date(FirstPosted).Date, s.Date(FirstSubmitted).Date)
	return s, nil
}

// unescape removes HTML escapes from every text of a value: answers of the history escape
// texts, such as "&lt;" for "<".
func unescape(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if s := v.String(); strings.Contains(s, "&") {
			v.SetString(html.UnescapeString(s))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			unescape(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			unescape(v.Index(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			unescape(v.Elem())
		}
	}
}

// parseCTGovV2 reads a record of the registry's API v2.
func parseCTGovV2(data []byte) (*Study, error) {
	var r v2Record
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("not a ClinicalTrials.gov v2 record: %w", err)
	}
	if bytes.Contains(data, []byte("&")) || bytes.Contains(data, []byte(`\u0026`)) {
		unescape(reflect.ValueOf(&r))
	}
	p := &r.ProtocolSection
	id := &p.IdentificationModule
	if err := checkNCT(id.NCTID); err != nil {
		return nil, err
	}
	s := &Study{
		Format: CTGovV2, Dated: r.DerivedSection.MiscInfoModule.VersionHolder, Seen: r.DerivedSection.MiscInfoModule.VersionHolder,
		Title: text(id.BriefTitle), OfficialTitle: text(id.OfficialTitle), Acronym: text(id.Acronym),
		Summary:   text(p.DescriptionModule.BriefSummary + " " + p.DescriptionModule.DetailedDescription),
		Enrolment: Enrolment{Count: -1},
	}
	s.addIdentifier("nct", id.NCTID)
	for _, a := range id.NCTIDAliases {
		s.addIdentifier("nct-alias", a)
	}
	s.addIdentifier("sponsor", id.OrgStudyIDInfo.ID)
	for _, x := range id.SecondaryIDInfos {
		s.addIdentifier(word(x.Type), x.ID)
	}

	sp := &p.SponsorCollaboratorsModule
	s.Sponsor = Organisation{text(sp.LeadSponsor.Name), word(sp.LeadSponsor.Class)}
	for _, c := range sp.Collaborators {
		s.Collaborators = append(s.Collaborators, Organisation{text(c.Name), word(c.Class)})
	}
	s.addResponsible(sp.ResponsibleParty.Type, sp.ResponsibleParty.InvestigatorFullName)
	s.addPerson(sp.ResponsibleParty.OldNameTitle)

	d := &p.DesignModule
	s.Type = studyType(d.StudyType)
	for _, ph := range d.Phases {
		s.Phases = append(s.Phases, phases(ph)...)
	}
	s.Allocation = allocation(d.DesignInfo.Allocation)
	s.Model = designModel(d.DesignInfo.InterventionModel + d.DesignInfo.ObservationalModel)
	s.Purpose = word(d.DesignInfo.PrimaryPurpose)
	s.setMasking(d.DesignInfo.MaskingInfo.Masking, d.DesignInfo.MaskingInfo.WhoMasked)
	if e := d.EnrollmentInfo; e != nil && e.Count != nil {
		s.Enrolment = Enrolment{*e.Count, dateKind(e.Type)}
	}

	for _, c := range p.ConditionsModule.Conditions {
		s.Conditions = append(s.Conditions, text(c))
	}
	for _, a := range p.ArmsInterventionsModule.ArmGroups {
		s.Arms = append(s.Arms, Arm{text(a.Label), word(a.Type), text(a.Description)})
	}
	for _, i := range p.ArmsInterventionsModule.Interventions {
		s.Interventions = append(s.Interventions, Intervention{text(i.Name), word(i.Type)})
	}
	o := &p.OutcomesModule
	for _, l := range []struct {
		level string
		list  []v2Outcome
	}{{Primary, o.PrimaryOutcomes}, {Secondary, o.SecondaryOutcomes}, {Other, o.OtherOutcomes}} {
		for _, x := range l.list {
			s.Outcomes = append(s.Outcomes, outcome.Outcome{
				Level: l.level, Measure: text(x.Measure),
				TimeFrame: text(x.TimeFrame), Description: text(x.Description),
			})
		}
	}
	e := &p.EligibilityModule
	s.Eligibility = Eligibility{
		Criteria: text(e.EligibilityCriteria), Sex: sex(e.Sex), MinimumAge: age(e.MinimumAge),
		MaximumAge: age(e.MaximumAge), HealthyVolunteers: yesNo(e.HealthyVolunteers),
	}
	ov := &p.OversightModule
	s.Oversight = Oversight{
		FDADrug: yesNo(ov.IsFDARegulatedDrug), FDADevice: yesNo(ov.IsFDARegulatedDevice),
		UnapprovedDevice: yesNo(ov.IsUnapprovedDevice), USExport: yesNo(ov.IsUSExport),
		PPSD: yesNo(ov.IsPPSD), DMC: yesNo(ov.OversightHasDMC),
	}

	st := &p.StatusModule
	for _, d := range []*string{
		&st.StartDateStruct.Date, &st.PrimaryCompletionDateStruct.Date, &st.CompletionDateStruct.Date,
		&st.StudyFirstSubmitDate, &st.StudyFirstPostDateStruct.Date, &st.ResultsFirstSubmitDate, &st.ResultsFirstPostDateStruct.Date,
		&st.DispFirstSubmitDate, &st.DispFirstPostDateStruct.Date, &st.LastUpdateSubmitDate, &st.LastUpdatePostDateStruct.Date,
		&s.Dated, &s.Seen,
	} {
		*d = day(*d)
	}
	s.Status, s.Waived = status(st.OverallStatus), st.ResultsWaived
	s.addDate(Start, st.StartDateStruct.Date, dateKind(st.StartDateStruct.Type))
	s.addDate(PrimaryCompletion, st.PrimaryCompletionDateStruct.Date, dateKind(st.PrimaryCompletionDateStruct.Type))
	s.addDate(Completion, st.CompletionDateStruct.Date, dateKind(st.CompletionDateStruct.Type))
	s.addDate(FirstSubmitted, st.StudyFirstSubmitDate, Actual)
	s.addDate(FirstPosted, st.StudyFirstPostDateStruct.Date, dateKind(st.StudyFirstPostDateStruct.Type))
	unposted := &r.AnnotationSection.AnnotationModule.UnpostedAnnotation
	s.addPerson(unposted.UnpostedResponsibleParty)
	for _, e := range unposted.UnpostedEvents {
		s.addReview(e.Type, e.Date, e.DateUnknown)
	}
	s.addDate(ResultsSubmitted, st.ResultsFirstSubmitDate, Actual)
	s.addDate(ResultsPosted, st.ResultsFirstPostDateStruct.Date, dateKind(st.ResultsFirstPostDateStruct.Type))
	s.addDate(CertificateSubmitted, st.DispFirstSubmitDate, Actual)
	s.addDate(CertificatePosted, st.DispFirstPostDateStruct.Date, dateKind(st.DispFirstPostDateStruct.Type))
	s.addDate(UpdateSubmitted, st.LastUpdateSubmitDate, Actual)
	s.addDate(UpdatePosted, st.LastUpdatePostDateStruct.Date, dateKind(st.LastUpdatePostDateStruct.Type))
	s.addDate(Verified, st.StatusVerifiedDate, "")

	c := &p.ContactsLocationsModule
	for _, list := range [][]v2Person{c.CentralContacts, c.OverallOfficials} {
		for _, x := range list {
			s.addPerson(x.Name)
		}
	}
	for _, l := range c.Locations {
		if l.Country != "" {
			s.Countries = append(s.Countries, l.Country)
		}
		for _, x := range l.Contacts {
			s.addPerson(x.Name)
		}
	}
	slices.Sort(s.Countries)
	s.Countries = slices.Compact(s.Countries)

	s.Announced = r.HasResults || r.ResultsSection != nil
	if res := r.ResultsSection; res != nil {
		s.Results = true
		for _, x := range res.OutcomeMeasuresModule.OutcomeMeasures {
			s.Reported = append(s.Reported, outcome.Outcome{
				Level: level(x.Type), Measure: text(x.Title),
				TimeFrame: text(x.TimeFrame), Description: text(x.Description),
			})
		}
		s.addPerson(res.MoreInfoModule.PointOfContact.Title)
	}
	for _, x := range r.DocumentSection.LargeDocumentModule.LargeDocs {
		doc := Document{Label: text(x.Label), Date: x.Date}
		for _, k := range []struct {
			has  bool
			kind string
		}{{x.HasProtocol, "protocol"}, {x.HasSAP, "sap"}, {x.HasICF, "icf"}} {
			if k.has {
				doc.Kinds = append(doc.Kinds, k.kind)
			}
		}
		s.Documents = append(s.Documents, doc)
	}
	if s.Dated == "" { // answers of the API without the derived section
		s.Dated = cmp.Or(st.LastUpdatePostDateStruct.Date, st.LastUpdateSubmitDate)
	}
	return s, s.checkDates()
}

func checkNCT(id string) error {
	if len(id) != 11 || !strings.HasPrefix(id, "NCT") || strings.Trim(id[3:], "0123456789") != "" {
		return fmt.Errorf("the record's own number is %.40q, not NCT and 8 digits", id)
	}
	return nil
}
