package trial

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Milestone is an event of the trial, with its date as far as it is known.
type Milestone struct {
	Common
	Analysis string `json:"analysis,omitempty"` // for the events that belong to an analysis
	Country  string `json:"country,omitempty"`  // ISO 3166-1 alpha-2; empty: global
	Date     string `json:"date"`               // 2026-03-01, 2026-03 or 2026
	Event    string `json:"event"`
	Trial    Hash   `json:"trial"`
}

// Events has the milestones, and whether each of them names its analysis.
var Events = map[string]bool{
	"first-enrolment":            false,
	"last-visit":                 false,
	"primary-completion":         false,
	"data-cut-off":               true,
	"database-lock":              true,
	"database-unlock":            true,
	"unblinding":                 true,
	"halt":                       false,
	"restart":                    false,
	"early-termination":          false,
	"withdrawn-before-enrolment": false,
	"end-of-trial":               false,
}

// EventNames returns the names of all events, sorted.
func EventNames() []string {
	var names []string
	for e := range Events {
		names = append(names, e)
	}
	slices.Sort(names)
	return names
}

var country = regexp.MustCompile(`^[A-Z]{2}$`)

func (*Milestone) Kind() string { return "milestone" }

func (m *Milestone) trialID() Hash { return m.Trial }

func (*Milestone) allows() allows {
	return allows{delegation: true, scope: true, seal: true, void: true}
}

func (m *Milestone) members() map[string]member {
	return map[string]member{"analysis": {m.Analysis, checkAnalysis}, "country": {m.Country, checkCountry}, "date": {m.Date, requiredDate}}
}

func (m *Milestone) form() Form {
	return Form{Trial: &m.Trial, NoFiles: true, Flags: []Flag{
		{Name: "event", Help: "of a milestone: `event` such as first-enrolment or database-lock", Text: &m.Event},
		dateFlag.to(&m.Date),
		analysisFlag.to(&m.Analysis),
		{Name: "country", Help: "of a milestone: `country` such as DE, if it is not global", Text: &m.Country},
	}}
}

func (m *Milestone) describe([]Subject) string {
	return fmt.Sprintf("milestone %s on %s of trial %s", strings.TrimSpace(m.Event+" "+m.Analysis+" "+m.Country), m.Date, m.Trial)
}

func (m *Milestone) check(subjects []Subject) error {
	needs, ok := Events[m.Event]
	if !ok {
		return fmt.Errorf("event is %.60q; it is one of %s", m.Event, strings.Join(EventNames(), ", "))
	}
	if needs {
		if err := checkAnalysis(m.Analysis); err != nil {
			return err
		}
	} else if m.Analysis != "" {
		return fmt.Errorf("the event %s belongs to no analysis", m.Event)
	}
	if err := checkCountry(m.Country); err != nil {
		return err
	}
	if err := checkDate("date", m.Date); err != nil {
		return err
	}
	return checkTrialOrDocuments(subjects, "milestone", m.Trial)
}

func (m *Milestone) apply(t *tx, s *Signed) *Refusal {
	return t.remembered(s, m.Trial, "milestone", cmp.Or(m.Country, ScopeGlobal))
}

// The marks that a milestone bears by itself.
const (
	MarkLateEvent MarkID = "M8"
	MarkUnlocked  MarkID = "M17"
	MarkFuture    MarkID = "M21"
)

// lateEventDays may pass between an event and its entry before MarkLateEvent is set.
const lateEventDays = 30

func (*Milestone) meanings() []MarkMeaning {
	return []MarkMeaning{
		{MarkLateEvent, "logged more than 30 days after the event", WeightInform},
		{MarkUnlocked, "database unlocked", WeightExplain},
		{MarkFuture, "event dated after it was logged", WeightExplain},
	}
}

func (m *Milestone) remarks(logged Time, text func(string) string) (list []Remark) {
	date, day := text("date"), DayOf(logged)
	first, last := DaysOf(date)
	if day-last > lateEventDays {
		list = append(list, Remark{MarkLateEvent, fmt.Sprintf("%s was %s, logged %s after", m.Event, date, Count(day-last, "day", "days"))})
	}
	if first > day {
		list = append(list, Remark{MarkFuture, fmt.Sprintf("%s is dated %s, logged %s", m.Event, date, logged)})
	}
	if m.Event == "database-unlock" {
		list = append(list, Remark{MarkUnlocked, fmt.Sprintf("for %s, %s", m.Analysis, date)})
	}
	return list
}

// checkCountry checks a country, which may be empty.
func checkCountry(s string) error {
	if s != "" && !country.MatchString(s) {
		return fmt.Errorf("country %.20q is not two capital letters such as DE", s)
	}
	return nil
}
