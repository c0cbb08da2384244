package main

import (
	"context"
	"flag"
	"fmt"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
)

func enrolKey(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	var role string
	var limited limitFlags
	pubs, err := r.begin(e, args, true, func(fs *flag.FlagSet) {
		how.flags(fs)
		limited.register(fs)
		fs.StringVar(&role, "role", trial.RoleSigner, "what the key may do: `signer`, administrator or, by a registrar, registrar")
	})
	if err != nil {
		return err
	}
	if len(pubs) != 1 {
		return frame.Usagef("one .pub file must be given")
	}
	if role != trial.RoleSigner && role != trial.RoleAdministrator && role != trial.RoleRegistrar {
		return frame.Usagef("-role is signer, administrator or registrar")
	}
	req, err := readRequest(pubs[0])
	if err != nil {
		return err
	}
	limits, err := r.limits(ctx, limited)
	if err != nil {
		return err
	}
	var o trial.Openings
	k := &trial.Key{Common: r.common("approval", &o), Action: "enrol", Enrol: &req.Enrolment, Limits: limits, Org: req.Org, Role: role}
	id := req.Key.ID()
	if _, err := r.send(ctx, e, how, &trial.Statement{Subjects: trial.NamedSubject("key", id), Predicate: k}, &o, nil); err != nil {
		return err
	}
	fmt.Fprintln(e.Stdout, id)
	return nil
}
