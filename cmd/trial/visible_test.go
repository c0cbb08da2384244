package main

import (
	"strings"
	"testing"
	"unicode"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/compare"
	"github.com/trialproof/trialproof/trial/dossier"
)

// TestReportVisible: what a document's texts hold never acts on a page: it is shown.
func TestReportVisible(t *testing.T) {
	t.Parallel()
	evil := "Pain \x1b[2Jscore\x07 \u202egnihton\u202c \u200b\u2066x\u2069 \u00ad\x00 \ufeff\U000e0041 é 漢字 \u00a0m"
	x := &dossier.Report{
		Asked: "nct:NCT09999991", NotProven: []string{evil}, Unread: evil,
		Study:      &dossier.StudyHead{Title: evil, Sponsor: evil},
		Entries:    []dossier.ReportEntry{{Says: evil, Digests: []string{evil}, Key: evil}},
		Comparison: &compare.Report{Notes: []string{evil}, Conflicts: []string{evil}},
	}
	data, err := drawReport(x, "r.json", trial.Hash{})
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for _, r := range text {
		if r != '\n' && r != '\t' && (unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r)) {
			t.Fatalf("the page holds %U", r)
		}
	}
	for _, want := range []string{`Pain \x1b[2Jscore\a \u202egnihton\u202c`, "é 漢字 \u00a0m", "</html>"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}
