package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// shown returns the facts that an import and a submission of a file would publish, each
// as it is printed, with what is said of it.
func (c *caseRun) shown(file string) map[string]string {
	c.t.Helper()
	args := []string{"-key", "ada.key", "-n", "ctgov", file}
	_, imported, status := c.log().run(slices.Concat([]string{"trial", "import"}, c.log().flags, args)...)
	if status != exitDone {
		c.t.Fatalf("%s: status %d\n%s", file, status, imported)
	}
	return map[string]string{"import": imported, "submit": c.facts(file)}
}

// privacy: no name in whatever spelling is in what would become public, and no text that
// has none is withheld.
func privacy(c *caseRun) {
	for number, want := range map[string][]string{ // what must be there, and with ! must not
		"901": {`"name":"individual"`, "!Amal", "!Bint"},
		"902": {`"name":"individual"`, "!Jane", "!Sample"},
		"903": {`"name":"individual"`, "!Jane", "!Sample"},
		"904": {`"measure":"[withheld]"`, "!rgen", "!sterlich"},
		"905": {`"measure":"[withheld]"`, "!degaard", "!degard", "!Soren"},
		"906": {`"measure":"[withheld]"`, "!Sample"},
		"907": {`"measure":"[withheld]"`, "!Muster"},
		"908": {`"officialTitle":"[withheld]"`, "!J.Sample", `"measure":"Pain intensity, numeric rating scale"`},
		"909": {`"measure":"[withheld]"`, "!jane", "!sample"},
		"910": {`"measure":"[withheld]"`, `"timeFrame":"[withheld]"`, "!jane"},
		"911": {`"measure":"[withheld]"`, "!Roebuck"},
		"912": {`"measure":"[withheld]"`, "!Roebuck"},
		"913": {`"measure":"[withheld]"`, "!Roebuck"},
		"914": {"!JaneSample", `"value":"[withheld]"`},
		"915": {`"measure":"[withheld]"`, "!assani"},
		"916": {`"name":"individual"`, "!Jane", "!JANE", "!Sample"},
		"917": {`"measure":"Mark on a line of 100 mm in young adults"`, "!Mark Young"},
		"918": {`"measure":"Rose Bengal and green dye staining"`, "!Rose Green"},
		"919": {`"measure":"Hamilton Depression Rating Scale, long-term"`, "!John"},
	} {
		file := c.file("NCT09100" + number + ".json")
		for how, out := range c.shown(file) {
			c.t.Run(how+" "+number, func(t *testing.T) { (&caseRun{t: t, folder: c.folder}).says(out, want...) })
		}
	}
	if n := len(c.files("*.json")); n != 19 {
		c.t.Errorf("%d files, 19 are looked at", n)
	}
	// What is imported for good says which members were withheld.
	c.says(c.imports(exitDone, c.file("NCT09100904.json"), c.file("NCT09100901.json")),
		"withheld because they name a person or contain an address: outcomes")
}

// sponsorNumbers: a number of the sponsor's that holds a name is withheld; others stay.
func sponsorNumbers(c *caseRun) {
	for _, file := range c.files("*.json") {
		out := c.shown(file)["import"]
		if filepath.Base(file) == "NCT09101015.json" {
			c.says(out, "EX-2020-17", "2017-001234-12", "!withheld")
			continue
		}
		c.says(out, `{"type":"sponsor","value":"[withheld]"}`, "!Sample", "!sample", "!oebu", "!smple")
		c.says(c.imports(exitDone, file), "withheld because they name a person or contain an address: identifiers")
	}
	if !strings.Contains(c.shown(c.file("NCT09101015.json"))["submit"], "2017-001234-12") {
		c.t.Error("a registry's number is no fact")
	}
}

// TestConfirmedText: -facts publishes codes, dates, numbers and outcomes, and free text
// only where it was confirmed as the preview has shown it.
func TestConfirmedText(t *testing.T) {
	folder, err := filepath.Abs("testdata/cases/24-privacy")
	if err != nil {
		t.Fatal(err)
	}
	c := &caseRun{t: t, folder: folder}
	w := c.log()
	file, other := c.file("NCT09100918.json"), c.file("NCT09100917.json")
	submit := func(status int, args ...string) (string, string) {
		t.Helper()
		out, said, got := w.apart(slices.Concat([]string{"trial", "submit"}, w.flags, []string{"-key", "ada.key", "-trial", w.trial,
			"-kind", "document"}, args)...)
		if got != status {
			t.Fatalf("submit %v: status %d\n%s", args, got, said)
		}
		return out, said
	}
	preview, said := submit(exitDone, "-facts", "-n", file)
	coded := []string{
		`"measure":"Rose Bengal and green dye staining"`, `"title":"[withheld]"`, `"officialTitle":"[withheld]"`,
		`"sponsor":{"class":"industry","name":"[withheld]"}`, `"phases":["phase3"]`,
		`{"type":"nct","value":"NCT09100918"}`, `{"type":"sponsor","value":"[withheld]"}`, `"conditions":["[withheld]"]`,
		`"usSite":"yes"`, "!Examplinib", "!EX-1", "!Low Back Pain",
	}
	c.says(preview, coded...)
	c.says(said, "title: Examplinib in Low Back Pain", "sponsor: Example Pharma", "identifiers: EX-1", "conditions: Low Back Pain",
		"add -confirm ", "!Rose Green")
	_, after, _ := strings.Cut(said, "-confirm ")
	code, _, _ := strings.Cut(after, ";")
	full, said := submit(exitDone, "-facts", "-confirm", code, "-n", file)
	c.says(full, `"title":"Examplinib in Low Back Pain"`, `"name":"Example Pharma"`, `"value":"EX-1"`, "!Rose Green")
	c.says(said, "!free text")
	for _, args := range [][]string{{"-facts", "-confirm", code, other}, {"-facts", "-confirm", "000000000000", file}, {"-confirm", code,
		file}} {
		if _, said := submit(exitUsage, append([]string{"-out", "refused"}, args...)...); !strings.Contains(said, "-confirm") {
			t.Errorf("%v: %s", args, said)
		}
	}
	// Scripts that give -facts alone go on, and are told.
	_, said = submit(exitDone, "-facts", "-out", "coded", file)
	c.says(said, "free text was not confirmed and is not published: conditions, identifiers, officialTitle, sponsor, title")
	// What was logged is compared without what it withholds being a change.
	c.says(c.imports(exitDone, file), "new nct:NCT09100918")
}
