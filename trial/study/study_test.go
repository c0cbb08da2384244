package study

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/outcome"
)

const recordV2 = `{"protocolSection":{"identificationModule":{"nctId":"NCT09999991","orgStudyIdInfo":{"id":"EXP-1"},
"briefTitle":"A Study  of\nSomething","officialTitle":"A Study by Grace Hopper"},
"statusModule":{"overallStatus":"ACTIVE_NOT_RECRUITING","statusVerifiedDate":"2026-02","startDateStruct":{"date":"2026-01","type":"ESTIMATED"},
"primaryCompletionDateStruct":{"date":"2026-09-01","type":"ESTIMATED"},"studyFirstSubmitDate":"2025-12-01"},
"sponsorCollaboratorsModule":{"leadSponsor":{"name":"Example Pharma","class":"INDUSTRY"},"responsibleParty":{"investigatorFullName":"Grace Hopper"}},
"oversightModule":{"isFdaRegulatedDrug":true,"isFdaRegulatedDevice":false},
"designModule":{"studyType":"INTERVENTIONAL","phases":["PHASE2","PHASE3"],"designInfo":{"allocation":"RANDOMIZED","interventionModel":"PARALLEL","maskingInfo":{"masking":"DOUBLE","whoMasked":["PARTICIPANT","INVESTIGATOR"]}},"enrollmentInfo":{"count":120,"type":"ESTIMATED"}},
"outcomesModule":{"primaryOutcomes":[{"measure":"Pain, write to ada@example.org","timeFrame":"12 weeks"}],"secondaryOutcomes":[{"measure":"Sleep quality","timeFrame":"12 weeks"},{"measure":"Call +44 20 7946 0958","timeFrame":"day 1"}]},
"contactsLocationsModule":{"overallOfficials":[{"name":"Ada Lovelace, PhD"}],"locations":[{"country":"Germany"},{"country":"Japan"}]}},
"derivedSection":{"miscInfoModule":{"versionHolder":"2026-02-03"}}}`

const recordXML = `<?xml version="1.0"?><clinical_study><required_header><download_date>ClinicalTrials.gov processed this data on February 3, 2026</download_date>
<url>https://clinicaltrials.gov/show/NCT09999991</url></required_header><id_info><org_study_id>EXP-1</org_study_id><nct_id>NCT09999991</nct_id></id_info>
<brief_title>A Study of Something</brief_title><sponsors><lead_sponsor><agency>Example Pharma</agency><agency_class>Industry</agency_class></lead_sponsor></sponsors>
<overall_status>Active, not recruiting</overall_status><start_date>January 2026</start_date><primary_completion_date type="Anticipated">September 1, 2026</primary_completion_date>
<phase>Phase 2/Phase 3</phase><study_type>Interventional</study_type>
<study_design>Allocation: Randomized, Intervention Model: Parallel Assignment, Masking: Double Blind (Subject, Investigator)</study_design>
<primary_outcome><measure>Pain</measure><time_frame>12 weeks</time_frame></primary_outcome>
<enrollment type="Anticipated">120</enrollment><firstreceived_date>December 1, 2025</firstreceived_date><eligibility><gender>Both</gender></eligibility></clinical_study>`

func parse(t *testing.T, data string) *Study {
	t.Helper()
	s, err := Parse([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestOneSpelling reads one record in two formats; the two studies must be equal.
func TestOneSpelling(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	a, b := parse(t, recordV2), parse(t, recordXML)
	for _, s := range []*Study{a, b} {
		if s.Dated != "2026-02-03" || s.Number("nct") != "NCT09999991" || s.Number("sponsor") != "EXP-1" ||
			s.Title != "A Study of Something" ||
			s.Type != "interventional" || strings.Join(s.Phases, " ") != "phase2 phase3" || s.Allocation != "randomized" ||
			s.Model != "parallel" ||
			s.Masking != "double" || strings.Join(s.Masked, " ") != "investigator participant" || s.Status != "active-not-recruiting" ||
			s.Sponsor != (Organisation{"Example Pharma", "industry"}) || s.Enrolment != (Enrolment{120, Planned}) ||
			s.Date(Start).Date != "2026-01" || s.Date(PrimaryCompletion) != (Date{PrimaryCompletion, "2026-09-01", Planned}) ||
			s.Date(FirstSubmitted).Date != "2025-12-01" {
			t.Errorf("%s: %+v", s.Format, s)
		}
	}
	for _, c := range Diff(a, b) {
		if !strings.Contains(c.Field, "outcome") && !strings.HasPrefix(c.Field, "official title") {
			t.Errorf("the formats alone make a change: %s", c)
		}
	}
	if b.Eligibility.Sex != "all" {
		t.Errorf("sex is %q", b.Eligibility.Sex)
	}
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct{ data, want string }{
		"empty":           {"", "empty"},
		"a PDF":           {"%PDF-1.7", "not a study"},
		"comments":        {"{ // a comment\n\"resourceType\": \"Bundle\"}", "it has comments"},
		"comment first":   {"// a comment\n{\"resourceType\": \"Bundle\"}", "it has comments"},
		"a bundle":        {`{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Group"}}]}`, "without a ResearchStudy"},
		"two studies":     {`{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"ResearchStudy"}},{"resource":{"resourceType":"ResearchStudy"}}]}`, "2 ResearchStudy resources"},
		"no status":       {`{"resourceType":"ResearchStudy"}`, "status is missing"},
		"USDM 3":          {`{"usdmVersion":"3.0.0","study":{"versions":[]}}`, `usdmVersion is "3.0.0"`},
		"no versions":     {`{"usdmVersion":"4.0.0","study":{"instanceType":"Study","versions":[]}}`, "study.versions is missing or empty"},
		"two v1 studies":  {`{"FullStudiesResponse":{"FullStudies":[{},{}]}}`, "2 studies, not one"},
		"twice":           {strings.Replace(recordV2, `"nctId":`, `"nctId":"NCT11111111","nctId":`, 1), `"nctId" twice`},
		"in another case": {strings.Replace(recordV2, `"nctId":`, `"NCTID":"NCT11111111","nctId":`, 1), `"NCTID" twice ("nctId")`},
		"cut":             {recordV2[:len(recordV2)/2], "not valid JSON"},
		"not UTF-8":       {strings.Replace(recordV2, "Sleep", "Sl\xffep", 1), "UTF-8"},
		"no number":       {strings.Replace(recordV2, "NCT09999991", "NCT9999991", 1), "not NCT and 8 digits"},
		"no such day":     {strings.Replace(recordV2, "2026-09-01", "2026-09-31", 1), "primary-completion"},
		"another XML":     {"<feed></feed>", "root"},
		"tags crossed":    {"<clinical_study><a><b></a></b></clinical_study>", "not well-formed"},
		"something after": {recordXML + "<more/>", "follows the root"},
		"another URL":     {strings.Replace(recordXML, "show/NCT09999991", "show/NCT09999992", 1), "contradicts itself"},
		"enrolment":       {strings.Replace(recordXML, ">120<", ">many<", 1), "enrolment"},
		"wrong type":      {strings.Replace(recordV2, `"count":120`, `"count":"many"`, 1), "v2 record"},
	} {
		if _, err := Parse([]byte(c.data)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := Parse([]byte("%PDF-1.7")); !errors.Is(err, ErrUnknown) {
		t.Errorf("a PDF: %v", err)
	}
}

// TestFacts: nothing about a person becomes a fact, and facts are read back as they were.
func TestFacts(t *testing.T) {
	s := parse(t, recordV2)
	s.Conditions = []string{"Disease of ADA LOVELACE", "  Asthma\u202e ", strings.Repeat("long ", 60)}
	f, withheld := s.Facts()
	if got := strings.Join(withheld, " "); got != "conditions officialTitle outcomes" {
		t.Errorf("withheld %s", got)
	}
	if f.OfficialTitle != Withheld || f.Outcomes[0].Measure != Withheld || f.Outcomes[1].Measure != "Sleep quality" ||
		f.Outcomes[2].Measure != Withheld {
		t.Errorf("facts %+v", f)
	}
	if f.Conditions[0] != Withheld || f.Conditions[1] != "Asthma" || len([]rune(f.Conditions[2])) > 200 ||
		!strings.HasSuffix(f.Conditions[2], "…") {
		t.Errorf("conditions %q", f.Conditions)
	}
	if f.EUSite != "yes" || f.USSite != "no" {
		t.Errorf("sites %s %s", f.EUSite, f.USSite)
	}
	o := &trial.Observation{Common: trial.Common{Log: "log.example/trials", Meaning: "author"}, Identifier: "nct:NCT09999991",
		SeenAt: "2026-03-01", Source: "registry"}
	o.Facts = f
	st := &trial.Statement{Predicate: o, Subjects: []trial.Subject{{Name: "observation", Digest: trial.Digest{SHA256: trial.Hash{1}}}}}
	if _, err := st.Marshal(); err != nil {
		t.Errorf("facts are not in the form of an entry: %v", err)
	}
	if c := Diff(FromFacts(f), s); len(c) != 0 {
		t.Errorf("facts are read back otherwise: %v", c)
	}
	for class, name := range map[string]string{"indiv": "Somebody", "other": "Jane Roe, MD"} {
		s.Sponsor = Organisation{name, class}
		if f, _ := s.Facts(); f.Sponsor.Name != Individual {
			t.Errorf("a sponsor %q of class %s is logged as %q", name, class, f.Sponsor.Name)
		}
	}
}

func TestDiff(t *testing.T) {
	a := parse(t, recordV2)
	for name, c := range map[string]struct {
		from, to string
		want     string
	}{
		"moved date": {`"2026-09-01","type":"ESTIMATED"`, `"2026-10-01","type":"ESTIMATED"`,
			`date primary-completion changed: "2026-09-01 planned" -> "2026-10-01 planned"`},
		"month to day": {`"2026-01","type":"ESTIMATED"`, `"2026-01-20","type":"ACTUAL"`,
			`date start refined: "2026-01 planned" -> "2026-01-20 actual"`},
		"promoted": {`}],"secondaryOutcomes":[{"measure":"Sleep quality","timeFrame":"12 weeks"},`,
			`},{"measure":"Sleep quality","timeFrame":"12 weeks"}],"secondaryOutcomes":[`,
			`outcome promoted: "secondary: Sleep quality [12 weeks]" -> "primary: Sleep quality [12 weeks]"`},
		"time frame": {`"Sleep quality","timeFrame":"12 weeks"`, `"Sleep quality","timeFrame":"26 weeks"`,
			`secondary outcome "Sleep quality" time frame changed: "12 weeks" -> "26 weeks"`},
		"reworded": {`"Sleep quality"`, `"Change in sleep quality"`,
			`secondary outcome reworded: "Sleep quality" -> "Change in sleep quality" (proposed, likeness 0.95)`},
		"removed": {`{"measure":"Sleep quality","timeFrame":"12 weeks"},`, ``,
			`secondary outcome removed: "Sleep quality [12 weeks]"`},
		"enrolment":       {`"count":120`, `"count":90`, `enrolment changed: "120 planned" -> "90 planned"`},
		"only whitespace": {`A Study  of\nSomething`, `A Study of Something`, ""},
		"only typography": {`Sleep quality`, `Sleep  quality`, ""},
	} {
		if !strings.Contains(recordV2, c.from) {
			t.Fatalf("%s: the record has no %q", name, c.from)
		}
		b := parse(t, strings.Replace(recordV2, c.from, c.to, 1))
		var got []string
		for _, change := range Diff(a, b) {
			got = append(got, change.String())
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s: %s\nwant %s", name, strings.Join(got, "; "), c.want)
		}
	}
}

// TestSponsorFact: a sponsor who is a person is not shown, and an organisation is not withheld
// because it is its own official.
func TestSponsorFact(t *testing.T) {
	for _, c := range []struct {
		sponsor Organisation
		people  []string
		want    string
	}{
		{Organisation{"Example Pharma", "industry"}, []string{"Example Pharma", "Ada Lovelace"}, "Example Pharma"},
		{Organisation{"Examplinib AB", "industry"}, []string{"Examplinib  ab"}, "Examplinib AB"},
		{Organisation{"University Hospital of Example", "other"}, []string{"University Hospital of Example"},
			"University Hospital of Example"},
		{Organisation{"University Hospital of Example", "other"}, []string{"University Hospital"}, Withheld},
		{Organisation{"Example Pharma A/S", "industry"}, []string{"Example Pharma", "Example Pharma A/S Clinical Trials"},
			"Example Pharma A/S"},
		{Organisation{"Lovelace Ltd.", "industry"}, []string{"Ada Lovelace"}, "Lovelace Ltd."},
		{Organisation{"[Redacted]", "other"}, []string{"[Redacted]"}, "[Redacted]"},
		{Organisation{"Ada Lovelace", "other"}, []string{"Ada Lovelace, MD"}, Individual},
		{Organisation{"Ada Lovelace", "indiv"}, nil, Individual},
		{Organisation{"Lovelace, Ada, M.D.", "other"}, nil, Individual},
		{Organisation{"Ada Lovelace, MD", "industry"}, []string{"Ada Lovelace, MD"}, Individual},
		{Organisation{"Lovelace Hospital", "other"}, []string{"Lovelace"}, Withheld},
	} {
		s := &Study{Format: CTGovV2, Title: "A Trial by " + c.sponsor.Name, Sponsor: c.sponsor, People: c.people}
		f, _ := s.Facts()
		if f.Sponsor.Name != c.want {
			t.Errorf("%+v with the people %q: sponsor %q, want %q", c.sponsor, c.people, f.Sponsor.Name, c.want)
		}
		other := *s
		other.Sponsor.Name = "Another Pharma"
		g, _ := other.Facts()
		if changes := Diff(FromFacts(f), FromFacts(g)); c.want == Withheld && slices.ContainsFunc(changes,
			func(x Change) bool { return x.Field == "sponsor" }) {
			t.Errorf("%+v: what is withheld is said to have changed: %v", c.sponsor, changes)
		}
	}
}

// TestPropose: outcomes of one level are joined rather than others, and those of two levels
// only if they are more similar. Nobody should be said to have promoted an outcome because of
// one common word.
func TestPropose(t *testing.T) {
	questionnaire := outcome.Outcome{Level: Other, Measure: "Hypoglycaemia symptoms questionnaire"}
	success := outcome.Outcome{Level: Primary, Measure: "Participants achieving treatment success during controlled insulin-induced " +
		"hypoglycaemia"}
	if s := outcome.Similarity(questionnaire, success); s < outcome.Threshold || s >= acrossLevels {
		t.Fatalf("likeness %.2f: it tests nothing", s)
	}
	if pairs := PairOutcomes([]outcome.Outcome{questionnaire}, []outcome.Outcome{success}, EqualMeasure); len(pairs) != 0 {
		t.Errorf("joined across levels: %v", pairs)
	}
	success.Level = Other
	if pairs := PairOutcomes([]outcome.Outcome{questionnaire}, []outcome.Outcome{success},
		EqualMeasure); pairs[0].Similarity < outcome.Threshold {
		t.Errorf("not joined within a level: %v", pairs)
	}
	a := []outcome.Outcome{{Level: Primary, Measure: "Pain intensity at rest"}}
	b := []outcome.Outcome{{Level: Secondary, Measure: "Pain intensity at rest and on movement"}, {Level: Primary,
		Measure: "Pain intensity at rest and on movement"}}
	if pairs := PairOutcomes(a, b, EqualMeasure); pairs[0].B != 1 {
		t.Errorf("joined with another level: %v", pairs)
	}
	x := Diff(&Study{Outcomes: a}, &Study{Outcomes: b[1:]})
	if len(x) != 1 || x[0].Sort != Reworded || x[0].Likeness == 0 || !strings.Contains(x[0].String(), "(proposed, likeness 0.") {
		t.Errorf("%v", x)
	}
}

// TestLongChange: two long texts are shown from where they differ.
func TestLongChange(t *testing.T) {
	same := strings.Repeat("alike ", 100)
	c := Change{Field: "description", Sort: Changed, Old: same + "before", New: same + "after"}
	if got := c.String(); len(got) > 250 || !strings.Contains(got, `alike before" -> "…`) || !strings.HasSuffix(got, `alike after"`) {
		t.Errorf("%s", got)
	}
}

func TestSplit(t *testing.T) {
	for name, c := range map[string]struct {
		data string
		want string // records, or an error
	}{
		"array":     {`[{"a":1}, {"b": 2}]`, `{"a":1}|{"b": 2}`},
		"answer":    {`{"totalCount":2,"studies":[{"a":1},{"b":2}]}`, `{"a":1}|{"b":2}`},
		"last page": {`{"studies":[{"a":1}],"nextPageToken":null}` + "\n", `{"a":1}`},
		"first page": {`{"totalCount":2,"studies":[{"a":1},{"b":2}],"nextPageToken":"x"}`,
			"error: the registry's answer has further pages"},
		"token first": {`{"nextPageToken":"x","studies":[{"a":1},{"b":2}]}`, "error: the registry's answer has further pages"},
		"two lists":   {`[{"a":1}][{"b":2}]`, "error: something follows the list"},
		"two answers": {`{"studies":[{"a":1}]}{"studies":[{"b":2}]}`, "error: something follows the list"},
		"after it":    {`{"studies":[{"a":1}],"x":tru`, "error: not valid JSON"},
		"older":       {`{"FullStudiesResponse":{"APIVrs":"1","FullStudies":[{"Rank":1}]}}`, `{"Rank":1}`},
		"record":      {`{"protocolSection":{"studies":[1]}}` + "\n", `{"protocolSection":{"studies":[1]}}` + "\n"},
		"XML":         {"<a>1</a>", "<a>1</a>"},
		"empty":       {" \n", "error: the file is empty"},
		"no records":  {"[]", "error: the file has no records"},
		"cut":         {`[{"a":1},{"b"`, "error: record 2: not valid JSON"},
		"not an list": {`{"studies":{"a":1}}`, "error: the list of studies is not a list"},
	} {
		var records []string
		err := Split(strings.NewReader(c.data), func(n int, r []byte) error {
			records = append(records, string(r))
			if n != len(records) {
				t.Errorf("%s: record %d is said to be %d", name, len(records), n)
			}
			return nil
		})
		got := strings.Join(records, "|")
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != c.want && (err == nil || !strings.HasPrefix(got, c.want)) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	stop := errors.New("stop")
	if err := Split(strings.NewReader(`[1,2]`), func(int, []byte) error { return stop }); err != stop {
		t.Errorf("an error of the caller becomes %v", err)
	}
}

// TestVersions checks days, their source and conflicts.
func TestVersions(t *testing.T) {
	study := parse(t, recordV2)
	v := func(entry uint64, logged, claimed string, digest byte) Version {
		return Version{Study: study, Entry: entry, Kind: "observation", Logged: logged, Claimed: claimed, Digest: trial.Hash{digest}}
	}
	six := v(6, "2026-03-01", "2026-02-03", 2)
	six.Study = parse(t, strings.Replace(recordV2, "ACTIVE_NOT_RECRUITING", "COMPLETED", 1))
	list := NewVersions([]Version{v(5, "2026-03-01", "2026-02-03", 1), six, v(7, "2026-03-01", "", 3), v(8, "2026-01-01", "2026-01-05", 4)})
	var got []string
	for _, x := range list {
		day, by := x.Day()
		got = append(got, day+" "+by)
	}
	if s := strings.Join(got, "; "); s != "2026-01-01 the log; 2026-02-03 claimed by the source; 2026-02-03 claimed by the source; "+
		"2026-03-01 the log" {
		t.Errorf("days: %s", s)
	}
	if len(list[1].Conflicts) != 1 || list[1].Conflicts[0] != 6 || len(list[0].Conflicts)+len(list[3].Conflicts) != 0 {
		t.Errorf("conflicts: %v %v %v", list[0].Conflicts, list[1].Conflicts, list[3].Conflicts)
	}
	// Copies of one day that say the same are in no conflict, whatever else their bytes have.
	other := v(6, "2026-03-01", "2026-02-03", 2)
	other.Study = parse(t, strings.Replace(recordV2, "12 weeks", "24 weeks", 1))
	for _, c := range []struct {
		list []Version
		want int
	}{{[]Version{v(5, "2026-03-01", "2026-02-03", 1), v(6, "2026-03-01", "2026-02-03", 2)}, 0}, {[]Version{v(5, "2026-03-01",
		"2026-02-03", 1), other}, 1}} {
		if list := NewVersions(c.list); len(list[0].Conflicts) != c.want {
			t.Errorf("conflicts: %v, want %d", list[0].Conflicts, c.want)
		}
	}
	if h := History(list, Start); len(h) != 1 || h[0].Entry != 8 || h[0].Date.Date != "2026-01" {
		t.Errorf("history of the start: %+v", h)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(recordV2))
	f.Add([]byte(recordXML))
	f.Add([]byte(`{"protocolSection":{}}`))
	f.Add([]byte(recordISRCTN))
	f.Add([]byte(recordICTRP))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse(data)
		if err != nil {
			return
		}
		facts, _ := s.Facts()
		o := &trial.Observation{Common: trial.Common{Log: "l", Meaning: "author"}, Identifier: "nct:NCT09999991", SeenAt: "2026",
			Source: "registry"}
		if _, err := o.SetFacts(facts); err != nil {
			t.Errorf("facts are not in form: %v", err)
		}
		st := &trial.Statement{Predicate: o, Subjects: []trial.Subject{{Name: "observation", Digest: trial.Digest{SHA256: trial.Hash{1}}}}}
		if _, err := st.Marshal(); err != nil && trial.RuleOf(err) != trial.RuleLimit {
			t.Errorf("facts are not in form: %v", err)
		}
	})
}
