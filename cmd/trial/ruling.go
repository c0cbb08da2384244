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
		fs.StringVar(&typed, "trial", "", "`id` of the trial that the number belongs to")
		fs.StringVar(&ground, "ground", "registry-confirmed", "the `ground`: "+strings.Join(trial.Grounds, ", "))
	})
	if err != nil {
		return err
	}
	id, err := trial.ParseHash(typed)
	if err != nil || len(rest) != 1 {
		return frame.Usagef("-trial with a trial's id and one disputed number must be given")
	}
	number, err := trial.ParseIdentifier(rest[0])
	if err != nil {
		return frame.AsUsage(err)
	}
	var o trial.Openings
	p := &trial.Ruling{Common: r.common("responsibility", &o), Ground: ground, Identifier: number, Trial: id}
	return r.say(ctx, e, how, p, trial.NamedSubject("trial", id), &o)
}
