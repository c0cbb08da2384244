package compare

import (
	"fmt"
	"strings"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/study"
)

// actualStart returns the earliest actual start that any version gave: moving the date later
// does not make more versions prespecified. If no version calls a start actual, those that are
// called neither planned nor actual count.
func actualStart(values []study.Value) (date string, ok bool) {
	for _, kind := range []string{study.Actual, ""} {
		for _, v := range values {
			if v.Kind == kind && (date == "" || strings.Compare(v.Date.Date, date) < 0) {
				date = v.Date.Date
			}
		}
		if date != "" {
			return date, true
		}
	}
	return "", false
}

// isBefore reports whether a version's day is before every day that a date may mean, and the
// version does not itself say that the trial had begun.
func isBefore(v *study.Version, date string) bool {
	day, _ := v.Day()
	_, begun := v.Begun()
	return isDayBefore(day, date) && !begun
}

func isDayBefore(day, date string) bool {
	a, err1 := trial.ParseDate(day)
	b, err2 := trial.ParseDate(date)
	return err1 == nil && err2 == nil && a.Before(b)
}

// lastBefore returns the index of the last version before the start, or -1 if there is none. A
// version logged before the start is not displaced by one that was logged later and claims a
// day before the start. The notes name those, and everything that contradicts the version
// returned.
func (r *Report) lastBefore(versions []study.Version, start string) int {
	place, logged := -1, false
	for i := range versions {
		v := &versions[i]
		if len(v.Outcomes) == 0 || !isBefore(v, start) {
			continue
		}
		if isDayBefore(v.Logged, start) {
			place, logged = i, true
		} else if !logged {
			place = i
		}
	}
	if place < 0 {
		return place
	}
	if why := movedStart(versions[place+1:], start); why != "" {
		r.Notes = append(r.Notes, why)
	}
	switch v := &versions[place]; {
	case v.File != "":
		r.Notes = append(r.Notes, fmt.Sprintf("only %s itself says that it is from before the start", v.File))
	case !logged:
		r.Notes = append(r.Notes, fmt.Sprintf("no version was logged before the start: only %s, which logged entry %d on %s, "+
			"says that it is the last version from before the start", v.Org, v.Entry, v.Logged))
	}
	for i := range versions {
		v := &versions[i]
		if day, _ := v.Day(); i > place && v.File == "" && len(v.Outcomes) > 0 && isBefore(v, start) {
			r.Notes = append(r.Notes, fmt.Sprintf("entry %d of %s claims the day %s, before the start, and was logged on %s, "+
				"after the version that is taken as prespecified, so it does not replace that one", v.Entry, v.Org, day, v.Logged))
		}
	}
	if c := versions[place].Conflicts; len(c) > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("what is taken as prespecified is in conflict with %s, which declares the same day: "+
			"it is not known which of them was shown then", entryList(c)))
	}
	return place
}

// entryList returns text such as "entry 4" or "entries 4 and 7".
func entryList(indexes []uint64) string {
	text := "entry "
	if len(indexes) > 1 {
		text = "entries "
	}
	for i, n := range indexes {
		if i > 0 {
			text += " and "
		}
		text += fmt.Sprint(n)
	}
	return text
}

// noneBefore says why there is no version from before the start.
func noneBefore(versions []study.Version, start string) string {
	if why := movedStart(versions, start); why != "" {
		return "none: " + why
	}
	for i := range versions {
		first := versions[i].Date(study.FirstSubmitted).Date
		_, err1 := trial.ParseDate(first)
		_, err2 := trial.ParseDate(start)
		switch by := versions[i].Name(); {
		case first == "" || err1 != nil || err2 != nil:
			continue
		case isDayBefore(first, start):
			return fmt.Sprintf("none: the record says it was first submitted on %s, before the start (%s); no version of that time is here",
				first, start)
		case isDayBefore(start, first):
			return fmt.Sprintf("none: registered after the start (first submitted %s, start %s, by %s)", first, start, by)
		case first == start && len(start) == len("2026-03-01"):
			return fmt.Sprintf("none: registered on the day of the start (%s, by %s); which came first cannot be told", start, by)
		default:
			return fmt.Sprintf("none: it cannot be told whether the trial was registered before the start "+
				"(first submitted %s, start %s, by %s): "+
				"a month or year may mean any of its days", first, start, by)
		}
	}
	return fmt.Sprintf("none: no version is dated before the start (%s)", start)
}

// movedStart names a version whose day is before the start and which itself says that the trial
// had begun: the start was moved to after that day later.
func movedStart(versions []study.Version, start string) string {
	for i := range versions {
		v := &versions[i]
		day, _ := v.Day()
		begun, ok := v.Begun()
		if !ok || !isDayBefore(day, start) {
			continue
		}
		why := fmt.Sprintf("%s of %s says that the trial had begun by %s (status %s), and the start was moved to %s later",
			v.Name(), day, begun, v.Status, start)
		if first := v.Date(study.FirstSubmitted).Date; isDayBefore(begun, first) && isDayBefore(first, start) {
			why += fmt.Sprintf(": it was moved behind the registration of %s", first)
		}
		return why
	}
	return ""
}
