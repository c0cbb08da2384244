package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/consent"
	"github.com/trialproof/trialproof/trial/dossier"
)

// consentCommand grants the release of somebody's data, ends that, and shows who had access.
func consentCommand(ctx context.Context, e *env, args []string) error {
	return runVerb(ctx, e, args, verb{"give", giveConsent}, verb{"log", consentLog}, verb{"check", checkConsent},
		verb{"watch", watchConsent}, verb{"end", endConsent})
}

// account fetches and checks the history of a consent, and those of the recipients and requests
// that it names, all of one tree. The second result says whether it is proven that nothing is
// left out.
func (r *remote) account(ctx context.Context, handle trial.Hash) (*consent.Account, bool, error) {
	for range dossier.Tries {
		h, err := r.history(ctx, trial.RecordKey{Kind: "consent", ID: handle.String()}, 0)
		if err != nil {
			return nil, false, err
		}
		a, err := consent.NewAccount(h.Verdict)
		if err != nil {
			return nil, false, fmt.Errorf("%w: %w", errInvalid, err)
		}
		others, err := r.gatherer().All(ctx, a.Lacks(), h.Checkpoint.Size)
		if errors.Is(err, client.ErrGone) {
			continue // the log has grown much meanwhile
		}
		all := &dossier.Histories{Trial: h, Numbers: others}
		if err == nil {
			err = dossier.OneTree(all.All()...)
		}
		if err != nil {
			return nil, false, err
		}
		for _, o := range others {
			a.Add(o.Verdict)
		}
		return a, all.Replayed(), nil
	}
	return nil, false, dossier.ErrGrowing
}

// eachAccount shows the account of each consent of a slip, or of one handle. The error is errStated
// if one is not proven.
func (r *remote) eachAccount(ctx context.Context, typed string, show func(*consent.Account) error) error {
	handles, err := r.handles(ctx, typed)
	if err != nil {
		return err
	}
	proven := true
	for _, handle := range handles {
		a, replayed, err := r.account(ctx, handle)
		if err != nil {
			return err
		}
		proven = proven && replayed
		if err := show(a); err != nil {
			return err
		}
	}
	if !proven {
		return errStated
	}
	return nil
}

// note tells whoever runs the command something that is no error.
func (e *env) note(text string) { fmt.Fprintf(e.Stderr, "trial %s: %s\n", e.Command(), text) }
