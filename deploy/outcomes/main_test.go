package main

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/outcome"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestBar: what the matching must reach on outcomes that people paired.
func TestBar(t *testing.T) {
	dir := "../../../shared/data/outcome-switching"
	if _, err := os.Stat(dir); err != nil {
		trialtest.Skip(t, "the labelled outcomes are not here")
	}
	trials, err := readTrials(dir)
	if err != nil {
		t.Fatal(err)
	}
	r := measure(trials)
	if r.Pairs < 50 {
		t.Fatalf("only %d pairs", r.Pairs)
	}
	for name, x := range map[string]result{"leave one trial out": r.LeaveOneOut, "fixed threshold": r.Fixed} {
		if x.Similar.Share < 0.85 || x.Dissimilar.Share > 0.15 {
			t.Errorf("%s: %.3f of the similar and %.3f of the dissimilar joined; the bar is 0.85 and 0.15", name, x.Similar.Share,
				x.Dissimilar.Share)
		}
		if x.Similar.Share-x.Dissimilar.Share <= r.Baseline.Similar.Share-r.Baseline.Dissimilar.Share {
			t.Errorf("%s: %+v is no better than the baseline, %+v", name, x, r.Baseline)
		}
	}
	sum := 0
	for _, x := range r.Classes {
		sum += x.Similar + x.Dissimilar
		if x.Class == string(outcome.EqualWords) && x.Dissimilar > 0 {
			t.Errorf("%d dissimilar pairs are called as specified", x.Dissimilar)
		}
	}
	if sum != r.Pairs {
		t.Errorf("%d pairs have a class, of %d", sum, r.Pairs)
	}
	if outcome.Threshold < r.LeaveOneOut.Lowest || outcome.Threshold > r.LeaveOneOut.Highest {
		t.Errorf("Threshold is %v; leaving one trial out gives %v to %v", outcome.Threshold, r.LeaveOneOut.Lowest, r.LeaveOneOut.Highest)
	}
}

const labels = `, "labels": {"PO_switch": "No"}}`

// folder writes files and returns their folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, s := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestRun(t *testing.T) {
	dir := folder(t, map[string]string{
		"a.json": `{"registry_primary_outcomes": ["Overall survival , 2 years"], "article_outcomes_text": ["x"], "filtered_article_outcomes": ["OS at 2 years"],
			"article2registry_connections": [{"article_index": 0, "registry_index": 0, "similar": true}]` + labels,
		"b.json": `{"registry_primary_outcomes": ["Pain , 6 weeks"], "article_outcomes_text": ["pain at 12 weeks", "falls"],
			"article2registry_connections": [{"article_index": 1, "registry_index": 0, "similar": false}]` + labels,
		"c.json":     `{"registry_primary_outcomes": ["Pain , 6 weeks"], "article_outcomes_text": ["pain"]` + labels,
		"d.json":     `{"registry_primary_outcomes": ["Pain"]` + labels,
		"other.json": `{"x": 1}`,
		"list.json":  `[1]`,
		"notes.txt":  `no JSON`,
	})
	var first, again, stderr bytes.Buffer
	if code := run([]string{"-json", dir}, &first, &stderr); code != 0 {
		t.Fatalf("status %d: %s", code, &stderr)
	}
	var r report
	if err := json.Unmarshal(first.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if r.Files != 4 || r.Pairs != 2 || r.Fixed.Similar.Joined != 1 || r.Fixed.Dissimilar.Joined != 0 {
		t.Errorf("%d files, %d pairs, fixed %+v", r.Files, r.Pairs, r.Fixed)
	}
	var said []string
	for _, row := range r.Rows {
		said = append(said, row.File+" "+row.Program+" "+row.Human)
	}
	want := "a.json unclear no switch, b.json switch switch, c.json unclear not determinable, d.json not determinable not determinable"
	if got := strings.Join(said, ", "); got != want {
		t.Errorf("rows: %s\nwant: %s", got, want)
	}
	if r.Times["same"] != 1 || r.Times["contradicting"] != 1 || r.Times["only second"] != 1 {
		t.Errorf("time frames: %v", r.Times)
	}
	run([]string{"-json", dir}, &again, &stderr)
	if again.String() != first.String() {
		t.Error("two runs differ")
	}
	var text bytes.Buffer
	if code := run([]string{dir}, &text, &stderr); code != 0 || !strings.HasPrefix(text.String(), "4 files, 2 pairs\n") {
		t.Errorf("status %d, text %s", code, &text)
	}
}

func TestRunErrors(t *testing.T) {
	for _, c := range []struct {
		name, file, want string
	}{
		{"none", `{}`, "no trial with paired outcomes"},
		{"no JSON", `{"registry`, "not JSON"},
		{"index", `{"registry_primary_outcomes": ["a"], "article_outcomes_text": ["b"], "article2registry_connections": [{"article_index": 1}]` + labels, "there are 1 and 1"},
	} {
		var stdout, stderr bytes.Buffer
		if code := run([]string{folder(t, map[string]string{"x.json": c.file})}, &stdout, &stderr); code != 1 || stdout.Len() > 0 ||
			!strings.Contains(stderr.String(), c.want) {
			t.Errorf("%s: status %d, %q; want %q", c.name, code, stderr.String(), c.want)
		}
	}
	if code := run(nil, &bytes.Buffer{}, &bytes.Buffer{}); code != 2 {
		t.Errorf("without a folder: status %d", code)
	}
}

func TestShare(t *testing.T) {
	// Wilson's interval by hand: 8 of 10.
	if s := shareOf(8, 10); s.Share != 0.8 || math.Abs(s.Low-0.4902) > 1e-4 || math.Abs(s.High-0.9433) > 1e-4 {
		t.Errorf("%+v", s)
	}
	if s := shareOf(0, 0); s != (share{}) {
		t.Errorf("of none: %+v", s)
	}
}

// TestLeaveOneOut: a trial does not influence its own threshold.
func TestLeaveOneOut(t *testing.T) {
	list := []scored{{0, 0.2, false}, {0, 0.8, true}, {1, 0.3, false}, {1, 0.9, true}, {2, 0.5, true}, {2, 0.5, false}}
	if got := choose(list[:4]); got != 0.55 {
		t.Errorf("threshold %v of two trials; want half-way, 0.55", got)
	}
	r := leaveOneOut(list)
	if r.Similar.Joined != 2 || r.Similar.Of != 3 || r.Dissimilar.Joined != 0 || r.Dissimilar.Of != 3 {
		t.Errorf("%+v", r)
	}
}
