package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// hostileTitle is a title as a hostile sponsor gives it: markup, and characters that ring, move the cursor
// or turn the direction of a text, with a word that is wider than any page.
var hostileTitle = `<img src=x onerror=alert(1)> "quoted" ` + "\x1b[31mred\a \u202egnihton " + strings.Repeat("W", 200)

// registryRecord is a record of ClinicalTrials.gov's form, made up.
func registryRecord(number, title, measure, posted string) string {
	text := func(s string) string {
		data, err := json.Marshal(s)
		if err != nil {
			panic(err)
		}
		return string(data)
	}
	return fmt.Sprintf(`{"protocolSection": {"identificationModule": {"nctId": %q, "briefTitle": %s, "organization": {"fullName": "Example Pharma", "class": "INDUSTRY"}},
"statusModule": {"overallStatus": "COMPLETED", "startDateStruct": {"date": "2021-01-10", "type": "ACTUAL"}, "primaryCompletionDateStruct": {"date": "2022-06-30", "type": "ACTUAL"},
"studyFirstSubmitDate": "2021-01-05", "studyFirstPostDateStruct": {"date": "2021-01-07", "type": "ACTUAL"}, "lastUpdatePostDateStruct": {"date": %q, "type": "ACTUAL"}, "lastUpdateSubmitDate": %q},
"oversightModule": {"isFdaRegulatedDrug": true, "isFdaRegulatedDevice": false}, "contactsLocationsModule": {"locations": [{"country": "United States"}]},
"armsInterventionsModule": {"interventions": [{"type": "DRUG", "name": "X"}]}, "designModule": {"studyType": "INTERVENTIONAL", "phases": ["PHASE3"], "designInfo": {"allocation": "RANDOMIZED"}},
"outcomesModule": {"primaryOutcomes": [{"measure": %s, "timeFrame": "12 weeks"}], "secondaryOutcomes": [{"measure": "Sleep quality", "timeFrame": "12 weeks"}]}}}`,
		number, text(title), posted, posted, text(measure))
}

// TestSitePages opens every page of a log in a browser, at the width of a desktop and of a phone, light
// and dark: axe-core finds nothing wrong, nothing is wider than the window, and hostile titles do no
// harm. TRIALPROOF_TEST_PICTURES names a folder for pictures of them.
func TestSitePages(t *testing.T) {
	t.Parallel()
	needVerifier(t)
	w := startTown(t, "", true)
	w.trialCmd("org", "-key", "registrar.key", "-id", "acme", "-name", "Acme & <b>Sons</b>", "ada.pub")
	w.trial = w.trialCmd("register", "-key", "ada.key", "-number", "X-1")
	w.trialCmd("identify", "-key", "ada.key", "-trial", w.trial, "NCT09900001")
	w.write("v1.json", registryRecord("NCT09900001", "Pain after surgery", "Pain intensity", "2021-01-08"))
	w.write("v2.json", registryRecord("NCT09900001", "Pain after surgery", "Pain intensity at rest", "2022-03-01"))
	w.write("other.json", registryRecord("NCT09900002", hostileTitle, hostileTitle, "2021-02-02"))
	for _, name := range []string{"v1.json", "v2.json", "other.json"} {
		w.trialCmd("import ctgov", "-key", "ada.key", "-out", "receipts", "-seen", "2026-03-01", name)
	}
	w.run("trial", "keygen", "-name", "Bo", "-org", "rival", "-out", "bo")
	w.trialCmd("org", "-key", "registrar.key", "-id", "rival", "-name", "Rival", "bo.pub")
	rival := w.trialCmd("register", "-key", "bo.key", "-number", "R-1")
	for key, id := range map[string]string{"ada.key": w.trial, "bo.key": rival} {
		w.trialCmd("identify", "-key", key, "-trial", id, "NCT09900003")
	}
	w.write("p.pdf", "the protocol\n")
	w.trialCmd("submit", "-key", "ada.key", "-trial", w.trial, "-kind", "protocol", "-version", "1.0", "p.pdf")
	w.trialCmd("submit", "-key", "ada.key", "-trial", w.trial, "-kind", "milestone", "-event", "first-enrolment", "-date", "2021-01-10")
	report := func(name, typed string) string {
		if _, out, status := w.run(append(append([]string{"trial", "report"}, w.flags...), "-o", name, typed)...); status != 0 {
			t.Fatalf("%d: %s", status, out)
		}
		return "file://" + filepath.Join(w.dir, name)
	}

	page := newTab(t, 1100, 900)
	for _, x := range []struct{ name, address, shows string }{
		{"log", w.log.url + "/", "The log now"},
		{"check", w.log.url + "/check", "Whom the verdict trusts"},
		{"trial", w.log.url + "/trial?id=NCT09900001", "this page is what the log proves"},
		{"hostile", w.log.url + "/trial?id=NCT09900002", "this page is what the log proves"},
		{"contested", w.log.url + "/trial?id=NCT09900003", "this page is what the log proves"},
		{"overview", w.log.url + "/overview", "NCT09900002"},
		{"org", w.log.url + "/org?id=acme", "Acme & <b>Sons</b>"},
		{"search", w.log.url + "/search?q=" + url.QueryEscape("NCT09900001"), "found for NCT09900001"},
		{"nothing", w.log.url + "/trial?id=NCT09900009", "Nothing is logged for NCT09900009"},
		{"docs", w.log.url + "/docs", "Routes"},
		{"editor", w.log.url + "/editor", "Compare an article's outcomes"},
		{"report", report("report.html", "NCT09900001"), "What this does not prove"},
		{"hostile-report", report("hostile.html", "NCT09900002"), "What this does not prove"},
	} {
		t.Run(x.name, func(t *testing.T) {
			page := &tab{t, page.ctx}
			for _, scheme := range []string{"light", "dark"} {
				for size, width := range map[string]int{"desktop": 1100, "phone": 390} {
					page.look(width, scheme)
					page.open(x.address)
					page.shows(x.shows)
					page.accessible(x.name + ", " + size + ", " + scheme)
					page.picture("site-" + x.name + "-" + size + "-" + scheme)
				}
			}
			text := page.text()
			if strings.ContainsAny(text, "\x1b\a\u202e") {
				t.Errorf("a character of a hostile title acts on the page:\n%s", text)
			}
			if strings.HasPrefix(x.name, "hostile") && !strings.Contains(text, "<img src=x onerror=alert(1)>") {
				t.Errorf("the hostile title is not shown as text:\n%s", text)
			}
			if n := eval[int](page, `document.querySelectorAll("img[src=x], b").length`); n > 0 {
				t.Error("markup of a title or a name became part of the page")
			}
		})
	}

	// The editor's form compares in the browser, and sends the article to nobody.
	page.look(1100, "light")
	page.open(w.log.url + "/editor")
	eval[bool](page, `(document.getElementById("asked").value = "NCT09900001", document.getElementById("article").value = "primary: Pain intensity at 24 weeks\nsecondary: Zebra counts", true)`)
	page.press("Compare")
	page.shows("Compared by your browser with what the log proves", "unclear", "Zebra counts", "not reported")
	if asked := eval[string](page, `performance.getEntriesByType("resource").map(r => r.name).join(" ")`); strings.Contains(asked, "Zebra") {
		t.Errorf("the article has left the browser: %s", asked)
	}
	page.accessible("the comparison")
	page.picture("site-comparison")

	// A number that two trials claim is no fault of the server: both are named, and lead to their pages.
	eval[bool](page, `(document.getElementById("asked").value = "NCT09900003", true)`)
	page.press("Compare")
	page.shows("claimed for 2 trials", rival, w.trial)
	page.open(w.log.url + "/trial?id=NCT09900003")
	page.shows("Who claims the number", "this page is what the log proves")
	if n := eval[int](page, `document.querySelectorAll("main a[href='trial?id=`+rival+`'], main a[href='trial?id=`+w.trial+`']").length`); n != 2 {
		t.Errorf("%d links to the two trials", n)
	}
	page.open(w.log.url + "/trial?id=" + rival)
	page.shows("NCT09900003 (contested)", "is claimed for another trial too")

	// No page for people has talk for those who type commands.
	page.open(w.log.url + "/trial?id=NCT09900002")
	page.shows("by acme's copies alone: overdue")
	if text := page.text(); regexp.MustCompile(`\s-(from|files|facts)\b`).MatchString(text) {
		t.Errorf("a flag of a command is on the page:\n%s", text)
	}

	// The table: rows lead to their proofs; the same as CSV.
	page.open(w.log.url + "/overview?sort=state&q=pain")
	page.shows("Pain after surgery", "1 to 1 of 1")
	page.open(w.log.url + "/overview?state=overdue+by+copies+alone")
	page.shows("1 to 1 of 1", "FDA-RES", "NCT09900002")
}

// TestReportPrint prints the report of a trial with 40 entries: it has at most five pages.
func TestReportPrint(t *testing.T) {
	t.Parallel()
	needVerifier(t)
	w := newTown(t, "")
	w.trialCmd("identify", "-key", "ada.key", "-trial", w.trial, "NCT09900001")
	w.write("v1.json", registryRecord("NCT09900001", "Pain after surgery", "Pain intensity", "2021-01-08"))
	w.trialCmd("import ctgov", "-key", "ada.key", "-out", "receipts", "-seen", "2026-03-01", "v1.json")
	for i := range 37 {
		name := fmt.Sprintf("d%d.pdf", i)
		w.write(name, name+"\n")
		w.trialCmd("submit", "-key", "ada.key", "-trial", w.trial, "-kind", "document", name)
	}
	w.run(append(append([]string{"trial", "report"}, w.flags...), "-o", "report.html", "NCT09900001")...)
	w.ok(append([]string{"trial", "certificate", "-policy", "policy", "-o", "certificate.html"}, "d0.pdf")...)
	page := newTab(t, 1100, 900)
	page.open("file://" + filepath.Join(w.dir, "report.html"))
	page.picture("report")
	page.open("file://" + filepath.Join(w.dir, "certificate.html"))
	page.accessible("the certificate")
	page.picture("certificate")
	page.open("file://" + filepath.Join(w.dir, "report.html"))
	if n := eval[int](page, `document.querySelectorAll(".entries > li").length`); n != 40 {
		t.Fatalf("the report has %d entries", n)
	}
	w.run(append(append([]string{"trial", "report"}, w.flags...), "-format", "pdf", "-o", "paper.pdf", "NCT09900001")...)
	pdf, err := os.ReadFile(filepath.Join(w.dir, "paper.pdf"))
	if err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("TRIALPROOF_TEST_PICTURES"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, "report.pdf"), pdf, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(regexp.MustCompile(`/Type\s*/Page\b`).FindAll(pdf, -1)); n == 0 || n > 5 || !bytes.HasPrefix(pdf, []byte("%PDF")) {
		t.Errorf("a report of 40 entries has %d pages", n)
	} else {
		t.Logf("a report of 40 entries has %d pages", n)
	}
}
