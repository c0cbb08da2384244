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
		org = r.key.org
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

func identify(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	var typed string
	rest, err := r.begin(e, args, true, func(fs *flag.FlagSet) {
		how.flags(fs)
		fs.StringVar(&typed, "trial", "", "the `trial`: its id or a number bound to it")
	})
	if err != nil {
		return err
	}
	if typed == "" || len(rest) != 1 {
		return frame.Usagef("-trial and one registry number must be given")
	}
	number, err := trial.ParseIdentifier(rest[0])
	if err != nil {
		return frame.AsUsage(err)
	}
	id, err := r.resolve(ctx, typed)
	if err != nil {
		return err
	}
	var o trial.Openings
	st := &trial.Statement{
		Predicate: &trial.Identifier{Common: r.common("responsibility", &o), Identifier: number, Trial: id},
		Subjects:  trial.NamedSubject("trial", id),
	}
	if _, err := r.send(ctx, e, how, st, &o, nil); err != nil || how.dry {
		return err
	}
	fmt.Fprintln(e.Stdout, number)
	return nil
}

// resolve returns the id of the trial that was typed. An id is taken as it is;
// what another name stands for must be shown by a signed statement.
func (r *remote) resolve(ctx context.Context, typed string) (trial.Hash, error) {
	if id, err := trial.ParseHash(typed); err == nil {
		return id, nil
	}
	about, err := r.client.Trial(ctx, typed)
	if err != nil {
		return trial.Hash{}, fmt.Errorf("trial %s: %w", typed, err)
	}
	id, err := trial.ParseHash(about.Trial)
	if err != nil {
		return trial.Hash{}, fmt.Errorf("trial %s: the log's answer: %w", typed, err)
	}
	for _, e := range about.Entries {
		entry, err := trial.ParseEntry([]byte(e.Entry))
		if err == nil {
			err = entry.Verify()
		}
		if err != nil {
			return trial.Hash{}, fmt.Errorf("trial %s: entry %d: %w", typed, e.Index, err)
		}
		if entry.Statement != nil && names(entry, typed, id) {
			return id, nil
		}
	}
	return trial.Hash{}, fmt.Errorf("%w: the log says that %s is trial %s and shows no signed statement that says so", errInvalid, typed, id)
}

// names reports whether a signed statement binds what was typed to a trial.
func names(e *trial.Entry, typed string, id trial.Hash) bool {
	switch p := e.Statement.Statement.Predicate.(type) {
	case *trial.Identifier:
		number, err := trial.ParseIdentifier(typed)
		return err == nil && p.Identifier == number && p.Trial == id
	case *trial.Registration:
		return e.Statement.ID == id && typed == trial.SponsorNumber(e.Signer.Org, p.Number)
	}
	return false
}
