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
		if got := TimeFrames(Text{TimeFrame: c.a}, Text{TimeFrame: c.b}); got != c.want {
			t.Errorf("%q, %q: %s; want %s (%v, %v)", c.a, c.b, got, c.want, pointsOf(Text{TimeFrame: c.a}), pointsOf(Text{TimeFrame: c.b}))
		}
	}
	// The measure's own point goes before its time frame.
	a, b := Text{Measure: "PFS at 9 months", TimeFrame: "up to 3 years"}, Text{Measure: "Progression free survival", TimeFrame: "9 months"}
	if got := TimeFrames(a, b); got != Same {
		t.Errorf("point in the measure: %s", got)
	}
	if got := TimeFrames(Text{Measure: "30-day mortality"}, Text{Measure: "mortality at 90 days"}); got != Contradicting {
		t.Errorf("points in both measures: %s", got)
	}
}

func TestSplitTimePoints(t *testing.T) {
	for _, c := range []struct {
		in   Text
		want []Text
	}{
		{Text{Measure: "pain at 6 and 12 weeks"}, []Text{{Measure: "pain at 6 weeks"}, {Measure: "pain at 12 weeks"}}},
		{Text{Measure: "fatigue (week 4, 8 and 12)"}, []Text{{Measure: "fatigue (4 weeks)"}, {Measure: "fatigue (8 weeks)"}, {Measure: "fatigue (12 weeks)"}}},
		{Text{Measure: "pain at baseline, 6 weeks and 12 months"}, []Text{{Measure: "pain at 6 weeks"}, {Measure: "pain at 12 months"}}},
		{Text{Measure: "fatigue", TimeFrame: "Baseline, week 4, week 8"}, []Text{{Measure: "fatigue", TimeFrame: "4 weeks"}, {Measure: "fatigue", TimeFrame: "8 weeks"}}},
		{Text{Measure: "change from baseline in pain at week 12", TimeFrame: "baseline, weeks 4, 8, 12"}, []Text{{Measure: "change from baseline in pain at week 12", TimeFrame: "baseline, weeks 4, 8, 12"}}},
		{Text{Measure: "pain at 6 weeks and function at 12 weeks"}, []Text{{Measure: "pain at 6 weeks and function at 12 weeks"}}},
		{Text{Measure: "stroke", TimeFrame: "up to 2 years"}, []Text{{Measure: "stroke", TimeFrame: "up to 2 years"}}},
		{Text{Measure: "stroke", TimeFrame: "24-26 weeks"}, []Text{{Measure: "stroke", TimeFrame: "24-26 weeks"}}},
		{Text{Measure: "stroke"}, []Text{{Measure: "stroke"}}},
	} {
		if got := SplitTimePoints(c.in); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%+v:\n got %+v\nwant %+v", c.in, got, c.want)
		}
	}
}

// TestDurationsInNames: for how long something is measured is not when.
func TestDurationsInNames(t *testing.T) {
	for _, c := range []struct {
		a, b Text
		want TimeRelation
	}{
		{Text{Measure: "Change in 6-minute walk distance", TimeFrame: "12 weeks"}, Text{Measure: "6-minute walk distance", TimeFrame: "52 weeks"}, Contradicting},
		{Text{Measure: "6 minute walk test", TimeFrame: "12 weeks"}, Text{Measure: "6MWT", TimeFrame: "12 weeks"}, Same},
		{Text{Measure: "24-hour urinary protein", TimeFrame: "Week 52"}, Text{Measure: "24 hour urinary protein", TimeFrame: "Week 4"}, Contradicting},
		{Text{Measure: "24h ambulatory blood pressure"}, Text{Measure: "ambulatory blood pressure", TimeFrame: "1 day"}, OnlySecond},
		{Text{Measure: "Pain 24 hours after surgery"}, Text{Measure: "Pain", TimeFrame: "24 h"}, Same},
		{Text{Measure: "Pain at 24-hour follow-up"}, Text{Measure: "Pain", TimeFrame: "1 day"}, Same},
		{Text{Measure: "Glucose 2-hour post dose"}, Text{Measure: "Glucose", TimeFrame: "2 hours"}, Same},
		{Text{Measure: "30-day mortality"}, Text{Measure: "mortality", TimeFrame: "30 days"}, Same},
	} {
		if got := TimeFrames(c.a, c.b); got != c.want {
			t.Errorf("%+v, %+v: %s, want %s", c.a, c.b, got, c.want)
		}
	}
}
