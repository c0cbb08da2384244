package table_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/dataset/table"
)

// TestCSV reads CSV as RFC 4180 has it.
func TestCSV(t *testing.T) {
	for _, c := range []struct{ data, want, err string }{
		{"A,B\n1,x\n", "T1|Tx", ""}, {"A,B\r\n1,x\r\n2,y", "T1|Tx\nT2|Ty", ""}, {"\ufeffA,B\n1,x\n", "T1|Tx", ""},
		{"\"A\",\"B\"\n\"1,\"\"2\"\"\",\"x\r\ny\"\n", "T1,\"2\"|Tx\r\ny", ""}, {"A,B\n,\n", "M.|M.", ""}, {"A,B\n\"\",  \n", "M.|M.", ""},
		{"A,B\nx ,\" y \"\n", "Tx|T y", ""}, {"A\nx\n\ny\n", "Tx\nM.\nTy", ""}, {"A,B\n", "", ""}, {"A,B", "", ""}, {"A,B\n1,", "T1|M.", ""},
		{"A,B\n1,\"x\"", "T1|Tx", ""}, {"A\n\"x\"\r\n", "Tx", ""},
		{"A,B\n1\n", "", "row 1 (line 2): there are 1 fields, want 2"},
		{"A,B\n1,2\n1,2,3\n", "", "row 2 (line 3): there are more than 2 fields"},
		{"A,B\n1,2\n\n", "", "row 2 (line 3): there are 1 fields"}, {"A,B\n\"x\ny\",1\n1\n", "", "row 2 (line 4)"},
		{"A,B\n1,x\"y\n", "", "quote stands inside"}, {"A,B\n1,\"x\"y\n", "", "behind the closing quote"},
		{"A,B\n1,\"x", "", "ends inside quotes"},
		{"A,B\n1,x\ry\n", "", "carriage return"}, {"A,B\n1,\"x\"\ry\n", "", "carriage return"}, {"A,B\n1,x\r", "", "carriage return"},
		{"A,B\n1,\xff\n", "", `row 1 (line 2): "\xff" is not UTF-8`},
		{"A,A\n1,2\n", "", `both named "A"`}, {"A,\n1,2\n", "", "column 2 has no name"},
		{"A;B\n1;2\n", "", "commas"},
		{"\n", "", "has no name"}, {"", "", "is empty"}, {"A,\x00\n", "", "no table that is known"},
		{strings.Repeat("a,", 33000), "", "more than 32767 fields"},
		{"A\n" + strings.Repeat("x", 1<<20+1), "", "more than 1048576"}, {"A\n\"" + strings.Repeat("x", 1<<20+1), "", "more than 1048576"},
		{"<ODM/>", "", "this is XML"}, {"[1]", "", "without the metadata"}, {"PK\x03\x04", "", "ZIP"}, {"\xff\xfea\x00", "", "UTF-16"},
		{"**COMPRESSED** **COMPRESSED**", "", "CPORT"}, {strings.Repeat("\x00", 12) + "\xc2\xea\x81\x60" + strings.Repeat("\x00", 16), "",
			"sas7bdat"},
		{"\xef\xbbA\n", "", "does not start with UTF-8"},
	} {
		got, tab, err := readString("dir/ae.csv", c.data)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%.60q: error %v, want %q", c.data, err, c.err)
			}
			continue
		}
		if err != nil || got != c.want || tab.Name != "ae" || tab.Records != -1 || tab.Source != "CSV" {
			t.Errorf("%q: %q, %v, want %q", c.data, got, err, c.want)
		}
	}
	if got, _, err := readString("x^.csv", "x^,B\n1,2\n"); err != nil || got != "T1|T2" {
		t.Errorf("a header that starts as zlib does: %q, %v", got, err)
	}
}

// TestDescribe reads CSV with the types of a define.xml.
func TestDescribe(t *testing.T) {
	d, err := table.ParseDefine(strings.NewReader(define21))
	if err != nil {
		t.Fatal(err)
	}
	open := func(name, data string) table.Reader {
		t.Helper()
		rd, err := table.Open(name, strings.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		return rd
	}
	for _, c := range []struct{ data, want, err string }{
		{"1,07,A\n", "T1|N7|TA", ""}, {"1,1.50,\n", "T1|N1.5|M.", ""}, {"1,.,x\n", "T1|M.|Tx", ""}, {"1, ,x\n", "T1|M.|Tx", ""},
		{"1,.B,x\n", "T1|MB|Tx", ""},
		{"1,._,x\n", "T1|M_|Tx", ""}, {"1, -2.0e1 ,x\n", "T1|N-20|Tx", ""}, {"1,0.10000000000000001,x\n", "T1|N0.1|Tx", ""},
		{"1,-.5,x\n", "T1|N-0.5|Tx", ""},
		{"1,abc,x\n", "", `row 1 (line 2): column AVAL: "abc" is not a number`}, {"1,..,x\n", "", "is not a number"},
		{"1,.b,x\n", "", "is not a number"},
		{"1,Inf,x\n", "", "is not a number"}, {"1,0x1p4,x\n", "", "is not a number"}, {"1,1_0,x\n", "", "is not a number"},
		{"1,\"1,000\",x\n", "", "is not a number"},
	} {
		rd := open("adx.csv", "USUBJID,AVAL,TRTGRP\n"+c.data)
		if err := d.Describe(rd.Table()); err != nil {
			t.Fatal(err)
		}
		rows, tab, err := readAll(rd)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%q: error %v, want %q", c.data, err, c.err)
			}
			continue
		}
		if err != nil || flat(rows) != c.want {
			t.Errorf("%q: %q, %v, want %q", c.data, flat(rows), err, c.want)
		}
		if k := tab.Keys(); len(k) != 2 || k[0] != 0 || k[1] != 1 || tab.Label != "Analysis X" || tab.Columns[1].Format != "8.2" ||
			tab.Columns[0].OID != "IT.1" ||
			tab.Columns[0].Length != 8 || tab.Columns[0].Label != "Subject" {
			t.Errorf("%+v", tab)
		}
		if notes := strings.Join(tab.Notes, ""); !strings.Contains(notes, "the table has no column ADT") {
			t.Errorf("notes %q", notes)
		}
	}
	if err := d.Describe(open("zz.csv", "A\n").Table()); err == nil || !strings.Contains(err.Error(), "no dataset zz") {
		t.Error(err)
	}
	if err := d.Describe(open("ADX.csv", "USUBJID,B\n").Table()); err == nil || !strings.Contains(err.Error(), "no variable ADX.B") {
		t.Error(err)
	}
	// A table that has types of its own keeps them; what does not fit is a note.
	rd := open("x.xpt", library(false)+member("ADX", "Own label", 140, col{name: "USUBJID", number: 1, length: 8, label: "Own"},
		col{name: "B", length: 1})+fill(""))
	if err := d.Describe(rd.Table()); err != nil {
		t.Fatal(err)
	}
	tab := rd.Table()
	notes := strings.Join(tab.Notes, "\n")
	if tab.Label != "Own label" || tab.Columns[0].Label != "Own" || tab.Columns[0].Type != "number" || tab.Columns[0].Key != 1 ||
		!strings.Contains(notes, "column USUBJID holds numbers, but define.xml says text") || !strings.Contains(notes, "no variable ADX.B") {
		t.Errorf("%+v", tab)
	}
	rd = open("x.json", strings.Replace(doc(strings.Replace(column("AVAL", "float"), "}", `,"keySequence":7}`, 1)), `"name":"T"`,
		`"name":"ADX"`, 1))
	if err := d.Describe(rd.Table()); err != nil || !strings.Contains(strings.Join(rd.Table().Notes, ""),
		"column AVAL is number 7 of the key, but define.xml says 2") {
		t.Errorf("%v, %q", err, rd.Table().Notes)
	}
}

// TestDescribeFiles writes shared tables as CSV, and reads them with their define.xml: all cells are those of
// XPT or of Dataset-JSON.
func TestDescribeFiles(t *testing.T) {
	for _, kind := range []string{"sdtm", "adam"} {
		data, err := os.ReadFile(filepath.Join(shared, "dataset-json", kind, "define.xml"))
		if err != nil {
			_ = glob(t, "dataset-json/*/define.xml")
			t.Fatal(err)
		}
		d, err := table.ParseDefine(strings.NewReader(string(data)))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range glob(t, "dataset-json/"+kind+"/*.json") {
			want, tab, err := readFile(t, path)
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			for i, c := range tab.Columns {
				b.WriteString(strings.Repeat(",", min(i, 1)) + c.Name)
			}
			for _, row := range want {
				b.WriteString("\n")
				for i, cell := range row {
					if cell = cell[1:]; cell == "." {
						cell = ""
					}
					b.WriteString(strings.Repeat(",", min(i, 1)) + `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`)
				}
			}
			rd, err := table.Open(strings.TrimSuffix(filepath.Base(path), ".json")+".csv", strings.NewReader(b.String()))
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Describe(rd.Table()); err != nil {
				t.Fatal(err)
			}
			got, described, err := readAll(rd)
			if err != nil || flat(got) != flat(want) {
				t.Errorf("%s: the cells of CSV differ (%v)", path, err)
			}
			for _, c := range tab.Columns {
				if got, want := len(filter(described.Notes, "column "+c.Name+" holds a date as text")), len(filter(tab.Notes,
					"column "+c.Name+" holds")); got != want {
					t.Errorf("%s: notes %q, of Dataset-JSON %q", path, described.Notes, tab.Notes)
				}
			}
			for i, c := range described.Columns {
				if c.Key != tab.Columns[i].Key || c.Label != tab.Columns[i].Label || c.OID != tab.Columns[i].OID {
					t.Errorf("%s: %+v in CSV, %+v in Dataset-JSON", path, c, tab.Columns[i])
				}
			}
		}
	}
}
