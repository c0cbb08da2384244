package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/dossier"
)

// oneTree fetches and checks the histories of the trial that was typed, by its id or a
// number, of its numbers and, if they are asked for, of its organisations and of the log.
// All are of one tree.
func (r *remote) oneTree(ctx context.Context, typed string, orgs, log bool) (*dossier.Histories, error) {
	key, err := r.trialKey(typed)
	if err != nil {
		return nil, err
	}
	for range tries {
		first, _, err := r.trialHistory(ctx, key)
		if err != nil {
			return nil, err
		}
		h := &dossier.Histories{}
		size := first.Checkpoint.Size
		if first.Key.Kind == "trial" {
			h.Trial = first
			h.Numbers, err = r.histories(ctx, dossier.Numbers(first.Verdict), size)
		} else {
			h.Numbers = []*dossier.History{first}
		}
		if err == nil && orgs {
			h.Orgs, err = r.histories(ctx, dossier.Organisations(first.Verdict), size)
		}
		if err == nil && log {
			h.Log, err = r.history(ctx, trial.RecordKey{Kind: "log", ID: r.log.Name()}, size)
		}
		if errors.Is(err, client.ErrGone) {
			continue // the log has grown much meanwhile
		}
		if err == nil {
			err = sameTree(h.All()...)
		}
		if err != nil {
			return nil, err
		}
		return h, nil
	}
	return nil, errGrowing
}

// sameTree returns an error where histories are not all of one tree.
func sameTree(list ...*dossier.History) error {
	if err := dossier.SameTree(list); err != nil {
		return fmt.Errorf("%w: %w", errInvalid, err)
	}
	return nil
}

// tries is how often a log is asked for histories of one tree.
const tries = 5

// errGrowing is of a log that no longer served the tree of one history when it was asked
// for the next, again and again.
var errGrowing = errors.New("the log grows so fast that it does not keep one tree for all the histories needed: ask again when it is less busy")

// histories fetches and checks several histories of the tree of a size, a few at once.
func (r *remote) histories(ctx context.Context, keys []trial.RecordKey, size uint64) ([]*dossier.History, error) {
	list, errs := make([]*dossier.History, len(keys)), make([]error, len(keys))
	slots := make(chan struct{}, 8)
	var wg sync.WaitGroup
	for i, key := range keys {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if list[i], errs[i] = r.history(ctx, key, size); errs[i] != nil {
				errs[i] = fmt.Errorf("%s: %w", key.ID, errs[i])
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return list, nil
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
