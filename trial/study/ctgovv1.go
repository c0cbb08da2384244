package study

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/trial/outcome"
)

// v1Study is a study of ClinicalTrials.gov's API before v2, with the members that are read.
// Numbers and booleans are texts, and lists are wrapped twice.
//
// Source: https://classic.clinicaltrials.gov/api/gui/ref/crosswalks
type v1Study struct {
	ProtocolSection struct {
		IdentificationModule struct {
			NCTId          string
			NCTIdAliasList struct{ NCTIdAlias []string }
			OrgStudyIdInfo struct{ OrgStudyId string }

			SecondaryIdInfoList struct {
				SecondaryIdInfo []struct{ SecondaryId, SecondaryIdType string }
			}
			BriefTitle, OfficialTitle, Acronym string
		}
		DescriptionModule struct{ BriefSummary, DetailedDescription string }
		StatusModule      struct {
			StatusVerifiedDate, OverallStatus string
			StartDateStruct                   struct{ StartDate, StartDateType string }
			PrimaryCompletionDateStruct       struct{ PrimaryCompletionDate, PrimaryCompletionDateType string }
			CompletionDateStruct              struct{ CompletionDate, CompletionDateType string }
			StudyFirstSubmitDate              string
			StudyFirstPostDateStruct          struct{ StudyFirstPostDate, StudyFirstPostDateType string }
			ResultsFirstSubmitDate            string
			ResultsFirstPostDateStruct        struct{ ResultsFirstPostDate, ResultsFirstPostDateType string }
			DispFirstSubmitDate               string
			DispFirstPostDateStruct           struct{ DispFirstPostDate, DispFirstPostDateType string }
			LastUpdateSubmitDate              string
			LastUpdatePostDateStruct          struct{ LastUpdatePostDate, LastUpdatePostDateType string }
		}
		SponsorCollaboratorsModule struct {
			ResponsibleParty struct{ ResponsiblePartyType, ResponsiblePartyInvestigatorFullName, ResponsiblePartyOldNameTitle string }
			LeadSponsor      struct{ LeadSponsorName, LeadSponsorClass string }
			CollaboratorList struct {
				Collaborator []struct{ CollaboratorName, CollaboratorClass string }
			}
		}
		OversightModule struct {
			OversightHasDMC, IsFDARegulatedDrug, IsFDARegulatedDevice, IsUnapprovedDevice, IsUSExport, IsPPSD string
		}
		ConditionsModule struct {
			ConditionList struct{ Condition []string }
		}
		DesignModule struct {
			StudyType  string
			PhaseList  struct{ Phase []string }
			DesignInfo struct {
				DesignAllocation, DesignInterventionModel, DesignPrimaryPurpose string

				DesignObservationalModelList struct{ DesignObservationalModel []string }
				DesignMaskingInfo            struct {
					DesignMasking       string
					DesignWhoMaskedList struct{ DesignWhoMasked []string }
				}
			}
			EnrollmentInfo struct{ EnrollmentCount, EnrollmentType string }
		}
		ArmsInterventionsModule struct {
			ArmGroupList struct {
				ArmGroup []struct{ ArmGroupLabel, ArmGroupType, ArmGroupDescription string }
			}
			InterventionList struct {
				Intervention []struct{ InterventionType, InterventionName string }
			}
		}
		OutcomesModule struct {
			PrimaryOutcomeList struct {
				PrimaryOutcome []struct{ PrimaryOutcomeMeasure, PrimaryOutcomeTimeFrame, PrimaryOutcomeDescription string }
			}
			SecondaryOutcomeList struct {
				SecondaryOutcome []struct{ SecondaryOutcomeMeasure, SecondaryOutcomeTimeFrame, SecondaryOutcomeDescription string }
			}
			OtherOutcomeList struct {
				OtherOutcome []struct{ OtherOutcomeMeasure, OtherOutcomeTimeFrame, OtherOutcomeDescription string }
			}
		}
		EligibilityModule struct {
			EligibilityCriteria, HealthyVolunteers, Gender, MinimumAge, MaximumAge string
		}
		ContactsLocationsModule struct {
			CentralContactList struct {
				CentralContact []struct{ CentralContactName string }
			}
			OverallOfficialList struct {
				OverallOfficial []struct{ OverallOfficialName string }
			}
			LocationList struct {
				Location []struct {
					LocationCountry     string
					LocationContactList struct {
						LocationContact []struct{ LocationContactName string }
					}
				}
			}
		}
	}
	ResultsSection *struct {
		OutcomeMeasuresModule struct {
			OutcomeMeasureList struct {
				OutcomeMeasure []struct {
					OutcomeMeasureType, OutcomeMeasureTitle, OutcomeMeasureDescription, OutcomeMeasureTimeFrame string
				}
			}
		}
		MoreInfoModule struct {
			PointOfContact struct{ PointOfContactTitle string }
		}
	}
	DocumentSection struct {
		LargeDocumentModule struct {
			LargeDocList struct {
				LargeDoc []struct{ LargeDocHasProtocol, LargeDocHasSAP, LargeDocHasICF, LargeDocLabel, LargeDocDate string }
			}
		}
	}
	AnnotationSection struct {
		AnnotationModule struct {
			UnpostedAnnotation struct {
				UnpostedResponsibleParty string
				UnpostedEventList        struct {
					UnpostedEvent []struct{ UnpostedEventType, UnpostedEventDate, UnpostedEventDateUnknown string }
				}
			}
		}
	}
	DerivedSection struct {
		MiscInfoModule struct{ VersionHolder string }
	}
}

// parseCTGovV1 reads a full-study record of the registry's API before v2, alone or as the only
// study of an answer.
func parseCTGovV1(data []byte) (*Study, error) {
	var r struct {
		Study               *v1Study
		FullStudiesResponse *struct {
			FullStudies []struct{ Study *v1Study }
		}
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("not a ClinicalTrials.gov full-study record: %w", err)
	}
	if a := r.FullStudiesResponse; a != nil {
		if len(a.FullStudies) != 1 {
			return nil, fmt.Errorf("the answer has %d studies, not one: split it", len(a.FullStudies))
		}
		r.Study = a.FullStudies[0].Study
	}
	if r.Study == nil {
		return nil, fmt.Errorf("not a ClinicalTrials.gov full-study record: its Study is missing")
	}
	p := &r.Study.ProtocolSection
	id := &p.IdentificationModule
	if err := checkNCT(id.NCTId); err != nil {
		return nil, err
	}
	s := &Study{
		Format: CTGovV1, Title: text(id.BriefTitle), OfficialTitle: text(id.OfficialTitle), Acronym: text(id.Acronym),
		Summary:   text(p.DescriptionModule.BriefSummary + " " + p.DescriptionModule.DetailedDescription),
		Enrolment: Enrolment{Count: -1},
	}
	s.addIdentifier("nct", id.NCTId)
	for _, a := range id.NCTIdAliasList.NCTIdAlias {
		s.addIdentifier("nct-alias", a)
	}
	s.addIdentifier("sponsor", id.OrgStudyIdInfo.OrgStudyId)
	for _, x := range id.SecondaryIdInfoList.SecondaryIdInfo {
		s.addIdentifier(strings.TrimSuffix(word(x.SecondaryIdType), "-identifier"), x.SecondaryId)
	}

	sp := &p.SponsorCollaboratorsModule
	s.Sponsor = Organisation{text(sp.LeadSponsor.LeadSponsorName), class(sp.LeadSponsor.LeadSponsorClass)}
	for _, c := range sp.CollaboratorList.Collaborator {
		s.Collaborators = append(s.Collaborators, Organisation{text(c.CollaboratorName), class(c.CollaboratorClass)})
	}
	s.addResponsible(sp.ResponsibleParty.ResponsiblePartyType, sp.ResponsibleParty.ResponsiblePartyInvestigatorFullName)
	s.addPerson(sp.ResponsibleParty.ResponsiblePartyOldNameTitle)

	d := &p.DesignModule
	s.Type = studyType(d.StudyType)
	for _, ph := range d.PhaseList.Phase {
		s.Phases = append(s.Phases, phases(ph)...)
	}
	if a := d.DesignInfo.DesignAllocation; a != "" {
		s.Allocation = allocation(a)
	}
	s.Model = designModel(d.DesignInfo.DesignInterventionModel +
		strings.Join(d.DesignInfo.DesignObservationalModelList.DesignObservationalModel, " "))
	s.Purpose = word(d.DesignInfo.DesignPrimaryPurpose)
	m := d.DesignInfo.DesignMaskingInfo
	s.setMasking(m.DesignMasking, m.DesignWhoMaskedList.DesignWhoMasked)
	var err error
	if s.Enrolment, err = enrolment(d.EnrollmentInfo.EnrollmentCount, d.EnrollmentInfo.EnrollmentType); err != nil {
		return nil, err
	}

	for _, c := range p.ConditionsModule.ConditionList.Condition {
		s.Conditions = append(s.Conditions, text(c))
	}
	for _, a := range p.ArmsInterventionsModule.ArmGroupList.ArmGroup {
		s.Arms = append(s.Arms, Arm{text(a.ArmGroupLabel), word(a.ArmGroupType), text(a.ArmGroupDescription)})
	}
	for _, i := range p.ArmsInterventionsModule.InterventionList.Intervention {
		s.Interventions = append(s.Interventions, Intervention{text(i.InterventionName), word(i.InterventionType)})
	}
	o := &p.OutcomesModule
	for _, x := range o.PrimaryOutcomeList.PrimaryOutcome {
		s.Outcomes = append(s.Outcomes, outcome.Outcome{
			Level: Primary, Measure: text(x.PrimaryOutcomeMeasure),
			TimeFrame: text(x.PrimaryOutcomeTimeFrame), Description: text(x.PrimaryOutcomeDescription),
		})
	}
	for _, x := range o.SecondaryOutcomeList.SecondaryOutcome {
		s.Outcomes = append(s.Outcomes, outcome.Outcome{
			Level: Secondary, Measure: text(x.SecondaryOutcomeMeasure),
			TimeFrame: text(x.SecondaryOutcomeTimeFrame), Description: text(x.SecondaryOutcomeDescription),
		})
	}
	for _, x := range o.OtherOutcomeList.OtherOutcome {
		s.Outcomes = append(s.Outcomes, outcome.Outcome{
			Level: Other, Measure: text(x.OtherOutcomeMeasure),
			TimeFrame: text(x.OtherOutcomeTimeFrame), Description: text(x.OtherOutcomeDescription),
		})
	}
	e := &p.EligibilityModule
	s.Eligibility = Eligibility{
		text(e.EligibilityCriteria), sex(e.Gender), age(e.MinimumAge), age(e.MaximumAge), yesNoText(e.HealthyVolunteers),
	}
	ov := &p.OversightModule
	s.Oversight = Oversight{
		FDADrug: yesNoText(ov.IsFDARegulatedDrug), FDADevice: yesNoText(ov.IsFDARegulatedDevice),
		UnapprovedDevice: yesNoText(ov.IsUnapprovedDevice), USExport: yesNoText(ov.IsUSExport),
		PPSD: yesNoText(ov.IsPPSD), DMC: yesNoText(ov.OversightHasDMC),
	}

	st := &p.StatusModule
	s.Status = status(st.OverallStatus)
	for _, x := range []struct{ event, date, kind string }{
		{Start, st.StartDateStruct.StartDate, dateKind(st.StartDateStruct.StartDateType)},
		{PrimaryCompletion, st.PrimaryCompletionDateStruct.PrimaryCompletionDate,
			dateKind(st.PrimaryCompletionDateStruct.PrimaryCompletionDateType)},
		{Completion, st.CompletionDateStruct.CompletionDate, dateKind(st.CompletionDateStruct.CompletionDateType)},
		{FirstSubmitted, st.StudyFirstSubmitDate, Actual},
		{FirstPosted, st.StudyFirstPostDateStruct.StudyFirstPostDate, dateKind(st.StudyFirstPostDateStruct.StudyFirstPostDateType)},
		{ResultsSubmitted, st.ResultsFirstSubmitDate, Actual},
		{ResultsPosted, st.ResultsFirstPostDateStruct.ResultsFirstPostDate,
			dateKind(st.ResultsFirstPostDateStruct.ResultsFirstPostDateType)},
		{CertificateSubmitted, st.DispFirstSubmitDate, Actual},
		{CertificatePosted, st.DispFirstPostDateStruct.DispFirstPostDate, dateKind(st.DispFirstPostDateStruct.DispFirstPostDateType)},
		{UpdateSubmitted, st.LastUpdateSubmitDate, Actual},
		{UpdatePosted, st.LastUpdatePostDateStruct.LastUpdatePostDate, dateKind(st.LastUpdatePostDateStruct.LastUpdatePostDateType)},
		{Verified, st.StatusVerifiedDate, ""},
	} {
		s.addDate(x.event, registryDate(x.date), x.kind)
	}
	unposted := &r.Study.AnnotationSection.AnnotationModule.UnpostedAnnotation
	s.addPerson(unposted.UnpostedResponsibleParty)
	for _, e := range unposted.UnpostedEventList.UnpostedEvent {
		s.addReview(e.UnpostedEventType, e.UnpostedEventDate, yesNoText(e.UnpostedEventDateUnknown) == "yes")
	}
	s.Seen = registryDate(r.Study.DerivedSection.MiscInfoModule.VersionHolder)
	s.Dated = registryDate(cmp.Or(r.Study.DerivedSection.MiscInfoModule.VersionHolder,
		st.LastUpdatePostDateStruct.LastUpdatePostDate, st.LastUpdateSubmitDate))

	c := &p.ContactsLocationsModule
	for _, x := range c.CentralContactList.CentralContact {
		s.addPerson(x.CentralContactName)
	}
	for _, x := range c.OverallOfficialList.OverallOfficial {
		s.addPerson(x.OverallOfficialName)
	}
	for _, l := range c.LocationList.Location {
		if l.LocationCountry != "" {
			s.Countries = append(s.Countries, l.LocationCountry)
		}
		for _, x := range l.LocationContactList.LocationContact {
			s.addPerson(x.LocationContactName)
		}
	}
	slices.Sort(s.Countries)
	s.Countries = slices.Compact(s.Countries)

	if res := r.Study.ResultsSection; res != nil {
		s.Results = true
		for _, x := range res.OutcomeMeasuresModule.OutcomeMeasureList.OutcomeMeasure {
			s.Reported = append(s.Reported, outcome.Outcome{
				Level: level(x.OutcomeMeasureType), Measure: text(x.OutcomeMeasureTitle),
				TimeFrame: text(x.OutcomeMeasureTimeFrame), Description: text(x.OutcomeMeasureDescription),
			})
		}
		s.addPerson(res.MoreInfoModule.PointOfContact.PointOfContactTitle)
	}
	for _, x := range r.Study.DocumentSection.LargeDocumentModule.LargeDocList.LargeDoc {
		doc := Document{Label: text(x.LargeDocLabel), Date: registryDate(x.LargeDocDate)}
		for _, k := range []struct{ has, kind string }{
			{x.LargeDocHasProtocol, "protocol"}, {x.LargeDocHasSAP, "sap"}, {x.LargeDocHasICF, "icf"},
		} {
			if yesNoText(k.has) == "yes" {
				doc.Kinds = append(doc.Kinds, k.kind)
			}
		}
		s.Documents = append(s.Documents, doc)
	}
	return s, s.checkDates()
}
