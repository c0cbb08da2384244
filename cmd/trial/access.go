package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/durable"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/consent"
	"github.com/trialproof/trialproof/trial/element"
)

// accessCommand requests data, decides on a request, or logs a disclosure without consent.
func accessCommand(ctx context.Context, e *env, args []string) error {
	return runVerb(ctx, e, args, verb{"request", requestAccess}, verb{"decide", decideAccess}, verb{"disclose", discloseAccess})
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

// discloseAccess logs a disclosure without consent: what, to whom and of whom it was, only its
// terms say.
func discloseAccess(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	var x index
	var basis, terms, until string
	var settle time.Duration
	rest, err := r.begin(e, args, true, func(fs *flag.FlagSet) {
		how.flags(fs)
		x.flags(fs)
		settleFlag(fs, &settle)
		fs.StringVar(&basis, "basis", "", "why no consent was needed: `one` of "+strings.Join(trial.DisclosureBases, ", "))
		fs.StringVar(&terms, "terms", "", "`file` with content, purpose, recipient (name and address) and subject, a JSON object; it stays "+
			"with you")
		fs.StringVar(&until, "until", "", "last `day` for which the law suspends the account of it to the person (45 CFR 164.528(a)(2))")
	})
	if err != nil {
		return err
	}
	if basis == "" || terms == "" || len(rest) > 0 {
		return frame.Usagef("-basis and -terms must be given")
	}
	files, err := e.finishedFiles(ctx, machine, settle, []string{terms})
	if err != nil {
		return err
	}
	data, err := readSmall(terms)
	if err != nil {
		return err
	}
	d, err := consent.ParseDisclosure(data)
	if err != nil {
		return frame.Usagef("%s: %w", terms, err)
	}
	secret, err := e.makeSecret(terms + ".elements")
	if err != nil {
		return err
	}
	tree, err := element.New(secret, files[0].digest, d.Parts())
	if err != nil {
		return frame.AsUsage(err)
	}
	var o trial.Openings
	p := &trial.Access{Common: r.common("responsibility", &o), Action: "disclose", Basis: basis, Elements: tree.Root(), Org: r.key.Org,
		Until: until}
	st := &trial.Statement{Predicate: p, Subjects: subjects("disclosure", files, true, &o)}
	payload, err := st.Marshal()
	if err != nil {
		return err
	}
	entry := ""
	if !how.dry { // before it is logged: the log cannot say whose it is
		if entry, err = x.add(&consent.Entry{Disclosure: d, ID: trial.StatementID(payload), Log: r.log.Name(), Subject: d.Subject}); err != nil {
			return err
		}
	}
	id, err := r.send(ctx, e, how, st, &o, files)
	if entry != "" && trial.RuleOf(err) != "" {
		err = errors.Join(err, durable.Remove(entry))
	}
	if err != nil || how.dry {
		return err
	}
	fmt.Fprintln(e.Stdout, id)
	return nil
}
