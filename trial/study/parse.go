package study

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// MaxDocument bounds a document that is parsed, in bytes.
const MaxDocument = 64 << 20

// ErrUnknown is the error of a document in none of the formats: it may be a PDF,
// and is no worse for it.
var ErrUnknown = errors.New("not a study in a format that is known (a ClinicalTrials.gov API v2 record or clinical_study XML)")

// Parse reads one study. An error wraps ErrUnknown where the document does not
// claim to be in one of the formats; any other says why a document that does
// cannot be read.
func Parse(data []byte) (*Study, error) {
	if len(data) > MaxDocument {
		return nil, fmt.Errorf("%w: it has %d bytes, the most is %d", ErrUnknown, len(data), MaxDocument)
	}
	trimmed := bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(trimmed) == 0 {
		return nil, fmt.Errorf("%w: it is empty", ErrUnknown)
	}
	if trimmed[0] == '<' {
		return parseXML(trimmed)
	}
	if trimmed[0] != '{' {
		return nil, ErrUnknown
	}
	if !utf8.Valid(data) {
		return nil, errors.New("the JSON is not UTF-8")
	}
	members, err := memberNames(trimmed)
	if err != nil {
		return nil, fmt.Errorf("not valid JSON: %w", err)
	}
	if members["protocolSection"] {
		return parseCTGovV2(trimmed)
	}
	return nil, ErrUnknown
}

// memberNames returns the names of an object's members, to the letter.
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
