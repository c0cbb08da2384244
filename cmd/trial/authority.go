package main

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
)

// This file has the commands that say who may say what for a trial.

// say sends a statement about no document and prints its identity.
func (r *remote) say(ctx context.Context, e *env, how sending, p trial.Predicate, subjects []trial.Subject, o *trial.Openings) error {
	id, err := r.send(ctx, e, how, &trial.Statement{Subjects: subjects, Predicate: p}, o, nil)
	if err != nil || how.dry {
		return err
	}
	fmt.Fprintln(e.Stdout, id)
	return nil
}

// list splits what is typed with commas, sorted and without repetition.
func list(typed string) []string {
	if typed == "" {
		return nil
	}
	parts := strings.Split(typed, ",")
	slices.Sort(parts)
	return slices.Compact(parts)
}

func delegate(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	var typed, to, kinds, scope, end, withdraw, reason string
	rest, err := r.begin(e, args, true, func(fs *flag.FlagSet) {
		how.flags(fs)
		fs.StringVar(&typed, "trial", "", "the `trial`: its id or a number bound to it")
		fs.StringVar(&to, "to", "", "the organisation's `id`")
		fs.StringVar(&kinds, "kinds", "", "what it may log: `kinds` with commas, of "+strings.Join(trial.DelegableKinds, ", "))
		fs.StringVar(&scope, "scope", "", "only in this `scope`: global, a country such as DE, or a sub-protocol (protocols and milestones)")
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
	if p.Withdraw, err = r.statementOf(withdraw); err != nil {
		return err
	}
	return r.say(ctx, e, how, p, trial.NamedSubject("trial", id), &o)
}

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
		to = r.key.org
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
	if p.Offer, err = r.statementOf(accept + withdraw); err != nil {
		return err
	}
	return r.say(ctx, e, how, p, trial.NamedSubject("trial", id), &o)
}

// reasonFlag asks why authority ends.
func reasonFlag(fs *flag.FlagSet, reason *string) {
	fs.StringVar(reason, "reason", "", "why: `one` of "+strings.Join(trial.EndReasons, ", "))
}

// unstated warns that the history will show no reason.
func (e *env) unstated(reason string) {
	if reason == "" {
		fmt.Fprintf(e.Stderr, "no reason is stated, and the history will say so: -reason takes one of %s\n", strings.Join(trial.EndReasons, ", "))
	}
}

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
	id, org, err := r.keyNamed(keys)
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
		fs.StringVar(&p.Void, "void", "", "empty the statement's whole effect, for this `reason` instead: "+strings.Join(trial.VoidReasons, ", "))
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
