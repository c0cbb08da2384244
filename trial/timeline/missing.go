package timeline

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/trial"
)

// Missing says, one sentence each, what a reader would expect in a trial's history at a moment
// and does not find. It says nothing about anyone's legal duties.
func (t *Timeline) Missing(at trial.Time) []string {
	var missing []string
	find := func(format string, args ...any) { missing = append(missing, fmt.Sprintf(format, args...)) }
	if t.InForce(trial.ScopeGlobal, at) == nil {
		find("no protocol")
	}
	registered := false
	Each(t, func(*Item, *trial.Identifier) { registered = true })
	if !registered {
		find("no registry's number")
	}
	have := map[string]bool{} // "sap final", "results final", "database-lock final", "first-enrolment"
	var analyses []string
	note := func(what string, i *Item) {
		a := i.Value("analysis")
		have[strings.TrimSpace(what+" "+a)] = true
		if a != "" && !slices.Contains(analyses, a) {
			analyses = append(analyses, a)
		}
	}
	Each(t, func(i *Item, p *trial.Milestone) {
		if p.Country == "" {
			note(p.Event, i)
		}
	})
	Each(t, func(i *Item, _ *trial.SAP) { note("sap", i) })
	results, final := false, false // results: of any analysis; final: of any but an interim analysis
	Each(t, func(i *Item, _ *trial.Results) {
		note("results", i)
		results, final = true, final || !strings.HasPrefix(i.Value("analysis"), "interim-")
	})
	slices.Sort(analyses)
	for _, a := range analyses {
		if !have["sap "+a] && (have["database-lock "+a] || have["results "+a]) {
			find("no SAP for the %s analysis, though its database is locked or its results are logged", a)
		}
		if !have["database-lock "+a] && have["results "+a] {
			find("no database lock for the %s analysis, though its results are logged", a)
		}
		if have["database-lock "+a] && !have["results "+a] {
			find("no results of the %s analysis, though its database is locked", a)
		}
	}
	later := have["primary-completion"] || have["last-visit"] || have["end-of-trial"] || results
	if !have["first-enrolment"] && later && !have["withdrawn-before-enrolment"] {
		find("no first enrolment, though later events are logged")
	}
	Each(t, func(i *Item, p *trial.Milestone) {
		if date := i.Value("date"); len(date) == 4 && slices.Contains([]string{"first-enrolment", "database-lock", "unblinding"}, p.Event) {
			find("no month of the %s, dated %s: it is not known what was logged before and what after it in that year",
				strings.TrimSpace(p.Event+" "+i.Value("analysis")), date)
		}
	})
	for _, event := range []string{"primary-completion", "end-of-trial", "early-termination"} {
		date := t.EventDate(event)
		if date == "" || final {
			continue
		}
		if since := trial.DayOf(at) - trial.DayOf(trial.EndOf(date)); since > 365 {
			find("no results, %s after the %s of %s", trial.Count(since, "day", "days"), event, date)
		}
	}
	return missing
}
