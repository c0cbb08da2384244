package table

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// recordSize is the size of all records of XPT.
//
// SPEC (TS-140): "All transport data set records are 80 bytes in length. If there is not sufficient
// data to reach 80 bytes, then a record is padded with ASCII blanks to 80 bytes."
const recordSize = 80

const (
	headerStart = "HEADER RECORD*******"
	headerEnd   = "HEADER RECORD!!!!!!!"
)

// An XPT reads a SAS transport file, which is a library of one or more members. Each member is a table.
type XPT struct {
	r       *bufio.Reader
	version int    // 5 or 8
	source  string // "XPT 5" or "XPT 8"

	rec     [recordSize]byte
	at      int   // how much of rec is used
	records int64 // how many records were read
	ahead   bool  // rec is a header record that was read and not yet used
	header  int64 // bytes of the member's header so far

	member *Member
	err    error
}

// NewXPT reads the header of a transport file of version 5 or 8.
//
// SPEC (TS-140): "The first header record consists of the following character string, in ASCII:
// HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!000000000000000000000000000000"
func NewXPT(r io.Reader) (*XPT, error) {
	x := &XPT{r: bufio.NewReaderSize(r, 800*recordSize)}
	if err := x.read(); err != nil {
		return nil, fmt.Errorf("read XPT library header: %w", unexpected(err))
	}
	switch name := x.name(); name {
	case "LIBRARY":
		x.version, x.source = 5, "XPT 5"
	case "LIBV8":
		x.version, x.source = 8, "XPT 8"
	default:
		return nil, fmt.Errorf("read XPT library header: %s is not the header of a library", quote(x.rec[:]))
	}
	if err := x.read(); err != nil {
		return nil, fmt.Errorf("read XPT library: %w", unexpected(err))
	}
	// SPEC (TS-140): "aaaaaaaa and bbbbbbbb specify 'SAS ' -- cccccccc specifies 'SASLIB '."
	if string(x.rec[:24]) != "SAS     SAS     SASLIB  " {
		return nil, fmt.Errorf("read XPT library: %s does not say SAS, SAS and SASLIB", quote(x.rec[:24]))
	}
	if err := x.read(); err != nil { // when it was modified
		return nil, fmt.Errorf("read XPT library: %w", unexpected(err))
	}
	return x, nil
}

// read reads the next record.
func (x *XPT) read() error {
	n, err := io.ReadFull(x.r, x.rec[:])
	if err == io.ErrUnexpectedEOF {
		return fmt.Errorf("the file is truncated: record %d has %d of 80 bytes", x.records+1, n)
	}
	if err != nil {
		return err
	}
	x.records++
	x.at = 0
	return nil
}

// name returns what a header record announces, or nothing.
func (x *XPT) name() string {
	if string(x.rec[:20]) != headerStart || string(x.rec[28:48]) != headerEnd {
		return ""
	}
	return strings.TrimRight(string(x.rec[20:28]), " ")
}

// expect reads a header record that must announce the version's name.
func (x *XPT) expect(v5, v8 string) error {
	if err := x.read(); err != nil {
		return unexpected(err)
	}
	want := v5
	if x.version == 8 {
		want = v8
	}
	if x.name() != want {
		return fmt.Errorf("record %d is %s, want the header record %s", x.records, quote(x.rec[:48]), want)
	}
	return nil
}

// take returns the next n bytes of a stream that runs over records.
func (x *XPT) take(n int) ([]byte, error) {
	if x.header += int64(n); x.header > MaxHeader {
		return nil, fmt.Errorf("the header is larger than %d bytes", MaxHeader)
	}
	b := make([]byte, 0, n)
	for len(b) < n {
		if x.at == recordSize {
			if err := x.read(); err != nil {
				return nil, unexpected(err)
			}
		}
		k := min(n-len(b), recordSize-x.at)
		b = append(b, x.rec[x.at:x.at+k]...)
		x.at += k
	}
	return b, nil
}

// align skips the padding at the end of a header. It must be blank; some writers have zero bytes.
func (x *XPT) align() error {
	if rest := x.rec[x.at:]; len(bytes.Trim(rest, " \x00")) > 0 {
		return fmt.Errorf("record %d is padded with %s, want blanks", x.records, quote(rest))
	}
	x.at = recordSize
	return nil
}

// blank reports whether b is blanks alone.
func blank(b []byte) bool {
	for _, c := range b {
		if c != ' ' {
			return false
		}
	}
	return true
}

// count reads a number of decimal digits in a header record.
func count(b []byte) (int, error) {
	n := 0
	b = bytes.TrimSpace(b)
	if len(b) > 15 || digits(b) != len(b) {
		return 0, fmt.Errorf("%s is not a number", quote(b))
	}
	for _, c := range b {
		n = n*10 + int(c-'0')
	}
	return n, nil
}

// NextMember returns the next table of the library. What was not read of the table before is read and
// checked, and lost. It returns io.EOF after the last.
func (x *XPT) NextMember() (*Member, error) {
	if x.err != nil {
		return nil, x.err
	}
	m, err := x.nextMember()
	if err != nil {
		x.err = err
	}
	return m, err
}

func (x *XPT) nextMember() (*Member, error) {
	if x.member != nil {
		for {
			if _, err := x.member.Next(); err == io.EOF {
				break
			} else if err != nil {
				return nil, err
			}
		}
	}
	if !x.ahead {
		if err := x.read(); err != nil {
			return nil, err // io.EOF: there are no more
		}
	}
	x.ahead, x.header = false, 0
	m, err := x.readMember()
	if err != nil {
		return nil, fmt.Errorf("read XPT member: %w", err)
	}
	x.member = m
	return m, nil
}

// readMember reads the header of a member; its first record is read.
func (x *XPT) readMember() (*Member, error) {
	if name := x.name(); name != "MEMBER" && name != "MEMBV8" || (name == "MEMBV8") != (x.version == 8) {
		return nil, fmt.Errorf("record %d is %s, want the header of a member", x.records, quote(x.rec[:48]))
	}
	// SPEC (TS-140): "The size of the variable descriptor (NAMESTR) record. On the VAX/VMS operating system,
	// the value will be 0136 instead of 0140. This means that the descriptor will be only 136 bytes
	// instead of 140."
	size, err := count(x.rec[74:78])
	if err != nil || size != 140 && size != 136 || x.version == 8 && size != 140 {
		return nil, fmt.Errorf("a NAMESTR has %s bytes, want 0140 or 0136", quote(x.rec[74:78]))
	}
	if err := x.expect("DSCRPTR", "DSCPTV8"); err != nil {
		return nil, err
	}
	t := &Table{Records: -1, Source: x.source}
	if err := x.readDescriptor(t); err != nil {
		return nil, err
	}
	if err := x.expect("NAMESTR", "NAMSTV8"); err != nil {
		return nil, err
	}
	n, err := count(x.rec[48:58])
	if err != nil || n == 0 || n > MaxColumns {
		return nil, fmt.Errorf("number of variables %s is not between 1 and %d", quote(x.rec[48:58]), MaxColumns)
	}
	x.at = recordSize
	m := &Member{xpt: x, fields: make([]field, 0, min(n, 1024))}
	for range n {
		b, err := x.take(size)
		if err != nil {
			return nil, fmt.Errorf("variable %d of %d: %w", len(m.fields)+1, n, err)
		}
		if err := m.add(t, b, x.version); err != nil {
			return nil, fmt.Errorf("variable %d: %w", len(m.fields)+1, err)
		}
	}
	if err := x.align(); err != nil {
		return nil, err
	}
	if err := m.place(t); err != nil {
		return nil, err
	}
	if err := x.readObs(t); err != nil {
		return nil, err
	}
	if err := t.check(); err != nil {
		return nil, err
	}
	x.at = recordSize
	m.rows = rows{table: t, next: m.next}
	return m, nil
}

// readDescriptor reads the two records with the name and the label of a member.
func (x *XPT) readDescriptor(t *Table) error {
	if err := x.read(); err != nil {
		return unexpected(err)
	}
	name, kind := x.rec[8:16], x.rec[16:24]
	if x.version == 8 { // the name has 32 bytes instead of 8, and the 24 blanks behind it are gone
		name, kind = x.rec[8:40], x.rec[40:48]
	}
	if string(x.rec[:8]) != "SAS     " || string(kind) != "SASDATA " {
		return fmt.Errorf("record %d is %s, want a member of the type SASDATA", x.records, quote(x.rec[:48]))
	}
	var err error
	if t.Name, err = describe(name); err != nil {
		return err
	}
	if err := x.read(); err != nil {
		return unexpected(err)
	}
	t.Label, err = describe(x.rec[32:72])
	return err
}

// readObs reads up to the header of the observations: in version 8, labels of more than 40 characters come first.
func (x *XPT) readObs(t *Table) error {
	if err := x.read(); err != nil {
		return unexpected(err)
	}
	if name := x.name(); x.version == 8 && (name == "LABELV8" || name == "LABELV9") {
		if err := x.readLabels(t, name == "LABELV9"); err != nil {
			return fmt.Errorf("read labels: %w", err)
		}
		if err := x.read(); err != nil {
			return unexpected(err)
		}
	}
	want := "OBS"
	if x.version == 8 {
		want = "OBSV8"
		// Files of SAS itself have the number of observations here; others have zeros.
		n, err := count(x.rec[48:63])
		if err != nil {
			return fmt.Errorf("number of observations: %w", err)
		}
		if n > 0 || bytes.IndexByte(x.rec[48:63], ' ') >= 0 && !blank(x.rec[48:63]) {
			t.Records = int64(n)
		}
	}
	if x.name() != want {
		return fmt.Errorf("record %d is %s, want the header record %s", x.records, quote(x.rec[:48]), want)
	}
	return nil
}

// readLabels reads the long labels of version 8, and the long formats of version 9.
//
// SPEC (Version 8 or 9): "aa = variable number, bb = length of name in bytes, cc = length of label in
// bytes, dd = length of format description in bytes, ee = length of informat description in bytes,
// f. = text for variable name, g. = text for variable label, h. = text for format description,
// i. = text of informat description". LABELV8 has no dd, ee, h and i.
func (x *XPT) readLabels(t *Table, formats bool) error {
	n, err := count(x.rec[48:53])
	if err != nil || n > len(t.Columns) {
		return fmt.Errorf("number of labels %s is not below the number of variables", quote(x.rec[48:53]))
	}
	x.at = recordSize
	lengths := 3
	if formats {
		lengths = 5
	}
	for range n {
		head, err := x.take(2 * lengths)
		if err != nil {
			return err
		}
		var parts [4]string
		for i := range lengths - 1 {
			b, err := x.take(int(head[2*i+2])<<8 | int(head[2*i+3]))
			if err != nil {
				return err
			}
			if parts[i], err = describe(b); err != nil {
				return err
			}
		}
		i := t.Column(parts[0]) // writers disagree whether the variable number starts at 0, so the name counts
		if i < 0 {
			return fmt.Errorf("label of the unknown variable %q", parts[0])
		}
		t.Columns[i].Label = parts[1]
		if parts[2] != "" {
			t.Columns[i].Format = parts[2]
		}
	}
	return x.align()
}

// describe returns the text of a field that describes: blanks and zero bytes at the end are padding.
func describe(b []byte) (string, error) {
	s, _, err := appendText(nil, bytes.TrimRight(b, " \x00"))
	return string(s), err
}

// errMembers says that a library has more than one table.
var errMembers = errors.New("the XPT library has more than one table: read it with NewXPT and NextMember, or split it")
