package vectors

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestSecondOpinionReceipts: verify.py, which was written from docs/spec.md alone, judges every
// receipt as the vectors say, once with whatever it finds and once with the program openssl. To
// show that it can disagree, it is also given vectors that are wrong.
func TestSecondOpinionReceipts(t *testing.T) {
	python := os.Getenv("TRIALPROOF_TEST_PYTHON")
	if python == "" {
		trialtest.Skip(t, "TRIALPROOF_TEST_PYTHON names no Python 3")
	}
	judge := func(args ...string) (said string, status int) {
		t.Helper()
		cmd := exec.Command(python, append([]string{"-B", "verify.py"}, args...)...)
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return string(out), cmd.ProcessState.ExitCode()
	}
	for _, args := range [][]string{{"-vectors", "."}, {"-openssl", "-vectors", "."}} {
		said, status := judge(args...)
		if status != 0 || !strings.Contains(said, " receipts, 0 judged otherwise") {
			t.Errorf("%v: exit status %d:\n%s", args, status, said)
		}
	}

	data, err := os.ReadFile("vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var index struct {
		Cases []*vector `json:"cases"`
	}
	if err := json.Unmarshal(data, &index); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*vector){
		"receipt/ed25519":      func(c *vector) { c.Verdict, c.Part, c.Facts = invalid, "entry", nil },
		"receipt/altered-file": func(c *vector) { c.Part = "entry" },
		"receipt/crlf":         func(c *vector) { c.Verdict, c.Part = invalid, "receipt" },
		"receipt/ecdsa":        func(c *vector) { c.Facts.(map[string]any)["saw"] = 3.0 },
	} {
		i := slices.IndexFunc(index.Cases, func(c *vector) bool { return c.Name == name })
		if i < 0 {
			t.Fatalf("there is no case %s", name)
		}
		c := *index.Cases[i]
		dir := t.TempDir()
		for _, f := range append([]string{c.Policy, c.Receipt}, c.Documents...) {
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(f)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, f), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		change(&c)
		wrong, err := json.Marshal(map[string]any{"cases": []*vector{&c}})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "vectors.json"), wrong, 0o644); err != nil {
			t.Fatal(err)
		}
		if said, status := judge("-vectors", dir); status != 1 || !strings.Contains(said, "1 receipts, 1 judged otherwise") {
			t.Errorf("%s, altered: exit status %d:\n%s", name, status, said)
		}
	}

	said, status := judge("-policy", "policies/two-of-three", "-receipt", "receipts/ed25519.tlog-proof", "documents/altered-protocol.txt")
	var v struct{ Verdict, Part string }
	if err := json.Unmarshal([]byte(said), &v); err != nil || status != 1 || v.Verdict != invalid || v.Part != "file" {
		t.Errorf("exit status %d (%v):\n%s", status, err, said)
	}
}
