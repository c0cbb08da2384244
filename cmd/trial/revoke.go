package main

import (
	"context"
	"flag"
	"fmt"
	"slices"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
)

func revokeKey(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	var reason string
	keys, err := r.begin(e, args, true, func(fs *flag.FlagSet) {
		how.flags(fs)
		reasonFlag(fs, &reason)
	})
	if err != nil {
		return err
	}
	id, org, err := r.keyNamed(ctx, keys)
	if err != nil {
		return err
	}
	e.unstated(reason)
	var o trial.Openings
	k := &trial.Key{Common: r.common("responsibility", &o), Action: "revoke", Org: org, Reason: reason, Revoke: id}
	if _, err := r.send(ctx, e, how, &trial.Statement{Subjects: trial.NamedSubject("key", id), Predicate: k}, &o, nil); err != nil {
		return err
	}
	fmt.Fprintln(e.Stdout, id)
	return nil
}

// keyNamed returns the key, and whose it is, that the one argument names.
func (r *remote) keyNamed(ctx context.Context, keys []string) (id trial.Hash, org string, err error) {
	if len(keys) != 1 {
		return id, "", frame.Usagef("one .pub file or key id must be given")
	}
	if id, err = trial.ParseHash(keys[0]); err == nil {
		return id, r.key.Org, nil
	}
	if trial.IsShort(keys[0]) && !exists(keys[0]) {
		id, err = r.keyBegins(ctx, keys[0])
		return id, r.key.Org, err
	}
	req, err := readRequest(keys[0])
	return req.Key.ID(), req.Org, err
}

// keyBegins returns the one key of the signer's organisation whose id begins with the digits,
// among those that the log lists. It is said in full.
func (r *remote) keyBegins(ctx context.Context, digits string) (id trial.Hash, err error) {
	about, err := r.client.Record(ctx, "org", r.key.Org)
	if err != nil {
		return id, err
	}
	var found []trial.Hash
	for _, x := range about.Entries {
		entry, err := trial.ParseEntry([]byte(x.Entry))
		if err != nil {
			return id, fmt.Errorf("%w: entry %d: %w", errInvalid, x.Index, err)
		}
		if entry.Statement == nil {
			continue
		}
		var enrolled []trial.Enrolment
		switch p := entry.Statement.Statement.Predicate.(type) {
		case *trial.Org:
			enrolled = p.Administrators
		case *trial.Key:
			if p.Enrol != nil {
				enrolled = []trial.Enrolment{*p.Enrol}
			}
		}
		for _, k := range enrolled {
			if id := k.Key.ID(); id.Named(digits) && !slices.Contains(found, id) {
				found = append(found, id)
			}
		}
	}
	switch len(found) {
	case 0:
		return id, fmt.Errorf("%w: %s has enrolled no key whose id begins with %s", client.ErrNotFound, r.key.Org, digits)
	case 1:
		fmt.Fprintf(r.env.Stderr, "%s is the key %s\n", digits, found[0])
		return found[0], nil
	}
	return id, frame.Usagef("the ids of %d keys begin with %s: %v: give the whole id", len(found), digits, found)
}
