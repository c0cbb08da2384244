package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// A Page is an answer of the API with records.
type Page struct {
	Records []Record
	Next    string // token of the next page; "" for the last
	Total   int    // records of all pages; -1 if the answer does not say
}

// A Record is one record as the answer has it.
type Record struct {
	Bytes  []byte // exactly as they stand there
	Number string // such as NCT03421379; "" if it cannot be read
	Day    string // on which its last update was posted; "" if it cannot be read
}

// maxRecords bounds the records of a page.
//
// SPEC: It will be coerced down to 1,000, if greater than that.
const maxRecords = 1000

func notJSON(err error) error {
	syntax, kind := new(json.SyntaxError), new(json.UnmarshalTypeError)
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("it is cut off")
	case errors.As(err, &syntax) || errors.As(err, &kind):
		return fmt.Errorf("it is not valid JSON: %w", err)
	}
	return err
}

// parsePage takes an answer apart. Its members may come in any order, and others may stand
// among them.
//
// SPEC: The last page will not contain `nextPageToken`. A page may have empty `studies` array.
func parsePage(data []byte) (*Page, error) {
	p := &Page{Total: -1}
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil {
		return nil, fmt.Errorf("the registry's answer: %w", notJSON(err))
	} else if t != json.Delim('{') {
		return nil, errors.New("the registry's answer is no object with a list of studies")
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("the registry's answer: %w", notJSON(err))
		}
		name := t.(string)
		if seen[name] {
			return nil, fmt.Errorf("the registry's answer has %.40q twice", name)
		}
		seen[name] = true
		switch name {
		case "studies":
			err = p.studies(d, data)
		case "nextPageToken":
			err = p.token(d)
		case "totalCount":
			err = d.Decode(&p.Total)
		default:
			var ignored json.RawMessage
			err = d.Decode(&ignored)
		}
		if err != nil {
			return nil, fmt.Errorf("the registry's answer, %.40q: %w", name, notJSON(err))
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("the registry's answer: %w", notJSON(err))
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something follows the registry's answer")
	}
	if !seen["studies"] {
		return nil, errors.New("the registry's answer has no list of studies: it is none of ClinicalTrials.gov's API, version 2")
	}
	for _, r := range p.Records {
		if r.Number != "" {
			return p, nil
		}
	}
	if len(p.Records) > 0 {
		return nil, errors.New("the registry's answer has no record with a number of ClinicalTrials.gov: it may be another registry's")
	}
	return p, nil
}

// studies reads the list of records. They share the answer's bytes.
func (p *Page) studies(d *json.Decoder, data []byte) error {
	if t, err := d.Token(); err != nil {
		return err
	} else if t != json.Delim('[') {
		return errors.New("the list of studies is not a list")
	}
	for d.More() {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return fmt.Errorf("record %d: %w", len(p.Records)+1, err)
		}
		if len(p.Records) == maxRecords {
			return fmt.Errorf("it has more than %d records, and fewer were asked for", maxRecords)
		}
		end := int(d.InputOffset())
		r := Record{Bytes: data[end-len(raw) : end : end]}
		r.Number, r.Day = about(r.Bytes)
		p.Records = append(p.Records, r)
	}
	_, err := d.Token()
	return err
}

// token reads the token of the next page.
func (p *Page) token(d *json.Decoder) error {
	var token *string
	if err := d.Decode(&token); err != nil || token == nil {
		return err
	}
	if len(*token) > maxToken || strings.ContainsFunc(*token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("it is no token that can be sent back: too long, or with other characters than those of ASCII that are printed")
	}
	p.Next = *token
	return nil
}

// about returns a record's number and its day of update, each "" if it is not there.
func about(record []byte) (number, day string) {
	var r struct {
		ProtocolSection struct {
			IdentificationModule struct {
				NCTID string `json:"nctId"`
			} `json:"identificationModule"`
			StatusModule struct {
				LastUpdatePostDateStruct struct {
					Date string `json:"date"`
				} `json:"lastUpdatePostDateStruct"`
			} `json:"statusModule"`
		} `json:"protocolSection"`
	}
	if json.Unmarshal(record, &r) != nil {
		return "", ""
	}
	number, day = r.ProtocolSection.IdentificationModule.NCTID, r.ProtocolSection.StatusModule.LastUpdatePostDateStruct.Date
	if len(number) != 11 || !strings.HasPrefix(number, "NCT") || strings.Trim(number[3:], "0123456789") != "" {
		number = ""
	}
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		day = ""
	}
	return number, day
}
