package main

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/trialproof/trialproof/api/web"
	"github.com/trialproof/trialproof/cmd/frame"
)

// pageCommand writes the page that checks files and receipts, with the verifier, as one file that
// needs no network and no program.
func pageCommand(ctx context.Context, e *env, args []string) error {
	fs := e.Flags()
	out := fs.String("o", "", "write the page to `FILE.html`; never over another")
	rest, err := e.Parse(fs, args)
	if err != nil {
		return err
	}
	if len(rest) > 0 || *out == "" {
		return frame.Usagef("-o FILE.html must be given")
	}
	if exists(*out) {
		return frame.Usagef("%s is there already and is not overwritten", *out)
	}
	data, err := web.CheckFile()
	if err != nil {
		return err
	}
	if err := writeNew(*out, data, 0o644); err != nil {
		return err
	}
	fmt.Fprintf(e.Stdout, "%x\n", sha256.Sum256(data))
	fmt.Fprintf(e.Stderr, "open %s in a browser, now or years later, with or without a network; the line above is its SHA-256: whoever "+
		"gets the file from you compares it\n", *out)
	return nil
}
