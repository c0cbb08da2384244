package table

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
)

// A Member is one table of an XPT library. It is valid until NextMember is called.
//
// XPT 5 does not say how many rows there are. The rows follow one another without regard to records, and
// the last record is padded with blanks. If rows are shorter than 80 bytes, blank rows at the end cannot
// be told from padding. A row that starts in the last record behind the last byte that is not blank, and
// without which the record would be there all the same, is padding; blank rows before it are rows. If
// all columns are text, so that a blank row is possible at all, a note tells how many rows were taken
// for padding. For the same reason a file that was cut exactly between two rows and two records reads as a
// shorter table: only whoever knows the number of rows can tell.
type Member struct {
	rows
	xpt    *XPT
	fields []field
	length int  // bytes of a row
	texts  bool // all columns are text

	buf   []byte // one row
	empty []byte // a row of blanks, once one is needed
	cells row
	data  int64 // bytes of data records so far
	read  int64 // whole rows so far
	given int64 // rows that Next returned

	held  int64 // blank rows that were read and may be padding
	emit  int64 // blank rows that are rows, to be returned first
	ready bool  // buf is a row to be returned after them
	ended bool
	seen  [3]int64 // the first row with text in each encoding, from 1
}

// A field is where a column stands in a row.
type field struct {
	pos, len int
	number   bool
	declared int64 // where the file says it stands
}

// add reads a NAMESTR.
func (m *Member) add(t *Table, b []byte, version int) error {
	short := func(at int) int { return int(int16(binary.BigEndian.Uint16(b[at:]))) }
	raw := b[8:16]
	if version == 8 { // a name of up to 32 bytes stands where version 5 has filler
		if long := b[88:120]; long[0] != ' ' && long[0] != 0 {
			raw = long
		}
	}
	c := Column{Length: short(4)}
	var err error
	if c.Name, err = describe(raw); err != nil {
		return err
	}
	if c.Label, err = describe(b[16:56]); err != nil {
		return err
	}
	form, err := describe(b[56:64])
	if err != nil {
		return err
	}
	c.Format = sasFormat(form, short(64), short(66))
	f := field{len: c.Length, declared: int64(int32(binary.BigEndian.Uint32(b[84:])))}
	switch typ := short(0); {
	// SPEC (TS-140): "short ntype; /* VARIABLE TYPE: 1=NUMERIC, 2=CHAR */"
	case typ == 1 && 2 <= f.len && f.len <= 8:
		c.Type, f.number = "number", true
	case typ == 2 && 1 <= f.len:
		c.Type = "text"
	default:
		return fmt.Errorf("%q has type %d and length %d, want type 1 with 2 to 8 bytes or type 2 with at least 1", c.Name, typ, f.len)
	}
	t.Columns = append(t.Columns, c)
	m.fields = append(m.fields, f)
	return nil
}

// place works out where the columns stand in a row, and compares that with what the file says.
func (m *Member) place(t *Table) error {
	zero := true
	m.texts = true
	for i := range m.fields {
		f := &m.fields[i]
		f.pos = m.length
		m.length += f.len
		zero = zero && f.declared == 0
		m.texts = m.texts && !f.number
		if m.length > MaxRow {
			return fmt.Errorf("a row has more than %d bytes", MaxRow)
		}
	}
	for i, f := range m.fields {
		if !zero && f.declared != int64(f.pos) {
			return fmt.Errorf("variable %q stands at byte %d of a row, but those before it end at byte %d",
				t.Columns[i].Name, f.declared, f.pos)
		}
		if kind := sasTime(t.Columns[i].Format); f.number && kind != "" {
			unit := map[string]string{"date": "days since 1960-01-01", "datetime": "seconds since 1960-01-01", "time": "seconds"}[kind]
			t.note("date", t.Columns[i].Name, "column %s holds a %s as a number, in %s (format %s): "+
				"it is not equal to the ISO 8601 text of Dataset-JSON", t.Columns[i].Name, kind, unit, t.Columns[i].Format)
		}
	}
	if zero && len(m.fields) > 1 {
		t.note("npos", "", "the file does not say where the variables stand in a row: they are taken one after another")
	}
	m.buf = make([]byte, 0, m.length)
	return nil
}

func (m *Member) next() ([]Value, error) {
	for {
		switch {
		case m.emit > 0:
			m.emit--
			if m.empty == nil {
				m.empty = bytes.Repeat([]byte(" "), m.length)
			}
			return m.decode(m.empty)
		case m.ready:
			m.ready = false
			return m.decode(m.buf)
		case m.ended:
			return nil, io.EOF
		}
		err := m.readRow()
		if err == io.EOF {
			err = m.end()
		} else if err == nil {
			if m.buf[0] == ' ' && blank(m.buf) {
				m.held++
			} else {
				m.emit, m.held, m.ready = m.held, 0, true
			}
		}
		if err != nil {
			return nil, fmt.Errorf("read XPT %s: after row %d: %w", m.table.Name, m.given, err)
		}
	}
}

// readRow reads the bytes of a row into buf, or what is left, with io.EOF.
func (m *Member) readRow() error {
	x := m.xpt
	m.buf = m.buf[:0]
	for len(m.buf) < m.length {
		if x.at == recordSize {
			if err := x.read(); err != nil {
				return err
			}
			if x.rec[0] == headerStart[0] {
				if name := x.name(); name == "MEMBER" || name == "MEMBV8" {
					x.ahead, x.at = true, recordSize
					return io.EOF
				}
			}
			m.data += recordSize
		}
		k := min(m.length-len(m.buf), recordSize-x.at)
		m.buf = append(m.buf, x.rec[x.at:x.at+k]...)
		x.at += k
	}
	m.read++
	return nil
}

// end decides what the blanks at the end are, after the last record.
func (m *Member) end() error {
	m.ended = true
	if len(m.buf) >= recordSize || !blank(m.buf) {
		return fmt.Errorf("the file is truncated: row %d has %d of %d bytes", m.read+1, len(m.buf), m.length)
	}
	kept := m.read
	if n := m.table.Records; n >= 0 {
		if kept < n {
			return fmt.Errorf("the file is truncated: it declares %d rows and has %d", n, kept)
		}
		if kept-n > m.held || n*int64(m.length) <= m.data-recordSize && m.data > 0 {
			return fmt.Errorf("the file declares %d rows and has %d or more", n, kept-m.held)
		}
		kept = n
	} else {
		for kept > m.read-m.held && (kept-1)*int64(m.length) > m.data-recordSize {
			kept--
		}
		if n := m.read - kept; n > 0 && m.texts {
			m.table.note("padding", "", "the file ends in blanks with room for %d blank rows: they are taken for padding", n)
		}
	}
	m.emit, m.held = m.held-(m.read-kept), 0
	if m.seen[unicode] > 0 && m.seen[latin] > 0 {
		m.table.note("mixed", "", "row %d has UTF-8 and row %d windows-1252: the file mixes encodings, so check its texts",
			m.seen[unicode], m.seen[latin])
	}
	return nil
}

// decode makes the cells of a row.
func (m *Member) decode(b []byte) ([]Value, error) {
	r, t := &m.cells, m.table
	m.given++
	r.reset()
	for i, f := range m.fields {
		part, name := b[f.pos:f.pos+f.len], t.Columns[i].Name
		var err error
		if !f.number {
			for len(part) > 0 && part[len(part)-1] == ' ' {
				part = part[:len(part)-1]
			}
			var encoding int
			r.buf, encoding, err = appendText(r.buf, part)
			if encoding != ascii && err == nil {
				m.encoded(encoding, name)
			}
			if bytes.IndexByte(part, 0) >= 0 {
				t.note("zero", name, "column %s has zero bytes in its texts, first in row %d: they are kept", name, m.given)
			}
		} else if code := ibmMissing(part); code != 0 {
			if code != '.' {
				t.note("special"+string(code), name, "column %s has the special missing value .%c, which Dataset-JSON cannot tell from null",
					name, code)
			}
			r.missing(code)
			continue
		} else {
			var lost bool
			r.buf, lost, err = appendIBM(r.buf, part)
			if lost {
				t.note("bits", name, "column %s has numbers of more than 53 bits, first in row %d: they are taken to the nearest double",
					name, m.given)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("read XPT %s: row %d: column %s: %w", t.Name, m.given, name, err)
		}
		if f.number {
			r.add(Number)
		} else {
			r.add(Text)
		}
	}
	return r.finish(), nil
}

// encoded keeps what encoding a text was taken to be in. XPT does not declare any.
func (m *Member) encoded(encoding int, column string) {
	if m.seen[encoding] == 0 {
		m.seen[encoding] = m.given
	}
	if encoding == latin {
		m.table.note("latin", column, "column %s is not UTF-8, first in row %d: it is read as windows-1252", column, m.given)
	}
}

// sasFormat writes a display format as SAS does: name, width, point, decimals.
func sasFormat(name string, width, decimals int) string {
	if name == "" && width <= 0 {
		return ""
	}
	if width > 0 {
		name += strconv.Itoa(width)
	}
	name += "."
	if decimals > 0 {
		name += strconv.Itoa(decimals)
	}
	return name
}
