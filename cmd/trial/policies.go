package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/receipt"
)

// A trust is whom a verifier believes: the policy given and, by the log's own
// history under that policy, the policies that it replaced.
type trust struct {
	now    *receipt.Verifier
	before []pastPolicy // the newest first
}

// A pastPolicy was announced by an entry of the log.
type pastPolicy struct {
	verifier *receipt.Verifier
	index    uint64
}

// readTrust reads a policy file and, if it is given, the history of the log that
// trial history -json log prints.
func readTrust(policyFile, historyFile string) (*trust, error) {
	policy, err := readPolicy(policyFile)
	if err != nil {
		return nil, err
	}
	t := &trust{now: receipt.NewVerifier(policy)}
	if historyFile == "" {
		return t, nil
	}
	data, err := readHistory(historyFile)
	if err != nil {
		return nil, err
	}
	v, err := checkHistory(policy, data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", historyFile, err)
	}
	if v.Key.Kind != "log" {
		return nil, usagef("%s is the history of a %s: trial history -json log makes the one that is meant", historyFile, v.Key.Kind)
	}
	return t, t.add(v)
}

func (t *trust) add(v *history.Verdict) error {
	for _, e := range v.Entries {
		if e.Entry.Statement == nil {
			continue
		}
		p, ok := e.Entry.Statement.Statement.Predicate.(*trial.Policy)
		if !ok {
			continue
		}
		policy, err := receipt.ParsePolicy(p.File())
		if err != nil {
			continue // what a registrar announced is no policy: nothing is verified by it
		}
		t.before = append([]pastPolicy{{receipt.NewVerifier(policy), e.Index}}, t.before...)
	}
	return nil
}

// verify verifies a receipt under the policy given or, where that names other keys
// or witnesses than those of its time, under an earlier one. It says which.
func (t *trust) verify(data []byte, docs ...receipt.Document) (*receipt.Verdict, string, error) {
	v, err := t.now.Verify(data, docs...)
	p, ok := errors.AsType[*receipt.Problem](err)
	if !ok || p.Part != "checkpoint" && p.Part != "quorum" {
		return v, "", err
	}
	for _, past := range t.before {
		if v, perr := past.verifier.Verify(data, docs...); perr == nil {
			return v, fmt.Sprintf("under an earlier policy, SHA-256 %s, which entry %d of the log's own history announced; that history holds under the policy given", v.Policy.Digest(), past.index), nil
		}
	}
	return nil, "", err
}

// readHistory reads a history file of any size.
func readHistory(name string) ([]byte, error) {
	if _, err := regular(name); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, usageError{err}
	}
	return data, nil
}
