package table_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/trialproof/trialproof/trial/dataset/table"
)

// check reads a table twice, the second time byte by byte: it must be the same, whatever it is.
func check(t *testing.T, name string, data []byte) {
	t.Helper()
	rows, tab, err := read(name, bytes.NewReader(data))
	again, tab2, err2 := read(name, iotest.OneByteReader(bytes.NewReader(data)))
	if fmt.Sprint(err) != fmt.Sprint(err2) {
		t.Fatalf("error %v, byte by byte %v", err, err2)
	}
	if flat(rows) != flat(again) {
		t.Fatalf("%q, byte by byte %q", flat(rows), flat(again))
	}
	if err == nil && (tab.Records >= 0 && tab.Records != int64(len(rows)) || fmt.Sprint(tab.Notes) != fmt.Sprint(tab2.Notes)) {
		t.Fatalf("%d rows, records is %d, notes %q and %q", len(rows), tab.Records, tab.Notes, tab2.Notes)
	}
	// A reader that fails is no end.
	if n := len(data); n > 0 {
		broken := io.MultiReader(bytes.NewReader(data[:n/2]), iotest.ErrReader(io.ErrClosedPipe))
		if rows, _, err := read(name, broken); err == nil {
			t.Fatalf("a broken reader gave %d rows and no error", len(rows))
		}
	}
}

// TestSlow reads every small shared file byte by byte.
func TestSlow(t *testing.T) {
	for _, pattern := range []string{"xpt/*/*.xpt", "dataset-json/*/*.ndjson", "dataset-json/sdtm/*.json", "dataset-json/*/*.dsjc"} {
		for _, path := range glob(t, pattern) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			check(t, filepath.Base(path), data)
		}
	}
}

func FuzzXPT(f *testing.F) {
	f.Add([]byte(library(false) + member("A", "L", 140, col{name: "C", length: 3}, col{name: "N", number: 1, length: 8, form: "DATE",
		width: 9}) + fill("abc"+ibm(0.1)+"   "+ibm(2))))
	f.Add([]byte(library(false) + member("A", "", 136, col{name: "C", length: 3}) + fill("abc") + member("B", "", 136, col{name: "C",
		length: 100})))
	f.Add([]byte(v8(labels([]string{"AVAL", "label"}), "              1") + fill(pad("a", 12)+ibm(1))))
	f.Add([]byte(v8(labels([]string{"AVAL", "label", "F8.", ""}), zeros) + fill(pad("a", 12)+ibm(1))))
	f.Fuzz(func(t *testing.T, data []byte) {
		check(t, "x.xpt", data)
		x, err := table.NewXPT(bytes.NewReader(data))
		if err != nil {
			return
		}
		for range 100 {
			m, err := x.NextMember()
			if err != nil {
				return
			}
			_, _, _ = readAll(m)
		}
	})
}

func FuzzJSON(f *testing.F) {
	all := ""
	for i, typ := range []string{"string", "integer", "decimal", "float", "double", "boolean", "datetime", "date", "time", "URI"} {
		all += strings.Repeat(",", min(i, 1)) + column(fmt.Sprint("C", i), typ)
	}
	f.Add([]byte(doc(all, `["a",1,"1,234.50",1.5e-3,-0,true,"2026","2026-01-01","12","x"]`,
		`[null,null,null,null,null,null,null,null,null,null]`)))
	f.Add([]byte(fmt.Sprintf(meta, 2, column("C", "string")) + "}\n[\"\\ud83d\\ude00\"]\r\n[null]\n\n"))
	f.Add([]byte(strings.Replace(doc(column("C", "integer"), `[1.5]`), `"name"`, `"x":{"a":[{}]},"name"`, 1)))
	f.Fuzz(func(t *testing.T, data []byte) { check(t, "x.json", data) })
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("A,B\r\n\"a\"\"b\",\"c\nd\"\n,1"))
	f.Add([]byte("\ufeffA\nx\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		check(t, "x.csv", data)
	})
}

func FuzzDefine(f *testing.F) {
	f.Add([]byte(define21))
	f.Add([]byte(odm("1.0.0", `<ItemGroupDef OID="A" Name="A" def:DomainKeys="X, Y" def:Label="L"><ItemRef ItemOID="A.X"/></ItemGroupDef>`+
		`<ItemDef OID="A.X" Name="X" DataType="text" Origin="Derived" Comment="DM.ARM" def:ComputationMethodOID="M"/>`+
		`<def:ComputationMethod OID="M">x</def:ComputationMethod>`)))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := table.ParseDefine(bytes.NewReader(data))
		again, err2 := table.ParseDefine(iotest.OneByteReader(bytes.NewReader(data)))
		if fmt.Sprint(err) != fmt.Sprint(err2) {
			t.Fatalf("error %v, byte by byte %v", err, err2)
		}
		if err != nil {
			return
		}
		if fmt.Sprint(d.Treatments()) != fmt.Sprint(again.Treatments()) {
			t.Fatal("the treatments differ")
		}
		for _, ds := range d.Datasets {
			_ = ds.Keys()
			rd, err := table.Open(ds.Name+".csv", strings.NewReader("A,B\n1,2\n"))
			if err == nil {
				_ = d.Describe(rd.Table())
				_, _, _ = readAll(rd)
			}
		}
	})
}
