package outcome

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// A TimeRelation says how the time frames of two outcomes relate to each other.
type TimeRelation string

const (
	Same          TimeRelation = "same"          // the points are equal, or those of one are among the other's
	Contradicting TimeRelation = "contradicting" // both are stated, and differ
	OnlyFirst     TimeRelation = "only first"    // only the first states a point; the second may give a horizon around it
	OnlySecond    TimeRelation = "only second"
	NeitherStated TimeRelation = "neither stated"
)

// A point is a time point in days, or a range of them. A horizon is not a point but the time up to
// which there was follow-up: "up to 2 years", "within 30 days".
type point struct {
	low, high float64
	horizon   bool
	text      string // "12 weeks", "24-26 weeks", "up to 2 years"
}

// A listing is a list of points in one place: "at 6 and 12 weeks".
type listing struct {
	points     []point
	start, end int // bytes of the source
}

const month = 365.25 / 12

var units = map[string]float64{
	"s": 1. / 86400, "sec": 1. / 86400, "second": 1. / 86400, "min": 1. / 1440, "minute": 1. / 1440,
	"h": 1. / 24, "hr": 1. / 24, "hour": 1. / 24, "d": 1, "day": 1, "wk": 7, "week": 7, "w": 7,
	"mo": month, "mth": month, "month": month, "y": 365.25, "yr": 365.25, "year": 365.25,
}

var numerals = map[string]float64{
	"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
	"eleven": 11, "twelve": 12, "eighteen": 18, "twenty": 20, "thirty": 30, "ninety": 90,
	"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "twelfth": 12,
}

// unitOf returns the days and the name of a unit, singular or plural; letters alone
// are units only after a number.
func unitOf(w string) (days float64, name string) {
	name = w
	if len(w) > 2 {
		name = strings.TrimSuffix(w, "s")
	}
	return units[name], name
}

// A part is a piece of a time expression: a number, a unit, or another word.
type part struct {
	word
	number float64
	isNum  bool
	unit   string
	days   float64
}

// parts splits words such as "24h", "6months" and "90th".
func parts(s string) []part {
	var list []part
	for _, w := range words(s) {
		n := 0
		for n < len(w.text) && (isDigit(w.text[n]) || w.text[n] == '.') {
			n++
		}
		rest := strings.TrimPrefix(w.text[n:], "'")
		if v, err := strconv.ParseFloat(w.text[:n], 64); n > 0 && err == nil && v < 1e6 {
			days, unit := unitOf(rest)
			switch {
			case rest == "" || rest == "st" || rest == "nd" || rest == "rd" || rest == "th":
				list = append(list, part{word: w, number: v, isNum: true})
				continue
			case days > 0:
				number, letters := w, w
				number.end, letters.start, letters.gap = w.start+n, w.start+n, ""
				list = append(list, part{word: number, number: v, isNum: true}, part{word: letters, unit: unit, days: days})
				continue
			}
		} else if v, ok := numerals[w.text]; ok {
			list = append(list, part{word: w, number: v, isNum: true})
			continue
		} else if days, unit := unitOf(w.text); days > 0 {
			list = append(list, part{word: w, unit: unit, days: days})
			continue
		}
		list = append(list, part{word: w})
	}
	return list
}

// before are the words after which a duration is a quantity and not a time of assessment: doses,
// ages, recall periods, the lengths of cycles.
var before = map[string]bool{
	"every": true, "aged": true, "age": true, "last": true, "past": true, "previous": true, "preceding": true, "per": true,
	"auc": true, "cycle": true, "cycles": true, "q": true, "than": true, "each": true, "phase": true, "version": true,
	"part": true, "grade": true, "dose": true, "type": true, "least": true, "adjusted": true, "or": false,
}

// listings finds the time points of a text.
func listings(s string) []listing {
	ps := parts(s)
	var found []listing
	at := func(i int) part {
		if i < 0 || i >= len(ps) {
			return part{}
		}
		return ps[i]
	}
	joins := func(p part) bool { // "and", "or", "to" between points
		return p.text == "and" || p.text == "or" || p.text == "at" || p.text == "through" || p.text == "to" || p.text == "baseline"
	}
	open := false // whether a following point continues the last listing
	add := func(l listing) {
		if open && len(found) > 0 {
			last := &found[len(found)-1]
			last.points, last.end = append(last.points, l.points...), l.end
		} else {
			found = append(found, l)
		}
		open = true
	}
	for i := 0; i < len(ps); {
		p := ps[i]
		l, next := listing{}, i
		switch {
		case p.isNum:
			l, next = numberFirst(ps, i)
			if unit := at(next + 1); len(l.points) == 1 && at(next).isNum && at(next).gap == "" &&
				unit.days > 0 && unit.days < ps[next-1].days {
				// "15 years 5 months" is one time.
				p, more := &l.points[0], at(next).number*unit.days
				p.low, p.high, p.text = p.low+more, p.high+more, p.text+" "+makePoint(at(next).number, at(next).number, unit).text
				l.end, next = unit.end, next+2
			}
		case p.days > 0 && len(p.unit) > 1 && at(i+1).isNum && strings.Trim(at(i+1).gap, "-#") == "":
			l, next = unitFirst(ps, i)
		}
		if next > i {
			// "years old", "years of age", "life year"
			old := at(next).text == "old" || at(next).text == "of" && at(next+1).text == "age" ||
				at(next).text == "cycle" || at(next).text == "cycles"
			quantity := before[at(i-1).text] ||
				(at(i-1).text == "the" || at(i-1).text == "is" || at(i-1).text == "of") && before[at(i-2).text]
			if strings.ContainsAny(p.gap, "<>≥≤") {
				quantity = true
			}
			if !old && !quantity && !adjective(ps, i, next) {
				horizon(ps, i, next, l.points)
				add(l)
			} else {
				open = false
			}
			i = next
			continue
		}
		if !joins(p) || strings.ContainsAny(p.gap, ".;()") {
			open = false
		}
		i++
	}
	return found
}

// adjective reports whether a duration of less than a day is part of a measure's name: the
// "6-minute walk", "24 hour urinary protein". That is how long something is measured, not when.
func adjective(ps []part, i, next int) bool {
	unit := ps[next-1]
	if !ps[i].isNum || unit.days == 0 || unit.days >= 1 || next != i+2 || next >= len(ps) {
		return false
	}
	singular := unit.gap == "" && ps[i].number != 1 && !strings.HasSuffix(unit.text, "s")
	w := ps[next]
	return (unit.gap == "-" || singular) && w.gap == "" && !w.isNum && w.days == 0 && !after[w.text]
}

// after are words that follow a time of assessment but not an adjective.
var after = map[string]bool{
	"after": true, "and": true, "at": true, "before": true, "follow": true, "following": true, "followup": true, "from": true,
	"interval": true, "intervals": true,
	"later": true, "mark": true, "of": true, "or": true, "period": true, "point": true, "points": true, "post": true, "postdose": true,
	"postoperatively": true, "pre": true, "prior": true, "since": true, "time": true, "timepoint": true, "to": true,
}

// numberFirst reads "6 weeks", "6, 12 and 24 weeks", "24-26 weeks" or "0 to 30 days" from the part i
// on. It returns the index of the part after them, or i if there are none.
func numberFirst(ps []part, i int) (listing, int) {
	type value struct{ low, high float64 }
	values := []value{{ps[i].number, ps[i].number}}
	j := i + 1
	for j < len(ps) && ps[j].days == 0 {
		gap := ps[j].gap
		if strings.Trim(gap, ",-–—~/&+") != "" {
			return listing{}, i
		}
		k := j
		if w := ps[j].text; w == "and" || w == "or" || w == "to" {
			k++
		}
		if k >= len(ps) || !ps[k].isNum || strings.Trim(ps[k].gap, ",-–—~/&+") != "" {
			return listing{}, i
		}
		// "the first 24 hours", "two 6-week periods": the one counts what the other measures.
		if k == j && gap == "" && !(isDigit(ps[i].text[0]) && isDigit(ps[k].text[0])) {
			return listing{}, i
		}
		span := ps[j].text == "to" || k == j && gap != "" && strings.Trim(gap, "-–—~") == ""
		if span && values[len(values)-1].high <= ps[k].number {
			values[len(values)-1].high = ps[k].number
		} else {
			values = append(values, value{ps[k].number, ps[k].number})
		}
		j = k + 1
	}
	if j >= len(ps) || strings.Trim(ps[j].gap, "-–—(") != "" {
		return listing{}, i
	}
	unit := ps[j]
	if len(unit.unit) == 1 && ps[j].start != ps[j-1].end && unit.unit != "h" && unit.unit != "d" && unit.unit != "y" {
		return listing{}, i
	}
	l := listing{start: ps[i].start, end: unit.end}
	for _, v := range values {
		l.points = append(l.points, makePoint(v.low, v.high, unit))
	}
	return l, j + 1
}

// unitFirst reads "week 4", "weeks 4, 8 and 12", "day 1 to day 28".
func unitFirst(ps []part, i int) (listing, int) {
	unit := ps[i]
	l := listing{start: unit.start, end: ps[i+1].end, points: []point{makePoint(ps[i+1].number, ps[i+1].number, unit)}}
	j := i + 2
	for j < len(ps) {
		k := j
		if w := ps[j].text; (w == "and" || w == "or" || w == "to" || w == "through") && strings.Trim(ps[j].gap, ",") == "" {
			k++
		}
		if k < len(ps) && ps[k].unit == unit.unit && k+1 < len(ps) && ps[k+1].isNum {
			k++
		}
		if k >= len(ps) || !ps[k].isNum || strings.Trim(ps[k].gap, ",-–—~/&+") != "" || k > j && strings.Trim(ps[j].gap, ",-–—/&+") != "" {
			break
		}
		// In "week 4, 8 weeks later" the number has a unit of its own.
		if k+1 < len(ps) && ps[k+1].days > 0 && !(k+2 < len(ps) && ps[k+2].isNum) {
			break
		}
		last := &l.points[len(l.points)-1]
		span := ps[j].text == "to" || ps[j].text == "through" || ps[j].gap != "" && strings.Trim(ps[j].gap, "-–—~") == ""
		if span && ps[k].number >= last.high/unit.days {
			*last = makePoint(last.low/unit.days, ps[k].number, unit)
		} else {
			l.points = append(l.points, makePoint(ps[k].number, ps[k].number, unit))
		}
		l.end = ps[k].end
		j = k + 1
	}
	return l, j
}

// names are how a unit is written in full.
var names = map[string]string{
	"s": "second", "sec": "second", "min": "minute", "h": "hour", "hr": "hour", "d": "day", "w": "week", "wk": "week",
	"mo": "month", "mth": "month", "y": "year", "yr": "year",
}

func makePoint(low, high float64, unit part) point {
	name := unit.unit
	if long := names[name]; long != "" {
		name = long
	}
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	text := number(high)
	if low != high {
		text = number(low) + "-" + text
	}
	if high != 1 {
		name += "s"
	}
	return point{low: low * unit.days, high: high * unit.days, text: text + " " + name}
}

// horizon marks the points of the parts from i to next as horizons, or as before an event, depending
// on the words around them.
func horizon(ps []part, i, next int, points []point) {
	upTo := false
	for k := i - 1; k >= 0 && k >= i-4; k-- {
		switch ps[k].text {
		case "up", "within", "maximum", "during", "through", "until", "till", "average", "over", "throughout":
			upTo = true
		case "to":
			continue
		case "a", "an", "of", "the", "first", "approximately", "about", "baseline":
			continue
		}
		break
	}
	if i > 0 && (ps[i-1].text == "to" || ps[i-1].text == "through") &&
		i > 1 && (ps[i-2].text == "baseline" || ps[i-2].text == "randomization" || ps[i-2].text == "enrollment") {
		upTo = true
	}
	earlier := false
	if next < len(ps) {
		w := ps[next].text
		earlier = w == "before" || w == "prior" || w == "pre"
	}
	for k := range points {
		p := &points[k]
		if p.low == 0 && p.high > 0 {
			upTo = true
		}
		if upTo {
			p.low, p.horizon = p.high, true
			p.text = "up to " + strings.TrimPrefix(p.text, "0-")
		}
		if earlier {
			p.low, p.high = -p.high, -p.low
			p.text += " before"
		}
	}
}

// pointsOf returns the time points of an outcome: those in the measure or else those in its time
// frame. It returns horizons only if there is no point.
func pointsOf(t Outcome) []point {
	var horizons []point
	for _, s := range []string{t.Measure, t.TimeFrame} {
		var points []point
		for _, l := range listings(s) {
			for _, p := range l.points {
				switch {
				case p.low == 0 && p.high == 0: // baseline
				case p.horizon:
					horizons = append(horizons, p)
				case !slices.ContainsFunc(points, p.equal):
					points = append(points, p)
				}
			}
		}
		if len(points) > 0 {
			return points
		}
	}
	return horizons
}

// equal reports whether two points are the same time. A week has seven days and a year twelve
// months. A month is a twelfth of a mean year, so between weeks and months a difference of one part
// in fifty is allowed: 6 months are 26 weeks, and not 24.
func (p point) equal(q point) bool {
	near := func(a, b float64) bool { return math.Abs(a-b) <= max(math.Abs(a), math.Abs(b))/50 }
	return near(p.low, q.low) && near(p.high, q.high)
}

// TimeFrames compares the time frames of two outcomes, which may be in the texts themselves. Events
// without a number ("at discharge") and calendar dates are not compared and count as not stated. A
// point before the other's horizon ("at 9 months", "up to 2 years") is not a contradiction; only one
// of the two states it.
func TimeFrames(a, b Outcome) TimeRelation {
	p, q := pointsOf(a), pointsOf(b)
	switch {
	case len(p) == 0 && len(q) == 0:
		return NeitherStated
	case len(q) == 0:
		return OnlyFirst
	case len(p) == 0:
		return OnlySecond
	case among(p, q), among(q, p):
		return Same
	case inside(p, q):
		return OnlyFirst
	case inside(q, p):
		return OnlySecond
	}
	return Contradicting
}

// among reports whether each of p is one of q.
func among(p, q []point) bool {
	for _, x := range p {
		if !slices.ContainsFunc(q, x.equal) {
			return false
		}
	}
	return true
}

// inside reports whether p are points, q are horizons, and all of p come before the end of q.
func inside(p, q []point) bool {
	for _, x := range p {
		for _, y := range q {
			if x.horizon || !y.horizon || x.high > y.high {
				return false
			}
		}
	}
	return true
}
