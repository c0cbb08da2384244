package main

import (
	"context"
	"flag"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
)

// withdraw takes an observation back: it belongs to no trial, and only who logged it can.
func (r *remote) withdraw(ctx context.Context, e *env, how sending, seen *trial.Observation, id trial.Hash, reason string) error {
	var o trial.Openings
	p := &trial.Observation{Common: r.common("responsibility", &o), Identifier: seen.Identifier, Reason: reason, Withdraw: id}
	return r.say(ctx, e, how, p, trial.NamedSubject("observation", id), &o)
}

func correct(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	p := new(trial.Correction)
	old := ""
	rest, err := r.begin(e, args, true, func(fs *flag.FlagSet) {
		how.flags(fs)
		fs.StringVar(&p.Field, "field", "", "the `member` that is wrong: version, date, dated, analysis or country")
		fs.StringVar(&p.New, "new", "", "what is right; the member is to be absent if it is not given")
		fs.StringVar(&old, "old", "", "what it says now, if that is not what was logged but an earlier correction")
		fs.StringVar(&p.Reason, "reason", "clerical", "why: `clerical` (a slip of the pen) or source-corrected")
		fs.StringVar(&p.Void, "void", "", "empty the statement's whole effect, for this `reason` instead: "+
			""+strings.Join(trial.VoidReasons, ", "))
	})
	if err != nil {
		return err
	}
	if len(rest) != 1 || (p.Field == "") == (p.Void == "") {
		return frame.Usagef("-field and -new, or -void, and one receipt or id of the statement must be given")
	}
	of, err := r.logged(ctx, rest[0])
	if err != nil {
		return err
	}
	if seen, ok := of.statement.Predicate.(*trial.Observation); ok && p.Void != "" {
		return r.withdraw(ctx, e, how, seen, of.id, p.Void)
	}
	p.Of, p.Statement, p.Trial = of.statement.Predicate.Kind(), of.id, of.trial
	if p.Void != "" {
		p.New, p.Reason = "", ""
	} else if p.Old = old; old == "" {
		p.Old = memberStrings(of.statement.Predicate)[p.Field]
	}
	var o trial.Openings
	p.Common = r.common("responsibility", &o)
	return r.say(ctx, e, how, p, trial.NamedSubject("trial", p.Trial), &o)
}
