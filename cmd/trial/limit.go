package main

import (
	"context"
	"flag"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/trial"
)

// limitFlags are what a key may be limited to.
type limitFlags struct{ kinds, trials, until string }

func (l *limitFlags) register(fs *flag.FlagSet) {
	fs.StringVar(&l.kinds, "kinds", "", "the key may sign only these `kinds` of statements, with commas")
	fs.StringVar(&l.trials, "trials", "", "the key may sign only for these `trials`, with commas")
	fs.StringVar(&l.until, "until", "", "the key may sign until this `day` in UTC, such as 2027-12-31")
}

// limits returns what the flags say, nil if they say nothing.
func (r *remote) limits(ctx context.Context, l limitFlags) (*trial.KeyLimits, error) {
	if l == (limitFlags{}) {
		return nil, nil
	}
	out := &trial.KeyLimits{Kinds: list(l.kinds), Until: l.until}
	for _, typed := range list(l.trials) {
		id, err := r.resolve(ctx, typed)
		if err != nil {
			return nil, err
		}
		out.Trials = append(out.Trials, id)
	}
	slices.SortFunc(out.Trials, func(a, b trial.Hash) int { return strings.Compare(a.String(), b.String()) })
	return out, nil
}

func limitKey(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	var flags limitFlags
	var reason string
	keys, err := r.begin(e, args, true, func(fs *flag.FlagSet) {
		how.flags(fs)
		flags.register(fs)
		reasonFlag(fs, &reason)
	})
	if err != nil {
		return err
	}
	id, org, err := r.keyNamed(ctx, keys)
	if err != nil {
		return err
	}
	limits, err := r.limits(ctx, flags)
	if err != nil {
		return err
	}
	e.unstated(reason)
	var o trial.Openings
	k := &trial.Key{Common: r.common("responsibility", &o), Action: "limit", Org: org, Limit: id, Limits: limits, Reason: reason}
	return r.say(ctx, e, how, k, trial.NamedSubject("key", id), &o)
}
