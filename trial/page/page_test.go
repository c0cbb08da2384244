package page

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/deadline"
	"github.com/trialproof/trialproof/trial/dossier"
)

func TestWords(t *testing.T) {
	for _, x := range []struct{ before, after, want string }{
		{"Pain at rest", "Pain at rest", "Pain at rest"},
		{"Pain at rest", "Pain", "Pain <del>at rest</del>"},
		{"Pain", "Pain at rest", "Pain <ins>at rest</ins>"},
		{"Pain  at\nrest", "Pain on movement", "Pain <del>at rest</del> <ins>on movement</ins>"},
		{"", "Pain <b>", "<ins>Pain &lt;b&gt;</ins>"},
		{"a b c d", "x b y d", "<del>a</del> <ins>x</ins> b <del>c</del> <ins>y</ins> d"},
		{"", "", ""},
	} {
		if got := string(words(x.before, x.after)); got != x.want {
			t.Errorf("%q to %q: %q, want %q", x.before, x.after, got, x.want)
		}
	}
	long := strings.Repeat("word ", maxWords+1)
	if got := string(words(long, long+"more")); strings.Count(got, "<del>") != 1 || strings.Count(got, "<ins>") != 1 {
		t.Errorf("long texts are compared word by word: %.80s", got)
	}
}

func TestNotes(t *testing.T) {
	got := notes([]string{"one", "entry 4 (document) has no facts: give its file with -files to have it read", "two",
		"entry 9 (document) has no facts: give its file with -files to have it read", "entry 5 (sap) has no facts: x"})
	want := []string{"one", "two", "not read, because no facts were logged with it and its file is not here: entries 4, 9 (document)",
		"not read, because no facts were logged with it and its file is not here: entry 5 (sap)"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%q", got)
	}
}

// TestState: nothing is called overdue, or not overdue, beyond what was judged.
func TestState(t *testing.T) {
	for _, x := range []struct {
		verdicts []string
		want     string
	}{
		{[]string{deadline.OK, deadline.Overdue, deadline.Late}, "overdue"},
		{[]string{"by rival's copies alone: overdue", deadline.Late}, "overdue by copies alone"},
		{[]string{deadline.Contested, deadline.Late}, "contested"},
		{[]string{deadline.Late, deadline.NotDeterminable}, "late"},
		{[]string{deadline.OK, deadline.NotDeterminable}, "cannot be told"},
		{[]string{deadline.OK, deadline.NotApplicable, deadline.NotYetDue, deadline.Excused}, "none overdue"},
		{[]string{deadline.OK, "by rival's copies alone: ok"}, "cannot be told"},
		{nil, "cannot be told"},
	} {
		v := &View{Report: &dossier.Report{}}
		for i, verdict := range x.verdicts {
			v.Deadlines = append(v.Deadlines, deadline.Verdict{Rule: fmt.Sprint("R", i), Verdict: verdict})
		}
		if got := v.Summary().State(); got != x.want {
			t.Errorf("%q: %q, want %q", x.verdicts, got, x.want)
		}
	}
}

// TestSVG: ten thousand entries are drawn as a few marks, and hostile texts are escaped.
func TestSVG(t *testing.T) {
	v := &View{Report: &dossier.Report{Asked: `"><script>`, At: "2026-11-27"}}
	start := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 10_000 {
		v.Entries = append(v.Entries, dossier.ReportEntry{Index: uint64(i), Time: trial.TimeOf(start.Add(time.Duration(i) * 6 * time.Hour)),
			Kind: "document", Says: "<script>", InEffect: true})
	}
	v.Deadlines = []deadline.Verdict{{Rule: "R", Verdict: deadline.Overdue, Due: "2023-06"}, {Rule: "S", Verdict: deadline.OK, Due: "no day"}}
	svg := string(v.SVG())
	if n := strings.Count(svg, "<circle"); n < 50 || n > 150 {
		t.Errorf("%d marks are drawn", n)
	}
	if strings.Count(svg, `<path class="due bad"`) != 1 || strings.Contains(svg, "<script>") || strings.Contains(svg, "style=") {
		t.Errorf("%.400s", svg)
	}
	if (&View{Report: &dossier.Report{At: "2026-11-27"}}).SVG() != "" {
		t.Error("a timeline of nothing is drawn")
	}
	for _, days := range []int{1, 100, 1000, 20000} {
		if n := len(ticks(start, start.AddDate(0, 0, days), 10)); n == 0 || n > 14 {
			t.Errorf("%d days have %d ticks", days, n)
		}
	}
}

// TestWindow: a page shows the newest entries, and leads to the older ones.
func TestWindow(t *testing.T) {
	v := &View{Report: &dossier.Report{}}
	for i := range 2*maxShown + 10 {
		v.Entries = append(v.Entries, dossier.ReportEntry{Index: uint64(3 * i), InEffect: true})
	}
	shown := map[uint64]bool{}
	for pages := 1; ; pages++ {
		for _, e := range v.Shown(false) {
			if shown[e.Index] {
				t.Fatalf("entry %d is shown twice", e.Index)
			}
			shown[e.Index] = true
		}
		if v.Before = v.Older(); v.Before == 0 {
			if len(shown) != len(v.Entries) || pages != 3 {
				t.Errorf("%d entries on %d pages", len(shown), pages)
			}
			return
		}
	}
}

func TestVisible(t *testing.T) {
	if got := string(Visible([]byte("a\x1b\u202eb\u00a0c\n\td\xff"))); got != `a\x1b\u202eb`+"\u00a0c\n\td\ufffd" {
		t.Errorf("%q", got)
	}
}
