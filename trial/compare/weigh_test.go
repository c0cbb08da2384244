package compare

import (
	"fmt"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/study"
)

// TestWeigh: whose versions decide what became of an outcome.
func TestWeigh(t *testing.T) {
	of := func(org, whose string, versions ...study.Version) (list []study.Version) {
		for _, v := range versions {
			v.Org, v.Whose = org, whose
			list = append(list, v)
		}
		return list
	}
	planned := version(t, 1, "2025-12-01", "start 2026-01-10 planned", "first-submitted 2025-10-01", "primary Overall survival [2 years]",
		"secondary Headache days [1 year]")
	kept := version(t, 2, "2026-06-01", "start 2026-01-10 actual", "reported primary Overall survival [2 years]",
		"reported secondary Headache days [1 year]")
	switched := version(t, 3, "2026-06-02", "start 2026-01-10 actual", "reported primary Headache days [1 year]",
		"reported secondary Overall survival [2 years]")
	sameDay := version(t, 5, "2026-06-01", "start 2026-01-10 actual", "reported primary Headache days [1 year]",
		"reported secondary Overall survival [2 years]")
	kept.Digest, sameDay.Digest = [32]byte{1}, [32]byte{2}
	for _, c := range []struct {
		name     string
		versions [][]study.Version
		want     string // statuses in order
		notes    []string
	}{
		{"the holder's", [][]study.Version{of("acme", study.ByHolder, planned, kept)}, AsSpecified + "; " + AsSpecified, nil},
		{"a rival beside the holder", [][]study.Version{of("acme", study.ByHolder, planned, kept), of("rival", study.ByOther, switched)},
			AsSpecified + "; " + AsSpecified,
			[]string{`rival's copy says otherwise: demoted: primary "Overall survival"; promoted: secondary "Headache days"`}},
		{"a rival's invented plan", [][]study.Version{of("acme", study.ByHolder, planned, kept), of("rival", study.ByOther, version(t, 4,
			"2025-12-02", "start 2026-01-10 planned", "primary Pain [1 year]"))},
			AsSpecified + "; " + AsSpecified, []string{"rival's copy says otherwise: "}},
		{"a rival whom the reader names", [][]study.Version{of("acme", study.ByHolder, planned), of("rival", study.ByNamed, switched)},
			"demoted; promoted", nil},
		{"two whom the reader names, of one day", [][]study.Version{of("acme", study.ByNamed, planned, kept), of("rival", study.ByNamed,
			sameDay)},
			strings.Join([]string{
				"contested, by acme's copy: " + AsSpecified, "contested, by acme's copy: " + AsSpecified,
				"contested, by rival's copy: demoted", "contested, by rival's copy: promoted"}, "; "),
			[]string{"acme, rival log different things as what the registry showed on one day"}},
		{"the reader's own file, whoever logged it, contests nothing", [][]study.Version{of("acme", study.ByHolder, planned, kept),
			of("rival", study.ByReader, sameDay)}, "demoted; promoted", nil},
		{"a rival alone", [][]study.Version{of("rival", study.ByOther, planned, switched)},
			"by rival's copies alone: demoted; by rival's copies alone: promoted", []string{"-from (rival)"}},
		{"two against one", [][]study.Version{of("honest", study.ByOther, planned, kept), of("rival", study.ByOther, planned, switched),
			of("too", study.ByOther, planned, switched)},
			strings.Join([]string{
				"contested, by honest's copies alone: " + AsSpecified, "contested, by honest's copies alone: " + AsSpecified,
				"contested, by rival's copies alone: demoted", "contested, by rival's copies alone: promoted",
				"contested, by too's copies alone: demoted", "contested, by too's copies alone: promoted"}, "; "),
			[]string{"-from (honest, rival, too)"}},
		{"two that agree", [][]study.Version{of("rival", study.ByOther, planned, switched), of("too", study.ByOther, planned, switched)},
			"by rival's and too's copies alone: demoted; by rival's and too's copies alone: promoted", nil},
	} {
		var all []study.Version
		for _, v := range c.versions {
			all = append(all, v...)
		}
		r := Weigh(study.NewVersions(all), nil)
		var got []string
		for _, f := range r.Outcomes {
			got = append(got, f.Status)
		}
		if s := strings.Join(got, "; "); s != c.want {
			t.Errorf("%s: %s\nwant %s", c.name, s, c.want)
		}
		notes := strings.Join(r.Notes, "\n")
		for _, n := range c.notes {
			if !strings.Contains(notes, n) {
				t.Errorf("%s: no note says %q:\n%s", c.name, n, notes)
			}
		}
	}
}

// TestFlood: a stranger's many long copies are not compared, the report says so, and they take
// no other's place.
func TestFlood(t *testing.T) {
	holder := version(t, 1, "2025-12-01", "start 2026-01-10 actual", "primary Overall survival [2 years]",
		"reported primary Overall survival [2 years]")
	holder.Org, holder.Whose = "acme", study.ByHolder
	all := []study.Version{holder}
	for n := range 40 {
		lines := []string{"start 2026-01-10 actual"}
		for k := range 125 {
			lines = append(lines, fmt.Sprintf("secondary Invented outcome number %d of the version %d, with many words [%d weeks]", k, n,
				k+1))
		}
		v := version(t, uint64(n+10), fmt.Sprintf("2026-02-%02d", n%28+1), lines...)
		v.Org, v.Whose = "a-rival", study.ByOther
		all = append(all, v)
	}
	other := version(t, 2, "2026-06-02", "start 2026-01-10 actual", "reported primary Headache days [1 year]")
	other.Org, other.Whose = "z-honest", study.ByOther
	r := Weigh(study.NewVersions(append(all, other)), nil)
	notes := strings.Join(r.Notes, "\n")
	if !strings.Contains(notes, "a-rival, a third party, logged so much that it is not compared here") || !strings.Contains(notes,
		"z-honest's copy says otherwise") {
		t.Errorf("notes:\n%s", notes)
	}
	if len(r.Outcomes) != 1 || r.Outcomes[0].Status != AsSpecified {
		t.Errorf("%+v", r.Outcomes)
	}
}
