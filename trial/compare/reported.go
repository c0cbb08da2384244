package compare

import (
	"fmt"
	"slices"

	"github.com/trialproof/trialproof/trial/outcome"
	"github.com/trialproof/trialproof/trial/study"
)

// reported returns what was reported, each time point separately, and false if that is not
// known. It comes from the article, from results, or from the register's last version; never
// from a protocol, which its sponsor may log at any time. The version at index before is the
// specified one. Neither it nor another version from before the start says what was reported.
func (r *Report) reported(versions []study.Version, article []outcome.Outcome, before int, start string) ([]outcome.Outcome, bool) {
	if len(article) > 0 {
		r.Reported = &Source{Kind: "article"}
		return article, true // ParseArticle has divided them
	}
	for i := len(versions) - 1; i >= 0; i-- {
		if v := &versions[i]; len(v.Reported) > 0 && (v.Kind == "results" || isRegister(v)) {
			return r.from(v, v.Reported), true
		}
	}
	last := -1
	for i := range versions {
		if isRegister(&versions[i]) {
			last = i
		}
		if why := versions[i].ResultsElsewhere(); why != "" {
			r.Unreported = fmt.Sprintf("%s says of the trial's results: %s; they are not in this copy of the record: "+
				"fetch the whole record, or give an article's outcomes", versions[i].Name(), why)
		}
	}
	switch {
	case r.Unreported != "":
	case last < 0:
		r.Unreported = "no results, no article and no version of a register are here: a protocol does not say what was reported"
	case before >= 0 && (last <= before || isBefore(&versions[last], start)):
		r.Unreported = "no results, no article and no version of the register from after the start are here"
	default:
		r.Notes = append(r.Notes, "no results are logged and no article is given: "+
			"the planned outcomes of the register's last version stand for what is reported")
		return r.from(&versions[last], versions[last].Outcomes), true
	}
	return nil, false
}

// from sets a version as the source of what was reported.
func (r *Report) from(v *study.Version, list []outcome.Outcome) []outcome.Outcome {
	s := source(v)
	r.Reported = &s
	if v.Selected() {
		r.selected = v.Name() + " is " + study.SelectedOnly
	}
	return split(list)
}

// isRegister reports whether a register showed a version, as an observation or a file says.
func isRegister(v *study.Version) bool { return v.Kind == "observation" || v.Kind == "file" }

// readLimit is how many outcomes with one measure are read from one version.
const readLimit = 500

// A declaration is a version from after the start and before the results, with its outcomes,
// each time point separately.
type declaration struct {
	*study.Version
	outcomes []outcome.Outcome
	read     map[string][]outcome.Reading // of the outcomes, by their measures
	late     bool                         // it is the sponsor's own document, and nothing says that it was logged before the results
}

// declarations returns the versions that may have declared an outcome.
func declarations(versions []study.Version) (list []declaration) {
	results := ""
	for i := range versions {
		if v := &versions[i]; v.Results && (results == "" || v.Logged < results) {
			results = v.Logged
		}
	}
	for i := range versions {
		v := &versions[i]
		if v.Results {
			break
		}
		d := declaration{v, split(v.Outcomes), map[string][]outcome.Reading{}, !isRegister(v) && (results == "" || v.Logged >= results)}
		for _, o := range d.outcomes {
			x := outcome.Read(o)
			if known := d.read[x.Measure]; len(known) < readLimit {
				d.read[x.Measure] = append(known, x)
			}
		}
		list = append(list, d)
	}
	return list
}

// declares returns the first of the versions that has an outcome in the same words, or else one
// that has a similar outcome, which is returned as alike.
func (r *Report) declares(versions []declaration, o outcome.Outcome) (d *declaration, alike *outcome.Outcome) {
	words := outcome.Read(o)
	for i := range versions {
		if slices.ContainsFunc(versions[i].read[words.Measure], words.Same) {
			return &versions[i], nil
		}
	}
	for i := range versions {
		if best, at := r.closest(o, versions[i].outcomes, func(int) bool { return true }); best >= outcome.Threshold {
			return &versions[i], &versions[i].outcomes[at]
		}
	}
	return nil, nil
}
