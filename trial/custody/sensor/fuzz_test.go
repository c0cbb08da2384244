package sensor_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial/custody/sensor"
)

// judged checks what holds for every series that is read: it is in order, within bounds, and its
// assessment adds up, cut or whole, in any order.
func judged(t *testing.T, s sensor.Series) {
	t.Helper()
	for i, r := range s.Readings {
		if r.To.Before(r.From) || r.Min > r.Max || r.Min < -273_150 || r.Max > 1_000_000 || r.From.Location() != time.UTC {
			t.Fatalf("reading %s", show(r))
		}
		if i > 0 && r.From.Before(s.Readings[i-1].From) {
			t.Fatalf("out of order: %s", showAll(s))
		}
	}
	p := profile(t, design)
	a := p.Assess(s, time.Time{}, time.Time{})
	if len(s.Readings) > 0 && total(a) != a.To.Unix()-a.From.Unix() {
		t.Fatalf("%d seconds of %v to %v", total(a), a.From, a.To)
	}
	if (len(s.Readings) == 0 || len(s.Doubts) > 0 && p.Condition(p.Assess(s, s.Doubts[0].From, s.Doubts[0].To)) == sensor.OK) &&
		p.Condition(a) == sensor.OK {
		t.Fatalf("ok without readings, or in doubt: %+v", s)
	}
	mixed := s
	mixed.Readings = slices.Clone(s.Readings)
	slices.Reverse(mixed.Readings)
	if b := p.Assess(mixed, time.Time{}, time.Time{}); !reflect.DeepEqual(a, b) {
		t.Fatalf("in another order %+v, not %+v", b, a)
	}
	if len(s.Readings) > 0 && len(a.Gaps) < sensor.MaxGaps {
		a = p.Assess(s, a.From, a.To)
		first, last := ends(s)
		middle := time.Unix((first.Unix()+last.Unix())/2+1, 0)
		if !middle.Before(last) {
			middle = first.Truncate(time.Second)
		}
		sum := p.Sum(p.Assess(s, middle, a.To), p.Assess(s, a.From, middle))
		if !reflect.DeepEqual(sum, a) {
			t.Fatalf("the sum is %+v, not %+v", sum, a)
		}
	}
	text, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	if a.To.Unix()-a.From.Unix() < 100*365*24*3600 {
		if back, err := sensor.ParseAssessment(text); err != nil || !reflect.DeepEqual(back, a) {
			t.Fatalf("%s parsed again: %+v, %v", text, back, err)
		}
	}
}

// FuzzRead reads any bytes as a file, with and without options.
func FuzzRead(f *testing.F) {
	for _, data := range realFiles(f) {
		f.Add(data, true)
	}
	for _, text := range []string{hobo, german, latin1(hobo), document(element(noon, five)), document(element(period,
		`"minValue":2,"maxValue":7,"uom":"CEL"`)),
		"Date/Time,Temp\n2026-10-25 02:30,5\n2026-10-25 02:10,5",
		"DAte Time,Temp\n0001-1-01 00.00,0", "Time;°C\n1/2/26 1:00 PM;HI\n13/2/26 1:00 PM;5,1\n"} {
		f.Add([]byte(text), true)
		f.Add([]byte(text), false)
	}
	berlin := zone(f, "Europe/Berlin")
	f.Fuzz(func(t *testing.T, data []byte, told bool) {
		o := sensor.Options{}
		if told {
			o = sensor.Options{Zone: berlin, Unit: "C", Dates: "dmy"}
		}
		s, err := sensor.Read("x", data, o)
		if err != nil {
			return
		}
		judged(t, s)
		if again, err := sensor.Read("x", data, o); err != nil || !reflect.DeepEqual(again, s) {
			t.Fatalf("read again: %+v, %v", again, err)
		}
	})
}

// FuzzParseProfile parses any bytes as a profile: what is taken is within bounds.
func FuzzParseProfile(f *testing.F) {
	f.Add([]byte(design))
	f.Add([]byte(overlapping))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := sensor.ParseProfile(data)
		if err != nil {
			return
		}
		if len(p.Bands) == 0 || p.MaxGap < 1 {
			t.Fatalf("%+v", p)
		}
		for _, b := range p.Bands {
			if b.Min > b.Max || b.Minutes != nil && *b.Minutes < 0 {
				t.Fatalf("%+v", b)
			}
		}
		a := p.Assess(series(t, "10:00 5000, 10:05 9000, 11:00-12:00 -5000..3000"), time.Time{}, time.Time{})
		if total(a) != 7200 {
			t.Fatalf("%+v", a)
		}
	})
}

// FuzzParseAssessment parses any bytes as an assessment: what is taken is written and parsed
// alike.
func FuzzParseAssessment(f *testing.F) {
	p := profile(f, design)
	for _, text := range []string{"10:00 5000, 10:30 9000", "10:00 5000, 10:10 30000", ""} {
		data, err := json.Marshal(p.Assess(series(f, text), time.Time{}, time.Time{}))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := sensor.ParseAssessment(data)
		if err != nil {
			return
		}
		text, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := sensor.ParseAssessment(text); err != nil || !reflect.DeepEqual(back, a) {
			t.Fatalf("%s parsed again: %+v, %v", text, back, err)
		}
		a.Lines(p)
		if sum := p.Sum(a, a); p.Condition(a) != sensor.OK && p.Condition(sum) == sensor.OK {
			t.Fatalf("%s is not ok, but its sum is", text)
		}
	})
}
