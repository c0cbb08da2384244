package study

import (
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/outcome"
)

// TestDiffOrder: outcomes come first, and of these those that became primary or are no longer
// primary; added countries come last. Each thing is listed once.
func TestDiffOrder(t *testing.T) {
	a := &Study{Title: "A", Status: "recruiting", Countries: []string{"Austria", "Belgium"}, Results: true,
		Dates: []Date{{Start, "2020-01", Planned}},
		Outcomes: []outcome.Outcome{{Level: Secondary, Measure: "Sleep quality", TimeFrame: "4 weeks"}, {Level: Secondary,
			Measure: "Falls", TimeFrame: "1 year"}, {Level: Primary, Measure: "Pain &lt; 3", TimeFrame: "12 " +
			"weeks"}, {Level: Primary, Measure: "Walking distance", TimeFrame: "12 weeks"}},
		Reported: []outcome.Outcome{{Level: Secondary, Measure: "Falls", TimeFrame: "1 year"}}}
	b := &Study{Title: "B", Status: "completed", Countries: []string{"Belgium", "Czechia", "Denmark"}, Results: true,
		Dates: []Date{{Start, "2020-02-01", Actual}},
		Outcomes: []outcome.Outcome{{Level: Primary, Measure: "Sleep quality", TimeFrame: "8 weeks"}, {Level: Secondary, Measure: "Falls",
			TimeFrame: "2 years"}, {Level: Primary, Measure: `Pain \< 3`, TimeFrame: "12 weeks"}, {Level: Primary, Measure: "Walking " +
			"distance in six minutes", TimeFrame: "24 weeks"}},
		Reported: []outcome.Outcome{{Level: Secondary, Measure: "Falls", TimeFrame: "2 years"}}}
	changes := Diff(a, b)
	var got []string
	for _, c := range changes {
		got = append(got, c.Field+" "+c.Sort)
	}
	want := `outcome promoted; primary outcome reworded; secondary outcome (planned and reported) "Falls" time frame changed; date start changed; status changed; title changed; countries removed; countries added`
	if s := strings.Join(got, "; "); s != want {
		t.Errorf("%s\nwant %s", s, want)
	}
	if last := changes[len(changes)-1]; last.New != "Czechia, Denmark" {
		t.Errorf("added last: %+v", last)
	}
	if s := Summary(changes); s != "8 changes: outcomes 3 (1 primary reworded, 1 promoted, 1 secondary changed), dates 1, status 1, "+
		"title 1, countries 2" {
		t.Error(s)
	}
	if s := Summary(nil); s != "no change in what is read" {
		t.Error(s)
	}
}
