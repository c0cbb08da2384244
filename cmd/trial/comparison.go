package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial/compare"
	"github.com/trialproof/trialproof/trial/outcome"
	"github.com/trialproof/trialproof/trial/study"
)

func (e *env) printComparison(r *compare.Report) {
	for _, v := range r.Start {
		if v.File != "" {
			fmt.Fprintf(e.Stdout, "start %s by %s of %s (%s)\n", strings.TrimSpace(v.Date.Date+" "+v.Kind), frame.Printable(v.File),
				v.Day, v.By)
			continue
		}
		fmt.Fprintf(e.Stdout, "start %s by entry %d of %s (%s; %s)\n", strings.TrimSpace(v.Date.Date+" "+v.Kind), v.Entry, v.Day, v.By,
			loggedBy(v.Org, v.Whose))
	}
	if r.Prespecified != nil {
		fmt.Fprintf(e.Stdout, "prespecified outcomes: %s\n", sourceText(r.Prespecified))
	} else {
		fmt.Fprintf(e.Stdout, "prespecified outcomes: %s\n", frame.Printable(r.None))
	}
	if r.Earliest != nil {
		fmt.Fprintf(e.Stdout, "earliest known version; nothing shows that it is from before the start, so it clears nothing: %s\n",
			sourceText(r.Earliest))
	}
	if r.Unreported != "" {
		fmt.Fprintf(e.Stdout, "reported outcomes: not known: %s\n", frame.Printable(r.Unreported))
	}
	if r.Reported != nil {
		fmt.Fprintf(e.Stdout, "reported outcomes: %s\n", sourceText(r.Reported))
	}
	for _, f := range r.Outcomes {
		fmt.Fprintf(e.Stdout, "%s: %s\n", f.Status, frame.Printable(findingText(f)))
	}
	for _, f := range r.SinceEarliest {
		fmt.Fprintf(e.Stdout, "against the earliest known version, %s: %s\n", f.Status, frame.Printable(findingText(f)))
	}
	if r.Earliest == nil {
		for _, o := range r.Unjudged {
			fmt.Fprintf(e.Stdout, "reported, with nothing prespecified to compare it with: %s\n", frame.Printable(outcomeText(&o)))
		}
	}
	for _, list := range []struct {
		title string
		steps []compare.Step
	}{
		{"before the start (not counted)", r.BeforeStart}, {"after the start", r.AfterStart},
		{"in the version that first has results (listed apart because such versions are often reworded)", r.WithResults},
	} {
		for _, s := range list.steps {
			fmt.Fprintf(e.Stdout, "changed %s, from %s of %s to %s of %s (%s):\n", list.title, versionName(&s.From), s.From.Day,
				versionName(&s.To), s.To.Day, s.To.By)
			for _, c := range s.Changes {
				fmt.Fprintf(e.Stdout, "  %s\n", frame.Printable(c.String()))
			}
		}
	}
	for _, c := range r.Conflicts {
		fmt.Fprintf(e.Stdout, "conflict: %s\n", c)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(e.Stdout, "note: %s\n", frame.Printable(n))
	}
	fmt.Fprintf(e.Stdout, "joined by likeness (%.2f or more) and not in the same words, for a person to judge: %d\n", r.Threshold,
		r.PairsProposed)
}

// versionName names a version as people find it.
func versionName(s *compare.Source) string {
	return named(s.Entry, s.File)
}

// named names a version by its entry, or by its file where nobody has logged it.
func named(entry uint64, file string) string {
	if file != "" {
		return frame.Printable(file)
	}
	return fmt.Sprintf("entry %d", entry)
}

func sourceText(s *compare.Source) string {
	if s.Kind == "article" {
		return "the article"
	}
	if s.File != "" {
		return fmt.Sprintf("%s of %s (%s; no log proves it)", frame.Printable(s.File), cmp.Or(s.Day, "no declared day"), s.By)
	}
	logged := loggedBy(s.Org, s.Whose)
	if s.Logged != "" {
		logged = "logged on " + s.Logged + strings.TrimPrefix(logged, "logged")
	}
	return fmt.Sprintf("entry %d, %s of %s (%s; %s)", s.Entry, s.Kind, s.Day, s.By, logged)
}

func outcomeText(o *outcome.Outcome) string {
	s := fmt.Sprintf("%q", o.Measure)
	if o.TimeFrame != "" {
		s += fmt.Sprintf(" [%s]", o.TimeFrame)
	}
	return strings.TrimSpace(o.Level + " " + s)
}

func findingText(f compare.Finding) string {
	var parts []string
	if f.Specified != nil {
		parts = append(parts, outcomeText(f.Specified))
	}
	if f.Reported != nil && (f.Specified == nil || *f.Reported != *f.Specified) {
		parts = append(parts, "reported as "+outcomeText(f.Reported))
	}
	if f.Specified != nil && f.Reported != nil {
		if f.Class != outcome.EqualWords {
			parts = append(parts, fmt.Sprintf("%s: %s", f.Class, strings.Join(f.Differs, ", ")), fmt.Sprintf("likeness %.2f", f.Similarity))
		}
		parts = append(parts, "time frames "+string(f.TimeFrames))
	}
	if f.Declared != nil {
		parts = append(parts, "declared by "+sourceText(f.Declared))
	}
	if f.Why != "" {
		parts = append(parts, f.Why)
	}
	return strings.Join(parts, "; ")
}

// loggedBy says who logged something, and whose word that is.
func loggedBy(org, whose string) string {
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
