package compare

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/outcome"
	"github.com/trialproof/trialproof/trial/study"
)

// version makes a version from lines such as "primary Pain [12 weeks]",
// "reported secondary Sleep [1 year]" and "start 2026-01 actual".
func version(t *testing.T, entry uint64, claimed string, lines ...string) study.Version {
	t.Helper()
	s := &study.Study{Format: study.CTGovV2, Type: "interventional", Eligibility: study.Eligibility{Sex: "all"}, Status: "recruiting",
		Sponsor: study.Organisation{Name: "Acme"}, Enrolment: study.Enrolment{Count: -1}}
	for _, line := range lines {
		first, rest, _ := strings.Cut(line, " ")
		if first == study.Start || first == study.FirstSubmitted {
			date, kind, _ := strings.Cut(rest, " ")
			s.Dates = append(s.Dates, study.Date{Event: first, Date: date, Kind: kind})
			continue
		}
		list := &s.Outcomes
		if first == "reported" {
			s.Results, list = true, &s.Reported
			first, rest, _ = strings.Cut(rest, " ")
		}
		measure, frame, found := strings.Cut(strings.TrimSuffix(rest, "]"), " [")
		if !found {
			measure = rest
		}
		*list = append(*list, outcome.Outcome{Level: first, Measure: measure, TimeFrame: frame})
	}
	return study.Version{Study: s, Entry: entry, Kind: "observation", Logged: "2027-01-01", Claimed: claimed}
}

// TestCompare checks what became of each outcome.
func TestCompare(t *testing.T) {
	before := []string{"start 2026-01 planned", "first-submitted 2025-10-01", "primary Overall survival [2 years]",
		"secondary Quality of life [1 year]", "secondary Bone density [1 year]"}
	for _, c := range []struct {
		name     string
		versions []study.Version
		article  string
		from     uint64 // entry of the prespecified version, 0 if there is none
		none     string
		want     string // statuses in order
	}{
		{"as specified", []study.Version{version(t, 1, "2025-12-01", before...), version(t, 2, "2026-06-01", "start 2026-01-10 actual",
			"reported primary Overall survival [2 years]", "reported secondary Quality of life [1 year]", "reported secondary Bone "+
				"density [1 year]")},
			"", 1, "", "reported as specified; reported as specified; reported as specified"},
		{"switched", []study.Version{version(t, 1, "2025-12-01", before...), version(t, 2, "2026-06-01", "start 2026-01-10 actual",
			"reported primary Quality of life [1 year]", "reported secondary Overall survival [2 years]", "reported secondary Headache "+
				"days [1 month]")},
			"", 1, "", "demoted; promoted; not reported; new and undeclared"},
		{"declared meanwhile", []study.Version{version(t, 1, "2025-12-01", before...),
			version(t, 2, "2026-03-01", "start 2026-01-10 actual", "primary Overall survival [2 years]",
				"secondary Headache days [1 month]"),
			version(t, 3, "2026-06-01", "start 2026-01-10 actual", "reported primary Overall survival [2 years]",
				"reported secondary Headache days [1 month]")},
			"", 1, "", "reported as specified; not reported; not reported; new and declared"},
		{"added with the results is not declared", []study.Version{version(t, 1, "2025-12-01", before[:3]...),
			version(t, 3, "2026-06-01", "start 2026-01-10 actual", "primary Overall survival [2 years]",
				"secondary Headache days [1 month]", "reported primary Overall survival [2 years]", "reported secondary Headache days "+
					"[1 month]")},
			"", 1, "", "reported as specified; new and undeclared"},
		{"an article", []study.Version{version(t, 1, "2025-12-01", before[:3]...), version(t, 2, "2026-02-01", "start 2026-01-10 actual",
			"primary Overall survival [2 years]")},
			"primary: overall survival at two years\nsecondary: headache days at 1 month", 1, "", "reported as specified; new and " +
				"undeclared"},
		{"an article that states no time", []study.Version{version(t, 1, "2025-12-01", before[:3]...), version(t, 2, "2026-02-01",
			"start 2026-01-10 actual", "primary Overall survival [2 years]")},
			"primary: overall survival", 1, "", "unclear"},
		{"an article that states no level", []study.Version{version(t, 1, "2025-12-01", before[:3]...), version(t, 2, "2026-02-01",
			"start 2026-01-10 actual", "primary Overall survival [2 years]")},
			"not stated: overall survival at 2 years", 1, "", "unclear"},
		{"another time is unclear", []study.Version{version(t, 1, "2025-12-01", before[:3]...), version(t, 2, "2026-02-01",
			"start 2026-01-10 actual", "primary Overall survival [2 years]")},
			"primary: overall survival at 6 months", 1, "", "unclear"},
		{"each time point is one", []study.Version{version(t, 1, "2025-12-01", "start 2026-01-10 actual",
			"primary Pain at 6 and 12 weeks")},
			"primary: pain at 6 weeks", 1, "", "reported as specified; not reported"},
		{"registered after the start", []study.Version{version(t, 2, "2026-06-01", "start 2026-01-10 actual",
			"first-submitted 2026-02-01", "primary Overall survival [2 years]")},
			"", 0, "none: registered after the start", ""},
		{"registered before, no version of then", []study.Version{version(t, 2, "2026-06-01", "start 2026-01-10 actual",
			"first-submitted 2025-12-01", "primary Overall survival [2 years]")},
			"", 0, "no version of that time is here", ""},
		{"a start that was edited later", []study.Version{version(t, 1, "2026-02-01", "start 2026-01-10 actual",
			"first-submitted 2026-02-01", "primary Bone density"), version(t, 2, "2026-06-01", "start 2026-03-10 "+
			"actual", "first-submitted 2026-02-01", "primary Overall survival")},
			"", 0, "none: registered after the start", ""},
		{"in the month of the start", []study.Version{version(t, 1, "2026-01-05", "start 2026-01 actual", "primary Overall survival")},
			"", 0, "no version is dated before the start", ""},
		{"on the day of the start", []study.Version{version(t, 1, "2026-01-10", "start 2026-01-10 actual", "primary Overall survival")},
			"", 0, "no version is dated before the start", ""},
		{"a start that only a version without outcomes gives", []study.Version{version(t, 1, "2020-01-05", "start 2020-02 planned",
			"primary Bone density"), version(t, 2, "2020-03-05", "start 2020-02-01 actual"),
			version(t, 3, "2020-05-05", "start 2020-06-01 actual",
				"primary Overall survival")}, "primary: overall survival", 1, "", "not reported; new and declared"},
		{"time points swapped between levels", []study.Version{version(t, 1, "2025-12-01", "start 2026-01-10 actual",
			"primary HbA1c [26 weeks]", "secondary HbA1c [52 weeks]")},
			"primary: HbA1c at 52 weeks\nsecondary: HbA1c at 26 weeks", 1, "", "demoted; promoted"},
		{"no start", []study.Version{version(t, 1, "2026-01-05", "start 2026-01 planned", "primary Overall survival")}, "", 0,
			"no version gives an actual start", ""},
		{"nothing", nil, "", 0, "no version with outcomes", ""},
	} {
		var article []outcome.Outcome
		if c.article != "" {
			var err error
			if article, err = outcome.ParseArticle([]byte(c.article)); err != nil {
				t.Fatal(err)
			}
		}
		r := Compare(study.NewVersions(c.versions), article)
		var got []string
		for _, f := range r.Outcomes {
			got = append(got, f.Status)
		}
		if s := strings.Join(got, "; "); s != c.want {
			t.Errorf("%s: %s\nwant %s", c.name, s, c.want)
		}
		switch {
		case c.from == 0 && len(c.versions) > 0 && len(r.Unjudged) == 0:
			t.Errorf("%s: what is reported is left out", c.name)
		case c.from == 0 && (r.Prespecified != nil || !strings.Contains(r.None, c.none)):
			t.Errorf("%s: prespecified %+v, %q", c.name, r.Prespecified, r.None)
		case c.from != 0 && (r.Prespecified == nil || r.Prespecified.Entry != c.from || r.Prespecified.By != study.BySource):
			t.Errorf("%s: prespecified %+v, %q", c.name, r.Prespecified, r.None)
		}
	}
}

// TestDeclared checks where, when and why an outcome was declared: the version that had it
// first, and the amendments that made that version.
func TestDeclared(t *testing.T) {
	first := version(t, 1, "2025-12-01", "start 2026-01-10 actual", "primary Overall survival [2 years]")
	amended := version(t, 2, "2026-03-01", "primary Overall survival [2 years]", "secondary Headache days [1 month]")
	results := version(t, 3, "2026-06-01", "reported primary Overall survival [2 years]", "reported secondary Headache days [1 month]")
	for _, c := range []struct {
		amendments []study.Amendment
		why        string
	}{
		{nil, "the version states no reason"},
		{[]study.Amendment{{Number: "2", Reasons: []string{"new-safety-information-available"}}},
			"by amendment 2: new-safety-information-available"},
	} {
		amended.Study.Amendments = c.amendments
		r := Compare(study.NewVersions([]study.Version{first, amended, results}), nil)
		f := r.Outcomes[len(r.Outcomes)-1]
		if f.Status != NewDeclared || f.Declared == nil || f.Declared.Entry != 2 || f.Declared.Day != "2026-03-01" ||
			f.Declared.By != study.BySource || f.Why != c.why {
			t.Errorf("%+v, declared %+v, want %q", f, f.Declared, c.why)
		}
	}
}

// TestStepsOfAll: versions without outcomes also show what appears and that a start moves. Of
// two versions of one day neither follows the other.
func TestStepsOfAll(t *testing.T) {
	r := Compare(study.NewVersions([]study.Version{
		version(t, 1, "2026-03-01", "start 2026-01-10 actual"), version(t, 2, "2026-06-01", "start 2026-02-10 actual", "primary Pain"),
	}), nil)
	if len(r.AfterStart) != 1 || len(r.AfterStart[0].Changes) != 2 {
		t.Errorf("%+v", r.AfterStart)
	}
	a, b := version(t, 1, "2026-03-01", "start 2026-01-10 actual", "primary Pain"), version(t, 2, "2026-03-01", "start 2026-01-10 actual",
		"primary Sleep")
	a.Digest, b.Digest = [32]byte{1}, [32]byte{2}
	if r = Compare(study.NewVersions([]study.Version{a, b}), nil); len(r.AfterStart) != 0 || len(r.Conflicts) != 1 {
		t.Errorf("%+v, conflicts %q", r.AfterStart, r.Conflicts)
	}
}

// TestTooMany: a record of very many time points is compared all the same, and the report says
// which were not.
func TestTooMany(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	frames := make([]string, 50)
	for i := range frames {
		frames[i] = fmt.Sprint(i + 1)
	}
	var before, after []string
	for i := range 100 {
		before = append(before, fmt.Sprintf("primary Pain %d of group %d [weeks %s]", i, i, strings.Join(frames, ", ")))
		after = append(after, fmt.Sprintf("reported primary Sleep %d of group %d [weeks %s]", i, i, strings.Join(frames, ", ")))
	}
	r := Compare(study.NewVersions([]study.Version{version(t, 1, "2025-12-01", append(before, "start 2026-01-10 actual")...), version(t,
		2, "2026-06-01", after...)}), nil)
	// A version in between that has none of them costs no more than reading it once.
	between := version(t, 3, "2026-03-01", "start 2026-01-10 actual", "primary Falls")
	between.Study.Outcomes = append(between.Study.Outcomes, version(t, 0, "", before...).Outcomes...)
	if again := Compare(study.NewVersions([]study.Version{version(t, 1, "2025-12-01", "primary Walking", "start 2026-01-10 actual"),
		between, version(t, 2, "2026-06-01", after...)}), nil); len(again.Outcomes) < 5000 {
		t.Errorf("%d findings", len(again.Outcomes))
	}
	if len(r.Outcomes) < 200 || !slices.ContainsFunc(r.Notes, func(s string) bool { return strings.Contains(s, "too many outcomes") }) {
		t.Errorf("%d findings, notes %q", len(r.Outcomes), r.Notes)
	}
}

// TestLoggedBefore: a version that was logged before the start is the prespecified one,
// whatever later entries claim about days before it.
func TestLoggedBefore(t *testing.T) {
	logged := func(v study.Version, day, org string) study.Version {
		v.Logged, v.Org = day, org
		return v
	}
	first := logged(version(t, 1, "2025-12-01", "start 2026-01-10 actual", "primary Pain"), "2025-12-05", "university")
	claim := logged(version(t, 5, "2026-01-05", "primary Sleep"), "2026-09-01", "mallory")
	results := logged(version(t, 6, "2026-08-01", "reported primary Sleep"), "2026-09-01", "university")
	r := Compare(study.NewVersions([]study.Version{first, claim, results}), nil)
	if r.Prespecified == nil || r.Prespecified.Entry != 1 || r.Prespecified.Org != "university" || len(r.Notes) == 0 ||
		!strings.Contains(strings.Join(r.Notes, "; "), "entry 5 of mallory claims the day 2026-01-05") {
		t.Errorf("prespecified %+v, notes %q", r.Prespecified, r.Notes)
	}
	if f := r.Outcomes[0]; f.Status != NotReported {
		t.Errorf("%+v", f)
	}
	// If nothing was logged by then, the report says who stands behind the day.
	r = Compare(study.NewVersions([]study.Version{claim, results}), nil)
	if !strings.Contains(strings.Join(r.Notes, "; ")+r.None, "no version gives an actual start") {
		t.Errorf("%q %q", r.None, r.Notes)
	}
	late := logged(version(t, 7, "2025-12-20", "start 2026-01-10 actual", "primary Pain"), "2026-09-02", "university")
	r = Compare(study.NewVersions([]study.Version{claim, late, results}), nil)
	if r.Prespecified == nil || r.Prespecified.Entry != 5 || !strings.Contains(strings.Join(r.Notes, "; "),
		"only mallory, which logged entry 5 on 2026-09-01, says") {
		t.Errorf("prespecified %+v, notes %q", r.Prespecified, r.Notes)
	}
	// A version of the same day with other bytes leaves it open.
	claim.Claimed, claim.Digest = first.Claimed, [32]byte{1}
	r = Compare(study.NewVersions([]study.Version{first, claim, results}), nil)
	if r.Prespecified == nil || r.Prespecified.Entry != 1 || !strings.Contains(strings.Join(r.Notes, "; "), "in conflict with entry 5") {
		t.Errorf("prespecified %+v, notes %q", r.Prespecified, r.Notes)
	}
}

// TestUnclear: what cannot be known is not said to be as specified.
func TestUnclear(t *testing.T) {
	long := strings.Repeat("pain ", 39) + "…"
	for _, c := range []struct{ specified, reported, why string }{
		{study.Withheld, study.Withheld, "withheld"},
		{"Pain", study.Withheld, "withheld"},
		{study.Withheld, "Pain", "withheld"},
		{"Pain [12 weeks]", "Pain [" + study.Withheld + "]", "time frame was withheld"},
		{long, long, "cut after 200 characters"},
		{"Mortality", "Mortality or transfer to intensive care", "combine several events"},
		{"PASI 90 response", "PASI 75 response", `"90" against "75"`},
		{"Overall survival", "Overall survival in PD-L1 positive participants", "part of the participants"},
		{"All-cause mortality", "Cardiovascular mortality", "another cause"},
		{"Change in 6-minute walk distance [12 weeks]", "Change in 6-minute walk distance [52 weeks]", "contradict"},
	} {
		r := Compare(study.NewVersions([]study.Version{version(t, 1, "2025-12-01", "start 2026-01-10 actual", "primary "+c.specified),
			version(t, 2, "2026-06-01", "reported primary "+c.reported)}), nil)
		if c.specified == study.Withheld && len(r.Outcomes) != 2 {
			t.Errorf("what is withheld on both sides is joined: %+v", r.Outcomes)
		}
		for _, f := range r.Outcomes {
			if f.Status == AsSpecified || c.why != "" && (f.Status != Unclear || !strings.Contains(f.Why+strings.Join(f.Differs, ", "),
				c.why)) {
				t.Errorf("%q, reported %q: %s, %s %q", c.specified, c.reported, f.Status, f.Why, f.Differs)
			}
		}
	}
}

// TestSteps checks that changes are listed before the start, after it, or with results.
func TestSteps(t *testing.T) {
	r := Compare(study.NewVersions([]study.Version{
		version(t, 1, "2025-10-01", "primary Pain [6 weeks]"),
		version(t, 2, "2025-12-01", "primary Pain [12 weeks]"),
		version(t, 3, "2026-03-01", "start 2026-01-10 actual", "primary Pain [26 weeks]"),
		version(t, 4, "2026-06-01", "start 2026-01-10 actual", "primary Change in pain [26 weeks]",
			"reported primary Change in pain [26 weeks]"),
	}), nil)
	for name, c := range map[string]struct {
		steps []Step
		to    uint64
		sort  string
	}{"before": {r.BeforeStart, 2, study.Changed}, "after": {r.AfterStart, 3, study.Added}, "with results": {r.WithResults, 4,
		study.Reworded}} {
		if len(c.steps) != 1 || c.steps[0].To.Entry != c.to || !slices.ContainsFunc(c.steps[0].Changes,
			func(x study.Change) bool { return x.Sort == c.sort }) && c.steps[0].Changes[len(c.steps[0].Changes)-1].Sort != study.Changed {
			t.Errorf("%s: %s", name, fmt.Sprintf("%+v", c.steps))
		}
	}
	if r.Prespecified == nil || r.Prespecified.Entry != 2 {
		t.Errorf("prespecified: %+v", r.Prespecified)
	}
}

// kind changes a version to one of another kind, logged on a day.
func kind(v study.Version, kind, logged string) study.Version {
	v.Kind, v.Logged, v.Org = kind, logged, "acme"
	if v.Claimed == "" {
		v.Claimed = logged
	}
	return v
}

// TestReportedByRegister: a protocol that its sponsor logs today says nothing about what was
// reported, and declares nothing that was reported before it.
func TestReportedByRegister(t *testing.T) {
	first := version(t, 1, "2025-12-01", "start 2026-01-10 planned", "primary Pain [12 weeks]", "secondary Sleep [12 weeks]")
	switched := version(t, 2, "2026-09-01", "start 2026-01-10 actual", "primary Sleep [12 weeks]", "secondary Pain [12 weeks]",
		"secondary Falls [12 weeks]")
	results := version(t, 3, "2026-10-01", "reported primary Sleep [12 weeks]", "reported secondary Pain [12 weeks]",
		"reported secondary Falls [12 weeks]")
	protocol := kind(version(t, 4, "", "primary Pain [12 weeks]", "secondary Sleep [12 weeks]", "secondary Falls [12 weeks]",
		"reported primary Pain [12 weeks]"), "protocol", "2027-02-01")
	protocol.Results = false
	for name, c := range map[string]struct {
		versions []study.Version
		from     uint64
		want     string
	}{
		"the register alone":   {[]study.Version{first, switched}, 2, "demoted; promoted; new and declared"},
		"and a protocol today": {[]study.Version{first, switched, protocol}, 2, "demoted; promoted; new and declared"},
		"results and a protocol": {[]study.Version{first, results, protocol, version(t, 5, "2026-02-01", "start 2026-01-10 actual")}, 3,
			"demoted; promoted; new and undeclared"},
		"the first version alone": {[]study.Version{first, version(t, 5, "2026-02-01", "start 2026-01-10 actual")}, 0, "unclear; unclear"},
		"files": {[]study.Version{kind(first, "file", ""), kind(switched, "file", "")}, 2,
			"demoted; promoted; new and declared"},
		"a file and a protocol": {[]study.Version{kind(first, "file", ""), kind(protocol, "protocol", ""), version(t, 5, "2026-02-01",
			"start 2026-01-10 actual")}, 0, "unclear; unclear"},
		"two versions from before": {[]study.Version{kind(version(t, 6, "2025-11-01", "primary Pain [12 weeks]"), "observation",
			"2025-11-02"), kind(protocol, "protocol", "2025-12-20"), version(t, 5, "2026-02-01", "start 2026-01-10 "+
			"actual")}, 0, "unclear; unclear; unclear"},
		"a protocol alone follows": {[]study.Version{first, protocol, version(t, 5, "2026-02-01", "start 2026-01-10 actual")}, 0,
			"unclear; unclear"},
	} {
		r := Compare(study.NewVersions(c.versions), nil)
		var got []string
		for _, f := range r.Outcomes {
			got = append(got, f.Status)
		}
		if s := strings.Join(got, "; "); s != c.want || (r.Reported == nil) != (c.from == 0) || r.Reported != nil &&
			r.Reported.Entry != c.from || (r.Unreported == "") != (c.from > 0) {
			t.Errorf("%s: %s, reported %+v %q; want %s", name, s, r.Reported, r.Unreported, c.want)
		}
	}
	// A protocol of the sponsor, logged when nobody knows of results, declares nothing.
	article, err := outcome.ParseArticle([]byte("secondary: Falls at 12 weeks"))
	if err != nil {
		t.Fatal(err)
	}
	r := Compare(study.NewVersions([]study.Version{first, protocol, version(t, 5, "2026-02-01", "start 2026-01-10 actual")}), article)
	if f := r.Outcomes[len(r.Outcomes)-1]; f.Status != Unclear || !strings.Contains(f.Why, "logged on 2027-02-01") {
		t.Errorf("%+v", f)
	}
	// A similar outcome is not certain to be declared.
	alike := version(t, 6, "2026-04-01", "start 2026-01-10 actual", "primary Pain [12 weeks]", "secondary Number of falls [12 weeks]")
	r = Compare(study.NewVersions([]study.Version{first, alike, results}), nil)
	if f := r.Outcomes[len(r.Outcomes)-1]; f.Status != Unclear || !strings.Contains(f.Why, `perhaps it was declared as "Number of falls"`) {
		t.Errorf("%+v", f)
	}
	early := kind(protocol, "protocol", "2026-06-01")
	early.Claimed = "2026-06-01"
	r = Compare(study.NewVersions([]study.Version{first, early, results, version(t, 5, "2026-02-01", "start 2026-01-10 actual")}), nil)
	if f := r.Outcomes[len(r.Outcomes)-1]; f.Status != NewDeclared || f.Declared.Entry != 4 {
		t.Errorf("%+v", f)
	}
}

// TestResultsElsewhere: a record whose results are not in this copy of it says nothing about
// what was reported.
func TestResultsElsewhere(t *testing.T) {
	first := version(t, 1, "2025-12-01", "start 2026-01-10 actual", "primary Pain [12 weeks]")
	last := version(t, 2, "2026-09-01", "start 2026-01-10 actual", "primary Pain [12 weeks]")
	last.Study.Announced = true
	r := Compare(study.NewVersions([]study.Version{first, last}), nil)
	if r.Reported != nil || r.Outcomes[0].Status != Unclear || !strings.Contains(r.Unreported, "hasResults") {
		t.Errorf("reported %+v %q: %+v", r.Reported, r.Unreported, r.Outcomes)
	}
}

// TestEarliest: if nothing is known from before the start, the earliest version is offered, and
// clears nothing.
func TestEarliest(t *testing.T) {
	r := Compare(study.NewVersions([]study.Version{
		version(t, 1, "2026-03-01", "start 2026-01-10 actual", "primary Pain [12 weeks]", "secondary Sleep [12 weeks]"),
		version(t, 2, "2026-09-01", "start 2026-01-10 actual", "primary Pain [12 weeks]", "primary Sleep [12 weeks]"),
	}), nil)
	if r.Prespecified != nil || len(r.Outcomes) != 0 || r.Earliest == nil || r.Earliest.Entry != 1 || len(r.Unjudged) != 2 {
		t.Fatalf("%+v", r)
	}
	if s := r.SinceEarliest; len(s) != 2 || s[0].Status != Unchanged || s[1].Status != Promoted {
		t.Errorf("%+v", s)
	}
}

// TestSelected: a copy of selected fields says nothing about what it lacks.
func TestSelected(t *testing.T) {
	whole := version(t, 1, "2025-12-01", "start 2026-01-10 actual", "primary Pain [12 weeks]", "secondary Sleep [12 weeks]")
	some := version(t, 2, "2026-09-01", "start 2026-01-10 actual", "primary Pain")
	some.Study.Type = ""
	r := Compare(study.NewVersions([]study.Version{whole, some}), nil)
	if len(r.Outcomes) != 2 || r.Outcomes[0].Status != Unclear || r.Outcomes[1].Status != Unclear || !strings.Contains(r.Outcomes[1].Why,
		"selection of fields") || len(r.AfterStart) != 0 {
		t.Errorf("%+v, steps %+v", r.Outcomes, r.AfterStart)
	}
	some.Claimed, whole.Claimed = whole.Claimed, some.Claimed
	r = Compare(study.NewVersions([]study.Version{whole, some}), nil)
	if len(r.Outcomes) != 2 || r.Outcomes[0].Status != Unclear || r.Outcomes[1].Status != Unclear || !strings.Contains(r.Outcomes[1].Why,
		"selection of fields") {
		t.Errorf("%+v", r.Outcomes)
	}
}
