package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/consent"
)

// An ending is how consents are ended.
type ending struct {
	remote
	how   sending
	erase bool
	wait  time.Duration
}

// endConsent ends consents: those of a slip, by their codes, or one as the organisation that
// granted it.
func endConsent(ctx context.Context, e *env, args []string) error {
	x := &ending{}
	fs := e.Flags()
	x.flags(fs, true)
	x.how.flags(fs)
	fs.BoolVar(&x.erase, "erase", false, "ask that the data be erased, too")
	fs.DurationVar(&x.wait, "wait", 30*time.Second, "how long a relay has until the log shows the end, before the next relay is asked")
	rest, err := e.Parse(fs, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return frame.Usagef("one slip or one handle must be given")
	}
	own := x.keyFile != ""
	if err := x.open(e, own); err != nil {
		return err
	}
	if own {
		if err := e.private(x.keyFile, x.strict); err != nil {
			return err
		}
	}
	handle, err := x.id(ctx, rest[0])
	if err != nil {
		return err
	}
	if !handle.IsZero() {
		if !own {
			if err := errors.Join(x.openKey(), e.private(x.keyFile, x.strict)); err != nil {
				return err
			}
		}
		return x.sign(ctx, e, consent.Held{Handle: handle})
	}
	slip, err := readSlip(rest[0])
	if err != nil {
		return err
	}
	if slip.Origin != x.log.Name() {
		return frame.Usagef("the slip is of the log %s, and the policy of %s", slip.Origin, x.log.Name())
	}
	var errs []error
	for _, held := range slip.Held() {
		if err := x.end(ctx, e, slip, held, own); err != nil {
			errs = append(errs, fmt.Errorf("consent %s: %w", held.Handle, err))
		}
	}
	return errors.Join(errs...)
}

// end ends one consent of a slip.
func (x *ending) end(ctx context.Context, e *env, slip *consent.Slip, held consent.Held, own bool) error {
	if done, err := x.ended(ctx, held.Handle); err != nil {
		return err
	} else if done {
		fmt.Fprintf(e.Stderr, "consent %s had ended already\n", held.Handle)
		fmt.Fprintln(e.Stdout, held.Handle)
		return nil
	}
	if own {
		return x.sign(ctx, e, held)
	}
	var errs []error
	for _, address := range slip.Relays {
		err := x.relay(ctx, address, held)
		if err == nil {
			fmt.Fprintf(e.Stderr, "consent %s has ended: its history shows it\n", held.Handle)
			fmt.Fprintln(e.Stdout, held.Handle)
			return nil
		}
		err = fmt.Errorf("relay %s: %w", address, err)
		fmt.Fprintf(e.Stderr, "trial %s: %v\n", e.Command(), err)
		if errs = append(errs, err); ctx.Err() != nil {
			break
		}
	}
	return errors.Join(append([]error{errors.New("NOT ended: no relay of the slip ended it. Ask the place that gave the slip to end it, or " +
		"any " +
		"organisation that is enrolled, with -key; and show the code to whoever hands the data out, who must then stop")}, errs...)...)
}

// relay has one relay end a consent, and waits until the consent's history shows that it ended.
func (x *ending) relay(ctx context.Context, address string, held consent.Held) error {
	c, err := client.New(address)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, x.wait)
	defer cancel()
	_, asked := c.End(ctx, held.Handle, held.Code, x.erase)
	switch {
	case asked == nil, errors.Is(asked, client.ErrPending), trial.RuleOf(asked) == trial.RuleTaken:
	case trial.RuleOf(asked) != "":
		return asked
	default:
		if done, err := x.ended(ctx, held.Handle); err != nil || !done { // its answer may be lost, and not the end
			return asked
		}
		return nil
	}
	for {
		done, err := x.ended(ctx, held.Handle)
		if done {
			return nil
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("it says that it ended the consent, and after %s the consent's history does not show it: the relay, or "+
				"the operator of the log, has dropped it", x.wait), err)
		}
	}
}

// ended reports whether a consent's history shows that it ended, and that erasure was asked for
// if that is wanted.
func (x *ending) ended(ctx context.Context, handle trial.Hash) (bool, error) {
	a, _, err := x.account(ctx, handle)
	if err != nil {
		return false, err
	}
	return a.Ended != nil && (a.Erase || !x.erase), nil
}

// sign ends a consent with the user's own key.
func (x *ending) sign(ctx context.Context, e *env, held consent.Held) error {
	var o trial.Openings
	p := &trial.Consent{Common: x.common("responsibility", &o), Action: "end", Code: held.Code, Consent: held.Handle, Erase: x.erase}
	st := &trial.Statement{Predicate: p, Subjects: trial.NamedSubject("consent", held.Handle)}
	if _, err := x.send(ctx, e, x.how, st, &o, nil); err != nil || x.how.dry {
		return err
	}
	fmt.Fprintln(e.Stdout, held.Handle)
	return nil
}
