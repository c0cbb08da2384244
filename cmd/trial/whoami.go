package main

import (
	"context"
	"fmt"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
)

func whoami(ctx context.Context, e *env, args []string) error {
	var r remote
	rest, err := r.begin(e, args, true, nil)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return frame.Usagef("no arguments but flags are taken")
	}
	about, err := r.client.Record(ctx, "key", r.key.Public.ID().String())
	if err != nil {
		return err
	}
	fmt.Fprintf(e.Stdout, "key %s\n", r.key.Public.ID())
	if r.key.Name != "" {
		fmt.Fprintf(e.Stdout, "name %s (kept in the key file, never logged)\n", frame.Printable(r.key.Name))
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
