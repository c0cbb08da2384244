package study

import (
	"strings"
	"testing"
)

// endless is a day that is after all others.
const endless = "9999-12-31"

// reviewed returns a record with steps of a review, in each form that has them.
func reviewed(steps ...string) map[string]string {
	var v2, v1, xml []string
	for _, s := range steps {
		kind, date, _ := strings.Cut(s, " ")
		older := map[string]string{"RELEASE": "submitted", "RESET": "returned", "UNRELEASE": "submission_canceled"}[kind]
		if date == "" {
			v2 = append(v2, `{"type":"`+kind+`","dateUnknown":true}`)
			v1 = append(v1, `{"UnpostedEventType":"`+kind+`","UnpostedEventDate":"Unknown"}`)
			xml = append(xml, "<"+older+">Unknown</"+older+">")
			continue
		}
		v2 = append(v2, `{"type":"`+kind+`","date":"`+date+`"}`)
		v1 = append(v1, `{"UnpostedEventType":"`+kind[:1]+strings.ToLower(kind[1:])+`","UnpostedEventDate":"`+date+`"}`)
		xml = append(xml, "<"+older+">"+date+"</"+older+">")
	}
	return map[string]string{
		CTGovV2: strings.TrimSuffix(recordV2, "}") +
			`,"annotationSection":{"annotationModule":{"unpostedAnnotation":{"unpostedResponsibleParty":"Grace Hopper, Director, Example","unpostedEvents":[` + strings.Join(v2, ",") + `]}}}}`,
		CTGovXML: strings.Replace(recordXML, "</clinical_study>", "<pending_results>"+strings.Join(xml,
			"")+"</pending_results></clinical_study>", 1),
		CTGovV1: `{"Study":{"ProtocolSection":{"IdentificationModule":{"NCTId":"NCT01234567"},"DesignModule":{"StudyType":"Interventional"}},"AnnotationSection":{"AnnotationModule":{"UnpostedAnnotation":{
			"UnpostedResponsibleParty":"Grace Hopper","UnpostedEventList":{"UnpostedEvent":[` + strings.Join(v1, ",") + `]}}}}}}`,
	}
}

// TestReview: results that were sent and withdrawn are a state with a history, the same in
// every form of the registry's records and in the facts of an entry.
func TestReview(t *testing.T) {
	for _, c := range []struct {
		name  string
		steps []string
		day   string
		want  Submission
	}{
		{"sent", []string{"RELEASE 2022-02-21"}, endless, Submission{Stands: true, First: "2022-02-21", Last: "2022-02-21"}},
		{"returned counts as sent", []string{"RELEASE 2022-02-21", "RESET 2022-03-18"}, endless, Submission{Stands: true,
			First: "2022-02-21", Last: "2022-02-21"}},
		{"sent again after a return", []string{"RELEASE 2022-02-21", "RESET 2022-03-18", "RELEASE 2022-06-14"}, endless,
			Submission{Stands: true, First: "2022-02-21", Last: "2022-02-21"}},
		{"taken back", []string{"RELEASE 2022-02-21", "RESET 2022-03-18", "UNRELEASE 2022-06-14"}, endless, Submission{Canceled: true,
			Until: "2022-06-14"}},
		{"taken back on an unknown day", []string{"RELEASE 2022-02-21", "UNRELEASE"}, "2022-12-31", Submission{Canceled: true,
			Until: "2022-12-31"}},
		{"taken back and sent again", []string{"RELEASE 2022-02-21", "UNRELEASE 2022-06-14", "RELEASE 2023-01-02"}, endless,
			Submission{Stands: true, First: "2023-01-02", Last: "2023-01-02"}},
		{"before it was taken back", []string{"RELEASE 2022-02-21", "UNRELEASE 2022-06-14"}, "2022-05-01", Submission{Stands: true,
			First: "2022-02-21", Last: "2022-02-21"}},
		{"before it was sent", []string{"RELEASE 2022-02-21"}, "2022-01-01", Submission{}},
		{"sent again on an unknown day", []string{"RELEASE 2022-02-21", "UNRELEASE 2022-06-14", "RELEASE", "RESET 2023-02-01"}, endless,
			Submission{Stands: true, First: "2022-06-14", Last: "2023-02-01"}},
		{"returned, and when it was sent is not said", []string{"RESET 2022-03-18"}, endless, Submission{Stands: true, Last: "2022-03-18"}},
	} {
		for format, record := range reviewed(c.steps...) {
			s := parse(t, record)
			facts, _ := s.Facts()
			for what, x := range map[string]*Study{"file": s, "facts": FromFacts(facts)} {
				if got := x.Submission(endless, c.day); got != c.want {
					t.Errorf("%s, %s, %s: %+v, want %+v", c.name, format, what, got, c.want)
				}
				if !x.TellsResults() {
					t.Errorf("%s, %s, %s: a whole record tells of its results", c.name, format, what)
				}
			}
			if format == CTGovV2 && !s.privacy().names("by Grace Hopper") {
				t.Errorf("%s: people %q", c.name, s.People)
			}
		}
	}
	for _, steps := range [][]string{{"RELEASE 2022-02-21", "RESET 2021-02-21"}, {"RELEASE 2022-02-21", "REVIVE 2022-03-01"}} {
		if got := parse(t, reviewed(steps...)[CTGovV2]).Submission(endless, endless); got.Unclear == "" {
			t.Errorf("%q: %+v", steps, got)
		}
	}
	if _, err := Parse([]byte(reviewed("RELEASE 2022-02-30")[CTGovV2])); err == nil || !strings.Contains(err.Error(),
		"results were submitted") {
		t.Errorf("a date that is none: %v", err)
	}
}

// TestReviewAndPosting: results that were withdrawn and are posted were sent again.
func TestReviewAndPosting(t *testing.T) {
	s := &Study{Format: CTGovV2, Type: "interventional", Results: true, Review: []ReviewEvent{{ReviewSubmitted, "2022-02-21"},
		{ReviewCanceled, "2022-06-14"}}, Dates: []Date{{ResultsSubmitted, "2022-02-21", Actual}, {ResultsPosted, "2023-05-01", Actual}}}
	if got := s.Submission("2023-06-01", "2024-01-01"); got != (Submission{Stands: true, First: "2022-06-14", Last: "2023-05-01"}) {
		t.Errorf("%+v", got)
	}
	s.Results, s.Dates = false, s.Dates[:1]
	if got := s.Submission("2023-06-01", "2024-01-01"); !got.Canceled {
		t.Errorf("not posted: %+v", got)
	}
}
