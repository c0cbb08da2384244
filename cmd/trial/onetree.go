package main

import (
	"context"
	"fmt"
	"slices"

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
// for one of them would hide what was logged since.
func (r *remote) oneTree(ctx context.Context, key trial.RecordKey, more func(*history.Verdict) []trial.RecordKey) ([]proven, error) {
	var list []proven
	for range 10 { // a log that grows meanwhile is asked again
		p, _, err := r.trialHistory(ctx, key)
		if err != nil {
			return nil, err
		}
		list = []proven{p}
		for _, key := range more(p.Verdict) {
			data, v, err := r.history(ctx, key)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", key.ID, err)
			}
			list = append(list, proven{data, v})
			p.Replayed = p.Replayed && v.Replayed // what is concluded from all is proven by all
		}
		if sameTree(list) == nil {
			return list, nil
		}
	}
	return nil, fmt.Errorf("%w; ask again, for the log may be growing", sameTree(list))
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
func registryNumbers(r trial.Record) (keys []trial.RecordKey) {
	rec, ok := r.(*trial.TrialRecord)
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
		if e.Statement != nil && e.Signer.Role != trial.RoleRegistrar {
			others = append(others, e.Signer.Org)
		}
	}
	slices.Sort(others)
	keys := append(registryNumbers(rec), trial.RecordKey{Kind: "org", ID: rec.Holder})
	for _, org := range slices.Compact(others) {
		if org != rec.Holder {
			keys = append(keys, trial.RecordKey{Kind: "org", ID: org})
		}
	}
	return keys
}
