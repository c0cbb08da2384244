package study

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/outcome"
)

const (
	// Withheld replaces a text that may have a person's name, an e-mail address or a telephone
	// number. It also replaces a text that its signer did not confirm for publication.
	Withheld = "[withheld]"
	// Individual replaces the name of a sponsor who is a natural person.
	Individual = "individual"
	// maxText is the number of characters of a text that facts may have.
	maxText = 200
)

// Facts returns what can be made public of a study, and the members that were withheld. Every
// text that may have the name of a person whom the document names is withheld, even if others
// have the same name. The facts may be larger than trial.MaxFacts: Content.SetFacts then
// commits to them.
func (s *Study) Facts() (f *trial.Facts, withheld []string) {
	p := s.privacy()
	text := func(member, t string) string {
		clean, ok := p.text(t)
		if !ok {
			withheld = append(withheld, member)
		}
		return clean
	}
	word := func(member, coded string) string { // some formats have free text in place of a code
		w, ok := p.word(coded)
		if !ok {
			withheld = append(withheld, member)
		}
		return w
	}
	words := func(member string, coded []string) (list []string) {
		for _, c := range coded {
			if w := word(member, c); w != "" {
				list = append(list, w)
			}
		}
		return list
	}
	f = &trial.Facts{
		Acronym: text("acronym", s.Acronym), Allocation: word("allocation", s.Allocation), Dated: s.Dated,
		DMC: s.Oversight.DMC, FDADevice: s.Oversight.FDADevice, FDADrug: s.Oversight.FDADrug, FDARegulated: s.Oversight.FDARegulated,
		PPSD: s.Oversight.PPSD, UnapprovedDevice: s.Oversight.UnapprovedDevice, USExport: s.Oversight.USExport,
		Format: s.Format, HealthyVolunteers: s.Eligibility.HealthyVolunteers,
		Masking: word("masking", s.Masking), Masked: words("masked", s.Masked), MaximumAge: text("maximumAge", s.Eligibility.MaximumAge),
		MinimumAge: text("minimumAge", s.Eligibility.MinimumAge), Model: word("model", s.Model),
		OfficialTitle: text("officialTitle", s.OfficialTitle),
		Phases:        words("phases", s.Phases), Purpose: word("purpose", s.Purpose), Results: s.Results,
		ResultsElsewhere: s.Announced && !s.Results, ResultsWaived: s.Waived,
		Sex: word("sex", s.Eligibility.Sex), Status: word("status", s.Status),
		Title: text("title", s.Title), Type: word("type", s.Type), Version: text("version", s.Version),
	}
	f.USSite, f.EUSite = s.USSite(), s.EUSite()
	for _, a := range s.Amendments {
		f.Amendments = append(f.Amendments, trial.FactAmendment{
			Number: text("amendments", a.Number), Reasons: words("amendments", a.Reasons),
		})
	}
	for _, c := range s.Conditions {
		if c = text("conditions", c); c != "" {
			f.Conditions = append(f.Conditions, c)
		}
	}
	for _, a := range s.Arms {
		f.Arms = append(f.Arms, trial.FactArm{Label: text("arms", a.Label), Type: word("arms", a.Type)})
	}
	for _, i := range s.Interventions {
		f.Interventions = append(f.Interventions, trial.FactArm{Label: text("interventions", i.Name), Type: word("interventions", i.Type)})
	}
	for _, d := range s.Dates {
		f.Dates = append(f.Dates, trial.FactDate{Date: d.Date, Event: d.Event, Kind: d.Kind})
	}
	for _, e := range s.Review {
		f.ResultsReview = append(f.ResultsReview, trial.FactReview{
			Date: e.Date, Event: cmp.Or(word("resultsReview", e.Event), "not-known"),
		})
	}
	for _, d := range s.Documents {
		f.Documents = append(f.Documents, trial.FactDocument{Date: d.Date, Kinds: d.Kinds})
	}
	if s.Enrolment.Count >= 0 {
		f.Enrolment = &trial.FactEnrolment{Count: uint64(s.Enrolment.Count), Kind: s.Enrolment.Kind}
	}
	for _, id := range s.Identifiers {
		v, ok := p.number(id.Value)
		if !ok {
			withheld = append(withheld, "identifiers")
		}
		if v != "" {
			f.Identifiers = append(f.Identifiers, trial.FactIdentifier{Type: word("identifiers", id.Type), Value: v})
		}
	}
	outcomes := func(member string, list []outcome.Outcome) (facts []trial.FactOutcome) {
		for _, o := range list {
			facts = append(facts, trial.FactOutcome{Level: o.Level, Measure: text(member, o.Measure), TimeFrame: text(member, o.TimeFrame)})
		}
		return facts
	}
	f.Outcomes, f.Reported = outcomes("outcomes", s.Outcomes), outcomes("reported", s.Reported)
	if s.Sponsor != (Organisation{}) {
		f.Sponsor = &trial.FactOrganisation{Class: word("sponsor", s.Sponsor.Class)}
		if s.sponsorIsPerson() {
			f.Sponsor.Name = Individual
		} else if name, ok := p.organisation(s.Sponsor.Name, s.Sponsor.registered()); ok {
			f.Sponsor.Name = name
		} else {
			f.Sponsor.Name = Withheld
			withheld = append(withheld, "sponsor")
		}
	}
	slices.Sort(withheld)
	return f, slices.Compact(withheld)
}

// A FreeText is a text of facts that may say anything.
type FreeText struct{ Member, Text string }

// Coded returns facts without their free texts, which are withheld, and the texts. What remains
// are codes, dates, counts, numbers of registries, and the outcomes, by which versions of a
// protocol are compared.
func Coded(facts *trial.Facts) (coded *trial.Facts, free []FreeText) {
	f := *facts
	hide := func(member string, t *string) {
		if *t != "" && *t != Withheld && *t != Individual {
			free = append(free, FreeText{member, *t})
			*t = Withheld
		}
	}
	hide("title", &f.Title)
	hide("officialTitle", &f.OfficialTitle)
	hide("acronym", &f.Acronym)
	if f.Sponsor != nil {
		sponsor := *f.Sponsor
		hide("sponsor", &sponsor.Name)
		f.Sponsor = &sponsor
	}
	f.Identifiers = slices.Clone(f.Identifiers)
	for i := range f.Identifiers {
		id := &f.Identifiers[i]
		if _, err := trial.ParseIdentifier(id.Value); err == nil {
			continue
		}
		hide("identifiers", &id.Value)
		if id.Type != "sponsor" {
			id.Type = ""
		}
	}
	f.Conditions = slices.Clone(f.Conditions)
	for i := range f.Conditions {
		hide("conditions", &f.Conditions[i])
	}
	f.Arms, f.Interventions = slices.Clone(f.Arms), slices.Clone(f.Interventions)
	for i := range f.Arms {
		hide("arms", &f.Arms[i].Label)
	}
	for i := range f.Interventions {
		hide("interventions", &f.Interventions[i].Label)
	}
	f.Amendments = slices.Clone(f.Amendments)
	for i := range f.Amendments {
		if !versionNumber.MatchString(f.Amendments[i].Number) {
			hide("amendments", &f.Amendments[i].Number)
		}
	}
	for member, t := range map[string]*string{"version": &f.Version, "minimumAge": &f.MinimumAge, "maximumAge": &f.MaximumAge} {
		if !versionNumber.MatchString(*t) && !anAge.MatchString(*t) {
			hide(member, t)
		}
	}
	slices.SortStableFunc(free, func(a, b FreeText) int { return strings.Compare(a.Member, b.Member) })
	return &f, free
}

var (
	versionNumber = regexp.MustCompile(`^[vV]?[0-9]{1,4}([.-][0-9]{1,4}){0,4}$`)
	anAge         = regexp.MustCompile(`^[0-9]{1,4}([.][0-9]{1,4})? (year|month|week|day|hour|minute)s?$`)
)

// FromFacts returns the study that facts describe.
func FromFacts(f *trial.Facts) *Study {
	s := &Study{
		Format: f.Format, Version: f.Version, Dated: f.Dated, Title: f.Title, OfficialTitle: f.OfficialTitle, Acronym: f.Acronym,
		Type: f.Type, Phases: f.Phases, Allocation: f.Allocation, Model: f.Model, Purpose: f.Purpose, Masking: f.Masking, Masked: f.Masked,
		Conditions: f.Conditions, Status: f.Status, Results: f.Results, Announced: f.Results || f.ResultsElsewhere,
		Waived: f.ResultsWaived, Enrolment: Enrolment{Count: -1},
		Eligibility: Eligibility{Sex: f.Sex, MinimumAge: f.MinimumAge, MaximumAge: f.MaximumAge, HealthyVolunteers: f.HealthyVolunteers},
		Oversight:   Oversight{f.FDARegulated, f.FDADrug, f.FDADevice, f.UnapprovedDevice, f.PPSD, f.USExport, f.DMC},
		PartOnly:    true,
		facts:       f,
	}
	for _, id := range f.Identifiers {
		s.Identifiers = append(s.Identifiers, Identifier{id.Type, id.Value})
	}
	if f.Sponsor != nil {
		s.Sponsor = Organisation{f.Sponsor.Name, f.Sponsor.Class}
	}
	for _, a := range f.Amendments {
		s.Amendments = append(s.Amendments, Amendment{Number: a.Number, Reasons: a.Reasons})
	}
	for _, a := range f.Arms {
		s.Arms = append(s.Arms, Arm{Label: a.Label, Type: a.Type})
	}
	for _, i := range f.Interventions {
		s.Interventions = append(s.Interventions, Intervention{i.Label, i.Type})
	}
	for _, o := range f.Outcomes {
		s.Outcomes = append(s.Outcomes, outcome.Outcome{Level: o.Level, Measure: o.Measure, TimeFrame: o.TimeFrame})
	}
	for _, o := range f.Reported {
		s.Reported = append(s.Reported, outcome.Outcome{Level: o.Level, Measure: o.Measure, TimeFrame: o.TimeFrame})
	}
	if f.Enrolment != nil {
		s.Enrolment = Enrolment{int(f.Enrolment.Count), f.Enrolment.Kind}
	}
	for _, d := range f.Dates {
		s.Dates = append(s.Dates, Date{d.Event, d.Date, d.Kind})
	}
	for _, e := range f.ResultsReview {
		s.Review = append(s.Review, ReviewEvent{e.Event, e.Date})
	}
	for _, d := range f.Documents {
		s.Documents = append(s.Documents, Document{Kinds: d.Kinds, Date: d.Date})
	}
	s.usSite, s.euSite = f.USSite, f.EUSite
	return s
}

// USSite says whether a site is in the United States or one of their territories: yes, no, or
// "" if the document names no country, or if one of its countries is not known and no other is
// there.
func (s *Study) USSite() string {
	if s.PartOnly {
		return s.usSite
	}
	return s.site(func(c country) bool { return c.us })
}

// EUSite says the same about the EU and the EEA, where Regulation (EU) 536/2014 applies.
func (s *Study) EUSite() string {
	if s.PartOnly {
		return s.euSite
	}
	return s.site(func(c country) bool { return c.eu })
}

func (s *Study) site(in func(country) bool) string {
	unknown := false
	for _, name := range s.Countries {
		c, ok := countryNamed(name)
		if ok && in(c) {
			return "yes"
		}
		unknown = unknown || !ok
	}
	if unknown || len(s.Countries) == 0 || s.Selected() {
		return ""
	}
	return "no"
}
