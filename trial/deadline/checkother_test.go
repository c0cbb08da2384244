package deadline

import (
	"strconv"
	"strings"

	"github.com/trialproof/trialproof/trial/study"
)

func (c *checker) deviceFDA() string {
	if v := c.covered(); v != "" {
		return v
	}
	if c.last.Oversight.FDADevice == "no" {
		return NotApplicable
	}
	return NotDeterminable
}

// summaryEU judges Regulation (EU) 536/2014, Article 37(4), and for children Regulation (EC)
// 1901/2006, Article 46.
func (c *checker) summaryEU(after int) string {
	end := every(c.last.Date(endInEU).Date)
	switch {
	case c.last.Type != "" && c.last.Type != "interventional":
		return NotApplicable
	case len(end) == 0 && c.last.EUSite() == "no":
		for _, v := range c.versions {
			if v.Kind == c.last.Kind && v.EUSite() == "yes" { // the site was removed
				return NotDeterminable
			}
		}
		return NotApplicable
	case len(end) == 0:
		return NotDeterminable
	}
	var answers []string
	for _, day := range end {
		done := every(c.latest(study.ResultsSubmitted))
		if len(done) == 0 {
			answers = append(answers, c.inTime(monthsLater(day, after), nil))
		}
		if len(done) > 0 { // to a register, which is not the EU's database
			answers = append(answers, NotDeterminable)
		}
	}
	return agreed(answers)
}

func child18(age string) bool {
	n, unit, _ := strings.Cut(age, " ")
	count, err := strconv.Atoi(n)
	switch {
	case err != nil:
		return false
	case strings.HasPrefix(unit, "year"):
		return count < 18
	case strings.HasPrefix(unit, "month"):
		return count < 18*12
	}
	return true
}
