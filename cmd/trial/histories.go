package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/dossier"
	"github.com/trialproof/trialproof/trial/history"
)

// gatherer gets histories from the log and checks them under the policy.
func (r *remote) gatherer() *dossier.Gatherer {
	return &dossier.Gatherer{Policy: r.policy, Source: pages{r.client}, Keep: r.keep}
}

// pages gives a log's pages of histories.
type pages struct{ *client.Client }

func (p pages) Page(ctx context.Context, key trial.RecordKey, size, from uint64) (*history.History, error) {
	data, err := p.HistoryPage(ctx, key.Kind, key.ID, size, from)
	if err != nil {
		return nil, err
	}
	h, err := history.ParsePage(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errInvalid, err)
	}
	return h, nil
}

func (pages) Gone(err error) bool { return errors.Is(err, client.ErrGone) }

// oneTree fetches and checks the histories of the trial that was typed, by its id or a
// number, of its numbers and, if they are asked for, of its organisations and of the log.
// All are of one tree.
func (r *remote) oneTree(ctx context.Context, typed string, orgs, log bool) (*dossier.Histories, error) {
	key, err := r.trialKey(ctx, typed)
	if err != nil {
		return nil, err
	}
	of := ""
	if log {
		of = r.log.Name()
	}
	return r.gatherer().OfTrial(ctx, key, orgs, of)
}

// dossier fetches and checks the histories of a trial, and reads its documents.
func (r *remote) dossier(ctx context.Context, typed string, word *trusted, orgs bool) (*dossier.Dossier, error) {
	h, err := r.oneTree(ctx, typed, orgs, false)
	if err != nil {
		return nil, err
	}
	if v := h.Main(); v.Record == nil {
		return nil, fmt.Errorf("%w: nothing is logged for %s up to size %d", errInvalid, typed, v.Checkpoint.Size)
	}
	return dossier.New(typed, h, documentsIn(word.files), word.from)
}

// history fetches and checks a record's history, as of a tree of a size that the log gave for
// another record just before; 0 is the newest.
func (r *remote) history(ctx context.Context, key trial.RecordKey, size uint64) (*dossier.History, error) {
	return r.gatherer().History(ctx, key, size)
}
