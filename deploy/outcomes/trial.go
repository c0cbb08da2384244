package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/trial/outcome"
)

// A trial is one file.
type trial struct {
	file              string
	article, registry []outcome.Outcome
	pairs             []pair
	reported          bool   // whether the file lists the article's outcomes
	labelled          string // PO_switch as the file has it: Yes, No or blank
}

// A pair is an article's outcome beside a registered one, as people judged them.
type pair struct {
	article, registry int
	similar           bool
}

// readTrials reads every *.json of a folder, in the order of their names. It skips a JSON file
// that has neither registered outcomes nor labels, because it is of another kind.
func readTrials(dir string) ([]trial, error) {
	names, err := filepath.Glob(filepath.Join(escape(dir), "*.json"))
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", dir, err)
	}
	slices.Sort(names)
	var trials []trial
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		t, ok, err := parseTrial(data)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		if ok {
			t.file = filepath.Base(name)
			trials = append(trials, t)
		}
	}
	if len(trials) == 0 {
		return nil, fmt.Errorf("no trial with paired outcomes in %s: it needs *.json with registry_primary_outcomes and labels", dir)
	}
	return trials, nil
}

// escape keeps Glob from reading the name of a folder as a pattern.
func escape(dir string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

func parseTrial(data []byte) (t trial, ok bool, err error) {
	var file struct {
		Registry *[]string `json:"registry_primary_outcomes"`
		Filtered *[]string `json:"filtered_article_outcomes"`
		Article  *[]string `json:"article_outcomes_text"`
		Pairs    []struct {
			Article  int  `json:"article_index"`
			Registry int  `json:"registry_index"`
			Similar  bool `json:"similar"`
		} `json:"article2registry_connections"`
		Labels *struct {
			Switch string `json:"PO_switch"`
		} `json:"labels"`
	}
	if !json.Valid(data) {
		return trial{}, false, fmt.Errorf("not JSON")
	}
	if err := json.Unmarshal(data, &file); err != nil {
		if _, other := err.(*json.UnmarshalTypeError); other && data[0] == '[' {
			return trial{}, false, nil
		}
		return trial{}, false, err
	}
	if file.Registry == nil || file.Labels == nil {
		return trial{}, false, nil
	}
	for _, s := range *file.Registry {
		t.registry = append(t.registry, registered(s))
	}
	article := file.Filtered
	if article == nil {
		article = file.Article
	}
	if article != nil {
		t.reported = true
		for _, s := range *article {
			t.article = append(t.article, outcome.Outcome{Measure: s})
		}
	}
	for _, p := range file.Pairs {
		if p.Article < 0 || p.Article >= len(t.article) || p.Registry < 0 || p.Registry >= len(t.registry) {
			return trial{}, false, fmt.Errorf("pair of article outcome %d and registered outcome %d: there are %d and %d",
				p.Article, p.Registry, len(t.article), len(t.registry))
		}
		t.pairs = append(t.pairs, pair{p.Article, p.Registry, p.Similar})
	}
	t.labelled = file.Labels.Switch
	return t, true, nil
}

// registered splits a registered outcome as these files write it: the measure, a
// comma between spaces, the time frame.
func registered(s string) outcome.Outcome {
	if cut := strings.LastIndex(s, " , "); cut >= 0 {
		return outcome.Outcome{Measure: s[:cut], TimeFrame: s[cut+len(" , "):]}
	}
	return outcome.Outcome{Measure: s}
}
