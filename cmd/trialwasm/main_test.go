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
	file := map[string]string{"name": "plan.pdf", "sha256hex": subjects[0].Digest.SHA256.String()}
	other := map[string]string{"name": "plan.pdf", "sha256hex": strings.Repeat("0", 64)}

	cases := []struct {
		args []any
		part string
		want string
	}{
		{[]any{policy, text, []any{file}}, "", "valid: plan.pdf is the document that was logged"},
		{[]any{policy, text, []any{}}, "", "no file was given"},
		{[]any{policy, text, []any{other}}, "file", "plan.pdf has the SHA-256 0000"},
		{[]any{policy, strings.Replace(text, "index 4", "index 3", 1), []any{file}}, "inclusion proof", "does not lead"},
		{[]any{strings.Replace(policy, "quorum w", "quorum x", 1), text, []any{file}}, "policy", "no line above"},
		{[]any{policy, "", []any{}}, "receipt", "this is no receipt"},
		{[]any{policy, text}, "arguments", "the policy's text"},
		{[]any{policy, text, []any{map[string]string{"name": "x"}}}, "arguments", "file 1"},
		{[]any{policy, text, []any{map[string]string{"name": "x", "sha256hex": "AB"}}}, "arguments", "64 hexadecimal"},
		{[]any{policy, nil, []any{}}, "arguments", "the policy's text"},
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
			OK                bool
			Text, Part, Error string
		}
		if err := json.Unmarshal(answers[i], &a); err != nil {
			t.Fatal(err)
		}
		if a.OK != (c.part == "") || a.Part != c.part || !strings.Contains(a.Text+a.Error, c.want) {
			t.Errorf("call %d: %s, want part %q and %q", i, answers[i], c.part, c.want)
		}
	}
}
