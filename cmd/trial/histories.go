package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/dossier"
	"github.com/trialproof/trialproof/trial/history"
)

// oneTree fetches and checks the histories of the trial that was typed, by its id or a
// number, of its numbers and, if they are asked for, of its organisations and of the log.
// All are of one tree.
func (r *remote) oneTree(ctx context.Context, typed string, orgs, log bool) (*dossier.Histories, error) {
	key, err := r.trialKey(ctx, typed)
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

// errGrowing says that the log repeatedly stopped serving the tree of one history before the
// next history could be fetched.
var errGrowing = errors.New("the log grows so fast that it does not keep one tree for all the histories needed: ask again when it is " +
	"less busy")

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

// trialHistory fetches and checks the history of a trial, by its id or by an
// identifier that leads to it; if the identifier leads to no trial, it returns the
// identifier's own history. With the trial's history it returns that of the identifier by
// which it was found: both are of one tree, and completeness is proven only if it is for both.
func (r *remote) trialHistory(ctx context.Context, key trial.RecordKey) (p, by *dossier.History, err error) {
	for range tries {
		number, err := r.history(ctx, key, 0)
		if err != nil {
			return nil, nil, err
		}
		rec, ok := number.Record.(*trial.IdentifierRecord)
		if !ok {
			return number, nil, nil
		}
		id, err := dossier.TheTrial(rec)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %w", errInvalid, err)
		}
		if id.IsZero() {
			return number, nil, nil
		}
		p, err = r.history(ctx, trial.RecordKey{Kind: "trial", ID: id.String()}, number.Checkpoint.Size)
		if errors.Is(err, client.ErrGone) {
			continue // the log has grown much meanwhile
		}
		if err == nil {
			err = sameTree(p, number)
		}
		if err != nil {
			return nil, nil, err
		}
		p.Replayed = p.Replayed && number.Replayed
		return p, number, nil
	}
	return nil, nil, errGrowing
}

// history fetches and checks a record's history page by page, as of a tree of a size
// that the log gave for another record just before; 0 is the newest. With keep it
// returns what was checked, too, because no proof covers anything else in the log's answers.
func (r *remote) history(ctx context.Context, key trial.RecordKey, size uint64) (*dossier.History, error) {
	first, err := r.page(ctx, key, size, 0)
	if err != nil {
		return nil, err
	}
	reader, err := history.NewReader(r.policy, first)
	for err == nil {
		size, from, more := reader.More()
		if !more {
			break
		}
		var next *history.History
		if next, err = r.page(ctx, key, size, from); err != nil {
			return nil, err
		}
		if len(next.Entries) == 0 {
			break // the verdict says that some are withheld
		}
		if err = reader.Add(next.Entries); err == nil && r.keep {
			first.Entries = append(first.Entries, next.Entries...)
		}
	}
	h := &dossier.History{}
	if err == nil {
		h.Verdict, err = reader.Verdict()
	}
	if err != nil {
		return nil, invalidHistory(err)
	}
	if h.Key != key {
		return nil, fmt.Errorf("%w: the log answers with the history of %s %s", errInvalid, h.Key.Kind, h.Key.ID)
	}
	if r.keep {
		h.Proof = first
	}
	return h, nil
}

func (r *remote) page(ctx context.Context, key trial.RecordKey, size, from uint64) (*history.History, error) {
	data, err := r.client.HistoryPage(ctx, key.Kind, key.ID, size, from)
	if err != nil {
		return nil, err
	}
	h, err := history.ParsePage(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errInvalid, err)
	}
	return h, nil
}

// invalidHistory wraps a history's error as invalid, unless only a newer program can judge it.
func invalidHistory(err error) error {
	if _, ok := errors.AsType[*trial.NewerRules](err); ok {
		return err
	}
	return fmt.Errorf("%w: %w", errInvalid, err)
}
