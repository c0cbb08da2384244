package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/dossier"
	"github.com/trialproof/trialproof/trial/outcome"
	"github.com/trialproof/trialproof/trial/study"
)

func compareCommand(ctx context.Context, e *env, args []string) error {
	var r remote
	var article string
	var word trusted
	var asJSON bool
	fs := e.Flags()
	r.flags(fs, false)
	fs.StringVar(&article, "article", "", "`file` of the outcomes that an article reports: text with a level for each (primary: ...), a CSV table, or JSON")
	word.flags(fs)
	fs.BoolVar(&asJSON, "json", false, "print the comparison as JSON")
	rest, err := e.Parse(fs, args)
	if err != nil {
		return err
	}
	// One argument that is no file is a trial, if the environment names a policy.
	one := len(rest) == 1 && !exists(rest[0]) && os.Getenv(policyVariable) != ""
	if !one && r.url == "" && r.policyFile == "" && len(word.files)+len(word.from) == 0 {
		return e.compareFiles(rest, article, asJSON)
	}
	if err := r.open(e, false); err != nil {
		return err
	}
	if len(rest) != 1 {
		return frame.Usagef("one trial must be given, its id or a number; or two files, without -log and -policy")
	}
	_, outcomes, err := readArticle(article)
	if err != nil {
		return err
	}
	d, err := r.dossier(ctx, rest[0], &word, false)
	if err != nil {
		return err
	}
	report := d.Compare(outcomes)
	if asJSON {
		err = printJSON(e, report)
	} else {
		e.printComparison(report)
		e.printBasis(&r, d.Histories)
	}
	return errors.Join(err, stated(d.Histories))
}

// readArticle reads the outcomes of an article, and returns its bytes too; no name
// has none.
func readArticle(name string) ([]byte, []outcome.Outcome, error) {
	if name == "" {
		return nil, nil, nil
	}
	data, err := readSmall(name)
	if err != nil {
		return nil, nil, err
	}
	outcomes, err := outcome.ParseArticle(data)
	if err != nil {
		return nil, nil, frame.Usagef("%s: %w", name, err)
	}
	return data, outcomes, nil
}

func printJSON(e *env, v any) error {
	enc := json.NewEncoder(e.Stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	return enc.Encode(v)
}

// printBasis says what is concluded from histories rests on.
func (e *env) printBasis(r *remote, h *dossier.Histories) {
	fmt.Fprintf(e.Stdout, "from everything logged up to size %d, %s; not proven: that what the documents say is true\n", h.Main().Checkpoint.Size, completeText(h.Replayed()))
	e.printPolicy(r.policy)
}

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
	if serr := study.Split(bytes.NewReader(data), func(int, []byte) error { n++; return nil }); (serr == nil || errors.Is(serr, study.ErrMorePages)) && n > 1 {
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
