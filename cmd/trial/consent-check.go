package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/consent"
)

// checkConsent checks that a slip fits the log: its consents are there, its codes end them, and
// whether they stand.
func checkConsent(ctx context.Context, e *env, args []string) error {
	var r remote
	rest, err := r.begin(e, args, false, nil)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return frame.Usagef("one slip must be given")
	}
	slip, err := readSlip(rest[0])
	if err != nil {
		return err
	}
	if slip.Origin != r.log.Name() {
		return frame.Usagef("the slip is of the log %s, and the policy of %s", slip.Origin, r.log.Name())
	}
	proven, standing := true, true
	var errs []error
	for _, held := range slip.Held() {
		a, replayed, err := r.account(ctx, held.Handle)
		if err == nil {
			err = fitsLock(a, held)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("consent %s: %w", held.Handle, err))
			continue
		}
		proven = proven && replayed
		word := "stands, and this slip can end it"
		if err := a.Record.(*trial.ConsentRecord).Standing(trial.TimeOf(time.Now())); err != nil {
			word, standing = "does not stand: "+err.Error(), false
		}
		fmt.Fprintf(e.Stdout, "consent %s, given at %s for %s: %s\n", a.Handle, a.Org, a.To, word)
	}
	switch err := errors.Join(errs...); {
	case err != nil:
		return err
	case !standing:
		return negative{errors.New("not all consents of the slip stand")}
	case !proven:
		return errStated
	}
	return nil
}

// fitsLock refuses a slip whose code does not end the consent.
func fitsLock(a *consent.Account, held consent.Held) error {
	if rec := a.Record.(*trial.ConsentRecord); trial.ConsentLock(held.Code) != rec.Lock {
		return fmt.Errorf("%w: this slip cannot end it: its code is another than that of the consent in the log. Whoever gave the slip must "+
			"end the "+
			"consent and give another one", errInvalid)
	}
	return nil
}
