package outcome

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestSimilarity(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"PFS", "Progression-free survival ( PFS ) , assessed by investigators", true},
		{"overall survival", "time to death from any cause", true},
		{"all-cause mortality at 30 days", "Number of deaths", true},
		{"HbA1c", "Change from baseline in glycated haemoglobin", true},
		{"SBP", "Mean systolic blood pressure over 24 hours", true},
		{"change in VAS pain score", "Pain intensity on a visual analogue scale", true},
		{"treatment-related AEs", "Number of participants with adverse events as assessed by CTCAE", true},
		{"time to graft failure ( TGF )", "TGF", true},
		{"ocular surface staining", "OSS", true}, // initials of the other side
		{"tumour shrinkage", "Tumor size", true},
		{"blood loss", "Operative time and intraoperative blood loss", true},
		{"SURGICAL SITE INFECTION", "incidence of SSI", true},
		{"6-minute walk distance", "6MWT", true},
		{"intensity of keloid scarring", "keloid scars", true},

		{"overall survival", "Progression-free survival , defined as time to progression or death", false},
		{"systolic blood pressure", "Diastolic blood pressure", false},
		{"LDL cholesterol", "HDL cholesterol", false},
		{"pharmacokinetics of the study drug", "tolerability of the study drug", false},
		{"anxiety score", "depression score", false},
		{"number of participants with rash", "number of participants with fever", false},
		{"screening intention", "screening uptake", false},
		{"bone mineral density", "fracture", false},
		{"change from baseline", "quality of life", false},
		{"", "quality of life", false},
	} {
		a, b := Outcome{Measure: c.a}, Outcome{Measure: c.b}
		s := Similarity(a, b)
		if (s >= Threshold) != c.same {
			t.Errorf("%q, %q: %.4f, threshold %v", c.a, c.b, s, Threshold)
		}
		if r := Similarity(b, a); r != s {
			t.Errorf("%q, %q: %v one way and %v the other", c.a, c.b, s, r)
		}
	}
	if a, b := (Outcome{Measure: "stroke", TimeFrame: "1 year"}), (Outcome{Measure: "stroke", TimeFrame: "2 years"}); Similarity(a,
		b) != 1 {
		t.Error("time frames count in similarity")
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b []string
		want [][2]int
	}{
		{"order", []string{"stroke", "falls"}, []string{"falls", "stroke"}, [][2]int{{0, 1}, {1, 0}}},
		{"time points", []string{"pain at 6 weeks", "pain at 12 weeks"}, []string{"pain at 12 weeks", "pain at 6 weeks"}, [][2]int{{0, 1},
			{1, 0}}},
		{"a time point missing", []string{"pain at 12 weeks"}, []string{"pain at 6 weeks", "pain at 12 weeks"}, [][2]int{{0, 1}}},
		{"composite", []string{"safety"}, []string{"adverse events", "serious adverse events", "falls"}, [][2]int{{0, 0}, {0, 1}}},
		{"none", []string{"stroke"}, []string{"falls"}, [][2]int{}},
		{"empty", nil, []string{"falls"}, [][2]int{}},
	} {
		text := func(list []string) (ts []Outcome) {
			for _, s := range list {
				ts = append(ts, Outcome{Measure: s})
			}
			return ts
		}
		got := [][2]int{}
		for _, p := range Match(text(c.a), text(c.b)) {
			got = append(got, [2]int{p.A, p.B})
			if p.Similarity < Threshold {
				t.Errorf("%s: %+v below the threshold", c.name, p)
			}
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v; want %v", c.name, got, c.want)
		}
	}
}

// TestVocabulary: contrasts name existing terms. A misspelt one would have no effect.
func TestVocabulary(t *testing.T) {
	names := map[string]bool{}
	for name, term := range byName {
		names[name] = true
		for _, f := range term.families {
			names[f] = true
		}
	}
	for _, set := range contrasts {
		for _, name := range set {
			if !names[name] {
				t.Errorf("contrast with %q, which is no term", name)
			}
		}
	}
	for name := range faint {
		if !names[name] {
			t.Errorf("faint %q is no term", name)
		}
	}
}

// TestLong: no text, however it is made, takes long. This one is all acronyms.
func TestLong(t *testing.T) {
	long := Outcome{Measure: strings.Repeat("AB ", 100_000)}
	start := time.Now()
	if s := Similarity(long, long); s != 1 {
		t.Errorf("similarity with itself %v", s)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("took %v", took)
	}
}
