package outcome

import (
	"reflect"
	"testing"
)

func TestTimeFrames(t *testing.T) {
	for _, c := range []struct {
		a, b string // time frames
		want TimeRelation
	}{
		{"6 months", "26 weeks", Same},
		{"6 months", "24 weeks", Contradicting},
		{"6 months", "24-26 weeks", Contradicting},
		{"24-26 weeks", "24 to 26 weeks", Same},
		{"1 year", "12 months", Same},
		{"one year", "52 weeks", Same},
		{"12 weeks", "3 months", Contradicting},
		{"84 days", "Week 12", Same},
		{"24h", "1 day", Same},
		{"Day 28", "4 weeks", Same},
		{"6months", "within 6 months of enrolment", Same},
		{"Baseline, week 12", "week 12", Same},
		{"weeks 4, 8 and 12", "12 weeks", Same},
		{"weeks 4, 8 and 12", "16 weeks", Contradicting},
		{"up to 2 years", "24 months", Same},
		{"up to 2 years", "up to 3 years", Contradicting},
		{"9 months", "up to 2 years", OnlyFirst},
		{"up to 2 years", "9 months", OnlySecond},
		{"3 years", "up to 2 years", Contradicting},
		{"0 to 30 days", "within 30 days", Same},
		{"Baseline through Day 28", "28 days", Same},
		{"through study completion, an average of 1 year", "6 months", OnlySecond},
		{"1 week before surgery", "1 week after surgery", Contradicting},
		{"2nd week", "14 days", Same},
		{"at discharge", "30 days", OnlySecond},
		{"the first 24 hours after surgery", "24 hours", Same},
		{"the first 24 hours after surgery", "1 hour", Contradicting},
		{"first 6 months", "1 month", Contradicting},
		{"two 6-week periods", "6 weeks", Same},
		{"the first 48 weeks", "1 week", Contradicting},
		{"one 24-hour collection", "1 hour", OnlySecond},
		{"six and twelve weeks", "12 weeks", Same},
		{"15 years 5 months", "15 years 5 months", Same},
		{"15 years 5 months", "185 months", Same},
		{"15 years 5 months", "5 months", Contradicting},
		{"", "", NeitherStated},
		{"every 2 weeks", "", NeitherStated},
		{"in patients aged 65 years", "", NeitherStated},
		{"18 years of age", "", NeitherStated},
		{"the last 7 days", "", NeitherStated},
		{"cycle 2 (each cycle is 21 days)", "", NeitherStated},
		{"2010-2014", "", NeitherStated},
	} {
		if got := TimeFrames(Outcome{TimeFrame: c.a}, Outcome{TimeFrame: c.b}); got != c.want {
			t.Errorf("%q, %q: %s; want %s (%v, %v)", c.a, c.b, got, c.want, pointsOf(Outcome{TimeFrame: c.a}),
				pointsOf(Outcome{TimeFrame: c.b}))
		}
	}
	// The measure's own point takes precedence over its time frame.
	a, b := Outcome{Measure: "PFS at 9 months", TimeFrame: "up to 3 years"}, Outcome{Measure: "Progression free survival",
		TimeFrame: "9 months"}
	if got := TimeFrames(a, b); got != Same {
		t.Errorf("point in the measure: %s", got)
	}
	if got := TimeFrames(Outcome{Measure: "30-day mortality"}, Outcome{Measure: "mortality at 90 days"}); got != Contradicting {
		t.Errorf("points in both measures: %s", got)
	}
}

func TestSplitTimePoints(t *testing.T) {
	for _, c := range []struct {
		in   Outcome
		want []Outcome
	}{
		{Outcome{Measure: "pain at 6 and 12 weeks"}, []Outcome{{Measure: "pain at 6 weeks"}, {Measure: "pain at 12 weeks"}}},
		{Outcome{Measure: "fatigue (week 4, 8 and 12)"}, []Outcome{{Measure: "fatigue (4 weeks)"}, {Measure: "fatigue (8 weeks)"},
			{Measure: "fatigue (12 weeks)"}}},
		{Outcome{Measure: "pain at baseline, 6 weeks and 12 months"}, []Outcome{{Measure: "pain at 6 weeks"},
			{Measure: "pain at 12 months"}}},
		{Outcome{Measure: "fatigue", TimeFrame: "Baseline, week 4, week 8"}, []Outcome{{Measure: "fatigue", TimeFrame: "4 weeks"},
			{Measure: "fatigue", TimeFrame: "8 weeks"}}},
		{Outcome{Measure: "change from baseline in pain at week 12", TimeFrame: "baseline, weeks 4, 8, 12"},
			[]Outcome{{Measure: "change from baseline in pain at week 12", TimeFrame: "baseline, weeks 4, 8, 12"}}},
		{Outcome{Measure: "pain at 6 weeks and function at 12 weeks"}, []Outcome{{Measure: "pain at 6 weeks and function at 12 weeks"}}},
		{Outcome{Measure: "stroke", TimeFrame: "up to 2 years"}, []Outcome{{Measure: "stroke", TimeFrame: "up to 2 years"}}},
		{Outcome{Measure: "stroke", TimeFrame: "24-26 weeks"}, []Outcome{{Measure: "stroke", TimeFrame: "24-26 weeks"}}},
		{Outcome{Measure: "stroke"}, []Outcome{{Measure: "stroke"}}},
	} {
		if got := SplitTimePoints(c.in); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%+v:\n got %+v\nwant %+v", c.in, got, c.want)
		}
	}
}

// TestDurationsInNames: how long something is measured is not when it is measured.
func TestDurationsInNames(t *testing.T) {
	for _, c := range []struct {
		a, b Outcome
		want TimeRelation
	}{
		{Outcome{Measure: "Change in 6-minute walk distance", TimeFrame: "12 weeks"}, Outcome{Measure: "6-minute walk distance",
			TimeFrame: "52 weeks"}, Contradicting},
		{Outcome{Measure: "6 minute walk test", TimeFrame: "12 weeks"}, Outcome{Measure: "6MWT", TimeFrame: "12 weeks"}, Same},
		{Outcome{Measure: "24-hour urinary protein", TimeFrame: "Week 52"}, Outcome{Measure: "24 hour urinary protein",
			TimeFrame: "Week 4"}, Contradicting},
		{Outcome{Measure: "24h ambulatory blood pressure"}, Outcome{Measure: "ambulatory blood pressure", TimeFrame: "1 day"}, OnlySecond},
		{Outcome{Measure: "Pain 24 hours after surgery"}, Outcome{Measure: "Pain", TimeFrame: "24 h"}, Same},
		{Outcome{Measure: "Pain at 24-hour follow-up"}, Outcome{Measure: "Pain", TimeFrame: "1 day"}, Same},
		{Outcome{Measure: "Glucose 2-hour post dose"}, Outcome{Measure: "Glucose", TimeFrame: "2 hours"}, Same},
		{Outcome{Measure: "30-day mortality"}, Outcome{Measure: "mortality", TimeFrame: "30 days"}, Same},
	} {
		if got := TimeFrames(c.a, c.b); got != c.want {
			t.Errorf("%+v, %+v: %s, want %s", c.a, c.b, got, c.want)
		}
	}
}
