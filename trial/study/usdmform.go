package study

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// usdmDocument is a study definition in CDISC USDM 4.0, with the members that are read.
//
// Source: https://github.com/cdisc-org/DDF-RA (USDM_API.json of v4.0)
type usdmDocument struct {
	USDMVersion string     `json:"usdmVersion"`
	Study       *usdmStudy `json:"study"`
}

type usdmStudy struct {
	InstanceType string        `json:"instanceType"`
	Versions     []usdmVersion `json:"versions"`
	DocumentedBy []struct {
		Versions []usdmDocumentVersion `json:"versions"`
	} `json:"documentedBy"`
}

type usdmDocumentVersion struct {
	ID       string     `json:"id"`
	Dates    []usdmDate `json:"dateValues"`
	Contents []struct {
		Number string `json:"sectionNumber"`
		Title  string `json:"sectionTitle"`
		ItemID string `json:"contentItemId"`
	} `json:"contents"`
}

type usdmVersion struct {
	ID                 string     `json:"id"`
	InstanceType       string     `json:"instanceType"`
	VersionIdentifier  string     `json:"versionIdentifier"`
	DocumentVersionIDs []string   `json:"documentVersionIds"`
	Dates              []usdmDate `json:"dateValues"`
	Identifiers        []struct {
		ID      string `json:"id"`
		Text    string `json:"text"`
		ScopeID string `json:"scopeId"`
	} `json:"studyIdentifiers"`
	Titles []struct {
		ID   string   `json:"id"`
		Text string   `json:"text"`
		Type usdmCode `json:"type"`
	} `json:"titles"`
	Organizations []struct {
		ID    string   `json:"id"`
		Name  string   `json:"name"`
		Label string   `json:"label"`
		Type  usdmCode `json:"type"`
	} `json:"organizations"`
	Roles []struct {
		Code            usdmCode `json:"code"`
		OrganizationIDs []string `json:"organizationIds"`
		AssignedPersons []struct {
			Name struct {
				Text       string   `json:"text"`
				FamilyName string   `json:"familyName"`
				GivenNames []string `json:"givenNames"`
			} `json:"personName"`
		} `json:"assignedPersons"`
	} `json:"roles"`
	Interventions []struct {
		Name  string   `json:"name"`
		Label string   `json:"label"`
		Type  usdmCode `json:"type"`
	} `json:"studyInterventions"`
	Amendments []struct {
		Number    string       `json:"number"`
		Summary   string       `json:"summary"`
		Primary   usdmReason   `json:"primaryReason"`
		Secondary []usdmReason `json:"secondaryReasons"`
	} `json:"amendments"`
	CriterionItems []usdmText   `json:"eligibilityCriterionItems"`
	ContentItems   []usdmText   `json:"narrativeContentItems"`
	Designs        []usdmDesign `json:"studyDesigns"`
}

type usdmDesign struct {
	ID              string     `json:"id"`
	InstanceType    string     `json:"instanceType"`
	StudyType       usdmCode   `json:"studyType"`
	Phase           usdmAlias  `json:"studyPhase"`
	Characteristics []usdmCode `json:"characteristics"`
	IntentTypes     []usdmCode `json:"intentTypes"`
	Model           usdmCode   `json:"model"`
	Blinding        usdmAlias  `json:"blindingSchema"`
	Arms            []struct {
		ID          string   `json:"id"`
		Name        string   `json:"name"`
		Label       string   `json:"label"`
		Description string   `json:"description"`
		Type        usdmCode `json:"type"`
	} `json:"arms"`
	Indications []struct {
		Name        string `json:"name"`
		Label       string `json:"label"`
		Description string `json:"description"`
	} `json:"indications"`
	Objectives []struct {
		ID        string   `json:"id"`
		Text      string   `json:"text"`
		Level     usdmCode `json:"level"`
		Endpoints []struct {
			ID    string   `json:"id"`
			Text  string   `json:"text"`
			Level usdmCode `json:"level"`
		} `json:"endpoints"`
	} `json:"objectives"`
	Criteria []struct {
		ID       string   `json:"id"`
		Category usdmCode `json:"category"`
		ItemID   string   `json:"criterionItemId"`
	} `json:"eligibilityCriteria"`
	Population *struct {
		ID             string     `json:"id"`
		HealthySubject *bool      `json:"includesHealthySubjects"`
		Enrolment      *usdmRange `json:"plannedEnrollmentNumber"`
		Sex            []usdmCode `json:"plannedSex"`
		Age            *usdmRange `json:"plannedAge"`
	} `json:"population"`
}

type usdmCode struct {
	Code   string `json:"code"`
	Decode string `json:"decode"`
}

type usdmAlias struct {
	StandardCode usdmCode `json:"standardCode"`
}

type usdmReason struct {
	Code usdmCode `json:"code"`
}

type usdmDate struct {
	Type usdmCode `json:"type"`
	Date string   `json:"dateValue"`
}

type usdmText struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

type usdmQuantity struct {
	Value *float64  `json:"value"`
	Unit  usdmAlias `json:"unit"`
}

// A usdmRange is a quantity or a range of two.
type usdmRange struct {
	usdmQuantity
	Min *usdmQuantity `json:"minValue"`
	Max *usdmQuantity `json:"maxValue"`
}

// checkUSDMForm tells USDM 4 from other versions of it, and from documents that are not USDM.
func checkUSDMForm(data []byte) error {
	var d struct {
		USDMVersion *json.RawMessage           `json:"usdmVersion"`
		Study       map[string]json.RawMessage `json:"study"`
	}
	if err := json.Unmarshal(data, &d); err != nil {
		return fmt.Errorf("%w: its study is not an object", ErrUnknown)
	}
	older := ""
	for _, m := range []string{"studyProtocolVersions", "studyDesigns", "studyIdentifiers", "studyPhase"} {
		if _, ok := d.Study[m]; ok && older == "" {
			older = fmt.Sprintf("; study.%s is of a USDM before 3.0", m)
		}
	}
	_, versions := d.Study["versions"]
	var version string
	switch {
	case d.USDMVersion == nil && older == "" && !versions:
		return fmt.Errorf("%w: it has a study, but nothing of USDM", ErrUnknown)
	case d.USDMVersion == nil:
		return fmt.Errorf("not valid USDM 4.0: usdmVersion is missing%s", older)
	case json.Unmarshal(*d.USDMVersion, &version) != nil:
		return errors.New("not valid USDM 4.0: usdmVersion is not a text")
	case version != "4" && !strings.HasPrefix(version, "4."):
		return fmt.Errorf("not valid USDM 4.0: usdmVersion is %.20q%s", version, older)
	}
	return nil
}

// check compares the members that are read with the schema.
func (d *usdmDocument) check() error {
	var err error
	need := func(ok bool, format string, args ...any) {
		if err == nil && !ok {
			err = fmt.Errorf(format, args...)
		}
	}
	if d.Study == nil {
		return errors.New("study is missing")
	}
	need(d.Study.InstanceType == "Study", "study.instanceType is %.40q, not Study", d.Study.InstanceType)
	need(len(d.Study.Versions) > 0, "study.versions is missing or empty")
	for i, v := range d.Study.Versions {
		at := fmt.Sprintf("study.versions[%d]", i)
		need(v.ID != "", "%s.id is missing", at)
		need(v.InstanceType == "StudyVersion", "%s.instanceType is %.40q, not StudyVersion", at, v.InstanceType)
		need(v.VersionIdentifier != "", "%s.versionIdentifier is missing", at)
		need(len(v.Identifiers) > 0, "%s.studyIdentifiers is missing or empty", at)
		need(len(v.Titles) > 0, "%s.titles is missing or empty", at)
		need(len(v.Designs) > 0, "%s.studyDesigns is missing or empty", at)
		for j, x := range v.Identifiers {
			need(x.ID != "" && x.Text != "" && x.ScopeID != "", "%s.studyIdentifiers[%d] lacks its id, text or scopeId", at, j)
		}
		for j, x := range v.Titles {
			need(x.ID != "" && x.Type.Decode != "", "%s.titles[%d] lacks its id or type", at, j)
		}
		for j, x := range v.Organizations {
			need(x.ID != "" && x.Name != "" && x.Type.Code != "", "%s.organizations[%d] lacks its id, name or type", at, j)
		}
		for j, x := range v.Dates {
			need(x.Type.Decode != "" && x.Date != "", "%s.dateValues[%d] lacks its type or dateValue", at, j)
		}
		for j := range v.Designs {
			v.Designs[j].check(fmt.Sprintf("%s.studyDesigns[%d]", at, j), need)
		}
	}
	return err
}

func (d *usdmDesign) check(at string, need func(bool, string, ...any)) {
	need(d.ID != "", "%s.id is missing", at)
	need(d.InstanceType == "InterventionalStudyDesign" || d.InstanceType == "ObservationalStudyDesign",
		"%s.instanceType is %.40q, not InterventionalStudyDesign or ObservationalStudyDesign", at, d.InstanceType)
	need(d.Model.Code != "", "%s.model is missing", at)
	need(d.Population != nil && d.Population.ID != "", "%s.population or its id is missing", at)
	for i, x := range d.Arms {
		need(x.ID != "" && x.Name != "" && x.Type.Code != "", "%s.arms[%d] lacks its id, name or type", at, i)
	}
	for i, x := range d.Objectives {
		need(x.ID != "" && x.Level.Decode != "", "%s.objectives[%d] lacks its id or level", at, i)
		for j, e := range x.Endpoints {
			need(e.ID != "" && e.Level.Decode != "", "%s.objectives[%d].endpoints[%d] lacks its id or level", at, i, j)
		}
	}
	for i, x := range d.Criteria {
		need(x.ID != "" && x.Category.Decode != "" && x.ItemID != "",
			"%s.eligibilityCriteria[%d] lacks its id, category or criterionItemId", at, i)
	}
}
