package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/history"
)

// TestProvenByAll: what is concluded from several histories is complete by the
// operator's word where one of them is, be it the last one's.
func TestProvenByAll(t *testing.T) {
	t.Parallel()
	o := newOperator(t, 2, "r1", "r2", "w3")
	o.document("1.0")
	o.agree(0, "r1", "r2", "w3")
	about := []string{"-log", o.http.URL, "-policy", o.policy}
	commands := map[string][]string{"status": nil, "report": {"-o", "FILE.html"}, "export": {"-o", "FILE.zip"}}
	all := func(file string, want int) {
		t.Helper()
		for name, out := range commands {
			args := append([]string{"trial", name}, about...)
			for _, a := range out {
				args = append(args, strings.Replace(a, "FILE", file, 1))
			}
			if said, status := o.run(append(args, o.trial().String())...); status != want {
				t.Errorf("%s %s: status %d, want %d\n%s", file, name, status, want, said)
			}
		}
	}
	all("replayed", exitDone)

	// The log leaves a replaying witness out of what it shows of the sponsor alone;
	// the quorum holds without.
	replay := regexp.MustCompile(`— r2\.example/replay .*\n`)
	o.lie = func(h *history.History) {
		if h.Kind == "org" {
			h.Checkpoint = replay.ReplaceAllString(h.Checkpoint, "")
		}
	}
	all("stated", exitPending)

	// So does whoever hands on a report.
	file := filepath.Join(o.dir, "replayed.json")
	twin, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if said, status := o.run("trial", "verify-history", "-policy", o.policy, file); status != exitDone {
		t.Fatalf("the report as drawn: status %d\n%s", status, said)
	}
	proofs, orgs, ok := strings.Cut(string(twin), `"organisationProofs"`)
	pared := regexp.MustCompile(`— r2\.example/replay [^\\]*\\n`).ReplaceAllString(orgs, "")
	if !ok || pared == orgs {
		t.Fatal("the report has no cosignature of r2 on the sponsor's history")
	}
	if err := os.WriteFile(file, []byte(proofs+`"organisationProofs"`+pared), 0o644); err != nil {
		t.Fatal(err)
	}
	if said, status := o.run("trial", "verify-history", "-policy", o.policy, file); status != exitInvalid || !strings.Contains(said,
		"not what follows from its entries") {
		t.Errorf("a report that claims more than its proofs: status %d\n%s", status, said)
	}
}
