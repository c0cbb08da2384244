package main

import (
	"crypto/sha256"
	"strings"
	"testing"
)

// TestSameBut: a record that differs in nothing but the day of its download is the one
// that is logged, in each of the registry's formats; any other difference is one.
func TestSameBut(t *testing.T) {
	for name, record := range map[string]string{
		"v2":  `{"protocolSection":{"statusModule":{"lastUpdateSubmitDate":"2026-11-23"}},"derivedSection":{"miscInfoModule":{"versionHolder": "2026-11-23"}},"hasResults":false}`,
		"v1":  `{"Study":{"DerivedSection":{"MiscInfoModule":{"VersionHolder":"November 23, 2026"}}}}`,
		"XML": `<clinical_study><required_header><download_date>ClinicalTrials.gov processed this data on November 23, 2026</download_date></required_header></clinical_study>`,
	} {
		at := max(strings.LastIndex(record, "ersionHolder"), strings.LastIndex(record, "download_date>Clin"))
		later := record[:at] + strings.NewReplacer("2026-11-23", "2026-12-04", "November 23, 2026", "December 4, 2026").Replace(record[at:])
		l := logged{digest: sha256.Sum256([]byte(record)), dated: "2026-11-23"}
		if !l.sameBut(&importRecord{Dated: "2026-12-04", bytes: []byte(later)}) {
			t.Errorf("%s: %s is another record", name, later)
		}
		for _, other := range []string{strings.ToUpper(later), strings.Replace(later, "{", "{ ", 1) + " ", strings.ReplaceAll(later,
			"2026-11-23", "2026-11-22") + "\n"} {
			if l.sameBut(&importRecord{Dated: "2026-12-04", bytes: []byte(other)}) {
				t.Errorf("%s: %s is the same record", name, other)
			}
		}
	}
}
