package study

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// This file has the names of documents that are not read, with what to do about each.

func unread(what, todo string) error { return fmt.Errorf("%w: it is %s: %s", ErrUnknown, what, todo) }

var (
	errUTF16 = errors.New("the file is UTF-16 text: save it as UTF-8")
	errGzip  = errors.New("the file is compressed with gzip: unpack it, or give it to trial import or -files as it is")
	errZip   = errors.New("the file is a zip archive: unpack it, or give it to trial import or -files as it is")
)

// csvHead matches the beginning of a table: names in one line, one of which is a trial's
// number, title or status.
var csvHead = regexp.MustCompile(`(?i)^"?(?:rank|nct ?(?:number|id|_id)|study title|trial ?id|title|isrctn|eudract number|` +
	`trial number|main ?id|internal number)"?\s*([,;|\t])`)

// byBytes names a document that is neither JSON nor XML.
func byBytes(data []byte) error {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")),
		bytes.HasPrefix(data, []byte("{\x00")), bytes.HasPrefix(data, []byte("\x00{")),
		bytes.HasPrefix(data, []byte("<\x00")), bytes.HasPrefix(data, []byte("\x00<")):
		return errUTF16
	case bytes.HasPrefix(data, gzipMagic):
		return errGzip
	case bytes.HasPrefix(data, zipMagic):
		if bytes.Contains(data[:min(len(data), 4096)], []byte("[Content_Types].xml")) {
			return unread("a file of a word processor or spreadsheet", "take the register's JSON")
		}
		return errZip
	case len(data) > 262 && string(data[257:262]) == "ustar":
		return unread("a tar archive", "unpack it, or pack the files with zip")
	case bytes.HasPrefix(data, []byte("7z\xbc\xaf")), bytes.HasPrefix(data, []byte("\xfd7zXZ")), bytes.HasPrefix(data, []byte("BZh")),
		bytes.HasPrefix(data, []byte("Rar!")), bytes.HasPrefix(data, []byte("\x28\xb5\x2f\xfd")):
		return unread("an archive (7z, xz, bzip2, rar or zstd)", "unpack it, or pack the files with zip or gzip")
	case bytes.HasPrefix(data, []byte("%PDF")):
		return unread("a PDF", "take the register's JSON; a PDF is proven by its bytes, and nothing is read of it")
	}
	line, _, _ := bytes.Cut(data[:min(len(data), 4096)], []byte("\n"))
	if m := csvHead.FindSubmatch(line); m != nil {
		what := "a CSV table"
		if m[1][0] == '\t' {
			what = "a table with tabs"
		}
		return unread(what, "take the register's JSON, which has the whole record")
	}
	if bytes.HasPrefix(bytes.ToLower(line), []byte("eudract number:")) ||
		bytes.HasPrefix(line, []byte("Summary")) && bytes.Contains(data[:min(len(data), 4096)], []byte("EudraCT Number:")) {
		return unread("a text export of the EU Clinical Trials Register",
			"nothing is read of it; its bytes can be logged with trial submit, without -facts")
	}
	return ErrUnknown
}

// byRoot names an XML document that is not read, by its root.
func byRoot(root string) error {
	switch root {
	case "PubmedArticleSet", "PubmedArticle", "article":
		return unread("an article or its record in PubMed", "an article's outcomes are given with trial compare -article")
	case "html", "HTML":
		return unread("a web page", "take the register's JSON")
	case "ODM":
		return unread("a CDISC ODM or Define-XML document", "it is proven by its bytes, and nothing is read of it")
	case "search_results":
		return unread("a list of ClinicalTrials.gov's older search", "it has no whole records: take the records themselves")
	}
	return fmt.Errorf("%w: the XML's root is %.40q", ErrUnknown, root)
}

// byMembers names a JSON object that is not read, by its members.
func byMembers(members map[string]bool) error {
	switch {
	case members["ctNumber"], members["authorizedApplication"], members["ctStatus"], members["pagination"] && members["data"]:
		return unread("a record of CTIS, the EU's register",
			"nothing is read of it; its bytes can be logged with trial submit, without -facts")
	case members["StudyFieldsResponse"]:
		return unread("an answer of ClinicalTrials.gov with selected fields (StudyFields)",
			"it does not have the whole record: take the full study")
	case members["changes"]:
		return unread("a list of a ClinicalTrials.gov record's versions, without the versions", "take each version's answer")
	case members["isrctn"], members["trialDescription"]:
		return unread("a record of ISRCTN", "nothing is read of it; its bytes can be logged with trial submit, without -facts")
	case members["studies"]:
		return unread("an answer with several records", "take one of them, or import it")
	case members["nctId"], members["NCTId"], members["nct_id"]:
		return unread("a table row or selection of fields of ClinicalTrials.gov",
			"it does not have the whole record: take the record without selecting fields")
	}
	return ErrUnknown
}

// historyAnswer returns the record in an answer of ClinicalTrials.gov's history of records,
// {"studyVersion": 3, "study": {...}}, and the number of the version. It returns nil if the
// object is not such an answer.
func historyAnswer(data []byte) (record []byte, version string) {
	var a struct {
		Version *json.Number    `json:"studyVersion"`
		Study   json.RawMessage `json:"study"`
	}
	if json.Unmarshal(data, &a) != nil || len(a.Study) == 0 {
		return nil, ""
	}
	if members, err := memberNames(a.Study); err != nil || !members["protocolSection"] {
		return nil, ""
	}
	if a.Version != nil {
		version = a.Version.String()
	}
	return a.Study, version
}

// day returns the day of a date that some exports write with a time, as it is written.
func day(s string) string {
	if d, time, ok := strings.Cut(s, "T"); ok && len(d) == len("2026-03-01") && len(time) >= 4 &&
		time[0] >= '0' && time[0] <= '2' && utf8.ValidString(time) {
		return d
	}
	return s
}
