package main

import (
	"context"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/custody"
	"github.com/trialproof/trialproof/trial/dossier"
)

// units reads and checks the histories of all units of a trial, of one tree: those that were issued,
// and those in cases that were opened.
func (r *remote) units(ctx context.Context, of trial.Hash) (list []*custody.Account, err error) {
	progress := r.env.Progress("reading units")
	defer progress.End()
	for range dossier.Tries {
		list, err = r.unitsOnce(ctx, of, func(n int) { progress.Show("%d", n) })
		if err == nil || !(pages{}).Gone(err) {
			return list, err
		}
	}
	return nil, dossier.ErrGrowing
}

func (r *remote) unitsOnce(ctx context.Context, of trial.Hash, told func(int)) (list []*custody.Account, err error) {
	h, err := r.history(ctx, trial.RecordKey{Kind: "trial", ID: of.String()}, 0)
	if err != nil {
		return nil, err
	}
	var keys []trial.RecordKey
	add := func(commitment trial.Hash) {
		keys = append(keys, trial.RecordKey{Kind: "unit", ID: trial.UnitID(of, commitment).String()})
	}
	for _, x := range h.Entries {
		if x.Entry.Statement == nil {
			continue
		}
		if p, ok := x.Entry.Statement.Statement.Predicate.(*trial.Custody); ok && p.Action == "issue" {
			for _, u := range p.Units {
				add(u.Unit)
			}
		}
	}
	g, said := r.gatherer(), map[uint64]*custody.Act{}
	for at, end := 0, 0; at < len(keys); at = end { // keys grow meanwhile
		end = min(at+64, len(keys))
		told(at)
		histories, err := g.All(ctx, keys[at:end], h.Checkpoint.Size)
		if err != nil {
			return nil, err
		}
		for _, u := range histories {
			if err := dossier.OneTree(h, u); err != nil {
				return nil, err
			}
			a, err := custody.NewAccount(u.Verdict)
			if err != nil {
				return nil, err
			}
			if a.Record == nil {
				continue
			}
			for i, x := range a.Acts { // many units have a statement in common
				if said[x.Index] == nil {
					said[x.Index] = &a.Acts[i]
				}
				a.Acts[i] = *said[x.Index]
			}
			list = append(list, a)
			if open := a.Last("open"); open != nil && a.Record.Gone != 0 && a.Record.Packs > 0 {
				for _, pack := range open.Said.Packs {
					add(pack)
				}
			}
		}
	}
	return list, nil
}
