package compare

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/trial/outcome"
	"github.com/trialproof/trialproof/trial/study"
)

// judge says what became of each outcome of a version. The versions are those that came after
// it.
func (r *Report) judge(v *study.Version, reported []outcome.Outcome, versions []study.Version) []Finding {
	list := []Finding{}
	specified, whole := split(v.Outcomes), ""
	if v.Selected() {
		whole = v.Name() + " is " + study.SelectedOnly
	}
	pairs := study.PairOutcomes(specified, reported, study.EqualTime)
	r.work = study.MaxWork
	taken := map[int]bool{}
	for _, p := range pairs {
		taken[p.B] = true
	}
	for i := range specified {
		s := specified[i]
		p, ok := pairs[i]
		if withheld(s) {
			list = append(list, Finding{Status: Unclear, Specified: &s, Why: "its words were withheld from the facts"})
			continue
		}
		if !ok {
			f := r.missing(s, reported, taken)
			switch {
			case f.Status != NotReported:
			case r.selected != "":
				f.Status, f.Why = Unclear, r.selected
			case slices.ContainsFunc(reported, withheld):
				f.Status, f.Why = Unclear, "perhaps it is a reported one whose words were withheld from the facts"
			}
			list = append(list, f)
			continue
		}
		o := reported[p.B]
		f := Finding{Specified: &s, Reported: &o, Similarity: p.Similarity, TimeFrames: outcome.TimeFrames(s, o)}
		f.Class, f.Differs = outcome.Differences(s, o)
		f.Status, f.Why = status(s, o, &f)
		if f.Class != outcome.EqualWords {
			r.PairsProposed++
		}
		list = append(list, f)
	}
	later := declarations(versions)
	for j := range reported {
		if taken[j] {
			continue
		}
		o := reported[j]
		if withheld(o) {
			list = append(list, Finding{Status: Unclear, Reported: &o, Why: "its words were withheld from the facts"})
			continue
		}
		f := Finding{Status: NewUndeclared, Reported: &o, Why: "no version before the results has it"}
		if slices.ContainsFunc(specified, withheld) {
			f.Status, f.Why = Unclear, "perhaps it is a prespecified one whose words were withheld from the facts"
			list = append(list, f)
			continue
		}
		if best, at := r.closest(o, specified, func(i int) bool {
			_, found := pairs[i]
			return !found && outcome.TimeFrames(specified[i], o) != outcome.Contradicting
		}); best >= near {
			f.Status, f.Similarity, f.Why = Unclear, best, fmt.Sprintf("perhaps it is the prespecified %q", specified[at].Measure)
		} else if d, alike := r.declares(later, o); d != nil {
			s := source(d.Version)
			f.Status, f.Declared, f.Why = NewDeclared, &s, reasons(d.Version)
			switch {
			case alike != nil:
				f.Status, f.Why = Unclear, fmt.Sprintf("new; perhaps it was declared as %q, which is alike and not the same", alike.Measure)
			case d.late:
				f.Status, f.Why = Unclear, fmt.Sprintf("new; a document of the sponsor's own has it, "+
					"but only the sponsor says that it was written before the results: it was logged on %s", d.Logged)
			}
		}
		if f.Status != Unclear && whole != "" {
			f.Status, f.Declared, f.Why = Unclear, nil, whole
		}
		list = append(list, f)
	}
	if r.work < 0 || study.Work(specified, reported) > study.MaxWork {
		r.Notes = append(r.Notes, "there are too many outcomes to compare each with each: some were compared by equal words alone")
	}
	return list
}

// missing says what became of an outcome that has no partner. A reported outcome that is taken
// by another outcome, or is for another time, is not offered as perhaps this one. One that
// states no time may stand for several.
func (r *Report) missing(s outcome.Outcome, reported []outcome.Outcome, taken map[int]bool) Finding {
	f := Finding{Status: NotReported, Specified: &s}
	best, at := r.closest(s, reported, func(j int) bool {
		relation := outcome.TimeFrames(s, reported[j])
		return relation != outcome.Contradicting &&
			(!taken[j] || relation == outcome.OnlyFirst && outcome.Similarity(s, reported[j]) >= outcome.Threshold)
	})
	if best >= near {
		f.Status, f.Similarity, f.Why = Unclear, best, fmt.Sprintf("perhaps it is %q", reported[at].Measure)
		if taken[at] {
			f.Why = fmt.Sprintf("%q states no time: it is not known which of the prespecified times it is for", reported[at].Measure)
		}
	}
	return f
}

// status compares an outcome with the one that it was joined to. Only the same words at the
// same level are "as specified". An outcome joined by similarity is unclear or, at another
// level, was moved if it is the same one.
func status(s, o outcome.Outcome, f *Finding) (status, why string) {
	switch {
	case s.TimeFrame == study.Withheld || o.TimeFrame == study.Withheld:
		return Unclear, "a time frame was withheld from the facts: give the files to compare all of it"
	case isCut(s) || isCut(o):
		return Unclear, "a text is cut after 200 characters: give the files to compare all of it"
	case f.TimeFrames == outcome.Contradicting, f.Class == outcome.Narrowed, f.Class == outcome.Broadened, f.Class == outcome.Replaced:
		return Unclear, ""
	case o.Level == "":
		return Unclear, "at which level it was reported is not stated"
	case o.Level == s.Level && f.Class != outcome.EqualWords:
		return Unclear, ""
	case o.Level == s.Level:
		switch {
		case s.Description == "" && o.Description != "":
			why = "only the reported one has a description: read it"
		case s.Description != "" && o.Description == "":
			why = "only the prespecified one has a description: read it"
		}
		return AsSpecified, why
	}
	if f.Class != outcome.EqualWords {
		why = "if they are one outcome"
	}
	switch {
	case o.Level == study.Primary:
		return Promoted, why
	case s.Level == study.Primary:
		return Demoted, why
	}
	return Elsewhere, why
}

// isCut reports whether an outcome comes from facts and some of its words are missing.
func isCut(o outcome.Outcome) bool {
	return strings.HasSuffix(o.Measure, "…") || strings.HasSuffix(o.TimeFrame, "…")
}

// withheld reports whether the words of an outcome were withheld from facts, so nobody can tell
// which it is.
func withheld(o outcome.Outcome) bool { return o.Measure == study.Withheld }

// closest returns the most similar of those outcomes of a list that may be it. If there are too
// many, it looks at none.
func (r *Report) closest(o outcome.Outcome, list []outcome.Outcome, may func(int) bool) (best float64, at int) {
	if r.work -= study.Work([]outcome.Outcome{o}, list); r.work < 0 {
		return 0, 0
	}
	for i := range list {
		if s := outcome.Similarity(o, list[i]); s > best && may(i) {
			best, at = s, i
		}
	}
	return best, at
}

// reasons says why a version was made, according to its amendments.
func reasons(v *study.Version) string {
	var list []string
	for _, a := range v.Amendments {
		list = append(list, a.String())
	}
	if len(list) == 0 {
		return "the version states no reason"
	}
	return "by amendment " + strings.Join(list, "; ")
}
