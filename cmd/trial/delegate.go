package main

import (
	"context"
	"flag"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
)

func delegate(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	var typed, to, kinds, scope, end, withdraw, reason string
	rest, err := r.begin(e, args, true, func(fs *flag.FlagSet) {
		how.flags(fs)
		fs.StringVar(&typed, "trial", "", "the `trial`: its id or a number bound to it")
		fs.StringVar(&to, "to", "", "the organisation's `id`")
		fs.StringVar(&kinds, "kinds", "", "what it may log: `kinds` with commas, of "+strings.Join(trial.DelegableKinds, ", "))
		fs.StringVar(&scope, "scope", "", "only in this `scope`: global, a country such as DE, or a sub-protocol (protocols and "+
			"milestones)")
		fs.StringVar(&end, "end", "", "last `day` of the delegation in UTC, such as 2027-12-31; until withdrawn if not given")
		fs.StringVar(&withdraw, "withdraw", "", "withdraw the delegation of this `receipt` or statement id instead")
		reasonFlag(fs, &reason)
	})
	if err != nil {
		return err
	}
	if typed == "" || len(rest) > 0 || (to == "" || kinds == "") == (withdraw == "") {
		return frame.Usagef("-trial, -to and -kinds must be given, or -trial and -withdraw")
	}
	id, err := r.resolve(ctx, typed)
	if err != nil {
		return err
	}
	if withdraw != "" {
		e.unstated(reason)
	}
	var o trial.Openings
	p := &trial.Delegation{Common: r.common("approval", &o), End: end, Kinds: list(kinds), Reason: reason, Scope: scope, To: to, Trial: id}
	if p.Withdraw, err = r.statementOf(ctx, withdraw); err != nil {
		return err
	}
	return r.say(ctx, e, how, p, trial.NamedSubject("trial", id), &o)
}
