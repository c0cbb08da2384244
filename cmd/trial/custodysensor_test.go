package main

import (
	"strings"
	"testing"
)

// TestCustodySensorAttacks: what is wrong with a logger's file never makes a medicine good.
func TestCustodySensorAttacks(t *testing.T) {
	t.Parallel()
	const good = `time,temperature
2026-03-01 08:00:00,5.0
2026-03-01 08:10:00,5.5
2026-03-01 08:20:00,6.0
2026-03-01 08:30:00,5.0
`
	utcC := []string{"-tz", "UTC", "-unit", "C"}
	leg := []string{"-tz", "UTC", "-unit", "C", "-from", "2026-03-01T08:00:00Z", "-until", "2026-03-01T08:30:00Z"}
	replaced := func(old, now string) string {
		t.Helper()
		if !strings.Contains(good, old) {
			t.Fatalf("no %q", old)
		}
		return strings.Replace(good, old, now, 1)
	}
	devices := strings.NewReplacer("time,", "device,time,", "2026-", "BOX-1,2026-").Replace(good)
	other := devices + "BOX-2,2026-03-01 08:00:00,20.0\nBOX-2,2026-03-01 08:30:00,20.0\n"
	for _, c := range []struct {
		name, file string
		flags      []string
		status     int
		words      string
	}{
		{"good", good, leg, exitDone, "condition: ok"},
		{"a gap", replaced("2026-03-01 08:10:00,5.5\n2026-03-01 08:20:00,6.0\n", ""), leg, exitPending, "condition: unknown"},
		{"the end is cut off", replaced("2026-03-01 08:20:00,6.0\n2026-03-01 08:30:00,5.0\n", ""), leg, exitPending, "condition: unknown"},
		{"the beginning is cut off", replaced("2026-03-01 08:00:00,5.0\n2026-03-01 08:10:00,5.5\n", ""), leg, exitPending,
			"condition: unknown"},
		{"a warm reading is left out", replaced("2026-03-01 08:20:00,6.0\n", "2026-03-01 08:26:00,6.0\n"), leg, exitPending,
			"condition: unknown"},
		{"no reading", "time,temperature\n", utcC, exitPending, "condition: unknown"},
		{"a reading is no number", replaced("5.5", "ERR"), leg, exitPending, "condition: unknown"},
		{"a lost reading", replaced("5.5", "---"), leg, exitPending, "condition: unknown"},
		{"warm for ten minutes", replaced("6.0", "30.0"), leg, exitInvalid, "condition: excursion"},
		{"a decimal comma", strings.NewReplacer(",", ";", ".0", ",0", ".5", ",5").Replace(good), leg, exitDone, "condition: ok"},
		// 41 degrees Fahrenheit are 5 degrees Celsius; as Celsius they are an excursion, and without a unit nothing.
		{"Fahrenheit taken for Celsius", strings.NewReplacer("5.0", "41.0", "5.5", "41.9", "6.0", "42.8").Replace(good), leg, exitInvalid,
			"condition: excursion"},
		{"Fahrenheit", strings.NewReplacer("5.0", "41.0", "5.5", "41.9", "6.0", "42.8").Replace(good), []string{"-tz", "UTC",
			"-unit", "F"}, exitDone,
			"condition: ok"},
		{"the file says Fahrenheit, the flag Celsius", strings.NewReplacer("temperature", "temperature (°F)", "5.0", "41.0", "5.5", "41.9",
			"6.0", "42.8").Replace(good), leg, exitUsage, ""},
		{"no unit is known", good, []string{"-tz", "UTC"}, exitUsage, "-unit"},
		{"no time zone is known", good, []string{"-unit", "C"}, exitUsage, "-tz"},
		{"out of order", replaced("2026-03-01 08:10:00,5.5\n2026-03-01 08:20:00,6.0\n",
			"2026-03-01 08:20:00,6.0\n2026-03-01 08:10:00,5.5\n"), leg, exitDone,
			"condition: ok"},
		{"out of order and warm", replaced("2026-03-01 08:10:00,5.5\n2026-03-01 08:20:00,6.0\n",
			"2026-03-01 08:20:00,6.0\n2026-03-01 08:10:00,35.5\n"), leg,
			exitInvalid, "condition: excursion"},
		{"one time twice, warm and cold", replaced("2026-03-01 08:10:00,5.5\n",
			"2026-03-01 08:10:00,5.5\n2026-03-01 08:10:00,30.0\n"), leg, exitInvalid,
			"condition: excursion"},
		{"two boxes in one file", other, utcC, exitUsage, "-device"},
		{"the right box of two", other, append([]string{"-device", "BOX-1"}, leg...), exitDone, "condition: ok"},
		{"the other box of two", other, append([]string{"-device", "BOX-2"}, leg...), exitPending, "condition: unknown"},
		{"a file of another box", devices, append([]string{"-device", "BOX-3"}, leg...), exitUsage, ""},
		{"another time zone", good, []string{"-tz", "America/New_York", "-unit", "C", "-from", "2026-03-01T08:00:00Z", "-until",
			"2026-03-01T08:30:00Z"},
			exitPending, "condition: unknown"},
		{"the day before", strings.ReplaceAll(good, "03-01", "02-28"), leg, exitPending, "condition: unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &town{t: t, dir: t.TempDir()}
			w.write("profile.json", `{"bands":[{"min":2000,"max":8000},{"min":2000,"max":25000,"minutes":20}],"maxGap":15}`)
			w.write("log.csv", c.file)
			_, out, status := w.run(append(append([]string{"trial", "custody", "assess", "-profile", "profile.json"}, c.flags...), "log.csv")...)
			if status != c.status || !strings.Contains(out, c.words) || (status != exitDone) == strings.Contains(out, "condition: ok") {
				t.Errorf("status %d, want %d and %q\n%s", status, c.status, c.words, out)
			}
		})
	}
}
