package sensor

import (
	"cmp"
	"fmt"
	"slices"
)

// Sum adds up legs, in any order. The time between two legs counts as in one series: to the worse
// of the readings at both ends if the legs end and start with a reading and are at most maxGap
// apart, and otherwise it is unknown. So a leg that is left out does not go unnoticed. The times
// of legs that overlap are all counted. No legs are unknown.
func (p Profile) Sum(legs ...Assessment) Assessment {
	sum := Assessment{Bands: make([]int64, len(p.Bands)), Starts: -1, Ends: -1}
	legs = slices.Clone(legs)
	slices.SortStableFunc(legs, func(a, b Assessment) int { return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To)) })
	for _, a := range legs {
		sum.MoreGaps += a.MoreGaps
		sum.Longest = max(sum.Longest, a.Longest)
		sum.Doubts = append(sum.Doubts, a.Doubts...)
		if a.From.IsZero() {
			sum.Doubts = append(sum.Doubts, "a leg has no reading")
			continue
		}
		p.join(&sum, a)
		sum.Out, sum.Unknown = sum.Out+a.Out, sum.Unknown+a.Unknown
		for i, seconds := range a.Bands {
			if len(a.Bands) == len(sum.Bands) {
				sum.Bands[i] += seconds
			} else {
				sum.Unknown += seconds
			}
		}
		if len(a.Bands) != len(sum.Bands) {
			sum.Doubts = append(sum.Doubts, fmt.Sprintf("%s: a leg was assessed by a profile of %d bands, not %d", stamp(a.From),
				len(a.Bands),
				len(sum.Bands)))
		}
		sum.SeenOut = sum.SeenOut || a.SeenOut
		switch {
		case a.Seen && !sum.Seen:
			sum.Seen, sum.Min, sum.Max = true, a.Min, a.Max
		case a.Seen:
			sum.Min, sum.Max = min(sum.Min, a.Min), max(sum.Max, a.Max)
		}
	}
	sum.tidy()
	sum.Reasons = p.reasons(sum)
	return sum
}

// join joins a leg to the sum of the legs that start before: the time between them, and gaps that
// go on from one to the other.
func (p Profile) join(sum *Assessment, a Assessment) {
	if sum.From.IsZero() {
		sum.From, sum.To, sum.Starts, sum.Ends = a.From, a.To, a.Starts, a.Ends
		sum.Gaps = slices.Clone(a.Gaps)
		return
	}
	alike := len(a.Bands) == len(p.Bands)
	hole := a.From.Unix() - sum.To.Unix()
	switch {
	case hole <= 0:
	case alike && sum.Ends >= 0 && a.Starts >= 0 && hole <= p.MaxGap*60:
		if worse := max(sum.Ends, a.Starts); worse < int64(len(sum.Bands)) {
			sum.Bands[worse] += hole
		} else {
			sum.Out += hole
		}
	default:
		sum.Unknown += hole
		sum.extend(Gap{sum.To, a.From}, sum.Ends < 0)
	}
	for _, g := range a.Gaps {
		sum.extend(g, a.Starts < 0 && g.From.Equal(a.From) && (hole > 0 || hole == 0 && sum.Ends < 0))
	}
	if a.From.Equal(sum.From) {
		sum.Starts = max(sum.Starts, a.Starts)
	}
	switch {
	case a.To.After(sum.To):
		sum.To, sum.Ends = a.To, a.Ends
	case a.To.Equal(sum.To):
		sum.Ends = max(sum.Ends, a.Ends)
	}
	if !alike {
		sum.Ends = -1
	}
}

// extend adds a gap, or lengthens the last one by it if that ends where it starts and no reading
// is between them.
func (a *Assessment) extend(g Gap, goesOn bool) {
	if n := len(a.Gaps); goesOn && n > 0 && a.Gaps[n-1].To.Equal(g.From) {
		a.Gaps[n-1].To = g.To
		return
	}
	a.Gaps = append(a.Gaps, g)
}
