package study

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
)

// xmlLists has the roots of XML exports with records, and the element of a record.
var xmlLists = map[string]string{"Trials_downloaded_from_ICTRP": "Trial", "allTrials": "fullTrial"}

// A window keeps what passes through it until it is told to forget.
type window struct {
	r     io.Reader
	bytes []byte
	base  int64 // place of the first byte that is kept
}

func (w *window) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	w.bytes = append(w.bytes, p[:n]...)
	return n, err
}

// forget removes what is before an offset.
func (w *window) forget(place int64) {
	w.bytes = append([]byte(nil), w.bytes[place-w.base:]...)
	w.base = place
}

// xml divides an XML export, or takes the whole file as one record.
func (s *splitter) xml(in io.Reader, limit *budget, before []byte) error {
	w := &window{r: limit}
	d := xml.NewDecoder(w)
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // only bytes are taken
	whole := func() error { return s.one(io.MultiReader(bytes.NewReader(before), bytes.NewReader(w.bytes), in)) }
	record := ""
	for record == "" {
		t, err := d.Token()
		if errors.Is(err, errTooLong) {
			return err
		}
		if err != nil {
			return whole()
		}
		if e, ok := t.(xml.StartElement); ok {
			if record = xmlLists[e.Name.Local]; record == "" {
				return whole()
			}
		}
	}
	begun := s.n
	for {
		limit.reset()
		place := d.InputOffset()
		t, err := d.Token()
		if err != nil {
			return fmt.Errorf("record %d: not well-formed XML: %w", s.n+1, err)
		}
		switch e := t.(type) {
		case xml.StartElement:
			if err := d.Skip(); err != nil {
				return fmt.Errorf("record %d: not well-formed XML: %w", s.n+1, err)
			}
			if e.Name.Local == record {
				end := d.InputOffset()
				if err := s.record(append([]byte(nil), w.bytes[place-w.base:end-w.base]...)); err != nil {
					return err
				}
			}
			w.forget(d.InputOffset())
		case xml.EndElement:
			if s.n == begun {
				return errors.New("the file has no records")
			}
			return checkEnd(d)
		}
	}
}
