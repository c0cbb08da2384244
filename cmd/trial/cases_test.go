package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The folders of testdata/cases hold one situation each, with the right answer in
// expected.txt. Each is put to the public command lines here.

// A caseRun is one case on its way: a town of its own whose organisation imports and
// submits, and who reads is one who trusts it.
type caseRun struct {
	t      *testing.T
	folder string // of the case
	town   *town  // made when it is first asked for
}

// cases are the folders and what is right of each. Who adds a folder adds a row.
var cases = map[string]func(c *caseRun){
	"01-history-api":               historyAPI,
	"02-qc-withdrawn":              withdrawnResults,
	"04-ppsd":                      postmarketSurveillance,
	"05-withdrawn-update":          withdrawnUpdate,
	"06-pcd-moved":                 movedCompletion,
	"07-fields-limited":            fieldsLimited,
	"08-file-name":                 fileNames,
	"09-hasresults-no-section":     resultsElsewhere,
	"10-identifiers":               identifiers,
	"11-other-shapes":              otherShapes,
	"12-alias":                     alias,
	"13-fhir-country":              fhirCountry,
	"15-certificate":               certificates,
	"16-eu-outermost":              euOutermost,
	"17-compare":                   comparePairs,
	"18-dry-run-duplicate":         dryRunDuplicate,
	"19-registered-after":          registeredAfter,
	"21-retroactively-prospective": movedStart,
	"22-applicability":             applicability,
	"23-undated-protocol":          undatedProtocol,
	"24-privacy":                   privacy,
	"25-article-forms":             articleForms,
	"26-v1-pending":                olderPending,
	"27-org-id-name":               sponsorNumbers,
	"28-fhir-phase-code":           fhirPhaseCode,
	"29-version-holder-only":       versionHolderOnly,
}

func TestCases(t *testing.T) {
	folders, err := filepath.Glob("testdata/cases/*/expected.txt")
	if err != nil {
		t.Fatal(err)
	}
	inner, err := filepath.Glob("testdata/cases/*/*/expected.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(folders, inner...) {
		name, _, _ := strings.Cut(strings.TrimPrefix(filepath.ToSlash(f), "testdata/cases/"), "/")
		if cases[name] == nil {
			t.Errorf("the case %s has no row", name)
		}
	}
	for _, name := range sortedKeys(cases) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder, err := filepath.Abs(filepath.Join("testdata", "cases", name))
			if err != nil {
				t.Fatal(err)
			}
			cases[name](&caseRun{t: t, folder: folder})
		})
	}
}

// in returns the case of a folder within the folder.
func (c *caseRun) in(t *testing.T, folder string) *caseRun {
	return &caseRun{t: t, folder: filepath.Join(c.folder, folder), town: c.town}
}

// file returns the path of a file of the case.
func (c *caseRun) file(name string) string {
	c.t.Helper()
	path := filepath.Join(c.folder, name)
	if _, err := os.Stat(path); err != nil {
		c.t.Fatal(err)
	}
	return path
}

// files returns the paths of the files of the case that a pattern matches.
func (c *caseRun) files(pattern string) []string {
	c.t.Helper()
	list, err := filepath.Glob(filepath.Join(c.folder, pattern))
	if err != nil || len(list) == 0 {
		c.t.Fatalf("%s: %d files, %v", pattern, len(list), err)
	}
	return list
}

// log returns the town of the case.
func (c *caseRun) log() *town {
	c.t.Helper()
	if c.town == nil {
		c.town = newTown(c.t, "")
	}
	return c.town
}

// ask runs a command that reads the log for one who trusts whoever imported, and returns
// what it printed. Its status is one
// of a command that answered: that the town's witnesses do not replay makes it 3.
func (c *caseRun) ask(command string, args ...string) string {
	c.t.Helper()
	flags := c.log().flags
	if slices.Contains([]string{"compare", "deadlines", "report"}, command) {
		flags = append(slices.Clone(flags), "-from", "acme")
	}
	_, out, status := c.log().run(slices.Concat([]string{"trial", command}, flags, args)...)
	if status != exitDone && status != exitPending {
		c.t.Fatalf("trial %s %v: status %d\n%s", command, args, status, out)
	}
	return out
}

// imports imports files, and returns what was printed.
func (c *caseRun) imports(status int, files ...string) string {
	c.t.Helper()
	_, out, got := c.log().run(slices.Concat([]string{"trial", "import"}, c.log().flags, []string{"-key", "ada.key", "ctgov"}, files)...)
	if got != status {
		c.t.Fatalf("import %v: status %d, want %d\n%s", files, got, status, out)
	}
	return out
}

// offline runs a command that needs no log, in a folder without a policy.
func (c *caseRun) offline(status int, args ...string) string {
	c.t.Helper()
	w := &town{t: c.t, dir: c.t.TempDir()}
	_, out, got := w.run(append([]string{"trial"}, args...)...)
	if got != status {
		c.t.Fatalf("trial %v: status %d, want %d\n%s", args, got, status, out)
	}
	return out
}

// says wants each of the texts in what was printed, but those that begin with ! must not
// be there.
func (c *caseRun) says(out string, want ...string) {
	c.t.Helper()
	for _, w := range want {
		if text, not := strings.CutPrefix(w, "!"); strings.Contains(out, text) == not {
			c.t.Errorf("%s: wanted %q in\n%s", filepath.Base(c.folder), w, out)
		}
	}
}

// compared holds a comparison to what is wanted, of the versions that were imported and
// of the files alone.
func (c *caseRun) compared(number string, files, flags []string, want ...string) {
	c.t.Helper()
	c.says(c.ask("compare", append(flags, number)...), want...)
	c.says(c.offline(exitDone, slices.Concat([]string{"compare"}, files, flags)...), want...)
}

// history answers are read, with their escapes, as the versions that they are.
func historyAPI(c *caseRun) {
	v0, v2, answer := c.file("NCT09101301-v0-unwrapped.json"), c.file("NCT09101301-current-v2.json"), c.file("history-0.json")
	same := []string{`reported as specified: primary "Proportion with HbA1c < 7% (53 mmol/mol)"`,
		`reported as specified: secondary "Change in LDL`, `reported as specified: secondary "Time to discharge`,
		`reported as specified: secondary "Patients' global`, "!outcome reworded", "!unclear", "!not reported"}
	for _, earlier := range []string{v0, answer} {
		c.says(c.offline(exitDone, "compare", earlier, v2), same...)
		c.says(c.offline(exitDone, "diff", earlier, v2), "no outcome", "!reworded")
	}
	out := c.imports(exitDone, v2, answer, v0)
	c.says(out, "of 2019-01-11", "records 3: 1 new, 0 unchanged, 2 changed, 0 conflicting, 0 refused")
	c.says(c.ask("compare", "NCT09101301"), append(same, "!conflict")...)
}

// A selection of fields says nothing of what it lacks.
func fieldsLimited(c *caseRun) {
	whole, some := c.file("NCT09100007-full.json"), c.file("NCT09100007-fields.json")
	c.says(c.imports(exitDone, whole, some), "a selection of fields", "!removed")
	c.compared("NCT09100007", []string{whole, some}, nil, "!not reported", "!removed", "!reported as specified", "a selection of fields")
	c.says(c.offline(exitDone, "diff", whole, some), "!removed")
}

// Numbers of other registers and libraries in a file's name are not the registry's.
func fileNames(c *caseRun) {
	c.says(c.imports(exitDone, c.files("*.json")...), "records 3: 3 new", "!refused ")
}

// A record with results that this copy lacks says nothing of what was reported.
func resultsElsewhere(c *caseRun) {
	files := c.files("*.json")
	c.imports(exitDone, files...)
	c.compared("NCT09100009", files, nil, "reported outcomes: not known", "submitted 2020-01-10", "!reported as specified",
		"!no results are logged")
}

// identifiers are read as the second column says.
func identifiers(c *caseRun) {
	table, err := os.ReadFile(c.file("ids.txt"))
	if err != nil {
		c.t.Fatal(err)
	}
	want := map[string]string{ // where the column has words
		"U1111-1111-1111": "utn:U1111-1111-1111", "EU CT " +
			"2024-515914-43-00": "euct:2024-515914-43", "2024-515914-44-01": "euct:2024-515914-44",
		"2022-000123-19":  "eudract:2022-000123-19",
		"JPRN-C000000123": "umin:C000000123", "C000000124": "umin:C000000124", "ACTRN012605000123457": "actrn:ACTRN12605000123457",
		"ACTRN12605000123457p": "actrn:ACTRN12605000123457",
		"PHRR200101-002345":    "phrr:PHRR200101-002345", "SNCTP000001234": "snctp:SNCTP000001234", "CTR20201234": "ctr:CTR20201234",
		"UMIN-CTR UMIN000012346": "umin:UMIN000012346", "HKUCTR-1234": "refuse", "NCT 0910 0050": "refuse", "NL20001.068.07": "refuse",
		"EudraCT number: 2013-003828-38": "eudract:2013-003828-38",
	}
	for line := range strings.Lines(string(table)) {
		typed, right, ok := strings.Cut(strings.TrimRight(line, "\r\n"), "\t")
		if !ok {
			continue
		}
		if w := want[typed]; w != "" {
			right = w
		}
		// A history of nothing is answered by the number that was understood.
		_, out, status := c.log().run(slices.Concat([]string{"trial", "history"}, c.log().flags, []string{"identifier:" + typed})...)
		switch {
		case strings.HasPrefix(right, "refuse"):
			if status != exitUsage {
				c.t.Errorf("%s: status %d, want a refusal\n%s", typed, status, out)
			}
		case status == exitUsage:
			c.t.Errorf("%s is refused, want %s\n%s", typed, right, out)
		case strings.Contains(right, ":") && !strings.Contains(out, right):
			c.t.Errorf("%s: want %s in\n%s", typed, right, out)
		}
	}
}

// What is no record of the registry is named, and what to do; collections are read
// however they are packed.
func otherShapes(c *caseRun) {
	for file, want := range map[string]string{
		"bad-date.json": "no date such " +
			"as", "csv-download.csv": "CSV", "ctis.json": "CTIS", "utf16.json": "UTF-16", "v1-study-fields.json": "selected fields",
	} {
		out := c.imports(exitInvalid, c.file(file))
		c.says(out, "refused ", want)
		c.says(c.offline(exitInvalid, "diff", c.file(file), c.file("bom.json")), want)
	}
	for file, want := range map[string][]string{"ictrp.xml": {"ictrp", "ICTRP", "nct:NCT09100103"}, "isrctn.xml": {"isrctn", "ISRCTN",
		"isrctn:ISRCTN47772397"}} {
		c.says(c.imports(exitInvalid, c.file(file)), "refused ", want[1], "trial import "+want[0])
		_, out, status := c.log().run(slices.Concat([]string{"trial", "import"}, c.log().flags, []string{"-key", "ada.key", want[0],
			c.file(file)})...)
		if status != exitDone {
			c.t.Errorf("%s: status %d\n%s", file, status, out)
		}
		c.says(out, "new "+want[2], "records 1:")
		c.says(c.ask("compare", want[2]), "Pain")
	}
	for _, file := range []string{"bulk.json.gz", "bulk.ndjson", "bulk.zip", "two-records.json", "v2-search-page.json"} {
		c.says(c.imports(exitDone, c.file(file)), "nct:NCT09100101", "nct:NCT09100102", "records 2:", "0 conflicting, 0 refused")
	}
	for _, file := range []string{"bom.json", "dated-time.json", "int-study.json", "nulls.json"} {
		c.says(c.imports(exitDone, c.file(file)), "records 1:", "0 conflicting, 0 refused")
	}
}

// A file that is named for a number which its record had before is imported, and who
// asks for that number is told of the present one.
func alias(c *caseRun) {
	c.says(c.imports(exitDone, c.file("NCT09100108.json")), "new nct:NCT09100107", "NCT09100108 is an obsolete number")
	c.says(c.ask("compare", "NCT09100108"), "obsolete number of NCT09100107")
	c.says(c.ask("compare", "NCT09100107"), "!obsolete")
	c.says(c.imports(exitDone, c.file("NCT09100108.json")), "1 unchanged")
}

// facts returns what would become public of a document.
func (c *caseRun) facts(file string) string {
	c.t.Helper()
	return c.ask("submit", "-key", "ada.key", "-trial", c.log().trial, "-kind", "document", "-facts", "-n", file)
}

// Countries are known by code and by long name.
func fhirCountry(c *caseRun) {
	c.says(c.facts(c.file("iso2.json")), `"euSite":"yes"`)
	c.says(c.facts(c.file("usa.json")), `"usSite":"yes"`)
	c.says(c.facts(c.file("usoa.json")), `"usSite":"yes"`)
	unknown := filepath.Join(c.t.TempDir(), "unknown.json")
	data, err := os.ReadFile(c.file("usa.json"))
	if err == nil {
		err = os.WriteFile(unknown, []byte(strings.Replace(string(data), `"country": "US"`, `"country": "Freedonia"`, 1)), 0o644)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	c.says(c.facts(unknown), "!usSite", "!euSite")
}

// The EU's outermost regions and the territories of the United States count.
func euOutermost(c *caseRun) {
	c.imports(exitDone, c.files("*.json")...)
	c.says(c.ask("deadlines", "-at", "2026-01-01", "NCT09100401"), "EU-SUM not determinable", "a site in the EU or EEA: yes")
	c.says(c.ask("deadlines", "-at", "2026-01-01", "NCT09100402"), "!no site in the United States")
	c.says(c.facts(c.file("NCT09100402.json")), `"usSite":"yes"`)
}

// Only the same words are as specified; what else differs is named.
func comparePairs(c *caseRun) {
	c.log()
	for folder, want := range map[string][]string{
		"a-mortality":      {"unclear: primary", `"All-cause" against "Cardiovascular"`, "!reported as specified"},
		"a1-time-to-death": {"unclear: primary", `"any cause" against "cardiovascular causes"`, "!reported as specified"},
		"a7-itt":           {"unclear: primary", `"intention-to-treat" against "per-protocol"`, "!reported as specified"},
		"b-mace-expand":    {"unclear: primary", "reworded, to be judged", "!replaced", "!not reported"},
		"b2-selfreport":    {"unclear: primary", `"Self-reported" against "Biochemically verified"`, "!reported as specified"},
		"c-timepoint":      {"unclear: primary", "12 weeks against 24 weeks", "!reported as specified"},
		"d-duplicates": {`not reported: primary "Pain VAS" [12 weeks]`, `reported as specified: primary "Pain VAS" [4 weeks]`,
			`reported as specified: primary "Pain VAS" [24 weeks]`},
		"e-units-days": {"reported as specified: primary", "time frames same"},
		"g-html":       {"reported as specified: primary", "!new and", "!not reported"},
		"j-subgroup":   {"unclear: primary", "narrowed", `"in PD-L1 positive participants"`, "!reported as specified"},
		"n-negation":   {"unclear: primary", `"with" against "without"`, "!reported as specified"},
		"o-scale":      {"unclear: primary", "another instrument", "!reported as specified"},
		"s-article": {`demoted: primary "Pain`, `promoted: secondary "Sleep`,
			`new and undeclared: reported as secondary "quality of life`},
	} {
		c.t.Run(folder, func(t *testing.T) {
			x := c.in(t, folder)
			x.imports(exitDone, x.files("*.json")...)
			for _, earlier := range x.files("*-0.json") {
				number := strings.TrimSuffix(filepath.Base(earlier), "-0.json")
				var flags []string
				if folder == "s-article" {
					flags = []string{"-article", x.file("article.txt")}
				}
				x.compared(number, []string{earlier, x.file(number + "-1.json")}, flags, want...)
			}
		})
	}
}

// A dry run goes on over a record that stands there twice.
func dryRunDuplicate(c *caseRun) {
	for _, files := range [][]string{{c.file("a.json"), c.file("b.json")}, {c.file("array.json")}, {c.file("a.json"), c.file("a.json"),
		c.file("b.json")}} {
		args := append([]string{"-key", "ada.key", "-n", "ctgov"}, files...)
		_, out, status := c.log().run(slices.Concat([]string{"trial", "import"}, c.log().flags, args)...)
		if status != exitDone {
			c.t.Errorf("%v: status %d\n%s", files, status, out)
		}
		c.says(out, `"predicate":`, "unchanged")
	}
}

// A site in the United States that a version once had counts.
func applicability(c *caseRun) {
	c.imports(exitDone, c.files("*.json")...)
	c.says(c.ask("deadlines", "-at", "2021-12-01", "NCT09100811"), "FDA-RES overdue", "!no site in the United States")
	c.says(c.ask("deadlines", "-at", "2021-12-01", "NCT09100812"), "FDA-RES not applicable", "says otherwise")
}

// A protocol that is logged today does not say what was reported.
func undatedProtocol(c *caseRun) {
	earlier, later := c.file("NCT09100821-0.json"), c.file("NCT09100821-1.json")
	want := []string{`demoted: primary "Pain`, `promoted: secondary "Sleep`, "!reported as specified"}
	c.imports(exitDone, earlier, later)
	c.compared("NCT09100821", []string{earlier, later}, nil, want...)
	c.log().trialCmd("identify", "-key", "ada.key", "-trial", c.log().trial, "NCT09100821")
	c.log().trialCmd("submit", "-key", "ada.key", "-trial", c.log().trial, "-kind", "protocol", "-version", "1.0", "-facts", "-out",
		"protocol", earlier)
	c.says(c.ask("compare", "NCT09100821"), want...)
	c.says(c.ask("compare", c.log().trial), want...)
}

// An article's levels are understood in each of its forms.
func articleForms(c *caseRun) {
	versions := (&caseRun{t: c.t, folder: filepath.Join(filepath.Dir(c.folder), "17-compare", "s-article")}).files("*.json")
	c.imports(exitDone, versions...)
	for _, name := range []string{"bom-crlf.txt", "ctgov-print.txt", "headers.txt", "obj.json"} {
		want := []string{`demoted: primary "Pain`, `promoted: secondary "Sleep`, "!reported as specified"}
		if name == "ctgov-print.txt" || name == "headers.txt" {
			want = append(want, `new and undeclared: reported as secondary "Quality of life`)
		}
		c.compared("NCT09100519", versions, []string{"-article", c.file(name)}, want...)
	}
	bad := filepath.Join(c.t.TempDir(), "article.txt")
	if err := os.WriteFile(bad, []byte("primary: sleep quality index at 12 weeks\n\nEfficacy outcomes\n- pain\n"), 0o644); err != nil {
		c.t.Fatal(err)
	}
	c.says(c.offline(exitUsage, append([]string{"compare", "-article", bad}, versions...)...), "line 3", "Efficacy outcomes")
}

// A phase is known by NCI's code.
func fhirPhaseCode(c *caseRun) {
	hl7, nci := c.file("phase1-hl7.json"), c.file("phase1-nci.json")
	c.says(c.offline(exitDone, "diff", hl7, nci), "no change in what is read")
	c.says(c.facts(nci), `"phases":["phase1"]`)
	w := c.log()
	w.trialCmd("identify", "-key", "ada.key", "-trial", w.trial, "NCT09101101")
	w.trialCmd("submit", "-key", "ada.key", "-trial", "NCT09101101", "-kind", "observation", "-date", "2021-03-02", "-facts", "-out",
		"observed", nci)
	c.says(c.ask("deadlines", "-at", "2099-01-01", w.trial), "FDA-RES not applicable: the trial is of phase 1")
}

// The same record on three days is one entry and two notes.
func versionHolderOnly(c *caseRun) {
	files := c.files("*.json")
	c.says(c.imports(exitDone, files...), "records 3: 1 new, 2 unchanged", "in the day of its download alone")
	c.says(c.imports(exitDone, files[1], files[2]), "records 2: 0 new, 2 unchanged")
	_, out, _ := c.log().run(slices.Concat([]string{"trial", "import"}, c.log().flags, []string{"-key", "ada.key", "-n", "ctgov"},
		files)...)
	if n := strings.Count(out, `"predicate":`); n != 1 {
		c.t.Errorf("%d statements, want one\n%s", n, out)
	}
	c.says(c.ask("compare", "NCT09101201"), "!conflict")
}
