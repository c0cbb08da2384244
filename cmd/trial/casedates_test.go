package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The cases of deadlines and dates.

// altered writes a file of the case with other words in it, pairs of old and new.
func (c *caseRun) altered(name string, pairs ...string) string {
	c.t.Helper()
	data, err := os.ReadFile(c.file(name))
	if err != nil {
		c.t.Fatal(err)
	}
	text := string(data)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			c.t.Fatalf("%s has no %q", name, pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	path := filepath.Join(c.t.TempDir(), pairs[1]+filepath.Ext(name))
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		c.t.Fatal(err)
	}
	return path
}

// rule returns what a command printed of one rule.
func rule(out, name string) string {
	_, after, _ := strings.Cut("\n"+out, "\n"+name+" ")
	lines := strings.Split(after, "\n")
	n := slices.IndexFunc(lines[1:], func(l string) bool { return !strings.HasPrefix(l, "  ") })
	return strings.Join(lines[:n+1], "\n") + "\n"
}

// judged imports files and holds what a rule says to what is wanted: by the facts of the
// import, and by the files themselves.
func (c *caseRun) judged(number, at, name string, files []string, want ...string) {
	c.t.Helper()
	c.imports(exitDone, files...)
	byFacts := rule(c.ask("deadlines", "-at", at, number), name)
	c.says(byFacts, want...)
	args := []string{"-at", at}
	for _, f := range files {
		args = append(args, "-files", f)
	}
	byFiles := rule(c.ask("deadlines", append(args, number)...), name)
	if a, b := verdictOf(byFacts), verdictOf(byFiles); a != b {
		c.t.Errorf("%s: by the import %q, by the files %q", number, a, b)
	}
}

func verdictOf(out string) string {
	line, _, _ := strings.Cut(out, "\n")
	return line
}

// Results that were sent and taken back do not stand.
func withdrawnResults(c *caseRun) {
	const at = "2021-12-01"
	events := func(list string) []string {
		return []string{`     {
      "type": "RELEASE",
      "date": "2019-11-20"
     },
     {
      "type": "RESET",
      "date": "2019-12-20"
     },
     {
      "type": "UNRELEASE",
      "date": "2020-06-01"
     }`, list}
	}
	json := func(number, list string, more ...string) []string {
		pairs := append([]string{"NCT09100022", number}, events(list)...)
		return []string{c.altered("NCT09100022-reset-unrelease.json", append(pairs, more...)...)}
	}
	gone := []string{c.file("NCT09100002-a.json"), c.file("NCT09100002-b.json")}
	c.judged("NCT09100002", at, "FDA-RES", gone, "not determinable", "gone from the later version",
		"of 2020-01-05 says were sent by 2019-11-20")
	c.says(rule(c.ask("deadlines", "-at", "2020-03-01", "NCT09100002"), "FDA-RES"),
		"ok, due 2019-12-01, done 2019-11-20") // the first version alone
	overdue := []string{"overdue, due 2019-12-01", "sent and taken back: submitted 2019-11-20"}
	c.judged("NCT09100022", at, "FDA-RES", []string{c.file("NCT09100022-reset-unrelease.json")}, append(overdue,
		"returned 2019-12-20, canceled 2020-06-01")...)
	c.judged("NCT09100032", at, "FDA-RES", json("NCT09100032",
		`{"type":"RELEASE","date":"2019-11-20"},{"type":"UNRELEASE","dateUnknown":true}`), append(overdue, "canceled on an unknown day")...)
	c.judged("NCT09100042", at, "FDA-RES", []string{c.file("NCT09100042-xml-canceled.xml")}, overdue...)
	c.judged("NCT09100052", at, "FDA-RES", []string{c.altered("NCT09100042-xml-canceled.xml", "NCT09100042", "NCT09100052",
		"<submission_canceled>February 1, 2020", "<submission_canceled>Unknown")}, overdue...)
	c.judged("NCT09100062", at, "FDA-RES", []string{c.file("NCT09100062-xml-submitted.xml")}, "ok, due 2019-12-01, done 2019-11-20",
		"returned 2019-12-20")
	c.judged("NCT09100072", at, "FDA-RES", json("NCT09100072", `{"type":"RELEASE","date":"2019-05-29"},{"type":"RESET","date":"2019-06-24"},{"type":"RELEASE","date":"2019-08-29"},
		{"type":"RESET","date":"2019-09-22"},{"type":"UNRELEASE","date":"2020-02-11"}`), "overdue, due 2019-12-01", "canceled 2020-02-11")
	c.judged("NCT09100082", at, "FDA-RES", json("NCT09100082",
		`{"type":"RELEASE","date":"2019-11-20"},{"type":"UNRELEASE","date":"2020-02-01"},{"type":"RELEASE","date":"2021-09-14"}`,
		`"versionHolder": "2020-07-05"`, `"versionHolder": "2021-10-05"`), "late, due 2019-12-01, done 2021-09-14")
	// Sent again on a day that the register does not know: after it was taken back.
	c.judged("NCT09100092", at, "FDA-RES", json("NCT09100092",
		`{"type":"RELEASE","date":"2019-11-20"},{"type":"UNRELEASE","date":"2019-11-25"},{"type":"RELEASE","dateUnknown":true}`),
		"not determinable", "between 2019-11-25 and 2020-07-05")
}

// 42 CFR 11.22(b)(1).
func postmarketSurveillance(c *caseRun) {
	c.imports(exitDone, c.file("NCT09100004.json"), c.altered("NCT09100004.json", "NCT09100004", "NCT09100104", `"OBSERVATIONAL"`,
		`"INTERVENTIONAL"`),
		c.altered("NCT09100004.json", "NCT09100004", "NCT09100114", `"isPpsd": true`, `"isPpsd": false`))
	out := c.ask("deadlines", "-at", "2021-12-01", "NCT09100004")
	for _, name := range []string{"FDA-REG", "FDA-RES", "FDA-UPD", "FDA-PCD", "FDA-DEV"} {
		c.says(rule(out, name), "not determinable", "42 CFR 11.22(b)(1)", "paediatric postmarket surveillance of a device: yes")
	}
	c.says(rule(c.ask("deadlines", "-at", "2021-12-01", "NCT09100104"), "FDA-RES"), "overdue, due 2020-03-01") // a clinical trial
	c.says(rule(c.ask("deadlines", "-at", "2021-12-01", "NCT09100114"), "FDA-RES"), "not applicable: the trial is not interventional")
}

// A trial in which nobody was ever enrolled owes no updates.
func withdrawnUpdate(c *caseRun) {
	c.judged("NCT09100005", "2021-12-01", "FDA-UPD", c.files("*.json"), "not applicable: withdrawn before anybody was enrolled")
	out := c.ask("deadlines", "-at", "2021-12-01", "NCT09100005")
	for _, name := range []string{"FDA-REG", "FDA-RES", "FDA-PCD", "ICMJE-REG"} {
		c.says(rule(out, name), "not applicable: withdrawn")
	}
	c.judged("NCT09100105", "2021-12-01", "FDA-UPD", []string{c.altered("NCT09100005.json", "NCT09100005", "NCT09100105", `"count": 0`,
		`"count": 3`)}, "overdue")
}

// A completion that was moved later clears nothing.
func movedCompletion(c *caseRun) {
	c.judged("NCT09100006", "2021-12-01", "FDA-PCD", c.files("*.json"), "not determinable, due 2019-02-09, done 2019-05-01",
		"the date primary-completion was edited: 2019-01-10 actual", "2019-04-20 actual")
	// A version that was updated after the last day and does not have it yet leaves nothing open.
	c.judged("NCT09100106", "2021-12-01", "FDA-PCD", []string{c.altered("NCT09100006-0.json", "NCT09100006", "NCT09100106", "2018-06-01",
		"2019-03-01", "2018-06-03", "2019-03-03"),
		c.altered("NCT09100006-a.json", "NCT09100006", "NCT09100106")}, "late, due 2019-02-09, done 2019-05-01", "updated on "+
		"2019-03-01, does not have it yet")
}

// Whether a certificate came in time may be open.
func certificates(c *caseRun) {
	before := []string{c.file("NCT09100301-before-due.json")}
	c.judged("NCT09100301", "2021-12-01", "FDA-RES", before, "overdue, due 2021-11-30")
	c.judged("NCT09100301", "2021-11-30", "FDA-RES", before, "excused, due 2021-11-30")
	c.judged("NCT09100302", "2021-12-01", "FDA-RES", []string{c.file("NCT09100302-after-due.json")},
		"late, due 2019-12-01, done 2020-05-01", "delays nothing")
	month := []string{c.file("NCT09100303-month.json")}
	c.judged("NCT09100303", "2021-12-01", "FDA-RES", month, "not determinable", "depends on the day within the month")
	c.judged("NCT09100303", "2022-01-01", "FDA-RES", month, "overdue") // with the certificate as without
	c.judged("NCT09100304", "2023-01-01", "FDA-RES", []string{c.file("NCT09100304-beyond-2y.json")},
		"late, due 2021-11-30, done 2022-05-01")
}

// A month, or the same day, does not say which came first.
func registeredAfter(c *caseRun) {
	month := c.altered("NCT09100701-month.json", "NCT09100701", "NCT09100703", `"date": "2015-10"`, `"date": "2015-10", "type": "ACTUAL"`)
	for number, file := range map[string]string{"NCT09100701": c.file("NCT09100701-month.json"), "NCT09100703": month} {
		c.judged(number, "2016-12-01", "ICMJE-REG", []string{file}, "not determinable", "cannot be told")
		c.says(c.ask("compare", number), "it cannot be told whether the trial was registered before the start",
			"!registered after the start")
	}
	c.judged("NCT09100702", "2016-12-01", "ICMJE-REG", []string{c.file("NCT09100702-same-day.json")}, "ok, due 2015-10-23",
		"registered on the day of the start", "cannot be told")
	c.says(c.ask("compare", "NCT09100702"), "registered on the day of the start (2015-10-23", "!registered after the start")
	late := c.altered("NCT09100702-same-day.json", "NCT09100702", "NCT09100704", `"studyFirstSubmitDate": "2015-10-23"`,
		`"studyFirstSubmitDate": "2015-10-24"`)
	c.judged("NCT09100704", "2016-12-01", "ICMJE-REG", []string{late}, "late, due 2015-10-23")
	c.says(c.ask("compare", "NCT09100704"), "registered after the start")
}

// A start that was moved behind its registration is named.
func movedStart(c *caseRun) {
	for _, number := range []string{"NCT09100801", "NCT09100802"} {
		files := c.files(number + "*")
		for _, name := range []string{"ICMJE-REG", "FDA-REG"} {
			c.judged(number, "2021-12-01", name, files, "not determinable", "registered on 2015-08-15", "had begun by 2015-06",
				"recruiting", "the start was moved behind the registration", "2015-09-01 actual by entry")
		}
		c.compared(number, files, nil, "it was moved behind the registration of 2015-08-15", "!reported as specified")
	}
}

// The older JSON has the review in a section of its own.
func olderPending(c *caseRun) {
	c.judged("NCT09101001", "2021-12-01", "FDA-RES", c.files("*.json"), "ok, due 2019-12-01, done 2019-11-20",
		"results in the register's review: submitted 2019-11-20")
	back := c.altered("NCT09101001.json", "NCT09101001", "NCT09101002", `"UnpostedEventDate": "November 20, 2019"
       }`, `"UnpostedEventDate": "November 20, 2019"
       }, {"UnpostedEventType": "Unrelease", "UnpostedEventDate": "Unknown"}`)
	c.judged("NCT09101002", "2021-12-01", "FDA-RES", []string{back}, "overdue, due 2019-12-01", "canceled on an unknown day")
}

// TestRule: what a rule's lines are.
func TestRule(t *testing.T) {
	if got := rule("A ok\n  asks\nAB late: why\n  note: x\nnote: y\n", "AB"); got != "late: why\n  note: x\n" {
		t.Errorf("%q", got)
	}
}
