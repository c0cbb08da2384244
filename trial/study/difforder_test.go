package study

import (
	"strings"
	"testing"
)

// TestDiffOrder: outcomes come first, of these what became primary or is it no more,
// countries that were added last; each thing stands there once.
func TestDiffOrder(t *testing.T) {
	a := &Study{Title: "A", Status: "recruiting", Countries: []string{"Austria", "Belgium"}, Results: true,
		Dates:    []Date{{Start, "2020-01", Planned}},
		Outcomes: []Outcome{{Secondary, "Sleep quality", "4 weeks", ""}, {Secondary, "Falls", "1 year", ""}, {Primary, "Pain &lt; 3", "12 weeks", ""}, {Primary, "Walking distance", "12 weeks", ""}},
		Reported: []Outcome{{Secondary, "Falls", "1 year", ""}}}
	b := &Study{Title: "B", Status: "completed", Countries: []string{"Belgium", "Czechia", "Denmark"}, Results: true,
		Dates:    []Date{{Start, "2020-02-01", Actual}},
		Outcomes: []Outcome{{Primary, "Sleep quality", "8 weeks", ""}, {Secondary, "Falls", "2 years", ""}, {Primary, `Pain \< 3`, "12 weeks", ""}, {Primary, "Walking distance in six minutes", "24 weeks", ""}},
		Reported: []Outcome{{Secondary, "Falls", "2 years", ""}}}
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
	if s := Summary(changes); s != "8 changes: outcomes 3 (1 primary reworded, 1 promoted, 1 secondary changed), dates 1, status 1, title 1, countries 2" {
		t.Error(s)
	}
	if s := Summary(nil); s != "no change in what is read" {
		t.Error(s)
	}
}
