package outcome

import (
	"slices"
	"strings"
	"unicode"
)

// pointLimit is how many outcomes one text may be split into.
const pointLimit = 64

// SplitTimePoints returns an outcome for each time point that a text lists: by the COMPare protocol
// an outcome at two times is two outcomes. "Pain at 6 and 12 weeks" gives pain at 6 weeks and pain
// at 12 weeks. The list in the measure takes precedence over that in the time frame. Baseline and
// the length of follow-up are not time points. A text with one point or none, with points in several
// places of its measure, or with more than 64 points is returned as it is.
func SplitTimePoints(t Outcome) []Outcome {
	in := listings(t.Measure)
	switch {
	case len(in) == 1:
		l := in[0]
		points := single(l.points)
		if len(points) < 2 || len(points) > pointLimit || !faithful(t.Measure, l) {
			return []Outcome{t}
		}
		head := trimBaseline(t.Measure[:l.start])
		var list []Outcome
		for _, p := range points {
			u := t
			u.Measure = head + p.text + t.Measure[l.end:]
			list = append(list, u)
		}
		return list
	case len(in) > 1:
		return []Outcome{t}
	}
	in = listings(t.TimeFrame)
	if len(in) != 1 {
		return []Outcome{t} // words between the times may say what each time is for
	}
	l := in[0]
	points := single(l.points)
	if len(points) < 2 || len(points) > pointLimit || !faithful(t.TimeFrame, l) {
		return []Outcome{t}
	}
	head := trimBaseline(t.TimeFrame[:l.start])
	var list []Outcome
	for _, p := range points {
		u := t
		u.TimeFrame = head + p.text + t.TimeFrame[l.end:]
		list = append(list, u)
	}
	return list
}

// faithful reports whether the points of a listing are all that is written there, so that no minus,
// fraction or sign is lost when each point is written alone.
func faithful(s string, l listing) bool {
	if r := []rune(strings.TrimRight(s[:l.start], " ")); len(r) > 0 {
		last := r[len(r)-1]
		if !unicode.IsLetter(last) && !strings.ContainsRune(",;:([", last) && !(last == '.' && s[l.start-1] == ' ') {
			return false
		}
	}
	if strings.ContainsFunc(s[l.end:], isWord) { // "week 4, 8 weeks after surgery"
		units := 0
		for _, m := range marks(s[l.start:l.end]) {
			if timeUnit(m, true) != "" {
				units++
			}
		}
		if units > 1 {
			return false
		}
	}
	var want []string
	for _, p := range l.points {
		want = append(want, texts(frameMarks(p.text), false)...)
	}
	got := slices.DeleteFunc(frameMarks(s[l.start:l.end]), func(m mark) bool {
		return m.text == "and" || m.text == "at" || m.text == "baseline"
	})
	return slices.Equal(texts(got, false), want)
}

// single returns the points that are times of assessment, each once.
func single(points []point) []point {
	var list []point
next:
	for _, p := range points {
		if p.horizon || p.low == 0 && p.high == 0 {
			continue
		}
		for _, q := range list {
			if p.low == q.low && p.high == q.high {
				continue next
			}
		}
		list = append(list, p)
	}
	return list
}

// trimBaseline removes "baseline," and "baseline and" from the end of the text before a list of
// points.
func trimBaseline(s string) string {
	t := strings.TrimRight(s, " ,")
	if low := strings.ToLower(t); len(low) == len(t) {
		t = t[:len(strings.TrimRight(strings.TrimSuffix(low, " and"), " ,"))]
	}
	if cut := len(t) - len("baseline"); cut >= 0 && strings.EqualFold(t[cut:], "baseline") &&
		!strings.HasSuffix(strings.ToLower(t[:cut]), "from ") {
		return t[:cut]
	}
	return s
}
