package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/history"
)

// A proven is a history that was checked, and its file.
type proven struct {
	data []byte
	*history.Verdict
}

// oneTree fetches and checks the history of a record, or of the trial that it leads
// to, and those of the records that this one leads to, all of one tree: an older tree
// for one of them would hide what was logged since. What is concluded from all of
// them is proven where it is of each.
func (r *remote) oneTree(ctx context.Context, key trial.RecordKey, more func(*history.Verdict) []trial.RecordKey) ([]proven, error) {
	first, _, err := r.trialHistory(ctx, key)
	if err != nil {
		return nil, err
	}
	list := []proven{first}
	for range tries { // a log that grows meanwhile is asked again, for all at once
		keys := append([]trial.RecordKey{list[0].Key}, more(list[0].Verdict)...)
		if list, err = r.histories(ctx, keys); err != nil {
			return nil, err
		}
		if now := append(keys[:1:1], more(list[0].Verdict)...); sameTree(list) == nil && slices.Equal(now, keys) {
			list[0].Replayed = list[0].Replayed && first.Replayed
			provenByAll(list)
			return list, nil
		}
	}
	return nil, growing(list)
}

// provenByAll leaves what is concluded from several histories, the first one's
// verdict, proven only where each of them is.
func provenByAll(list []proven) {
	for _, p := range list {
		list[0].Replayed = list[0].Replayed && p.Replayed
	}
}

// tries is how often a log that grows is asked for histories of one tree.
const tries = 30

// growing is the error of a log that never answered with one tree.
func growing(list []proven) error {
	err := sameTree(list)
	if err == nil {
		err = errors.New("what the trial's history leads to changes")
	}
	return fmt.Errorf("%w; ask again, for the log may be growing", err)
}

// histories fetches and checks several histories at once.
func (r *remote) histories(ctx context.Context, keys []trial.RecordKey) ([]proven, error) {
	list, errs := make([]proven, len(keys)), make([]error, len(keys))
	var wg sync.WaitGroup
	for i, key := range keys {
		wg.Go(func() {
			if list[i].data, list[i].Verdict, errs[i] = r.history(ctx, key); errs[i] != nil {
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
			return fmt.Errorf("the history of %s is of the tree of size %d, that of %s of the tree of size %d", list[0].Key.ID, list[0].Checkpoint.Size, p.Key.ID, p.Checkpoint.Size)
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
