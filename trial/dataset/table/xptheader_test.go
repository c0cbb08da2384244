package table_test

import (
	"fmt"
	"strings"
	"testing"
)

// v8 returns a library of version 8 with one table of two columns, with what stands in front of the rows.
func v8(labels, obs string) string {
	cols := []col{{name: "SUBJECT_IDENTIFIER", length: 12}, {name: "AVAL", number: 1, length: 8, form: "BEST", width: 12}}
	return library(true) + header("MEMBV8", fmt.Sprintf("%017d160%06d0140", 0, 0)) + header("DSCPTV8", zeros) +
		pad("SAS     "+pad("ADVERSE_EVENTS_LONG", 32)+"SASDATA 9.4     X64_10PR", 64) + "01JAN26:00:00:00" +
		pad("01JAN26:00:00:00", 32) + pad("Label", 40) + pad("", 8) + header("NAMSTV8", fmt.Sprintf("%06d%04d%020d", 0, len(cols), 0)) +
		namestrs(140, cols) + labels + header("OBSV8", obs)
}

// labels returns the labels of version 8, or with formats those of version 9.
func labels(list ...[]string) string {
	var b []byte
	name := "LABELV8"
	for i, l := range list {
		if len(l) == 4 {
			name = "LABELV9"
		}
		b = be16(b, i+1)
		for _, s := range l {
			b = be16(b, len(s))
		}
		b = append(b, strings.Join(l, "")...)
	}
	return header(name, fmt.Sprintf("%05d", len(list))) + fill(string(b))
}

// TestVersion8 reads the extended format: long names, labels and formats, and a number of rows.
func TestVersion8(t *testing.T) {
	long := strings.Repeat("A long label. ", 12)
	long = long[:len(long)-1]
	row := func(s string, f float64) string { return pad(s, 12) + ibm(f) }
	data := fill(row("S1", 1) + row("S2", 2.5) + row("S3", -3))
	const want = "TS1|N1\nTS2|N2.5\nTS3|N-3"
	for _, c := range []struct{ name, labels, obs, label, format string }{
		{"plain", "", zeros, "", "BEST12."},
		{"counted", "", "              3", "", "BEST12."},
		{"long label", labels([]string{"AVAL", long}), "              3", long, "BEST12."},
		{"long format", labels([]string{"AVAL", long, "MY_LONG_FORMAT8.2", ""}), zeros, long, "MY_LONG_FORMAT8.2"},
	} {
		got, tab, err := readString("x.xpt", v8(c.labels, c.obs)+data)
		if err != nil || got != want {
			t.Errorf("%s: %q, %v", c.name, got, err)
			continue
		}
		if tab.Name != "ADVERSE_EVENTS_LONG" || tab.Label != "Label" || tab.Columns[0].Name != "SUBJECT_IDENTIFIER" || tab.Source != "XPT 8" ||
			tab.Columns[1].Label != c.label || tab.Columns[1].Format != c.format {
			t.Errorf("%s: %+v", c.name, tab)
		}
		if counted := c.obs != zeros; counted != (tab.Records == 3) || counted == (tab.Records == -1) {
			t.Errorf("%s: records %d", c.name, tab.Records)
		}
	}
	// The number of rows tells blank rows from padding.
	text := func(n int) string { return fmt.Sprintf("%15d", n) }
	blanks := func(n int, data string) string {
		cols := []col{{name: "C", length: 8}}
		s := v8("", text(n))
		i := strings.Index(s, "NAMSTV8")
		return s[:i-20] + header("NAMSTV8", fmt.Sprintf("%06d%04d%020d", 0, 1, 0)) + namestrs(140, cols) + header("OBSV8", text(n)) + fill(data)
	}
	for _, c := range []struct {
		n, want int
		data    string
		err     string
	}{
		{1, 1, "x", ""}, {3, 3, "x", ""}, {10, 10, "x", ""},
		{0, 0, "", ""},
		{11, 0, "x", "declares 11 rows and has 10"},
		{0, 0, "x", "declares 0 rows and has 1"},
		{1, 0, pad("x", 8) + "y", "declares 1 rows and has 2"},
		{1, 0, "x" + pad("", 80), "declares 1 rows"},
	} {
		rows, _, err := read("x.xpt", strings.NewReader(blanks(c.n, c.data)))
		if c.err == "" && (err != nil || len(rows) != c.want) || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%d rows declared, data %q: %d rows, %v", c.n, c.data, len(rows), err)
		}
	}
}

// TestXPTRefused refuses headers that cannot be right.
func TestXPTRefused(t *testing.T) {
	good := library(false) + member("A", "", 140, col{name: "C", length: 8}, col{name: "N", number: 1, length: 8}) + fill("x")
	const obs = 80*3 + 80*5 + 320
	if !strings.HasPrefix(good[obs:], "HEADER RECORD*******OBS     ") {
		t.Fatalf("obs is %q", good[obs:obs+80])
	}
	put := func(at int, s string) string { return good[:at] + s + good[at+len(s):] }
	namestr := 80 * 8
	for _, c := range []struct{ name, data, err string }{
		{"library", put(20, "LIBRERY "), "is not the header of a library"},
		{"SASLIB", put(80, "SPS"), "does not say SAS"},
		{"member", put(240+20, "MUMBER  "), "want the header of a member"},
		{"version of the member", put(240+20, "MEMBV8  "), "want the header of a member"},
		{"size of NAMESTR", put(240+74, "0141"), "want 0140 or 0136"},
		{"DSCRPTR", put(320+20, "DSCRPTX "), "want the header record DSCRPTR"},
		{"kind", put(400+16, "CATALOG "), "want a member of the type SASDATA"},
		{"NAMESTR", put(560+20, "NAMESTX "), "want the header record NAMESTR"},
		{"no variables", put(560+54, "0000"), "number of variables"},
		{"too many variables", put(560+48, "0000099999"), "number of variables"},
		{"variables are no number", put(560+54, "00x1"), "number of variables"},
		{"more variables than there are", put(560+54, "0003"), `variable 3: "" has type 8224`},
		{"many more variables", put(560+54, "9999"), "variable 3"},
		{"fewer variables than there are", put(560+54, "0001"), "is padded with"},
		{"type", put(namestr, "\x00\x03"), "has type 3 and length 8"},
		{"length 0", put(namestr+4, "\x00\x00"), "has type 2 and length 0"},
		{"negative length", put(namestr+4, "\xff\xff"), "length -1"},
		{"number of 9 bytes", put(namestr+140+4, "\x00\x09"), "length 9"},
		{"number of 1 byte", put(namestr+140+4, "\x00\x01"), "length 1"},
		{"position", put(namestr+140+84, "\x00\x00\x00\x07"), "stands at byte 7 of a row, but those before it end at byte 8"},
		{"huge position", put(namestr+140+84, "\x7f\x00\x00\x08"), "stands at byte"},
		{"same name", put(namestr+140+8, "C "), `columns 1 and 2 are both named "C"`},
		{"no name", put(namestr+140+8, " "), "column 2 has no name"},
		{"name", put(namestr+8, "\x81"), "byte 0x81"},
		{"OBS", put(obs+20, "OBS8    "), "want the header record OBS"},
		{"no end", good[:len(good)-1], "record 14 has 79 of 80 bytes"},
		{"a label of an unknown variable", v8(labels([]string{"OTHER", "x"}), zeros), `unknown variable "OTHER"`},
		{"more labels than variables", v8(labels([]string{"AVAL", "x"}, []string{"AVAL", "x"}, []string{"AVAL", "x"}), zeros),
			"number of labels"},
		{"a label that is too long", v8(header("LABELV8", "00001")+fill("\x00\x01\x00\x04\xff\xffAVAL"), zeros), "unexpected EOF"},
	} {
		_, _, err := readString("x.xpt", c.data)
		if err == nil || !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.err)
		}
	}
	// No position at all is taken as one after another, and told.
	_, tab, err := readString("x.xpt", put(namestr+140+84, "\x00\x00\x00\x00"))
	if err != nil || !strings.Contains(strings.Join(tab.Notes, ""), "does not say where the variables stand") {
		t.Errorf("%v, %v", tab, err)
	}
	if _, tab, err := readString("x.xpt", good); err != nil || len(tab.Notes) > 0 {
		t.Errorf("%v, %v", tab, err)
	}
}

// TestEncoding reads texts of XPT, which declares no encoding.
func TestEncoding(t *testing.T) {
	for _, c := range []struct{ in, want, notes, err string }{
		{"plain", "Tplain", "", ""},
		{" x  ", "T x", "", ""},
		{"", "M.", "", ""},
		{"caf\xc3\xa9", "Tcafé", "", ""},
		{"caf\xe9", "Tcafé", "column C is not UTF-8, first in row 1: it is read as windows-1252", ""},
		{"\x80\x92\x9f\xa0\xff", "T\u20ac\u2019\u0178\u00a0\u00ff", "windows-1252", ""},
		{"a\x81b", "", "", "row 1: column C: byte 0x81 is neither"},
		{"\x8d", "", "", "0x8d"}, {"\x8f", "", "", "0x8f"}, {"\x90", "", "", "0x90"}, {"\x9d", "", "", "0x9d"},
		{"a\x00b", "Ta\x00b", "zero bytes", ""},
		{"x\xe9,y\xc3\xa9", "Txé\nTyé", "row 2 has UTF-8 and row 1 windows-1252", ""},
		{"x,y\xc3\xa9,z", "Tx\nTyé\nTz", "", ""},
	} {
		data := ""
		for _, text := range strings.Split(c.in, ",") {
			data += pad(text, 12) + ibm(1)
		}
		got, tab, err := readString("x.xpt", library(false)+member("A", "", 140, col{name: "C", length: 12}, col{name: "N", number: 1,
			length: 8})+fill(data))
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%q: error %v", c.in, err)
			}
			continue
		}
		got = strings.ReplaceAll(got, "|N1", "")
		if err != nil || got != c.want || !strings.Contains(strings.Join(tab.Notes, "\n"), c.notes) || (c.notes == "") != (len(tab.Notes) == 0) {
			t.Errorf("%q: %q %q, %v", c.in, got, tab.Notes, err)
		}
	}
}

// filter returns the notes with a text.
func filter(notes []string, text string) []string {
	var list []string
	for _, n := range notes {
		if strings.Contains(n, text) {
			list = append(list, n)
		}
	}
	return list
}

// TestDateFormats notes the columns that a format of SAS shows as a date, a time or both, and no others.
func TestDateFormats(t *testing.T) {
	for form, want := range map[string]string{
		"DATE": "a date as a number, in days", "DATETIME": "a datetime as a number, in seconds", "TIME": "a time as a number, in seconds",
		"MMDDYY": "a date", "YYMMDDN": "a date", "E8601DA": "a date", "E8601DT": "a datetime", "E8601TM": "a time", "B8601DA": "a date",
		"IS8601DT": "a datetime", "MONYY": "a date", "WEEKDATE": "a date", "TOD": "a time", "HHMM": "a time", "DATEAMPM": "a datetime",
		"NLDATM": "a datetime", "NLDATE": "a date", "date": "a date", "": "", "BEST": "", "F": "", "COMMA": "", "DOLLAR": "", "Z": "",
		"$DATE": "",
		"TRTF":  "", "PERCENT": "",
	} {
		_, tab, err := readString("x.xpt", library(false)+member("A", "", 140, col{name: "N", number: 1, length: 8, form: form,
			width: 9})+fill(ibm(5)))
		if err != nil {
			t.Fatal(err)
		}
		if notes := strings.Join(tab.Notes, ""); (want == "") != (notes == "") || !strings.Contains(notes, "column N holds "+want) &&
			want != "" {
			t.Errorf("%s: %q, want %q", form, notes, want)
		}
	}
	_, tab, err := readString("x.xpt", library(false)+member("A", "", 140, col{name: "C", length: 80, form: "DATE", width: 9})+fill("x"))
	if err != nil || len(tab.Notes) > 0 {
		t.Errorf("a text with the format DATE: %v, %v", tab, err)
	}
}
