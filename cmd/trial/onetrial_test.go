package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestOneTrialInEveryFormat logs NCT03421379 as its sponsor and its registry have
// it: protocol and SAP as PDF, the protocol as a USDM study, the registry's record
// as two FHIR resources. Whichever of its numbers is typed, that is one trial with
// one history, in which every document is found again.
func TestOneTrialInEveryFormat(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short")
	}
	const root = "../../../shared/data/"
	from := map[string]string{
		"protocol.pdf": "protocol-pdf/EliLilly_NCT03421379_Diabetes.pdf", "sap.pdf": "protocol-pdf/NCT03421379_TRULICITY_SAP.pdf",
		"protocol.json":  "usdm/EliLilly_NCT03421379_Diabetes.json",
		"registry.json":  "fhir-r6-ebm/ResearchStudy-a-study-of-nasal-glucagon-ly-in-japanese-p-example.json",
		"registry2.json": "fhir-r6-ebm/ResearchStudy-a-study-of-nasal-glucagon-ly-in-japanese-p2-example.json",
	}
	data := map[string][]byte{}
	for name, path := range from {
		var err error
		if data[name], err = os.ReadFile(root + path); err != nil {
			trialtest.Skip(t, err.Error())
		}
	}
	stores(t, func(t *testing.T, store string) {
		w := newTown(t, store)
		for name, d := range data {
			if err := os.WriteFile(filepath.Join(w.dir, name), d, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		submit := func(args ...string) { w.trialCmd("submit", append([]string{"-key", "ada.key"}, args...)...) }
		w.trial = w.trialCmd("register", "-key", "ada.key", "-number", "I8R-JE-IGBJ")
		w.trialCmd("identify", "-key", "ada.key", "-trial", w.trial, "NCT03421379")
		submit("-trial", "NCT03421379", "-kind", "protocol", "-version", "1.0", "-dated", "2017-12-01", "protocol.pdf")
		submit("-trial", w.trial, "-kind", "sap", "-version", "1.0", "-analysis", "final", "sap.pdf")
		submit("-trial", "sponsor:acme/I8R-JE-IGBJ", "-kind", "document", "-facts", "-elements", "secret", "protocol.json")
		for _, name := range []string{"registry.json", "registry2.json"} {
			submit("-trial", "NCT03421379", "-kind", "observation", "-facts", "-date", "2026-03-01", name)
		}
		// A document of another trial is not logged as this one's.
		_, out, status := w.run(slices.Concat([]string{"trial", "submit"}, w.flags, []string{"-key", "ada.key", "-trial", "NCT03421380",
			"-kind", "observation", "-facts", "-date", "2026-03-01", "-out", "other", "registry.json"})...)
		if status != exitInvalid || !strings.Contains(out, "is of nct:NCT03421379, not of nct:NCT03421380") {
			t.Errorf("logged under another number: status %d\n%s", status, out)
		}

		for i, typed := range []string{w.trial, "NCT03421379", "sponsor:acme/I8R-JE-IGBJ"} {
			file := fmt.Sprintf("report-%d", i)
			w.stated("report", "-o", file+".html", typed)
			twin, err := os.ReadFile(filepath.Join(w.dir, file+".json"))
			if err != nil {
				t.Fatal(err)
			}
			for name, d := range data {
				if digest := trial.Hash(sha256.Sum256(d)).String(); strings.Count(string(twin), `"sha256 `+digest) != 1 {
					t.Errorf("the report on %s does not have %s once", typed, name)
				}
			}
			// The record's two exports and the protocol are versions of one trial.
			compared := w.stated("compare", typed)
			for _, want := range []string{
				"start 2018-02-21 actual by " +
					"entry", `primary outcome reworded: "Proportion achieving treatment success" -> "Percentage of Participants Achieving Treatment Success`,
				"(protocol) has no facts",
			} {
				if !strings.Contains(compared, want) {
					t.Errorf("compare %s lacks %q:\n%s", typed, want, compared)
				}
			}
		}
		w.stop()
		if _, out, status := w.run("trial", "verify-history", "-policy", "policy", "report-0.json"); status != exitPending ||
			!strings.Contains(out, "the report lists these entries") {
			t.Errorf("the report's twin: status %d\n%s", status, out)
		}
		// A report from which what others observed is taken, with its proof, is not whole.
		var short map[string]json.RawMessage
		var proofs []json.RawMessage
		var entries []any
		twin, err := os.ReadFile(filepath.Join(w.dir, "report-0.json"))
		if err == nil {
			err = errors.Join(json.Unmarshal(twin, &short), json.Unmarshal(short["proofs"], &proofs), json.Unmarshal(short["entries"],
				&entries))
		}
		if err == nil {
			short["proofs"], err = json.Marshal(proofs[:1])
		}
		if err == nil {
			short["entries"], err = json.Marshal(slices.DeleteFunc(entries,
				func(e any) bool { return e.(map[string]any)["kind"] == "observation" }))
		}
		if err != nil {
			t.Fatal(err)
		}
		if twin, err = json.Marshal(short); err == nil {
			err = os.WriteFile(filepath.Join(w.dir, "short.json"), twin, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, out, status := w.run("trial", "verify-history", "-policy", "policy", "short.json"); status != exitInvalid ||
			!strings.Contains(out, "no history of identifier nct:NCT03421379") {
			t.Errorf("a report without its observations: status %d\n%s", status, out)
		}
		if _, out, status := w.run("trial", "verify", "-policy", "policy", "protocol.pdf", "sap.pdf", "protocol.json", "registry.json",
			"registry2.json"); status != exitDone || strings.Count(out, "\nwhat:") != len(from) {
			t.Errorf("status %d\n%s", status, out)
		}
		w.run("trial", "disclose", "-elements", "secret", "-part", "endpoints/1", "-o", "endpoint.json", "protocol.json")
		if _, out, status := w.run("trial", "verify-part", "-policy", "policy", "endpoint.json"); status != exitDone ||
			!strings.Contains(out, "treatment success") {
			t.Errorf("status %d\n%s", status, out)
		}
	})
}

// stated runs a command whose answer is complete as stated by the operator, for no
// witness of the town replays.
func (w *town) stated(name string, args ...string) string {
	w.t.Helper()
	_, out, status := w.run(slices.Concat([]string{"trial", name}, w.flags, args)...)
	if status != exitPending || !strings.Contains(out, "stated by the operator") {
		w.t.Fatalf("%s %v: status %d\n%s", name, args, status, out)
	}
	return out
}
