package main

import (
	"fmt"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial/compare"
	"github.com/trialproof/trialproof/trial/page"
)

func (e *env) printComparison(r *compare.Report) {
	for _, v := range r.Start {
		if v.File != "" {
			fmt.Fprintf(e.Stdout, "start %s by %s of %s (%s)\n", strings.TrimSpace(v.Date.Date+" "+v.Kind), frame.Printable(v.File),
				v.Day, v.By)
			continue
		}
		fmt.Fprintf(e.Stdout, "start %s by entry %d of %s (%s; %s)\n", strings.TrimSpace(v.Date.Date+" "+v.Kind), v.Entry, v.Day, v.By,
			page.LoggedBy(v.Org, v.Whose))
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
		fmt.Fprintf(e.Stdout, "%s: %s\n", f.Status, frame.Printable(page.Finding(f)))
	}
	for _, f := range r.SinceEarliest {
		fmt.Fprintf(e.Stdout, "against the earliest known version, %s: %s\n", f.Status, frame.Printable(page.Finding(f)))
	}
	if r.Earliest == nil {
		for _, o := range r.Unjudged {
			fmt.Fprintf(e.Stdout, "reported, with nothing prespecified to compare it with: %s\n", frame.Printable(page.Outcome(&o)))
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
func named(entry uint64, file string) string { return frame.Printable(page.Named(entry, file)) }

func sourceText(s *compare.Source) string { return frame.Printable(page.Source(s)) }
