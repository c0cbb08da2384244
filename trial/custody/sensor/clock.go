package sensor

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An order says in which order a date of three numbers has day, month and year.
type order string

const (
	isoOrder order = "iso" // only dates that start with a year of four digits, or name the month
	dmy      order = "dmy"
	mdy      order = "mdy"
	ymd      order = "ymd" // a year of two digits first
)

// A clock is a date and time as it was written.
type clock struct {
	wall   time.Time // as if it were in UTC
	offset *int      // seconds east of UTC, nil if it was not written
}

var (
	isoDate   = regexp.MustCompile(`^(\d{4})([-/.])(\d{1,2})([-/.])(\d{1,2})$`)
	plainDate = regexp.MustCompile(`^(\d{1,2})([-/.])(\d{1,2})([-/.])(\d{4}|\d{2})\.?$`)
	basicDate = regexp.MustCompile(`^(\d{4})(\d{2})(\d{2})$`)
	namedDate = regexp.MustCompile(`^(\d{1,2})[-. ]+(\p{L}{3,9})\.?[-, ]+(\d{4}|\d{2})$`)
	usedDate  = regexp.MustCompile(`^(\p{L}{3,9})\.?[- ]+(\d{1,2})[, ]+(\d{4}|\d{2})$`)
	dayName   = regexp.MustCompile(`^(?i)(mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so)[a-z]*\.?,? +`)
	daytime   = regexp.MustCompile(`^(\d{1,2})([:.h])(\d{2})(?:[:.](\d{2})(?:[.,:](\d{1,9}))?)? ?((?i)[ap]\.? ?m\.?)?$`)
	zoneTail  = regexp.MustCompile(`(?i) ?(z|utc|gmt)?(?:([+-])(\d{1,2}):?(\d{2})?)?$`)
)

var months = map[string]time.Month{"jan": 1, "ene": 1, "gen": 1, "feb": 2, "fév": 2, "fev": 2, "mar": 3, "mär": 3, "mrz": 3, "maa": 3,
	"apr": 4,
	"avr": 4, "abr": 4, "may": 5, "mai": 5, "mei": 5, "mag": 5, "jun": 6, "giu": 6, "jul": 7, "lug": 7, "aug": 8, "aoû": 8, "ago": 8,
	"sep": 9, "set": 9,
	"oct": 10, "okt": 10, "ott": 10, "out": 10, "nov": 11, "dec": 12, "dez": 12, "déc": 12, "dic": 12}

// parseClock reads a date and time, such as 2026-03-01T09:30:00.5+01:00, 01.03.2026 09:30 or
// 3/1/26 9:30:00 AM. A date of three numbers without a year of four digits first is read in the
// order; with dots it is day, month, year.
func parseClock(s string, o order) (clock, error) {
	written := s
	bad := func() error { return fmt.Errorf("%q is no date and time such as 2026-03-01T09:30:00Z", short(written)) }
	if len(s) > 60 {
		return clock{}, bad()
	}
	if t, err := time.Parse("2006-01-02 15:04:05", s); err == nil && len(s) == len("2006-01-02 15:04:05") { // the most frequent one, fast
		return clock{wall: t}, checkYear(t.Year())
	}
	s = strings.Join(strings.Fields(strings.ReplaceAll(s, "\u202f", " ")), " ")
	s = dayName.ReplaceAllString(s, "")
	date, rest, ok := splitDate(s)
	if !ok {
		return clock{}, bad()
	}
	c := clock{}
	if i := strings.IndexByte(rest, ':'); i >= 0 || strings.ContainsAny(rest, ".h") {
		m := zoneTail.FindStringSubmatch(rest)
		if m[0] != "" && strings.TrimSpace(m[0]) != "" {
			offset, err := offsetOf(m[2], m[3], m[4])
			if err != nil {
				return clock{}, err
			}
			c.offset, rest = &offset, strings.TrimSuffix(rest, m[0])
		}
	}
	y, m, d, err := parseDate(date, o)
	if err != nil {
		return clock{}, err
	}
	if err := checkYear(y); err != nil {
		return clock{}, err
	}
	hms := daytime.FindStringSubmatch(rest)
	if hms == nil {
		return clock{}, bad()
	}
	hour, minute, second := number(hms[1]), number(hms[3]), number(hms[4])
	nano := number((hms[5] + "000000000")[:9])
	if half := strings.ToLower(hms[6]); half != "" {
		if hour < 1 || hour > 12 {
			return clock{}, fmt.Errorf("%q has AM or PM with an hour that is not 1 to 12", short(s))
		}
		hour %= 12
		if half[0] == 'p' {
			hour += 12
		}
	}
	if hour > 23 || minute > 59 || second > 59 {
		return clock{}, bad()
	}
	c.wall = time.Date(y, m, d, hour, minute, second, nano, time.UTC)
	if c.wall.Day() != d || c.wall.Month() != m {
		return clock{}, fmt.Errorf("%q is no day of the calendar", short(date))
	}
	return c, nil
}

// checkYear refuses years that no logger's clock shows, but one that lost its time.
func checkYear(y int) error {
	if y < 1971 || y > 9998 {
		return fmt.Errorf("the year %d is not one of a logger's clock", y)
	}
	return nil
}

// splitDate splits a date from the time of day, at a T or at the last space before a time.
func splitDate(s string) (date, rest string, ok bool) {
	if len(s) > 10 && (s[10] == 'T' || s[10] == 't') && isoDate.MatchString(s[:10]) {
		return s[:10], s[11:], true
	}
	if len(s) > 8 && s[8] == 'T' && basicDate.MatchString(s[:8]) {
		return s[:8], s[9:], true
	}
	for i := 1; i < len(s); i++ {
		if s[i] != ' ' {
			continue
		}
		date = strings.TrimSuffix(s[:i], ",")
		if isoDate.MatchString(date) || plainDate.MatchString(date) || namedDate.MatchString(date) || usedDate.MatchString(date) ||
			basicDate.MatchString(date) {
			return date, strings.TrimSpace(s[i:]), true
		}
	}
	return "", "", false
}

var errOrder = errors.New("may be day or month first: type -dates dmy or -dates mdy")

// parseDate reads a date. Its errors are errOrder if the order is needed and not given.
func parseDate(s string, o order) (year int, month time.Month, day int, err error) {
	bad := func() error { return fmt.Errorf("%q is no day of the calendar", short(s)) }
	var y, m, d string
	if f := isoDate.FindStringSubmatch(s); f != nil && f[2] == f[4] {
		y, m, d = f[1], f[3], f[5]
	} else if f := basicDate.FindStringSubmatch(s); f != nil {
		y, m, d = f[1], f[2], f[3]
	} else if f := plainDate.FindStringSubmatch(s); f != nil && f[2] == f[4] {
		if f[2] == "." && o == isoOrder {
			o = dmy
		}
		switch o {
		case dmy:
			y, m, d = f[5], f[3], f[1]
		case mdy:
			y, m, d = f[5], f[1], f[3]
		case ymd:
			if len(f[5]) != 2 || len(f[1]) != 2 {
				return 0, 0, 0, bad()
			}
			y, m, d = f[1], f[3], f[5]
		default:
			return 0, 0, 0, fmt.Errorf("%q %w", short(s), errOrder)
		}
	} else if f := namedDate.FindStringSubmatch(s); f != nil {
		y, m, d = f[3], f[2], f[1]
	} else if f := usedDate.FindStringSubmatch(s); f != nil {
		y, m, d = f[3], f[1], f[2]
	} else {
		return 0, 0, 0, bad()
	}
	year, day = number(y), number(d)
	if len(y) == 2 {
		year += 2000
	}
	if month = time.Month(number(m)); month == 0 && len(m) > 2 {
		r := []rune(strings.ToLower(m))
		month = months[string(r[:3])]
	}
	if month < 1 || month > 12 || day < 1 || day > 31 || year < 1 {
		return 0, 0, 0, bad()
	}
	return year, month, day, nil
}

// number returns a number of a few digits, 0 for other texts.
func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// offsetOf returns an offset from UTC in seconds, of at most 14 hours.
func offsetOf(sign, hours, minutes string) (int, error) {
	h, m := number(hours), number(minutes)
	if h > 14 || m > 59 || h == 14 && m > 0 {
		return 0, fmt.Errorf("%s%s:%s is no offset from UTC", sign, hours, minutes)
	}
	if sign == "-" {
		return -(h*3600 + m*60), nil
	}
	return h*3600 + m*60, nil
}

// in returns the moments that a clock may mean in a zone, the earlier first: one, two if clocks
// go back over it, none if they go forward.
func (c clock) in(zone *time.Location) []time.Time {
	if c.offset != nil {
		return []time.Time{c.wall.Add(-time.Duration(*c.offset) * time.Second)}
	}
	var list []time.Time
	for _, near := range []time.Duration{-27 * time.Hour, 27 * time.Hour} {
		_, offset := c.wall.Add(near).In(zone).Zone()
		t := c.wall.Add(-time.Duration(offset) * time.Second)
		if _, at := t.In(zone).Zone(); at == offset && !slices.ContainsFunc(list, t.Equal) {
			list = append(list, t)
		}
	}
	slices.SortFunc(list, time.Time.Compare)
	return list
}

var errZone = errors.New("has no time zone: name it with -tz, such as -tz Europe/Berlin or -tz UTC")

// only returns the one moment that a clock means.
func (c clock) only(zone *time.Location) (time.Time, error) {
	written := c.wall.Format("2006-01-02 15:04:05")
	if c.offset == nil && zone == nil {
		return time.Time{}, fmt.Errorf("%s %w", written, errZone)
	}
	switch list := c.in(zone); len(list) {
	case 1:
		return list[0], nil
	case 0:
		return time.Time{}, fmt.Errorf("%s does not exist in %s, where clocks went forward: if the logger's clock did not, "+
			"name the offset it kept with -tz", written, zone)
	}
	return time.Time{}, fmt.Errorf("%s %w", written, errTwice)
}

var errTwice = errors.New("occurs twice where clocks went back, and the file does not show which one is meant: export it in UTC")
