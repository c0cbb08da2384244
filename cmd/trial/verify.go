package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/receipt"
)

func verify(ctx context.Context, e *env, args []string) error {
	fs := e.Flags()
	var policyFile string
	policyFlag(fs, &policyFile)
	policies := fs.String("policies", "", "`file` with the log's own history (trial history -json log), for receipts older than the policy")
	proof := fs.String("proof", "", "`receipt` of the files (FILE.tlog-proof beside each if not given), or the file with the receipts of "+
		"an import, such as receipts/ctgov.receipts")
	want := expectation{}
	fs.StringVar(&want.trial, "trial", "", "the `trial` that the files must belong to: its id or the first 12 digits of it; with "+
		"-history a number of it too")
	var histories frame.Words
	fs.Var(&histories, "history", "`file` with the trial's history (trial history -json TRIAL), which says whose a number of -trial "+
		"is; may be repeated")
	fs.StringVar(&want.kind, "kind", "", "the `kind` that the files must have been logged as")
	fs.StringVar(&want.version, "version", "", "the `version` that they must have been logged as")
	asJSON := fs.Bool("json", false, "print the verdicts as JSON, one a line")
	names, err := e.Parse(fs, args)
	if err != nil {
		return err
	}
	if len(names) == 0 && *proof == "" {
		return frame.Usagef("at least one file must be given, or a receipt alone with -proof")
	}
	trust, err := readTrust(e, policyFile, *policies)
	if err != nil {
		return err
	}
	if err := want.read(e, trust, histories); err != nil {
		return err
	}
	files, err := e.digestFiles(ctx, names)
	if err != nil {
		return err
	}
	var pick *picked
	if *proof != "" && isReceipts(*proof) {
		if len(files) == 0 {
			return frame.Usagef("%s holds many receipts: give the documents to check, or take one receipt out with trial receipt -from %s ID",
				*proof, quoted(*proof))
		}
		if pick, err = pickFor(*proof, files); err != nil {
			return err
		}
	}
	if len(files) == 0 { // the statement is about no file
		v, err := verifyReceipt(trust, *proof, want)
		if err != nil {
			err = judged(err)
			return errors.Join(e.invalidJSON(*asJSON, nil, err), err)
		}
		return e.verdict(v, *asJSON)
	}
	var failed error
	for _, f := range files {
		name := *proof
		if name == "" {
			name = f.name + ".tlog-proof"
		}
		var v checked
		if pick != nil {
			v, err = verifyPicked(e, trust, name, pick, f, want)
		} else {
			v, err = verifyFile(trust, name, f, want)
		}
		if err != nil {
			err = judged(err)
			if err := e.invalidJSON(*asJSON, &f, err); err != nil {
				return err
			}
			if len(files) == 1 {
				return err
			}
			fmt.Fprintf(e.Stderr, "trial verify: %s\n", frame.Printable(err.Error()))
			if failed == nil || exitStatus(failed) > exitStatus(err) {
				failed = err // what is invalid outweighs what could not be checked
			}
			continue
		}
		if err := e.verdict(v, *asJSON); err != nil {
			return err
		}
	}
	if failed != nil {
		return fmt.Errorf("not every file was found to be what was logged: %w", failed)
	}
	return nil
}

// invalidJSON gives programs a record of a file that is not valid, or of a receipt alone if f is
// nil. There is no record of a receipt that could not be read from its file.
func (e *env) invalidJSON(asJSON bool, f *file, why error) error {
	if _, usage := errors.AsType[frame.UsageError](why); !asJSON || usage && f == nil {
		return nil
	}
	part := ""
	if p, ok := errors.AsType[*receipt.Problem](why); ok {
		part = p.Part
	}
	verdict := "cannot be checked"
	if isInvalid(why) {
		verdict = "invalid"
	}
	record := map[string]any{"valid": false, "verdict": verdict, "part": part, "error": why.Error()}
	if f != nil {
		record["file"], record["sha256"] = f.name, f.digest
	}
	return json.NewEncoder(e.Stdout).Encode(record)
}

// judged puts the verdict in words before its reason: invalid, or cannot be checked.
// What is wrong with the command line is no verdict.
func judged(err error) error {
	if _, ok := errors.AsType[frame.UsageError](err); ok {
		return err
	}
	if isInvalid(err) {
		return fmt.Errorf("invalid, because %w", err)
	}
	return fmt.Errorf("cannot be checked, because %w", err)
}

// isInvalid reports whether an error says that what was checked does not hold.
func isInvalid(err error) bool {
	_, problem := errors.AsType[*receipt.Problem](err)
	_, refused := errors.AsType[*trial.Refusal](err)
	return problem || refused || errors.Is(err, errInvalid)
}

func (e *env) verdict(v checked, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(e.Stdout).Encode(v.Summary(v.earlier != ""))
	}
	_, err := fmt.Fprint(e.Stdout, v.Text())
	fmt.Fprintf(e.Stdout, "the policy was %s\n", e.policyFrom)
	if v.earlier != "" {
		fmt.Fprintf(e.Stdout, "policy of its time: %s\n", v.earlier)
	}
	return err
}

// A checked receipt is a verdict and, if it is under an earlier policy, which.
type checked struct {
	*receipt.Verdict
	earlier string
}

func verifyFile(t *trust, proof string, f file, want expectation) (checked, error) {
	if f.name == stdinName && proof == stdinName+".tlog-proof" {
		return checked{}, frame.Usagef("what is read from standard input has no receipt beside it: name it with -proof")
	}
	if _, err := os.Stat(proof); errors.Is(err, os.ErrNotExist) {
		return checked{}, frame.Usagef("%s has no receipt %s: name it with -proof (a receipt by itself is checked with -proof and no "+
			"file)", f.name, proof)
	}
	v, err := verifyReceipt(t, proof, want, receipt.Document{Name: f.name, Digest: f.digest})
	if errors.Is(err, receipt.ErrMangled) {
		return checked{}, fmt.Errorf("%w (the receipt is %s)", err, proof)
	}
	if err != nil {
		return checked{}, fmt.Errorf("%s: %w", f.name, f.explain(err, func(digest trial.Hash) bool {
			_, err := verifyReceipt(t, proof, want, receipt.Document{Name: f.name, Digest: digest})
			return err == nil
		}))
	}
	return v, nil
}

// pickFor picks the receipts of files, by their digests.
func pickFor(name string, files []file) (*picked, error) {
	wanted := map[trial.Hash]bool{}
	for _, f := range files {
		wanted[f.digest] = true
	}
	p, err := pickReceipts(name, func(r receipt.Filed) bool { return wanted[r.Document] })
	return &p, err
}

// verifyPicked verifies a file by its receipt in a file of many. A document that was logged several
// times, as under several numbers, has several: the first that holds is shown, the others are named.
func verifyPicked(e *env, t *trust, name string, p *picked, f file, want expectation) (checked, error) {
	list := p.of(f.digest)
	if len(list) == 0 {
		return checked{}, fmt.Errorf("%s: %w", f.name, p.missing(name, "SHA-256 "+f.digest.String()))
	}
	var failed error
	for i, r := range list {
		v, err := verifyBytes(t, r.Receipt, want, receipt.Document{Name: f.name, Digest: f.digest})
		if err == nil && v.Entry.Statement.ID != r.ID {
			err = fmt.Errorf("%w: it is said to be of the statement %s and is of %s", errInvalid, r.ID, v.Entry.Statement.ID)
		}
		if err != nil {
			if failed == nil {
				failed = fmt.Errorf("%s: the receipt of %s in %s: %w", f.name, r.ID, name, err)
			}
			continue
		}
		for j, other := range list {
			if j != i {
				fmt.Fprintf(e.Stderr, "%s was logged by another statement too: trial receipt -from %s %s\n", f.name, quoted(name), other.ID)
			}
		}
		return v, nil
	}
	return checked{}, failed
}

func verifyReceipt(t *trust, proof string, want expectation, docs ...receipt.Document) (checked, error) {
	data, err := readReceipt(proof)
	if err != nil {
		return checked{}, err
	}
	return verifyBytes(t, data, want, docs...)
}

func verifyBytes(t *trust, data []byte, want expectation, docs ...receipt.Document) (checked, error) {
	v, earlier, err := t.verify(data, docs...)
	if err != nil {
		return checked{}, err
	}
	return checked{v, earlier}, want.check(v)
}

// memberStrings returns the text members of a predicate by their JSON names.
func memberStrings(p trial.Predicate) map[string]string {
	data, err := json.Marshal(p)
	if err != nil {
		return nil
	}
	var all map[string]any
	if json.Unmarshal(data, &all) != nil {
		return nil
	}
	out := map[string]string{}
	for k, v := range all {
		if s, ok := v.(string); ok {
			out[k] = s
		}
	}
	return out
}

// summary says what an entry is, in one line for a list: ids are abbreviated.
func summary(e *trial.Entry) string {
	return saying(e, func(st *trial.Statement) string { return short(trial.Describe(st)) })
}

// whole is summary with whole ids.
func whole(e *trial.Entry) string { return saying(e, trial.Describe) }

func saying(e *trial.Entry, describe func(*trial.Statement) string) string {
	switch {
	case e.Genesis != nil:
		return fmt.Sprintf("%s genesis of %s, rule set %d", e.Time, e.Genesis.Log, e.Genesis.Rules)
	case e.State != nil:
		return fmt.Sprintf("%s state entry: %d entries before it, map root %s", e.Time, e.State.Size, e.State.Map.Root)
	}
	st := e.Statement.Statement
	return fmt.Sprintf("%s %s, signed (%s) by %s of %s with key %.12s", e.Time, describe(st), trial.CommonOf(st).Meaning,
		e.Signer.Role, e.Signer.Org, e.Signer.Key.ID())
}
