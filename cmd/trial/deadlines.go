package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"time"

	"github.com/trialproof/trialproof/trial/deadline"
	"github.com/trialproof/trialproof/trial/study"
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
		return usagef("one trial must be given: its id or a number")
	}
	d, err := r.dossier(ctx, rest[0], &word, registryNumbers)
	if err != nil {
		return err
	}
	if len(d.versions) == 0 {
		return fmt.Errorf("%w: nothing logged for %s says anything of its dates: import the registry's record, or submit with -facts", errInvalid, rest[0])
	}
	versions, emptied := d.withMilestones()
	verdicts, err := deadline.Weigh(versions, emptied, at)
	if err != nil {
		return usageError{err}
	}
	if asJSON {
		err = printJSON(e, verdicts)
	} else {
		for _, v := range verdicts {
			e.printVerdict(&v)
		}
		for _, u := range slices.Concat(d.unread, d.withdrawn, d.unheard()) {
			fmt.Fprintf(e.stdout, "note: %s\n", u)
		}
		e.printBasis(&r, d)
	}
	return errors.Join(err, d.stated())
}

func (e *env) printVerdict(v *deadline.Verdict) {
	fmt.Fprintf(e.stdout, "%s %s", v.Rule, v.Verdict)
	if v.Due != "" {
		fmt.Fprintf(e.stdout, ", due %s", v.Due)
	}
	if v.Done != "" {
		fmt.Fprintf(e.stdout, ", done %s", v.Done)
	}
	if v.Why != "" {
		fmt.Fprintf(e.stdout, ": %s", printable(v.Why))
	}
	fmt.Fprintf(e.stdout, "\n  asks for %s (%s)\n", v.Asks, v.Source)
	for _, in := range v.Inputs {
		fmt.Fprintf(e.stdout, "  %s: %s", in.Name, printable(in.Value))
		if in.By != "" {
			fmt.Fprintf(e.stdout, ", stated by %s of %s (%s; %s)", named(in.Entry, in.File), in.Day, in.By, loggedBy(in.Org, in.Whose))
		}
		for _, b := range in.Before {
			fmt.Fprintf(e.stdout, "; before that %s by %s (%s)", b.Date.Date, b.Name(), loggedBy(b.Org, b.Whose))
		}
		fmt.Fprintln(e.stdout)
	}
	for _, n := range v.Notes {
		fmt.Fprintf(e.stdout, "  note: %s\n", printable(n))
	}
}

// withMilestones adds to each version the date that the sponsor's milestones state
// and the record itself does not have: the end of the trial in the EU, which no
// register of the United States knows. The earliest that was ever logged counts: a
// date that was moved clears nothing. Those of milestones that were emptied are returned
// apart.
func (d *dossier) withMilestones() (list []study.Version, emptied []deadline.Emptied) {
	if d.timeline == nil {
		return d.versions, nil
	}
	for _, i := range d.timeline.Emptied("end-of-trial", "EU") {
		emptied = append(emptied, deadline.Emptied{
			Date: i.Earliest("date"), Entry: i.Index, Void: i.Void.Index, Org: i.Signer.Org, Holder: d.timeline.HolderAt(i.Index) == i.Signer.Org,
		})
	}
	end := d.timeline.EarliestDate("end-of-trial", "EU")
	if end == "" {
		return d.versions, emptied
	}
	for _, v := range d.versions {
		s := *v.Study
		s.Dates = append(s.Dates[:len(s.Dates):len(s.Dates)], study.Date{Event: deadline.EndEU, Date: end, Kind: study.Actual})
		v.Study = &s
		list = append(list, v)
	}
	return list, emptied
}
