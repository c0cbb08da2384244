//go:build !wasm

package trial_test

import (
	"crypto/rand"
	"encoding/json"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestKindPage adds a kind by the steps of docs/kinds.md: its file, its row and its test
// are laid over the module, and nothing else. The test of the page must pass, and the
// program must take the kind's flags.
func TestKindPage(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles the module with another kind")
	}
	page, err := os.ReadFile("../docs/kinds.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, m := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllSubmatch(page, -1) {
		blocks = append(blocks, string(m[1]))
	}
	if len(blocks) != 3 {
		t.Fatalf("the page has %d blocks of code, not a file, a row and a test", len(blocks))
	}
	for _, i := range []int{0, 2} {
		if formatted, err := format.Source([]byte(blocks[i])); err != nil || string(formatted) != blocks[i] {
			t.Errorf("block %d of the page is not formatted as gofmt does: %v", i+1, err)
		}
	}
	table, err := os.ReadFile("kind.go")
	if err != nil {
		t.Fatal(err)
	}
	before, after, found := strings.Cut(string(table), "\n}\n\n// kinds has the rows")
	if !found {
		t.Fatal("the end of the table of kinds was not found")
	}
	row := strings.TrimSuffix(blocks[1], "\n")
	if strings.Contains(row, "\n") {
		t.Fatalf("the row is more than one: %q", row)
	}

	dir := t.TempDir()
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for name, text := range map[string]string{
		"breach.go":      blocks[0],
		"breach_test.go": blocks[2],
		"kind.go":        before + "\n" + row + "\n}\n\n// kinds has the rows" + after,
	} {
		path, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		overlay.Replace[path] = filepath.Join(dir, name)
		if err := os.WriteFile(overlay.Replace[path], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	data, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(in string, ok bool, program string, args ...string) string {
		t.Helper()
		cmd := exec.Command(program, args...)
		cmd.Dir = in
		out, err := cmd.CombinedOutput()
		if (err == nil) != ok {
			t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}

	if out := run("..", true, "go", "test", "-overlay", file, "-vet=off", "-v", "-run", "^TestBreach$",
		"./trial"); !strings.Contains(out, "--- PASS: TestBreach") {
		t.Fatalf("the page's test did not run:\n%s", out)
	}

	program := filepath.Join(dir, "trial.exe")
	run("..", true, "go", "build", "-overlay", file, "-o", program, "./cmd/trial")
	_, vkey, err := note.GenerateKey(rand.Reader, trialtest.Origin)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "policy"), []byte("log "+vkey+"\nquorum none\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run(dir, true, program, "keygen", "-name", "Ada Lovelace", "-org", "acme", "-out", "ada")
	id := strings.Repeat("ab", 32)
	submit := func(ok bool, flags ...string) string {
		t.Helper()
		return run(dir, ok, program, append([]string{"submit", "-n", "-log", "http://127.0.0.1:9", "-policy", "policy", "-key", "ada.key",
			"-trial", id}, flags...)...)
	}
	for _, c := range []struct {
		flags string
		ok    bool
		want  string
	}{
		{"-kind breach -cause protocol -date 2026-03-01", true, `"predicate":{"cause":"protocol","date":"2026-03-01","log":"` +
			trialtest.Origin + `","meaning":"author",`},
		{"-kind breach -cause protocol -date 2026-03-01", true, `/breach@v1","subject":[{"digest":{"sha256":"` + id +
			`"},"name":"trial"}]`},
		{"-kind breach -cause chance -date 2026-03-01", false, `cause is "chance"; it is protocol or regulation`},
		{"-kind breach -cause regulation -event halt", false, "-event belongs to milestone, not to breach"},
		{"-kind milestone -event halt -cause regulation", false, "-cause belongs to breach, not to milestone"},
		{"-kind other -cause regulation x", false, "results, document, observation, codebreak, breach;"},
	} {
		if out := submit(c.ok, strings.Fields(c.flags)...); !strings.Contains(out, c.want) {
			t.Errorf("%s: no %s in\n%s", c.flags, c.want, out)
		}
	}
	if out := run(dir, true, program, "submit", "-h"); !strings.Contains(out, "of a breach: protocol or regulation") {
		t.Errorf("help says nothing of the flag:\n%s", out)
	}
}
