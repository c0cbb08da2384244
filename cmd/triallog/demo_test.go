package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The demo runs its own binary again, which here is the test's.
func TestMain(m *testing.M) {
	if os.Getenv(demoWitness) != "" {
		os.Exit(runWitness())
	}
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestDemo(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	dir := filepath.Join(t.TempDir(), "demo")
	var stdout, stderr bytes.Buffer
	if status := run(ctx, []string{"demo", "-once", "-dir", dir}, strings.NewReader(""), &stdout, &stderr); status != 0 {
		t.Fatalf("status %d\n%s%s", status, &stdout, &stderr)
	}
	for _, want := range []string{
		"caught: file: results.txt", "R10", "altered one byte of a row of the database; fsck names it:\n     entry 14: the database " +
			"holds other bytes",
		"altered one byte of a tile; fsck names it:\n     tile/0/000 is damaged: byte 448 of it", "2 saw it grow", "lab-one opens it with both packages, and with neither alone", "was given for lab-one, but the recipient is of lab-two",
		"ended at index 46", "hospital handed the data out to lab-one",
		"issue of 1 unit", "highest 26.4 °C", "receipt of 2 units", "K-0020 at clinic-two: refused, R18: it is on hold",
		"K-0001 at clinic-one: refused, R10: it was given out before", "K-0001 at clinic-two: refused, R8", "suspicion about 1 unit",
		"recall of 20 units", "K-0002 at clinic-one: refused, R18: it was recalled", "in its case: ", "suspect   by clinic-two: duplicate", "All of it went as " +
			"it should.",
	} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("the story does not say %q:\n%s", want, &stdout)
		}
	}
	if first, _, _ := strings.Cut(stdout.String(), "\n"); !strings.Contains(first, dir) || !strings.Contains(first, "end with the story") {
		t.Errorf("the first line does not say what is made and when it ends: %s", first)
	}
	if status := run(ctx, []string{"demo", "-once", "-dir", dir}, strings.NewReader(""), &stdout, &stderr); status != 2 {
		t.Errorf("a folder that is not empty: status %d", status)
	}
}

// TestDemoFailsWhatIsNotCaught: an alteration that nobody notices fails the demo.
func TestDemoFailsWhatIsNotCaught(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	s := &story{stand: stand{dir: t.TempDir(), origin: demoOrigin}, w: new(bytes.Buffer)}
	defer func() {
		if err := s.end(); err != nil {
			t.Error(err)
		}
	}()
	for _, chapter := range []func(context.Context) error{s.setUp, s.people, s.protocol, s.results} {
		if err := chapter(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	// A document without the digit that is altered stays as it was logged.
	kept := s.documents[2]
	s.documents[2] = s.documents[0]
	if err := s.alterFile(t.Context()); err == nil || !strings.Contains(err.Error(), "not caught") {
		t.Fatalf("an alteration that did not happen was caught: %v", err)
	}
	s.documents[2] = kept
	if err := s.alterFile(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.documents[1].index = 4 // any entry that is altered is named
	if err := s.alterStores(t.Context()); err != nil {
		t.Fatal(err)
	}
}
