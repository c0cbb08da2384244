package main

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
)

const bom = "\xef\xbb\xbf"

// mangle is what editors and mail programs do to a text.
var mangle = map[string]func(string) string{
	"CRLF":         func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
	"BOM":          func(s string) string { return bom + s },
	"BOM and CRLF": func(s string) string { return bom + strings.ReplaceAll(s, "\n", "\r\n") },
}

// TestMangledKeys: key files and enrolment requests are read whatever an editor did
// to their line ends. Policies and receipts know one spelling: what was done to
// them is named.
func TestMangledKeys(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var stdout, stderr strings.Builder
	if status := run(t.Context(), []string{"keygen", "-name", "Ada Lovelace", "-org", "acme", "-out", filepath.Join(dir, "ada")}, nil,
		&stdout, &stderr); status != 0 {
		t.Fatal(stderr.String())
	}
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	want, err := readKey(filepath.Join(dir, "ada.key"))
	if err != nil {
		t.Fatal(err)
	}
	for how, f := range mangle {
		k, err := readKey(write("m.key", f(read("ada.key"))))
		if err != nil || k.Name != want.Name || k.Org != want.Org || k.Public.ID() != want.Public.ID() {
			t.Errorf("%s of a key file: %v %+v", how, err, k)
		}
		if r, err := readRequest(write("m.pub", f(read("ada.pub")))); err != nil || r.Name != "Ada Lovelace" || r.Org != "acme" {
			t.Errorf("%s of an enrolment request: %v %+v", how, err, r)
		}
		word := strings.Fields(how)[0]
		if _, err := readPolicy(write("policy", f("log x\nquorum none\n"))); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s of a policy: %v", how, err)
		}
	}
	if _, err := readKey(write("empty.key", "")); err == nil || !strings.Contains(err.Error(), "is empty") {
		t.Errorf("an empty key file: %v", err)
	}
}

// TestExportNames: ids that lead to one name have a file each.
func TestExportNames(t *testing.T) {
	t.Parallel()
	var a archive
	ids := []string{"acme:x", "acme_x", "ACME/x", "acme x"}
	for _, id := range ids {
		a.addRecord(trial.RecordKey{Kind: "org", ID: id}, []byte(id))
	}
	data, err := a.close()
	if err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, f := range r.File {
		if names[strings.ToLower(f.Name)] {
			t.Errorf("two files are named %s", f.Name)
		}
		names[strings.ToLower(f.Name)] = true
	}
	if len(r.File) != len(ids) || r.File[0].Name != "org-acme_x.json" {
		t.Errorf("the export has %v", names)
	}
	a = archive{}
	a.add("policy", nil)
	a.add("POLICY", nil)
	if _, err := a.close(); err == nil {
		t.Error("two files of one name")
	}
}
