package trial

// maxSkew is how much later than the log's clock a signer's may be, in
// milliseconds.
const maxSkew Time = 5 * 60 * 1000

// A tx is one statement being judged. Its edits reach the state only in
// finish, so a refusal changes nothing.
type tx struct {
	s      *State
	index  uint64
	signer *KeyRecord
	edited map[RecordKey]Record
}

// begin checks what every statement must keep to, whatever its kind.
func (s *State) begin(signed *Signed, at Time) (*tx, *Refusal) {
	if s.genesis == nil { // before it, or behind one that was refused
		return nil, refuse(RuleOrder, "the log has no genesis yet")
	}
	c := signed.Statement.Predicate.common()
	if c.Log != s.genesis.Log {
		return nil, refuse(RuleLog, "it says %q, this log is %q", c.Log, s.genesis.Log)
	}
	t := &tx{s: s, index: s.size, edited: make(map[RecordKey]Record, 4)}
	key, ok := edit[*KeyRecord](t, RecordKey{"key", signed.Key.ID().String()})
	if !ok {
		return nil, refuse(RuleNotEnrolled, "no organisation has enrolled key %s: an administrator does, with trial enrol", signed.Key.ID())
	}
	if key.Revoked != 0 {
		return nil, refuse(RuleRevoked, "key %s of %s was revoked at index %d", key.ID, key.Org, key.Revoked)
	}
	if c.SignedAt > at+maxSkew {
		return nil, refuse(RuleSignedAt, "signedAt is %s, the log's clock says %s: set the signer's clock", c.SignedAt, at)
	}
	t.signer = key
	return t, nil
}

func (t *tx) entrySigner() Signer {
	return Signer{t.signer.Enrolled, t.signer.Key, t.signer.Org, t.signer.Role}
}

// edit returns a copy of the record at key that the statement may change, and
// to whose entries it will be added. It is false if there is no such record.
func edit[R Record](t *tx, key RecordKey) (R, bool) {
	if r, ok := t.edited[key]; ok {
		return r.(R), true
	}
	r, ok := t.s.records[key]
	if !ok {
		var none R
		return none, false
	}
	c := r.clone()
	t.edited[key] = c
	return c.(R), true
}

// create adds a new record; false if there is one with its key.
func (t *tx) create(r Record) bool {
	key := r.RecordKey()
	if t.s.records[key] != nil || t.edited[key] != nil {
		return false
	}
	t.edited[key] = r
	return true
}

// heldTrial returns the trial for editing if the signer's organisation holds it.
func (t *tx) heldTrial(id Hash) (*TrialRecord, *Refusal) {
	tr, ok := edit[*TrialRecord](t, RecordKey{"trial", id.String()})
	if !ok {
		return nil, refuse(RuleUnknown, "no trial %s is logged: register it first", id)
	}
	if tr.Holder != t.signer.Org {
		return nil, refuse(RuleHolder, "trial %s is held by %s, the signer's organisation is %s", id, tr.Holder, t.signer.Org)
	}
	return tr, nil
}

// identifier returns an identifier's record for editing, a new one if need be.
func (t *tx) identifier(id string) *IdentifierRecord {
	if r, ok := edit[*IdentifierRecord](t, RecordKey{"identifier", id}); ok {
		return r
	}
	r := &IdentifierRecord{ID: id, Kind: "identifier"}
	t.create(r)
	return r
}

// finish puts the edits into the state, each with the entry behind its others.
func (t *tx) finish(leaf Hash, at Time) {
	for key, r := range t.edited {
		r.Log().Add(t.index, leaf)
		t.s.undo = append(t.s.undo, undo{key, t.s.records[key]})
		t.s.records[key] = r
		t.s.dirty[key] = struct{}{}
		t.s.changed[key] = struct{}{}
	}
	t.s.size++
	t.s.time = at
}
