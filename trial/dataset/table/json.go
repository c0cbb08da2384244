package table

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// A djson reads Dataset-JSON 1.1.
//
// SPEC (Dataset-JSON 1.1): "it is strongly recommended to follow the attribute order documented in this
// specification. Due to the potentially large size of Dataset-JSON datasets, adhering to the specified
// attribute order allows software using streaming approaches to read the file". So columns must stand
// before rows; the other members may come in any order.
type djson struct {
	s     scanner
	table *Table
	seen  map[string]bool // the members of the metadata so far
	lines bool            // NDJSON
	first bool            // no row was read yet
	done  bool
	n     int64 // rows so far
	cells row
	raw   []byte // the number of a cell
}

func openJSON(r *bufio.Reader) (Reader, error) {
	j := &djson{s: scanner{input: newInput(r)}, table: &Table{Records: -1, Source: "Dataset-JSON"}, seen: map[string]bool{}, first: true}
	mark, err := j.s.skipBOM()
	if err != nil {
		return nil, err
	}
	if mark {
		j.table.note("bom", "", "the file starts with a byte order mark, which JSON has not")
	}
	if err := j.open(); err != nil {
		return nil, fmt.Errorf("read Dataset-JSON: line %d: %w", j.s.line, err)
	}
	return &rows{table: j.table, next: j.next}, nil
}

// open reads the metadata up to the rows.
func (j *djson) open() error {
	if err := j.s.must('{'); err != nil {
		return err
	}
	start := j.s.line
	rows, err := j.members()
	if err != nil {
		return err
	}
	if !rows {
		// SPEC (Dataset-JSON 1.1): "Row 1. Create 1 JSON object that contains the metadata", "Row 2-n.
		// Create 1 JSON array per data row", "each line is valid JSON".
		if err := j.complete(); err != nil {
			return err
		}
		j.s.oneLine = true
		c, err := j.s.space()
		switch {
		case err == io.EOF:
			// SPEC (records): "Since "rows" is an optional object, records=0 allows for the transfer of
			// metadata without sending data."
			j.done = true
			return j.counted()
		case err != nil:
			return err
		case c != '\n':
			return fmt.Errorf("there is %q behind the metadata", c)
		case j.s.line != start:
			return j.end() // JSON without rows
		}
		j.s.pos++
		j.s.line++
		j.lines, j.table.Source = true, "Dataset-JSON (NDJSON)"
		return nil
	}
	if !j.seen["columns"] {
		return errors.New("rows stand before columns: write the columns first")
	}
	return j.table.check()
}

// members reads members of the metadata. It returns true when it is inside the rows.
func (j *djson) members() (bool, error) {
	rows := false
	err := j.s.object(j.seen, func(name string) (bool, error) {
		if name == "rows" {
			rows = true
			return true, j.s.must('[')
		}
		if err := j.member(name); err != nil {
			return false, fmt.Errorf("%s: %w", quote([]byte(name)), err)
		}
		return false, nil
	})
	return rows, err
}

// complete checks that nothing is missing from the metadata.
func (j *djson) complete() error {
	if j.seen["clinicalData"] || j.seen["referenceData"] {
		return errors.New("this is Dataset-JSON 1.0: convert it to version 1.1")
	}
	for _, name := range []string{"datasetJSONVersion", "records", "name", "columns"} {
		if !j.seen[name] {
			return fmt.Errorf("the metadata has no %s: want Dataset-JSON 1.1", name)
		}
	}
	for _, name := range []string{"datasetJSONCreationDateTime", "itemGroupOID", "label"} {
		if !j.seen[name] {
			j.table.note("absent", name, "the metadata has no %s, which Dataset-JSON 1.1 requires", name)
		}
	}
	return j.table.check()
}

// end reads white space up to the end of the file.
func (j *djson) end() error {
	j.s.oneLine = false
	if c, err := j.s.space(); err == nil {
		return fmt.Errorf("there is %q behind the end", c)
	} else if err != io.EOF {
		return err
	}
	j.done = true
	return j.counted()
}

// counted compares the number of rows with the number that is declared.
func (j *djson) counted() error {
	if j.n != j.table.Records {
		return fmt.Errorf("records is %d, but there are %d rows", j.table.Records, j.n)
	}
	return nil
}

func (j *djson) next() ([]Value, error) {
	v, err := j.row()
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("read Dataset-JSON %s: row %d (line %d): %w", j.table.Name, j.n+1, j.s.line, err)
	}
	return v, err
}

// row reads a row, or the end.
func (j *djson) row() ([]Value, error) {
	if j.done {
		return nil, io.EOF
	}
	more, err := j.more()
	if err != nil {
		return nil, err
	}
	if !more {
		return nil, io.EOF
	}
	if j.seen["records"] && j.n >= j.table.Records {
		return nil, fmt.Errorf("records is %d, but there are more rows", j.table.Records)
	}
	j.cells.reset()
	for i := range j.table.Columns {
		if i > 0 {
			c, err := j.s.token()
			if err != nil {
				return nil, err
			}
			if c == ']' {
				return nil, fmt.Errorf("the row has %d cells, want %d", i, len(j.table.Columns))
			}
			if c != ',' {
				return nil, fmt.Errorf("there is %q behind cell %d, want , or ]", c, i)
			}
		}
		if err := j.cell(&j.table.Columns[i]); err != nil {
			return nil, fmt.Errorf("column %s: %w", j.table.Columns[i].Name, err)
		}
		if len(j.cells.buf) > MaxRow {
			return nil, fmt.Errorf("the row has more than %d bytes", MaxRow)
		}
	}
	c, err := j.s.token()
	if err != nil {
		return nil, err
	}
	if c == ',' {
		return nil, fmt.Errorf("the row has more than %d cells", len(j.table.Columns))
	}
	if c != ']' {
		return nil, fmt.Errorf("there is %q behind the last cell, want ]", c)
	}
	if j.lines {
		switch c, err := j.s.space(); {
		case err == nil && c == '\n':
			j.s.pos++
			j.s.line++
		case err == nil:
			return nil, fmt.Errorf("there is %q behind the row", c)
		case err != io.EOF:
			return nil, err
		}
	}
	j.n++
	return j.cells.finish(), nil
}

// more takes the bracket of the next row. At the end it reads and checks the rest of the file, and returns
// false.
func (j *djson) more() (bool, error) {
	c, err := j.s.space()
	if j.lines {
		if err == io.EOF || err == nil && c == '\n' {
			return false, j.end()
		}
	} else if err == io.EOF {
		err = errEnd
	}
	if err != nil {
		return false, err
	}
	if !j.lines && c == ']' {
		j.s.pos++
		return false, j.finish()
	}
	if !j.lines && !j.first {
		if c != ',' {
			return false, fmt.Errorf("there is %q behind a row, want , or ]", c)
		}
		j.s.pos++
	}
	j.first = false
	if c, err = j.s.token(); err != nil {
		return false, err
	}
	if c == '{' {
		return false, errors.New("the row is an object, want an array with a cell for each column")
	}
	if c != '[' {
		return false, fmt.Errorf("there is %q, want the [ of a row", c)
	}
	return true, nil
}

// finish reads what stands behind the rows of JSON.
func (j *djson) finish() error {
	j.s.base = j.s.offset()
	if _, err := j.members(); err != nil { // rows a second time are refused as every member is
		return err
	}
	if err := j.complete(); err != nil {
		return err
	}
	return j.end()
}

// cell reads one cell. What JSON has must fit the type of the column.
//
// SPEC (Dataset-JSON 1.1, Supported Column Data Type Combinations): string, datetime, date, time and URI are
// strings, "decimal is exchanged as a string", integer is an integer, float and double are numbers, boolean
// is a boolean. "Missing values are represented by null. Empty strings are represented by """.
func (j *djson) cell(c *Column) error {
	b, err := j.s.token()
	if err != nil {
		return err
	}
	r := &j.cells
	switch {
	case b == 'n':
		r.missing('.')
		return j.s.word("ull")
	case b == '"' && c.Type == "decimal":
		return j.decimal()
	case b == '"' && (c.Numeric() || c.Type == "boolean"):
		text, _ := j.s.text(nil)
		return fmt.Errorf("there is the text %s, want %s or null", quote(text), wanted(c))
	case b == '"':
		if r.buf, err = j.s.text(r.buf); err != nil {
			return err
		}
		r.add(Text)
		return nil
	case (b == '-' || '0' <= b && b <= '9') && c.Numeric():
		return j.number(c, b)
	case (b == 't' || b == 'f') && c.Type == "boolean":
		word := "true"
		if b == 'f' {
			word = "false"
		}
		r.buf = append(r.buf, word...)
		r.add(Text)
		return j.s.word(word[1:])
	}
	return fmt.Errorf("there is a value that starts with %q, want %s or null", b, wanted(c))
}

// wanted says what the cells of a column are.
func wanted(c *Column) string {
	switch c.Type {
	case "number", "integer":
		return "a number"
	case "decimal":
		return "a decimal as text"
	case "boolean":
		return "true, false"
	}
	return "a text"
}

// decimal reads a decimal that is text. It is exact.
func (j *djson) decimal() error {
	text, err := j.s.text(nil)
	if err != nil {
		return err
	}
	if blank(text) {
		j.cells.missing('.')
		return nil
	}
	if text, err = ungroup(text); err != nil {
		return err
	}
	if j.cells.buf, err = appendDecimal(j.cells.buf, text); err != nil {
		return err
	}
	j.cells.add(Number)
	return nil
}

// number reads a JSON number. The number of an integer column is exact.
func (j *djson) number(c *Column, first byte) error {
	b, err := j.s.number(j.raw[:0], first)
	j.raw = b
	if err != nil {
		return err
	}
	r := &j.cells
	switch {
	case plainWhole(b):
		r.buf = append(r.buf, b...)
		r.add(Number)
		return nil
	case c.Type != "number":
		l, err := parseLiteral(b, false)
		if err != nil {
			return err
		}
		start, whole := len(r.buf), false
		if r.buf, whole, err = l.appendTo(r.buf); err != nil {
			return err
		}
		if whole || c.Type == "decimal" {
			r.add(Number)
			return nil
		}
		r.buf = r.buf[:start]
		j.table.note("integer", c.Name, "column %s is declared an integer and has numbers that are not whole, first in row %d",
			c.Name, j.n+1)
	}
	var long bool
	if r.buf, long, err = appendFloat(r.buf, b, false); err != nil {
		return err
	}
	if long {
		j.table.note("digits", c.Name, "column %s has numbers of more than %d digits, first in row %d: they are taken to the nearest double",
			c.Name, maxSignificant, j.n+1)
	}
	r.add(Number)
	return nil
}
