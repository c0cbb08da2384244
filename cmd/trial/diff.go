package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/study"
)

// diff compares two versions, each a document, a receipt, or an entry of a log.
func diffCommand(ctx context.Context, e *env, args []string) error {
	fs := e.Flags()
	asJSON := fs.Bool("json", false, "print the changes as JSON")
	rest, err := e.Parse(fs, args)
	if err != nil {
		return err
	}
	if len(rest) != 2 {
		return frame.Usagef("two versions must be given: documents, receipts or URL/INDEX")
	}
	a, err := e.version(ctx, rest[0])
	if err != nil {
		return err
	}
	b, err := e.version(ctx, rest[1])
	if err != nil {
		return err
	}
	if x, y := a.Number("nct"), b.Number("nct"); x != y && x != "" && y != "" {
		fmt.Fprintf(e.Stderr, "trial diff: these are two trials, %s and %s\n", x, y)
	}
	changes := study.Diff(a, b)
	if *asJSON {
		if changes == nil {
			changes = []study.Change{}
		}
		return printJSON(e, changes)
	}
	fmt.Fprintln(e.Stdout, study.Summary(changes))
	for _, c := range changes {
		fmt.Fprintln(e.Stdout, frame.Printable(c.String()))
	}
	if a.PartOnly != b.PartOnly {
		fmt.Fprintln(e.Stderr, "trial diff: one side is logged facts, so both were compared as far as facts go")
	}
	if len(changes) == 0 && !sameBytes(rest[0], rest[1]) {
		fmt.Fprintln(e.Stderr, onlyUnread)
	}
	return nil
}

// parseOne reads the one study of a file.
func parseOne(name string, data []byte) (*study.Study, error) {
	s, err := study.Parse(data)
	if err == nil {
		return s, nil
	}
	n := 0
	if serr := study.Split(bytes.NewReader(data), func(int, []byte) error { n++; return nil }); (serr == nil || errors.Is(serr,
		study.ErrMorePages)) && n > 1 {
		err = fmt.Errorf("it is an export of %d records: take one of them, or import it", n)
	}
	return nil, fmt.Errorf("%w: %s: %w", errInvalid, name, err)
}

// sameBytes reports whether two names are of files with the same bytes.
func sameBytes(a, b string) bool {
	x, err1 := os.ReadFile(a)
	y, err2 := os.ReadFile(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

// version reads a study from a document, a receipt, or an entry by its URL. What a
// receipt or log says is shown as it stands and not verified here.
func (e *env) version(ctx context.Context, name string) (*study.Study, error) {
	var entry *trial.Entry
	if strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://") {
		_, proved, err := fetchEntry(ctx, name)
		if err != nil {
			return nil, err
		}
		if entry, err = trial.ParseEntry([]byte(proved.Entry.Entry)); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	} else {
		if _, err := regular(name); err != nil {
			return nil, err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, frame.AsUsage(err)
		}
		if !strings.HasPrefix(string(data[:min(len(data), 64)]), "c2sp.org/tlog-proof@v1\n") {
			return parseOne(name, data)
		}
		r, err := parseReceipt(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if entry, err = trial.ParseEntry(r.Entry); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if entry.Statement != nil {
		_, st := entry.Statement.Effective()
		if c := trial.ContentOf(st); c != nil && c.Facts != nil {
			return study.FromFacts(c.Facts), nil
		}
	}
	return nil, fmt.Errorf("%w: %s has no facts: compare the documents themselves", errInvalid, name)
}
