package main

import (
	"context"
	"flag"
	"fmt"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial/consent"
)

// fhirCommand writes what the log shows in the form that health records read: each access under a
// consent as a FHIR AuditEvent.
func fhirCommand(ctx context.Context, e *env, args []string) error {
	var r remote
	var as, subject string
	rest, err := r.begin(e, args, false, func(fs *flag.FlagSet) {
		fs.StringVar(&as, "as", "AuditEvent", "the `resource`: AuditEvent (R4)")
		fs.StringVar(&subject, "subject", "", "`reference` to the patient, such as Patient/p1, or a pseudonym; without it the consent's "+
			"handle stands there")
	})
	if err != nil {
		return err
	}
	if as != "AuditEvent" || len(rest) != 1 {
		return frame.Usagef("-as is AuditEvent, and one slip or one handle must be given")
	}
	return r.eachAccount(ctx, rest[0], func(a *consent.Account) error {
		for i := range a.Accesses {
			data, err := consent.AuditEvent(r.log.Name(), a, &a.Accesses[i], subject)
			if err != nil {
				return err
			}
			fmt.Fprintf(e.Stdout, "%s\n", data)
		}
		return nil
	})
}
