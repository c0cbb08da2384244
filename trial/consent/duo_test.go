package consent_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/consent"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// duoTerms are the terms of the Data Use Ontology, and whether they are understood here.
var duoTerms = map[string]string{
	"DUO:0000004": "permission", "DUO:0000042": "permission", "DUO:0000006": "permission", "DUO:0000007": "disease",
	"DUO:0000018": "limit", "DUO:0000027": "limit", "DUO:0000028": "limit", "DUO:0000046": "limit",
	"DUO:0000011": "", "DUO:0000012": "", "DUO:0000015": "", "DUO:0000016": "", "DUO:0000019": "", "DUO:0000020": "", "DUO:0000021": "",
	"DUO:0000022": "", "DUO:0000024": "", "DUO:0000025": "", "DUO:0000026": "", "DUO:0000029": "", "DUO:0000043": "", "DUO:0000044": "",
	"DUO:0000045": "",
}

// TestDUOTerms matches each term of the ontology as consented and as requested.
func TestDUOTerms(t *testing.T) {
	for code, kind := range duoTerms {
		asked := []string{code}
		switch kind {
		case "permission":
		case "disease":
			asked = []string{code + "/MONDO:0005148"}
			if err := consent.Match([]string{"DUO:0000042"}, []string{code}); err == nil || !strings.Contains(err.Error(), code) {
				t.Errorf("%s without a disease: %v", code, err)
			}
		case "limit":
			for _, list := range [][]string{{code}, {code, code}} {
				if err := consent.Match(list, []string{"DUO:0000006"}); err == nil {
					t.Errorf("%v permit something", list)
				}
			}
			asked = []string{"DUO:0000006", code}
			if err := consent.Match(asked, []string{"DUO:0000006"}); err == nil || !strings.Contains(err.Error(), code) {
				t.Errorf("a request that does not keep to %s: %v", code, err)
			}
		default:
			for _, c := range [][2][]string{
				{{"DUO:0000004", code}, {"DUO:0000006"}}, {{"DUO:0000004"}, {"DUO:0000006", code}}, {{code}, {code}},
			} {
				if err := consent.Match(c[0], c[1]); err == nil || !strings.Contains(err.Error(), code) {
					t.Errorf("%v for %v: %v, want the name of %s", c[0], c[1], err, code)
				}
			}
			continue
		}
		if err := consent.Match(asked, asked); err != nil {
			t.Errorf("%v for itself: %v", asked, err)
		}
		if err := consent.Match([]string{"DUO:0000004"}, asked); err != nil {
			t.Errorf("no restriction, for %v: %v", asked, err)
		}
	}
}

// TestAllDUOTerms compares the table above with the ontology.
func TestAllDUOTerms(t *testing.T) {
	f, err := os.Open(filepath.Join(realData, "duo", "duo-codes.csv"))
	if err != nil {
		trialtest.Skip(t, "the real input files are not here")
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, row := range rows[1:] {
		codes = append(codes, row[0])
		if _, ok := duoTerms[row[0]]; !ok {
			t.Errorf("%s (%s) is not in the table", row[0], row[1])
		}
	}
	for code := range duoTerms {
		if !slices.Contains(codes, code) {
			t.Errorf("%s is not in the ontology", code)
		}
	}
}

// TestDUOContains compares every permission with every other: the wider contains the narrower, and
// never the other way round.
func TestDUOContains(t *testing.T) {
	diabetes, asthma := "DUO:0000007/MONDO:0005148", "DUO:0000007/MONDO:0004979"
	order := []string{"DUO:0000004", "DUO:0000042", "DUO:0000006", diabetes}
	for i, wide := range order {
		for j, narrow := range order {
			if err := consent.Match([]string{wide}, []string{narrow}); (err == nil) != (i <= j) {
				t.Errorf("%s for %s: %v", wide, narrow, err)
			}
		}
	}
	for _, c := range []struct {
		have, want []string
		refused    string
	}{
		{[]string{diabetes}, []string{asthma}, asthma},
		{[]string{asthma, diabetes}, []string{diabetes}, ""},
		{[]string{diabetes}, []string{asthma, diabetes}, asthma},
		{[]string{"DUO:0000006"}, []string{asthma, diabetes}, ""},
		{[]string{"DUO:0000006"}, []string{"DUO:0000006", "DUO:0000042"}, "DUO:0000042"},
		{[]string{"DUO:0000006", "DUO:0000046"}, []string{"DUO:0000006", "DUO:0000018"}, ""}, // not-for-profit and non-commercial is narrower
		{[]string{"DUO:0000006", "DUO:0000018"}, []string{"DUO:0000006", "DUO:0000046"}, "DUO:0000018"},
		{[]string{"DUO:0000006"}, []string{"DUO:0000006", "DUO:0000028", "DUO:0000027"}, ""},
		{[]string{"DUO:0000006", "DUO:0000027", "DUO:0000028"}, []string{"DUO:0000006", "DUO:0000028"}, "DUO:0000027"},
		{nil, []string{"DUO:0000006"}, "the terms"},
		{[]string{"DUO:0000006"}, nil, "the request"},
		{[]string{"DUO:0000006/MONDO:0005148"}, []string{"DUO:0000006"}, "DUO:0000006/MONDO:0005148"},
		{[]string{"DUO:0000007/MONDO:5148"}, []string{"DUO:0000007/MONDO:5148"}, "names a disease"},
		{[]string{"duo:0000006"}, []string{"DUO:0000006"}, "duo:0000006"},
		{[]string{"HMB"}, []string{"DUO:0000006"}, "HMB"},
		{[]string{""}, []string{"DUO:0000006"}, "the terms"},
	} {
		err := consent.Match(c.have, c.want)
		if (err == nil) != (c.refused == "") || err != nil && !strings.Contains(err.Error(), c.refused) {
			t.Errorf("%v for %v: %v, want %q", c.have, c.want, err, c.refused)
		}
	}
}
