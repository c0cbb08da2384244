package main

import (
	"context"
	"flag"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
)

// sign adds a signature to a statement that is logged.
func sign(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	var meaning string
	rest, err := r.begin(e, args, true, func(fs *flag.FlagSet) {
		how.flags(fs)
		fs.StringVar(&meaning, "meaning", "approval", "what the signature means: author, review, `approval` or responsibility")
	})
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return frame.Usagef("one receipt, of the statement to be signed, or its id must be given")
	}
	of, err := r.logged(ctx, rest[0])
	if err != nil {
		return err
	}
	var o trial.Openings
	p := &trial.CoSignature{Common: r.common(meaning, &o), Statement: of.id, Trial: of.trial}
	return r.say(ctx, e, how, p, trial.NamedSubject("statement", of.id), &o)
}
