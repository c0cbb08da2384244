package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/history"
)

// A proven is a history that was checked and, if it was asked for, its file.
type proven struct {
	data []byte
	*history.Verdict
}

// oneTree fetches and checks the history of a record, or of the trial that it leads
// to, and those of the records that this one leads to, all of one tree: an older tree
// for one of them would hide what was logged since. A conclusion from several histories
// is proven only if each history is.
func (r *remote) oneTree(ctx context.Context, key trial.RecordKey, more func(*history.Verdict) []trial.RecordKey) ([]proven, error) {
	for range tries {
		first, _, err := r.trialHistory(ctx, key)
		if err != nil {
			return nil, err
		}
		list, err := r.histories(ctx, more(first.Verdict), first.Checkpoint.Size)
		if errors.Is(err, client.ErrGone) {
			continue // the log has grown much meanwhile
		}
		if err != nil {
			return nil, err
		}
		list = append([]proven{first}, list...)
		if err := sameTree(list); err != nil {
			return nil, err
		}
		provenByAll(list)
		return list, nil
	}
	return nil, errGrowing
}

// provenByAll leaves what is concluded from several histories, the first one's
// verdict, proven only where each of them is.
func provenByAll(list []proven) {
	for _, p := range list {
		list[0].Replayed = list[0].Replayed && p.Replayed
	}
}

// tries is how often a log is asked for histories of one tree.
const tries = 5

// errGrowing is of a log that no longer served the tree of one history when it was asked
// for the next, again and again.
var errGrowing = errors.New("the log grows so fast that it does not keep one tree for all the histories needed: ask again when it is less busy")

// histories fetches and checks several histories of the tree of a size, a few at once.
func (r *remote) histories(ctx context.Context, keys []trial.RecordKey, size uint64) ([]proven, error) {
	list, errs := make([]proven, len(keys)), make([]error, len(keys))
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

// sameTree returns an error where histories are not all of one tree.
func sameTree(list []proven) error {
	for _, p := range list[1:] {
		if p.Checkpoint.Tree != list[0].Checkpoint.Tree {
			return fmt.Errorf("%w: the history of %s is of the tree of size %d, that of %s of the tree of size %d", errInvalid, list[0].Key.ID, list[0].Checkpoint.Size, p.Key.ID, p.Checkpoint.Size)
		}
	}
	return nil
}

// registryNumbers returns the records of a trial's registry numbers, whose histories
// have what was observed of it; none for other records.
func registryNumbers(v *history.Verdict) (keys []trial.RecordKey) {
	rec, ok := v.Record.(*trial.TrialRecord)
	if !ok {
		return nil
	}
	for _, id := range rec.Identifiers[1:] { // the first is the sponsor's own
		keys = append(keys, trial.RecordKey{Kind: "identifier", ID: id})
	}
	return keys
}

// numbersAndOrganisations returns registryNumbers, and behind them the records of the
// organisations that have to do with the trial: who holds it, then whoever signed for
// it or may, whose unopened seals may be of it.
func numbersAndOrganisations(v *history.Verdict) []trial.RecordKey {
	rec, ok := v.Record.(*trial.TrialRecord)
	if !ok {
		return nil
	}
	var others []string
	for _, g := range rec.Delegations {
		others = append(others, g.To)
	}
	for _, e := range v.Entries {
		if e.Statement == nil || e.Signer.Role == trial.RoleRegistrar {
			continue
		}
		id, st := e.Statement.Effective()
		if trial.TrialOf(st) == rec.ID || id == rec.ID { // and no claim of another trial to its number
			others = append(others, e.Signer.Org)
		}
	}
	slices.Sort(others)
	keys := append(registryNumbers(v), trial.RecordKey{Kind: "org", ID: rec.Holder})
	for _, org := range slices.Compact(others) {
		if org != rec.Holder {
			keys = append(keys, trial.RecordKey{Kind: "org", ID: org})
		}
	}
	return keys
}
