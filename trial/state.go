package trial

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/trial/smap"
)

// A State is everything the rules need to judge the next entry. The server admits entries with
// it; auditors replay logs with it. It is a plain value for one goroutine: none of its methods
// may run at the same time as another.
//
// The zero State is the state before the genesis.
type State struct {
	genesis *Genesis
	size    uint64
	time    Time
	records map[smap.Hash]Record   // by RecordKey.Hash: a million of them take less room so
	tree    smap.Map               // as of the last state entry
	dirty   map[smap.Hash]struct{} // edited since then
	undo    []undo                 // since the last Commit
	base    savepoint              // at the last Commit
	changed map[smap.Hash]struct{} // since the last call of Changed
	shared  sharedTexts            // that records repeat
	asked   func(RecordKey)        // if set, it is called with each record that the rules consult
}

// An undo holds the record at key before one edit; nil if there was none.
type undo struct {
	key smap.Hash
	was Record
}

// A savepoint is what Rollback returns to, besides the records.
type savepoint struct {
	genesis *Genesis
	size    uint64
	time    Time
	tree    smap.Map
}

// Size returns the number of entries applied: the index of the next.
func (s *State) Size() uint64 { return s.size }

// Time returns the time of the last entry; no later entry may have an earlier time.
func (s *State) Time() Time { return s.time }

// Genesis returns the log's genesis, or nil before it is applied.
func (s *State) Genesis() *Genesis { return s.genesis }

// Record returns a record, or nil if there is none.
func (s *State) Record(key RecordKey) Record { return s.records[key.Hash()] }

// Len returns the number of records.
func (s *State) Len() int { return len(s.records) }

// MapRoot returns the map root in the last state entry.
func (s *State) MapRoot() Hash { return s.tree.Root() }

// Prove returns the proof of a record's presence or absence under MapRoot.
func (s *State) Prove(key RecordKey) smap.Proof { return s.tree.Prove(key.Hash()) }

// Map returns the Merkle map whose root is in the last state entry. It is a value and does not
// change.
func (s *State) Map() smap.Map { return s.tree }

// rules returns the rule set that judges the entry at an index.
func (s *State) rules(index uint64) int {
	if s.genesis == nil {
		return RuleSet
	}
	if l, ok := s.get(RecordKey{"log", s.genesis.Log}).(*LogRecord); ok && l.Rules != nil && index >= l.Rules.From {
		return l.Rules.Set
	}
	return s.genesis.Rules
}

// judges reports whether this program can judge the entry at an index.
func (s *State) judges(index uint64) error {
	if set := s.rules(index); set > RuleSet {
		return &NewerRules{index, set}
	}
	return nil
}

// Judges returns a *NewerRules if this program cannot judge the next entry. It then cannot even
// judge its form.
func (s *State) Judges() error { return s.judges(s.size) }

// Apply judges one entry of a log by the rules and, if it breaks none, applies it. Every error
// is a *Refusal, or a *NewerRules for an entry that this program cannot judge, and leaves s as
// it was. The entry must have been verified.
func (s *State) Apply(e *Entry) error {
	if err := s.judges(s.size); err != nil {
		return err
	}
	if s.size == 0 && e.Genesis != nil && e.Genesis.Rules > RuleSet {
		return &NewerRules{0, e.Genesis.Rules}
	}
	if r := s.apply(e); r != nil {
		return r
	}
	return nil
}

func (s *State) apply(e *Entry) *Refusal {
	if e.Statement != nil && !e.Statement.verified {
		return refuse(RuleSignature, "the entry's signature has not been verified")
	}
	if (s.size == 0) != (e.Genesis != nil) {
		return refuse(RuleOrder, "the genesis must be at index 0 and nowhere else; this is index %d", s.size)
	}
	if e.Time < s.time {
		return refuse(RuleTime, "the time %s is before %s, the time of the previous entry", e.Time, s.time)
	}
	switch {
	case e.Genesis != nil:
		return s.applyGenesis(e)
	case e.State != nil:
		return s.applyState(e)
	}
	t, r := s.begin(e.Statement, e.Time)
	if r != nil {
		return r
	}
	if !e.Signer.equal(t.entrySigner()) {
		return refuse(RuleSigner, "the entry's organisation, role or enrolment for key %s is not the one in the state", e.Signer.Key.ID())
	}
	if r := e.Statement.Statement.Predicate.apply(t, e.Statement); r != nil {
		return r
	}
	t.finish(e.LeafHash(), e.Time)
	return nil
}

// Admit judges a statement that Check returned as the next entry, at the time given, and
// applies it. It returns the entry and the keys of the records that it is about, without the
// signer's key. Every error is a *Refusal, or a *NewerRules if a tree with the entry could no
// longer be closed, and leaves s as it was.
func (s *State) Admit(signed *Signed, at Time) (raw []byte, about []RecordKey, err error) {
	if !signed.verified {
		return nil, nil, refuse(RuleSignature, "the statement's signature has not been verified")
	}
	if at < s.time {
		return nil, nil, refuse(RuleTime, "the time %s is before %s, the time of the previous entry", at, s.time)
	}
	if err := s.judges(s.size + 1); err != nil { // the earliest index of the next state entry
		return nil, nil, err
	}
	t, r := s.begin(signed, at)
	if r != nil {
		return nil, nil, r
	}
	raw, err = encode(statementEntry{signed.Envelope, t.entrySigner(), at, "statement"})
	if err != nil {
		return nil, nil, refuse(RuleMalformed, "entry: %v", err)
	}
	if len(raw) > MaxEntry {
		return nil, nil, refuse(RuleLimit, "the entry would have %d bytes; the most is %d", len(raw), MaxEntry)
	}
	if r := signed.Statement.Predicate.apply(t, signed); r != nil {
		return nil, nil, r
	}
	for key := range t.edited {
		if key != t.signer.RecordKey() {
			about = append(about, key)
		}
	}
	t.finish(leafHash(raw), at)
	return raw, about, nil
}

// Close applies and returns the state entry that ends a tree at the present size.
func (s *State) Close(at Time) ([]byte, error) {
	if s.genesis == nil {
		return nil, refuse(RuleOrder, "the log has no genesis yet")
	}
	if at < s.time {
		return nil, refuse(RuleTime, "the time %s is before %s, the time of the previous entry", at, s.time)
	}
	if err := s.judges(s.size); err != nil {
		return nil, err
	}
	s.rehash()
	raw, err := encode(StateEntry{MapRoot{smap.Algorithm, s.tree.Root()}, s.rules(s.size + 1), s.size, at, "state"})
	if err != nil {
		return nil, err
	}
	s.size++
	s.time = at
	return raw, nil
}

// rehash brings the Merkle map up to date with the records.
func (s *State) rehash() {
	for key := range s.dirty {
		s.tree = s.tree.Set(key, valueOf(s.records[key]))
	}
	clear(s.dirty)
}

// valueOf returns what the Merkle map has for a record.
func valueOf(r Record) smap.Hash {
	data, err := encode(r)
	if err != nil {
		panic(fmt.Sprintf("trial: record %v does not encode: %v", r.RecordKey(), err)) // every field was parsed before
	}
	return smap.Hash(RecordValue(data))
}

// makeMaps makes room for n records and more.
func (s *State) makeMaps(n int) {
	s.records = make(map[smap.Hash]Record, n)
	s.dirty = map[smap.Hash]struct{}{}
	s.changed = map[smap.Hash]struct{}{}
	s.shared = sharedTexts{}
}

// sharedTexts has one copy of each text that many records repeat, such as an organisation's name.
type sharedTexts map[string]string

// one returns the copy of a text.
func (t sharedTexts) one(text string) string {
	if _, ok := t[text]; !ok {
		text = strings.Clone(text)
		t[text] = text
	}
	return t[text]
}

// A sharer is a record of which there may be millions.
type sharer interface {
	share(sharedTexts) // replaces what other records say too by the one copy of it
}

// put keeps a record that is not in the map yet.
func (s *State) put(key smap.Hash, r Record) {
	if r, ok := r.(sharer); ok {
		r.share(s.shared)
	}
	s.records[key] = r
}

func (s *State) applyGenesis(e *Entry) *Refusal {
	g := e.Genesis
	s.makeMaps(0)
	t := &tx{s: s, edited: map[RecordKey]Record{}}
	log := &LogRecord{ID: g.Log, Keys: []LogKeyState{{VKey: g.VKey}}, Kind: "log"}
	t.create(log)
	for _, key := range g.Registrars {
		log.Registrars = append(log.Registrars, key.ID())
		if !t.create(&KeyRecord{ID: key.ID(), Key: key, Kind: "key", Org: RegistrarOrg, Role: RoleRegistrar}) {
			return refuse(RuleMalformed, "genesis: a registrar is named twice")
		}
	}
	t.finish(e.LeafHash(), e.Time)
	s.genesis = g
	return nil
}

func (s *State) applyState(e *Entry) *Refusal {
	if e.State.Size != s.size {
		return refuse(RuleState, "its size is %d, but its index is %d", e.State.Size, s.size)
	}
	if set := s.rules(s.size + 1); e.State.Rules != set {
		return refuse(RuleState, "its rule set is %d, but rule set %d is in force", e.State.Rules, set)
	}
	tree, dirty := s.tree, maps.Clone(s.dirty)
	s.rehash()
	if root := s.tree.Root(); root != e.State.Map.Root {
		s.tree, s.dirty = tree, dirty
		return refuse(RuleState, "the map's root is %x, but the entry has %s", root, e.State.Map.Root)
	}
	s.size++
	s.time = e.Time
	return nil
}

// Commit makes everything since the last Commit or Rollback final. It is called when Close or a
// state entry has ended a tree.
func (s *State) Commit() {
	s.undo = s.undo[:0]
	s.base = savepoint{s.genesis, s.size, s.time, s.tree}
}

// Rollback undoes everything since the last Commit.
func (s *State) Rollback() {
	for _, u := range slices.Backward(s.undo) {
		if u.was == nil {
			delete(s.records, u.key)
		} else {
			s.records[u.key] = u.was
		}
	}
	s.undo = s.undo[:0]
	clear(s.dirty)
	s.genesis, s.size, s.time, s.tree = s.base.genesis, s.base.size, s.base.time, s.base.tree
}

// Changed returns, for a snapshot, the records that changed since the last call. It must be
// called just after Commit. The records may be kept, because they do not change.
func (s *State) Changed() []Record {
	var list []Record
	for key := range s.changed {
		if r := s.records[key]; r != nil {
			list = append(list, r)
		}
	}
	clear(s.changed)
	return list
}

// Load returns the state of a snapshot: the genesis, all records as of a size that a state
// entry ends, and that entry. It refuses records that do not lead to the entry's map root.
func Load(genesis *Genesis, last *StateEntry, records []Record) (*State, error) {
	s := &State{genesis: genesis, size: last.Size + 1, time: last.Time}
	if err := s.fill(records); err != nil {
		return nil, err
	}
	if root := s.tree.Root(); root != last.Map.Root {
		return nil, fmt.Errorf("the snapshot's map root is %x, but the state entry at %d says %s", root, last.Size, last.Map.Root)
	}
	s.Commit()
	return s, nil
}

// fill sets the records, and the map to them.
func (s *State) fill(records []Record) error {
	s.makeMaps(len(records))
	pairs := make([]smap.Leaf, 0, len(records))
	for _, r := range records {
		key := r.RecordKey().Hash()
		if s.records[key] != nil {
			return fmt.Errorf("the snapshot has the record of %s %.80q twice", r.RecordKey().Kind, r.RecordKey().ID)
		}
		s.put(key, r)
		pairs = append(pairs, smap.Leaf{Key: key, Value: valueOf(r)})
	}
	s.tree = smap.New(pairs)
	return nil
}

// Records returns all records, in no particular order. They do not change.
func (s *State) Records() []Record {
	return slices.Collect(maps.Values(s.records))
}

// Skip counts an entry at an index that Apply refused, so that an auditor can go on with the
// next one. The refused entry has no effect.
func (s *State) Skip(index uint64) { s.size = index + 1 }
