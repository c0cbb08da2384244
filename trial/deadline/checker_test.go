package deadline

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/trialproof/trialproof/trial/study"
)

// This is a second opinion on deadlines, written from the regulations and docs/spec.md without
// the rules' code, and in another structure: it counts days one by one. If a record leaves a
// date open, the checker asks a rule about each day that the date may mean. If the answers
// differ, the verdict is not determinable.

// A checker is a trial as of a day.
type checker struct {
	versions []study.Version
	last     *study.Version // the last version that a register showed
	at       int
}

// Days are counted from 1800-01-01.
var epoch = time.Date(1800, 1, 1, 0, 0, 0, 0, time.UTC)

func dayNumber(y, m, d int) int {
	return int(time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC).Sub(epoch).Hours() / 24)
}

func parts(day int) (y, m, d int) {
	t := epoch.AddDate(0, 0, day)
	return t.Year(), int(t.Month()), t.Day()
}

var everyKnown = map[string][]int{}

// every returns each day that a date may mean, by testing each day of its year.
func every(date string) (list []int) {
	if list, ok := everyKnown[date]; ok {
		return list
	}
	defer func() { everyKnown[date] = list }()
	if len(date) < 4 {
		return nil
	}
	y, err := strconv.Atoi(date[:4])
	if err != nil {
		return nil
	}
	for n := dayNumber(y, 1, 1); n <= dayNumber(y, 12, 31); n++ {
		if strings.HasPrefix(epoch.AddDate(0, 0, n).Format(time.DateOnly), date) {
			list = append(list, n)
		}
	}
	return list
}

// monthsLater goes to the same day of a later month, or to that month's last day.
func monthsLater(day, months int) int {
	y, m, d := parts(day)
	m += months
	for m > 12 {
		y, m = y+1, m-12
	}
	for {
		if yy, mm, dd := parts(dayNumber(y, m, d)); yy == y && mm == m && dd == d {
			return dayNumber(y, m, d)
		}
		d--
	}
}

// newChecker takes the versions that existed on a day.
func newChecker(versions []study.Version, at string) *checker {
	c := &checker{at: every(at)[0]}
	for i := range versions {
		if day, _ := versions[i].Day(); day <= at {
			c.versions = append(c.versions, versions[i])
		}
	}
	for i := range c.versions {
		if c.last == nil || c.versions[i].Kind == "observation" || c.last.Kind != "observation" {
			c.last = &c.versions[i]
		}
	}
	return c
}

// stated returns the values of an event, of one kind, that any version gave.
func (c *checker) stated(event, kind string) (list []string) {
	for _, v := range c.versions {
		for _, d := range v.Dates {
			if d.Event == event && d.Kind == kind && len(every(d.Date)) > 0 {
				list = append(list, d.Date)
				break
			}
		}
	}
	return list
}

// first returns the date of an event from which a deadline runs: the one that ends first among
// the actual ones, else among those of unknown kind, else among the planned ones.
func (c *checker) first(event string) (date, kind string) {
	for _, kind := range []string{study.Actual, "", study.Planned} {
		for _, d := range c.stated(event, kind) {
			if date == "" || slices.Max(every(d)) < slices.Max(every(date)) {
				date = d
			}
		}
		if date != "" {
			return date, kind
		}
	}
	return "", ""
}

// latest returns the date on which something was done: the one that ends last among those that
// are neither planned nor wholly in the future.
func (c *checker) latest(events ...string) (date string) {
	for _, event := range events {
		for _, kind := range []string{study.Actual, ""} {
			for _, d := range c.stated(event, kind) {
				if slices.Min(every(d)) <= c.at && (date == "" || slices.Max(every(d)) > slices.Max(every(date))) {
					date = d
				}
			}
		}
	}
	return date
}

// agreed returns the answer that all answers agree on, or NotDeterminable.
func agreed(answers []string) string {
	for _, a := range answers {
		if a != answers[0] {
			return NotDeterminable
		}
	}
	if len(answers) == 0 {
		return NotDeterminable
	}
	return answers[0]
}

// inTime judges a deadline of one day for something that was done on one day or not at all.
func (c *checker) inTime(due int, done *int) string {
	switch {
	case done != nil && *done <= due:
		return OK
	case done != nil:
		return Late
	case c.at > due:
		return Overdue
	}
	return NotYetDue
}

// applicable says whether 42 CFR 11.22(b) applies to the last version: NotApplicable,
// NotDeterminable, or "" if it applies. 11.22(b)(1): a device trial is interventional and not a
// feasibility study, or it is a paediatric postmarket surveillance; (b)(2): a drug trial is
// interventional and not of phase 1.
func (c *checker) applicable() string {
	s, o := c.last.Study, c.last.Oversight
	if c.surveillance() {
		return ""
	}
	kind := answerOf(s.Type != "", s.Type == "interventional")
	drug, device := o.FDADrug, o.FDADevice
	if drug == "" && device == "" && o.FDARegulated != "" {
		drug, device = o.FDARegulated, o.FDARegulated
		if o.FDARegulated == "yes" { // one of the two is regulated, but it is not known which
			drug, device = "", ""
		}
	}
	phaseOne := len(s.Phases) > 0
	for _, p := range s.Phases {
		phaseOne = phaseOne && (p == "phase1" || p == "early-phase1")
	}
	if phaseOne && device == "" { // the register gives phases to trials of drugs
		device = "no"
	}
	byDrug := all(kind, drug, answerOf(len(s.Phases) > 0, !phaseOne))
	byDevice := all(kind, device, answerOf(true, s.Purpose != "device-feasibility"))
	if o.FDARegulated == "yes" && drug == "" && device == "" && kind == "yes" {
		if len(s.Phases) > 0 && s.Purpose != "device-feasibility" {
			return "" // whichever it is
		}
		return NotDeterminable
	}
	switch {
	case byDrug == "yes" || byDevice == "yes":
		return ""
	case byDrug == "no" && byDevice == "no" && o.PPSD != "yes":
		return NotApplicable
	}
	return NotDeterminable
}

// surveillance reports a paediatric postmarket surveillance of a device.
func (c *checker) surveillance() bool {
	return c.last.Oversight.PPSD == "yes" && c.last.Oversight.FDADevice != "no"
}

func answerOf(known, yes bool) string {
	switch {
	case !known:
		return ""
	case yes:
		return "yes"
	}
	return "no"
}

func all(answers ...string) string {
	if slices.Contains(answers, "no") {
		return "no"
	}
	if slices.Contains(answers, "") {
		return ""
	}
	return "yes"
}

// nobody reports that the record says that no one was ever enrolled.
func (c *checker) nobody() bool { return c.last.Status == "withdrawn" && c.last.Enrolment.Count == 0 }

// fda judges what must be decided before each of the FDA's deadlines that follow from an
// enrolment.
func (c *checker) fda() string {
	if c.nobody() {
		return NotApplicable
	}
	return c.covered()
}

func (c *checker) covered() string {
	if a := c.applicable(); a != "" {
		return a
	}
	if date, _ := c.first(study.Start); date != "" && slices.Min(every(date)) <= dayNumber(2007, 9, 27) {
		return NotDeterminable // it is covered if it was ongoing in December 2007
	}
	if c.surveillance() && c.last.Type != "interventional" {
		return NotDeterminable // its deadlines run from the FDA's approval and the final report
	}
	return ""
}

// begun returns the starts that lay in the past of a version, of a trial that the version says
// was running, whatever kind the starts are and whatever later versions say.
func (c *checker) begun() (list []string) {
	for _, v := range c.versions {
		switch v.Status {
		case "recruiting", "active-not-recruiting", "enrolling-by-invitation", "suspended", "terminated", "completed":
		default:
			continue
		}
		day, _ := v.Day()
		d := v.Date(study.Start)
		if days := every(d.Date); len(days) > 0 && len(every(day)) > 0 && slices.Max(days) < every(day)[0] {
			list = append(list, d.Date)
		}
	}
	return list
}

// registered judges a registration that is due some days after the start.
func (c *checker) registered(due func(start int) int) string {
	date, kind := c.first(study.Start)
	if date == "" {
		return NotDeterminable
	}
	submitted := c.latest(study.FirstSubmitted)
	if submitted == "" {
		return NotDeterminable
	}
	judge := func(date string) string {
		var answers []string
		for _, start := range every(date) {
			for _, done := range every(submitted) {
				answers = append(answers, c.inTime(due(start), &done))
			}
		}
		return agreed(answers)
	}
	verdict := judge(date)
	for _, d := range c.begun() {
		if slices.Max(every(d)) < slices.Max(every(date)) && judge(d) != verdict {
			verdict = NotDeterminable
		}
	}
	if verdict == Late && (kind == study.Planned || kind == "" && !slices.Contains(c.begun(), date)) {
		return NotDeterminable
	}
	return verdict
}

func (c *checker) registrationFDA() string {
	if v := c.fda(); v != "" {
		return v
	}
	return c.registered(func(start int) int { return max(start+21, dayNumber(2007, 12, 26)) })
}

func (c *checker) registrationICMJE() string {
	switch {
	case c.last.Type == "":
		return NotDeterminable
	case c.last.Type != "interventional" || c.nobody():
		return NotApplicable
	}
	return c.registered(func(start int) int {
		if start < dayNumber(2005, 7, 1) {
			return dayNumber(2005, 9, 13)
		}
		return start
	})
}

// updateFDA judges 42 CFR 11.64(a)(1)(i): not less than once every 12 months.
func (c *checker) updateFDA() string {
	if v := c.fda(); v != "" {
		return v
	}
	posted := c.last.Results || c.last.Announced
	if days := every(c.last.Date(study.ResultsPosted).Date); len(days) > 0 && days[0] <= c.at {
		posted = true
	}
	switch c.last.Status {
	case "completed", "terminated", "withdrawn", "unknown":
		if posted {
			return NotApplicable
		}
	}
	updated, verified := every(c.latest(study.UpdateSubmitted)), every(c.latest(study.Verified))
	if len(updated)+len(verified) == 0 {
		return NotDeterminable
	}
	if len(updated) == 0 {
		updated = []int{0}
	}
	if len(verified) == 0 {
		verified = []int{0}
	}
	var answers []string
	for _, a := range updated {
		for _, b := range verified {
			if c.at <= monthsLater(max(a, b), 12) {
				answers = append(answers, OK)
			} else {
				answers = append(answers, Overdue)
			}
		}
	}
	return agreed(answers)
}

// completionFDA judges 42 CFR 11.64(a)(1)(ii): within 30 days of reaching it.
func (c *checker) completionFDA() string {
	if v := c.fda(); v != "" {
		return v
	}
	date, kind := c.first(study.PrimaryCompletion)
	switch {
	case date == "":
		return NotDeterminable
	case kind != study.Actual:
		if d := c.last.Date(study.PrimaryCompletion).Date; len(every(d)) > 0 {
			date = d
		}
		var answers []string
		for _, day := range every(date) {
			answers = append(answers, c.inTime(day+30, nil))
		}
		if v := agreed(answers); v != Overdue {
			return v
		}
		return NotDeterminable
	}
	for _, v := range c.versions { // the first version that called this day actual, before the day had come
		if d := v.Date(study.PrimaryCompletion); d.Kind == study.Actual && d.Date == date {
			if day, _ := v.Day(); every(date)[0] > every(day)[0] {
				return NotDeterminable
			}
			break
		}
	}
	var told string
	var without []string // earlier updates of the register's versions that do not have it
	for _, v := range c.versions {
		update := v.Date(study.UpdateSubmitted).Date
		if d := v.Date(study.PrimaryCompletion); d.Kind == study.Actual {
			if told = update; told == "" {
				told, _ = v.Day()
			}
			break
		} else if d.Date != "" && update != "" && v.Kind == "observation" {
			without = append(without, update)
		}
	}
	var answers []string
	for _, day := range every(date) {
		for _, done := range every(told) {
			v := c.inTime(day+30, &done)
			if v == Late && !slices.ContainsFunc(without, func(d string) bool { return every(d)[0] > day+30 }) {
				v = NotDeterminable
			}
			answers = append(answers, v)
		}
	}
	return agreed(answers)
}

func (c *checker) verdicts() map[string]string {
	child := ""
	switch minimum, maximum := c.last.Eligibility.MinimumAge, c.last.Eligibility.MaximumAge; {
	case c.last.Type != "" && c.last.Type != "interventional":
		child = NotApplicable
	case child18(minimum) || child18(maximum):
		child = c.summaryEU(6)
	case minimum == "":
		child = NotDeterminable
	default:
		child = NotApplicable
	}
	all := map[string]string{
		RegistrationFDA: c.registrationFDA(), ResultsFDA: c.resultsFDA(), UpdateFDA: c.updateFDA(), CompletionFDA: c.completionFDA(),
		DeviceFDA:       c.deviceFDA(),
		RegistrationICM: c.registrationICMJE(), SummaryEU: c.summaryEU(12), SummaryEUChild: child,
	}
	// 42 CFR 11.22(b) requires a site in the United States, an export from there, or an IND or
	// IDE. If the record denies the first two, it is not certain that anything is owed.
	if c.last.USSite() == "no" && c.last.Oversight.USExport != "yes" && !c.surveillance() {
		here := false
		for _, v := range c.versions {
			here = here || v.Kind == c.last.Kind && v.USSite() == "yes"
		}
		for rule, verdict := range all {
			if strings.HasPrefix(rule, "FDA-") && !here && (verdict == Late || verdict == Overdue) {
				all[rule] = NotDeterminable
			}
		}
	}
	return all
}
