package outcome

import (
	"fmt"
	"slices"
	"strings"
)

// A Class says how an outcome relates to a later one, for a reader who is to judge them. Only
// EqualWords says that the two are one outcome. The other classes are proposals that rest on
// words that were found; nothing was understood.
type Class string

const (
	EqualWords Class = "same words"
	Reworded   Class = "reworded, to be judged"
	Narrowed   Class = "narrowed"  // the later one names a part of what the earlier one does
	Broadened  Class = "broadened" // the other way round
	Replaced   Class = "replaced"  // the later one names another instrument, population, cause, time, ...
)

// hunkLimit is how many of the places where words differ are named.
const hunkLimit = 4

// Differences says how b relates to a, and lists in words what differs; the list is empty if
// they are in the same words.
func Differences(a, b Outcome) (Class, []string) {
	if SameWords(a, b) {
		return EqualWords, nil
	}
	x, y := partOf(a), partOf(b)
	c := &classifier{}
	if !sameMarks(x.measure, y.measure) {
		p, q := writtenOut(x.measure, b), writtenOut(y.measure, a)
		c.words(x.measure, y.measure, !slices.EqualFunc(p, x.measure, equalMark) || !slices.EqualFunc(q, y.measure, equalMark))
		c.facets(p, q, true)
	}
	if !x.sameTime(y) {
		c.times(a, b, x, y)
	}
	if a.Description != "" && b.Description != "" {
		if p, q := marks(a.Description), marks(b.Description); !sameMarks(p, q) {
			before := len(c.said)
			c.facets(p, q, false)
			if len(c.said) == before {
				c.say("their descriptions are in other words")
			} else {
				c.said[before] = "in their descriptions: " + c.said[before]
			}
		}
	}
	if len(c.said) == 0 {
		c.say("their words are not the same")
	}
	return c.class(), c.said
}

// A classifier collects what differs.
type classifier struct {
	said                         []string
	replaced, narrowed, broadens bool
	apart                        bool // the texts differ in more places than one can point at
}

func (c *classifier) say(s string) { c.said = append(c.said, s) }

func (c *classifier) class() Class {
	switch {
	case c.apart:
		return Reworded
	case c.replaced || c.narrowed && c.broadens:
		return Replaced
	case c.narrowed:
		return Narrowed
	case c.broadens:
		return Broadened
	}
	return Reworded
}

// part notes that only one side has words that make it a part of the other.
func (c *classifier) part(second bool) {
	if second {
		c.narrowed = true
	} else {
		c.broadens = true
	}
}

// A hunk is a place where two texts differ: the words of one and those of the other, either of
// which may be empty.
type hunk struct{ a, b []mark }

// hunks returns where two texts differ, by their longest common words in order.
func hunks(a, b []mark) []hunk {
	if len(a) > 200 || len(b) > 200 {
		return []hunk{{a, b}}
	}
	n := make([][]int, len(a)+1)
	for i := range n {
		n[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i].text == b[j].text {
				n[i][j] = n[i+1][j+1] + 1
			} else {
				n[i][j] = max(n[i+1][j], n[i][j+1])
			}
		}
	}
	var list []hunk
	var h hunk
	flush := func() {
		if len(h.a)+len(h.b) > 0 {
			list = append(list, h)
		}
		h = hunk{}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i].text == b[j].text:
			flush()
			i, j = i+1, j+1
		case j >= len(b) || i < len(a) && n[i+1][j] >= n[i][j+1]:
			h.a = append(h.a, a[i])
			i++
		default:
			h.b = append(h.b, b[j])
			j++
		}
	}
	flush()
	return list
}

// said returns words as their source has them.
func said(list []mark) string {
	var b strings.Builder
	for i, m := range list {
		if i > 0 {
			if m.tight {
				b.WriteByte('-')
			} else {
				b.WriteByte(' ')
			}
		}
		b.WriteString(m.said)
	}
	if r := []rune(b.String()); len(r) > 120 {
		return string(r[:119]) + "…"
	}
	return b.String()
}

// writtenOut replaces the abbreviations of a text by the words of another of which they
// are the initials: they may stand for them.
func writtenOut(list []mark, other Outcome) []mark {
	long := words(Unescape(other.Measure))
	var out []mark
	for _, m := range list {
		ws := words(m.said)
		if len(ws) != 1 || !isAcronym(ws[0]) {
			out = append(out, m)
			continue
		}
		found := initialled(long, ws[0].text, false)
		if found == nil {
			out = append(out, m)
		}
		for _, w := range found {
			out = append(out, mark{text: american(w.text), said: w.text})
		}
	}
	return out
}

func equalMark(a, b mark) bool { return a.text == b.text }

// words names the places in which two texts differ, and whether one has an
// abbreviation that may stand for words of the other.
func (c *classifier) words(a, b []mark, abbreviated bool) {
	if abbreviated {
		defer c.say("an abbreviation of the one may stand for words of the other")
	}
	list := hunks(a, b)
	for i, h := range list {
		if i == hunkLimit {
			c.say(fmt.Sprintf("and %d places more", len(list)-hunkLimit))
			return
		}
		switch x, y := said(h.a), said(h.b); {
		case len(h.a) == 0:
			c.say(fmt.Sprintf("only the later one says %q", y))
		case len(h.b) == 0:
			c.say(fmt.Sprintf("only the earlier one says %q", x))
		default:
			c.say(fmt.Sprintf("%q against %q", x, y))
		}
	}
}

// facets finds what sort of difference there is. With quoted, the words are named
// already.
func (c *classifier) facets(a, b []mark, quoted bool) {
	x, y := spaced(a), spaced(b)
	name := func(format string, args ...any) {
		if !quoted {
			c.say(fmt.Sprintf(format, args...))
		}
	}
	list := hunks(a, b)
	c.apart = c.apart || !local(list)
	denied := func(h func(hunk) []mark) bool {
		return slices.ContainsFunc(list, func(k hunk) bool {
			return slices.ContainsFunc(denials, func(d string) bool { return has(spaced(h(k)), d) })
		})
	}
	if denied(func(h hunk) []mark { return h.a }) != denied(func(h hunk) []mark { return h.b }) {
		c.replaced = true
		c.say("one of them denies something that the other does not")
	}
	for _, f := range facets {
		if i, j := f.side(x), f.side(y); i >= 0 && j >= 0 && i != j {
			c.replaced = true
			c.say("another " + f.name)
		}
	}
	for _, q := range qualifiers {
		if p, r := has(x, q.sides[0]), has(y, q.sides[0]); p != r {
			c.part(r)
			name("only the %s one says %q", map[bool]string{true: "later", false: "earlier"}[r], q.name)
		}
	}
	switch p, q := ofPeople(a), ofPeople(b); {
	case slices.EqualFunc(p, q, equalMark):
	case len(p) == 0 || len(q) == 0:
		c.part(len(q) > 0)
		c.say("one of them is about a part of the participants")
	default:
		c.replaced = true
		c.say("they are about other participants")
	}
	if p, q := has(x, changes), has(y, changes); p != q {
		c.say("one of them is a change, the other may be a value")
	}
	p, q := numbersOf(a), numbersOf(b)
	switch {
	case !subset(p, q) && !subset(q, p):
		c.replaced = true
		name("other numbers, %s against %s", strings.Join(p, ", "), strings.Join(q, ", "))
	case quoted && signed(p) != signed(q): // a description may explain a number
		c.part(signed(q))
	}
	if combines(x) || combines(y) {
		only := func(h func(hunk) []mark) bool {
			return slices.ContainsFunc(list, func(k hunk) bool {
				return slices.ContainsFunc(h(k), func(m mark) bool { return weigh(m.text) > weightLight })
			})
		}
		fewer, more := only(func(h hunk) []mark { return h.a }), only(func(h hunk) []mark { return h.b })
		if fewer || more {
			c.narrowed, c.broadens = c.narrowed || fewer, c.broadens || more
			c.say("they combine several events, and not the same")
		}
	}
}

// local reports whether two texts differ in a word or two. Only then may one be called a part of
// the other, or another outcome. Of texts that differ throughout, only that is said.
func local(list []hunk) bool {
	var a, b int
	for _, h := range list {
		for _, m := range h.a {
			if weigh(m.text) > weightNone {
				a++
			}
		}
		for _, m := range h.b {
			if weigh(m.text) > weightNone {
				b++
			}
		}
	}
	return len(list) <= 3 && a <= 4 && b <= 4
}

// signed reports whether a number is a limit, as "≥5" is.
func signed(numbers []string) bool {
	return slices.ContainsFunc(numbers, func(n string) bool { return n[0] < '0' || n[0] > '9' })
}

func subset(p, q []string) bool {
	return !slices.ContainsFunc(p, func(s string) bool { return !slices.Contains(q, s) })
}

// ofPeople returns the words that confine a text to a part of the participants, such as "PD-L1
// positive" in "in PD-L1 positive participants", or nil if it is about all.
func ofPeople(list []mark) []mark {
	for i, m := range list {
		if i == 0 || m.text != "in" && m.text != "among" && m.text != "for" {
			continue
		}
		for k := i + 1; k < min(len(list), i+7); k++ {
			switch {
			case slices.Contains(partly, list[k].text):
				return slices.Clone(list[i+1 : k+1])
			case slices.Contains(people, list[k].text):
				return slices.Concat(list[i+1:k], list[k+1:min(len(list), k+5)])
			}
		}
	}
	return nil
}

// times names how two time frames differ.
func (c *classifier) times(a, b Outcome, x, y parted) {
	p, q := strings.TrimSpace(a.TimeFrame), strings.TrimSpace(b.TimeFrame)
	switch TimeFrames(a, b) {
	case Contradicting:
		c.replaced = true
		c.say(fmt.Sprintf("the time frames contradict each other: %s against %s", pointText(x, p), pointText(y, q)))
	case OnlyFirst:
		c.say("only the earlier one states such a time: " + pointText(x, p))
	case OnlySecond:
		c.say("only the later one states such a time: " + pointText(y, q))
	default:
		if p == "" || q == "" {
			p, q = pointText(x, p), pointText(y, q)
		} else {
			p, q = fmt.Sprintf("%q", p), fmt.Sprintf("%q", q)
		}
		c.say(fmt.Sprintf("the time frames are in other words: %s against %s", p, q))
	}
}

func pointText(p parted, frame string) string {
	var list []string
	for _, x := range p.points {
		list = append(list, x.text)
	}
	if len(list) == 0 {
		return fmt.Sprintf("%q", frame)
	}
	return strings.Join(list, ", ")
}
