package study

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/trialproof/trialproof/trial"
)

const (
	// Withheld stands for a text that has the name of an official, contact or
	// investigator, or what looks like an e-mail address or a telephone number. Some
	// sponsors name themselves as their official: their names are withheld too.
	Withheld = "[withheld]"
	// Individual stands for a sponsor who is a natural person.
	Individual = "individual"
	// maxText is how many characters of a text are facts.
	maxText = 200
)

// Facts returns what of a study can be made public, and the members that were
// withheld. Every text that holds the name of an official, contact or
// investigator whom the document names is withheld, whoever else bears that name.
// The facts may be larger than trial.MaxFacts: Content.SetFacts then commits to them.
func (s *Study) Facts() (f *trial.Facts, withheld []string) {
	p := newPrivacy(s.People)
	text := func(member, t string) string {
		clean, ok := p.text(t)
		if !ok {
			withheld = append(withheld, member)
		}
		return clean
	}
	f = &trial.Facts{
		Acronym: text("acronym", s.Acronym), Allocation: factWord(s.Allocation), Dated: s.Dated,
		DMC: s.Oversight.DMC, FDADevice: s.Oversight.FDADevice, FDADrug: s.Oversight.FDADrug, FDARegulated: s.Oversight.FDARegulated,
		UnapprovedDevice: s.Oversight.UnapprovedDevice, USExport: s.Oversight.USExport,
		Format: s.Format, HealthyVolunteers: s.Eligibility.HealthyVolunteers,
		Masking: factWord(s.Masking), Masked: factWords(s.Masked), MaximumAge: text("maximumAge", s.Eligibility.MaximumAge),
		MinimumAge: text("minimumAge", s.Eligibility.MinimumAge), Model: factWord(s.Model), OfficialTitle: text("officialTitle", s.OfficialTitle),
		Phases: factWords(s.Phases), Purpose: factWord(s.Purpose), Results: s.Results, ResultsWaived: s.Waived, Sex: factWord(s.Eligibility.Sex), Status: factWord(s.Status),
		Title: text("title", s.Title), Type: factWord(s.Type), Version: text("version", s.Version),
	}
	f.USSite, f.EUSite = s.USSite(), s.EUSite()
	for _, a := range s.Amendments {
		f.Amendments = append(f.Amendments, trial.FactAmendment{Number: text("amendments", a.Number), Reasons: factWords(a.Reasons)})
	}
	for _, c := range s.Conditions {
		if c = text("conditions", c); c != "" {
			f.Conditions = append(f.Conditions, c)
		}
	}
	for _, a := range s.Arms {
		f.Arms = append(f.Arms, trial.FactArm{Label: text("arms", a.Label), Type: factWord(a.Type)})
	}
	for _, i := range s.Interventions {
		f.Interventions = append(f.Interventions, trial.FactArm{Label: text("interventions", i.Name), Type: factWord(i.Type)})
	}
	for _, d := range s.Dates {
		f.Dates = append(f.Dates, trial.FactDate{Date: d.Date, Event: d.Event, Kind: d.Kind})
	}
	for _, d := range s.Documents {
		f.Documents = append(f.Documents, trial.FactDocument{Date: d.Date, Kinds: d.Kinds})
	}
	if s.Enrolment.Count >= 0 {
		f.Enrolment = &trial.FactEnrolment{Count: uint64(s.Enrolment.Count), Kind: s.Enrolment.Kind}
	}
	for _, id := range s.Identifiers {
		if v, ok := p.number(id.Value); ok {
			f.Identifiers = append(f.Identifiers, trial.FactIdentifier{Type: factWord(id.Type), Value: v})
		} else {
			withheld = append(withheld, "identifiers")
		}
	}
	outcomes := func(member string, list []Outcome) (facts []trial.FactOutcome) {
		for _, o := range list {
			facts = append(facts, trial.FactOutcome{Level: o.Level, Measure: text(member, o.Measure), TimeFrame: text(member, o.TimeFrame)})
		}
		return facts
	}
	f.Outcomes, f.Reported = outcomes("outcomes", s.Outcomes), outcomes("reported", s.Reported)
	if s.Sponsor != (Organisation{}) {
		f.Sponsor = &trial.FactOrganisation{Class: factWord(s.Sponsor.Class), Name: text("sponsor", s.Sponsor.Name)}
		if s.Sponsor.isPerson() || f.Sponsor.Name == Withheld && !s.Sponsor.isOrganisation() {
			f.Sponsor.Name = Individual
		}
	}
	slices.Sort(withheld)
	return f, slices.Compact(withheld)
}

// FromFacts returns the study that facts tell of.
func FromFacts(f *trial.Facts) *Study {
	s := &Study{
		Format: f.Format, Version: f.Version, Dated: f.Dated, Title: f.Title, OfficialTitle: f.OfficialTitle, Acronym: f.Acronym,
		Type: f.Type, Phases: f.Phases, Allocation: f.Allocation, Model: f.Model, Purpose: f.Purpose, Masking: f.Masking, Masked: f.Masked,
		Conditions: f.Conditions, Status: f.Status, Results: f.Results, Waived: f.ResultsWaived, Enrolment: Enrolment{Count: -1},
		Eligibility: Eligibility{Sex: f.Sex, MinimumAge: f.MinimumAge, MaximumAge: f.MaximumAge, HealthyVolunteers: f.HealthyVolunteers},
		Oversight:   Oversight{f.FDARegulated, f.FDADrug, f.FDADevice, f.UnapprovedDevice, f.USExport, f.DMC},
		PartOnly:    true,
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
		s.Outcomes = append(s.Outcomes, Outcome{Level: o.Level, Measure: o.Measure, TimeFrame: o.TimeFrame})
	}
	for _, o := range f.Reported {
		s.Reported = append(s.Reported, Outcome{Level: o.Level, Measure: o.Measure, TimeFrame: o.TimeFrame})
	}
	if f.Enrolment != nil {
		s.Enrolment = Enrolment{int(f.Enrolment.Count), f.Enrolment.Kind}
	}
	for _, d := range f.Dates {
		s.Dates = append(s.Dates, Date{d.Event, d.Date, d.Kind})
	}
	for _, d := range f.Documents {
		s.Documents = append(s.Documents, Document{Kinds: d.Kinds, Date: d.Date})
	}
	s.usSite, s.euSite = f.USSite, f.EUSite
	return s
}

// factWord fits a coded value to the form of facts.
func factWord(s string) string {
	w := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return -1
	}, word(s))
	w = strings.TrimLeft(w, ".-")
	return w[:min(len(w), 80)]
}

func factWords(list []string) []string {
	var words []string
	for _, s := range list {
		if w := factWord(s); w != "" {
			words = append(words, w)
		}
	}
	return words
}

// A privacy keeps natural persons out of texts.
type privacy struct {
	names []string // in lower case, without degrees
}

func newPrivacy(people []string) *privacy {
	p := new(privacy)
	for _, name := range people {
		name, _, _ = strings.Cut(name, ",") // what follows is a degree or a function
		name = strings.ToLower(text(degrees.ReplaceAllString(name, " ")))
		if len(name) >= 3 && name[0] != '[' && !slices.Contains(p.names, name) {
			p.names = append(p.names, name)
		}
	}
	return p
}

var (
	degrees      = regexp.MustCompile(`(?i)\b(dr|prof|professor|mr|mrs|ms|md|phd|m\.d\.|ph\.d\.?)(\.|\b)`)
	email        = regexp.MustCompile(`(?i)[a-z0-9._%+-]+\s*(@|\(at\)|\[at\])\s*[a-z0-9-]+(\.[a-z0-9-]+)+`)
	phone        = regexp.MustCompile(`\+?\(?\d[\d().\s/-]{7,}\d`)
	organisation = regexp.MustCompile(`(?i)\b(academ|agency|association|bioscience|biotech|cent(er|re)\b|charit|clinic|college|company|consorti|cooperative|corp|council|department|foundation|gmbh|group|health|hospital|h[oô]pital|inc\b|institut|klinik|laborator|limited|llc|ltd|medical|ministry|network|oncology|pharma|research|s\.?a\.?\b|sciences|society|therapeutics|trust|universi)`)
	person       = regexp.MustCompile(`(?i)(^(dr|prof)\.? |,? (md|m\.d\.?|phd|ph\.d\.?|mbbs|msc|rn|pharmd)\.?$)`)
)

// isPerson reports whether a sponsor is a natural person: the register says so, or
// the name is written as a person's is.
func (o Organisation) isPerson() bool { return o.Class == "indiv" || person.MatchString(o.Name) }

// isOrganisation reports whether it is certain that a sponsor is none: the register
// puts it in a class that no person is in, or its name says what it is.
func (o Organisation) isOrganisation() bool {
	return !o.isPerson() && (slices.Contains([]string{"fed", "industry", "network", "nih", "other-gov", "us-fed", "u.s.-fed"}, o.Class) || organisation.MatchString(o.Name))
}

// text returns a text in the form of facts: Withheld and false if it names a
// person, or holds an address or a telephone number.
func (p *privacy) text(s string) (string, bool) {
	if email.MatchString(s) || slices.ContainsFunc(phone.FindAllString(s, -1), isPhone) {
		return Withheld, false
	}
	return p.number(s)
}

// number is text for numbers of trials, which may look like telephone numbers.
func (p *privacy) number(s string) (string, bool) {
	lower := strings.ToLower(s)
	for _, name := range p.names {
		if i := strings.Index(lower, name); i >= 0 && (len(name) > 4 || isWhole(lower, i, len(name))) {
			return Withheld, false
		}
	}
	return fit(s), true
}

// isWhole reports whether the bytes from i stand as words of their own.
func isWhole(s string, i, n int) bool {
	letter := func(k int) bool { return k >= 0 && k < len(s) && (s[k] >= 'a' && s[k] <= 'z' || s[k] >= 0x80) }
	return !letter(i-1) && !letter(i+n)
}

// isPhone tells a telephone number from ranges of days and the like by its nine
// digits or more in groups of two or more.
func isPhone(s string) bool {
	digits, groups, run := 0, 0, 0
	for _, r := range s + " " {
		if r >= '0' && r <= '9' {
			digits++
			run++
			continue
		}
		if run == 1 {
			return false
		}
		if run > 0 {
			groups++
		}
		run = 0
	}
	return digits >= 9 && groups <= 6
}

// fit makes a text one that an entry takes: what may not stand there is left out,
// and after 200 characters it is cut.
func fit(s string) string {
	s = strings.NewReplacer("@", "(at)", "\uFE6B", "(at)", "\uFF20", "(at)").Replace(s)
	s = strings.Map(func(r rune) rune {
		if r != ' ' && trial.CheckText("x"+string(r)+"x", 3) != nil {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = text(s)
	if utf8.RuneCountInString(s) > maxText {
		r := []rune(s)
		s = strings.TrimRight(string(r[:maxText-1]), " ") + "…"
	}
	return s
}

// USSite says whether a site is in the United States: yes, no, or "" where the
// document names no country.
func (s *Study) USSite() string {
	if s.PartOnly {
		return s.usSite
	}
	return s.site(func(country string) bool { return country == "United States" })
}

// EUSite says the same of the EU and the EEA, where Regulation (EU) 536/2014 applies.
func (s *Study) EUSite() string {
	if s.PartOnly {
		return s.euSite
	}
	return s.site(func(country string) bool { return slices.Contains(europe, country) })
}

func (s *Study) site(in func(country string) bool) string {
	switch {
	case slices.ContainsFunc(s.Countries, in):
		return "yes"
	case len(s.Countries) > 0:
		return "no"
	}
	return ""
}

var europe = []string{
	"Austria", "Belgium", "Bulgaria", "Croatia", "Cyprus", "Czechia", "Czech Republic", "Denmark", "Estonia", "Finland", "France",
	"Germany", "Greece", "Hungary", "Iceland", "Ireland", "Italy", "Latvia", "Liechtenstein", "Lithuania", "Luxembourg", "Malta",
	"Netherlands", "Norway", "Poland", "Portugal", "Romania", "Slovakia", "Slovenia", "Spain", "Sweden",
}
