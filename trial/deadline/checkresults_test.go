package deadline

import (
	"github.com/trialproof/trialproof/trial/study"
)

// A stay says when results that still count were submitted: between two days. It is nil if
// there are none.
type stay struct{ from, to int }

// submitted returns when the results that count now were submitted; open says that this cannot
// be known.
func (c *checker) submitted() (best *stay, open bool) {
	var back int // the latest day by which any results were withdrawn
	for i := range c.versions {
		v := &c.versions[i]
		if s, _, by := c.standing(v); s != nil && (best == nil || s.to >= best.to) {
			best = s
		} else if s == nil {
			back = max(back, by)
		}
	}
	s, told, _ := c.standing(c.last)
	shown, _ := c.last.Day()
	switch {
	case best == nil || s == nil && told:
		return nil, false
	case s == nil && c.last.TellsResults(): // they are gone, and the record does not say why
		return nil, true
	case best.to <= back: // they were sent again, and the record does not say when
		return &stay{back, max(back, every(shown)[0])}, false
	}
	return best, false
}

// standing goes through what one version says about results. It returns when the results that
// count by it were sent, whether it says that any were withdrawn, and by when.
func (c *checker) standing(v *study.Version) (s *stay, told bool, back int) {
	shown, _ := v.Day()
	seen, now := min(every(shown)[0], c.at), 0
	for i, e := range v.Review {
		days := every(e.Date)
		if len(days) > 0 && days[0] > c.at {
			continue
		}
		from, to := now, seen
		if len(days) > 0 {
			from, to = max(now, days[0]), days[len(days)-1]
		} else {
			for _, later := range v.Review[i:] {
				if days := every(later.Date); len(days) > 0 {
					to = min(to, days[len(days)-1])
					break
				}
			}
		}
		if to < from {
			to = c.at
		}
		switch {
		case e.Event == study.ReviewCanceled:
			s, told, back = nil, true, to
		case s == nil && e.Event == study.ReviewReturned:
			s, told = &stay{now, to}, false
		case s == nil:
			s, told = &stay{from, to}, false
		}
		now = from
	}
	posted := v.Results || v.Announced
	if days := every(v.Date(study.ResultsPosted).Date); len(days) > 0 && days[0] <= c.at {
		posted, seen = true, min(seen, days[len(days)-1])
		if told && days[len(days)-1] <= now {
			told, now, back = false, 0, 0
		}
	}
	first := v.Date(study.ResultsSubmitted)
	days := every(first.Date)
	if len(days) > 0 && days[0] <= c.at && first.Kind != study.Planned && !(told && days[0] <= now) {
		if s == nil || days[len(days)-1] > s.to {
			return &stay{days[0], days[len(days)-1]}, false, 0
		}
		return s, false, 0
	}
	if posted && s == nil {
		return &stay{now, max(now, seen)}, false, 0
	}
	return s, told && s == nil, back
}

func (c *checker) resultsFDA() string {
	if v := c.fda(); v != "" {
		return v
	}
	date, kind := c.first(study.PrimaryCompletion)
	if date == "" {
		return NotDeterminable
	}
	unapproved := c.last.Oversight.UnapprovedDevice == "yes" && c.last.Oversight.FDADrug == "no"
	done, open := c.submitted()
	var certificates []string
	for _, kind := range []string{study.Actual, ""} {
		for _, d := range c.stated(study.CertificateSubmitted, kind) {
			if every(d)[0] <= c.at {
				certificates = append(certificates, d)
			}
		}
	}
	var answers []string
	for _, completed := range every(date) {
		old := completed < dayNumber(2017, 1, 18)
		if old && unapproved {
			answers = append(answers, NotApplicable)
			continue
		}
		if c.last.Waived {
			answers = append(answers, Excused)
			continue
		}
		if open {
			return NotDeterminable
		}
		for _, v := range c.resultsOf(monthsLater(completed, 12), done, certificates) {
			if old && (v == Late || v == Overdue) {
				v = NotDeterminable
			}
			answers = append(answers, v)
		}
	}
	v := agreed(answers)
	ended := c.last.Status == "completed" || c.last.Status == "terminated"
	if (kind == study.Planned || kind == "" && !ended) && (v == Overdue || v == Late) {
		return NotDeterminable
	}
	return v
}

// resultsOf judges results that are due on one day, for each day on which they may have been
// sent and each day on which a certificate may have been sent.
func (c *checker) resultsOf(due int, done *stay, certificates []string) (answers []string) {
	dones := []*int{nil}
	if done != nil {
		dones = []*int{&done.from, &done.to}
	}
	for _, d := range dones {
		plain := c.inTime(due, d)
		if len(certificates) == 0 || plain == OK || plain == NotYetDue {
			answers = append(answers, plain)
			continue
		}
		for _, date := range certificates {
			for _, cert := range every(date) {
				switch limit := monthsLater(cert, 24); {
				case cert > due || limit <= due:
					answers = append(answers, plain)
				case d == nil && c.at <= limit, d != nil && *d <= limit:
					answers = append(answers, Excused)
				default:
					answers = append(answers, plain)
				}
			}
		}
	}
	return answers
}
