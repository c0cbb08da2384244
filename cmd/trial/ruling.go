package main

import (
	"context"
	"flag"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
)

func ruling(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	var typed, ground string
	rest, err := r.begin(e, args, true, func(fs *flag.FlagSet) {
		how.flags(fs)
		fs.StringVar(&typed, "trial", "", "the `trial` that the number belongs to: its id or another number of it")
		fs.StringVar(&ground, "ground", "registry-confirmed", "the `ground`: "+strings.Join(trial.Grounds, ", "))
	})
	if err != nil {
		return err
	}
	if typed == "" || len(rest) != 1 {
		return frame.Usagef("-trial and one disputed number must be given")
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
	p := &trial.Ruling{Common: r.common("responsibility", &o), Ground: ground, Identifier: number, Trial: id}
	return r.say(ctx, e, how, p, trial.NamedSubject("trial", id), &o)
}
