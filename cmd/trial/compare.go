package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial/dossier"
	"github.com/trialproof/trialproof/trial/outcome"
)

func compareCommand(ctx context.Context, e *env, args []string) error {
	var r remote
	var article string
	var word trusted
	var asJSON bool
	fs := e.Flags()
	r.flags(fs, false)
	fs.StringVar(&article, "article", "", "`file` of the outcomes that an article reports: text with a level for each (primary: ...), "+
		"a CSV table, or JSON")
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
	fmt.Fprintf(e.Stdout, "from everything logged up to size %d, %s; not proven: that what the documents say is true\n",
		h.Main().Checkpoint.Size, completeText(h.Replayed()))
	e.printPolicy(r.policy)
}
