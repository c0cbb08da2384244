package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestRealConsents gives consent from the FHIR Consents of HL7, LEAP and gICS: what is refused
// logs nothing and leaves nothing behind.
func TestRealConsents(t *testing.T) {
	t.Parallel()
	var names []string
	for _, pattern := range []string{"fhir-r4/Consent-*.json", "fhir-r5/consent-*.json", "fhir-consent/*/*.json"} {
		found, err := filepath.Glob(filepath.Join("../../../shared/data", pattern))
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, found...)
	}
	if len(names) == 0 {
		trialtest.Skip(t, "the real input files are not here")
	}
	grants := []string{"consent-boris-deny-practitioner.json", "consent-boris-optin.json", "consent-boris-optin.json"}
	c := newClinic(t, "")
	var given []string
	for i, name := range names {
		file := fmt.Sprintf("fhir%d.json", i)
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		c.write(file, string(data))
		before, _ := filepath.Glob(filepath.Join(c.dir, "*"))
		_, out, status := c.run(append(append([]string{"trial", "consent", "give"}, c.flags...), "-key", "site-a.key", "-fhir", file, "-to", "lab", "-agents",
			"site-a", "-slip", file+".html")...)
		after, _ := filepath.Glob(filepath.Join(c.dir, "*"))
		switch {
		case status == exitDone:
			given = append(given, filepath.Base(name))
			if !strings.Contains(out, "the consent excludes ") {
				t.Errorf("%s: nobody is told who is excluded: %s", name, out)
			}
		case status != exitInvalid || !strings.Contains(out, "permits no release"):
			t.Errorf("%s: %d %s", name, status, out)
		case !slices.Equal(before, after):
			t.Errorf("%s: refused, and files are left: %v", name, after)
		}
	}
	if !slices.Equal(given, grants) {
		t.Errorf("consent was given by %v, want %v", given, grants)
	}
	_, out, status := c.run(append(append([]string{"trial", "consent", "give"}, c.flags...), "-key", "site-a.key", "-fhir",
		fmt.Sprintf("fhir%d.json", slices.IndexFunc(names, func(n string) bool { return strings.HasSuffix(n, "r4/consent-boris-optin.json") })),
		"-actor", "lab=Organization/54", "-to", "lab", "-agents", "site-a", "-slip", "excluded.html")...)
	if status != exitInvalid || !strings.Contains(out, "the consent excludes Organization/54, which is lab") {
		t.Errorf("to who is excluded: %d %s", status, out)
	}
}
