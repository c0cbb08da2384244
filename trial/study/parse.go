package study

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxDocument bounds a document that is parsed, in bytes.
const MaxDocument = 64 << 20

// ErrUnknown is the error of a document in none of the formats. Such a document, for example a
// PDF, can be logged like any other.
var ErrUnknown = errors.New("not a study in a format that is known (ClinicalTrials.gov JSON or XML, " +
	"ISRCTN and ICTRP XML, USDM 4.0 JSON, FHIR ResearchStudy JSON)")

var errComment = errors.New("not valid JSON: it has comments (// or /*), which JSON has not: take them out, or have its source do so")

// notJSON says what is wrong with JSON that cannot be read.
func notJSON(err error) error {
	if strings.Contains(err.Error(), "invalid character '/'") { // encoding/json has no other word for it
		return errComment
	}
	return fmt.Errorf("not valid JSON: %w", err)
}

// Parse reads one study. An error wraps ErrUnknown if the document does not claim to be in one
// of the formats. Any other error says why a document that does cannot be read.
func Parse(data []byte) (*Study, error) {
	s, err := parseDocument(data)
	if err == nil {
		s.addMentioned(data)
	}
	return s, err
}

func parseDocument(data []byte) (*Study, error) {
	if len(data) > MaxDocument {
		return nil, fmt.Errorf("%w: it has %d bytes; the most is %d", ErrUnknown, len(data), MaxDocument)
	}
	if len(data) > 0 && (data[0] > 0x7f && !bytes.HasPrefix(data, bom) ||
		data[0] < ' ' && data[0] != '\t' && data[0] != '\r' && data[0] != '\n' || len(data) > 1 && data[1] == 0) {
		return nil, byBytes(data)
	}
	trimmed := bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(trimmed) == 0 {
		return nil, fmt.Errorf("%w: it is empty", ErrUnknown)
	}
	switch {
	case trimmed[0] == '<':
		head := bytes.ToLower(trimmed[:min(len(trimmed), 15)])
		if bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.HasPrefix(head, []byte("<html")) {
			return nil, byRoot("html")
		}
		return parseXML(trimmed)
	case bytes.HasPrefix(trimmed, []byte("//")), bytes.HasPrefix(trimmed, []byte("/*")):
		return nil, errComment
	case trimmed[0] == '[':
		return nil, unread("a list", "take one of its records, or import it")
	case trimmed[0] != '{':
		return nil, byBytes(trimmed)
	}
	if !utf8.Valid(data) {
		return nil, errors.New("the JSON is not UTF-8")
	}
	if err := crowded(trimmed); err != nil {
		return nil, err
	}
	if !json.Valid(trimmed) {
		_, err := memberNames(trimmed)
		return nil, notJSON(err)
	}
	members, err := readNames(trimmed)
	if err != nil {
		return nil, err
	}
	switch {
	case members["protocolSection"]:
		return parseCTGovV2(trimmed)
	case members["FullStudiesResponse"], members["Study"]:
		return parseCTGovV1(trimmed)
	case members["usdmVersion"]:
		return parseUSDM(trimmed)
	case members["study"]:
		if record, version := historyAnswer(trimmed); record != nil {
			return parseHistory(record, version)
		}
		return parseUSDM(trimmed)
	case members["resourceType"]:
		return parseFHIR(trimmed)
	}
	return nil, byMembers(members)
}

// Bounds on JSON, far above any register's: values in all, and members of one object.
const (
	maxValues  = 3_000_000
	maxMembers = 20_000
)

// crowded refuses JSON that would take long to read although little of it is read. It counts
// commas outside texts, which takes hardly any time compared with parsing.
func crowded(data []byte) error {
	var counts []int // commas of the objects and lists that are open; of lists from minus infinity
	total, text := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '{':
			counts = append(counts, 0)
		case c == '[':
			counts = append(counts, -maxValues)
		case (c == '}' || c == ']') && len(counts) > 0:
			counts = counts[:len(counts)-1]
		case c == ',' && len(counts) > 0:
			total++
			if counts[len(counts)-1]++; counts[len(counts)-1] >= maxMembers || total >= maxValues {
				return fmt.Errorf("the JSON has more than %d members in one object, or more than %d values: it is not read, "+
					"because no register's record is like that", maxMembers, maxValues)
			}
		}
	}
	return nil
}

// memberNames returns the names of an object's members, exactly as they are written.
func memberNames(data []byte) (map[string]bool, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		return nil, err
	}
	names := make(map[string]bool, len(object))
	for name := range object {
		names[name] = true
	}
	return names, nil
}
