package evidence

import (
	"errors"
	"fmt"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/history"
)

// rule judges the entries after a state entry again, in order, with the records that the rules
// consult as of that state entry. All entries except the last must keep the rules, and the last
// must break one. The state entry and the entries are in the tree that the log signed; the
// records are under the state entry's map root. If that root is false, the log misbehaved too.
func (e *Evidence) rule(tree checkpoint.Tree) (*Verdict, error) {
	if len(e.Proof) > 0 || len(e.Entries) == 0 || (e.State == nil) != (e.Genesis == nil) || e.State == nil && len(e.Records) > 0 {
		return nil, nothing("a rule's evidence is the state entry before with the genesis, entries and records, and nothing else")
	}
	part, err := e.part(tree)
	if err != nil {
		return nil, err
	}
	for i, x := range e.Entries {
		if x.Index != part.Size() {
			return nil, nothing("entry %d is shown where entry %d is needed", x.Index, part.Size())
		}
		if err := x.included(tree); err != nil {
			return nil, err
		}
		entry, err := judge(part, x.Entry)
		if err == nil && entry.Genesis != nil && entry.Genesis.Log != tree.Origin {
			err = &trial.Refusal{Rule: trial.RuleLog, Detail: fmt.Sprintf("the genesis is of the log %q", entry.Genesis.Log)}
		}
		last := i == len(e.Entries)-1
		if err == nil && last && x.Index == tree.Size-1 && entry.State == nil {
			err = &trial.Refusal{Rule: trial.RuleState, Detail: "the tree does not end with a state entry"}
		}
		refusal, refused := errors.AsType[*trial.Refusal](err)
		switch {
		case refused && last:
			return &Verdict{Kind: Rule, Origin: tree.Origin, Size: tree.Size, Index: x.Index, Rule: refusal.Rule, Text: fmt.Sprintf(
				"the log %s signed a tree of size %d whose entry %d breaks a rule of the log: %v",
				tree.Origin, tree.Size, x.Index, refusal)}, nil
		case refused:
			return nil, nothing("entry %d breaks a rule before the last one shown: %v", x.Index, refusal)
		case err != nil:
			return nil, unable(x.Index, err)
		}
	}
	return nil, nothing("every entry shown keeps the rules")
}

// judge judges the next entry as an auditor does.
func judge(part *trial.Part, raw []byte) (*trial.Entry, error) {
	if err := part.Judges(); err != nil { // an entry that a newer rule set may allow is not to blame
		return nil, err
	}
	entry, err := trial.ParseEntry(raw)
	if err == nil {
		if err = entry.Verify(); err == nil {
			err = part.Apply(entry)
		}
	}
	return entry, err
}

// unable returns an error that is not a refusal.
func unable(i uint64, err error) error {
	if _, newer := errors.AsType[*trial.NewerRules](err); newer {
		return err
	}
	return nothing("entry %d: %w", i, err)
}

// part returns what is shown of the state before the first entry.
func (e *Evidence) part(tree checkpoint.Tree) (*trial.Part, error) {
	if e.State == nil {
		return trial.NewPart(nil, nil, nil)
	}
	if err := e.Genesis.included(tree); err != nil {
		return nil, err
	}
	if err := e.State.included(tree); err != nil {
		return nil, err
	}
	genesis, err := trial.ParseEntry(e.Genesis.Entry)
	if err != nil || genesis.Genesis == nil || e.Genesis.Index != 0 || genesis.Genesis.Log != tree.Origin {
		return nil, nothing("entry %d is not the genesis of the log", e.Genesis.Index)
	}
	if set := genesis.Genesis.Rules; set > trial.RuleSet {
		return nil, &trial.NewerRules{From: 0, Set: set}
	}
	state, err := trial.ParseEntry(e.State.Entry)
	if err != nil || state.State == nil || state.State.Size != e.State.Index {
		return nil, nothing("entry %d is not a state entry", e.State.Index)
	}
	if set := state.State.Rules; set > trial.RuleSet {
		return nil, &trial.NewerRules{From: e.State.Index + 1, Set: set}
	}
	var known []trial.Known
	for _, r := range e.Records {
		proof, err := r.Map.Proof()
		if err != nil {
			return nil, nothing("map proof: %v", err)
		}
		known = append(known, trial.Known{Key: trial.RecordKey{Kind: r.Kind, ID: r.ID}, Record: []byte(r.Record), Proof: proof})
	}
	part, err := trial.NewPart(genesis.Genesis, state.State, known)
	if err != nil {
		return nil, nothing("%w", err)
	}
	return part, nil
}

func (x *Entry) included(tree checkpoint.Tree) error {
	path, err := history.Hashes(x.Path)
	if err == nil {
		err = tree.CheckInclusion(x.Index, (&trial.Entry{Raw: x.Entry}).LeafHash(), path)
	}
	if err != nil {
		return nothing("inclusion proof of entry %d: %w", x.Index, err)
	}
	return nil
}

// A Prover returns an entry's inclusion proof in the tree that the evidence is about.
type Prover func(index uint64) ([][32]byte, error)

// NewRule returns the evidence that the last of entries, which begin at index first, breaks a
// rule in the tree of a signed checkpoint. It needs the genesis, the state entry just before
// the entries, and the records of that state which the rules consult. For entries that begin
// with entry 0, genesis and state are nil.
func NewRule(signed, genesis, state []byte, first uint64, entries [][]byte, known []trial.Known, prove Prover) (*Evidence, error) {
	e := &Evidence{Kind: Rule, Checkpoints: []string{string(signed)}}
	located := func(i uint64, raw []byte) (*Entry, error) {
		path, err := prove(i)
		return &Entry{i, raw, history.Strings(path)}, err
	}
	var err error
	if first > 0 {
		if e.Genesis, err = located(0, genesis); err != nil {
			return nil, err
		}
		if e.State, err = located(first-1, state); err != nil {
			return nil, err
		}
		for _, k := range known {
			e.Records = append(e.Records, Record{k.Key.Kind, k.Key.ID, string(k.Record), history.NewMap(k.Proof)})
		}
	}
	for i, raw := range entries {
		x, err := located(first+uint64(i), raw)
		if err != nil {
			return nil, err
		}
		e.Entries = append(e.Entries, *x)
	}
	return e, nil
}
