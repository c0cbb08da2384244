package study

import (
	"slices"

	"github.com/trialproof/trialproof/trial/outcome"
)

// A Sameness says which outcomes are the same before similarity is considered.
type Sameness int

const (
	// EqualMeasure is for two versions of one record: an equal measure is the same outcome,
	// whatever became of its time.
	EqualMeasure Sameness = iota
	// EqualTime is for specified and reported outcomes: an equal measure at another time is
	// another outcome, and an outcome whose words are withheld is not known.
	EqualTime
)

// PairOutcomes says which outcome of b is which of a, by the index in a. Outcomes that are the
// same come first, those of one level before others, with the similarity 1. Then come those
// that package outcome proposes by similarity, preferably of one level.
func PairOutcomes(a, b []outcome.Outcome, same Sameness) map[int]outcome.Pair {
	p := &pairing{a, b, map[int]outcome.Pair{}, map[int]bool{}}
	if same == EqualTime {
		p.equalTime()
	} else {
		p.equalMeasure()
	}
	p.alike()
	return p.pairs
}

// A pairing is two lists and the pairs that were found in them.
type pairing struct {
	a, b  []outcome.Outcome
	pairs map[int]outcome.Pair // by places in a
	taken map[int]bool         // places in b
}

// bucketLimit is how many outcomes with one key are compared, each with each.
const bucketLimit = 500

// join pairs outcomes whose keys are equal, in order. If may is given, it pairs only those for
// which may returns true.
func join[K comparable](p *pairing, keyA, keyB func(int) K, may func(i, j int) bool) {
	left := map[K][]int{} // places in b, in order
	for j := range p.b {
		if k := keyB(j); !p.taken[j] && (may == nil || len(left[k]) < bucketLimit) {
			left[k] = append(left[k], j)
		}
	}
	for i := range p.a {
		if _, ok := p.pairs[i]; ok {
			continue
		}
		k := keyA(i)
		n := slices.IndexFunc(left[k], func(j int) bool { return may == nil || may(i, j) })
		if n < 0 {
			continue
		}
		j := left[k][n]
		p.pairs[i], p.taken[j], left[k] = outcome.Pair{A: i, B: j, Similarity: 1}, true, slices.Delete(left[k], n, n+1)
	}
}

// equalMeasure pairs outcomes in equal words, then those with an equal measure.
func (p *pairing) equalMeasure() {
	words := func(list []outcome.Outcome) (all []outcome.Outcome) {
		for _, o := range list {
			all = append(all, outcome.Outcome{Level: o.Level, Measure: plain(o.Measure), TimeFrame: plain(o.TimeFrame)})
		}
		return all
	}
	wa, wb := words(p.a), words(p.b)
	for _, key := range []func(o outcome.Outcome) outcome.Outcome{
		func(o outcome.Outcome) outcome.Outcome { return o },
		func(o outcome.Outcome) outcome.Outcome {
			return outcome.Outcome{Measure: o.Measure, TimeFrame: o.TimeFrame}
		},
		func(o outcome.Outcome) outcome.Outcome {
			return outcome.Outcome{Level: o.Level, Measure: o.Measure}
		},
		func(o outcome.Outcome) outcome.Outcome { return outcome.Outcome{Measure: o.Measure} },
	} {
		join(p, func(i int) outcome.Outcome { return key(wa[i]) }, func(j int) outcome.Outcome { return key(wb[j]) }, nil)
	}
}

// equalTime pairs outcomes in the same words, as package outcome reads them, then those
// with the same measure at the same time.
func (p *pairing) equalTime() {
	read := func(list []outcome.Outcome) (all []outcome.Reading) {
		for _, o := range list {
			all = append(all, outcome.Read(o))
		}
		return all
	}
	ra, rb := read(p.a), read(p.b)
	same := func(i, j int) bool { return ra[i].Same(rb[j]) }
	level := func(i, j int) bool { return p.b[j].Level == "" || p.a[i].Level == p.b[j].Level }
	time := func(i, j int) bool { return outcome.TimeFrames(p.a[i], p.b[j]) == outcome.Same }
	exact := func(r outcome.Reading) string { return r.Exact }
	measure := func(r outcome.Reading) string { return r.Measure }
	for _, step := range []struct {
		key   func(outcome.Reading) string
		level bool // of one level alone
		same  func(i, j int) bool
	}{
		{exact, true, same},
		{measure, true, same},
		{exact, false, same},
		{measure, false, same},
		{measure, true, time},
		{measure, false, time},
	} {
		join(p, func(i int) string { return step.key(ra[i]) }, func(j int) string { return step.key(rb[j]) }, func(i, j int) bool {
			return p.a[i].Measure != Withheld && (!step.level || level(i, j)) && step.same(i, j)
		})
	}
}

// alike adds the outcomes that are joined by similarity: preferably those of one level, and
// each once.
func (p *pairing) alike() {
	if Work(p.a, p.b) > MaxWork {
		return
	}
	var ia, ib []int
	var ta, tb []outcome.Outcome
	for i, x := range p.a {
		if _, ok := p.pairs[i]; !ok && x.Measure != Withheld {
			ia, ta = append(ia, i), append(ta, x)
		}
	}
	for j, y := range p.b {
		if !p.taken[j] && y.Measure != Withheld {
			ib, tb = append(ib, j), append(tb, y)
		}
	}
	level := func(i, j int) bool { return tb[j].Level == "" || tb[j].Level == ta[i].Level }
	prefer := func(i, j int) bool { return level(i, j) && outcome.TimeFrames(ta[i], tb[j]) != outcome.Contradicting }
	for _, m := range outcome.MatchOnce(ta, tb, prefer) {
		if level(m.A, m.B) || m.Similarity >= acrossLevels {
			i := ia[m.A]
			p.pairs[i] = outcome.Pair{A: i, B: ib[m.B], Similarity: m.Similarity}
		}
	}
}

// acrossLevels is how similar outcomes of two levels must be to be joined: to say that an
// outcome was promoted or demoted is to say something about somebody.
const acrossLevels = outcome.Threshold + 0.15

// Work returns the cost of comparing each of some outcomes with each of others by similarity:
// the product of their lengths in bytes, and some more for each.
func Work(a, b []outcome.Outcome) int {
	length := func(list []outcome.Outcome) (n int) {
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

// MaxWork is the most work that is done, about a second: 100 outcomes of 100 bytes against as
// many.
const MaxWork = 200_000_000
