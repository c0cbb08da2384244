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

// UnmarshalText implements encoding.TextUnmarshaler; it accepts only the layout of Time.
func (t *Time) UnmarshalText(text []byte) error {
	p, err := time.Parse(timeLayout, string(text))
	if err != nil || p.UnixMilli() < 0 || p.UTC().Format(timeLayout) != string(text) {
		return errors.New("not a UTC time such as 2026-03-01T09:30:00.000Z")
	}
	*t = TimeOf(p)
	return nil
}
