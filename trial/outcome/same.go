package outcome

import (
	"slices"
	"strings"
)

// SameWords reports whether two outcomes say the same in the same words: measure and time frame are
// equal except for case, punctuation, HTML, escaping, units of time and the differences of the
// published list. Only such outcomes are called the same. Descriptions are compared if both have
// one. The time may be at the end of the measure ("pain at 12 weeks").
func SameWords(a, b Outcome) bool {
	return SameMeasure(a, b) && (a.Description == b.Description || a.Description == "" || b.Description == "" ||
		max(len(a.Description), len(b.Description)) <= textLimit && sameMarks(marks(a.Description), marks(b.Description)))
}

// SameMeasure does what SameWords does, without the descriptions.
func SameMeasure(a, b Outcome) bool { return Read(a).Same(Read(b)) }

// A Reading is an outcome as SameMeasure compares it, read once for many comparisons.
// Outcomes that are the same have an equal Measure and an equal Exact; others may have
// them too.
type Reading struct {
	Measure, Exact string
	parted
	whole Outcome
	long  bool // of more bytes than are read
}

// Read reads an outcome.
func Read(t Outcome) Reading {
	r := Reading{
		parted: partOf(t), whole: Outcome{Measure: t.Measure, TimeFrame: t.TimeFrame},
		long: max(len(t.Measure), len(t.TimeFrame), len(t.Description)) > textLimit,
	}
	var b strings.Builder
	for _, m := range r.measure {
		b.WriteString(m.text)
	}
	r.Measure = b.String()
	b.WriteByte(' ')
	for _, m := range r.frame {
		b.WriteString(m.text)
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

// sameMarks compares texts. A word with a hyphen in one may be two words or one word in the other:
// "follow-up", "follow up"; "non-fatal", "nonfatal".
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

// texts returns the words of marks. If join is set, words with a hyphen are one word.
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

// A parted outcome has its time separate from what is measured.
type parted struct {
	measure []mark
	frame   []mark  // of the time frame, or of the time at the end of the measure, in order
	points  []point // that the same states, to be named
}

func partOf(t Outcome) parted {
	measure, frame := Unescape(t.Measure), Unescape(t.TimeFrame)
	if strings.TrimSpace(measure) == "" {
		measure = Unescape(t.Description)
	}
	head, own := atEnd(measure)
	p := parted{frame: frameMarks(frame), points: allPoints(frame)}
	changes := func(m mark) bool { return m.text == "change" || m.text == "changes" }
	if len(p.frame) > 1 && p.frame[0].text == "baseline" && slices.ContainsFunc(marks(measure), changes) {
		if next := p.frame[1]; next.text == "and" && len(p.frame) > 2 {
			p.frame = p.frame[2:]
		} else if next.apart {
			p.frame = p.frame[1:]
		}
	}
	if own != "" {
		times := frameMarks(own)
		if isTime(times) && (len(p.frame) == 0 || slices.Equal(texts(times, false), texts(p.frame, false))) {
			measure, p.frame, p.points = head, times, allPoints(own)
		}
	}
	p.measure = marks(measure)
	return p
}

// atEnd separates a measure from the time at its end, such as "at 12 weeks" or "(week 12)".
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

// allPoints returns the time points of a text.
func allPoints(s string) (points []point) {
	for _, l := range listings(s) {
		points = append(points, l.points...)
	}
	return points
}

func (p parted) sameTime(q parted) bool { return sameMarks(p.frame, q.frame) }
