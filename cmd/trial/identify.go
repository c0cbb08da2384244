package main

import (
	"context"
	"flag"
	"fmt"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
)

func identify(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	var typed string
	rest, err := r.begin(e, args, true, func(fs *flag.FlagSet) {
		how.flags(fs)
		fs.StringVar(&typed, "trial", "", "the `trial`: its id or a number bound to it")
	})
	if err != nil {
		return err
	}
	if typed == "" || len(rest) != 1 {
		return frame.Usagef("-trial and one registry number must be given")
	}
	number, err := trial.ParseIdentifier(rest[0])
	if err != nil {
		return frame.AsUsage(err)
	}
	id, err := r.resolve(ctx, typed)
	if err != nil {
		return err
	}
	var o trial.Openings
	st := &trial.Statement{
		Predicate: &trial.Identifier{Common: r.common("responsibility", &o), Identifier: number, Trial: id},
		Subjects:  trial.NamedSubject("trial", id),
	}
	if _, err := r.send(ctx, e, how, st, &o, nil); err != nil || how.dry {
		return err
	}
	fmt.Fprintln(e.Stdout, number)
	return nil
}
