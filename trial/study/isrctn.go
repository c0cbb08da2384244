package study

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/trial/outcome"
)

// isrctnRecord is a record of the ISRCTN registry, with the members that are read.
//
// Source: https://www.isrctn.com/page/guidance/api (the format "default")
type isrctnRecord struct {
	Trial struct {
		LastUpdated string `xml:"lastUpdated,attr"`
		Version     string `xml:"version,attr"`
		Number      struct {
			Digits   string `xml:",chardata"`
			Assigned string `xml:"dateAssigned,attr"`
		} `xml:"isrctn"`
		Description struct {
			Title      string `xml:"title"`
			Scientific string `xml:"scientificTitle"`
			Acronym    string `xml:"acronym"`
			Hypothesis string `xml:"studyHypothesis"`
			Summary    string `xml:"plainEnglishSummary"`
			Primary    string `xml:"primaryOutcome"`
			Secondary  string `xml:"secondaryOutcome"`
		} `xml:"trialDescription"`
		Refs struct {
			EudraCT string `xml:"eudraCTNumber"`
			NCT     string `xml:"clinicalTrialsGovNumber"`
			Sponsor string `xml:"protocolSerialNumber"`
		} `xml:"externalRefs"`
		Design struct {
			Primary string `xml:"primaryStudyDesign"`
			Start   string `xml:"overallStartDate"`
			End     string `xml:"overallEndDate"`
			Status  string `xml:"overallStatusOverride"`
		} `xml:"trialDesign"`
		Participants struct {
			Countries []string `xml:"recruitmentCountries>country"`
			Inclusion string   `xml:"inclusion"`
			Exclusion string   `xml:"exclusion"`
			Gender    string   `xml:"gender"`
			Lower     string   `xml:"lowerAgeLimit"`
			Upper     string   `xml:"upperAgeLimit"`
			Target    string   `xml:"targetEnrolment"`
			Final     string   `xml:"totalFinalEnrolment"`
			Begin     string   `xml:"recruitmentStart"`
		} `xml:"participants"`
		Conditions    []string `xml:"conditions>condition>description"`
		Interventions []struct {
			Type  string `xml:"interventionType"`
			Phase string `xml:"phase"`
			Drugs string `xml:"drugNames"`
		} `xml:"interventions>intervention"`
	} `xml:"trial"`
	Contacts []struct {
		Forename string `xml:"forename"`
		Surname  string `xml:"surname"`
	} `xml:"contact"`
	Sponsors []struct {
		Name string `xml:"organisation"`
		Type string `xml:"sponsorType"`
	} `xml:"sponsor"`
}

// parseISRCTN reads one record of ISRCTN, alone or as the only one of an answer.
func parseISRCTN(data []byte, root string) (*Study, error) {
	records := make([]isrctnRecord, 1)
	var err error
	if root == "allTrials" {
		var all struct {
			Records []isrctnRecord `xml:"fullTrial"`
		}
		err = unmarshalXML(data, &all)
		records = all.Records
	} else {
		err = unmarshalXML(data, &records[0])
	}
	if err != nil {
		return nil, err
	}
	if len(records) != 1 {
		return nil, fmt.Errorf("the answer of ISRCTN has %d records, not one: import it, or take one of them", len(records))
	}
	r := &records[0]
	t, p := &r.Trial, &r.Trial.Participants
	digits := text(t.Number.Digits)
	if len(digits) != 8 || strings.Trim(digits, "0123456789") != "" {
		return nil, fmt.Errorf("the record's own number is %.40q, not 8 digits", digits)
	}
	s := &Study{
		Format: ISRCTN, Version: text(t.Version), Dated: day(text(t.LastUpdated)),
		Title: text(t.Description.Title), OfficialTitle: text(t.Description.Scientific), Acronym: text(t.Description.Acronym),
		Summary: text(t.Description.Hypothesis + " " + t.Description.Summary), Type: interventional(t.Design.Primary),
		Status: status(t.Design.Status), Enrolment: Enrolment{Count: -1},
		Eligibility: Eligibility{
			Criteria: text(p.Inclusion + " " + p.Exclusion), Sex: sex(p.Gender), MinimumAge: age(p.Lower), MaximumAge: age(p.Upper),
		},
	}
	s.addIdentifier(RegistryNumber, "ISRCTN"+digits)
	s.addIdentifier("nct", t.Refs.NCT)
	s.addIdentifier("eudract", t.Refs.EudraCT)
	s.addIdentifier("sponsor", t.Refs.Sponsor)
	for i, o := range r.Sponsors {
		if i == 0 {
			s.Sponsor = Organisation{text(o.Name), word(o.Type)}
		} else {
			s.Collaborators = append(s.Collaborators, Organisation{text(o.Name), word(o.Type)})
		}
	}
	for _, c := range r.Contacts {
		s.addPerson(c.Forename + " " + c.Surname)
	}
	for _, c := range t.Conditions {
		s.Conditions = append(s.Conditions, text(c))
	}
	for _, i := range t.Interventions {
		if s.Phases == nil {
			s.Phases = phases(text(i.Phase))
		}
		s.Interventions = append(s.Interventions, Intervention{text(i.Drugs), word(i.Type)})
	}
	for _, l := range []struct{ level, list string }{{Primary, t.Description.Primary}, {Secondary, t.Description.Secondary}} {
		for _, o := range enumerated(l.list) {
			s.Outcomes = append(s.Outcomes, outcome.Outcome{Level: l.level, Measure: o})
		}
	}
	for kind, n := range map[string]string{Planned: p.Target, Actual: p.Final} {
		if e, err := enrolment(n, kind); err == nil && e.Count >= 0 && (kind == Actual || s.Enrolment.Count < 0) {
			s.Enrolment = Enrolment{e.Count, kind}
		}
	}
	s.addDate(Start, day(text(p.Begin)), "")
	s.addDate(Completion, day(text(t.Design.End)), "")
	s.addDate(FirstPosted, day(text(t.Number.Assigned)), Actual)
	s.addCountries(p.Countries)
	return s, s.checkDates()
}

// interventional returns the code of a type of study, or "" if it is neither interventional nor
// observational.
func interventional(s string) string {
	switch w := word(s); {
	case strings.HasPrefix(w, "intervention"):
		return "interventional"
	case strings.HasPrefix(w, "observation"):
		return "observational"
	}
	return ""
}

// addCountries adds countries as the document names them, sorted and without repetition.
func (s *Study) addCountries(list []string) {
	for _, c := range list {
		if c = text(c); c != "" {
			s.Countries = append(s.Countries, c)
		}
	}
	slices.Sort(s.Countries)
	s.Countries = slices.Compact(s.Countries)
}

// item matches the beginning of a line of an enumeration.
var item = regexp.MustCompile(`^(?:\d{1,3}(?:\.\d{1,2})?[.)]|[-*•])\s+`)

// enumerated divides a text whose lines are all numbered, or all have bullets, into its items.
// Any other text is one item.
func enumerated(s string) []string {
	var list []string
	s = strings.NewReplacer("<br>", "\n", "<br/>", "\n", "<br />", "\n").Replace(s)
	for line := range strings.Lines(s) {
		if line = text(line); line == "" {
			continue
		}
		cut := item.FindString(line)
		if cut == "" {
			list = nil
			break
		}
		list = append(list, strings.TrimPrefix(line, cut))
	}
	if list == nil && text(s) != "" {
		return []string{text(s)}
	}
	return list
}

// unmarshalXML reads one XML document and refuses anything after it.
func unmarshalXML(data []byte, v any) error {
	d := xml.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("not well-formed XML: %w", err)
	}
	return checkEnd(d)
}
