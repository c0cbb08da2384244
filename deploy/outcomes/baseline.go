package main

import (
	"math"
	"strings"

	"github.com/trialproof/trialproof/trial/outcome"
)

// baseline needs no knowledge of trials: it is the cosine of the counts of groups of three
// letters within words, in lower case, with time frames. Of some fifty ways to count letters it
// is the one that did best on the labelled pairs.
func baseline(a, b outcome.Outcome) float64 {
	x, y := letterGroups(a), letterGroups(b)
	var dot, xx, yy float64 // of whole numbers: the order does not matter
	for g, n := range x {
		dot += n * y[g]
		xx += n * n
	}
	for _, n := range y {
		yy += n * n
	}
	if xx == 0 || yy == 0 {
		return 0
	}
	return math.Round(1e4*dot/math.Sqrt(xx*yy)) / 1e4
}

func letterGroups(t outcome.Outcome) map[string]float64 {
	m := map[string]float64{}
	for w := range strings.FieldsSeq(strings.ToLower(t.Measure + " , " + t.TimeFrame)) {
		r := []rune(" " + w + " ")
		for i := 0; i+3 <= len(r); i++ {
			m[string(r[i:i+3])]++
		}
	}
	return m
}
