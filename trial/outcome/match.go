package outcome

import (
	"cmp"
	"slices"
)

// A Pair is an outcome of one list and one of another, by their indexes.
type Pair struct {
	A, B       int
	Similarity float64
}

// Match joins two lists of outcomes. It joins the most similar first, each outcome once. Among
// equally similar ones those whose time frames agree come first, then those in the same order.
// An outcome that is left is joined to one that already has a partner, if the two are similar
// enough and their time frames do not contradict: "safety" on one side may stand for adverse
// events and serious adverse events on the other. Call SplitTimePoints before, if each time point
// should be an outcome. The pairs come in the order of A, then B.
func Match(a, b []Outcome) []Pair {
	candidates := candidates(a, b, func(i, j int) bool { return false })
	m := newMatching(a, b)
	m.once(candidates)
	for _, c := range candidates {
		if (!m.doneA[c.A] || !m.doneB[c.B]) && c.relation != Contradicting {
			m.take(c)
		}
	}
	return m.sorted()
}

// MatchOnce does what Match does, but each outcome has at most one partner, and among nearly
// equally similar pairs the preferred ones come first, such as those of one level.
func MatchOnce(a, b []Outcome, prefer func(i, j int) bool) []Pair {
	m := newMatching(a, b)
	m.once(candidates(a, b, prefer))
	return m.sorted()
}

// preferred is how much is added to the similarity of a preferred pair.
const preferred = 0.1

// A candidate is a pair that may be joined.
type candidate struct {
	Pair
	rank     float64 // similarity, and what is preferred above it
	relation TimeRelation
}

// candidates returns the pairs that are similar enough, the best first.
func candidates(a, b []Outcome, prefer func(i, j int) bool) []candidate {
	order := map[TimeRelation]int{Same: 0, NeitherStated: 1, OnlyFirst: 2, OnlySecond: 2, Contradicting: 3}
	var list []candidate
	for i := range a {
		for j := range b {
			s := Similarity(a[i], b[j])
			if s < Threshold {
				continue
			}
			c := candidate{Pair{i, j, s}, s, TimeFrames(a[i], b[j])}
			if prefer(i, j) {
				c.rank += preferred
			}
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(x, y candidate) int {
		return cmp.Or(cmp.Compare(y.rank, x.rank), cmp.Compare(order[x.relation], order[y.relation]),
			cmp.Compare(distance(x.A, x.B), distance(y.A, y.B)), cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B))
	})
	return list
}

// A matching has the pairs joined so far.
type matching struct {
	pairs        []Pair
	doneA, doneB []bool
}

func newMatching(a, b []Outcome) *matching {
	return &matching{[]Pair{}, make([]bool, len(a)), make([]bool, len(b))}
}

// once takes the candidates whose outcomes are both still free, in order.
func (m *matching) once(candidates []candidate) {
	for _, c := range candidates {
		if !m.doneA[c.A] && !m.doneB[c.B] {
			m.take(c)
		}
	}
}

func (m *matching) take(c candidate) {
	m.doneA[c.A], m.doneB[c.B] = true, true
	m.pairs = append(m.pairs, c.Pair)
}

func (m *matching) sorted() []Pair {
	slices.SortFunc(m.pairs, func(x, y Pair) int { return cmp.Or(cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B)) })
	return m.pairs
}

func distance(i, j int) int { return max(i-j, j-i) }
