package study

import (
	"github.com/trialproof/trialproof/trial/outcome"
)

// PairOutcomes says which outcome of b is which of a, by its place in a. Equal
// words come first, then an equal measure, whose similarity is 1, then what package
// outcome proposes, rather of one level.
func PairOutcomes(a, b []Outcome) map[int]outcome.Pair {
	pairs, taken := map[int]outcome.Pair{}, map[int]bool{}
	for _, key := range []func(o Outcome) Outcome{
		func(o Outcome) Outcome {
			return Outcome{Level: o.Level, Measure: plain(o.Measure), TimeFrame: plain(o.TimeFrame)}
		},
		func(o Outcome) Outcome { return Outcome{Measure: plain(o.Measure), TimeFrame: plain(o.TimeFrame)} },
		func(o Outcome) Outcome { return Outcome{Level: o.Level, Measure: plain(o.Measure)} },
		func(o Outcome) Outcome { return Outcome{Measure: plain(o.Measure)} },
	} {
		left := map[Outcome][]int{} // places in b, in order
		for j, y := range b {
			if !taken[j] {
				left[key(y)] = append(left[key(y)], j)
			}
		}
		for i, x := range a {
			if _, ok := pairs[i]; ok {
				continue
			}
			k := key(x)
			if list := left[k]; len(list) > 0 {
				pairs[i], taken[list[0]], left[k] = outcome.Pair{A: i, B: list[0], Similarity: 1}, true, list[1:]
			}
		}
	}
	Propose(a, b, pairs)
	return pairs
}

// Propose adds to pairs, by their places in a, the outcomes of two lists that are
// joined by likeness: those of one level rather than others, and each once.
func Propose(a, b []Outcome, pairs map[int]outcome.Pair) {
	taken := map[int]bool{}
	for _, p := range pairs {
		taken[p.B] = true
	}
	var ia, ib []int
	var ta, tb []outcome.Text
	for i, x := range a {
		if _, ok := pairs[i]; !ok && x.Measure != Withheld {
			ia, ta = append(ia, i), append(ta, x.Text())
		}
	}
	for j, y := range b {
		if !taken[j] && y.Measure != Withheld {
			ib, tb = append(ib, j), append(tb, y.Text())
		}
	}
	if Work(a, b) > MaxWork {
		return
	}
	level := func(i, j int) bool { l := b[ib[j]].Level; return l == "" || l == a[ia[i]].Level }
	prefer := func(i, j int) bool { return level(i, j) && outcome.TimeFrames(ta[i], tb[j]) != outcome.Contradicting }
	for _, p := range outcome.MatchOnce(ta, tb, prefer) {
		i, j := ia[p.A], ib[p.B]
		if level(p.A, p.B) || p.Similarity >= acrossLevels {
			pairs[i] = outcome.Pair{A: i, B: j, Similarity: p.Similarity}
		}
	}
}

// acrossLevels is how similar outcomes of two levels must be to be joined: that an
// outcome was promoted or demoted is said of somebody.
const acrossLevels = outcome.Threshold + 0.15

// Work is what it costs to hold each of some outcomes to each of others by likeness:
// the product of their lengths in bytes, and some for each.
func Work(a, b []Outcome) int {
	length := func(list []Outcome) (n int) {
		for _, o := range list {
			n += len(o.Measure) + 40
			if o.Measure == "" {
				n += len(o.Description)
			}
		}
		return n
	}
	return length(a) * length(b)
}

// MaxWork is what is done at most, about a second: 100 outcomes of 100 bytes against as many.
const MaxWork = 200_000_000

// Text returns the outcome as package outcome compares it.
func (o Outcome) Text() outcome.Text {
	return outcome.Text{Measure: o.Measure, TimeFrame: o.TimeFrame, Description: o.Description}
}
