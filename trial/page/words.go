package page

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/compare"
	"github.com/trialproof/trialproof/trial/outcome"
	"github.com/trialproof/trialproof/trial/study"
)

// Named names a version by its entry, or by its file where nobody has logged it.
func Named(entry uint64, file string) string {
	if file != "" {
		return file
	}
	return fmt.Sprintf("entry %d", entry)
}

// Source says where a set of outcomes comes from.
func Source(s *compare.Source) string {
	if s.Kind == "article" {
		return "the article"
	}
	if s.File != "" {
		return fmt.Sprintf("%s of %s (%s; no log proves it)", s.File, cmp.Or(s.Day, "no declared day"), s.By)
	}
	logged := LoggedBy(s.Org, s.Whose)
	if s.Logged != "" {
		logged = "logged on " + s.Logged + strings.TrimPrefix(logged, "logged")
	}
	return fmt.Sprintf("entry %d, %s of %s (%s; %s)", s.Entry, s.Kind, s.Day, s.By, logged)
}

// Outcome says an outcome with its level and time frame.
func Outcome(o *outcome.Outcome) string {
	s := fmt.Sprintf("%q", o.Measure)
	if o.TimeFrame != "" {
		s += fmt.Sprintf(" [%s]", o.TimeFrame)
	}
	return strings.TrimSpace(o.Level + " " + s)
}

// Finding says what became of an outcome, and why.
func Finding(f compare.Finding) string {
	var parts []string
	if f.Specified != nil {
		parts = append(parts, Outcome(f.Specified))
	}
	if f.Reported != nil && (f.Specified == nil || *f.Reported != *f.Specified) {
		parts = append(parts, "reported as "+Outcome(f.Reported))
	}
	return strings.Join(append(parts, Grounds(f)...), "; ")
}

// Grounds says how a finding was come to.
func Grounds(f compare.Finding) (parts []string) {
	if f.Specified != nil && f.Reported != nil {
		if f.Class != outcome.EqualWords {
			parts = append(parts, fmt.Sprintf("%s: %s", f.Class, strings.Join(f.Differs, ", ")), fmt.Sprintf("likeness %.2f", f.Similarity))
		}
		parts = append(parts, "time frames "+string(f.TimeFrames))
	}
	if f.Declared != nil {
		parts = append(parts, "declared by "+Source(f.Declared))
	}
	if f.Why != "" {
		parts = append(parts, f.Why)
	}
	return parts
}

// LoggedBy says who logged something, and whose word that is.
func LoggedBy(org, whose string) string {
	switch whose {
	case "":
		return "logged by " + org
	case study.ByReader:
		if org == "" {
			return "the reader's own file, which nobody logged"
		}
		return "logged by " + org + ", read from the reader's own file"
	case study.ByNamed:
		return "logged by " + org + ", which the reader named"
	case study.ByOther:
		return "logged by " + org + ", a third party"
	case study.ByDelegate:
		return "logged by " + org + ", delegated by the trial's holder"
	}
	return "logged by " + org + ", " + whose
}

// InWords returns a time that JSON has in RFC 3339 as people read it.
func InWords(stamp string) string {
	t, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		return stamp
	}
	return trial.Moment(t)
}
