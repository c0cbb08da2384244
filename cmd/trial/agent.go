package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/consent"
	"github.com/trialproof/trialproof/trial/vault"
)

// agentCommand releases data for its owner.
func agentCommand(ctx context.Context, e *env, args []string) error {
	return runVerb(ctx, e, args, verb{"release", agentRelease}, verb{"serve", agentServe})
}

// An agent is who releases data: a key that signs, an identity that opens its shares, and a
// folder with grants, FILE.protected files, packages and receipts.
type agent struct {
	remote
	dir string
	ids vault.Identities
	now func() time.Time
}

// replayed refuses to log anything if the keys of replaying witnesses alone cannot meet the
// policy's quorum: no receipt could then show that the consent stood.
func (a *agent) replayed() error {
	if a.policy.Satisfied(func(w int) bool { return a.policy.Witnesses[w].Replays() }) {
		return nil
	}
	return fmt.Errorf("nothing was logged and nothing was released: the replaying witnesses of the policy cannot meet its quorum (%s), so no "+
		"receipt would show that the consent stood. Ask the log's operator for witnesses that replay (trialwitness keygen -replay) and for "+
		"a policy that they can meet", a.policy.QuorumText())
}

// everyGrant reads the grants of the folder that are encrypted to the agent.
func (a *agent) everyGrant() (list []*consent.Grant, err error) {
	names, err := filepath.Glob(filepath.Join(a.dir, "*.grant"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		data, err := readSmall(name)
		if err != nil {
			return nil, err
		}
		g, err := consent.OpenGrant(data, a.ids)
		if errors.Is(err, vault.ErrNotForUs) {
			fmt.Fprintf(a.env.Stderr, "%s is not encrypted to your identity, and is left out\n", name)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", errInvalid, name, err)
		}
		list = append(list, g)
	}
	return list, nil
}

// protected reads the FILE.protected files of the folder.
func (a *agent) protected() (map[string][]byte, error) {
	names, err := filepath.Glob(filepath.Join(a.dir, "*.protected"))
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, name := range names {
		if files[name], err = readSmall(name); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// enrolled refuses a signature whose key is not the organisation's.
func (a *agent) enrolled(ctx context.Context, org string, key trial.PublicKey) error {
	h, err := a.history(ctx, trial.RecordKey{Kind: "org", ID: org}, 0)
	if err != nil {
		return err
	}
	for _, e := range h.Entries {
		if e.Entry.Statement == nil {
			continue
		}
		switch p := e.Entry.Statement.Statement.Predicate.(type) {
		case *trial.Org:
			for _, admin := range p.Administrators {
				if admin.Key == key {
					return nil
				}
			}
		case *trial.Key:
			if p.Enrol != nil && p.Enrol.Key == key {
				return nil
			}
		}
	}
	return fmt.Errorf("%w: it is signed by key %s, which %s has not enrolled", errInvalid, key.ID(), org)
}

// A refusal is what an agent signs when it does not release, for whoever asked.
type refusal struct {
	At      trial.Time `json:"at"`
	Org     string     `json:"org"` // the agent
	Reason  string     `json:"reason"`
	Request trial.Hash `json:"request,omitzero"`
	To      string     `json:"to"`
	Type    string     `json:"type"`
}

// refusalType is the payload type of a refusal.
const refusalType = "application/vnd.trialproof.refusal+json"

// refuse writes a signed refusal if err says that the data must not be released. It returns err.
func (a *agent) refuse(want *release, err error) error {
	if !isInvalid(err) {
		return err // nothing is decided
	}
	r := refusal{At: trial.TimeOf(a.now()), Org: a.key.Org, Reason: err.Error(), To: want.to, Type: "trialproof/refusal/v1"}
	if want.request != nil {
		r.Request = want.request.ID
	}
	data, jerr := vault.Canonical(r)
	if jerr != nil {
		return errors.Join(err, jerr)
	}
	signed, serr := trial.SignFile(refusalType, data, a.key.Signer)
	if serr != nil {
		return errors.Join(err, serr)
	}
	name := filepath.Join(a.dir, fmt.Sprintf("refusal-%.12x.json", sha256.Sum256(data)))
	if werr := writeNew(name, signed, 0o600); werr != nil {
		return errors.Join(err, werr)
	}
	return fmt.Errorf("%w; nothing was released, and the signed refusal is %s", err, name)
}
