package study

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/trialtest"
)

const realData = "../../../shared/data"

var update = flag.Bool("update", false, "write the golden differences anew")

// TestRealFiles reads every real study, and every file that is not a study. A refused file is
// refused for the reason that its folder's notes give.
func TestRealFiles(t *testing.T) {
	trialtest.Long(t)
	if _, err := os.Stat(realData); err != nil {
		trialtest.Skip(t, "the real input files are not here")
	}
	// Files that are not a study, or not a valid one, by the end of their path.
	refused := map[string]string{
		"usdm/Roche_NCT04320615_COVID.json":              "usdmVersion is missing; study.studyProtocolVersions is of a USDM before 3.0",
		"fhir-r6-m11/Exemplar001-Bundle.json":            "it has comments",
		"fhir-r6-m11/JPMA001-Bundle.json":                "it has comments",
		"NCT02654730/2017-08-08_v2.xml":                  "not well-formed",
		"schema/ctgov-openapi-pinned-subset.json":        "not a study in a format that is known",
		"fhir-r5/consent-example.json":                   `a FHIR "Consent"`,
		"fhir-r4/ResearchSubject-example.json":           "it has a study, but nothing of USDM",
		"protocol-pdf/EliLilly_NCT03421379_Diabetes.pdf": "not a study in a format that is known",
	}
	formats := map[string]int{}
	for _, dir := range []string{"ctgov-v1-fullstudies", "ctgov-v2", "ctgov-xml", "ctgov-xml-versions", "fhir-r4", "fhir-r5",
		"fhir-r6-ebm", "fhir-r6-m11", "protocol-pdf", "usdm"} {
		err := filepath.WalkDir(filepath.Join(realData, dir), func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !slices.Contains([]string{".json", ".xml", ".pdf"}, filepath.Ext(name)) {
				return err
			}
			f, err := os.Open(name)
			if err != nil {
				return err
			}
			defer f.Close()
			err = Split(f, func(n int, record []byte) error {
				s, err := Parse(record)
				if err != nil {
					return err
				}
				formats[s.Format]++
				checkReal(t, name, s)
				return nil
			})
			rel, _ := filepath.Rel(realData, name)
			rel = filepath.ToSlash(rel)
			for end, why := range refused {
				if strings.HasSuffix(rel, end) {
					delete(refused, end)
					if err == nil || !strings.Contains(err.Error(), why) {
						t.Errorf("%s: %v, want %q", rel, err, why)
					}
					return nil
				}
			}
			if err != nil && !errors.Is(err, ErrUnknown) && !errors.Is(err, ErrMorePages) {
				t.Errorf("%s: %v", rel, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for end := range refused {
		t.Errorf("no file %s was read", end)
	}
	t.Logf("records read by format: %v", formats)
	for _, format := range []string{CTGovV1, CTGovV2, CTGovXML, FHIRR4, FHIRR5, USDM} {
		if formats[format] == 0 {
			t.Errorf("no record of format %s", format)
		}
	}
}

// checkReal checks that a study has what every study has, and that its facts have their form.
func checkReal(t *testing.T, name string, s *Study) {
	t.Helper()
	registry := strings.HasPrefix(s.Format, "ctgov")
	if registry && (s.Number("nct") == "" || s.Title == "" || s.Sponsor.Name == "" || s.Type == "" && s.Status != "withheld" &&
		s.Status != "no-longer-available") {
		t.Errorf("%s: a registry's record without number, title, sponsor or type: %+v", name, s)
	}
	if s.Selected() {
		t.Errorf("%s: a whole record is taken for a selection of fields", name)
	}
	for _, c := range s.Countries {
		if _, ok := countryNamed(c); !ok {
			t.Errorf("%s: the country %q is not known", name, c)
		}
	}
	if s.Format == USDM && (len(s.Identifiers) == 0 || s.Dated == "" || len(s.Arms)+len(s.Sections) == 0) {
		t.Errorf("%s: a USDM study without number, day, arms or sections: %+v", name, s)
	}
	facts, _ := s.Facts()
	if _, err := facts.Marshal(); err != nil {
		t.Errorf("%s: facts not in their form: %v", name, err)
	}
	if again := FromFacts(facts); len(Diff(s, again)) != 0 {
		t.Errorf("%s: a study differs from its own facts: %v", name, Diff(s, again))
	}
	if d := Diff(s, s); len(d) != 0 {
		t.Errorf("%s: a study differs from itself: %v", name, d)
	}
}

// TestGoldenDifferences compares the dated versions of five trials, each with the next, with
// the differences that were found by comparing every line of the two files by hand. Files that
// declare the day of another one come after it, as conflicts.
func TestGoldenDifferences(t *testing.T) {
	for _, dir := range []string{
		"ctgov-xml-versions/NCT01207388", "ctgov-xml-versions/NCT02958956", "ctgov-xml-versions/NCT01341288",
		"ctgov-xml-versions/NCT02988895", "ctgov-v2/versions",
	} {
		list, err := os.ReadDir(filepath.Join(realData, dir))
		if err != nil {
			trialtest.Skip(t, err.Error())
		}
		var b strings.Builder
		var last *Study
		for _, f := range list {
			data, err := os.ReadFile(filepath.Join(realData, dir, f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			s, err := Parse(data)
			if err != nil {
				t.Fatalf("%s: %v", f.Name(), err)
			}
			switch {
			case last == nil:
				fmt.Fprintf(&b, "%s of %s\n", s.Number("nct"), s.Dated)
			case last.Dated == s.Dated:
				fmt.Fprintf(&b, "%s declares the day of the one before: in conflict\n", f.Name())
			default:
				fmt.Fprintf(&b, "to %s\n", s.Dated)
			}
			if last != nil {
				for _, c := range Diff(last, s) {
					fmt.Fprintf(&b, "  %s\n", c)
				}
			}
			last = s
		}
		golden := filepath.Join("testdata", "differences", last.Number("nct")+".txt")
		if *update {
			if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if b.String() != string(want) {
			t.Errorf("%s: found\n%s\nnot\n%s", dir, b.String(), want)
		}
	}
}

// TestOneTrialInEveryFormat reads NCT03421379 as a USDM study and as two FHIR
// resources: its number, sponsor's number and design are the same in each.
func TestOneTrialInEveryFormat(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	var list []*Study
	for _, name := range []string{
		"usdm/EliLilly_NCT03421379_Diabetes.json",
		"fhir-r6-ebm/ResearchStudy-a-study-of-nasal-glucagon-ly-in-japanese-p-example.json",
		"fhir-r6-ebm/ResearchStudy-a-study-of-nasal-glucagon-ly-in-japanese-p2-example.json",
	} {
		data, err := os.ReadFile(filepath.Join(realData, name))
		if err != nil {
			trialtest.Skip(t, err.Error())
		}
		s, err := Parse(data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if s.Number("nct") != "NCT03421379" || strings.Join(s.Phases, "") != "phase3" || s.Masking != "none" ||
			s.Type != "interventional" ||
			s.Enrolment.Count != 75 || s.Outcomes[0].Level != Primary || !strings.Contains(strings.ToLower(s.Outcomes[0].Measure),
			"treatment success") {
			t.Errorf("%s: %+v", name, s)
		}
		if !slices.ContainsFunc(s.Identifiers, func(id Identifier) bool { return id.Value == "I8R-JE-IGBJ" }) {
			t.Errorf("%s: without the sponsor's number: %v", name, s.Identifiers)
		}
		list = append(list, s)
	}
	// The primary endpoint of the protocol is the one that the registry has.
	for _, s := range list[1:] {
		if pairs := PairOutcomes(list[0].Outcomes, s.Outcomes, EqualMeasure); s.Outcomes[pairs[0].B].Level != Primary {
			t.Errorf("%s: the primary endpoint %q was joined with %+v", s.Format, list[0].Outcomes[0].Measure, s.Outcomes[pairs[0].B])
		}
	}
}
