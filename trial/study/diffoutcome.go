package study

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/trialproof/trialproof/trial/outcome"
)

// outcomes pairs the outcomes of two versions: those with the same words first, then those with
// the same measure, then similar ones.
func (d *differ) outcomes(field string, a, b []outcome.Outcome) {
	if d.other && (len(a) == 0 || len(b) == 0) {
		return
	}
	pairs := PairOutcomes(a, b, EqualMeasure)
	joined := map[int]bool{}
	hidden := slices.ContainsFunc(slices.Concat(a, b), func(o outcome.Outcome) bool { return o.Measure == Withheld })
	for i, x := range a {
		p, ok := pairs[i]
		if !ok && (d.after || hidden) { // it may be there
			continue
		}
		if !ok {
			d.add(x.Level+" "+field, Removed, words(x), "")
			continue
		}
		joined[p.B] = true
		y, first := b[p.B], len(d.changes)
		reworded := !same(x.Measure, y.Measure)
		moved := !same(x.TimeFrame, y.TimeFrame) && x.TimeFrame != Withheld && y.TimeFrame != Withheld
		switch {
		case x.Level != y.Level:
			sort := Changed
			switch {
			case y.Level == Primary:
				sort = Promoted
			case x.Level == Primary:
				sort = Demoted
			}
			d.add(field, sort, x.Level+": "+words(x), y.Level+": "+words(y))
		case reworded && moved:
			d.add(x.Level+" "+field, Reworded, words(x), words(y))
		case reworded:
			d.add(x.Level+" "+field, Reworded, x.Measure, y.Measure)
		case moved:
			d.text(x.Level+" "+field+" "+strconv.Quote(short(x.Measure))+" time frame", x.TimeFrame, y.TimeFrame)
		}
		d.long(x.Level+" "+field+" "+strconv.Quote(short(x.Measure))+" description", x.Description, y.Description)
		if reworded && !outcome.SameMeasure(outcome.Outcome{Measure: x.Measure}, outcome.Outcome{Measure: y.Measure}) {
			class, _ := outcome.Differences(x, y)
			for k := range d.changes[first:] {
				d.changes[first+k].Likeness, d.changes[first+k].Class = p.Similarity, class
			}
		}
	}
	for j, y := range b {
		if !joined[j] && !d.before && !hidden {
			d.add(y.Level+" "+field, Added, "", words(y))
		}
	}
}

// once combines a change of a planned outcome and the same change of its results into one.
func (d *differ) once() {
	type key struct{ field, sort, before, after string }
	planned := map[key]int{}
	var list []Change
	for _, c := range d.changes {
		k := key{strings.Replace(c.Field, "reported outcome", "outcome", 1), c.Sort, c.Old, c.New}
		if i, ok := planned[k]; ok && c.Field != k.field {
			list[i].Field = strings.Replace(list[i].Field, "outcome", "outcome (planned and reported)", 1)
			delete(planned, k)
			continue
		}
		if c.Field == k.field {
			planned[k] = len(list)
		}
		list = append(list, c)
	}
	d.changes = list
}

// rank gives the order of changes of outcomes: what became primary or is no longer primary,
// then changes of primary outcomes, then the others; reported outcomes come after planned ones.
func (c Change) rank() int {
	n := 0
	if strings.Contains(c.Field, "reported outcome") || c.Field == "results" {
		n = 10
	}
	switch {
	case c.Sort == Promoted || c.Sort == Demoted:
		return n
	case strings.HasPrefix(c.Field, Primary):
		return n + 1
	case strings.HasPrefix(c.Field, Secondary):
		return n + 2
	}
	return n + 3
}

// Summary says in one line how many changes there are, and of what.
func Summary(changes []Change) string {
	if len(changes) == 0 {
		return "no change in what is read"
	}
	var order []string
	count := map[string]int{}
	sorts := map[string]int{}
	outcomes := 0
	for _, c := range changes {
		kind, _, _ := strings.Cut(c.Field, ` "`)
		switch {
		case strings.Contains(kind, "outcome"):
			outcomes++
			kind, _, _ = strings.Cut(kind, "outcome")
			kind = strings.TrimSpace(strings.ReplaceAll(kind, "reported", ""))
			sorts[strings.TrimSpace(kind+" "+c.Sort)]++
			continue
		case strings.HasPrefix(kind, "date "):
			kind = "dates"
		case strings.HasPrefix(kind, "section "):
			kind = "sections"
		}
		if count[kind] == 0 {
			order = append(order, kind)
		}
		count[kind]++
	}
	list := []string{"no outcome"}
	if outcomes > 0 {
		var said []string
		for _, s := range slices.Sorted(maps.Keys(sorts)) {
			said = append(said, fmt.Sprintf("%d %s", sorts[s], s))
		}
		list[0] = fmt.Sprintf("outcomes %d (%s)", outcomes, strings.Join(said, ", "))
	}
	for _, kind := range order {
		list = append(list, fmt.Sprintf("%s %d", kind, count[kind]))
	}
	word := "changes"
	if len(changes) == 1 {
		word = "change"
	}
	return fmt.Sprintf("%d %s: %s", len(changes), word, strings.Join(list, ", "))
}
