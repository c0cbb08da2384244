package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/receipt"
)

// errStated says that a history is complete by the operator's word only.
var errStated = errors.New("complete as stated by the operator: too few replaying witnesses cosigned to prove it (trial audit proves it to you)")

func showHistory(ctx context.Context, e *env, args []string) error {
	var r remote
	var at uint64
	var asJSON bool
	rest, err := r.begin(e, args, false, func(fs *flag.FlagSet) {
		fs.Uint64Var(&at, "at", 0, "show the history as of an earlier tree `size`")
		fs.BoolVar(&asJSON, "json", false, "print the history with its proofs, a file that trial verify-history checks offline")
	})
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return usagef("one trial must be given: its id or a number bound to it")
	}
	key, err := recordKey(rest[0])
	if err != nil {
		return err
	}
	data, v, err := r.trialHistory(ctx, key)
	if err != nil {
		return err
	}
	if asJSON {
		fmt.Fprintf(e.stdout, "%s\n", data)
	} else {
		e.printHistory(v, at)
	}
	return stated(v)
}

func stated(v *history.Verdict) error {
	if !v.Replayed {
		return errStated
	}
	return nil
}

// recordKey returns the record that is typed: a trial by its id, otherwise the
// identifier.
func recordKey(typed string) (trial.RecordKey, error) {
	if id, err := trial.ParseHash(typed); err == nil {
		return trial.RecordKey{Kind: "trial", ID: id.String()}, nil
	}
	if strings.HasPrefix(typed, "sponsor:") {
		return trial.RecordKey{Kind: "identifier", ID: typed}, nil
	}
	id, err := trial.ParseIdentifier(typed)
	if err != nil {
		return trial.RecordKey{}, usageError{err}
	}
	return trial.RecordKey{Kind: "identifier", ID: id}, nil
}

// theTrial returns the trial that an identifier names, zero if none claims it.
func theTrial(rec *trial.IdentifierRecord) (trial.Hash, error) {
	if rec.Disputed() {
		var claims []string
		for _, c := range rec.Claims {
			claims = append(claims, fmt.Sprintf("%s as trial %s by entry %d", c.Org, c.Trial, c.Index))
		}
		return trial.Hash{}, fmt.Errorf("%w: %s is disputed, claimed by %s: name the trial by its id", errInvalid, rec.ID, strings.Join(claims, " and by "))
	}
	return rec.Trial(), nil
}

// trialHistory fetches and checks the history of a trial, by its id or by an
// identifier that leads to it; where that leads to none, the identifier's own.
func (r *remote) trialHistory(ctx context.Context, key trial.RecordKey) ([]byte, *history.Verdict, error) {
	data, v, err := r.history(ctx, key)
	if err != nil {
		return nil, nil, err
	}
	rec, ok := v.Record.(*trial.IdentifierRecord)
	if !ok {
		return data, v, nil
	}
	id, err := theTrial(rec)
	if err != nil || id.IsZero() {
		return data, v, err
	}
	return r.history(ctx, trial.RecordKey{Kind: "trial", ID: id.String()})
}

// history fetches and checks a record's history.
func (r *remote) history(ctx context.Context, key trial.RecordKey) ([]byte, *history.Verdict, error) {
	data, err := r.client.History(ctx, key.Kind, key.ID)
	if err != nil {
		return nil, nil, err
	}
	v, err := checkHistory(r.policy, data)
	if err == nil && v.Key != key {
		err = fmt.Errorf("%w: the log answers with the history of %s %s", errInvalid, v.Key.Kind, v.Key.ID)
	}
	return data, v, err
}

func checkHistory(p *receipt.Policy, data []byte) (*history.Verdict, error) {
	h, err := history.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errInvalid, err)
	}
	v, err := h.Verify(p)
	if _, ok := errors.AsType[*trial.NewerRules](err); ok {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errInvalid, err)
	}
	return v, nil
}

// printHistory shows the entries below size at, all if at is 0.
func (e *env) printHistory(v *history.Verdict, at uint64) {
	size := v.Checkpoint.Size
	if at > 0 && at < size {
		size = at
	}
	items := map[uint64]*trial.Item{}
	if tl := v.Timeline(size); tl != nil {
		for _, i := range tl.Items {
			items[i.Index] = i
		}
	}
	shown := 0
	for _, entry := range v.Entries {
		if entry.Index >= size {
			continue
		}
		shown++
		fmt.Fprintf(e.stdout, "%d %s\n", entry.Index, summary(entry.Entry))
		if i := items[entry.Index]; i != nil {
			e.printMarks(i)
		}
	}
	if shown == 0 {
		fmt.Fprintf(e.stdout, "nothing was logged for %s %s up to size %d\n", v.Key.Kind, v.Key.ID, size)
	} else {
		fmt.Fprintf(e.stdout, "these %d entries are all that was logged for %s %s up to size %d\n", shown, v.Key.Kind, v.Key.ID, size)
	}
	if t, ok := v.Checkpoint.ProvenTime(); ok {
		fmt.Fprintf(e.stdout, "witnesses saw the tree of size %d by %s; times above are the log's clock\n", v.Checkpoint.Size, t.Format(time.RFC3339))
	}
}

// printMarks shows the marks of an entry below it.
func (e *env) printMarks(i *trial.Item) {
	for _, m := range i.Marks {
		fmt.Fprintf(e.stdout, "  %s %s: %s\n", m.ID, trial.MarkText(m.ID), printable(m.Text))
	}
}

func verifyHistory(ctx context.Context, e *env, args []string) error {
	fs := e.flags()
	policyFile := fs.String("policy", "", "policy `file`")
	at := fs.Uint64("at", 0, "show the history as of an earlier tree `size`")
	rest, err := e.parse(fs, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return usagef("one history, as trial history -json prints it, must be given")
	}
	p, err := readPolicy(*policyFile)
	if err != nil {
		return err
	}
	if _, err := regular(rest[0]); err != nil {
		return err
	}
	data, err := os.ReadFile(rest[0])
	if err != nil {
		return usageError{err}
	}
	v, err := checkHistory(p, data)
	if err != nil {
		return err
	}
	e.printHistory(v, *at)
	return stated(v)
}
