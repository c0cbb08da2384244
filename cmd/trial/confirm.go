package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mattn/go-isatty"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
)

// errNotSigned is wrapped where the user answers no, and where there is nobody to ask.
var errNotSigned = errors.New("nothing was signed and nothing was sent")

// confirm asks before a key signs that comes from the user's configuration. A signature is an
// act (21 CFR 11.200): a key must not sign only because a command needed one. Whoever names
// the key for a command, with -key or in the environment, has decided already, so scripts can
// sign. No flag answers the question.
func (r *remote) confirm(ctx context.Context, e *env, st *trial.Statement, files []file) error {
	if r.keyFrom != fromConfiguration {
		return nil
	}
	advice := fmt.Sprintf("scripts name the key with -key or in %s", keyVariable)
	if !isTerminal(e.Stdin) {
		return frame.Usagef("%w: the key %s is the one of your configuration, which signs only after a question on the terminal, and "+
			"here is none: %s",
			errNotSigned, r.keyFile, advice)
	}
	fmt.Fprint(e.Stderr, r.act(st, files))
	return ask(ctx, e, "Sign it?", advice)
}

// ask asks on the terminal. Every answer except yes is an error, which contains the advice.
func ask(ctx context.Context, e *env, question, advice string) error {
	fmt.Fprintf(e.Stderr, "%s Type yes, or anything else to stop: ", question)
	answer := make(chan string, 1)
	go func() { // a terminal is read on after the command was interrupted
		line, _ := bufio.NewReader(e.Stdin).ReadString('\n')
		answer <- line
	}()
	select {
	case line := <-answer:
		if strings.EqualFold(strings.TrimSpace(line), "yes") {
			return nil
		}
		return fmt.Errorf("%w: the answer was not yes (%s)", errNotSigned, advice)
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", errNotSigned, ctx.Err())
	}
}

// isTerminal reports whether a person types what is read. The null device, which is one of
// characters too, is none.
func isTerminal(r io.Reader) bool {
	f, ok := r.(*os.File)
	return ok && (isatty.IsTerminal(f.Fd()) || isatty.IsCygwinTerminal(f.Fd()))
}

// act describes a signature before it is made: whose it is, what it is on, and its meaning.
func (r *remote) act(st *trial.Statement, files []file) string {
	var b strings.Builder
	name := r.key.Name
	if name == "" {
		name = "not in the key file"
	}
	if r.key.Org != "" {
		name += ", " + r.key.Org
	}
	fmt.Fprintf(&b, "This signs with the key that your configuration names, %s:\n", frame.Printable(r.keyFile))
	fmt.Fprintf(&b, "  name:    %s (key %s)\n", frame.Printable(name), r.key.Public.ID())
	fmt.Fprintf(&b, "  kind:    %s: %s\n", st.Predicate.Kind(), frame.Printable(trial.Describe(st)))
	for _, f := range files {
		fmt.Fprintf(&b, "  digest:  SHA-256 %s of %s\n", f.digest, frame.Printable(f.name))
	}
	if len(files) == 0 {
		for _, s := range st.Subjects {
			fmt.Fprintf(&b, "  digest:  SHA-256 %s (%s)\n", s.Digest.SHA256, frame.Printable(s.Name))
		}
	}
	fmt.Fprintf(&b, "  meaning: %s\n", trial.CommonOf(st).Meaning)
	fmt.Fprintf(&b, "  log:     %s\n", frame.Printable(trial.CommonOf(st).Log))
	return b.String()
}
