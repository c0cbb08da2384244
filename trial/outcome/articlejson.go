package outcome

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// notJSON says what is wrong with JSON.
func notJSON(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("read JSON: it ends too early")
	}
	return fmt.Errorf("read JSON: %w", err)
}

// A jsonReader reads lists of outcomes and knows in which line it is.
type jsonReader struct {
	data []byte
	list []Outcome
}

// parseJSON reads an array of outcomes, or an object with one for each level, that
// begins at a place of the file.
func parseJSON(data []byte, begin int) ([]Outcome, error) {
	whole := data
	data = data[begin:]
	if !json.Valid(data) {
		var v any
		d := json.NewDecoder(bytes.NewReader(data))
		if err := d.Decode(&v); err != nil {
			return nil, notJSON(err)
		}
		return nil, errors.New("read JSON: more follows the list")
	}
	r := &jsonReader{data: whole}
	err := r.value(data, begin, nil)
	return r.list, err
}

// place says where in the file an outcome is.
func (r *jsonReader) place(offset int) string {
	return fmt.Sprintf("outcome %d (line %d)", len(r.list)+1, 1+bytes.Count(r.data[:offset], []byte("\n")))
}

// value reads an array of outcomes, an object with lists by their levels, or one
// outcome, at an offset. The heading is that of the list, nil if it has none.
func (r *jsonReader) value(data []byte, offset int, h *heading) error {
	switch {
	case data[0] == '[':
		return r.items(data, offset, h)
	case data[0] == '{' && h == nil:
		return r.object(data, offset)
	case h == nil:
		return errors.New("read JSON: neither a list nor an object")
	}
	return r.outcome(data, offset, h)
}

// each calls f with the members of an object, or the elements of an array, which have
// no name.
func each(data []byte, f func(name string, value []byte, offset int) error) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if _, err := d.Token(); err != nil {
		return notJSON(err)
	}
	seen := map[string]bool{}
	for d.More() {
		name := ""
		if data[0] == '{' {
			t, err := d.Token()
			if err != nil {
				return notJSON(err)
			}
			name = t.(string)
			if seen[name] {
				return fmt.Errorf("the member %.40q is there twice", name)
			}
			seen[name] = true
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return notJSON(err)
		}
		if err := f(name, value, int(d.InputOffset())-len(value)); err != nil {
			return err
		}
	}
	return nil
}

func (r *jsonReader) object(data []byte, offset int) error {
	return each(data, func(name string, value []byte, at int) error {
		words := name
		for _, end := range []string{"Outcomes", "Outcome", "Endpoints", "Endpoint", "OutcomeMeasures"} { // primaryOutcomes
			if head, ok := strings.CutSuffix(name, end); ok && head != "" {
				words = head + " " + strings.ToLower(end)
				break
			}
		}
		h, ok := headingOf(words)
		switch {
		case string(value) == "null":
			return nil
		case ok:
			return r.value(value, offset+at, &h)
		case name == "outcomes" && value[0] == '[':
			return r.items(value, offset+at, nil)
		case name == "protocolSection":
			return errors.New("this is a record of ClinicalTrials.gov: an article's own list is wanted here")
		}
		return fmt.Errorf("%s: the member %.40q is not understood: primary, secondary, other and outcomes are", r.place(offset+at), name)
	})
}

func (r *jsonReader) items(data []byte, offset int, h *heading) error {
	return each(data, func(_ string, value []byte, at int) error { return r.outcome(value, offset+at, h) })
}

// outcome reads an outcome, a text or an object, of the level where it does not say
// another.
func (r *jsonReader) outcome(data []byte, offset int, h *heading) error {
	place := r.place(offset)
	var o Outcome
	level := false
	if h != nil {
		o.Level, level = h.level, true
	}
	switch data[0] {
	case '"':
		var s string
		if err := json.Unmarshal(data, &s); err != nil {
			return notJSON(err)
		}
		if err := o.set("measure", s); err != nil {
			return fmt.Errorf("%s: %w", place, err)
		}
	case '{':
		err := each(data, func(name string, value []byte, _ int) error {
			c := columnOf(name)
			if c == "" {
				return fmt.Errorf("unknown field %q: level, measure, timeFrame and description are known", name)
			}
			var s *string
			if err := json.Unmarshal(value, &s); err != nil {
				return fmt.Errorf("%s is not a text", name)
			}
			if s == nil {
				return nil
			}
			before := o.Level
			if err := o.set(c, *s); err != nil {
				return err
			}
			if c == "level" {
				if level && h != nil && o.Level != before {
					return fmt.Errorf("level is %s, in the list of %s", o.Level, before)
				}
				level = true
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("%s: %w", place, err)
		}
	case 'n':
	default:
		return fmt.Errorf("%s: read JSON: neither a text nor an object", place)
	}
	switch {
	case o.Measure == "":
		return fmt.Errorf("%s: no measure", place)
	case !level:
		return fmt.Errorf(`%s: no level: put it into the list of primary or secondary, or give it a "level" `+
			`("not stated" if the article does not say)`, place)
	}
	r.list = append(r.list, o)
	return nil
}
