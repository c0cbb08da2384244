package sensor_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial/custody/sensor"
)

// TestAssess judges legs that were worked out by hand, with the profile of the design: band 0 is
// 2 to 8 °C, band 1 is 2 to 25 °C for at most 1440 minutes; a gap is longer than 15 minutes.
// Bands, out and unknown are in minutes here.
func TestAssess(t *testing.T) {
	for _, c := range []struct {
		name, series, from, to string
		bands                  [2]int64
		out, unknown           int64
		condition              string
		low, high              int64
	}{
		{"all cold: 10:00 to 10:20", "10:00 5000, 10:10 5100, 10:20 4900", "", "", [2]int64{20, 0}, 0, 0, "ok", 4900, 5100},
		// 10:00-10:10 cold; 10:10-10:20 and 10:20-10:30 touch the warm reading
		{"the worse of two", "10:00 5000, 10:10 8000, 10:20 8001, 10:30 8000", "", "", [2]int64{10, 20}, 0, 0, "ok", 5000, 8001},
		{"out counts on both sides", "10:00 5000, 10:05 26000, 10:10 5000, 10:20 5000", "", "", [2]int64{10, 0}, 10, 0, "excursion",
			5000, 26000},
		{"too cold is out", "10:00 2000, 10:10 1999", "", "", [2]int64{0, 0}, 10, 0, "excursion", 1999, 2000},
		{"a gap of 15 minutes is none", "10:00 5000, 10:15 5000", "", "", [2]int64{15, 0}, 0, 0, "ok", 5000, 5000},
		{"a gap of 16 minutes", "10:00 5000, 10:16 5000, 10:20 5000", "", "", [2]int64{4, 0}, 0, 16, "unknown", 5000, 5000},
		// The unknown time stays unknown, and the reading that is out was seen.
		{"a gap that ends out", "10:00 5000, 10:30 30000", "", "", [2]int64{0, 0}, 0, 30, "excursion", 5000, 30000},
		{"one point", "10:00 5000", "", "", [2]int64{0, 0}, 0, 0, "ok", 5000, 5000},
		{"one point that is out", "10:00 30000", "", "", [2]int64{0, 0}, 0, 0, "excursion", 30000, 30000},
		{"nothing", "", "", "", [2]int64{0, 0}, 0, 0, "unknown", 0, 0},
		{"nothing within an hour", "", "10:00", "11:00", [2]int64{0, 0}, 0, 60, "unknown", 0, 0},
		{"nothing at one time", "", "10:00", "10:00", [2]int64{0, 0}, 0, 0, "unknown", 0, 0},
		// 15 minutes before and after count to the readings at the ends.
		{"short ends", "10:15 5000, 10:20 9000", "10:00", "10:35", [2]int64{15, 20}, 0, 0, "ok", 5000, 9000},
		{"long ends", "10:16 5000, 10:20 5000", "10:00", "10:40", [2]int64{4, 0}, 0, 36, "unknown", 5000, 5000},
		{"an end that is out", "10:00 5000, 10:10 26000", "10:00", "10:20", [2]int64{0, 0}, 20, 0, "excursion", 5000, 26000},
		{"a leg before the readings", "10:10 5000", "10:00", "10:05", [2]int64{0, 0}, 0, 5, "unknown", 0, 0},
		{"a leg after the readings", "10:10 5000", "10:12", "10:20", [2]int64{0, 0}, 0, 8, "unknown", 0, 0},
		// Readings beside the leg count for its edges: 10:05-10:10 lies between 5 °C and 26 °C.
		{"cut between two readings", "10:00 5000, 10:10 26000", "10:05", "10:08", [2]int64{0, 0}, 3, 0, "excursion", 5000, 26000},
		{"cut within a gap", "10:00 5000, 11:00 26000", "10:20", "10:30", [2]int64{0, 0}, 0, 10, "unknown", 0, 0},
		// 10:00-10:30 holds 7 to 9 °C, so it is in band 1 whole.
		{"a period counts whole", "10:00-10:30 7000..9000", "", "", [2]int64{0, 30}, 0, 0, "ok", 7000, 9000},
		{"a period in no band", "10:00-12:00 1000..9000", "", "", [2]int64{0, 0}, 120, 0, "excursion", 1000, 9000},
		// 10:00-10:20 only the first: band 0. 10:20-10:30 both: the worse. 10:30-10:40 the second.
		{"periods that overlap", "10:00-10:30 3000..7000, 10:20-10:40 3000..9000", "", "", [2]int64{20, 20}, 0, 0, "ok", 3000, 9000},
		{"the same period twice", "10:00-10:30 3000..7000, 10:00-10:30 3000..26000", "", "", [2]int64{0, 0}, 30, 0, "excursion", 3000,
			26000},
		// 10:00-10:10 point to period: the worse is band 1; 10:10-10:40; 10:40-10:50 to a cold point: band 1.
		{"point, period, point", "10:00 5000, 10:10-10:40 3000..9000, 10:50 5000", "", "", [2]int64{0, 50}, 0, 0, "ok", 3000, 9000},
		{"periods with a gap", "10:00-10:30 3000..7000, 11:00-11:30 3000..7000", "", "", [2]int64{60, 0}, 0, 30, "unknown", 3000, 7000},
		// The point of 26 °C refutes the period's maximum, so the whole period is out.
		{"a point within a period", "10:00-12:00 3000..7000, 11:00 26000", "", "", [2]int64{0, 0}, 120, 0, "excursion", 3000, 26000},
		{"a point at a period's end", "10:00-12:00 3000..7000, 12:00 26000", "", "", [2]int64{120, 0}, 0, 0, "excursion", 3000, 26000},
		{"a leg within a period", "10:00-12:00 3000..9000", "11:00", "11:30", [2]int64{0, 30}, 0, 0, "ok", 3000, 9000},
		// The period's 26 °C may have been at its end, so 11:00-11:10 lies between 26 °C and 5 °C.
		{"a period that ends with the leg's start", "10:00-11:00 3000..26000, 11:10 5000", "11:00", "11:10", [2]int64{0, 0}, 10, 0,
			"excursion",
			3000, 26000},
		{"a period that starts at the leg's end", "10:00 5000, 10:10 5000, 10:10-11:00 3000..26000", "10:00", "10:05", [2]int64{0, 0},
			5, 0,
			"excursion", 3000, 26000},
		{"a period that the leg only touches", "10:00-11:00 3000..26000, 11:00-12:00 3000..7000", "11:00", "12:00", [2]int64{60, 0}, 0,
			0, "ok",
			3000, 7000},
		{"doubled readings", "10:00 5000, 10:10 5000, 10:10 9000, 10:20 5000", "", "", [2]int64{0, 20}, 0, 0, "ok", 5000, 9000},
		{"out of order", "10:20 5000, 10:00 5000, 10:10 9000", "", "", [2]int64{0, 20}, 0, 0, "ok", 5000, 9000},
		{"a value between two milli-degrees", "10:00 5000, 10:10 8000..8001", "", "", [2]int64{0, 10}, 0, 0, "ok", 5000, 8001},
	} {
		p := profile(t, design)
		a := p.Assess(series(t, c.series), at(t, c.from), at(t, c.to))
		got := [4]int64{a.Bands[0], a.Bands[1], a.Out, a.Unknown}
		if want := [4]int64{c.bands[0] * 60, c.bands[1] * 60, c.out * 60, c.unknown * 60}; got != want {
			t.Errorf("%s: seconds %v, not %v", c.name, got, want)
		}
		if a.Min != c.low || a.Max != c.high {
			t.Errorf("%s: %d to %d, not %d to %d", c.name, a.Min, a.Max, c.low, c.high)
		}
		if got := p.Condition(a); got != c.condition {
			t.Errorf("%s: %s, not %s", c.name, got, c.condition)
		}
		if (len(a.Reasons) == 0) != (c.condition == sensor.OK) {
			t.Errorf("%s: %s, for the reasons %q", c.name, c.condition, a.Reasons)
		}
	}
}

// TestMinutes checks that time is judged to the second, and over all legs.
func TestMinutes(t *testing.T) {
	p := profile(t, `{"bands":[{"min":2000,"max":8000},{"min":2000,"max":25000,"minutes":20}],"maxGap":15}`)
	// 10:00 to 10:10 and 10:10 to 10:20 are warm: 20 minutes.
	just := p.Assess(series(t, "10:00 5000, 10:10 9000, 10:20 5000"), at(t, ""), at(t, ""))
	if got := p.Condition(just); got != sensor.OK {
		t.Errorf("20 of 20 minutes: %s", got)
	}
	over := p.Assess(series(t, "10:00 5000, 10:10 9000, 10:20:01 5000"), at(t, ""), at(t, ""))
	if got := p.Condition(over); got != sensor.Excursion {
		t.Errorf("20 minutes 1 second of 20 minutes: %s", got)
	}
	if want := []string{"2.0 °C to 25.0 °C for 20 minutes 1 second; it may be 20 minutes"}; !slices.Equal(over.Reasons, want) {
		t.Errorf("reasons %q", over.Reasons)
	}
	// Two legs of 10 warm minutes and 5 cold ones, and between them 5 minutes that touch a warm reading.
	one := p.Assess(series(t, "10:00 5000, 10:05 5000, 10:15 9000"), at(t, ""), at(t, ""))
	two := p.Assess(series(t, "10:20 5000, 10:25 5000"), at(t, ""), at(t, ""))
	sum := p.Sum(two, one)
	if want := []int64{10 * 60, 15 * 60}; !slices.Equal(sum.Bands, want) || p.Condition(sum) != sensor.OK {
		t.Errorf("sum %v is %s, not %v", sum.Bands, p.Condition(sum), want)
	}
	if got := p.Condition(p.Sum(one, two, just)); got != sensor.Excursion {
		t.Errorf("15 and 20 of 20 minutes: %s", got)
	}
}

// TestSum checks what a sum does not hide: a leg that is left out, one without readings, one of
// another profile, and no legs.
func TestSum(t *testing.T) {
	p := profile(t, design)
	none := at(t, "")
	one := p.Assess(series(t, "10:00 5000, 10:10 5000"), none, none)
	two := p.Assess(series(t, "10:20 5000, 10:30 5000"), none, none)
	three := p.Assess(series(t, "10:40 5000, 10:50 5000"), none, none)
	other := profile(t, `{"bands":[{"min":2000,"max":8000}],"maxGap":15}`)
	for _, c := range []struct {
		name    string
		legs    []sensor.Assessment
		want    string
		unknown int64
	}{
		{"all", []sensor.Assessment{three, one, two}, sensor.OK, 0},
		{"the middle one is left out", []sensor.Assessment{one, three}, sensor.Unknown, 30 * 60},
		{"none", nil, sensor.Unknown, 0},
		{"an empty series", []sensor.Assessment{one, p.Assess(sensor.Series{}, none, none), two}, sensor.Unknown, 0},
		// Its 10 minutes are unknown, and so are the 10 minutes up to it.
		{"another profile", []sensor.Assessment{one, other.Assess(series(t, "10:20 5000, 10:30 5000"), none, none)}, sensor.Unknown,
			20 * 60},
		// The second leg starts 5 minutes before its first reading, so nobody knows what follows 10:10.
		{"an edge without a reading", []sensor.Assessment{one, p.Assess(series(t, "10:20 5000, 10:30 5000"), at(t, "10:15"), none)},
			sensor.Unknown, 5 * 60},
		// The first leg ends 5 minutes after its last reading.
		{"an end without a reading", []sensor.Assessment{p.Assess(series(t, "10:00 5000, 10:10 5000"), none, at(t, "10:15")), two},
			sensor.Unknown, 5 * 60},
	} {
		sum := p.Sum(c.legs...)
		if got := p.Condition(sum); got != c.want || sum.Unknown != c.unknown {
			t.Errorf("%s: %s with %d unknown seconds, not %s with %d", c.name, got, sum.Unknown, c.want, c.unknown)
		}
		if len(sum.Reasons) == 0 && c.want != sensor.OK {
			t.Errorf("%s: no reason", c.name)
		}
	}
}

// TestOneGap checks that a gap over the ends of legs is one gap, and that two gaps with a reading
// between them are two.
func TestOneGap(t *testing.T) {
	p := profile(t, design)
	none := at(t, "")
	// 10:20-11:00 at the end of the first, 11:00-11:30 between, 11:30-12:00 at the start of the second.
	one := p.Assess(series(t, "10:00 5000, 10:10 5000, 10:20 5000"), none, at(t, "11:00"))
	two := p.Assess(series(t, "12:00 5000, 12:10 5000"), at(t, "11:30"), none)
	if got, want := p.Sum(one, two).Gaps, []sensor.Gap{{From: at(t, "10:20"), To: at(t, "12:00")}}; !reflect.DeepEqual(got, want) {
		t.Errorf("one gap: %v", got)
	}
	three := p.Assess(series(t, "10:00 5000, 11:00 5000"), none, none)
	four := p.Assess(series(t, "11:00 5000, 12:00 5000"), none, none)
	if got := p.Sum(three, four).Gaps; len(got) != 2 {
		t.Errorf("two gaps: %v", got)
	}
}

// TestSubSeconds checks that a point is rounded down to a second and the end of a period up.
func TestSubSeconds(t *testing.T) {
	p := profile(t, design)
	nearly := at(t, "11:00").Add(-time.Millisecond)
	s := sensor.Series{Readings: []sensor.Reading{{From: at(t, "10:00"), To: nearly, Min: 3000, Max: 7000},
		{From: at(t, "11:00"), To: at(t, "12:00"), Min: 9000, Max: 9000}}}
	if a := p.Assess(s, at(t, ""), at(t, "")); !slices.Equal(a.Bands, []int64{3600, 3600}) || a.Unknown != 0 {
		t.Errorf("periods: %v, %d unknown", a.Bands, a.Unknown)
	}
	s = sensor.Series{Readings: []sensor.Reading{{From: nearly, To: nearly, Min: 3000, Max: 3000}}}
	if a := p.Assess(s, at(t, ""), at(t, "")); !a.To.Equal(at(t, "10:59:59")) || !a.From.Equal(a.To) {
		t.Errorf("a point: %v to %v", a.From, a.To)
	}
}

// TestLines shows what people read.
func TestLines(t *testing.T) {
	p := profile(t, design)
	s := series(t, "10:00 5000, 10:05 9500, 10:10:30 -500, 11:00 5000")
	s.Doubts = []sensor.Doubt{{From: at(t, "11:00"), To: at(t, "11:00"), Why: "the sensor reported an error"}}
	a := p.Assess(s, at(t, ""), at(t, ""))
	// 10:00-10:05 warm; 10:05-10:10:30 out; 10:10:30-11:00 is a gap of 49 minutes 30 seconds.
	want := `condition: excursion
from 2026-03-01 10:00:00 UTC to 2026-03-01 11:00:00 UTC: 60 minutes
2.0 °C to 8.0 °C: 0 minutes
2.0 °C to 25.0 °C: 5 minutes of at most 1440 minutes
outside all bands: 5 minutes 30 seconds
unknown: 49 minutes 30 seconds
lowest -0.5 °C, highest 9.5 °C
gap from 2026-03-01 10:10:30 UTC to 2026-03-01 11:00:00 UTC: 49 minutes 30 seconds
reason: outside all bands for 5 minutes 30 seconds
reason: unknown for 49 minutes 30 seconds, because readings are more than 15 minutes apart
reason: 2026-03-01T11:00:00Z: the sensor reported an error`
	if got := strings.Join(a.Lines(p), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := strings.Join(p.Sum().Lines(p), "\n"); got != "condition: unknown\nno reading" {
		t.Errorf("no legs: %s", got)
	}
	text, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	const wantJSON = `{"from":"2026-03-01T10:00:00Z","to":"2026-03-01T11:00:00Z","bands":[0,300],"out":330,"unknown":2970,` +
		`"longest":2970,` +
		`"gaps":[["2026-03-01T10:10:30Z","2026-03-01T11:00:00Z"]],"moreGaps":0,"seen":true,"seenOut":true,"min":-500,"max":9500,` +
		`"starts":0,"ends":0,"doubts":["2026-03-01T11:00:00Z: the sensor reported an error"],"reasons":["outside all bands for 5 ` +
		`minutes ` +
		`30 seconds","unknown for 49 minutes 30 seconds, because readings are more than 15 minutes apart","2026-03-01T11:00:00Z: ` +
		`the sensor ` +
		`reported an error"]}`
	if string(text) != wantJSON {
		t.Errorf("JSON %s", text)
	}
	back, err := sensor.ParseAssessment(text)
	if err != nil || !reflect.DeepEqual(back, a) {
		t.Errorf("parsed again: %+v, %v", back, err)
	}
	var list []sensor.Assessment
	if err := json.Unmarshal([]byte("["+wantJSON+"]"), &list); err != nil || !reflect.DeepEqual(list, []sensor.Assessment{a}) {
		t.Errorf("in a list: %+v, %v", list, err)
	}
	if err := json.Unmarshal([]byte("[{}]"), &list); err == nil {
		t.Error("an empty object is taken for an assessment")
	}
}

// TestMutateAssessment changes one thing in an assessment's JSON: it is refused.
func TestMutateAssessment(t *testing.T) {
	p := profile(t, design)
	text, err := json.Marshal(p.Assess(series(t, "10:00 5000, 10:30 9000"), at(t, ""), at(t, "")))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sensor.ParseAssessment(text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	for _, m := range [][2]string{
		{`"out":0`, `"out":-1`}, {`"out":0`, `"out":0.0`}, {`"out":0`, `"out":0,"out":0`}, {`"out":0,`, ``}, {`"out":0`, `"out":null`},
		{`"out":0`, `"out":"0"`}, {`"out":0`, `"out":1e1`}, {`"out":0`, `"out":0,"new":1`}, {`"unknown":1800`, `"unknown":0`},
		{`"unknown":1800`, `"unknown":1799`}, {`"longest":1800`, `"longest":1801`}, {`"longest":1800`, `"longest":0`}, {`"min":5000`,
			`"min":9001`},
		{`"seen":true`, `"seen":false`}, {`"seen":true`, `"seen":1`}, {`"starts":0`, `"starts":3`}, {`"starts":0`, `"starts":-2`},
		{`"bands":[0,0]`, `"bands":[0,-1]`}, {`"bands":[0,0]`, `"bands":{}`}, {`T10:30:00Z"`, `T10:30:00+00:00"`}, {`T10:30:00Z"`,
			`T09:30:00Z"`},
		{`T10:30:00Z"`, `T10:30:00.5Z"`}, {`"doubts":[]`, `"doubts":[1]`}, {`"gaps":[[`, `"gaps":[["2026-03-01T10:00:00Z"],[`}, {`{`,
			`[{`}, {`}`, `} {}`},
	} {
		changed := strings.Replace(string(text), m[0], m[1], 1)
		if changed == string(text) {
			t.Errorf("%s is not in %s", m[0], text)
		}
		if _, err := sensor.ParseAssessment([]byte(changed)); err == nil {
			t.Errorf("%s for %s is taken", m[1], m[0])
		}
	}
}

// TestProfile takes and refuses profiles.
func TestProfile(t *testing.T) {
	p := profile(t, design)
	if len(p.Bands) != 2 || p.Bands[0] != (sensor.Band{Min: 2000, Max: 8000}) || *p.Bands[1].Minutes != 1440 || p.MaxGap != 15 {
		t.Errorf("%+v", p)
	}
	for _, bad := range []string{``, `null`, `[]`, `{}`, `{"bands":[],"maxGap":15}`, `{"bands":[{"min":1,"max":2}]}`,
		`{"bands":[{"min":1,"max":2}],"maxGap":0}`, `{"bands":[{"min":1,"max":2}],"maxGap":15.0}`,
		`{"bands":[{"min":1,"max":2}],"maxGap":15,"x":1}`,
		`{"bands":[{"min":1,"max":2}],"maxGap":15,"maxGap":15}`, `{"bands":[{"min":1,"max":2}],"maxGap":15} 1`,
		`{"bands":[{"min":3,"max":2}],"maxGap":15}`, `{"bands":[{"min":1}],"maxGap":15}`,
		`{"bands":[{"min":1,"max":2,"min":1}],"maxGap":15}`,
		`{"bands":[{"min":1.5,"max":2}],"maxGap":15}`, `{"bands":[{"min":"1","max":2}],"maxGap":15}`,
		`{"bands":[{"min":1,"max":2,"minutes":-1}],"maxGap":15}`,
		`{"bands":[{"min":1,"max":2,"minutes":null}],"maxGap":15}`, `{"bands":[{"min":1,"max":2,"hours":1}],"maxGap":15}`,
		`{"bands":[{"min":1,"max":2},{"min":1,"max":2}],"maxGap":15}`, `{"bands":[{"min":-273151,"max":2}],"maxGap":15}`,
		`{"bands":[{"min":1,"max":1000001}],"maxGap":15}`, `{"bands":[{"min":1,"max":2}],"maxGap":15`,
		`{"bands":{"min":1,"max":2},"maxGap":15}`,
		`{"bands":[` + strings.Repeat(`{"min":1,"max":2},`, 17) + `{"min":1,"max":2}],"maxGap":15}`} {
		if p, err := sensor.ParseProfile([]byte(bad)); err == nil {
			t.Errorf("%s is taken: %+v", bad, p)
		}
	}
}
