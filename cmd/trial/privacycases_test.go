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
	c.says(c.imports(exitDone, c.file("NCT09100904.json"), c.file("NCT09100901.json")), "withheld, for they name a person or hold an address: outcomes")
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
		c.says(c.imports(exitDone, file), "withheld, for they name a person or hold an address: identifiers")
	}
	if !strings.Contains(c.shown(c.file("NCT09101015.json"))["submit"], "2017-001234-12") {
		c.t.Error("a registry's number is no fact")
	}
}
