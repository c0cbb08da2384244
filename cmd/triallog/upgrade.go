package main

import (
	"context"
	"fmt"

	"github.com/trialproof/trialproof/cmd/frame"
)

// upgrade does once what opening a log does anyway: tables of an earlier release become those of
// this one. It is for logs whose servers have an account that may make no tables.
func upgrade(ctx context.Context, e *frame.Env, args []string) error {
	var f folder
	fs := e.Flags()
	f.flags(fs)
	if err := parse(e, fs, args); err != nil {
		return err
	}
	if f.dir == "" {
		return frame.Usagef("-dir must be given")
	}
	s, err := f.open(ctx, false, nil)
	if err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	_, err = fmt.Fprintln(e.Stdout, "ok: the tables are those of this release")
	return err
}
