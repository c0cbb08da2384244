package main

import (
	"fmt"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/dossier"
	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/receipt"
)

// An expectation is what the caller says a file is.
type expectation struct {
	trial, kind, version string

	numbers map[string]trial.Hash // whose they are, by the histories that were given; zero: of several trials
}

// read reads histories of trials, or of numbers, which say whose a number is.
func (x *expectation) read(e *env, t *trust, files []string) error {
	if len(files) > 0 && x.trial == "" {
		return frame.Usagef("-history says whose the number of -trial is, and -trial is not given")
	}
	x.numbers = map[string]trial.Hash{}
	for _, name := range files {
		data, err := readHistory(name)
		if err != nil {
			return err
		}
		err = history.CheckMembers(data)
		var v *dossier.History
		if err == nil {
			v, err = checkHistory(t.policy, data)
		}
		if err != nil {
			return fmt.Errorf("%w: %s: %w", errInvalid, name, err)
		}
		of, err := numbersIn(v)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for number, id := range of {
			if other, ok := x.numbers[number]; ok && other != id {
				id = trial.Hash{}
			}
			x.numbers[number] = id
		}
		fmt.Fprintf(e.Stderr, "%s has the history of %s %s up to size %d, %s\n",
			frame.Printable(name), v.Key.Kind, frame.Printable(v.Key.ID), v.Checkpoint.Size, completeText(v.Replayed))
	}
	return nil
}

// numbersIn returns the numbers that a history shows to be a trial's. That no other trial
// claims a registry's number only the number's own history shows.
func numbersIn(v *dossier.History) (map[string]trial.Hash, error) {
	numbers := map[string]trial.Hash{}
	switch rec := v.Record.(type) {
	case *trial.IdentifierRecord:
		id, err := dossier.TheTrial(rec)
		if err != nil {
			return nil, err
		}
		if !id.IsZero() {
			numbers[rec.ID] = id
		}
	case *trial.TrialRecord:
		numbers[rec.Number] = rec.ID
		for _, number := range rec.Identifiers {
			numbers[number] = rec.ID
		}
		for _, entry := range v.Entries {
			if s := entry.Statement; s != nil && s.ID == rec.ID {
				numbers[trial.SponsorNumber(entry.Signer.Org, rec.Number)] = rec.ID
			}
		}
	default:
		return nil, frame.Usagef("the history of a %s says nothing of a trial's numbers: trial history -json TRIAL makes the one that "+
			"is meant",
			v.Key.Kind)
	}
	return numbers, nil
}

func (x expectation) check(v *receipt.Verdict) error {
	sid, st := v.Entry.Statement.Effective()
	members := memberStrings(st.Predicate)
	id := members["trial"]
	if st.Predicate.Kind() == "registration" {
		id = sid.String()
	}
	for _, c := range []struct{ what, want, got string }{
		{"kind", x.kind, st.Predicate.Kind()}, {"version", x.version, members["version"]},
	} {
		if c.want != "" && c.want != c.got {
			return &receipt.Problem{Part: "expectation", Detail: fmt.Sprintf("it was logged with the %s %q, not %q", c.what, c.got, c.want)}
		}
	}
	if x.trial == "" || len(x.trial) >= trial.ShortDigits && strings.HasPrefix(id, x.trial) || x.isNumberIn(v, st, members["identifier"]) {
		return nil
	}
	if whole, err := trial.ParseHash(x.trial); err == nil {
		return otherTrial(id, whole.String())
	}
	number, err := trial.ParseIdentifier(x.trial)
	if err != nil {
		number = x.trial
	}
	if known, ok := x.numbers[number]; ok && known.IsZero() {
		return fmt.Errorf("the histories given have several trials with the number %s: give the trial's id (this receipt is for trial "+
			"%s)", number, id)
	} else if ok {
		if known.String() == id {
			return nil
		}
		return otherTrial(id, fmt.Sprintf("%s, which has the number %s by the history given", known, number))
	}
	if trial.IsShort(x.trial) && err != nil {
		return otherTrial(id, x.trial)
	}
	return fmt.Errorf("which trial %q is cannot be known offline: give the trial's id (this receipt is for trial %s), "+
		"or with -history the trial's history (trial history -json TRIAL writes it)", x.trial, id)
}

// isNumberIn reports whether the number that was typed is the one that the statement itself
// binds: a registration the sponsor's, an identifier a registry's.
func (x expectation) isNumberIn(v *receipt.Verdict, st *trial.Statement, identifier string) bool {
	if p, ok := st.Predicate.(*trial.Registration); ok {
		return x.trial == p.Number && !trial.IsShort(x.trial) || x.trial == trial.SponsorNumber(v.Entry.Signer.Org, p.Number)
	}
	number, err := trial.ParseIdentifier(x.trial)
	return err == nil && number == identifier
}

func otherTrial(is, want string) error {
	return &receipt.Problem{Part: "expectation", Detail: fmt.Sprintf("it was logged for trial %s, not %s", is, want)}
}
