package outcome

import (
	"math/big"
	"slices"
	"strings"
)

// exact are the units of time that convert exactly, to seconds or to months.
var exact = map[string]struct {
	size   int64
	months bool
}{
	"second": {1, false}, "minute": {60, false}, "hour": {3600, false}, "day": {86400, false}, "week": {7 * 86400, false},
	"month": {1, true}, "year": {12, true},
}

// quarters are the months that equal weeks by the published list. No other number of months
// equals a number of weeks.
var quarters = map[string]string{"13w": "3mo", "26w": "6mo", "39w": "9mo", "52w": "12mo"}

// A timed mark is a time point in its normal form, or a mark that is not a time point.
type timed struct {
	mark
	unit string // of a time point
}

// frameMarks returns the marks of a text in which each time point is one mark. "4 weeks", "week
// 4" and "day 28" have the same normal form. Everything else is left as it is.
func frameMarks(s string) []mark {
	list := marks(s)
	var out []timed
	for i := 0; i < len(list); {
		if ts, n := unitThenNumbers(list[i:]); n > 0 {
			out, i = append(out, ts...), i+n
		} else if ts, n := numbersThenUnit(list[i:]); n > 0 {
			out, i = append(out, ts...), i+n
		} else {
			out, i = append(out, timed{mark: list[i]}), i+1
		}
	}
	return joinTimes(out)
}

// joinTimes brings lists and ranges of time points to their normal form.
func joinTimes(in []timed) []mark {
	var list []timed
	for i, t := range in {
		if t.text == "at" && i+1 < len(in) && in[i+1].unit != "" && !in[i+1].apart {
			in[i+1].apart = t.apart
			continue
		}
		list = append(list, t)
	}
	var out []mark
	in = list
	for i, t := range in {
		before, after := timed{}, timed{}
		if i > 0 {
			before = in[i-1]
		}
		if i+1 < len(in) {
			after = in[i+1]
		}
		between := before.unit != "" && after.unit != ""
		switch {
		case t.text == "and" && between && before.unit == after.unit:
			continue
		case t.text == "to" && between:
			t.text = "–"
		case t.unit != "" && before.unit != "" && !t.apart && smaller(t.unit, before.unit):
			t.text = "+" + t.text // "1 year 6 months" is one time, "1 year, 6 months" are two
		}
		out = append(out, t.mark)
	}
	return out
}

// number reads a number, with its minus sign. It returns also how many marks it has read.
func number(list []mark) (v *big.Rat, n int) {
	minus := len(list) > 1 && list[0].text == "-" && !list[1].apart
	if minus {
		n++
	}
	if n >= len(list) {
		return nil, 0
	}
	w := list[n].text
	if len(w) > 12 || strings.Trim(w, "0123456789.") != "" || strings.HasPrefix(w, ".") {
		return nil, 0
	}
	v, ok := new(big.Rat).SetString(w)
	if !ok {
		return nil, 0
	}
	if minus {
		v.Neg(v)
	}
	return v, n + 1
}

// timeUnit reads a unit of time by its full name. A single letter is a unit only after a number.
func timeUnit(m mark, letter bool) string {
	_, name := unitOf(m.text)
	if long := names[name]; long != "" {
		name = long
	}
	if exact[name].size == 0 || len(m.text) < 2 && !letter {
		return ""
	}
	return name
}

// smaller reports whether a unit is a part of another.
func smaller(unit, of string) bool {
	x, y := exact[unit], exact[of]
	return y.months && !x.months || x.months == y.months && x.size < y.size
}

// timePoint returns a time point in its normal form.
func timePoint(v *big.Rat, unit string, m mark) timed {
	u := exact[unit]
	t := new(big.Rat).Mul(v, big.NewRat(u.size, 1))
	text := t.RatString() + "mo"
	if !u.months {
		text = t.RatString() + "s"
		weeks := new(big.Rat).Quo(t, big.NewRat(7*86400, 1)).RatString() + "w"
		if months := quarters[weeks]; months != "" {
			text = months
		}
	}
	return timed{mark: mark{text: "@" + text, said: m.said + " " + unit, apart: m.apart}, unit: unit}
}

// joint reports whether a mark may come between the numbers of a list of times.
func joint(m mark) bool {
	return m.text == "and" || m.text == "or" || m.text == "to" || m.text == "–"
}

// unitThenNumbers reads "week 4" and "weeks 4, 8 and 12".
func unitThenNumbers(list []mark) (out []timed, n int) {
	unit := timeUnit(list[0], false)
	if unit == "" {
		return nil, 0
	}
	n = 1
	for n < len(list) {
		k := n
		if n > 1 && joint(list[k]) && k+1 < len(list) {
			k++
		}
		v, size := number(list[k:])
		if v == nil || n == 1 && list[k].apart || n > 1 && k == n && !list[k].apart {
			break
		}
		if next := k + size; next < len(list) && !list[next].apart && timeUnit(list[next], true) != "" {
			if n == 1 || next+1 >= len(list) {
				break // "week 4, 8 weeks later": the number has a unit of its own
			}
			if v, _ := number(list[next+1:]); v == nil {
				break
			}
		}
		if k > n {
			out = append(out, timed{mark: list[n]})
		}
		m := list[k]
		if n == 1 {
			m.apart = list[0].apart
		}
		out = append(out, timePoint(v, unit, m))
		n = k + size
	}
	if len(out) == 0 {
		return nil, 0
	}
	return out, n
}

// numbersThenUnit reads "4 weeks" and "4, 8 and 12 weeks".
func numbersThenUnit(list []mark) (out []timed, n int) {
	var values []*big.Rat
	var at []int
	for n < len(list) {
		k := n
		if n > 0 && joint(list[k]) && k+1 < len(list) {
			k++
		}
		v, size := number(list[k:])
		if v == nil || n > 0 && k == n && !list[k].apart {
			break
		}
		values, at, n = append(values, v), append(at, k), k+size
	}
	if len(values) == 0 || n >= len(list) || list[n].apart {
		return nil, 0
	}
	unit := timeUnit(list[n], true)
	if unit == "" {
		return nil, 0
	}
	n++
	// In "cycle 7 day 1" nobody can tell whose number is whose.
	if n < len(list) && !list[n].apart {
		if v, size := number(list[n:]); v != nil && (n+size >= len(list) || list[n+size].apart || timeUnit(list[n+size], true) == "") {
			return nil, 0
		}
	}
	for i, v := range values {
		if i > 0 && joint(list[at[i]-1]) && at[i]-1 > at[i-1] {
			out = append(out, timed{mark: list[at[i]-1]})
		}
		out = append(out, timePoint(v, unit, list[at[i]]))
	}
	return out, n
}

// isTime reports whether a text is time points and nothing else.
func isTime(list []mark) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, func(m mark) bool { return !strings.HasPrefix(m.text, "@") && m.text != "–" })
}
