package deadline

import (
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/study"
)

// by sets the organisation of versions, and who stands behind them.
func by(org, whose string, versions ...study.Version) []study.Version {
	for i := range versions {
		versions[i].Org, versions[i].Whose = org, whose
	}
	return versions
}

// TestWeigh: which versions decide on results that were due on 2021-06-30.
func TestWeigh(t *testing.T) {
	const begun = "start 2020-01-10 actual; first-submitted 2019-12-20; update-submitted 2021-05-01; "
	inTime := version(t, 1, "2021-05-03", begun+"primary-completion 2020-06-30 actual; results-submitted 2021-05-01")
	late := version(t, 2, "2021-05-10", begun+"primary-completion 2019-06-30 actual; results-submitted 2021-05-01")
	again := version(t, 3, "2021-05-11", begun+"primary-completion 2019-06-30 actual; results-submitted 2021-05-01")
	sameDay := version(t, 4, "2021-05-03", begun+"primary-completion 2019-06-30 actual; results-submitted 2021-05-01")
	inTime.Digest, sameDay.Digest = [32]byte{1}, [32]byte{2}
	for _, c := range []struct {
		name     string
		versions [][]study.Version
		want     string
		notes    []string
	}{
		{"the holder's", [][]study.Version{by("acme", study.ByHolder, inTime)}, OK, nil},
		{"a rival beside the holder", [][]study.Version{by("acme", study.ByHolder, inTime), by("rival", study.ByOther, late)}, OK,
			[]string{"rival's copy says otherwise: late, due 2020-06-30, done 2021-05-01"}},
		{"two rivals beside the registrar", [][]study.Version{by("registrar", study.ByRegistrar, inTime), by("rival", study.ByOther,
			late), by("too", study.ByOther, again)}, OK,
			[]string{"rival's copy says otherwise: late", "too's copy says otherwise: late"}},
		{"a rival whom the reader names", [][]study.Version{by("acme", study.ByHolder, inTime), by("rival", study.ByNamed, late)}, Late,
			nil},
		{"two whom the reader names, of one day", [][]study.Version{by("acme", study.ByNamed, inTime), by("rival", study.ByNamed,
			sameDay)}, Contested,
			[]string{"by acme's copy: ok", "by rival's copy: late, due 2020-06-30"}},
		{"the reader's own file", [][]study.Version{by("acme", study.ByHolder, inTime), by("rival", study.ByReader, late)}, Late, nil},
		{"a rival alone", [][]study.Version{by("rival", study.ByOther, late)}, "by rival's copies alone: late", []string{"-from (rival)"}},
		{"two that agree", [][]study.Version{by("rival", study.ByOther, late), by("too", study.ByOther, again)},
			"by rival's and too's copies alone: late", nil},
		{"two against one", [][]study.Version{by("honest", study.ByOther, inTime), by("rival", study.ByOther, late), by("too",
			study.ByOther, again)}, Contested,
			[]string{"by honest's copies alone: ok", "by rival's copies alone: late", "by too's copies alone: late",
				"-from (honest, rival, too)"}},
		{"nobody's word", [][]study.Version{by("acme", "", inTime)}, "by acme's copies alone: ok", nil},
	} {
		var all []study.Version
		for _, v := range c.versions {
			all = append(all, v...)
		}
		for i := range all {
			all[i].Logged = "2026-01-01"
		}
		list, err := Weigh(study.NewVersions(all), End{}, "2022-01-01")
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		for _, v := range list {
			if v.Rule != ResultsFDA {
				continue
			}
			notes := strings.Join(v.Notes, "\n")
			if c.want == Contested && strings.Contains(notes, "was edited") {
				t.Errorf("%s: what two organisations say is told as an edit:\n%s", c.name, notes)
			}
			if v.Verdict != c.want {
				t.Errorf("%s: %s, want %s\n%s", c.name, v.Verdict, c.want, notes)
			}
			for _, n := range c.notes {
				if !strings.Contains(notes, n) {
					t.Errorf("%s: no note says %q:\n%s", c.name, n, notes)
				}
			}
		}
	}
}
