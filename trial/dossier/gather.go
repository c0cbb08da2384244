package dossier

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/history"
)

// A Source gives pages of histories: a client of a log, the log itself, or the script of a page.
type Source interface {
	// Page returns a page of a record's history as of a tree size; 0 is the newest. From 0 it is
	// the first page with its proofs, else the entries from that index on. It may be called by
	// several goroutines.
	Page(ctx context.Context, key trial.RecordKey, size, from uint64) (*history.History, error)
	// Gone reports whether an error of Page says that the tree is no longer served.
	Gone(err error) bool
}

// A Gatherer gets histories from a source and checks each under a policy.
type Gatherer struct {
	Policy *checkpoint.Policy
	Source Source
	Keep   bool   // what was checked, too
	Size   uint64 // of the tree, which the log gave before; 0: the newest
}

// ErrInvalid is wrapped if what a source answers does not hold.
var ErrInvalid = errors.New("invalid")

// ErrGrowing says that the log repeatedly stopped serving the tree of one history before the
// next history could be fetched.
var ErrGrowing = errors.New("the log grows so fast that it does not keep one tree for all the histories needed: ask again when it is " +
	"less busy")

// Tries is how often a log is asked for histories of one tree.
const Tries = 5

// OfTrial returns the histories of a trial, by its id or a number, of its numbers and, if they
// are asked for, of its organisations and of the log. All are of one tree.
func (g *Gatherer) OfTrial(ctx context.Context, key trial.RecordKey, orgs bool, log string) (*Histories, error) {
	for range Tries {
		first, _, err := g.Trial(ctx, key)
		if err != nil {
			return nil, err
		}
		h := &Histories{}
		size := first.Checkpoint.Size
		if first.Key.Kind == "trial" {
			h.Trial = first
			h.Numbers, err = g.All(ctx, Numbers(first.Verdict), size)
		} else {
			h.Numbers = []*History{first}
		}
		if err == nil && orgs {
			h.Orgs, err = g.All(ctx, Organisations(first.Verdict), size)
		}
		if err == nil && log != "" {
			h.Log, err = g.History(ctx, trial.RecordKey{Kind: "log", ID: log}, size)
		}
		if err != nil && g.Source.Gone(err) {
			continue // the log has grown much meanwhile
		}
		if err == nil {
			err = OneTree(h.All()...)
		}
		if err != nil {
			return nil, err
		}
		return h, nil
	}
	return nil, ErrGrowing
}

// OneTree returns an error where histories are not all of one tree.
func OneTree(list ...*History) error {
	if err := SameTree(list); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

// All returns several histories of the tree of a size, a few at once.
func (g *Gatherer) All(ctx context.Context, keys []trial.RecordKey, size uint64) ([]*History, error) {
	list, errs := make([]*History, len(keys)), make([]error, len(keys))
	slots := make(chan struct{}, 8)
	var wg sync.WaitGroup
	for i, key := range keys {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if list[i], errs[i] = g.History(ctx, key, size); errs[i] != nil {
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

// Trial returns the history of a trial, by its id or by an identifier that leads to it; if the
// identifier leads to no trial, it returns the identifier's own history. With the trial's history
// it returns that of the identifier by which it was found: both are of one tree, and completeness
// is proven only if it is for both.
func (g *Gatherer) Trial(ctx context.Context, key trial.RecordKey) (p, by *History, err error) {
	for range Tries {
		number, err := g.History(ctx, key, g.Size)
		if err != nil {
			return nil, nil, err
		}
		rec, ok := number.Record.(*trial.IdentifierRecord)
		if !ok {
			return number, nil, nil
		}
		id, err := TheTrial(rec)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		if id.IsZero() {
			return number, nil, nil
		}
		p, err = g.History(ctx, trial.RecordKey{Kind: "trial", ID: id.String()}, number.Checkpoint.Size)
		if err != nil && g.Source.Gone(err) {
			continue // the log has grown much meanwhile
		}
		if err == nil {
			err = OneTree(p, number)
		}
		if err != nil {
			return nil, nil, err
		}
		p.Replayed = p.Replayed && number.Replayed
		return p, number, nil
	}
	return nil, nil, ErrGrowing
}

// History returns a record's history, got page by page, as of a tree of a size that the log gave
// for another record just before; 0 is the newest.
func (g *Gatherer) History(ctx context.Context, key trial.RecordKey, size uint64) (*History, error) {
	first, err := g.Source.Page(ctx, key, size, 0)
	if err != nil {
		return nil, err
	}
	reader, err := history.NewReader(g.Policy, first)
	for err == nil {
		size, from, more := reader.More()
		if !more {
			break
		}
		var next *history.History
		if next, err = g.Source.Page(ctx, key, size, from); err != nil {
			return nil, err
		}
		if len(next.Entries) == 0 {
			break // the verdict says that some are withheld
		}
		if err = reader.Add(next.Entries); err == nil && g.Keep {
			first.Entries = append(first.Entries, next.Entries...)
		}
	}
	h := &History{}
	if err == nil {
		h.Verdict, err = reader.Verdict()
	}
	if err != nil {
		return nil, Invalid(err)
	}
	if h.Key != key {
		return nil, fmt.Errorf("%w: the log answers with the history of %s %s", ErrInvalid, h.Key.Kind, h.Key.ID)
	}
	if g.Keep {
		h.Proof = first // no proof covers anything else in the log's answers
	}
	return h, nil
}

// Invalid wraps a history's error as invalid, unless only a newer program can judge it.
func Invalid(err error) error {
	if _, ok := errors.AsType[*trial.NewerRules](err); ok {
		return err
	}
	return fmt.Errorf("%w: %w", ErrInvalid, err)
}
