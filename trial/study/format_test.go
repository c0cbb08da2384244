package study

import (
	"errors"
	"strings"
	"testing"
)

// TestNamed: a document that is not read is named for what it is.
func TestNamed(t *testing.T) {
	for data, want := range map[string]string{
		"\xff\xfe{\x00}\x00": "UTF-16", "{\x00\"\x00": "UTF-16", "\x1f\x8b\x08x": "gzip", "PK\x03\x04xx": "zip",
		"PK\x03\x04xxxx[Content_Types].xml": "word processor", "%PDF-1.7": "PDF", "7z\xbc\xaf\x27\x1c": "7z", "BZh91AY": "bzip2",
		strings.Repeat("x", 257) + "ustar\x00": "tar", "NCT Number,Study Title\nNCT1,x": "CSV", "\"Rank\";\"NCT " +
			"Number\"": "CSV", "nct_id|title\n": "CSV", "NCT Number\tTitle\n": "tabs", "Summary\nEudraCT Number: 2013-003828-36": "EU " +
			"Clinical Trials Register",
		"<!DOCTYPE html><html><br></html>": "web page", "<html><body/></html>": "web page", "<search_results/>": "older " +
			"search", "<ODM/>": "ODM", "<PubmedArticleSet/>": "PubMed",
		`{"ctNumber":"2024-515914-41-00"}`: "CTIS", `{"pagination":{},"data":[]}`: "CTIS", `{"StudyFieldsResponse":{}}`: "selected " +
			"fields", `{"changes":[]}`: "without the versions", `{"nctId":"NCT09100101"}`: "selection of " +
			"fields", `{"studies":[]}`: "several records", `[1]`: "a list",
	} {
		s, err := Parse([]byte(data))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, %v; want an error with %q", data, s, err, want)
		}
		if err != nil && !errors.Is(err, ErrUnknown) && !errors.Is(err, errUTF16) && !errors.Is(err, errGzip) && !errors.Is(err, errZip) {
			t.Errorf("%.40q: %v is no error of what is not read", data, err)
		}
	}
}

// TestHistoryAnswer reads a version from an answer of the registry's history. Its day is that
// of its posting, and its texts have no HTML escapes, also in names.
func TestHistoryAnswer(t *testing.T) {
	record := strings.NewReplacer("Sleep quality", "Sleep &lt; 3 &amp; quality", "Ada Lovelace", "Ada O&#39;Lovelace",
		`"studyFirstSubmitDate":"2025-12-01"`,
		`"studyFirstSubmitDate":"2025-12-01T00:00:00Z","lastUpdatePostDateStruct":{"date":"2026-01-09"}`).Replace(recordV2)
	s := parse(t, `{"studyVersion": 3, "study": `+record+`}`)
	if s.Dated != "2026-01-09" || s.Version != "3" || s.Seen != "" || s.Outcomes[1].Measure != "Sleep < 3 & quality" ||
		s.Date(FirstSubmitted).Date != "2025-12-01" {
		t.Errorf("%+v", s)
	}
	if s.People[1] != "Ada O'Lovelace, PhD" {
		t.Errorf("people: %q", s.People)
	}
	if s = parse(t, `{"study": `+record+`}`); s.Dated != "2026-02-03" || s.Version != "" {
		t.Errorf("without a version: %s %q", s.Dated, s.Version)
	}
	if _, err := Parse([]byte(`{"studyVersion":1,"study":{}}`)); err == nil {
		t.Error("an answer without a record is read")
	}
}
