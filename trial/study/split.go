package study

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Split calls f with the bytes of each record of an export, in order and exactly
// as they stand there: the elements of a JSON array (the registry's "Download
// JSON"), of studies in an answer of its API, of FullStudies in one of its older
// API, or else the one document that the whole is. It reads a record at a time.
// Record numbers count from 1. An error of f ends it. What follows the list is an
// error, and so is, after all records, ErrMorePages where the answer says that it is
// one page of several.
func Split(r io.Reader, f func(n int, record []byte) error) error {
	in := bufio.NewReaderSize(r, 1<<16)
	if bom, err := in.Peek(3); err == nil && bytes.Equal(bom, []byte("\xef\xbb\xbf")) {
		return one(in, f) // the mark belongs to the document's bytes
	}
	first, err := firstByte(in)
	if err == io.EOF {
		return errors.New("the file is empty")
	}
	if err != nil {
		return err
	}
	if first == '[' {
		d := json.NewDecoder(in)
		if err := array(d, f); err != nil {
			return err
		}
		return end(d)
	}
	if first != '{' {
		return one(in, f)
	}
	// An object: an answer with the records in it, or a record. What was read to
	// tell them apart is kept for the record.
	kept := new(head)
	d := json.NewDecoder(io.TeeReader(in, kept))
	a, err := findList(d)
	if err != nil {
		return notJSON(err)
	}
	if a.depth > 0 {
		kept.done = true
		if err := array(d, f); err != nil {
			return err
		}
		return a.rest(d)
	}
	return one(io.MultiReader(&kept.Buffer, in), f)
}

// ErrMorePages says that an export is one page of several.
var ErrMorePages = errors.New("the registry's answer has further pages (nextPageToken), which are not in this file")

// An answer is what is known of the object around a list of records.
type answer struct {
	depth int  // objects that are open around the list; 0: there is no list
	more  bool // it has further pages
}

// rest reads what follows the list.
func (a answer) rest(d *json.Decoder) error {
	for a.depth > 0 {
		t, err := d.Token()
		if err != nil {
			return notJSON(err)
		}
		if t == json.Delim('}') {
			a.depth--
			continue
		}
		if err := a.skip(d, t); err != nil {
			return err
		}
	}
	if err := end(d); err != nil {
		return err
	}
	if a.more {
		return ErrMorePages
	}
	return nil
}

// skip reads the value of a member that is no list of records.
func (a *answer) skip(d *json.Decoder, name json.Token) error {
	var value json.RawMessage
	if err := d.Decode(&value); err != nil {
		return notJSON(err)
	}
	a.more = a.more || name == "nextPageToken" && string(value) != "null" && string(value) != `""`
	return nil
}

// end refuses what follows a document.
func end(d *json.Decoder) error {
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the list of records: put each export into a file of its own")
	}
	return nil
}

// A head keeps what is read until it is done.
type head struct {
	bytes.Buffer
	done bool
}

func (h *head) Write(p []byte) (int, error) {
	if h.done {
		return len(p), nil
	}
	return h.Buffer.Write(p)
}

// one takes the whole for one record.
func one(r io.Reader, f func(int, []byte) error) error {
	data, err := io.ReadAll(io.LimitReader(r, MaxDocument+1))
	if err != nil {
		return err
	}
	if len(data) > MaxDocument {
		return fmt.Errorf("the document has over %d bytes", MaxDocument)
	}
	return f(1, data)
}

// firstByte returns the first byte that is no white space, and leaves all unread.
func firstByte(in *bufio.Reader) (byte, error) {
	for n := 1; ; n++ {
		b, err := in.Peek(n)
		if len(b) < n {
			return 0, err
		}
		if c := b[n-1]; c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return c, nil
		}
	}
}

// findList reads an object up to the list of records, if its first members lead
// to one. Records have no such member at their top.
func findList(d *json.Decoder) (a answer, err error) {
	none := answer{}
	if _, err := d.Token(); err != nil { // {
		return none, err
	}
	a.depth = 1
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return none, err
		}
		switch name {
		case "studies", "FullStudies":
			return a, nil
		case "FullStudiesResponse":
			if t, err := d.Token(); err != nil || t != json.Delim('{') {
				return none, err
			}
			a.depth++
		case "totalCount", "nextPageToken", "APIVrs", "DataVrs", "Expression", "NStudiesAvail", "NStudiesFound", "MinRank", "MaxRank", "NStudiesReturned":
			if err := a.skip(d, name); err != nil {
				return none, err
			}
		default:
			return none, nil
		}
	}
	return none, nil
}

// array reads the elements of an array.
func array(d *json.Decoder, f func(int, []byte) error) error {
	t, err := d.Token()
	if err != nil {
		return notJSON(err)
	}
	if t != json.Delim('[') {
		return errors.New("the list of studies is no list")
	}
	n := 0
	for d.More() {
		n++
		var record json.RawMessage
		if err := d.Decode(&record); err != nil {
			return fmt.Errorf("record %d: %w", n, notJSON(err))
		}
		if len(record) > MaxDocument {
			return fmt.Errorf("record %d has over %d bytes", n, MaxDocument)
		}
		if err := f(n, record); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("after record %d: %w", n, notJSON(err))
	}
	if n == 0 {
		return errors.New("the file has no records")
	}
	return nil
}
