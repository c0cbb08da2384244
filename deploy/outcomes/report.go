package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/trialproof/trialproof/trial/outcome"
)

// What the report says of a trial.
const (
	isSwitch = "switch"
	noSwitch = "no switch"
	unclear  = "unclear" // nothing is missing, but only one side states a time point, or only similarity joined a pair
	unknown  = "not determinable"
)

// A row is a trial in the table.
type row struct {
	File     string                 `json:"file"`
	Label    string                 `json:"label"` // PO_switch
	Program  string                 `json:"program"`
	Human    string                 `json:"humanPairs"` // the result of the human pairs alone
	Time     []outcome.TimeRelation `json:"timeFrames"` // of the joined pairs, article first
	Joined   int                    `json:"joined"`
	Articles int                    `json:"articleOutcomes"`
	Registry int                    `json:"registeredOutcomes"`
}

// A tally counts the program's results against PO_switch.
type tally struct {
	Label, Said string
	Files       int
}

// notJoined is the class of a pair whose outcomes are not joined.
const notJoined = "not joined"

// A classTally counts what a reader is told about the pairs.
type classTally struct {
	Class               string `json:"class"`
	Similar, Dissimilar int
}

// classify counts the pairs by their class: registered first, and then the article.
// Only those in the same words are called as specified.
func classify(trials []trial) []classTally {
	var list []classTally
	for _, c := range []string{
		string(outcome.EqualWords), string(outcome.Reworded), string(outcome.Narrowed), string(outcome.Broadened),
		string(outcome.Replaced), notJoined,
	} {
		list = append(list, classTally{Class: c})
	}
	for _, t := range trials {
		for _, p := range t.pairs {
			said := notJoined
			if outcome.Similarity(t.article[p.article], t.registry[p.registry]) >= outcome.Threshold {
				class, _ := outcome.Differences(t.registry[p.registry], t.article[p.article])
				said = string(class)
			}
			for i := range list {
				if list[i].Class == said && p.similar {
					list[i].Similar++
				} else if list[i].Class == said {
					list[i].Dissimilar++
				}
			}
		}
	}
	return list
}

// A report has everything that is measured.
type report struct {
	Files       int            `json:"files"`
	Pairs       int            `json:"pairs"`
	LeaveOneOut result         `json:"leaveOneTrialOut"`
	Fixed       result         `json:"fixedThreshold"`
	Baseline    result         `json:"baselineLeaveOneTrialOut"`
	Classes     []classTally   `json:"classes"` // what a reader is told of each pair, by what people hold of it
	Rows        []row          `json:"trials"`
	Program     []tally        `json:"programAgainstLabel"`
	Human       []tally        `json:"humanPairsAgainstLabel"`
	Times       map[string]int `json:"timeFrames"`
}

func measure(trials []trial) *report {
	list := score(trials, outcome.Similarity)
	r := &report{
		Files: len(trials), Pairs: len(list), LeaveOneOut: leaveOneOut(list), Fixed: fixed(list, outcome.Threshold),
		Baseline: leaveOneOut(score(trials, baseline)), Classes: classify(trials), Times: map[string]int{},
	}
	for _, t := range trials {
		var human []outcome.Pair
		for _, p := range t.pairs {
			if p.similar {
				human = append(human, outcome.Pair{A: p.article, B: p.registry})
			}
		}
		joined := outcome.Match(t.article, t.registry)
		w := row{
			File: t.file, Label: t.labelled, Joined: len(joined), Articles: len(t.article), Registry: len(t.registry),
			Time: []outcome.TimeRelation{},
		}
		w.Program, w.Human = t.verdict(joined, false), t.verdict(human, true)
		if len(t.pairs) == 0 {
			w.Human = unknown
		}
		if w.Label == "" {
			w.Label = "blank"
		}
		for _, p := range joined {
			relation := outcome.TimeFrames(t.article[p.A], t.registry[p.B])
			w.Time = append(w.Time, relation)
			r.Times[string(relation)]++
		}
		r.Rows = append(r.Rows, w)
		r.Program = count(r.Program, w.Label, w.Program)
		r.Human = count(r.Human, w.Label, w.Human)
	}
	return r
}

// verdict returns the result of joined pairs: a switch if a registered outcome has no partner
// in the article, or the other way round, or if time frames contradict each other. Unless
// people judged the pairs, only the same words count as no switch.
func (t *trial) verdict(joined []outcome.Pair, judged bool) string {
	if !t.reported || len(t.article) == 0 || len(t.registry) == 0 {
		return unknown
	}
	articles, registered := make([]bool, len(t.article)), make([]bool, len(t.registry))
	said := noSwitch
	for _, p := range joined {
		articles[p.A], registered[p.B] = true, true
		switch outcome.TimeFrames(t.article[p.A], t.registry[p.B]) {
		case outcome.Contradicting:
			return isSwitch
		case outcome.OnlyFirst, outcome.OnlySecond:
			said = unclear
		}
		if !judged && !outcome.SameWords(t.article[p.A], t.registry[p.B]) {
			said = unclear
		}
	}
	if slices.Contains(articles, false) || slices.Contains(registered, false) {
		return isSwitch
	}
	return said
}

func count(list []tally, label, said string) []tally {
	for i := range list {
		if list[i].Label == label && list[i].Said == said {
			list[i].Files++
			return list
		}
	}
	list = append(list, tally{label, said, 1})
	slices.SortFunc(list, func(a, b tally) int {
		if a.Label+"\x00"+a.Said < b.Label+"\x00"+b.Said {
			return -1
		}
		return 1
	})
	return list
}

func (r *report) print(w io.Writer) error {
	fmt.Fprintf(w, "%d files, %d pairs\n\n", r.Files, r.Pairs)
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tab, "rule\tsimilar joined\t95 %\tdissimilar joined\t95 %\tthreshold")
	line := func(name string, x result) {
		at := fmt.Sprintf("%.4f", x.Lowest)
		if x.Highest != x.Lowest {
			at += fmt.Sprintf(" to %.4f", x.Highest)
		}
		s, d := x.Similar, x.Dissimilar
		fmt.Fprintf(tab, "%s\t%d/%d = %.3f\t%.3f to %.3f\t%d/%d = %.3f\t%.3f to %.3f\t%s\n", name,
			s.Joined, s.Of, s.Share, s.Low, s.High, d.Joined, d.Of, d.Share, d.Low, d.High, at)
	}
	line("leave one trial out", r.LeaveOneOut)
	line("fixed threshold", r.Fixed)
	line("letters alone, leave one trial out", r.Baseline)
	fmt.Fprintln(tab)
	fmt.Fprintln(tab, "what a reader is told\tsimilar pairs\tdissimilar pairs")
	for _, x := range r.Classes {
		fmt.Fprintf(tab, "%s\t%d\t%d\n", x.Class, x.Similar, x.Dissimilar)
	}
	fmt.Fprintln(tab)
	fmt.Fprintln(tab, "file\tPO_switch\tprogram\thuman pairs\tjoined\ttime frames")
	for _, x := range r.Rows {
		fmt.Fprintf(tab, "%s\t%s\t%s\t%s\t%d of %d and %d\t%v\n",
			x.File, x.Label, x.Program, x.Human, x.Joined, x.Articles, x.Registry, x.Time)
	}
	fmt.Fprintln(tab)
	for _, side := range []struct {
		name string
		list []tally
	}{{"program", r.Program}, {"human pairs", r.Human}} {
		fmt.Fprintf(tab, "PO_switch\t%s\tfiles\n", side.name)
		for _, x := range side.list {
			fmt.Fprintf(tab, "%s\t%s\t%d\n", x.Label, x.Said, x.Files)
		}
		fmt.Fprintln(tab)
	}
	fmt.Fprintln(tab, "time frames\tjoined pairs")
	for _, relation := range []outcome.TimeRelation{
		outcome.Same, outcome.Contradicting, outcome.OnlyFirst, outcome.OnlySecond, outcome.NeitherStated,
	} {
		fmt.Fprintf(tab, "%s\t%d\n", relation, r.Times[string(relation)])
	}
	return tab.Flush()
}
