package main

import (
	"context"
	"flag"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
)

// endConsent ends a consent: by the code of a slip, or as the organisation that granted it.
func endConsent(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	var erase bool
	rest, err := r.begin(e, args, true, func(fs *flag.FlagSet) {
		how.flags(fs)
		fs.BoolVar(&erase, "erase", false, "ask that the data be erased, too")
	})
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return frame.Usagef("one slip or one handle must be given")
	}
	handles, err := r.handles(ctx, rest[0])
	if err != nil {
		return err
	}
	for _, handle := range handles {
		var o trial.Openings
		p := &trial.Consent{Common: r.common("responsibility", &o), Action: "end", Consent: handle, Erase: erase}
		if err := r.say(ctx, e, how, p, trial.NamedSubject("consent", handle), &o); err != nil {
			return err
		}
	}
	return nil
}
