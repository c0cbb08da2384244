package page

import (
	"fmt"
	"strings"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/deadline"
	"github.com/trialproof/trialproof/trial/timeline"
)

// A Summary is a trial in an overview: what its own page says, in a few words.
type Summary struct {
	Name, Title, Holder string
	InTime              string // whether it was registered in time: a verdict of package deadline, or ""
	Results             uint64 // entry of the last results; 0: none are logged
	Overdue             []string
	Late                []string
	Contested           []string // rules of package deadline
	Bears               int      // marks that bear on what the trial can show
	Day                 string   // as of which all this is
}

// Summary returns what an overview says of a trial.
func (v *View) Summary() Summary {
	s := Summary{Name: v.Name(), Day: v.At}
	if v.Study != nil {
		s.Title = v.Study.Title
	}
	if v.Standing != nil {
		s.Holder = v.Standing.Holder
		for _, m := range timeline.Group(v.Standing.Marks, false) {
			if isHeavy(m.ID) {
				s.Bears++
			}
		}
	}
	for _, d := range v.Deadlines {
		switch class(d.Verdict) {
		case deadline.Overdue:
			s.Overdue = append(s.Overdue, d.Rule)
		case deadline.Late:
			s.Late = append(s.Late, d.Rule)
		case deadline.Contested:
			s.Contested = append(s.Contested, d.Rule)
		}
		if d.Rule == deadline.RegistrationICM {
			s.InTime = d.Verdict
		}
	}
	for _, e := range v.Entries {
		if e.Kind == "results" && e.InEffect {
			s.Results = e.Index
		}
	}
	return s
}

// State sums up a summary in a word, the gravest first, for sorting and for filters.
func (s Summary) State() string {
	switch {
	case len(s.Overdue) > 0:
		return deadline.Overdue
	case len(s.Contested) > 0:
		return deadline.Contested
	case len(s.Late) > 0:
		return deadline.Late
	}
	return "nothing overdue"
}

// Listed returns an overview's rules in words.
func Listed(rules []string) string { return strings.Join(rules, ", ") }

// ResultsText says which entry has the results.
func (s Summary) ResultsText() string {
	if s.Results == 0 {
		return "none logged"
	}
	return fmt.Sprintf("entry %d", s.Results)
}

// IsUnclaimed reports whether a record is that of a number which others have observed and which no
// trial claims.
func IsUnclaimed(r *trial.IdentifierRecord) bool {
	return len(r.Claims) == 0 && r.Entries.Count > 0 && !strings.HasPrefix(r.ID, "sponsor:")
}
