package main

import (
	"context"
	"flag"
	"fmt"
	"slices"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/vault"
)

// recipientCommand adds or retires a key to which data is encrypted for the organisation.
func recipientCommand(ctx context.Context, e *env, args []string) error {
	return runVerb(ctx, e, args, verb{"add", addRecipient}, verb{"retire", retireRecipient})
}

func addRecipient(ctx context.Context, e *env, args []string) error {
	return changeRecipient(ctx, e, args, "add")
}

func retireRecipient(ctx context.Context, e *env, args []string) error {
	return changeRecipient(ctx, e, args, "retire")
}

func changeRecipient(ctx context.Context, e *env, args []string, action string) error {
	var r remote
	var how sending
	var reason string
	rest, err := r.begin(e, args, true, func(fs *flag.FlagSet) {
		how.flags(fs)
		if action == "retire" {
			reasonFlag(fs, &reason)
		}
	})
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return frame.Usagef("one recipient file must be given: age-keygen -y IDENTITY prints it; to retire, the recipient's id will do")
	}
	if r.key.Org == "" {
		return frame.Usagef("%s does not say of which organisation the key is: use the key file that trial keygen made", r.keyFile)
	}
	var o trial.Openings
	p := &trial.Recipient{Common: r.common("approval", &o), Action: action, Org: r.key.Org, Reason: reason}
	if action == "add" {
		if p.Recipient, err = readRecipient(rest[0]); err != nil {
			return err
		}
	} else if p.Retire, err = recipientTyped(r.key.Org, rest[0]); err != nil {
		return err
	} else {
		e.unstated(reason)
	}
	st := &trial.Statement{Subjects: trial.NamedSubject("recipient", p.ID()), Predicate: p}
	if _, err := r.send(ctx, e, how, st, &o, nil); err != nil || how.dry {
		return err
	}
	fmt.Fprintln(e.Stdout, p.ID())
	return nil
}

// recipientTyped returns the id of an organisation's recipient, which is typed or in a file.
func recipientTyped(org, typed string) (trial.Hash, error) {
	if id, err := trial.ParseHash(typed); err == nil {
		return id, nil
	}
	recipient, err := readRecipient(typed)
	if err != nil {
		return trial.Hash{}, err
	}
	return trial.RecipientID(org, recipient), nil
}

// readRecipient reads a file with one recipient, as age-keygen -y prints it.
func readRecipient(name string) (string, error) {
	text, err := readSmall(name)
	if err != nil {
		return "", err
	}
	recipient, err := vault.ParseRecipient(text)
	if err != nil {
		return "", frame.Usagef("%s: %w", name, err)
	}
	return recipient, nil
}

// recipientOf returns the newest recipient of an organisation that is not retired, or the one
// with an id. The organisation's history shows which there are, and that none was left out.
func (r *remote) recipientOf(ctx context.Context, org string, id trial.Hash) (string, error) {
	h, err := r.history(ctx, trial.RecordKey{Kind: "org", ID: org}, 0)
	if err != nil {
		return "", err
	}
	if h.Record == nil {
		return "", fmt.Errorf("%w: no organisation %s is enrolled", errInvalid, org)
	}
	found, retired := "", map[trial.Hash]bool{}
	for _, e := range slices.Backward(h.Entries) { // the newest first
		if e.Entry.Statement == nil {
			continue
		}
		p, ok := e.Entry.Statement.Statement.Predicate.(*trial.Recipient)
		switch {
		case !ok:
		case p.Action == "retire":
			retired[p.Retire] = true
		case found == "" && !retired[p.ID()] && (id.IsZero() || id == p.ID()):
			found = p.Recipient
		}
	}
	switch {
	case found != "":
		return found, nil
	case retired[id]:
		return "", fmt.Errorf("%w: %s has retired this recipient: ask for its new one", errInvalid, org)
	case !id.IsZero():
		return "", fmt.Errorf("%w: this recipient is not logged for %s: its administrator adds it with trial recipient add", errInvalid, org)
	}
	return "", fmt.Errorf("%w: %s has no recipient in the log: its administrator adds one with trial recipient add", errInvalid, org)
}
