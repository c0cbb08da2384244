package outcome

import (
	"fmt"
	"slices"
	"strings"
)

// SameWords reports whether two outcomes say the same in the same words: measure and
// time frame are equal but for case, punctuation, HTML, escaping, units of time and
// the differences of the published list. Only this acquits. A description is looked
// at where both have one. The time may stand at the end of the measure ("pain at 12
// weeks").
func SameWords(a, b Text) bool {
	return SameMeasure(a, b) && (a.Description == b.Description || a.Description == "" || b.Description == "" ||
		max(len(a.Description), len(b.Description)) <= textLimit && sameMarks(marks(a.Description), marks(b.Description)))
}

// SameMeasure is SameWords without the descriptions.
func SameMeasure(a, b Text) bool { return Read(a).Same(Read(b)) }

// A Reading is an outcome as SameMeasure compares it, read once for many comparisons.
// Outcomes that are the same have an equal Measure, and an equal Exact where their
// times are written with equal numbers of days; others may have them too.
type Reading struct {
	Measure, Exact string
	parted
	whole Text
	long  bool // of more bytes than are read
}

// Read reads an outcome.
func Read(t Text) Reading {
	r := Reading{parted: partOf(t), whole: Text{Measure: t.Measure, TimeFrame: t.TimeFrame}, long: max(len(t.Measure), len(t.TimeFrame), len(t.Description)) > textLimit}
	var b strings.Builder
	for _, m := range r.measure {
		b.WriteString(m.text)
	}
	r.Measure = b.String()
	for _, m := range r.frame {
		b.WriteString(" " + m.text)
	}
	for _, p := range r.points {
		fmt.Fprintf(&b, " %.4f-%.4f", p.low, p.high)
	}
	r.Exact = b.String()
	return r
}

// Same reports whether two outcomes have the same measure and time frame.
func (r Reading) Same(q Reading) bool {
	if r.whole == q.whole {
		return r.whole.Measure != ""
	}
	return !r.long && !q.long && len(r.measure) > 0 && sameMarks(r.measure, q.measure) && r.sameTime(q.parted)
}

// sameMarks compares texts, of which one may write in two words, or with a hyphen,
// what the other writes in one with a hyphen: "follow-up", "follow up"; "non-fatal",
// "nonfatal".
func sameMarks(a, b []mark) bool {
	for _, x := range []bool{false, true} {
		for _, y := range []bool{false, true} {
			if slices.Equal(texts(a, x), texts(b, y)) {
				return true
			}
		}
	}
	return false
}

// texts returns the words of marks, with join those with a hyphen as one.
func texts(list []mark, join bool) []string {
	var out []string
	for _, m := range list {
		if n := len(out); join && m.tight && n > 0 {
			out[n-1] += m.text
			continue
		}
		out = append(out, m.text)
	}
	return out
}

// A parted outcome has its time apart from what is measured.
type parted struct {
	measure []mark
	frame   []mark // of the time frame, what is not a time point
	points  []point
}

func partOf(t Text) parted {
	measure, frame := Unescape(t.Measure), Unescape(t.TimeFrame)
	if strings.TrimSpace(measure) == "" {
		measure = Unescape(t.Description)
	}
	head, own := atEnd(measure)
	var p parted
	p.frame, p.points = timesOf(frame)
	if own != "" {
		rest, points := timesOf(own)
		if len(rest) == 0 && (frame == "" || len(p.frame) == 0 && equalPoints(points, p.points)) {
			measure, p.points = head, points
		}
	}
	p.measure = marks(measure)
	if slices.ContainsFunc(p.measure, func(m mark) bool { return m.text == "baseline" || m.text == "change" }) {
		p.frame = slices.DeleteFunc(p.frame, func(m mark) bool { return m.text == "baseline" || m.text == "and" })
	}
	return p
}

// atEnd parts a measure from the time that it ends with, "at 12 weeks" or "(week 12)".
func atEnd(s string) (head, own string) {
	in := listings(s)
	if len(in) != 1 || strings.Trim(s[in[0].end:], " .,;)]") != "" {
		return s, ""
	}
	head = strings.TrimRight(s[:in[0].start], " ")
	if bare := strings.TrimRight(head, "([,; "); bare != head {
		head = bare
		if at, ok := strings.CutSuffix(head, " at"); ok {
			head = at
		}
	} else if at, ok := strings.CutSuffix(head, " at"); ok {
		head = strings.TrimRight(at, ",; ")
	} else {
		return s, ""
	}
	if strings.Count(head, "(") != strings.Count(head, ")") || !strings.ContainsFunc(head, isWord) {
		return s, ""
	}
	return head, s[in[0].start:in[0].end]
}

// timesOf parts a time frame into its points and the words that are none of them.
func timesOf(s string) (rest []mark, points []point) {
	last := 0
	var words strings.Builder
	for _, l := range listings(s) {
		words.WriteString(s[last:l.start] + " ")
		points, last = append(points, l.points...), l.end
	}
	words.WriteString(s[last:])
	for _, m := range marks(words.String()) {
		if m.text != "at" && m.text != "–" {
			rest = append(rest, m)
		}
	}
	return rest, points
}

func (p parted) sameTime(q parted) bool {
	return sameMarks(p.frame, q.frame) && equalPoints(p.points, q.points)
}

// equalPoints reports whether two lists name the same times, each as a point or as a
// horizon.
func equalPoints(p, q []point) bool {
	among := func(p, q []point) bool {
		for _, x := range p {
			if !slices.ContainsFunc(q, func(y point) bool { return x.equal(y) && x.horizon == y.horizon }) {
				return false
			}
		}
		return true
	}
	return among(p, q) && among(q, p)
}
