package trial

import (
	"errors"
	"fmt"

	"github.com/trialproof/trialproof/trial/smap"
)

// A Known is what a proof under a state entry's map root shows about one record.
type Known struct {
	Key    RecordKey
	Record []byte // canonical JSON; empty: there is no such record
	Proof  smap.Proof
}

// A Part judges entries as a State does, from the few records that are known. It shows somebody
// who has not replayed the log that an entry breaks a rule: the records come with proofs under
// the state entry before it.
type Part struct {
	state   *State
	known   map[RecordKey]bool
	missing *RecordKey // the record that a rule asked for and that is not known
}

// ErrUnknown is wrapped by the error for an entry that a Part cannot judge, because a rule asks
// for a record that is not known.
var ErrUnknown = errors.New("a record that the rules consult is not shown")

// NewPart returns the part of the state that follows the state entry last. Each known record
// comes with a proof under last's map root. If last is nil, the part is the state before the
// genesis, and every record is known.
func NewPart(genesis *Genesis, last *StateEntry, known []Known) (*Part, error) {
	if last == nil {
		return &Part{state: new(State)}, nil
	}
	s := &State{genesis: genesis, size: last.Size + 1, time: last.Time}
	s.makeMaps(len(known))
	p := &Part{state: s, known: make(map[RecordKey]bool, len(known))}
	var keys []smap.Hash
	var proofs []smap.Proof
	for _, k := range known {
		if p.known[k.Key] {
			return nil, fmt.Errorf("the record of %s %.80q is shown twice", k.Key.Kind, k.Key.ID)
		}
		p.known[k.Key] = true
		keys, proofs = append(keys, k.Key.Hash()), append(proofs, k.Proof)
		value, present, err := k.Proof.Verify(last.Map.Root, k.Key.Hash())
		switch {
		case err != nil:
			return nil, fmt.Errorf("the record of %s %.80q: %w", k.Key.Kind, k.Key.ID, err)
		case present != (len(k.Record) > 0) || present && RecordValue(k.Record) != Hash(value):
			return nil, fmt.Errorf("the record of %s %.80q is not the one in the map", k.Key.Kind, k.Key.ID)
		case !present:
			continue
		}
		r, err := ParseRecord(k.Key.Kind, k.Record)
		if err != nil {
			return nil, err
		}
		if r.RecordKey() != k.Key {
			return nil, fmt.Errorf("the record shown for %s %.80q is that of another", k.Key.Kind, k.Key.ID)
		}
		s.put(k.Key.Hash(), r)
	}
	var err error
	if s.tree, err = smap.Part(last.Map.Root, keys, proofs); err != nil {
		return nil, err
	}
	s.asked = func(key RecordKey) {
		if !p.known[key] {
			p.missing = &key
		}
	}
	return p, nil
}

// Size returns the index of the next entry.
func (p *Part) Size() uint64 { return p.state.size }

// Judges does what State.Judges does, or returns an error that wraps ErrUnknown.
func (p *Part) Judges() error { return p.check(p.state.Judges) }

// Apply does what State.Apply does. An error that wraps ErrUnknown says nothing about the
// entry, and every later call returns it too.
func (p *Part) Apply(e *Entry) error { return p.check(func() error { return p.state.Apply(e) }) }

func (p *Part) check(judge func() error) error {
	if p.missing == nil {
		if err := judge(); p.missing == nil {
			return err
		}
	}
	return fmt.Errorf("%w: %s %.80q", ErrUnknown, p.missing.Kind, p.missing.ID)
}

// get is how the rules consult a record.
func (s *State) get(key RecordKey) Record {
	if s.asked != nil {
		s.asked(key)
	}
	return s.records[key.Hash()]
}

// Consulted judges again the entries since the last Commit. They must be those that were
// applied since then, and there may be one more at the end, which was refused. It returns each
// record that the rules asked for as it was at that Commit, with its proof under the map root
// there. The state is left as it was.
func (s *State) Consulted(entries []*Entry) ([]Known, error) {
	tree := s.base.tree
	var list []Known
	seen := map[RecordKey]bool{}
	var failed error
	s.Rollback()
	s.asked = func(key RecordKey) {
		if seen[key] {
			return
		}
		seen[key] = true
		k := Known{Key: key, Proof: tree.Prove(key.Hash())}
		if r := s.records[key.Hash()]; r != nil { // nothing has edited it yet: an edit asks for the record first
			var err error
			if k.Record, err = MarshalRecord(r); err != nil {
				failed = err
			}
		}
		list = append(list, k)
	}
	defer func() { s.asked = nil }()
	for i, e := range entries {
		if err := s.Apply(e); err != nil && i < len(entries)-1 {
			return nil, err
		}
	}
	_ = s.Judges() // a part is asked this before an entry that cannot be parsed
	return list, failed
}

// Edits returns how many times the entries applied since the last Commit edited a record.
func (s *State) Edits() int { return len(s.undo) }

// Touched returns the records of all these edits except the first n, as they are now.
func (s *State) Touched(n int) []Record {
	var list []Record
	for _, u := range s.undo[n:] {
		list = append(list, s.records[u.key])
	}
	return list
}
