package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/durable"
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

// lock waits until no other process releases from the folder, and locks it. Two that did at once
// would take each other's packages for ones that were left behind.
func (a *agent) lock(ctx context.Context) (unlock func() error, err error) {
	if info, err := os.Stat(a.dir); err != nil || !info.IsDir() {
		return nil, frame.Usagef("%s is no folder: name the one with the grants and FILE.protected files", a.dir)
	}
	f, err := os.OpenFile(filepath.Join(a.dir, ".lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, frame.AsUsage(err)
	}
	for said := false; ; said = true {
		err := durable.TryLock(f)
		if err == nil {
			return f.Close, nil
		}
		if !errors.Is(err, durable.ErrLocked) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", a.dir, err), f.Close())
		}
		if !said {
			fmt.Fprintf(a.env.Stderr, "another process releases from %s: waiting for it\n", a.dir)
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), f.Close())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// everyGrant reads the grants of the folder that are encrypted to the agent. What is no grant is
// left out, and that is said: nobody can stop an agent by sending it such a file.
func (a *agent) everyGrant() (list []*consent.Grant, err error) {
	names, err := matching(a.dir, "*.grant")
	if err != nil {
		return nil, err
	}
	seen := map[trial.Hash]bool{}
	for _, name := range names {
		data, err := readSmall(name)
		var g *consent.Grant
		if err == nil {
			g, err = consent.OpenGrant(data, a.ids)
		}
		switch {
		case errors.Is(err, vault.ErrNotForUs):
			fmt.Fprintf(a.env.Stderr, "%s is not encrypted to your identity, and is left out\n", name)
		case err != nil:
			fmt.Fprintf(a.env.Stderr, "%s is left out: %v\n", name, err)
		case !seen[g.Handle]:
			seen[g.Handle] = true
			list = append(list, g)
		}
	}
	return list, nil
}

// protected reads the FILE.protected files of the folder.
func (a *agent) protected() (map[string][]byte, error) {
	names, err := matching(a.dir, "*.protected")
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, name := range names {
		data, err := readSmall(name)
		if err != nil {
			fmt.Fprintf(a.env.Stderr, "%s is left out: %v\n", name, err)
			continue
		}
		files[name] = data
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
