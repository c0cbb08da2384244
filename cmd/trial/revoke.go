package main

import (
	"context"
	"flag"
	"fmt"

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
	id, org, err := r.keyNamed(keys)
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
func (r *remote) keyNamed(keys []string) (id trial.Hash, org string, err error) {
	if len(keys) != 1 {
		return id, "", frame.Usagef("one .pub file or key id must be given")
	}
	if id, err = trial.ParseHash(keys[0]); err == nil {
		return id, r.key.org, nil
	}
	req, err := readRequest(keys[0])
	return req.Key.ID(), req.Org, err
}
