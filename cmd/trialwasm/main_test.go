//go:build !wasm

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestInNode verifies a receipt, and altered ones, in the program that the page
// loads.
func TestInNode(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		trialtest.Skip(t, "node is not on the PATH")
	}
	goRoot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		trialtest.Skip(t, "the go command is not on the PATH")
	}
	wasm := filepath.Join(t.TempDir(), "verify.wasm")
	build := exec.Command("go", "build", "-o", wasm, ".")
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build for %s: %v\n%s", runtime.GOARCH, err, out)
	}

	l := trialtest.NewLog(t)
	p, s := trialtest.Org("acme", "Acme", "ada")
	l.Admit("registrar", p, s)
	p, s = trialtest.Register("X-1")
	id := l.Admit("ada", p, s).ID
	subjects := trialtest.Documents("document", "the plan")
	l.Admit("ada", &trial.Document{Common: trialtest.Common(), Trial: id}, subjects)
	l.Close()
	log := trialtest.Cosigner{Key: trialtest.Origin, Alg: 0x01}
	w := trialtest.Cosigner{Key: "w.example", Alg: 0x06, Time: 1_800_000_000}
	policy := fmt.Sprintf("log %s\nwitness w %s\nquorum w\n", log.VKey(), w.VKey())
	text := string(l.Receipt(l.Size()-2, l.Size(), trialtest.Checkpoint(t, l.Tree(l.Size()), log, w), nil))
	list := func(digest string) string {
		data, err := json.Marshal([]map[string]string{{"name": "plan.pdf", "sha256": digest}})
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	good, other := list(subjects[0].Digest.SHA256.String()), list(strings.Repeat("0", 64))

	cases := []struct {
		args    []any
		verdict string // of a failure
		part    string
		want    string
	}{
		{[]any{"verify", policy, text, good}, "", "", "plan.pdf is, to the byte, the document that was logged"},
		{[]any{"verify", policy, text, "[]"}, "", "", "No file was given"},
		{[]any{"verify", policy, text, other}, "invalid", "file", "plan.pdf has the SHA-256 0000"},
		{[]any{"verify", policy, strings.Replace(text, "index 4", "index 3", 1), good}, "invalid", "inclusion proof", "does not lead"},
		{[]any{"verify", strings.Replace(policy, "quorum w", "quorum x", 1), text, good}, "cannot be checked", "", "no line above"},
		{[]any{"verify", policy, "", "[]"}, "invalid", "receipt", "this is no receipt"},
		{[]any{"verify", policy, text}, "cannot be checked", "", "2 are given, 3 are wanted"},
		{[]any{"verify", policy, text, "{}"}, "cannot be checked", "", "the files"},
		{[]any{"verify", policy, text, list("AB")}, "cannot be checked", "", "64 hexadecimal"},
		{[]any{"verify", policy, nil, "[]"}, "cannot be checked", "", "number 2 is of another type"},
		{[]any{"policy", policy}, "", "", "quorum"},
		{[]any{"history", policy, "{}"}, "invalid", "", "history"},
		{[]any{"history", policy, "{"}, "invalid", "", ""},
	}
	var in bytes.Buffer
	for _, c := range cases {
		if err := json.NewEncoder(&in).Encode(c.args); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(node, filepath.Join("testdata", "verify.mjs"), filepath.Join(strings.TrimSpace(string(goRoot)), "lib", "wasm",
		"wasm_exec.js"), wasm)
	cmd.Stdin, cmd.Stderr = &in, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	answers := bytes.Split(bytes.TrimSpace(out), []byte{'\n'})
	if len(answers) != len(cases) {
		t.Fatalf("%d answers to %d calls:\n%s", len(answers), len(cases), out)
	}
	for i, c := range cases {
		var a struct {
			Value   any
			Failure struct{ Verdict, Part, Error string }
		}
		if err := json.Unmarshal(answers[i], &a); err != nil {
			t.Fatal(err)
		}
		if (a.Value != nil) != (c.verdict == "") || a.Failure.Verdict != c.verdict || a.Failure.Part != c.part ||
			!strings.Contains(string(answers[i]), c.want) {
			t.Errorf("call %d: %s, want verdict %q, part %q and %q", i, answers[i], c.verdict, c.part, c.want)
		}
	}
}
