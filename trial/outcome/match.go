package outcome

import (
	"cmp"
	"slices"
)

// A Pair is an outcome of one list with one of another, by their places there.
type Pair struct {
	A, B       int
	Similarity float64
}

// Match joins two lists of outcomes: the most similar first, each outcome once, and
// among those as similar the ones whose time frames agree, then those in the same
// order. What is then left is joined to an outcome that already has a partner, where
// it is similar enough and its time frame does not contradict: "safety" on one side may
// stand for adverse events and serious adverse events on the other. Whoever wants each
// time point to be an outcome calls SplitTimePoints before. The pairs come in the order
// of A, then B.
func Match(a, b []Text) []Pair {
	type candidate struct {
		Pair
		relation TimeRelation
	}
	rank := map[TimeRelation]int{Same: 0, NeitherStated: 1, OnlyFirst: 2, OnlySecond: 2, Contradicting: 3}
	var candidates []candidate
	for i := range a {
		for j := range b {
			if s := Similarity(a[i], b[j]); s >= Threshold {
				candidates = append(candidates, candidate{Pair{i, j, s}, TimeFrames(a[i], b[j])})
			}
		}
	}
	slices.SortStableFunc(candidates, func(x, y candidate) int {
		return cmp.Or(cmp.Compare(y.Similarity, x.Similarity), cmp.Compare(rank[x.relation], rank[y.relation]),
			cmp.Compare(distance(x.A, x.B), distance(y.A, y.B)), cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B))
	})
	pairs := []Pair{}
	doneA, doneB := make([]bool, len(a)), make([]bool, len(b))
	for _, c := range candidates {
		if !doneA[c.A] && !doneB[c.B] {
			doneA[c.A], doneB[c.B] = true, true
			pairs = append(pairs, c.Pair)
		}
	}
	for _, c := range candidates {
		if (!doneA[c.A] || !doneB[c.B]) && c.relation != Contradicting {
			doneA[c.A], doneB[c.B] = true, true
			pairs = append(pairs, c.Pair)
		}
	}
	slices.SortFunc(pairs, func(x, y Pair) int { return cmp.Or(cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B)) })
	return pairs
}

func distance(i, j int) int { return max(i-j, j-i) }
