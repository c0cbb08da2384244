package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/trialproof/trialproof/logserver"
)

func fsck(ctx context.Context, e *env, args []string) error {
	var f folder
	fs := e.flags()
	f.flags(fs)
	if err := e.parse(fs, args); err != nil {
		return err
	}
	if f.dir == "" {
		return usagef("-dir must be given")
	}
	n, err := f.check(ctx, e.stdout)
	if err != nil {
		return err
	}
	if n > 0 {
		return fmt.Errorf("%d things do not agree", n)
	}
	fmt.Fprintln(e.stdout, "ok: tree, tiles, entry bundles, checkpoints, journal and state agree")
	return nil
}

// check prints what does not agree, one a line, and returns how much.
func (f *folder) check(ctx context.Context, w io.Writer) (n int, err error) {
	s, err := f.open(ctx, false, nil)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	cfg, _, err := s.config(f)
	if err != nil {
		return 0, err
	}
	err = logserver.Check(ctx, cfg, func(problem string) {
		n++
		fmt.Fprintln(w, problem)
	}, nil)
	return n, err
}
