package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

// TestCustodyHelp: each verb of trial custody explains itself alone, and each of its flags says what to type.
func TestCustodyHelp(t *testing.T) {
	verbs, _, _ := strings.Cut(strings.TrimPrefix(custodyUsage(t), "trial custody: "), " must be given")
	names := strings.FieldsFunc(strings.ReplaceAll(verbs, " or ", ", "), func(r rune) bool { return r == ',' || r == ' ' })
	if len(names) != len(custodyHelp) {
		t.Errorf("%d verbs, and %d are explained: %v", len(names), len(custodyHelp), names)
	}
	untyped := regexp.MustCompile(`(?m)^  -\S+ (string|int|value)$`)
	for _, name := range names {
		var out, err bytes.Buffer
		if status := run(t.Context(), []string{"custody", name, "-h"}, strings.NewReader(""), &out, &err); status != 0 {
			t.Errorf("%s -h: status %d: %s", name, status, &err)
		}
		text := out.String()
		if !strings.Contains(text, "\nusage: trial custody "+name+" ") || !strings.Contains(text, "trial custody "+name+" -") {
			t.Errorf("%s -h explains something else:\n%s", name, text)
		}
		if m := untyped.FindString(text); m != "" {
			t.Errorf("%s -h does not say what to type: %s", name, m)
		}
	}
}

// custodyUsage returns what is said of the command without a verb.
func custodyUsage(t *testing.T) string {
	var out, err bytes.Buffer
	if status := run(t.Context(), []string{"custody"}, strings.NewReader(""), &out, &err); status != exitUsage {
		t.Fatalf("status %d", status)
	}
	return err.String()
}
