package main

import (
	"math"
	"slices"

	"github.com/trialproof/trialproof/trial/outcome"
)

// A scored pair has its value by a measure of similarity.
type scored struct {
	trial   int
	score   float64
	similar bool
}

// A share is how many of a number, with Wilson's 95 % interval.
type share struct {
	Joined int     `json:"joined"`
	Of     int     `json:"of"`
	Share  float64 `json:"share"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

func shareOf(k, n int) share {
	s := share{Joined: k, Of: n}
	if n == 0 {
		return s
	}
	const z = 1.959963984540054
	p, m := float64(k)/float64(n), float64(n)
	mid := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	round := func(x float64) float64 { return math.Round(1e4*min(1, max(0, x))) / 1e4 }
	s.Share, s.Low, s.High = round(p), round(mid-half), round(mid+half)
	return s
}

// A result is how many pairs a rule joins.
type result struct {
	Similar    share   `json:"similar"`
	Dissimilar share   `json:"dissimilar"`
	Lowest     float64 `json:"lowestThreshold"`
	Highest    float64 `json:"highestThreshold"`
}

func score(trials []trial, like func(a, b outcome.Outcome) float64) []scored {
	var list []scored
	for i, t := range trials {
		for _, p := range t.pairs {
			list = append(list, scored{i, like(t.article[p.article], t.registry[p.registry]), p.similar})
		}
	}
	return list
}

// leaveOneOut joins each trial's pairs by the threshold that was chosen on the pairs of all
// others.
func leaveOneOut(list []scored) result {
	return judge(list, func(trial int) float64 {
		return choose(slices.DeleteFunc(slices.Clone(list), func(s scored) bool { return s.trial == trial }))
	})
}

func fixed(list []scored, threshold float64) result {
	return judge(list, func(int) float64 { return threshold })
}

func judge(list []scored, threshold func(trial int) float64) result {
	var counts, joined [2]int
	r := result{Lowest: math.Inf(1), Highest: math.Inf(-1)}
	trial, at := -1, 0.0
	for _, s := range list {
		if s.trial != trial {
			trial, at = s.trial, threshold(s.trial)
			r.Lowest, r.Highest = min(r.Lowest, at), max(r.Highest, at)
		}
		kind := 0
		if s.similar {
			kind = 1
		}
		counts[kind]++
		if s.score >= at {
			joined[kind]++
		}
	}
	if len(list) == 0 {
		r.Lowest, r.Highest = 0, 0
	}
	r.Similar, r.Dissimilar = shareOf(joined[1], counts[1]), shareOf(joined[0], counts[0])
	return r
}

// choose returns the threshold that maximises the share of the similar pairs joined less that
// of the dissimilar ones (Youden's index), half-way within the widest gap between scores that
// does. Without similar or dissimilar pairs it is a half.
func choose(list []scored) float64 {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b scored) int {
		switch {
		case a.score < b.score:
			return -1
		case a.score > b.score:
			return 1
		}
		return 0
	})
	var similar, other int
	for _, s := range list {
		if s.similar {
			similar++
		} else {
			other++
		}
	}
	if similar == 0 || other == 0 {
		return 0.5
	}
	best, width, at := -1, 0.0, 0.5
	above, below := similar, other // at or above the threshold
	last := 0.0
	for i := 0; i <= len(list); i++ {
		next := 1.0
		if i < len(list) {
			next = list[i].score
		}
		index := above*other - below*similar
		if gap := next - last; gap > 0 && (best < 0 && i == 0 || index > best || index == best && gap > width) {
			best, width, at = index, gap, last+gap/2
		}
		if i < len(list) {
			if list[i].similar {
				above--
			} else {
				below--
			}
			last = next
		}
	}
	return math.Round(1e4*at) / 1e4
}
