package sensor_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial/custody/sensor"
)

// show writes a reading: "FROM [TO] MIN [MAX]".
func show(r sensor.Reading) string {
	s := r.From.Format(time.RFC3339Nano)
	if !r.To.Equal(r.From) {
		s += " " + r.To.Format(time.RFC3339Nano)
	}
	s += fmt.Sprintf(" %d", r.Min)
	if r.Max != r.Min {
		s += fmt.Sprintf(" %d", r.Max)
	}
	return s
}

func showAll(s sensor.Series) string {
	var list []string
	for _, r := range s.Readings {
		list = append(list, show(r))
	}
	return strings.Join(list, "; ")
}

// day is the day of the tests' readings.
var day = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// at returns a time of the day such as "10:05" or "10:05:30", zero for "".
func at(t testing.TB, s string) time.Time {
	t.Helper()
	if s == "" {
		return time.Time{}
	}
	var h, m, sec int
	if n, err := fmt.Sscanf(s, "%d:%d:%d", &h, &m, &sec); n < 2 {
		t.Fatalf("%q: %v", s, err)
	}
	return day.Add(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(sec)*time.Second)
}

// series reads "10:00 5000, 10:05-10:35 4000..6000": points and periods.
func series(t testing.TB, text string) (s sensor.Series) {
	t.Helper()
	for _, item := range strings.Split(text, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		when, what, _ := strings.Cut(item, " ")
		from, to, period := strings.Cut(when, "-")
		if !period {
			to = from
		}
		r := sensor.Reading{From: at(t, from), To: at(t, to)}
		if n, _ := fmt.Sscanf(what, "%d..%d", &r.Min, &r.Max); n == 1 {
			r.Max = r.Min
		} else if n != 2 {
			t.Fatalf("%q is no reading", item)
		}
		s.Readings = append(s.Readings, r)
	}
	return s
}

// design is the profile of the design: 2 to 8 °C without bound, 2 to 25 °C for 1440 minutes.
const design = `{"bands":[{"min":2000,"max":8000},{"min":2000,"max":25000,"minutes":1440}],"maxGap":15}`

func profile(t testing.TB, text string) sensor.Profile {
	t.Helper()
	p, err := sensor.ParseProfile([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}
