package main

import (
	"context"
	"flag"
	"fmt"
	"time"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/dossier"
	"github.com/trialproof/trialproof/trial/timeline"
)

func inForce(ctx context.Context, e *env, args []string) error {
	var r remote
	var day, scope string
	rest, err := r.begin(e, args, false, func(fs *flag.FlagSet) {
		fs.StringVar(&day, "at", "", "the `date`, such as 2026-03-01 (its end, in UTC); default: today")
		fs.StringVar(&scope, "scope", trial.ScopeGlobal, "global, a country such as DE, or a sub-protocol's `name`")
	})
	if err != nil {
		return err
	}
	if len(rest) != 1 && len(rest) != 2 {
		return frame.Usagef("one trial must be given, and a file if it is to be compared")
	}
	if day == "" {
		day = time.Now().UTC().Format(time.DateOnly)
	}
	date, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return frame.Usagef("-at is a date such as 2026-03-01, not %q", day)
	}
	files, err := e.digestFiles(ctx, rest[1:])
	if err != nil {
		return err
	}
	if err := trial.CheckScope(scope); err != nil {
		return frame.AsUsage(err)
	}
	key, err := r.trialKey(ctx, rest[0])
	if err != nil {
		return err
	}
	p, by, err := r.gatherer().Trial(ctx, key)
	if err != nil {
		return err
	}
	v := p.Verdict
	seen, witnessed := v.Checkpoint.ProvenTime()
	if witnessed && date.After(seen) {
		return fmt.Errorf("the newest tree is of %s: what will be in force on %s cannot be known yet", trial.Moment(seen), day)
	}
	var found *timeline.Item
	timeline, end := v.Timeline(0), trial.TimeOf(date.AddDate(0, 0, 1))-1
	if timeline != nil {
		found = timeline.InForce(scope, end)
	}
	emptied := dossier.EmptiedVersions(timeline, scope, end)
	if found == nil && len(emptied) > 0 {
		fmt.Fprintf(e.Stdout, "no protocol stands that was logged for %s %s by %s\n", v.Key.Kind, v.Key.ID, day)
	} else if found == nil {
		fmt.Fprintf(e.Stdout, "no protocol was logged for %s %s by %s\n", v.Key.Kind, v.Key.ID, day)
	} else {
		if p := found.Statement.Predicate.(*trial.Protocol); p.Scope != scope {
			fmt.Fprintf(e.Stdout, "no version of the scope %s was in force on %s: the global one holds there\n", scope, day)
		}
		p := found.Statement.Predicate.(*trial.Protocol)
		fmt.Fprintf(e.Stdout, "protocol version %s (%s) was in force on %s: entry %d, logged %s by the log's clock\n",
			found.Value("version"), p.Scope, day, found.Index, found.Time)
		for _, s := range found.Statement.Subjects {
			if s.Digest.SHA256.IsZero() {
				fmt.Fprintf(e.Stdout, "  %s: salted commitment %s\n", s.Name, s.Digest.Salted256)
			} else {
				fmt.Fprintf(e.Stdout, "  %s: SHA-256 %s\n", s.Name, s.Digest.SHA256)
			}
		}
		e.printMarks(found)
	}
	for _, i := range emptied {
		fmt.Fprintf(e.Stdout, "version %s, entry %d of %s, was in force until entry %d of %s emptied it\n", i.Value("version"), i.Index,
			i.Time, i.Void.Index, i.Void.Time)
	}
	e.printFormerly(by, v)
	if witnessed {
		fmt.Fprintf(e.Stdout, "as of the tree of size %d, which witnesses saw by %s\n", v.Checkpoint.Size, trial.Moment(seen))
	}
	e.printPolicy(r.policy)
	for _, f := range files {
		if err := compareInForce(f, found); err != nil {
			if which := dossier.WhyNotInForce(timeline, f.digest, end); which != "" {
				return negative{fmt.Errorf("%s was not in force on %s: %s", f.name, day, which)}
			}
			return err
		}
		fmt.Fprintf(e.Stdout, "%s is among them\n", f.name)
	}
	return stated(&dossier.Histories{Trial: p})
}

// compareInForce reports whether a file is among the documents of the version in force.
func compareInForce(f file, found *timeline.Item) error {
	if found == nil {
		return fmt.Errorf("%w: %s was not in force: nothing was", errInvalid, f.name)
	}
	salted := false
	for _, s := range found.Statement.Subjects {
		if s.Digest.SHA256 == f.digest {
			return nil
		}
		salted = salted || !s.Digest.Salted256.IsZero()
	}
	if salted {
		return fmt.Errorf("%s cannot be compared here: the documents are salted commitments; trial verify compares it with its receipt",
			f.name)
	}
	return fmt.Errorf("%w: %s is not among the documents in force, its SHA-256 is %s", errInvalid, f.name, f.digest)
}
