package main

import (
	"math"
	"strings"

	"github.com/trialproof/trialproof/trial/outcome"
)

// baseline is what needs no knowledge of trials: the cosine of the counts of three
// to five letters, of words in lower case, as they stand.
func baseline(a, b outcome.Text) float64 {
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

func letterGroups(t outcome.Text) map[string]float64 {
	m := map[string]float64{}
	for w := range strings.FieldsSeq(strings.ToLower(t.Measure + " " + t.TimeFrame)) {
		r := []rune(" " + w + " ")
		for n := 3; n <= 5; n++ {
			for i := 0; i+n <= len(r); i++ {
				m[string(r[i:i+n])]++
			}
		}
	}
	return m
}
