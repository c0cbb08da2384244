package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/api/client"
)

// TestImportReport: records are told in their order as soon as it is known what became of them, and
// are then forgotten; the JSON is whole, also if the import fails.
func TestImportReport(t *testing.T) {
	t.Parallel()
	records := func(statuses ...string) (list []*importRecord) {
		for i, s := range statuses {
			list = append(list, &importRecord{Status: s, Identifier: fmt.Sprint("nct:", i), File: "f", Record: i + 1})
		}
		return list
	}
	for _, asJSON := range []bool{false, true} {
		for _, failed := range []error{nil, errors.New("the log is gone")} {
			var b strings.Builder
			p := newImportReport(&b, asJSON, func() {})
			list := records(importNew, importUnchanged, "", importRefused, importPending, importNew)
			list[0].done, list[1].done, list[3].done = 1, 1, 1
			if err := p.add(list[:2]); err != nil || len(p.list) > 0 {
				t.Errorf("%d are held, %v", len(p.list), err)
			}
			if err := p.add(list[2:]); err != nil || len(p.list) != 4 {
				t.Errorf("%d are held, %v", len(p.list), err)
			}
			if told := strings.Count(b.String(), "nct:"); told != 2 {
				t.Errorf("%d are told\n%s", told, &b)
			}
			err := p.end(failed)
			if failed != nil && !errors.Is(err, failed) || failed == nil && !errors.Is(err, client.ErrPending) {
				t.Errorf("%v: %v", failed, err)
			}
			if !asJSON {
				if failed == nil && !strings.HasSuffix(b.String(), "records 5: 2 new, 1 unchanged, 0 changed, 0 conflicting, 1 refused, 1 pending\n") {
					t.Error(b.String())
				}
				continue
			}
			var r imported
			if err := json.Unmarshal([]byte(b.String()), &r); err != nil || r.Records != 5 || len(r.List) != 5 || r.Counts[importNew] != 2 ||
				r.List[2].Record != 4 {
				t.Errorf("%v\n%s", err, &b)
			}
		}
	}
	var b strings.Builder
	if err := newImportReport(&b, true, func() {}).end(nil); err != nil || !json.Valid([]byte(b.String())) {
		t.Errorf("of nothing: %v\n%s", err, &b)
	}
}
