package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// registryRecords returns the real exports of ClinicalTrials.gov, and skips the
// test where they are not.
func registryRecords(t *testing.T) []string {
	t.Helper()
	root, err := filepath.Abs("../../../shared/data")
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, pattern := range []string{
		"ctgov-v1-fullstudies/*.json", "ctgov-v2/collections/*.json", "ctgov-v2/studies/*.json", "ctgov-v2/versions/*",
		"ctgov-xml/*.xml", "ctgov-xml-versions/*/*.xml",
	} {
		list, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, list...)
	}
	if len(files) == 0 {
		trialtest.Skip(t, "the real input files are not here")
	}
	return files
}

// An imported is the report of an import, as it is printed.
type imported struct {
	Records int
	Counts  map[string]int
	List    []importRecord
}

// importAll imports files and returns the report. Refused records make the status 1.
func (w *town) importAll(status int, files ...string) imported {
	w.t.Helper()
	args := slices.Concat([]string{"trial", "import"}, w.flags, []string{"-key", "ada.key", "-json", "-seen", "2026-03-01", "ctgov"}, files)
	stdout, stderr, got := w.apart(args...)
	if got != status {
		w.t.Fatalf("status %d\n%s", got, stderr)
	}
	var r imported
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		w.t.Fatal(err)
	}
	return r
}

// TestImportRealRecords imports every record that there is, twice. Each is logged
// with a receipt or refused by name; a second import adds nothing; files that
// declare the day of another are conflicts; and no person, address or number that
// any record has is in any entry.
func TestImportRealRecords(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short")
	}
	files := registryRecords(t)
	stores(t, func(t *testing.T, store string) {
		w := newTown(t, store)
		r := w.importAll(1, files...)
		t.Logf("%d records of %d files: %v", r.Records, len(files), r.Counts)
		refused := map[string]string{}
		conflicting := map[string]bool{}
		has := w.receiptsOf()
		for _, x := range r.List {
			name := filepath.Base(filepath.Dir(x.File)) + "/" + filepath.Base(x.File)
			switch x.Status {
			case importRefused:
				refused[name] = x.Reason
				continue
			case importConflicting:
				conflicting[name] = true
			}
			if r, ok := has[x.ID]; !ok || x.Status != importUnchanged && r.Document != x.SHA256 {
				t.Errorf("%s record %d is %s and has no receipt", name, x.Record, x.Status)
			}
		}
		w.nothingLeft()
		for name, why := range map[string]string{
			"studies/NCT02552212_2024-01-03_results_aact02278341.json": "the file's name says NCT02278341",
			"NCT02654730/2017-08-08_v2.xml":                            "not well-formed",
		} {
			if !strings.Contains(refused[name], why) {
				t.Errorf("%s: refused for %q, want %q", name, refused[name], why)
			}
			delete(refused, name)
		}
		if len(refused) > 0 {
			t.Errorf("refused: %v", refused)
		}
		if !conflicting["NCT02988895/2017-08-08_v2.xml"] {
			t.Errorf("the file that declares another's day is no conflict: %v", conflicting)
		}
		sum := 0
		for _, n := range r.Counts {
			sum += n
		}
		if sum != r.Records || len(r.List) != r.Records || r.Counts[importNew] < 300 {
			t.Errorf("%d records, %d listed, counts %v", r.Records, len(r.List), r.Counts)
		}
		size := w.size()
		again := w.importAll(1, files...)
		if want := (map[string]int{importUnchanged: r.Records - r.Counts[importRefused],
			importRefused: r.Counts[importRefused]}); again.Counts[importUnchanged] != want[importUnchanged] ||
			again.Counts[importRefused] != want[importRefused] {
			t.Errorf("imported again: %v, want %v", again.Counts, want)
		}
		if now := w.size(); now != size {
			t.Errorf("importing again made the log grow from %s to %s entries", size, now)
		}
		statements := w.payloads()
		w.stop()
		noPersonalData(t, statements, files)
	})
}

// receiptsOf returns the receipts of an import by the ids of their statements. None is there twice.
func (w *town) receiptsOf() map[trial.Hash]receipt.Filed {
	w.t.Helper()
	p, err := pickReceipts(filepath.Join(w.dir, "receipts", "ctgov.receipts"), func(receipt.Filed) bool { return true })
	if err != nil || len(p.damaged) > 0 {
		w.t.Fatalf("%v, damaged: %v", err, p.damaged)
	}
	has := map[trial.Hash]receipt.Filed{}
	for _, r := range p.list {
		if _, twice := has[r.ID]; twice {
			w.t.Errorf("the receipt of %s is there twice", r.ID)
		}
		has[r.ID] = r
	}
	return has
}

// nothingLeft asserts that an import has left no statement without a receipt.
func (w *town) nothingLeft() {
	w.t.Helper()
	for _, pattern := range []string{"*.statement", "*.sending"} {
		if left, _ := filepath.Glob(filepath.Join(w.dir, "receipts", pattern)); len(left) > 0 {
			w.t.Errorf("left over: %v", left)
		}
	}
}

// TestImportGenerated imports 200 generated records, or 5,000 where
// TRIALPROOF_TEST_LARGE is set, from one export as the registry's download gives
// it; each has a receipt that holds, and a second import adds nothing.
func TestImportGenerated(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short")
	}
	n := 200
	if os.Getenv("TRIALPROOF_TEST_LARGE") != "" {
		n = 5000
	}
	stores(t, func(t *testing.T, store string) {
		w := newTown(t, store)
		b := []byte(`{"studies": [`)
		for i := range n {
			if i > 0 {
				b = append(b, ",\n"...)
			}
			b = append(b, generated(i)...)
		}
		export := filepath.Join(w.dir, "export.json")
		if err := os.WriteFile(export, append(b, "]}\n"...), 0o644); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		r := w.importAll(0, export)
		t.Logf("%d records imported in %s", r.Records, time.Since(began).Round(time.Millisecond))
		if r.Counts[importNew] != n {
			t.Fatalf("counts %v, want %d new", r.Counts, n)
		}
		if has := w.receiptsOf(); len(has) != n {
			t.Fatalf("%d receipts of %d records", len(has), n)
		}
		w.nothingLeft()
		size := w.size()
		began = time.Now()
		if r = w.importAll(0, export); r.Counts[importUnchanged] != n || w.size() != size {
			t.Errorf("imported again: %v, the log has %s entries and had %s", r.Counts, w.size(), size)
		}
		t.Logf("and again in %s", time.Since(began).Round(time.Millisecond))
		w.stop()
		for _, i := range []int{0, n / 2, n - 1} {
			name := fmt.Sprintf("record-%d.json", i)
			w.write(name, string(generated(i)))
			if _, out, status := w.run("trial", "verify", "-policy", "policy", "-proof", "receipts/ctgov.receipts", name); status != exitDone ||
				!strings.Contains(out, fmt.Sprintf("observation of nct:NCT%d", 10_000_000+i)) {
				t.Errorf("%s: status %d\n%s", name, status, out)
			}
		}
	})
}

// TestImportManyFiles imports more files of one record than are logged at once.
// What is refused is said, whether it is tried or done.
func TestImportManyFiles(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short")
	}
	w := newTown(t, "")
	var files []string
	for i := range importWindow + 1 {
		name := filepath.Join(w.dir, fmt.Sprintf("dump20261125-%d.json", i))
		if err := os.WriteFile(name, generated(i), 0o644); err != nil {
			t.Fatal(err)
		}
		files = append(files, name)
	}
	args := slices.Concat([]string{"trial", "import"}, w.flags, []string{"-key", "ada.key", "-n", "ctgov"})
	shown, said, status := w.apart(append(args, files...)...)
	if status != exitDone || strings.Count(shown, "\n") != len(files) {
		t.Errorf("status %d, %d statements of %d files\n%s", status, strings.Count(shown, "\n"), len(files), said)
	}
	if err := os.Rename(files[importWindow-1], filepath.Join(w.dir, "NCT99999999.json")); err != nil {
		t.Fatal(err)
	}
	files[importWindow-1] = filepath.Join(w.dir, "NCT99999999.json")
	_, said, status = w.apart(append(args, files...)...)
	if status != exitInvalid || !strings.Contains(said, "refused "+files[importWindow-1]+" record 1: the file's name says NCT99999999") {
		t.Errorf("status %d\n%s", status, said)
	}
	// A damaged line of an earlier import holds up nothing.
	w.write("receipts/ctgov.sending", "{\"envelope\":{}}\n{\"envelope\":")
	r := w.importAll(exitDone, files[:3]...)
	if r.Counts[importNew] != 3 {
		t.Errorf("%+v", r)
	}
	if data, err := os.ReadFile(matchOne(t, w.dir, "receipts/ctgov.sending.aside-*")); err != nil || !bytes.HasPrefix(data, []byte("{\"env")) {
		t.Errorf("%q, %v", data, err)
	}
	w.nothingLeft()
	if r = w.importAll(exitDone, files[:3]...); r.Counts[importUnchanged] != 3 {
		t.Errorf("%+v", r.Counts)
	}
}

// TestImportLaterWindow: a version that comes long after another of the same trial names it all the
// same, though the log had nothing of the trial when the import began.
func TestImportLaterWindow(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short")
	}
	w := newTown(t, "")
	var b bytes.Buffer
	for i := range importWindow {
		b.Write(generated(i))
	}
	const later = 40 // of the first window's last trials, of which some are still on their way
	for i := range later {
		b.Write(bytes.Replace(generated(importWindow-1-i), []byte(`"lastUpdatePostDateStruct": {"date": "2026-01-1`),
			[]byte(`"lastUpdatePostDateStruct": {"date": "2026-02-1`), 1))
	}
	w.write("export.json", b.String())
	r := w.importAll(exitDone, "export.json")
	if r.Counts[importNew] != importWindow || r.Counts[importChanged] != later {
		t.Errorf("%v", r.Counts)
	}
	for number, list := range w.observations() {
		before := trial.Hash{}
		for _, x := range list {
			if o := x.Statement.Predicate.(*trial.Observation); o.Previous != before {
				t.Errorf("%s: an observation of %s names %s before it, want %s", number, o.Dated, o.Previous, before)
			}
			before = x.ID
		}
	}
}

// generated returns a record of the registry, another for each number.
func generated(i int) []byte {
	return fmt.Appendf(nil, `{"protocolSection": {
				"identificationModule": {"nctId": "NCT%08[1]d", "orgStudyIdInfo": {"id": "GEN-%[1]d"}, "briefTitle": "Examplinib %[1]d in Chronic Low Back Pain",
					"officialTitle": "A Randomised, Double-Blind, Placebo-Controlled Trial of Examplinib %[1]d mg in Adults With Chronic Low Back Pain"},
				"statusModule": {"statusVerifiedDate": "2026-01", "overallStatus": "COMPLETED", "startDateStruct": {"date": "2024-0%[2]d", "type": "ACTUAL"},
					"primaryCompletionDateStruct": {"date": "2025-0%[2]d-15", "type": "ACTUAL"}, "studyFirstSubmitDate": "2024-01-05",
					"lastUpdateSubmitDate": "2026-01-10", "lastUpdatePostDateStruct": {"date": "2026-01-1%[2]d", "type": "ACTUAL"}},
				"sponsorCollaboratorsModule": {"leadSponsor": {"name": "Example Pharma", "class": "INDUSTRY"}},
				"oversightModule": {"oversightHasDmc": true, "isFdaRegulatedDrug": true, "isFdaRegulatedDevice": false},
				"designModule": {"studyType": "INTERVENTIONAL", "phases": ["PHASE3"], "enrollmentInfo": {"count": %[1]d, "type": "ACTUAL"}},
				"outcomesModule": {"primaryOutcomes": [{"measure": "Change from baseline in pain intensity on the 0-10 numeric rating scale", "timeFrame": "%[2]d weeks"}],
					"secondaryOutcomes": [{"measure": "Sleep quality on the Pittsburgh Sleep Quality Index", "timeFrame": "12 weeks"}]},
				"contactsLocationsModule": {"locations": [{"country": "United States"}, {"country": "Germany"}]}}, "hasResults": false}`, 10_000_000+i, 1+i%9)
}

// size returns the log's size, as its checkpoint says it.
func (w *town) size() string {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join(w.dir, "log", "checkpoint"))
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.Split(string(data), "\n")[1]
}

// payloads returns every statement that the log holds, read from its tiles.
func (w *town) payloads() string {
	w.t.Helper()
	size, err := strconv.Atoi(w.size())
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := client.New(w.log.url)
	if err != nil {
		w.t.Fatal(err)
	}
	var b strings.Builder
	for n := 0; n < size; n += 256 {
		path := fmt.Sprintf("tile/entries/%03d", n/256)
		if left := size - n; left < 256 {
			path += fmt.Sprintf(".p/%d", left)
		}
		data, err := c.Tile(w.t.Context(), path)
		if err != nil {
			w.t.Fatal(err)
		}
		b.WriteString(decodePayloads(w.t, data))
	}
	return b.String()
}

// noPersonalData looks in statements for whatever people, addresses and telephone
// numbers the files have. It reads the files in its own way.
func noPersonalData(t *testing.T, statements string, files []string) {
	t.Helper()
	if n := strings.Count(statements, "/observation@v1"); n < 300 {
		t.Fatalf("only %d observations are looked at", n)
	}
	if bad := regexp.MustCompile(`[A-Za-z0-9._%+-]+(@|\(at\))[A-Za-z0-9-]+\.[A-Za-z]`).FindString(statements); bad != "" {
		t.Errorf("an entry has what looks like an address: %s", bad)
	}
	secrets := map[string]bool{}
	var sponsors []string
	for _, m := range regexp.MustCompile(`"sponsor":\{"class":"(industry|nih|fed|network|other-gov)","name":"((?:[^"\\]|\\.)*)"`).FindAllStringSubmatch(statements, -1) {
		sponsors = append(sponsors, m[2])
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Ext(name) == ".xml" {
			xmlSecrets(data, secrets)
			continue
		}
		var v any
		if err := json.Unmarshal(data, &v); err != nil {
			t.Fatal(err)
		}
		jsonSecrets(v, secrets)
	}
	if len(secrets) < 500 {
		t.Fatalf("only %d names, addresses and numbers were found in the files", len(secrets))
	}
	lower := strings.ToLower(statements)
	for s := range secrets {
		if slices.ContainsFunc(sponsors, func(o string) bool { return strings.HasPrefix(o, s) || strings.HasPrefix(s, o) }) {
			continue // an organisation that is its own official or contact
		}
		// One word is a title or a department's, such as "Sponsor"; with a space, comma
		// or digit it is a name or a number.
		low := strings.ToLower(s)
		if !strings.ContainsAny(low, " ,@0123456789") || strings.Contains(low, "director") {
			continue
		}
		if i := strings.Index(lower, low); i >= 0 && alone(lower, i, len(low)) {
			t.Errorf("an entry has %q: …%s…", s, lower[max(0, i-60):min(len(lower), i+len(low)+60)])
		}
	}
	t.Logf("%d names, addresses and numbers looked for in %d bytes of statements", len(secrets), len(statements))
}

// alone reports whether what stands at i is not part of a longer word or number.
func alone(s string, i, n int) bool {
	word := func(k int) bool {
		return k >= 0 && k < len(s) && (s[k] >= 'a' && s[k] <= 'z' || s[k] >= '0' && s[k] <= '9' || s[k] >= 0x80)
	}
	return !word(i-1) && !word(i+n)
}

// jsonSecrets collects the members that name or reach people.
func jsonSecrets(v any, found map[string]bool) {
	person := func(m map[string]any, members ...string) {
		for _, k := range members {
			if s, ok := m[k].(string); ok && len(s) >= 5 {
				found[strings.Join(strings.Fields(s), " ")] = true
			}
		}
	}
	switch x := v.(type) {
	case []any:
		for _, e := range x {
			jsonSecrets(e, found)
		}
	case map[string]any:
		person(x, "phone", "email", "investigatorFullName", "oldNameTitle", "CentralContactName", "OverallOfficialName",
			"LocationContactName",
			"CentralContactPhone", "CentralContactEMail", "LocationContactPhone", "LocationContactEMail",
			"ResponsiblePartyInvestigatorFullName")
		for k, e := range x {
			if k == "overallOfficials" || k == "centralContacts" || k == "contacts" {
				for _, c := range e.([]any) {
					person(c.(map[string]any), "name", "phone", "email")
				}
			}
			jsonSecrets(e, found)
		}
	}
}

// xmlSecrets collects the elements that name or reach people.
func xmlSecrets(data []byte, found map[string]bool) {
	d := xml.NewDecoder(bytes.NewReader(data))
	var element string
	for {
		t, err := d.Token()
		if err != nil {
			return // at the end, or where it is not well-formed and the record is refused
		}
		switch t := t.(type) {
		case xml.StartElement:
			element = t.Name.Local
		case xml.EndElement:
			element = ""
		case xml.CharData:
			s := strings.Join(strings.Fields(string(t)), " ")
			if len(s) >= 5 && slices.Contains([]string{"last_name", "phone", "email", "investigator_full_name", "name_title"}, element) {
				found[s] = true
			}
		}
	}
}
