package table_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"strings"
	"testing"
)

const meta = `{"datasetJSONCreationDateTime":"2026-01-01T00:00:00","datasetJSONVersion":"1.1.0","itemGroupOID":"IG.T","records":%d,` +
	`"name":"T","label":"Table","columns":[%s]`

// doc returns a Dataset-JSON with one column of which the definition is given, and rows.
func doc(column string, rows ...string) string {
	return fmt.Sprintf(meta, len(rows), column) + `,"rows":[` + strings.Join(rows, ",") + `]}`
}

// column returns the definition of a column.
func column(name, typ string) string {
	return fmt.Sprintf(`{"itemOID":"IT.%s","name":"%s","label":"L","dataType":"%s"}`, name, name, typ)
}

// many returns the definitions of n columns.
func many(n int, typ string) string {
	list := make([]string, n)
	for i := range list {
		list[i] = column(fmt.Sprint("C", i), typ)
	}
	return strings.Join(list, ",")
}

// TestJSONCells reads cells of every type.
func TestJSONCells(t *testing.T) {
	for _, c := range []struct{ typ, in, want, note string }{
		{"string", `"a b  "`, "Ta b", ""},
		{"string", `"   "`, "M.", ""}, {"string", `""`, "M.", ""}, {"string", `null`, "M.", ""},
		{"string", `" a\tb\u0000\"\\\/\b\f\n\r\u00e9\uD83D\uDE00é"`, "T a\tb\x00\"\\/\b\f\n\ré😀é", ""},
		{"URI", `"http://x"`, "Thttp://x", ""}, {"date", `"2026-01"`, "T2026-01", ""}, {"datetime", `"2026"`, "T2026", ""},
		{"time", `"12"`, "T12", ""},
		{"boolean", `true`, "Ttrue", ""}, {"boolean", ` false `, "Tfalse", ""}, {"boolean", `null`, "M.", ""},
		{"integer", `1`, "N1", ""}, {"integer", `-0`, "N0", ""}, {"integer", `-17`, "N-17", ""}, {"integer", `1.50e1`, "N15", ""},
		{"integer", `9007199254740993`, "N9007199254740993", ""}, {"integer", `1e21`, "N1000000000000000000000", ""},
		{"integer", `100000000000000000000001`, "N100000000000000000000001", ""},
		{"integer", `1.5`, "N1.5", "column C is declared an integer and has numbers that are not whole, first in row 1"},
		{"integer", `null`, "M.", ""},
		{"float", `0.1`, "N0.1", ""}, {"float", `0.10000000000000001`, "N0.1", ""}, {"double", `-0.0`, "N0", ""},
		{"double", `1e-7`, "N0.0000001", ""},
		{"double", `0.1000000000000000055511151231257827`, "N0.1", "more than 17 digits"},
		{"double", `0.30000000000000004`, "N0.30000000000000004", ""},
		{"double", `9007199254740993`, "N9007199254740992", ""}, {"double", `1152921504606847000`, "N1152921504606846976", ""},
		{"double", `5e-324`, "N0." + strings.Repeat("0", 323) + "5", ""},
		{"decimal", `"1.50"`, "N1.5", ""}, {"decimal", `"0.1000000000000000055511151231257827"`, "N0.1000000000000000055511151231257827", ""},
		{"decimal", `"1,234,567.80"`, "N1234567.8", ""}, {"decimal", `"-1,234"`, "N-1234", ""}, {"decimal", `""`, "M.", ""},
		{"decimal", `"-0.00"`, "N0", ""}, {"decimal", `2.50`, "N2.5", ""}, {"decimal", `"007"`, "N7", ""}, {"decimal", `"+.5"`, "N0.5", ""},
		{"decimal", `"5."`, "N5", ""}, {"decimal", `"12e-3"`, "N0.012", ""},
	} {
		got, tab, err := readString("x.json", doc(column("C", c.typ), "["+c.in+"]"))
		if err != nil || got != c.want {
			t.Errorf("%s %s: %q, %v, want %q", c.typ, c.in, got, err, c.want)
			continue
		}
		if notes := strings.Join(tab.Notes, ""); (c.note == "") != (notes == "") || !strings.Contains(notes, c.note) {
			t.Errorf("%s %s: notes %q", c.typ, c.in, notes)
		}
	}
}

// TestJSONRefused refuses cells, rows and documents that are wrong.
func TestJSONRefused(t *testing.T) {
	cell := func(typ, in string) string { return doc(column("C", typ), `[null]`, "\n["+in+"]") }
	text, two := column("C", "string"), column("C", "string")+","+column("D", "integer")
	for _, c := range []struct{ data, err string }{
		{cell("string", `1`), `row 2 (line 2): column C: there is a value that starts with '1', want a text or null`},
		{cell("string", `true`), "want a text"}, {cell("string", `["a"]`), "want a text"}, {cell("string", `{}`), "want a text"},
		{cell("integer", `"1"`), `there is the text "1", want a number or null`}, {cell("float", `"NaN"`), `want a number`},
		{cell("float", `NaN`), "want a number"}, {cell("float", `-Infinity`), "is not a number"}, {cell("float", `1e999`), "out of the range"},
		{cell("float", `1e-999`), "too small"}, {cell("float", `01`), "is not a number"}, {cell("float", `.5`), "want a number"},
		{cell("float", `1.`), "is not a number"}, {cell("float", `+1`), "want a number"}, {cell("float", `1e`), "is not a number"},
		{cell("float", `-`), "is not a number"}, {cell("float", `1e99999999999999999999`), "out of range"},
		{cell("float", strings.Repeat("1", 1000)), "too long"}, {cell("integer", `1e500`), "more than 400 digits"},
		{cell("decimal", `"1,2"`), "commas"}, {cell("decimal", `"1,2345"`), "commas"}, {cell("decimal", `",123"`), "commas"},
		{cell("decimal", `"-"`), "is not a number"}, {cell("decimal", `"abc"`), "is not a number"},
		{cell("decimal", `"1e-900"`), "more than 400 digits"},
		{cell("decimal", `"0x10"`), "is not a number"}, {cell("decimal", `"1_0"`), "is not a number"},
		{cell("decimal", `"1 "`), "is not a number"},
		{cell("boolean", `1`), "want true, false or null"}, {cell("boolean", `"Y"`), "want true, false"}, {cell("boolean", `tru`), "in a word"},
		{cell("string", `"\x"`), "unknown escape"}, {cell("string", "\"a\nb\""), "control character 0x0a"},
		{cell("string", `"\ud800"`), "surrogate"}, {cell("string", `"\ud800\u0041"`), "surrogate"},
		{cell("string", `"\udc00\ud800"`), "surrogate"},
		{cell("string", `"\u00zz"`), "hexadecimal"}, {cell("string", "\"\xff\""), `column C: "\xff" is not UTF-8`},
		{cell("string", "\"\xed\xa0\x80\""), `column C: "\xed\xa0\x80" is not UTF-8`},
		{cell("string", `"`+strings.Repeat("x", 1<<20+1)+`"`), "more than 1048576 bytes"},
		{doc(two, `["a"]`), "row 1 (line 1): the row has 1 cells, want 2"}, {doc(two, `["a",1,2]`), "more than 2 cells"},
		{doc(two, `[]`), "column C"},
		{doc(two, `["a" 1]`), "behind cell 1"}, {doc(two, `["a",1}`), "behind the last cell"}, {doc(two, `{"C":"a"}`), "the row is an object"},
		{doc(two, `1`), "want the [ of a row"}, {doc(text, `["a"]`, ``), "want the [ of a row"}, {doc(text, `["a"] ["b"]`), "behind a row"},
		{fmt.Sprintf(meta, 2, text) + `,"rows":[["a"]]}`, "records is 2, but there are 1 rows"},
		{fmt.Sprintf(meta, 0, text) + `,"rows":[["a"]]}`, "records is 0, but there are more rows"},
		{fmt.Sprintf(meta, 1, text) + `,"rows":[["a"]],"rows":[]}`, `member "rows" stands twice`},
		{fmt.Sprintf(meta, 1, text) + `,"rows":[["a"]],"name":"U"}`, `member "name" stands twice`},
		{fmt.Sprintf(meta, 1, text) + `,"rows":[["a"]]} x`, "behind the end"},
		{fmt.Sprintf(meta, 1, text) + `,"rows":[["a"]],}`, "want the name"},
		{fmt.Sprintf(meta, 1, text) + `,"rows":[["a"]]`, "truncated"}, {fmt.Sprintf(meta, 1, text) + `,"rows":[["a"`, "truncated"},
		{fmt.Sprintf(meta, 1, text) + `}`, "records is 1, but there are 0 rows"},
		{strings.Replace(doc(text), `"1.1.0"`, `"1.0.0"`, 1), "want 1.1"}, {strings.Replace(doc(text), `"1.1.0"`, `"1.1.01"`, 1), "want 1.1"},
		{strings.Replace(doc(text), `"records":0,`, ``, 1), "has no records"},
		{strings.Replace(doc(text), `"records":0`, `"records":-1`, 1), "whole number"},
		{strings.Replace(doc(text), `"records":0`, `"records":1.0`, 1), "not a whole number"},
		{strings.Replace(doc(text), `"name":"T",`, ``, 1), "has no name"},
		{strings.Replace(doc(text), `"name":"T"`, `"name":1`, 1), "want a string"},
		{strings.Replace(doc(text), `"name":"T"`, `"name":""`, 1), "the name is empty"},
		{strings.Replace(doc(text), `"datasetJSONVersion"`, `"version"`, 1), "has no datasetJSONVersion"},
		{`{"clinicalData":{},"datasetJSONVersion":"1.1.0"}`, "Dataset-JSON 1.0"}, {`{}`, "has no datasetJSONVersion"},
		{`{"rows":[],"columns":[]}`, "rows stand before columns"}, {doc(``), `table "T" has no columns`},
		{fmt.Sprintf(meta, 0, "") + "}", "has no columns"},
		{doc(many(9, "string"), "["+strings.Repeat(`"`+strings.Repeat("x", 1<<20)+`",`, 8)+`"x"]`), "the row has more than 8388608 bytes"},
		{doc(text + "," + text), `both named "C"`}, {doc(column("", "string")), "has no name"},
		{doc(column("C", "text")), `the type "text" is not of`},
		{doc(`{"name":"C"}`), "no dataType"}, {doc(`{"name":"C","name":"D"}`), "stands twice"}, {doc(`1`), "want '{'"},
		{doc(strings.Replace(text, "}", `,"targetDataType":"text"}`, 1)), "neither integer nor decimal"},
		{doc(strings.Replace(text, "}", `,"keySequence":99999}`, 1)), "larger than"},
		{doc(strings.Replace(text, "}", `,"length":-1}`, 1)), "whole number"},
		{`{"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "}", "nested more than 16 deep"},
		{`{"x":{"a":1,"a":2}}`, "stands twice"}, {`{"x":nul}`, "in a word"}, {`{"x":01}`, "is not a number"}, {`{"x" 1}`, "want ':'"},
		{`{x:1}`, "want the name"},
		{`{"x":[1 2]}`, "want , or ]"}, {`{"x":1 "y":2}`, "want , or }"},
		{`{"x":"` + strings.Repeat("x", 1<<19) + strings.Repeat(`","x":"`+strings.Repeat("y", 1<<19), 1), "stands twice"},
		{`{"x":[` + strings.Repeat(`"`+strings.Repeat("x", 1<<19)+`",`, 20), "metadata has more than"},
	} {
		_, _, err := readString("x.json", c.data)
		if err == nil || !strings.Contains(err.Error(), c.err) {
			t.Errorf("%.300s: error %v, want %q", c.data, err, c.err)
		}
	}
}

// TestJSONMeta reads the metadata, in another order and with more than is asked for.
func TestJSONMeta(t *testing.T) {
	s := "\ufeff\n" + `{"columns":[{"dataType":"date","targetDataType":"integer","displayFormat":"DATE9.","label":"Day",` +
		`"name":"ADT","itemOID":"IT.ADT",` +
		`"length":9,"keySequence":2,"x":[1]},` + strings.TrimSuffix(column("USUBJID", "string"), "}") +
		`,"keySequence":1}],"extra":{"a":[true,false,null,-1.5e3,"x"]},` +
		`"rows":[["2026-01-01","S"]],"records":1,"name":"ADX","label":null,"datasetJSONVersion":"1.1",` +
		`"sourceSystem":{"name":"n","version":"v"}}` + "\r\n"
	got, tab, err := readString("x.json", s)
	if err != nil || got != "T2026-01-01|TS" {
		t.Fatalf("%q, %v", got, err)
	}
	if fmt.Sprintf("%+v", tab.Columns) != "[{Name:ADT Label:Day Type:date Length:9 Format:DATE9. Key:2 OID:IT.ADT} "+
		"{Name:USUBJID Label:L Type:text Length:0 Format: Key:1 OID:IT.USUBJID}]" || tab.Name != "ADX" || fmt.Sprint(tab.Keys()) != "[1 0]" {
		t.Errorf("%+v", tab)
	}
	for i, want := range []string{"byte order mark", `columns have the member "x"`, "column ADT holds a date as ISO 8601 text",
		`the member "extra"`,
		"no datasetJSONCreationDateTime", "no itemGroupOID"} {
		if i >= len(tab.Notes) || !strings.Contains(tab.Notes[i], want) {
			t.Errorf("notes %q, want %q", tab.Notes, want)
		}
	}
}

// TestNDJSON reads lines.
func TestNDJSON(t *testing.T) {
	two := column("C", "string") + "," + column("D", "integer")
	head := fmt.Sprintf(meta, 2, two) + "}"
	for _, c := range []struct{ data, want, err string }{
		{head + "\n[\"a\",1]\n[\"b\",2]\n", "Ta|N1\nTb|N2", ""},
		{head + "\r\n[\"a\", 1]\r\n[ \"b\",2]", "Ta|N1\nTb|N2", ""},
		{head + "\n[\"a\",1]\n[\"b\",2]\n\n \n", "Ta|N1\nTb|N2", ""},
		{fmt.Sprintf(meta, 0, two) + "}", "", ""}, {fmt.Sprintf(meta, 0, two) + "}\n", "", ""},
		{head + "\n[\"a\",1]\n", "", "row 2 (line 3): records is 2, but there are 1 rows"},
		{head + "\n[\"a\",1]\n[\"b\",2]\n[\"c\",3]\n", "", "row 3 (line 4): records is 2, but there are more"},
		{head + "\n[\"a\",1]\n\n[\"b\",2]\n", "", "row 2 (line 4): there is '[' behind the end"},
		{head + "\n[\"a\",\n1]\n[\"b\",2]\n", "", "row 1 (line 2): column D: the value does not end on its line"},
		{head + "\n[\"a\",1] [\"b\",2]\n", "", "behind the row"},
		{head + "\n[\"a\",1],\n[\"b\",2]\n", "", "behind the row"},
		{head + "[\"a\",1]\n[\"b\",2]\n", "", "behind the metadata"},
		{head + "\n{\"C\":\"a\"}\n", "", "the row is an object"},
		{head + "\n[\"a\",1]\n[\"b\"", "", "truncated"},
		{head, "", "records is 2, but there are 0 rows"},
		{strings.Replace(head, ",", ",\n", 1) + "\n[\"a\",1]\n[\"b\",2]\n", "", "behind the end"},
	} {
		got, tab, err := readString("x.ndjson", c.data)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%q: error %v, want %q", c.data[len(head)-5:], err, c.err)
			}
			continue
		}
		if err != nil || got != c.want || len(c.want) > 0 && tab.Source != "Dataset-JSON (NDJSON)" {
			t.Errorf("%q: %q, %v", c.data[len(head)-5:], got, err)
		}
	}
}

// TestCompressed reads what is compressed, and refuses what is not whole.
func TestCompressed(t *testing.T) {
	plain := fmt.Sprintf(meta, 1, column("C", "string")) + "}\n[\"a\"]\n"
	deflate := func(s string, level int) string {
		var b bytes.Buffer
		w, _ := zlib.NewWriterLevel(&b, level)
		_, _ = io.WriteString(w, s)
		_ = w.Close()
		return b.String()
	}
	zip := func(s string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = io.WriteString(w, s)
		_ = w.Close()
		return b.String()
	}
	z, g := deflate(plain, 9), zip(plain)
	for _, c := range []struct{ name, data, err, note string }{
		{"x.dsjc", z, "", ""}, {"x.dsjc", deflate(plain, 1), "", ""}, {"x.dsjc", deflate(plain, 0), "", ""},
		{"x.dsjc", deflate(plain, 6), "", ""},
		{"x.dsjc", g, "", "compressed with gzip"}, {"x.ndjson.gz", g, "", ""},
		{"x.gz", zip(g), "compressed twice", ""}, {"x.dsjc", deflate(z, 9), "compressed twice", ""},
		{"x.dsjc", z + "x", "something follows", ""}, {"x.gz", g + "x", "decompress", ""},
		{"x.dsjc", z[:len(z)-1], "unexpected EOF", ""}, {"x.dsjc", z[:len(z)-8], "unexpected EOF", ""},
		{"x.gz", g[:len(g)-1], "unexpected EOF", ""},
		{"x.dsjc", z[:len(z)-1] + "\x00", "checksum", ""},
	} {
		got, tab, err := readString(c.name, c.data)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s %d: error %v, want %q", c.name, len(c.data), err, c.err)
			}
			continue
		}
		if err != nil || got != "Ta" || strings.Join(tab.Notes, "") != strings.Join(filter(tab.Notes, c.note), "") ||
			(c.note == "") != (len(tab.Notes) == 0) {
			t.Errorf("%s: %q, %v %v", c.name, got, tab, err)
		}
	}
	// CSV and XPT can be compressed too.
	if got, tab, err := readString("a/dm.csv.gz", zip("A,B\n1,2\n")); err != nil || got != "T1|T2" || tab.Name != "dm" {
		t.Errorf("%q, %v, %v", got, tab, err)
	}
	if got, _, err := readString("x.gz", zip(library(false)+member("A", "", 140, col{name: "C", length: 1})+fill("q"))); err != nil ||
		got != "Tq" {
		t.Errorf("%q, %v", got, err)
	}
}
