package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
)

// A sealed file keeps what opens a seal, for there is nothing else that does: the
// statement, the salt of its commitment and the salts of its files.
type sealed struct {
	Statement []byte          `json:"statement"`
	Salt      trial.Salt      `json:"salt"`
	Openings  *trial.Openings `json:"openings"`
	Seal      trial.Hash      `json:"seal"`            // identity of the statement that seals it
	Files     []string        `json:"files,omitempty"` // as they were given
}

// seal logs a commitment to a statement instead of the statement.
func (r *remote) seal(ctx context.Context, e *env, how sending, inner *trial.Statement, innerOpenings *trial.Openings, files []file) error {
	if r.key.Org == "" {
		return frame.Usagef("the key file does not say whose key it is: a seal stands under the organisation alone")
	}
	payload, err := inner.Marshal()
	if err != nil {
		return err
	}
	s := sealed{Statement: payload, Salt: newSalt(), Openings: innerOpenings}
	for _, f := range files {
		s.Files = append(s.Files, f.name)
	}
	var o trial.Openings
	commitment := trial.CommitStatement(s.Salt, trial.StatementID(payload))
	p := &trial.Seal{Common: r.common(trial.CommonOf(inner).Meaning, &o), Commitment: commitment, Org: r.key.Org}
	st := &trial.Statement{Subjects: trial.NamedSubject("sealed", commitment), Predicate: p}
	outer, err := st.Marshal()
	if err != nil {
		return err
	}
	if s.Seal = trial.StatementID(outer); how.dry {
		_, err := r.send(ctx, e, how, st, &o, nil)
		return err
	}
	name := fmt.Sprintf("%s-%.12s.sealed", inner.Predicate.Kind(), s.Seal)
	if len(files) > 0 {
		name = files[0].name + ".sealed"
	}
	data, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return err
	}
	if err := r.meant(ctx, e, how, inner, files); err != nil { // it is opened one day
		return err
	}
	if err := r.confirm(ctx, e, st, files); err != nil {
		return err
	}
	how.confirmed = true
	if err := writeNew(name, append(data, '\n'), 0o600); err != nil {
		return frame.Usagef("%w: give the seal another name by another name of the file", err)
	}
	id, err := r.send(ctx, e, how, st, &o, nil)
	if err != nil {
		if trial.RuleOf(err) != "" || errors.Is(err, errNotSigned) {
			err = errors.Join(err, os.Remove(name)) // it seals nothing
		}
		return err
	}
	key := ""
	if r.keyFrom != fromConfiguration { // which asks, as a key that is named does not
		key = " -key " + quoted(r.keyFile)
	}
	fmt.Fprintf(e.Stderr, "sealed; what opens it is kept in %s and nowhere else: "+
		"open it with trial unseal -log %s -policy %s%s %s\n", name, quoted(r.url), quoted(r.policyFile), key, quoted(name))
	fmt.Fprintln(e.Stdout, id)
	return nil
}

func unseal(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	rest, err := r.begin(e, args, true, how.flags)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return frame.Usagef("the .sealed file that trial submit -seal made must be given")
	}
	data, err := readSmall(rest[0])
	if err != nil {
		return err
	}
	var s sealed
	if err := json.Unmarshal(data, &s); err != nil || s.Seal.IsZero() || s.Openings == nil {
		return frame.Usagef("%s is no file that trial submit -seal makes, or it was altered", rest[0])
	}
	at, err := r.logged(ctx, s.Seal.String())
	if err != nil {
		return fmt.Errorf("the seal: %w", err)
	}
	files, err := e.digestFiles(ctx, s.Files)
	if err != nil {
		return fmt.Errorf("the files that were sealed must be where they were: %w", err)
	}
	o := *s.Openings
	u, subjects, err := trial.NewUnseal(r.common("responsibility", &o), s.Statement, s.Salt, trial.SealRef{Index: at.index, Time: at.time})
	if err != nil {
		return err
	}
	st := &trial.Statement{Subjects: subjects, Predicate: u}
	for _, f := range files {
		if !isSubject(st, &o, f.digest) {
			return fmt.Errorf("%w: %s is not what was sealed", errInvalid, f.name)
		}
	}
	id, err := r.send(ctx, e, how, st, &o, files)
	if err != nil || how.dry {
		return err
	}
	fmt.Fprintln(e.Stdout, id)
	return nil
}

func isSubject(st *trial.Statement, o *trial.Openings, digest trial.Hash) bool {
	for _, s := range st.Subjects {
		if o.Matches(s, digest) {
			return true
		}
	}
	return false
}
