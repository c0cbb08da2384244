package study

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

const recordISRCTN = `<fullTrial><trial lastUpdated="2020-01-02T10:00:00.000Z" version="3"><isrctn dateAssigned="2018-02-01T00:00:00.000Z">47772397</isrctn>
<trialDescription><title>Examplinib in pain</title><scientificTitle>A randomised trial</scientificTitle><acronym>EX</acronym>
<primaryOutcome>1. Pain measured using a VAS at baseline and 12 weeks
2. Sleep quality at 12 weeks</primaryOutcome><secondaryOutcome>Quality of life (EQ-5D) at 12 weeks; falls are counted</secondaryOutcome></trialDescription>
<externalRefs><eudraCTNumber>2017-001234-12</eudraCTNumber><clinicalTrialsGovNumber>NCT09100103</clinicalTrialsGovNumber><protocolSerialNumber>EX-1</protocolSerialNumber></externalRefs>
<trialDesign><primaryStudyDesign>Interventional</primaryStudyDesign><overallStartDate>2018-01-01T00:00:00.000Z</overallStartDate><overallEndDate>2019-12-31T00:00:00.000Z</overallEndDate></trialDesign>
<participants><recruitmentCountries><country>England</country><country>Germany</country></recruitmentCountries><gender>Both</gender><targetEnrolment>100</targetEnrolment><totalFinalEnrolment>97</totalFinalEnrolment>
<recruitmentStart>2018-03-01T00:00:00.000Z</recruitmentStart></participants><conditions><condition><description>Back pain</description></condition></conditions>
<interventions><intervention><interventionType>Drug</interventionType><phase>Phase II/III</phase><drugNames>Examplinib</drugNames></intervention></interventions></trial>
<contact><forename>Ada</forename><surname>Lovelace</surname></contact><sponsor><organisation>Example University</organisation><sponsorType>University/education</sponsorType></sponsor></fullTrial>`

const recordICTRP = `<Trial><TrialID>CTRI/2020/01/012345
</TrialID><Last_Refreshed_on>10 August 2020</Last_Refreshed_on><Public_title>Examplinib</Public_title><Primary_sponsor>Example University</Primary_sponsor><Date_registration3>20200103</Date_registration3>
<Date_registration>03/01/2020</Date_registration><Recruitment_Status>Not Recruiting</Recruitment_Status><SecondaryIDs>EX-1;U1111-1234-5678</SecondaryIDs><Inclusion_agemin>18 Years</Inclusion_agemin><Inclusion_gender>Both, male and female</Inclusion_gender>
<Date_enrollement>03/05/2020</Date_enrollement><Target_size>100</Target_size><Study_type>Interventional</Study_type><Phase>Phase 2/Phase 3</Phase><Countries>India;Reunion</Countries><Contact_Firstname>Ada</Contact_Firstname><Contact_Lastname>Lovelace</Contact_Lastname>
<Condition>Back pain</Condition><Intervention>Examplinib</Intervention><Primary_outcome>Pain at 12 weeks;Sleep quality<br>Falls</Primary_outcome><Secondary_outcome/></Trial>`

// TestRegistries reads records of ISRCTN and of WHO's portal, alone and in an export.
func TestRegistries(t *testing.T) {
	isrctn, ictrp := `<?xml version="1.0"?><allTrials totalCount="1" xmlns="http://www.67bricks.com/isrctn">`+recordISRCTN+`</allTrials>`,
		`<Trials_downloaded_from_ICTRP>`+strings.ReplaceAll(recordICTRP, "<br>", "&lt;br&gt;")+`</Trials_downloaded_from_ICTRP>`
	for _, data := range []string{isrctn, recordISRCTN} {
		s := parse(t, data)
		var outcomes []string
		for _, o := range s.Outcomes {
			outcomes = append(outcomes, o.Level+" "+o.Measure)
		}
		if got := strings.Join(outcomes, "|"); got != "primary Pain measured using a VAS at baseline and 12 weeks|primary Sleep "+
			"quality at 12 weeks|secondary Quality of life (EQ-5D) at 12 weeks; falls are counted" {
			t.Error(got)
		}
		if s.Format != ISRCTN || s.Number(RegistryNumber) != "ISRCTN47772397" || s.Number("nct") != "NCT09100103" ||
			s.Dated != "2020-01-02" || s.Type != "interventional" || fmt.Sprint(s.Phases) != "[phase2 phase3]" ||
			s.Date(Start) != (Date{Start, "2018-03-01", ""}) || s.Date(FirstPosted).Date != "2018-02-01" || s.Enrolment != (Enrolment{97,
			Actual}) || s.EUSite() != "yes" || s.Eligibility.Sex != "all" ||
			s.Sponsor.Name != "Example University" || fmt.Sprint(s.People) != "[Ada Lovelace]" {
			t.Errorf("%+v", s)
		}
	}
	s := parse(t, ictrp)
	if s.Format != ICTRP || s.Number(RegistryNumber) != "CTRI/2020/01/012345" || s.Dated != "2020-08-10" || len(s.Outcomes) != 3 ||
		s.Outcomes[2].Measure != "Falls" || s.Date(Start).Date != "" || s.Date(FirstPosted).Date != "2020-01-03" ||
		s.EUSite() != "" && s.EUSite() != "yes" || s.Eligibility.Sex != "" || fmt.Sprint(s.People) != "[Ada Lovelace]" || !s.Selected() {
		t.Errorf("%+v", s)
	}
	for _, bad := range []string{strings.Replace(isrctn, "47772397", "4777239", 1), strings.Replace(isrctn, "</allTrials>",
		recordISRCTN+"</allTrials>", 1), strings.Replace(isrctn, "2018-03-01", "2018-02-30", 1), strings.Replace(ictrp,
		"CTRI/2020/01/012345", "", 1), isrctn + "<x/>"} {
		if s, err := Parse([]byte(bad)); err == nil {
			t.Errorf("%s: %+v", bad, s)
		}
	}
	if got := enumerated("1. A\n\n2) B\n3. C"); fmt.Sprintf("%q", got) != `["A" "B" "C"]` {
		t.Errorf("%q", got)
	}
	if got := enumerated("A:\n1. B\n2. C"); fmt.Sprintf("%q", got) != `["A: 1. B 2. C"]` {
		t.Errorf("%q", got)
	}
}

// TestSplitXML divides XML exports: the bytes of a record are exactly those in the file.
func TestSplitXML(t *testing.T) {
	for _, c := range []struct{ data, want, err string }{
		{"<allTrials n='2'>\n<fullTrial a='1'>x</fullTrial>\n<other/><fullTrial/></allTrials>\n",
			`["<fullTrial a='1'>x</fullTrial>" "<fullTrial/>"]`, ""},
		{"\xef\xbb\xbf<?xml version='1.0' encoding='utf-8'?><!-- x " +
			"--><Trials_downloaded_from_ICTRP><Trial>é</Trial></Trials_downloaded_from_ICTRP>", `["<Trial>é</Trial>"]`, ""},
		{"<allTrials></allTrials>", "[]", "no records"},
		{"<allTrials><fullTrial/><fullTrial>", `["<fullTrial/>"]`, "record 2: not well-formed"},
		{"<allTrials><fullTrial/></allTrials><x/>", `["<fullTrial/>"]`, "not well-formed"},
		{"<clinical_study><x/></clinical_study>\n", `["<clinical_study><x/></clinical_study>\n"]`, ""},
		{"\xef\xbb\xbf<a>1</a>", `["\ufeff<a>1</a>"]`, ""},
		{"<a", `["<a"]`, ""},
	} {
		got := []string{}
		err := Split(strings.NewReader(c.data), func(_ int, r []byte) error {
			got = append(got, string(r))
			return nil
		})
		if fmt.Sprintf("%q", got) != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%q: %q, %v; want %s, %q", c.data, got, err, c.want, c.err)
		}
	}
	n := 0
	if err := Split(bytes.NewReader(packed(t, "<allTrials>"+strings.Repeat(recordISRCTN, 2000)+"</allTrials>")), func(_ int,
		r []byte) error {
		if n++; string(r) != recordISRCTN {
			t.Fatalf("record %d: %s", n, r)
		}
		return nil
	}); err != nil || n != 2000 {
		t.Errorf("%d records, %v", n, err)
	}
}
