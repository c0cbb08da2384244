package main

import (
	"context"
	"flag"
	"fmt"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
)

// This file has the commands of registrars and administrators.

func enrolOrg(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	var id, name string
	pubs, err := r.begin(e, args, true, func(fs *flag.FlagSet) {
		how.flags(fs)
		fs.StringVar(&id, "id", "", "the organisation's `id`: ror:..., lei:... or one that you give")
		fs.StringVar(&name, "name", "", "the organisation's `name`, public")
	})
	if err != nil {
		return err
	}
	if id == "" || name == "" || len(pubs) == 0 {
		return frame.Usagef("-id, -name and at least one administrator's .pub file must be given")
	}
	var o trial.Openings
	org := &trial.Org{Common: r.common("responsibility", &o), ID: strings.ToLower(id), Name: name}
	for _, file := range pubs {
		req, err := readRequest(file)
		if err != nil {
			return err
		}
		if req.Org != org.ID {
			return frame.Usagef("%s asks to be enrolled for %s, not for %s", file, req.Org, org.ID)
		}
		org.Administrators = append(org.Administrators, req.Enrolment)
	}
	if _, err := r.send(ctx, e, how, &trial.Statement{Subjects: trial.OrgSubjects(org), Predicate: org}, &o, nil); err != nil {
		return err
	}
	if len(pubs) == 1 {
		fmt.Fprintln(e.Stderr, "one administrator is enrolled; a second one, in case the first key is lost, is advised")
	}
	fmt.Fprintln(e.Stdout, org.ID)
	return nil
}

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

func whoami(ctx context.Context, e *env, args []string) error {
	var r remote
	rest, err := r.begin(e, args, true, nil)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return frame.Usagef("no arguments but flags are taken")
	}
	about, err := r.client.Record(ctx, "key", r.key.public.ID().String())
	if err != nil {
		return err
	}
	fmt.Fprintf(e.Stdout, "key %s\n", r.key.public.ID())
	if r.key.name != "" {
		fmt.Fprintf(e.Stdout, "name %s (kept in the key file, never logged)\n", frame.Printable(r.key.name))
	}
	if len(about.Entries) == 0 {
		fmt.Fprintf(e.Stdout, "not enrolled in %s up to size %d\n", r.log.Name(), about.Size)
		return fmt.Errorf("%w: the key is not enrolled", errInvalid)
	}
	for _, entry := range about.Entries {
		parsed, err := trial.ParseEntry([]byte(entry.Entry))
		if err != nil {
			return fmt.Errorf("entry %d: %w", entry.Index, err)
		}
		fmt.Fprintf(e.Stdout, "%d %s\n", entry.Index, summary(parsed))
	}
	fmt.Fprintln(e.Stderr, "as the log tells it; trial audit checks the whole")
	return nil
}
