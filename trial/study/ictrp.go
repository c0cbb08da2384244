package study

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/trialproof/trialproof/trial/outcome"
)

// ictrpRecord is a record of WHO's portal (ICTRP) as it exports one, with the members that are
// read. It is WHO's copy of what a register sent it.
//
// Source: https://trialsearch.who.int ("Export results to XML")
type ictrpRecord struct {
	TrialID       string `xml:"TrialID"`
	Refreshed     string `xml:"Last_Refreshed_on"`
	Title         string `xml:"Public_title"`
	Scientific    string `xml:"Scientific_title"`
	Acronym       string `xml:"Acronym"`
	Sponsor       string `xml:"Primary_sponsor"`
	Registered    string `xml:"Date_registration3"` // YYYYMMDD
	Status        string `xml:"Recruitment_Status"`
	SecondaryIDs  string `xml:"SecondaryIDs"`
	MinimumAge    string `xml:"Inclusion_agemin"`
	MaximumAge    string `xml:"Inclusion_agemax"`
	Gender        string `xml:"Inclusion_gender"`
	Enrolment     string `xml:"Date_enrollement"`
	Target        string `xml:"Target_size"`
	Type          string `xml:"Study_type"`
	Phase         string `xml:"Phase"`
	Countries     string `xml:"Countries"`
	FirstName     string `xml:"Contact_Firstname"`
	LastName      string `xml:"Contact_Lastname"`
	Inclusion     string `xml:"Inclusion_Criteria"`
	Exclusion     string `xml:"Exclusion_Criteria"`
	Condition     string `xml:"Condition"`
	Intervention  string `xml:"Intervention"`
	Primary       string `xml:"Primary_outcome"`
	Secondary     string `xml:"Secondary_outcome"`
	ResultsPosted string `xml:"results_date_posted"`
}

// parseICTRP reads one record of WHO's portal, alone or as the only one of an export.
func parseICTRP(data []byte, root string) (*Study, error) {
	records := make([]ictrpRecord, 1)
	var err error
	if root == "Trial" {
		err = unmarshalXML(data, &records[0])
	} else {
		var all struct {
			Records []ictrpRecord `xml:"Trial"`
		}
		err = unmarshalXML(data, &all)
		records = all.Records
	}
	if err != nil {
		return nil, err
	}
	if len(records) != 1 {
		return nil, fmt.Errorf("the export of ICTRP has %d records, not one: import it, or take one of them", len(records))
	}
	r := &records[0]
	if text(r.TrialID) == "" {
		return nil, fmt.Errorf("the record of ICTRP has no TrialID")
	}
	s := &Study{
		Format: ICTRP, Dated: freeDate(r.Refreshed), Title: text(r.Title), OfficialTitle: text(r.Scientific), Acronym: text(r.Acronym),
		Sponsor: Organisation{Name: text(r.Sponsor)}, Type: interventional(r.Type), Status: status(text(r.Status)),
		Enrolment: Enrolment{Count: -1},
		Eligibility: Eligibility{
			Criteria: text(r.Inclusion + " " + r.Exclusion), Sex: sex(r.Gender),
			MinimumAge: age(r.MinimumAge), MaximumAge: age(r.MaximumAge),
		},
		Phases: phases(text(r.Phase)),
	}
	s.addIdentifier(RegistryNumber, r.TrialID)
	if checkNCT(text(r.TrialID)) == nil {
		s.addIdentifier("nct", r.TrialID)
	}
	for id := range strings.SplitSeq(r.SecondaryIDs, ";") {
		s.addIdentifier("", id)
	}
	s.addPerson(r.FirstName + " " + r.LastName)
	for _, list := range []struct {
		text string
		add  func(string)
	}{
		{r.Condition, func(t string) { s.Conditions = append(s.Conditions, t) }},
		{r.Intervention, func(t string) { s.Interventions = append(s.Interventions, Intervention{Name: t}) }},
		{r.Primary, func(t string) { s.Outcomes = append(s.Outcomes, outcome.Outcome{Level: Primary, Measure: t}) }},
		{r.Secondary, func(t string) { s.Outcomes = append(s.Outcomes, outcome.Outcome{Level: Secondary, Measure: t}) }},
	} {
		for part := range strings.SplitSeq(strings.NewReplacer("<br>", ";", "<br/>", ";").Replace(list.text), ";") {
			if part = text(part); part != "" {
				list.add(part)
			}
		}
	}
	if n, err := strconv.ParseUint(text(r.Target), 10, 31); err == nil {
		s.Enrolment = Enrolment{int(n), Planned}
	}
	s.addDate(Start, freeDate(r.Enrolment), "")
	s.addDate(FirstPosted, freeDate(r.Registered), Actual)
	s.addDate(ResultsPosted, freeDate(r.ResultsPosted), Actual)
	s.addCountries(strings.Split(r.Countries, ";"))
	return s, s.checkDates()
}

// freeDate reads a date in a form that can mean only one day or month. "03/05/2018" can mean
// two days and is not read.
func freeDate(s string) string {
	s = day(text(s))
	for _, f := range []struct{ in, out string }{
		{"2006-01-02", "2006-01-02"}, {"2006-01", "2006-01"}, {"20060102", "2006-01-02"},
		{"2 January 2006", "2006-01-02"}, {"January 2, 2006", "2006-01-02"}, {"January 2006", "2006-01"},
		{"2 Jan 2006", "2006-01-02"}, {"2006/01/02", "2006-01-02"},
	} {
		if t, err := time.Parse(f.in, s); err == nil {
			return t.Format(f.out)
		}
	}
	return ""
}
