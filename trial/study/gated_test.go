package study

import (
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
)

// matching are texts that the expressions match, so that a fuzzer begins near them.
var matching = []string{
	"jane.doe@clinic.example", "jane (at) clinic (dot) example", "jane -at- clinic . org", "Jane=AT=clinic_dot_org",
	"jane at clinic dot org", "jane AT clinic.org", "jane arroba clinic punto org", "0000-0002-1825-0097", "OrcID",
	"Tel. +44 20 7946 0958", "fax (0123456", "+1 (555) 010-0100", "0800 555 0100", "Dr. Jane Doe", "PROF.Jane Doe", "dr. J. Doe",
	"Jane Doe, M.D", "Jane van Doe PhD", "PI: Jane Doe", "study chair = J. Doe", "ſtudy", "té\u200bl 12345678", "a\vat b dot cd",
}

// FuzzGated: what an expression matches, its cheap test lets through.
func FuzzGated(f *testing.F) {
	for _, s := range matching {
		f.Add(s)
	}
	all := map[string]gated{"email": email, "spelt": spelt, "knownEnd": knownEnd, "orcid": orcid, "labelled": labelled, "dialled": dialled,
		"digits": digits, "titled": titled, "behind": behind, "inRole": inRole}
	f.Fuzz(func(t *testing.T, s string) {
		for name, g := range all {
			if g.Regexp.MatchString(s) && !g.may(s) {
				t.Errorf("%s matches %q, and its test does not let that through", name, s)
			}
		}
		if slices.ContainsFunc(digits.Regexp.FindAllString(s, -1), isPhone) != hasPhone(s) {
			t.Errorf("whether %q has a telephone number depends on the test before it", s)
		}
		for _, m := range labelled.Regexp.FindAllStringSubmatch(s, -1) {
			if len(strings.Join(groupsOf(m[len(m)-1]), "")) >= 7 && !isLabelled(s) {
				t.Errorf("whether %q is labelled depends on the test before it", s)
			}
		}
	})
}

// TestGated: the tests hold back what they are for, and each expression still matches.
func TestGated(t *testing.T) {
	const text = "A Randomised, Double-Blind, Placebo-Controlled Trial of Examplinib 10 mg in Adults With Chronic Low Back Pain"
	for name, g := range map[string]gated{"email": email, "spelt": spelt, "knownEnd": knownEnd, "orcid": orcid, "titled": titled,
		"behind": behind, "inRole": inRole} {
		if g.may(text) {
			t.Errorf("%s is looked for in %q", name, text)
		}
		if !slices.ContainsFunc(matching, g.MatchString) {
			t.Errorf("%s matches nothing", name)
		}
	}
	for r := range rune(128) {
		if s := "x" + string(r) + "x"; accepted[r] != (trial.CheckText(s, 3) == nil) {
			t.Errorf("%q", s)
		}
	}
}
