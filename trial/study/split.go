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
// Record numbers count from 1. An error of f ends it.
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
		return array(json.NewDecoder(in), f)
	}
	if first != '{' {
		return one(in, f)
	}
	// An object: an answer with the records in it, or a record. What was read to
	// tell them apart is kept for the record.
	kept := new(head)
	d := json.NewDecoder(io.TeeReader(in, kept))
	list, err := findList(d)
	if err != nil {
		return notJSON(err)
	}
	if list {
		kept.done = true
		return array(d, f)
	}
	return one(io.MultiReader(&kept.Buffer, in), f)
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
func findList(d *json.Decoder) (bool, error) {
	if _, err := d.Token(); err != nil { // {
		return false, err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return false, err
		}
		switch name {
		case "studies", "FullStudies":
			return true, nil
		case "FullStudiesResponse":
			if t, err := d.Token(); err != nil || t != json.Delim('{') {
				return false, err
			}
		case "totalCount", "nextPageToken", "APIVrs", "DataVrs", "Expression", "NStudiesAvail", "NStudiesFound", "MinRank", "MaxRank", "NStudiesReturned":
			var skip json.RawMessage
			if err := d.Decode(&skip); err != nil {
				return false, err
			}
		default:
			return false, nil
		}
	}
	return false, nil
}

// array reads the elements of an array; what follows it in an answer is not read.
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
