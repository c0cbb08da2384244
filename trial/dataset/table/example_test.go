package table_test

import (
	"fmt"
	"io"
	"strings"

	"github.com/trialproof/trialproof/trial/dataset/table"
)

// A reader gives the rows one after another, and AppendCell the bytes to commit to. The notes are complete
// at the end.
func ExampleOpen() {
	const ndjson = `{"datasetJSONCreationDateTime":"2026-01-01T00:00:00","datasetJSONVersion":"1.1.0","itemGroupOID":"IG.VS","records":2,` +
		`"name":"VS","label":"Vital Signs","columns":[` +
		`{"itemOID":"IT.1","name":"USUBJID","label":"Subject","dataType":"string","keySequence":1},` +
		`{"itemOID":"IT.2","name":"VSSTRESN","label":"Result","dataType":"float"}]}` + "\n" + `["S-1  ",36.60]` + "\n" + `["S-2",null]`
	r, err := table.Open("vs.ndjson", strings.NewReader(ndjson))
	if err != nil {
		fmt.Println(err)
		return
	}
	for {
		row, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		for i, v := range row {
			fmt.Printf("%s %s;", r.Table().Columns[i].Name, table.AppendCell(nil, v))
		}
		fmt.Println()
	}
	// Output:
	// USUBJID TS-1;VSSTRESN N36.6;
	// USUBJID TS-2;VSSTRESN M.;
}
