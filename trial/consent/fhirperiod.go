package consent

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// A span is a period of time with both ends included. Zero is open.
type span struct{ start, end moment }

// A moment is one end of a period, with its form in the terms.
type moment struct {
	at         time.Time
	text, path string
}

// fhirTime is FHIR's dateTime: a year, a month, a day, or a time with its zone.
var fhirTime = regexp.MustCompile(`^[1-9][0-9]{3}(-[0-9]{2}(-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2}))?)?)?$`)

// readPeriod reads a Period. It has at least one end: an empty one is refused, because it may have
// been meant to narrow something.
func readPeriod(n node) (s span, err error) {
	if !n.present() {
		return s, nil
	}
	if err := n.object("id", "start", "end"); err != nil {
		return s, err
	}
	if s.start, err = readMoment(n.get("start"), false); err != nil {
		return s, err
	}
	if s.end, err = readMoment(n.get("end"), true); err != nil {
		return s, err
	}
	switch {
	case s == span{}:
		return s, n.refuse("it has neither a start nor an end")
	case s.start.text != "" && s.end.text != "" && s.end.at.Before(s.start.at):
		return s, n.refuse("it ends before it starts")
	}
	return s, nil
}

// readMoment reads the start or the end of a period. A year, a month or a day is in it as a whole.
func readMoment(n node, end bool) (m moment, err error) {
	s, err := n.text()
	if err != nil || s == "" {
		return m, err
	}
	m.path = n.path
	wrong := n.refuse("%.40q is no date or time of FHIR, such as 2027, 2027-06, 2027-06-30 or 2027-06-30T12:00:00+02:00", s)
	if !fhirTime.MatchString(s) {
		return m, wrong
	}
	if strings.Contains(s, "T") {
		m.text = s
		if m.at, err = time.Parse(time.RFC3339Nano, s); err != nil {
			return m, wrong
		}
		if end && !strings.Contains(s, ".") { // the whole second
			m.at = m.at.Add(time.Second - time.Millisecond)
			m.text = m.at.UTC().Format(momentLayout)
		}
		if m.at.UTC().Year() > 9999 {
			return m, wrong
		}
		return m, nil
	}
	layout := map[int]string{4: "2006", 7: "2006-01", 10: time.DateOnly}[len(s)]
	if m.at, err = time.Parse(layout, s); err != nil {
		return m, wrong
	}
	if end {
		last := map[int]time.Time{4: m.at.AddDate(1, 0, -1), 7: m.at.AddDate(0, 1, -1), 10: m.at}[len(s)]
		return moment{last.AddDate(0, 0, 1).Add(-time.Millisecond), last.Format(time.DateOnly), n.path}, nil
	}
	m.text = m.at.Format(time.DateOnly)
	return m, nil
}

const momentLayout = "2006-01-02T15:04:05.000Z"

// and returns what two spans have in common; false if that is nothing.
func (s span) and(o span) (span, bool) {
	if s.start.text == "" || o.start.text != "" && o.start.at.After(s.start.at) {
		s.start = o.start
	}
	if s.end.text == "" || o.end.text != "" && o.end.at.Before(s.end.at) {
		s.end = o.end
	}
	return s, s.start.text == "" || s.end.text == "" || !s.end.at.Before(s.start.at)
}

func (s span) equal(o span) bool {
	same := func(a, b moment) bool { return (a.text == "") == (b.text == "") && a.at.Equal(b.at) }
	return same(s.start, o.start) && same(s.end, o.end)
}

// less returns what is left of a span without a part of it; false if that is in two pieces.
func (s span) less(part span) (span, bool) {
	switch {
	case part.start == s.start && part.end.text != "":
		at := part.end.at.Add(time.Millisecond)
		s.start = moment{at, at.UTC().Format(momentLayout), part.end.path}
	case part.end == s.end && part.start.text != "":
		at := part.start.at.Add(-time.Millisecond)
		s.end = moment{at, at.UTC().Format(momentLayout), part.start.path}
	default:
		return s, false
	}
	return s, s.start.at.Year() <= 9999 // what ends with all time that can be written leaves nothing
}

func (s span) period() *Period {
	if s.start.text == "" && s.end.text == "" {
		return nil
	}
	return &Period{Start: s.start.text, End: s.end.text}
}

// session refuses a period so short that it is for the session of a program and not for the release
// of data.
func (s span) session() error {
	if s.start.text == "" || s.end.text == "" {
		return nil
	}
	if d := s.end.at.Sub(s.start.at); d < 24*time.Hour-time.Second {
		return &Refused{s.end.path, fmt.Sprintf("the permission lasts %s: that is for the session of a program, not for the release of data",
			d.Round(time.Second))}
	}
	return nil
}
