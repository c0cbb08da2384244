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
