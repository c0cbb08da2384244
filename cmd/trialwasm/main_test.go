//go:build !wasm

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// inNode makes calls in the programs that the pages load, and returns the answers.
func inNode(t *testing.T, calls [][]any) [][]byte {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		trialtest.Skip(t, "node is not on the PATH")
	}
	goRoot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		trialtest.Skip(t, "the go command is not on the PATH")
	}
	dir := t.TempDir()
	args := []string{filepath.Join("testdata", "verify.mjs"), filepath.Join(strings.TrimSpace(string(goRoot)), "lib", "wasm", "wasm_exec.js")}
	for name, of := range map[string]string{"verify": ".", "dossier": "./dossier"} {
		wasm := filepath.Join(dir, name)
		build := exec.Command("go", "build", "-o", wasm, of)
		build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", name, err, out)
		}
		args = append(args, wasm)
	}
	var in bytes.Buffer
	for _, c := range calls {
		if err := json.NewEncoder(&in).Encode(c); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(node, args...)
	cmd.Stdin, cmd.Stderr = &in, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	answers := bytes.Split(bytes.TrimSpace(out), []byte{'\n'})
	if len(answers) != len(calls) {
		t.Fatalf("%d answers to %d calls:\n%s", len(answers), len(calls), out)
	}
	return answers
}

// An answer is what a function of the verifier says.
type answer struct {
	Value   any
	Failure struct{ Verdict, Part, Error string }
}

func parse(t *testing.T, data []byte) (a answer) {
	t.Helper()
	if err := json.Unmarshal(data, &a); err != nil {
		t.Fatalf("%v: %s", err, data)
	}
	return a
}

// TestVectors: the verifier of the pages judges every published test vector as
// docs/vectors/vectors.json says, and so does trial verify -json (see cmd/trial).
func TestVectors(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	const dir = "../../docs/vectors"
	data, err := os.ReadFile(filepath.Join(dir, "vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	var index struct {
		Cases []struct {
			Name, Kind, Policy, Receipt, History, Evidence, Verdict, Part string
			Documents                                                     []string
			Facts                                                         struct {
				Index, Size                      uint64
				ID, Origin, ProvenTime, Complete string
				Subjects                         []string
			}
		}
	}
	if err := json.Unmarshal(data, &index); err != nil {
		t.Fatal(err)
	}
	file := func(name string) any { return map[string]string{"file": filepath.Join(dir, name)} }
	var calls [][]any
	for _, c := range index.Cases {
		switch c.Kind {
		case "receipt":
			files := []map[string]string{}
			for _, name := range c.Documents {
				doc, err := os.ReadFile(filepath.Join(dir, name))
				if err != nil {
					t.Fatal(err)
				}
				files = append(files, map[string]string{"name": name, "sha256": fmt.Sprintf("%x", sha256.Sum256(doc))})
			}
			list, err := json.Marshal(files)
			if err != nil {
				t.Fatal(err)
			}
			calls = append(calls, []any{"trialproof", "verify", file(c.Policy), file(c.Receipt), string(list)})
		case "history":
			calls = append(calls, []any{"trialproof", "history", file(c.Policy), file(c.History)})
		case "evidence":
			calls = append(calls, []any{"dossier", "evidence", file(c.Policy), file(c.Evidence)})
		default:
			t.Fatalf("%s: kind %s", c.Name, c.Kind)
		}
	}
	for i, data := range inNode(t, calls) {
		c, a := index.Cases[i], parse(t, data)
		verdict := a.Failure.Verdict
		if verdict == "" {
			verdict = "valid"
		}
		if verdict != c.Verdict || a.Failure.Part != c.Part {
			t.Errorf("%s: %q, part %q; want %q, part %q: %s", c.Name, verdict, a.Failure.Part, c.Verdict, c.Part, a.Failure.Error)
			continue
		}
		if c.Verdict != "valid" {
			continue
		}
		switch c.Kind {
		case "receipt":
			var v struct {
				Value struct{ Summary receipt.Summary }
			}
			v.Value.Summary.Predicate = nil
			if err := json.Unmarshal(bytes.Replace(data, []byte(`"predicate"`), []byte(`"-"`), 1), &v); err != nil {
				t.Fatal(err)
			}
			s := v.Value.Summary
			if s.Index != c.Facts.Index || s.Size != c.Facts.Size || s.ID.String() != c.Facts.ID || s.Origin != c.Facts.Origin ||
				s.ProvenTime != c.Facts.ProvenTime || len(s.Documents) != len(c.Facts.Subjects) {
				t.Errorf("%s: %s", c.Name, data)
			}
		case "history":
			var v struct{ Value history.Plain }
			if err := json.Unmarshal(data, &v); err != nil {
				t.Fatal(err)
			}
			if v.Value.Size != c.Facts.Size || v.Value.Replayed != (c.Facts.Complete == "proven") {
				t.Errorf("%s: %s", c.Name, data)
			}
		}
	}
}

// TestInNode verifies a receipt, and altered ones, in the program that the page
// loads.
func TestInNode(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
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
		{[]any{"trialproof", "verify", policy, text, good}, "", "", "plan.pdf is, to the byte, the document that was logged"},
		{[]any{"trialproof", "verify", policy, text, "[]"}, "", "", "No file was given"},
		{[]any{"trialproof", "verify", policy, text, other}, "invalid", "file", "plan.pdf has the SHA-256 0000"},
		{[]any{"trialproof", "verify", policy, strings.Replace(text, "index 4", "index 3", 1), good}, "invalid", "inclusion proof", "does not lead"},
		{[]any{"trialproof", "verify", strings.Replace(policy, "quorum w", "quorum x", 1), text, good}, "cannot be checked", "", "no line above"},
		{[]any{"trialproof", "verify", policy, "", "[]"}, "invalid", "receipt", "this is no receipt"},
		{[]any{"trialproof", "verify", policy, text}, "cannot be checked", "", "2 are given, 3 are wanted"},
		{[]any{"trialproof", "verify", policy, text, "{}"}, "cannot be checked", "", "the files"},
		{[]any{"trialproof", "verify", policy, text, list("AB")}, "cannot be checked", "", "64 hexadecimal"},
		{[]any{"trialproof", "verify", policy, nil, "[]"}, "cannot be checked", "", "number 2 is of another type"},
		{[]any{"trialproof", "policy", policy}, "", "", "quorum"},
		{[]any{"trialproof", "history", policy, "{}"}, "invalid", "", "history"},
		{[]any{"trialproof", "history", policy, "{"}, "invalid", "", ""},
	}
	var calls [][]any
	for _, c := range cases {
		calls = append(calls, c.args)
	}
	answers := inNode(t, calls)
	for i, c := range cases {
		a := parse(t, answers[i])
		if (a.Value != nil) != (c.verdict == "") || a.Failure.Verdict != c.verdict || a.Failure.Part != c.part ||
			!strings.Contains(string(answers[i]), c.want) {
			t.Errorf("call %d: %s, want verdict %q, part %q and %q", i, answers[i], c.verdict, c.part, c.want)
		}
	}
}
