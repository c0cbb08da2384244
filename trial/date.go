package trial

import (
	"errors"
	"fmt"
	"time"
)

// A Date is the date of an event as precisely as it is known: the first and the last day that
// it may mean, each at midnight UTC. A month means any of its days, a year any day of its
// months. The zero Date is no date.
type Date struct{ First, Last time.Time }

// ParseDate takes a year, a month or a day: "2026", "2026-03" or "2026-03-01". The year is 1900
// or later.
func ParseDate(s string) (d Date, err error) {
	switch len(s) {
	case len("2026"):
		d.First, err = time.Parse("2006", s)
		d.Last = d.First.AddDate(1, 0, -1)
	case len("2026-03"):
		d.First, err = time.Parse("2006-01", s)
		d.Last = d.First.AddDate(0, 1, -1)
	case len(time.DateOnly):
		d.First, err = time.Parse(time.DateOnly, s)
		d.Last = d.First
	}
	if err != nil || d.First.Year() < 1900 {
		return Date{}, fmt.Errorf("%.40q is no date such as 2026-03-01, 2026-03 or 2026", s)
	}
	return d, nil
}

// IsZero reports whether d is no date.
func (d Date) IsZero() bool { return d == Date{} }

// Within reports whether both are dates and every day that d may mean is one that wide may
// mean.
func (d Date) Within(wide Date) bool {
	return !d.IsZero() && !wide.IsZero() && !d.First.Before(wide.First) && !d.Last.After(wide.Last)
}

// Before reports whether each day that d may mean is before each that later may mean.
func (d Date) Before(later Date) bool { return d.Last.Before(later.First) }

// checkDate checks the date of an event, in the forms of ParseDate.
func checkDate(member, s string) error {
	if _, err := ParseDate(s); err != nil {
		return errors.New(member + " is not a date such as 2026-03-01, 2026-03 or 2026")
	}
	return nil
}

// checkDay checks a date that is a whole day, such as "2026-03-01".
func checkDay(member, s string) error {
	if _, err := ParseDate(s); err != nil || len(s) != len(time.DateOnly) {
		return errors.New(member + " is not a day such as 2026-03-01")
	}
	return nil
}

// EndOf returns the last millisecond, in UTC, that a date may mean.
func EndOf(date string) Time {
	_, last := DaysOf(date)
	return Time(last+1)*dayLength - 1
}

const dayLength Time = 24 * 60 * 60 * 1000

// DayOf returns the day of t in UTC, counted from 1970-01-01.
func DayOf(t Time) int64 { return int64(t / dayLength) }

// DaysOf returns the first and the last day that a date may mean, counted from 1970-01-01; both
// are zero if it is not a date.
func DaysOf(date string) (first, last int64) {
	d, err := ParseDate(date)
	if err != nil {
		return 0, 0
	}
	return d.First.Unix() / 86400, d.Last.Unix() / 86400
}
