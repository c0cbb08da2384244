package main

import (
	"context"
	"flag"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
)

func transfer(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	var typed, to, accept, withdraw, ground string
	rest, err := r.begin(e, args, true, func(fs *flag.FlagSet) {
		how.flags(fs)
		fs.StringVar(&typed, "trial", "", "the `trial`: its id or a number bound to it")
		fs.StringVar(&to, "to", "", "the `id` of the organisation that is to hold the trial")
		fs.StringVar(&accept, "accept", "", "accept the offer of this `receipt` or statement id, as the new holder")
		fs.StringVar(&withdraw, "withdraw", "", "withdraw the offer of this `receipt` or statement id")
		fs.StringVar(&ground, "ground", "", "order the transfer, as a registrar, on this `ground`: "+strings.Join(trial.Grounds, ", "))
	})
	if err != nil {
		return err
	}
	given := 0
	for _, s := range []string{accept, withdraw, ground} {
		if s != "" {
			given++
		}
	}
	if to == "" && accept != "" {
		to = r.key.Org
	}
	if typed == "" || to == "" || len(rest) > 0 || given > 1 {
		return frame.Usagef("-trial and -to must be given, and one of -accept, -withdraw and -ground at most")
	}
	id, err := r.resolve(ctx, typed)
	if err != nil {
		return err
	}
	var o trial.Openings
	p := &trial.Transfer{Common: r.common("approval", &o), Action: "offer", Ground: ground, To: to, Trial: id}
	switch {
	case accept != "":
		p.Action = "accept"
	case withdraw != "":
		p.Action = "withdraw"
	case ground != "":
		p.Action = "order"
	}
	if p.Offer, err = r.statementOf(ctx, accept+withdraw); err != nil {
		return err
	}
	return r.say(ctx, e, how, p, trial.NamedSubject("trial", id), &o)
}
