package study

import (
	"cmp"
	"encoding/json"
)

// fhirStudy is a ResearchStudy of FHIR R4, R5 and the ballots of R6, with the members that are
// read. Members were renamed over the releases; all names are here.
//
// Source: https://hl7.org/fhir/R4/researchstudy.html and
// https://hl7.org/fhir/R5/researchstudy.html
type fhirStudy struct {
	Status      string           `json:"status"`
	Version     string           `json:"version"`
	Title       string           `json:"title"`
	Date        string           `json:"date"`
	Description string           `json:"description"`
	Identifiers []fhirIdentifier `json:"identifier"`
	Labels      []struct {
		Type  fhirConcept `json:"type"`
		Value string      `json:"value"`
	} `json:"label"`
	Phase          fhirConcept            `json:"phase"`
	Category       []fhirConcept          `json:"category"`
	PrimaryPurpose fhirConcept            `json:"primaryPurposeType"`
	Purpose        oneOrMore[fhirConcept] `json:"purposeType"`
	StudyDesign    []fhirConcept          `json:"studyDesign"`
	Classifiers    []fhirConcept          `json:"classifier"`
	Conditions     []fhirConcept          `json:"condition"`
	Focus          []struct {
		fhirConcept               // R4
		Concept     fhirConcept   `json:"concept"`
		Reference   fhirReference `json:"reference"`
	} `json:"focus"`
	Location     json.RawMessage `json:"location"` // R4: concepts; other releases may have other things there
	Region       json.RawMessage `json:"region"`   // R5
	Period       fhirPeriod      `json:"period"`
	Sponsor      fhirReference   `json:"sponsor"`
	Investigator fhirReference   `json:"principalInvestigator"`
	Contacts     []struct {
		Name string `json:"name"`
	} `json:"contact"`
	Parties []struct {
		Name        string        `json:"name"`
		Role        fhirConcept   `json:"role"`
		Classifiers []fhirConcept `json:"classifier"`
		Party       fhirReference `json:"party"`
	} `json:"associatedParty"`
	Arms []struct {
		Name        string      `json:"name"`
		Type        fhirConcept `json:"type"`
		Description string      `json:"description"`
	} `json:"arm"`
	Groups []struct {
		Name        string        `json:"name"`
		Type        fhirConcept   `json:"type"`
		Description string        `json:"description"`
		Eligibility fhirReference `json:"eligibility"`
	} `json:"comparisonGroup"`
	Objectives []struct {
		Name        string        `json:"name"`
		Type        fhirConcept   `json:"type"`
		Description string        `json:"description"`
		Outcomes    []fhirOutcome `json:"outcomeMeasure"`
	} `json:"objective"`
	Outcomes    []fhirOutcome `json:"outcomeMeasure"`
	Recruitment struct {
		Target *uint32 `json:"targetNumber"`
		Actual *uint32 `json:"actualNumber"`
	} `json:"recruitment"`
	Progress []struct {
		State  fhirConcept `json:"state"`
		Actual *bool       `json:"actual"`
		Period fhirPeriod  `json:"period"`
	} `json:"progressStatus"`
	Extensions []struct {
		URL   string `json:"url"`
		Parts []struct {
			URL     string      `json:"url"`
			Text    string      `json:"valueString"`
			Concept fhirConcept `json:"valueCodeableConcept"`
		} `json:"extension"`
	} `json:"extension"`
	Contained []struct {
		ResourceType string          `json:"resourceType"`
		ID           string          `json:"id"`
		Name         json.RawMessage `json:"name"` // a text, or names of a person
		Practitioner fhirReference   `json:"practitioner"`
		Address      json.RawMessage `json:"address"`
	} `json:"contained"`
}

type fhirIdentifier struct {
	Type     fhirConcept   `json:"type"`
	System   string        `json:"system"`
	Value    string        `json:"value"`
	Assigner fhirReference `json:"assigner"`
}

type fhirConcept struct {
	Text   string `json:"text"`
	Coding []struct {
		Code    string `json:"code"`
		Display string `json:"display"`
	} `json:"coding"`
}

type fhirReference struct {
	Display   string `json:"display"`
	Reference string `json:"reference"`
}

type fhirPeriod struct {
	Start string `json:"start"`
	End   string `json:"end"`
}

type fhirOutcome struct {
	Name        string                 `json:"name"`
	Type        oneOrMore[fhirConcept] `json:"type"`
	Description string                 `json:"description"`
	Endpoint    fhirReference          `json:"endpoint"`
}

// oneOrMore reads a member that is one value in some releases and a list in others.
type oneOrMore[T any] []T

func (l *oneOrMore[T]) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '[' {
		return json.Unmarshal(data, (*[]T)(l))
	}
	var one T
	if err := json.Unmarshal(data, &one); err != nil {
		return err
	}
	*l = oneOrMore[T]{one}
	return nil
}

// name returns the text of a concept that people read.
func (c fhirConcept) name() string {
	if c.Text != "" || len(c.Coding) == 0 {
		return text(c.Text)
	}
	return text(cmp.Or(c.Coding[0].Display, c.Coding[0].Code))
}

// code returns the first code of a concept, or its text if it has none.
func (c fhirConcept) code() string {
	if len(c.Coding) > 0 && c.Coding[0].Code != "" {
		return word(c.Coding[0].Code)
	}
	return word(c.name())
}

// spellings returns everything that a concept says: codes, their display texts, and its text.
func (c fhirConcept) spellings() (list []string) {
	for _, x := range c.Coding {
		list = append(list, x.Code, x.Display)
	}
	return append(list, c.Text)
}
