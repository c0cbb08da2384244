package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial/deadline"
	"github.com/trialproof/trialproof/trial/page"
)

func deadlinesCommand(ctx context.Context, e *env, args []string) error {
	var r remote
	var at string
	var word trusted
	var asJSON bool
	rest, err := r.begin(e, args, false, func(fs *flag.FlagSet) {
		fs.StringVar(&at, "at", time.Now().UTC().Format(time.DateOnly), "judge as of this `day`")
		word.flags(fs)
		fs.BoolVar(&asJSON, "json", false, "print the verdicts as JSON")
	})
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return frame.Usagef("one trial must be given: its id or a number")
	}
	d, err := r.dossier(ctx, rest[0], &word, false)
	if err != nil {
		return err
	}
	if len(d.Versions) == 0 {
		return fmt.Errorf("%w: nothing logged for %s says anything of its dates: import the registry's record, or submit with -facts",
			errInvalid, rest[0])
	}
	verdicts, err := d.Deadlines(at)
	if err != nil {
		return frame.AsUsage(err)
	}
	if asJSON {
		err = printJSON(e, verdicts)
	} else {
		for _, v := range verdicts {
			e.printVerdict(&v)
		}
		for _, u := range d.Notes() {
			fmt.Fprintf(e.Stdout, "note: %s\n", u)
		}
		e.printBasis(&r, d.Histories)
	}
	return errors.Join(err, stated(d.Histories))
}

func (e *env) printVerdict(v *deadline.Verdict) {
	fmt.Fprintf(e.Stdout, "%s %s", v.Rule, v.Verdict)
	if v.Due != "" {
		fmt.Fprintf(e.Stdout, ", due %s", v.Due)
	}
	if v.Done != "" {
		fmt.Fprintf(e.Stdout, ", done %s", v.Done)
	}
	if v.Why != "" {
		fmt.Fprintf(e.Stdout, ": %s", frame.Printable(v.Why))
	}
	fmt.Fprintf(e.Stdout, "\n  asks for %s (%s)\n", v.Asks, v.Source)
	for _, in := range v.Inputs {
		fmt.Fprintf(e.Stdout, "  %s: %s", in.Name, frame.Printable(in.Value))
		if in.By != "" {
			fmt.Fprintf(e.Stdout, ", stated by %s of %s (%s; %s)", named(in.Entry, in.File), in.Day, in.By, page.LoggedBy(in.Org, in.Whose))
		}
		for _, b := range in.Before {
			fmt.Fprintf(e.Stdout, "; before that %s by %s (%s)", b.Date.Date, b.Name(), page.LoggedBy(b.Org, b.Whose))
		}
		fmt.Fprintln(e.Stdout)
	}
	for _, n := range v.Notes {
		fmt.Fprintf(e.Stdout, "  note: %s\n", frame.Printable(n))
	}
}
