package main

import (
	"context"
	"flag"
	"fmt"
	"time"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
)

// accessCommand requests data, decides on a request, or logs a disclosure without consent.
func accessCommand(ctx context.Context, e *env, args []string) error {
	return runVerb(ctx, e, args, verb{"request", requestAccess}, verb{"decide", decideAccess})
}

func requestAccess(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	var of, use string
	var settle time.Duration
	names, err := r.begin(e, args, true, func(fs *flag.FlagSet) {
		how.flags(fs)
		fs.StringVar(&of, "of", "", "the `organisation` that is asked for data, by its id")
		fs.StringVar(&use, "use", "", "what for: `codes` of the Data Use Ontology with commas, such as DUO:0000006 for health research, "+
			"or DUO:0000007/MONDO:0005148 for research on a disease")
		settleFlag(fs, &settle)
	})
	if err != nil {
		return err
	}
	if of == "" || use == "" || len(names) == 0 {
		return frame.Usagef("-of, -use and at least one file that says what the data is for must be given")
	}
	files, err := e.finishedFiles(ctx, machine, settle, names)
	if err != nil {
		return err
	}
	var o trial.Openings
	p := &trial.Access{Common: r.common("author", &o), Action: "request", Of: of, Org: r.key.Org, Use: list(use)}
	st := &trial.Statement{Predicate: p, Subjects: subjects("request", files, true, &o)}
	id, err := r.send(ctx, e, how, st, &o, files)
	if err != nil || how.dry {
		return err
	}
	fmt.Fprintln(e.Stdout, id)
	return nil
}

func decideAccess(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	var approve, refuse, more bool
	rest, err := r.begin(e, args, true, func(fs *flag.FlagSet) {
		how.flags(fs)
		fs.BoolVar(&approve, "approve", false, "the request is approved")
		fs.BoolVar(&refuse, "refuse", false, "the request is refused, also after it was approved")
		fs.BoolVar(&more, "more", false, "more must be known before a decision")
	})
	if err != nil {
		return err
	}
	var chosen []string
	for decision, typed := range map[string]bool{"approve": approve, "refuse": refuse, "more": more} {
		if typed {
			chosen = append(chosen, decision)
		}
	}
	if len(rest) != 1 || len(chosen) != 1 {
		return frame.Usagef("one of -approve, -refuse and -more, and the request's id must be given")
	}
	var o trial.Openings
	p := &trial.Access{Common: r.common("approval", &o), Action: "decide", Decision: chosen[0]}
	if p.Request, err = r.statementOf(ctx, rest[0]); err != nil {
		return err
	}
	return r.say(ctx, e, how, p, trial.NamedSubject("request", p.Request), &o)
}
