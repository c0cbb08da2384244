package study

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Split calls f with the bytes of each record of an export, in order and exactly as they are in
// the file. Records are the elements of a JSON array (the registry's "Download JSON"), of
// studies in an answer of its API, or of FullStudies in one of its older API; JSON objects one
// after another (one a line); the records of an XML export of ISRCTN or of WHO's ICTRP; or else
// the one document that the file is. A gzip file is unpacked, and each file of a zip archive is
// read in the same way. Split reads one record at a time.
//
// Record numbers count from 1. An error of f ends it. Anything after the list is an error.
// After all records it returns ErrMorePages if the answer says that it is one page of several.
func Split(r io.Reader, f func(n int, record []byte) error) error {
	s := &splitter{f: f}
	return s.file(r)
}

// A splitter numbers the records of an export.
type splitter struct {
	f      func(int, []byte) error
	n      int
	packed bool  // the input was compressed: an archive inside it is not read
	ended  error // f has ended it
}

// record passes a record on.
func (s *splitter) record(data []byte) error {
	if len(data) > MaxDocument {
		return fmt.Errorf("record %d has over %d bytes", s.n+1, MaxDocument)
	}
	s.n++
	s.ended = s.f(s.n, data)
	return s.ended
}

var (
	gzipMagic = []byte("\x1f\x8b")
	zipMagic  = []byte("PK\x03\x04")
	bom       = []byte("\xef\xbb\xbf")
)

func (s *splitter) file(r io.Reader) error {
	in := bufio.NewReaderSize(r, 1<<16)
	head, err := in.Peek(4)
	switch {
	case bytes.HasPrefix(head, gzipMagic) && !s.packed:
		return s.gzip(in)
	case bytes.Equal(head, zipMagic) && !s.packed:
		if z, ok := r.(sizedFile); ok {
			return s.zip(z)
		}
		return errZip
	case len(head) == 0 && err == io.EOF:
		return errors.New("the file is empty")
	}
	marked := bytes.HasPrefix(head, bom)
	kept := new(keeper)
	limit := &budget{r: in}
	if marked {
		in.Discard(len(bom))
		kept.Write(bom) // the mark belongs to the bytes of a document that is the whole
	}
	first, err := firstByte(in)
	if err == io.EOF {
		return errors.New("the file is empty")
	}
	if err != nil && err != bufio.ErrBufferFull {
		return err
	}
	limit.reset()
	if first == '[' {
		d := json.NewDecoder(limit)
		if err := s.array(d, limit); err != nil {
			return err
		}
		return end(d)
	}
	if first == '<' {
		return s.xml(in, limit, kept.Bytes())
	}
	if first != '{' {
		return s.one(io.MultiReader(&kept.Buffer, in))
	}
	// An object: an answer with the records in it, or a record. What was read to
	// tell them apart is kept for the record.
	d := json.NewDecoder(io.TeeReader(limit, kept))
	a, err := findList(d)
	if err == nil && a.depth > 0 {
		kept.done = true
		if err := s.array(d, limit); err != nil {
			return err
		}
		return a.rest(d)
	}
	if errors.Is(err, errTooLong) {
		return err
	}
	return s.objects(kept, in, limit)
}

// objects reads one object, or several one behind another. What is kept was read of
// them already.
func (s *splitter) objects(kept *keeper, in io.Reader, limit *budget) error {
	read := kept.Bytes()
	mark := 0
	if bytes.HasPrefix(read, bom) {
		mark = len(bom)
	}
	again := &keeper{}
	again.Write(read)
	limit.reset()
	d := json.NewDecoder(io.MultiReader(bytes.NewReader(read[mark:]), io.TeeReader(limit, again)))
	var first, second json.RawMessage
	err := d.Decode(&first)
	if err == nil {
		limit.reset()
		err = d.Decode(&second)
	}
	if errors.Is(err, errTooLong) {
		return err
	}
	if err != nil || len(second) == 0 || second[0] != '{' {
		return s.one(io.MultiReader(&again.Buffer, in))
	}
	again.done = true
	again.Buffer = bytes.Buffer{}
	for _, record := range []json.RawMessage{first, second} {
		if err := s.record(record); err != nil {
			return err
		}
	}
	for {
		limit.reset()
		var record json.RawMessage
		if err := d.Decode(&record); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("record %d: %w", s.n+1, notJSON(err))
		}
		if err := s.record(record); err != nil {
			return err
		}
	}
}

// errTooLong is the error of a record that is larger than what is read.
var errTooLong = fmt.Errorf("a record has over %d bytes", MaxDocument)

// A budget limits what is read for one record, until it is reset for the next.
type budget struct {
	r    io.Reader
	left int
}

func (b *budget) reset() { b.left = MaxDocument + 1<<20 } // and what a decoder reads ahead

func (b *budget) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// ErrMorePages says that an export is one page of several.
var ErrMorePages = errors.New("the registry's answer has further pages (nextPageToken), which are not in this file")

// An answer is what is known about the object around a list of records.
type answer struct {
	depth int  // objects that are open around the list; 0 if there is no list
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

// skip reads the value of a member that is not a list of records.
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

// A keeper keeps what is read through it until it is done.
type keeper struct {
	bytes.Buffer
	done bool
}

func (h *keeper) Write(p []byte) (int, error) {
	if h.done {
		return len(p), nil
	}
	return h.Buffer.Write(p)
}

// one takes the whole file as one record.
func (s *splitter) one(r io.Reader) error {
	data, err := io.ReadAll(io.LimitReader(r, MaxDocument+1))
	if err != nil {
		return err
	}
	if len(data) > MaxDocument {
		return fmt.Errorf("the document has over %d bytes", MaxDocument)
	}
	return s.record(data)
}

// firstByte returns the first byte that is not white space, and leaves everything unread.
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

// findList reads an object up to the list of records, if its first members lead to one. Records
// have no such member at their top level.
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
		case "totalCount", "nextPageToken", "APIVrs", "DataVrs", "Expression",
			"NStudiesAvail", "NStudiesFound", "MinRank", "MaxRank", "NStudiesReturned":
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
func (s *splitter) array(d *json.Decoder, limit *budget) error {
	t, err := d.Token()
	if err != nil {
		return notJSON(err)
	}
	if t != json.Delim('[') {
		return errors.New("the list of studies is not a list")
	}
	begun := s.n
	for d.More() {
		limit.reset()
		var record json.RawMessage
		if err := d.Decode(&record); err != nil {
			return fmt.Errorf("record %d: %w", s.n+1, notJSON(err))
		}
		if err := s.record(record); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("after record %d: %w", s.n, notJSON(err))
	}
	if s.n == begun {
		return errors.New("the file has no records")
	}
	limit.reset()
	return nil
}
