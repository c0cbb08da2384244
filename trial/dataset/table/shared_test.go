package table_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/dataset/table"
	"github.com/trialproof/trialproof/trial/trialtest"
)

const shared = "../../../../shared/data"

// glob returns the shared files of a pattern.
func glob(t testing.TB, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(shared, pattern))
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		trialtest.Skip(t, "no ../shared/data")
	}
	return paths
}

// read reads a whole table: its cells, encoded, and the description.
func read(name string, r io.Reader) ([][]string, *table.Table, error) {
	rd, err := table.Open(name, r)
	if err != nil {
		return nil, nil, err
	}
	return readAll(rd)
}

func readAll(rd table.Reader) ([][]string, *table.Table, error) {
	var list [][]string
	for {
		values, err := rd.Next()
		if err != nil {
			if _, again := rd.Next(); again != err {
				return nil, nil, errors.New("the second Next did not return the same error")
			}
			if err == io.EOF {
				return list, rd.Table(), nil
			}
			return list, rd.Table(), err
		}
		if len(values) != len(rd.Table().Columns) {
			return nil, nil, fmt.Errorf("a row has %d cells and %d columns", len(values), len(rd.Table().Columns))
		}
		cells := make([]string, len(values))
		for i, v := range values {
			b := table.AppendCell(nil, v)
			back, err := table.ParseCell(b)
			if err != nil {
				return nil, nil, fmt.Errorf("row %d: cell %q: %v", len(list)+1, b, err)
			}
			if again := table.AppendCell(nil, back); !bytes.Equal(b, again) {
				return nil, nil, fmt.Errorf("row %d: cell %q is %q when read and encoded again", len(list)+1, b, again)
			}
			cells[i] = string(b)
		}
		list = append(list, cells)
	}
}

func readFile(t testing.TB, path string) ([][]string, *table.Table, error) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return read(filepath.Base(path), bytes.NewReader(data))
}

// TestPairs compares the XPT files with the Dataset-JSON files of the same tables. Those of SDTM are equal in
// every cell. Those of ADaM differ exactly in the columns that hold a date as a number, and each of these is
// in a note of both files.
func TestPairs(t *testing.T) {
	differ := map[string]string{
		"adsl":  "TRTSDT TRTEDT DISONSDT VISIT1DT RFENDT",
		"adtte": "TRTSDT TRTEDT STARTDT ADT",
	}
	pairs := 0
	for _, path := range glob(t, "xpt/*-djson/*.xpt") {
		name := strings.TrimSuffix(filepath.Base(path), ".xpt")
		kind := strings.TrimSuffix(filepath.Base(filepath.Dir(path)), "-djson")
		t.Run(name, func(t *testing.T) {
			xpt, tx, err := readFile(t, path)
			if err != nil {
				t.Fatal(err)
			}
			json, tj, err := readFile(t, filepath.Join(shared, "dataset-json", kind, name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			if len(xpt) != len(json) || len(xpt) == 0 {
				t.Fatalf("XPT has %d rows, Dataset-JSON %d", len(xpt), len(json))
			}
			if tx.Name != tj.Name || kind == "sdtm" && tx.Label != tj.Label { // the labels of ADaM differ in the files
				t.Errorf("XPT is %s (%s), Dataset-JSON %s (%s)", tx.Name, tx.Label, tj.Name, tj.Label)
			}
			var unequal []string
			for i, c := range tx.Columns {
				if c.Name != tj.Columns[i].Name {
					t.Fatalf("column %d is %s in XPT and %s in Dataset-JSON", i+1, c.Name, tj.Columns[i].Name)
				}
				for n := range xpt {
					if xpt[n][i] != json[n][i] {
						unequal = append(unequal, c.Name)
						if kind == "sdtm" {
							t.Errorf("row %d: %s is %q in XPT and %q in Dataset-JSON", n+1, c.Name, xpt[n][i], json[n][i])
						}
						break
					}
				}
			}
			if got := strings.Join(unequal, " "); got != differ[name] {
				t.Errorf("columns that differ: %q, want %q", got, differ[name])
			}
			for _, c := range unequal {
				for _, tab := range []*table.Table{tx, tj} {
					if !strings.Contains(strings.Join(tab.Notes, "\n"), "column "+c+" holds a date") {
						t.Errorf("no note of %s about the date column %s: %q", tab.Source, c, tab.Notes)
					}
				}
			}
		})
		pairs++
	}
	if pairs != 10 {
		t.Errorf("%d pairs, want 8 of SDTM and 2 of ADaM", pairs)
	}
}

// rowsOf has the rows of files that declare none and have no pair: 306 subjects were screened in the pilot study.
var rowsOf = map[string]int{"dm.xpt": 306}

// TestFiles reads every shared table whole.
func TestFiles(t *testing.T) {
	n := 0
	for _, pattern := range []string{"xpt/*/*.xpt", "dataset-json/[as]d*/*.json", "dataset-json/*/*.ndjson", "dataset-json/*/*.dsjc"} {
		for _, path := range glob(t, pattern) {
			list, tab, err := readFile(t, path)
			if err != nil {
				t.Errorf("%s: %v", path, err)
				continue
			}
			if tab.Records >= 0 && tab.Records != int64(len(list)) || len(list) == 0 {
				t.Errorf("%s: %d rows, records is %d", path, len(list), tab.Records)
			}
			if strings.Contains(path, "xpt") == (tab.Records >= 0) {
				t.Errorf("%s: records is %d", path, tab.Records)
			}
			if want, known := rowsOf[filepath.Base(path)]; known && len(list) != want {
				t.Errorf("%s: %d rows, want %d", path, len(list), want)
			}
			t.Logf("%-50s %-21s %5d rows %3d columns %q", strings.TrimPrefix(path, shared), tab.Source, len(list), len(tab.Columns), tab.Notes)
			n++
		}
	}
	if n < 40 {
		t.Errorf("%d files", n)
	}
}

// TestSame checks that a table is the same in JSON, in NDJSON and compressed.
func TestSame(t *testing.T) {
	n := 0
	for _, pattern := range []string{"dataset-json/*/*.ndjson", "dataset-json/*/*.dsjc"} {
		for _, path := range glob(t, pattern) {
			got, _, err := readFile(t, path)
			if err != nil {
				t.Fatal(err)
			}
			want, _, err := readFile(t, strings.TrimSuffix(path, filepath.Ext(path))+".json")
			if err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s is not the same as its JSON", path)
			}
			n++
		}
	}
	if n != 5 {
		t.Errorf("%d files", n)
	}
}

// TestExtended refuses the example of an extension: it declares 72 records and has 2 rows, with "na" for
// a missing number.
func TestExtended(t *testing.T) {
	for _, path := range glob(t, "dataset-json/extensions/extended_dataset.json") {
		_, _, err := readFile(t, path)
		if err == nil || !strings.Contains(err.Error(), `row 1 (line`) || !strings.Contains(err.Error(),
			`column AEENDY: there is the text "na"`) {
			t.Errorf("error %v", err)
		}
		if errors.Is(err, io.EOF) {
			t.Error("the error is io.EOF")
		}
	}
}
