package trial

import (
	"errors"
	"strconv"
	"time"
)

// A Time is a moment in UTC, in milliseconds since 1970. In JSON it is
// RFC 3339 with exactly three digits of milliseconds and Z:
// "2026-03-01T09:30:00.000Z".
type Time int64

const timeLayout = "2006-01-02T15:04:05.000Z"

// maxTime is the last millisecond of the year 9999, which ends the layout.
const maxTime Time = 253402300799999

// TimeOf truncates t to milliseconds.
func TimeOf(t time.Time) Time { return Time(t.UnixMilli()) }

// Std returns t as a time.Time in UTC.
func (t Time) Std() time.Time { return time.UnixMilli(int64(t)).UTC() }

// String returns t for people: "2026-03-01 09:30:00.000 UTC".
func (t Time) String() string { return t.Std().Format("2006-01-02 15:04:05.000 UTC") }

// Moment returns a time of whole seconds for people: "2026-03-01 09:30:00 UTC".
func Moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// MarshalText implements encoding.TextMarshaler.
func (t Time) MarshalText() ([]byte, error) {
	if t < 0 || t > maxTime {
		return nil, errors.New("time " + strconv.FormatInt(int64(t), 10) + " is outside the years 1970 to 9999")
	}
	return t.Std().AppendFormat(nil, timeLayout), nil
}

// UnmarshalText implements encoding.TextUnmarshaler; it takes the one layout.
func (t *Time) UnmarshalText(text []byte) error {
	p, err := time.Parse(timeLayout, string(text))
	if err != nil || p.UnixMilli() < 0 || p.UTC().Format(timeLayout) != string(text) {
		return errors.New("not a UTC time such as 2026-03-01T09:30:00.000Z")
	}
	*t = TimeOf(p)
	return nil
}

// checkDate takes the date of an event in the precision it is known in: a
// year, a month or a day ("2026", "2026-03", "2026-03-01").
func checkDate(member, s string) error {
	for _, layout := range []string{"2006", "2006-01", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil && t.Format(layout) == s && t.Year() >= 1900 {
			return nil
		}
	}
	return errors.New(member + " is not a date such as 2026-03-01, 2026-03 or 2026")
}

// checkDay takes a whole day, "2026-03-01".
func checkDay(member, s string) error {
	if len(s) != len("2026-03-01") || checkDate(member, s) != nil {
		return errors.New(member + " is not a day such as 2026-03-01")
	}
	return nil
}

// EndOf returns the last millisecond that a date may mean, in UTC.
func EndOf(date string) Time {
	_, last := days(date)
	return Time(last+1)*dayLength - 1
}

const dayLength Time = 24 * 60 * 60 * 1000

// dayOf returns the day of t in UTC, counted from 1970-01-01.
func dayOf(t Time) int64 { return int64(t / dayLength) }

// days returns the first and the last day that a date may mean: a month is all
// its days. Days are counted from 1970-01-01.
func days(date string) (first, last int64) {
	for _, p := range []struct {
		layout     string
		years, mon int
		d          int
	}{{"2006", 1, 0, 0}, {"2006-01", 0, 1, 0}, {time.DateOnly, 0, 0, 1}} {
		if t, err := time.Parse(p.layout, date); err == nil {
			end := t.AddDate(p.years, p.mon, p.d)
			return t.Unix() / 86400, end.Unix()/86400 - 1
		}
	}
	return 0, 0
}
