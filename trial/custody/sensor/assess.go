package sensor

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// A Gap is a time without readings that is longer than the profile allows.
type Gap struct{ From, To time.Time }

func (g Gap) seconds() int64 { return g.To.Unix() - g.From.Unix() }

// An Assessment is what a profile says of a leg, or of several. Times are in whole seconds. For
// one leg the seconds of Bands, Out and Unknown add up to those from From to To.
type Assessment struct {
	From, To     time.Time // UTC; zero if there was neither a reading nor a time to judge
	Bands        []int64   // seconds in each band of the profile
	Out, Unknown int64     // seconds
	Longest      int64     // seconds of the longest of the gaps
	Gaps         []Gap     // in their order, at most MaxGaps: the longest
	MoreGaps     int64     // how many more there were
	Seen         bool      // some reading bears on the leg
	SeenOut      bool      // one of those is outside all bands
	Min, Max     int64     // milli-degrees of those, zero if there is none
	Starts, Ends int64     // the worst band of a reading at From, at To: len(Bands) is out, -1 none
	Doubts       []string  // in order, at most MaxGaps
	Reasons      []string  // why the leg is not ok, for people
}

// MaxGaps is how many gaps, and how many doubts, an assessment lists.
const MaxGaps = 50

// A span is a reading in whole seconds, with its band.
type span struct {
	from, to, low, high int64
	class               int
}

func (s *span) widen(o span) {
	s.low, s.high, s.class = min(s.low, o.low), max(s.high, o.high), max(s.class, o.class)
}

// spans returns the readings by from and to, each period widened by the readings strictly within.
func (p Profile) spans(s Series) []span {
	list := make([]span, len(s.Readings))
	var points []span
	for i, r := range s.Readings {
		list[i] = span{from: r.From.Unix(), to: r.From.Unix(), low: min(r.Min, r.Max), high: max(r.Min, r.Max)}
		if r.To.After(r.From) {
			list[i].to = ceil(r.To)
		}
		if list[i].to == list[i].from {
			points = append(points, list[i])
		}
	}
	slices.SortFunc(points, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	least := newTree(points)
	for i := range list {
		r := &list[i]
		if r.from < r.to {
			after, _ := slices.BinarySearchFunc(points, r.from+1, func(s span, t int64) int { return cmp.Compare(s.from, t) })
			before, _ := slices.BinarySearchFunc(points, r.to, func(s span, t int64) int { return cmp.Compare(s.from, t) })
			least.widen(r, after, before)
		}
		r.class = p.class(r.low, r.high)
	}
	slices.SortFunc(list, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	return list
}

// A minTree finds the lowest and the highest of a range of points: a segment tree, the points in
// its second half.
type minTree []span

func newTree(points []span) minTree {
	n := len(points)
	t := make(minTree, 2*n)
	copy(t[n:], points)
	for i := n - 1; i > 0; i-- {
		t[i] = t[2*i]
		t[i].widen(t[2*i+1])
	}
	return t
}

// widen widens s by the points from the one at i up to the one before j.
func (t minTree) widen(s *span, i, j int) {
	n := len(t) / 2
	for i, j = i+n, j+n; i < j; i, j = i/2, j/2 {
		if i%2 == 1 {
			s.widen(t[i])
			i++
		}
		if j%2 == 1 {
			j--
			s.widen(t[j])
		}
	}
}

// A leg is an assessment that is being made.
type leg struct {
	p        Profile
	from, to int64
	a        Assessment
}

// count counts a time to a class, and the gap if the class is -1, as far as it is in the leg. It
// reports whether any of it is.
func (l *leg) count(from, to int64, class int) bool {
	from, to = max(from, l.from), min(to, l.to)
	if from >= to {
		return false
	}
	switch {
	case class < 0:
		l.a.Unknown += to - from
		l.a.Gaps = append(l.a.Gaps, Gap{moment(from), moment(to)})
	case class == len(l.a.Bands):
		l.a.Out += to - from
	default:
		l.a.Bands[class] += to - from
	}
	return true
}

// see takes note of a reading that bears on the leg.
func (l *leg) see(s span) {
	if !l.a.Seen {
		l.a.Seen, l.a.Min, l.a.Max = true, s.low, s.high
	}
	l.a.Min, l.a.Max = min(l.a.Min, s.low), max(l.a.Max, s.high)
	l.a.SeenOut = l.a.SeenOut || s.class == len(l.a.Bands)
}

// own returns the series' own first and last time, if it has any: of its readings, of its doubts
// and of what is missing in it.
func own(s Series, list []span) (first, last int64, any bool) {
	add := func(from, to int64) {
		if !any {
			first, last, any = from, to, true
		}
		first, last = min(first, from), max(last, to)
	}
	for _, r := range list {
		add(r.from, r.to)
	}
	for _, d := range s.Doubts {
		add(d.From.Unix(), ceil(d.To))
	}
	if !s.From.IsZero() {
		add(s.From.Unix(), ceil(s.To))
	}
	return first, last, any
}

// ceil returns a time in seconds, rounded up.
func ceil(t time.Time) int64 {
	if t.Nanosecond() > 0 {
		return t.Unix() + 1
	}
	return t.Unix()
}

func moment(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }

// Assess judges one leg, from a time to a later one; a zero time is the series' own first or
// last, of what is missing too. Readings beside the leg count for its edges.
func (p Profile) Assess(s Series, from, to time.Time) Assessment {
	list := p.spans(s)
	l := leg{p: p, a: Assessment{Bands: make([]int64, len(p.Bands)), Starts: -1, Ends: -1}}
	first, last, any := own(s, list)
	switch {
	case !from.IsZero():
		l.from = from.Unix()
	case any:
		l.from = first
	default:
		l.from = ceil(to)
	}
	switch {
	case !to.IsZero():
		l.to = ceil(to)
	case any:
		l.to = last
	default:
		l.to = l.from
	}
	if !any && from.IsZero() && to.IsZero() {
		l.a.Reasons = p.reasons(l.a)
		return l.a
	}
	l.to = max(l.to, l.from)
	l.a.From, l.a.To = moment(l.from), moment(l.to)
	if len(list) == 0 {
		l.count(l.from, l.to, -1)
	} else {
		l.covered(list)
		l.between(list)
		l.seen(list)
	}
	l.doubts(s)
	l.a.tidy()
	l.a.Reasons = p.reasons(l.a)
	return l.a
}

// covered counts the periods, each time once, to the worst.
func (l *leg) covered(list []span) {
	type edge struct {
		at    int64
		class int
		step  int
	}
	var edges []edge
	for _, s := range list {
		if s.from < s.to {
			edges = append(edges, edge{s.from, s.class, 1}, edge{s.to, s.class, -1})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Compare(a.at, b.at) })
	open := make([]int, len(l.a.Bands)+1)
	for i, e := range edges {
		if i > 0 && edges[i-1].at < e.at {
			for class := len(open) - 1; class >= 0; class-- {
				if open[class] > 0 {
					l.count(edges[i-1].at, e.at, class)
					break
				}
			}
		}
		open[e.class] += e.step
	}
}

// between counts the times between readings, and those before the first and after the last.
func (l *leg) between(list []span) {
	most := l.p.MaxGap * 60
	// starting returns what the readings that start at the same time as list[i] say together.
	starting := func(i int) span {
		s := list[i]
		for j := i + 1; j < len(list) && list[j].from == s.from; j++ {
			s.widen(list[j])
		}
		return s
	}
	first := starting(0)
	if l.from < first.from {
		if first.from-l.from > most || first.from > l.to {
			l.count(l.from, first.from, -1)
		} else if l.count(l.from, first.from, first.class) {
			l.see(first)
		}
	}
	last := list[0] // what the readings that end at the last end so far say together
	for i := 1; i < len(list); i++ {
		s := list[i]
		if s.from > last.to {
			next := starting(i)
			if s.from-last.to > most {
				l.count(last.to, s.from, -1)
			} else if l.count(last.to, s.from, max(last.class, next.class)) {
				l.see(last)
				l.see(next)
			}
		}
		switch {
		case s.to > last.to:
			last = s
		case s.to == last.to:
			last.widen(s)
		}
	}
	if l.to > last.to {
		if l.to-last.to > most || l.from > last.to {
			l.count(last.to, l.to, -1)
		} else if l.count(last.to, l.to, last.class) {
			l.see(last)
		}
	}
}

// seen takes note of the readings that touch the leg.
func (l *leg) seen(list []span) {
	for _, s := range list {
		touches := s.from <= l.to && s.to >= l.from
		if s.from < s.to && l.from < l.to {
			touches = s.from < l.to && s.to > l.from
		}
		if !touches {
			continue
		}
		l.see(s)
		if s.from == l.from {
			l.a.Starts = max(l.a.Starts, int64(s.class))
		}
		if s.to == l.to {
			l.a.Ends = max(l.a.Ends, int64(s.class))
		}
	}
}

// doubts takes the doubts of a series that fall into the leg.
func (l *leg) doubts(s Series) {
	for _, d := range s.Doubts {
		if d.To.Unix() >= l.from && d.From.Unix() <= l.to {
			at := stamp(d.From)
			if d.To.After(d.From) {
				at += " to " + stamp(d.To)
			}
			l.a.Doubts = append(l.a.Doubts, at+": "+d.Why)
		}
	}
	l.a.tidy()
}

// tidy orders gaps and doubts, and drops the shortest gaps and last doubts if there are too many.
func (a *Assessment) tidy() {
	slices.SortFunc(a.Gaps, func(x, y Gap) int { return cmp.Or(x.From.Compare(y.From), x.To.Compare(y.To)) })
	for _, g := range a.Gaps {
		a.Longest = max(a.Longest, g.seconds())
	}
	if more := len(a.Gaps) - MaxGaps; more > 0 {
		byLength := slices.Clone(a.Gaps)
		slices.SortStableFunc(byLength, func(x, y Gap) int { return cmp.Compare(y.seconds(), x.seconds()) })
		a.Gaps = byLength[:MaxGaps]
		slices.SortFunc(a.Gaps, func(x, y Gap) int { return cmp.Or(x.From.Compare(y.From), x.To.Compare(y.To)) })
		a.MoreGaps += int64(more)
	}
	slices.Sort(a.Doubts)
	if a.Doubts = slices.Compact(a.Doubts); len(a.Doubts) > MaxGaps {
		a.Doubts = a.Doubts[:MaxGaps]
	}
}

// The conditions of a leg or of all legs.
const (
	OK        = "ok"
	Excursion = "excursion"
	Unknown   = "unknown"
)

// Condition returns "excursion" if a pack was seen outside all bands, or stood in a band for
// longer than it may; else "unknown" if there is a gap, a doubt or no reading, or the assessment
// is of another profile; else "ok".
func (p Profile) Condition(a Assessment) string {
	excursion := a.Out > 0 || a.SeenOut
	for i, b := range p.Bands {
		excursion = excursion || len(a.Bands) == len(p.Bands) && b.Minutes != nil && a.Bands[i] > *b.Minutes*60
	}
	switch {
	case excursion:
		return Excursion
	case a.Unknown > 0, !a.Seen, len(a.Doubts) > 0, len(a.Bands) != len(p.Bands), len(p.Bands) == 0:
		return Unknown
	}
	return OK
}

// reasons says why an assessment is not ok.
func (p Profile) reasons(a Assessment) (list []string) {
	if a.Out > 0 {
		list = append(list, "outside all bands for "+duration(a.Out))
	} else if a.SeenOut {
		list = append(list, "a reading is outside all bands")
	}
	for i, b := range p.Bands {
		if len(a.Bands) == len(p.Bands) && b.Minutes != nil && a.Bands[i] > *b.Minutes*60 {
			list = append(list, fmt.Sprintf("%s for %s; it may be %s", b, duration(a.Bands[i]), duration(*b.Minutes*60)))
		}
	}
	if !a.Seen {
		list = append(list, "no reading")
	}
	if a.Unknown > 0 {
		list = append(list, fmt.Sprintf("unknown for %s, because readings are more than %s apart", duration(a.Unknown),
			duration(p.MaxGap*60)))
	}
	return append(list, a.Doubts...)
}
