package table

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// A csv reads CSV as RFC 4180 has it: a header, commas, quotes that are doubled inside quotes, and as many
// fields in each record as in the header. A line may end in LF too. It is UTF-8.
type csv struct {
	in    *input
	table *Table
	n     int64 // records so far, without the header
	cells row
	raw   []byte // the fields of a record, one after another
	ends  []int
}

func openCSV(name string, r *bufio.Reader) (Reader, error) {
	c := &csv{in: newInput(r), table: &Table{Records: -1, Source: "CSV"}}
	base := path.Base(strings.ReplaceAll(name, `\`, "/"))
	c.table.Name = strings.TrimSuffix(base, path.Ext(base))
	if _, err := c.in.skipBOM(); err != nil {
		return nil, err
	}
	// SPEC (RFC 4180): "There maybe an optional header line appearing as the first line of the file". Here it
	// is not optional: columns have names.
	if err := c.record(MaxColumns); err != nil {
		return nil, fmt.Errorf("read CSV header: %w", unexpected(err))
	}
	from := 0
	for _, end := range c.ends {
		c.table.Columns = append(c.table.Columns, Column{Name: strings.TrimRight(string(c.raw[from:end]), " "), Type: "text"})
		from = end
	}
	if err := c.table.check(); err != nil {
		return nil, fmt.Errorf("read CSV header: %w", err)
	}
	if only := c.table.Columns[0].Name; len(c.table.Columns) == 1 && strings.ContainsAny(only, ";\t|") {
		return nil, fmt.Errorf("read CSV header: %s is one column: separate columns with commas", quote([]byte(only)))
	}
	return &rows{table: c.table, next: c.next}, nil
}

// record reads the fields of a record of at most most fields. It returns io.EOF if there is none.
func (c *csv) record(most int) error {
	c.raw, c.ends = c.raw[:0], c.ends[:0]
	if _, err := c.in.peek(); err != nil {
		return err
	}
	for {
		last, err := c.field()
		if err != nil {
			return err
		}
		start := 0
		if len(c.ends) > 0 {
			start = c.ends[len(c.ends)-1]
		}
		if err := checkUTF8(c.raw[start:]); err != nil {
			return err
		}
		c.ends = append(c.ends, len(c.raw))
		if last {
			return nil
		}
		if len(c.ends) == most {
			return fmt.Errorf("there are more than %d fields", most)
		}
	}
}

// field appends a field to raw. It reports whether it is the last of its record.
func (c *csv) field() (bool, error) {
	start := len(c.raw)
	if b, err := c.in.peek(); err == nil && b == '"' {
		c.in.pos++
		return c.quoted(start)
	}
	b, err := c.run(start, &special)
	if err == io.EOF {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if b == '"' {
		return false, errors.New("a quote stands inside a field that does not start with one")
	}
	return c.closed(b)
}

// quoted appends a field in quotes, of which the first was taken.
func (c *csv) quoted(start int) (bool, error) {
	for {
		_, err := c.run(start, &quotes)
		if err == io.EOF {
			return false, errors.New("the file ends inside quotes")
		}
		if err != nil {
			return false, err
		}
		b, err := c.in.peek()
		if err == io.EOF {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		c.in.pos++
		if b != '"' {
			return c.closed(b)
		}
		c.raw = append(c.raw, '"') // SPEC (RFC 4180): "escaped by preceding it with another double quote"
	}
}

// The bytes that end a run: of a field without quotes, and of one within.
var special, quotes = [256]bool{',': true, '\n': true, '\r': true, '"': true}, [256]bool{'"': true}

// run appends the bytes up to one that stops, and takes that one.
func (c *csv) run(start int, stops *[256]bool) (byte, error) {
	for {
		if _, err := c.in.peek(); err != nil {
			return 0, err
		}
		part := c.in.buf[c.in.pos:c.in.end]
		n := 0
		for n < len(part) && !stops[part[n]] {
			if part[n] == '\n' {
				c.in.line++
			}
			n++
		}
		c.raw = append(c.raw, part[:n]...)
		c.in.pos += n
		if len(c.raw)-start > MaxCell || len(c.raw) > MaxRow {
			return 0, fmt.Errorf("a field has more than %d bytes, or a record more than %d", MaxCell, MaxRow)
		}
		if n < len(part) {
			c.in.pos++
			return part[n], nil
		}
	}
}

// closed reports whether a field is the last of its record, from the byte behind it.
func (c *csv) closed(b byte) (bool, error) {
	switch b {
	case ',':
		return false, nil
	case '\n':
		c.in.line++
		return true, nil
	case '\r':
		return true, c.lineFeed()
	}
	return false, fmt.Errorf("there is %q behind the closing quote, want a comma or the end of the line", b)
}

// lineFeed takes the line feed that must follow a carriage return.
func (c *csv) lineFeed() error {
	if b, err := c.in.peek(); err != nil && err != io.EOF {
		return err
	} else if err == io.EOF || b != '\n' {
		return errors.New("a carriage return is not followed by a line feed")
	}
	c.in.pos++
	c.in.line++
	return nil
}

func (c *csv) next() ([]Value, error) {
	line := c.in.line
	err := c.record(len(c.table.Columns))
	if err == io.EOF {
		return nil, io.EOF
	}
	if want := len(c.table.Columns); err == nil && len(c.ends) != want {
		// SPEC (RFC 4180): "Each line should contain the same number of fields throughout the file."
		err = fmt.Errorf("there are %d fields, want %d", len(c.ends), want)
	}
	if err == nil {
		err = c.convert()
	}
	if err != nil {
		return nil, fmt.Errorf("read CSV %s: row %d (line %d): %w", c.table.Name, c.n+1, line, err)
	}
	c.n++
	return c.cells.finish(), nil
}

// convert makes cells of the fields.
func (c *csv) convert() error {
	r, from := &c.cells, 0
	r.reset()
	for i, end := range c.ends {
		raw, col := c.raw[from:end], &c.table.Columns[i]
		from = end
		if !col.Numeric() {
			r.buf = append(r.buf, raw...)
			r.add(Text)
			continue
		}
		s := []byte(strings.Trim(string(raw), " "))
		// SAS writes a missing number as nothing, or as a point and the code of a special missing value.
		if len(s) == 0 || string(s) == "." {
			r.missing('.')
			continue
		}
		if len(s) == 2 && s[0] == '.' && s[1] != '.' && isMissing(s[1]) {
			r.missing(s[1])
			continue
		}
		var err error
		start := len(r.buf)
		if col.Type == "number" {
			r.buf, _, err = appendFloat(r.buf, s, true)
		} else {
			r.buf, err = appendDecimal(r.buf, s)
		}
		if err != nil && sasTime(col.Format) != "" {
			c.table.note("date", col.Name, "column %s holds a %s as text, first in row %d, that define.xml says is a number (format %s): "+
				"the text is kept, and is not equal to the days or seconds of XPT", col.Name, sasTime(col.Format), c.n+1, col.Format)
			r.buf = append(r.buf[:start], raw...)
			r.add(Text)
			continue
		}
		if err != nil {
			return fmt.Errorf("column %s: %w", col.Name, err)
		}
		r.add(Number)
	}
	return nil
}
