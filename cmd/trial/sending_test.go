package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestSending: what has its receipt leaves the file when the file is large, what has none stays, and
// both are so after the file was opened again.
func TestSending(t *testing.T) {
	t.Parallel()
	draftOf := func(i int) *draft {
		o := &trial.Observation{Common: trialtest.Common(), Identifier: fmt.Sprintf("nct:NCT%08d", 10_000_000+i), SeenAt: "2026-03-01",
			Source: "registry"}
		envelope, _ := trialtest.Sign(t, "ada", o, trialtest.Documents("observation", fmt.Sprint(i)))
		key, err := json.Marshal(trialtest.Public("ada"))
		if err != nil {
			t.Fatal(err)
		}
		d, err := parseSending(fmt.Appendf(nil, "{\"envelope\":%s,\"key\":%s}\n", envelope, key))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	name := filepath.Join(t.TempDir(), "ctgov.sending")
	said := ""
	open := func(done ...trial.Hash) (*sendingFile, []*draft) {
		t.Helper()
		s, list, err := openSending(name, func(d *draft) (mine, is bool) {
			for _, id := range done {
				is = is || d.id == id
			}
			return true, is
		}, func(format string, args ...any) { said += fmt.Sprintf(format, args...) })
		if err != nil {
			t.Fatal(err)
		}
		return s, list
	}
	lines := func() int {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Count(data, []byte{'\n'})
	}
	s, list := open()
	if len(list) > 0 {
		t.Error("a new file has statements")
	}
	var all []*draft
	for i := range 5 {
		all = append(all, draftOf(i))
		if err := s.add(all[i]); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range all[:3] {
		s.done(d.id)
	}
	if lines() != 5 {
		t.Errorf("%d lines of 5 statements", lines())
	}
	s.size = maxSending + 1
	if err := s.add(draftOf(5)); err != nil {
		t.Fatal(err)
	}
	s.done(draftOf(5).id)
	if n := lines(); n < 3 || n > 4 { // what is being added may stand there twice
		t.Errorf("%d lines of 3 statements", n)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	s, list = open(all[3].id, draftOf(5).id)
	if len(list) != 1 || list[0].id != all[4].id || lines() != 1 || said != "" {
		t.Errorf("%d statements, %d lines, %s", len(list), lines(), said)
	}
	s.done(all[4].id)
	if err := s.close(); err != nil || exists(name) {
		t.Errorf("it is not removed: %v", err)
	}
}
