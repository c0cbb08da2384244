package table

import (
	"fmt"
	"io"
	"slices"
)

// A Column is one variable of a table.
type Column struct {
	Name  string
	Label string

	// Type is text, number, integer, decimal, date, datetime, time or boolean. XPT has only text and
	// number. What decides the canonical form is Numeric.
	Type string

	Length int    // as the file declares it, 0 if it does not: bytes in XPT, characters in Dataset-JSON
	Format string // the SAS display format with width and decimals, such as DATE9. or 8.2
	Key    int    // the position in the key, from 1; 0 if the column is not part of it
	OID    string // the itemOID of Dataset-JSON, or the OID of define.xml
}

// Numeric reports whether the cells of the column are numbers. Those of all others are texts: dates and
// times are ISO 8601 text, booleans are "true" and "false".
func (c Column) Numeric() bool {
	return c.Type == "number" || c.Type == "integer" || c.Type == "decimal"
}

// A Table describes a table: its columns, in the order of the cells, and what there is to know of it.
type Table struct {
	Name, Label string
	Columns     []Column
	Records     int64    // the number of rows that the file declares, -1 if it declares none
	Notes       []string // for people; complete when Next has returned io.EOF
	Source      string   // the format: "XPT 5", "XPT 8", "Dataset-JSON", "Dataset-JSON (NDJSON)" or "CSV"

	noted map[[2]string]bool
}

// note adds a note, unless the same subject and key had one before.
func (t *Table) note(subject, key, format string, args ...any) {
	id := [2]string{subject, key}
	if t.noted[id] {
		return
	}
	if t.noted == nil {
		t.noted = map[[2]string]bool{}
	}
	t.noted[id] = true
	t.Notes = append(t.Notes, fmt.Sprintf(format, args...))
}

// Column returns the index of the column with a name, or -1.
func (t *Table) Column(name string) int {
	return slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
}

// Keys returns the indexes of the key columns, in the order of the key.
func (t *Table) Keys() []int {
	var keys []int
	for i, c := range t.Columns {
		if c.Key > 0 {
			keys = append(keys, i)
		}
	}
	slices.SortStableFunc(keys, func(a, b int) int { return t.Columns[a].Key - t.Columns[b].Key })
	return keys
}

// check returns an error if the columns cannot be told apart.
func (t *Table) check() error {
	if len(t.Columns) == 0 {
		return fmt.Errorf("table %q has no columns", t.Name)
	}
	seen := make(map[string]int, len(t.Columns))
	for i, c := range t.Columns {
		if c.Name == "" {
			return fmt.Errorf("column %d has no name", i+1)
		}
		if j, dup := seen[c.Name]; dup {
			return fmt.Errorf("columns %d and %d are both named %q", j+1, i+1, c.Name)
		}
		seen[c.Name] = i
	}
	return nil
}

// The kinds of a value. The zero Value is missing.
const (
	Missing = byte(iota)
	Text
	Number
)

// A Value is one cell in canonical form.
type Value struct {
	Kind    byte   // Missing, Text or Number
	Text    string // UTF-8 for Text, a canonical decimal for Number, empty for Missing
	Missing byte   // for Missing: '.', or '_' or 'A' to 'Z' for a special missing value of SAS; 0 means '.'
}

// A Reader gives the rows of a table in the order of the file.
type Reader interface {
	// Table returns the table. Its columns are known from the start.
	Table() *Table

	// Next returns the cells of the next row, one for each column. The slice is valid until the next
	// call; the texts in it stay valid. It returns io.EOF after the last row, when the whole input
	// was read and found to be as declared. After an error it returns the same error.
	Next() ([]Value, error)
}

// Limits of what is read. Hostile input must not fill the memory.
const (
	MaxColumns = 32767   // SAS has no more
	MaxCell    = 1 << 20 // bytes of one cell
	MaxRow     = 8 << 20 // bytes of all cells of one row
	MaxHeader  = 8 << 20 // bytes of all that describes a table
	maxDepth   = 16      // of JSON values, 64 for XML
)

// A row collects the cells of one row. Their bytes stand in one buffer, so that a row costs one
// allocation.
type row struct {
	values []Value
	ends   []int // the end of each cell in buf
	buf    []byte
}

func (r *row) reset() { r.values, r.ends, r.buf = r.values[:0], r.ends[:0], r.buf[:0] }

// add ends a cell whose bytes were appended to buf. A text loses the blanks at its end.
func (r *row) add(kind byte) {
	if kind == Text {
		start := r.start()
		for len(r.buf) > start && r.buf[len(r.buf)-1] == ' ' {
			r.buf = r.buf[:len(r.buf)-1]
		}
		if len(r.buf) == start {
			r.missing('.')
			return
		}
	}
	r.values = append(r.values, Value{Kind: kind})
	r.ends = append(r.ends, len(r.buf))
}

func (r *row) missing(code byte) {
	r.values = append(r.values, Value{Missing: code})
	r.ends = append(r.ends, len(r.buf))
}

// start returns where the bytes of the next cell start in buf.
func (r *row) start() int {
	if len(r.ends) == 0 {
		return 0
	}
	return r.ends[len(r.ends)-1]
}

// finish returns the values.
func (r *row) finish() []Value {
	all, from := string(r.buf), 0
	for i := range r.values {
		r.values[i].Text = all[from:r.ends[i]]
		from = r.ends[i]
	}
	return r.values
}

// rows makes a Reader from a function that reads one row: it keeps the first error.
type rows struct {
	table *Table
	next  func() ([]Value, error)
	err   error
}

func (r *rows) Table() *Table { return r.table }

func (r *rows) Next() ([]Value, error) {
	if r.err != nil {
		return nil, r.err
	}
	v, err := r.next()
	if err != nil {
		r.err = err
		return nil, err
	}
	return v, nil
}

// unexpected turns the end of the input into an error.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
