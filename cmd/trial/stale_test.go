package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestOlderTreeForANumber: a log that answers with an older tree for a trial's
// number would hide what was observed since. Nothing is concluded from two trees.
func TestOlderTreeForANumber(t *testing.T) {
	w := newTown(t, "")
	const record = `{"protocolSection": {"identificationModule": {"nctId": "NCT09999991", "briefTitle": "Examplinib"},
		"statusModule": {"startDateStruct": {"date": "2026-01-10", "type": "ACTUAL"}},
		"outcomesModule": {"primaryOutcomes": [{"measure": "Pain"}]}}, "derivedSection": {"miscInfoModule": {"versionHolder": "2025-12-01"}}}`
	export := func(data string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(w.dir, "export.json"), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
		w.importAll(0, "export.json")
	}
	w.trialCmd("identify", "-key", "ada.key", "-trial", w.trial, "NCT09999991")
	export(record)
	res, err := http.Get(w.log.url + "/v1/history?kind=identifier&id=nct:NCT09999991")
	if err != nil {
		t.Fatal(err)
	}
	old, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	export(strings.NewReplacer("Pain", "Sleep", "2025-12-01", "2026-06-01").Replace(record))
	w.stated("report", "-o", "report.html", "NCT09999991")

	target, err := url.Parse(w.log.url)
	if err != nil {
		t.Fatal(err)
	}
	pass := httputil.NewSingleHostReverseProxy(target)
	liar := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/history" && r.URL.Query().Get("kind") == "identifier" && strings.HasPrefix(r.URL.Query().Get("id"), "nct:") {
			rw.Write(old)
			return
		}
		pass.ServeHTTP(rw, r)
	}))
	defer liar.Close()
	w.flags[slices.Index(w.flags, "-log")+1] = liar.URL
	for _, command := range [][]string{{"compare", w.trial}, {"deadlines", w.trial}, {"report", "-o", "stale.html", w.trial}} {
		_, out, status := w.run(slices.Concat([]string{"trial", command[0]}, w.flags, command[1:])...)
		if status != exitPending || !strings.Contains(out, "is of the tree of size") || strings.Contains(out, "policy SHA-256") {
			t.Errorf("%v: status %d\n%s", command, status, out)
		}
	}

	// The same in a report's file.
	var report map[string]json.RawMessage
	var proofs []json.RawMessage
	data, err := os.ReadFile(filepath.Join(w.dir, "report.json"))
	if err == nil {
		err = json.Unmarshal(data, &report)
	}
	if err == nil {
		err = json.Unmarshal(report["proofs"], &proofs)
	}
	if err != nil || len(proofs) != 2 {
		t.Fatal(len(proofs), err)
	}
	proofs[1] = old
	if report["proofs"], err = json.Marshal(proofs); err == nil {
		if data, err = json.Marshal(report); err == nil {
			err = os.WriteFile(filepath.Join(w.dir, "stale.json"), data, 0o644)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, out, status := w.run("trial", "verify-history", "-policy", "policy", "stale.json"); status != exitInvalid || !strings.Contains(out, "is of the tree of size") {
		t.Errorf("a report of two trees: status %d\n%s", status, out)
	}
}
