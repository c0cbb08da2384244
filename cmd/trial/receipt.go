package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
)

func fetchReceipt(ctx context.Context, e *env, args []string) error {
	var r remote
	var out string
	rest, err := r.begin(e, args, false, func(fs *flag.FlagSet) {
		fs.StringVar(&out, "o", "", "`file` to write the receipt to")
	})
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return frame.Usagef("the ID of a statement or its .statement file must be given")
	}
	d := new(draft)
	if d.id, err = trial.ParseHash(rest[0]); err != nil {
		if d, err = readDraft(rest[0]); err != nil {
			return err
		}
	}
	res, err := r.client.Receipt(ctx, d.id)
	if errors.Is(err, client.ErrPending) {
		fmt.Fprintf(e.Stdout, "pending %s\n", d.id)
		return err
	}
	if errors.Is(err, client.ErrNotFound) && d.file != "" {
		// It never arrived: a statement is never logged twice, so send it now.
		res, err = r.client.Submit(ctx, d.envelope(), d.Key.SPKI())
	}
	if err != nil {
		return err
	}
	if out != "" {
		d.Receipts = []string{out}
	}
	if len(d.Receipts) == 0 {
		d.Receipts = []string{fmt.Sprintf("%.12s.tlog-proof", d.id)}
	}
	v, err := d.finish(r.policy, res)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.Stderr, "logged as %s\n", loggedText(v))
	for _, name := range d.Receipts {
		fmt.Fprintln(e.Stdout, name)
	}
	return d.saltless(e)
}
