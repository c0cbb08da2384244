package main

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
)

func register(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	var number, org, meaning string
	var masked, private bool
	var settle time.Duration
	names, err := r.begin(e, args, true, func(fs *flag.FlagSet) {
		how.flags(fs)
		fs.StringVar(&number, "number", "", "the sponsor's protocol `number`, public")
		settleFlag(fs, &settle)
		fs.BoolVar(&masked, "masked", false, "the trial is masked (blinded)")
		fs.StringVar(&org, "org", "", "the organisation's `id`, if the key file does not say it")
		fs.StringVar(&meaning, "meaning", "responsibility", "what the signature means: `author`, review, approval or responsibility")
		fs.BoolVar(&private, "private", false, "commit to the files with salts instead of showing their digests")
	})
	if err != nil {
		return err
	}
	if number == "" {
		return frame.Usagef("-number must be given")
	}
	if org == "" {
		org = r.key.Org
	}
	if org == "" {
		return frame.Usagef("the key file does not say whose key it is: name the organisation with -org")
	}
	files, err := e.finishedFiles(ctx, machine, settle, names)
	if err != nil {
		return err
	}
	var o trial.Openings
	st := &trial.Statement{
		Predicate: &trial.Registration{Common: r.common(meaning, &o), Masked: masked, Number: number, Org: strings.ToLower(org)},
		Subjects:  subjects("registration", files, private, &o),
	}
	if len(files) == 0 {
		st.Subjects = trial.NumberSubject(number)
	}
	id, err := r.send(ctx, e, how, st, &o, files)
	if err != nil || how.dry {
		return err
	}
	fmt.Fprintln(e.Stdout, id)
	return nil
}
