package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// behind returns a log that answers as the town's does, but for what a lie makes of it.
func (w *town) behind(lie func(r *http.Request, body []byte) []byte) {
	w.t.Helper()
	target, err := url.Parse(w.log.url)
	if err != nil {
		w.t.Fatal(err)
	}
	pass := httputil.NewSingleHostReverseProxy(target)
	pass.ModifyResponse = func(res *http.Response) error {
		body, err := io.ReadAll(res.Body)
		if err != nil {
			return err
		}
		body = lie(res.Request, body)
		res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		res.Header.Set("Content-Length", fmt.Sprint(len(body)))
		return nil
	}
	liar := httptest.NewServer(pass)
	w.t.Cleanup(liar.Close)
	w.flags[slices.Index(w.flags, "-log")+1] = liar.URL
}

// TestImportBelievesNoList: what a log lists as observed by one's own organisation
// is held to its signatures and receipts.
func TestImportBelievesNoList(t *testing.T) {
	t.Parallel()
	w := newTown(t, "")
	w.ok("trial", "keygen", "-name", "Carol Shaw", "-org", "cro", "-out", "carol")
	w.trialCmd("org", "-key", "registrar.key", "-id", "cro", "-name", "CRO", "carol.pub")
	if err := os.WriteFile(filepath.Join(w.dir, "export.json"), generated(0), 0o644); err != nil {
		t.Fatal(err)
	}
	w.trialCmd("import", "-key", "carol.key", "-out", "carols", "ctgov", "export.json")
	var mu sync.Mutex // guards what follows
	var old, now string
	var lied bool
	w.behind(func(r *http.Request, body []byte) []byte {
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path != "/v1/records/entries" {
			return body
		}
		lied = lied || bytes.Contains(body, []byte(old))
		return bytes.ReplaceAll(body, []byte(old), []byte(now))
	})
	for _, c := range []struct{ old, now, says string }{
		{`\"org\":\"cro\"`, `\"org\":\"acme\"`, "its receipt: it is for an observation by cro"},
		{`\"sig\":\"`, `\"sig\":\"AAAA`, "invalid: entry"},
	} {
		mu.Lock()
		old, now, lied = c.old, c.now, false
		mu.Unlock()
		_, out, status := w.run(slices.Concat([]string{"trial", "import"}, w.flags, []string{"-key", "ada.key", "ctgov", "export.json"})...)
		mu.Lock()
		told := lied
		mu.Unlock()
		if !told || status != exitInvalid || !strings.Contains(out, c.says) {
			t.Errorf("%s: status %d\n%s", c.now, status, out)
		}
		if has := w.receiptsOf(); len(has) > 0 {
			t.Errorf("%s: left %v", c.now, has)
		}
		w.nothingLeft()
	}
}

// TestOlderTreeForANumber: a log that answers with an older tree for a trial's
// number would hide what was observed since. Nothing is concluded from two trees.
func TestOlderTreeForANumber(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short")
	}
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

	w.behind(func(r *http.Request, body []byte) []byte {
		if r.URL.Path == "/v1/history" && r.URL.Query().Get("kind") == "identifier" && strings.HasPrefix(r.URL.Query().Get("id"), "nct:") {
			return old
		}
		return body
	})
	for _, command := range [][]string{
		{"compare", w.trial}, {"deadlines", w.trial}, {"report", "-o", "stale.html", w.trial}, {"status", w.trial}, {"export", "-o",
			"stale.zip", w.trial},
	} {
		_, out, status := w.run(slices.Concat([]string{"trial", command[0]}, w.flags, command[1:])...)
		if status != exitInvalid || !strings.Contains(out, "is of the tree of size") || strings.Contains(out, "policy SHA-256") {
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
	if _, out, status := w.run("trial", "verify-history", "-policy", "policy", "stale.json"); status != exitInvalid ||
		!strings.Contains(out, "is of the tree of size") {
		t.Errorf("a report of two trees: status %d\n%s", status, out)
	}
}
