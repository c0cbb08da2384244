package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/evidence"
	"github.com/trialproof/trialproof/witness"
)

// TestForksAreEvidence: what `trialwitness forks` prints is in the one form that
// `trial evidence` takes.
func TestForksAreEvidence(t *testing.T) {
	dir := t.TempDir()
	l := newLog()
	key, err := witness.NewKey("witness.example/w1", witness.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	w, err := witness.Open(witness.Config{Dir: dir, Key: key, Logs: []witness.Log{{VKey: l.vkey}}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, body := range []string{"old 0\n\n" + l.checkpoint(1, "one"), "old 1\n\n" + l.checkpoint(1, "<other> & more"), "old 1\n\n" +
		l.checkpoint(1, "third")} {
		w.AddCheckpoint([]byte(body))
	}
	var stdout, stderr strings.Builder
	if got := program.Run(t.Context(), []string{"forks", "-dir", dir}, nil, &stdout, &stderr); got != failed {
		t.Fatalf("status %d: %s", got, &stderr)
	}
	policy, err := checkpoint.ParsePolicy([]byte("log " + l.vkey + "\nquorum none\n"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range bytes.Lines([]byte(stdout.String())) {
		x, err := evidence.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		v, err := x.Verify(policy)
		if err != nil || v.Kind != evidence.Fork || v.Size != 1 || v.Origin != "log.example/a" {
			t.Errorf("%+v, %v", v, err)
		}
		if err := witness.CheckFork([]string{l.vkey}, line); err != nil {
			t.Error(err)
		}
		if again := x.Marshal(); witness.CheckFork([]string{l.vkey}, again) != nil {
			t.Error("checkfork does not take what trial writes")
		}
		n++
	}
	if n != 2 {
		t.Errorf("%d lines", n)
	}
}
