package trial

import (
	"fmt"
	"slices"
)

// maxSkew is how much later than the log's clock a signer's may be, in
// milliseconds.
const maxSkew Time = 5 * 60 * 1000

// A tx is one statement being judged. Its edits reach the state only in
// finish, so a refusal changes nothing.
type tx struct {
	s      *State
	index  uint64
	time   Time // of the entry
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
	t := &tx{s: s, index: s.size, time: at, edited: make(map[RecordKey]Record, 4)}
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
	return t, t.withinLimits(signed.Statement.Predicate)
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
	r := t.s.get(key)
	if r == nil {
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
	if t.s.get(key) != nil || t.edited[key] != nil {
		return false
	}
	t.edited[key] = r
	return true
}

// trial returns a trial for editing.
func (t *tx) trial(id Hash) (*TrialRecord, *Refusal) {
	tr, ok := edit[*TrialRecord](t, RecordKey{"trial", id.String()})
	if !ok {
		return nil, refuse(RuleUnknown, "no trial %s is logged: register it first", id)
	}
	return tr, nil
}

// heldTrial returns the trial for editing if the signer's organisation holds it.
func (t *tx) heldTrial(id Hash) (*TrialRecord, *Refusal) {
	tr, r := t.trial(id)
	if r == nil && tr.Holder != t.signer.Org {
		return nil, refuse(RuleHolder, "trial %s is held by %s, the signer's organisation is %s", id, tr.Holder, t.signer.Org)
	}
	return tr, r
}

// administered is heldTrial for what only an administrator of the holder does.
func (t *tx) administered(id Hash) (*TrialRecord, *Refusal) {
	tr, r := t.heldTrial(id)
	if r == nil && t.signer.Role != RoleAdministrator {
		return nil, refuse(RuleRole, "only an administrator of %s does this; this key is %s", tr.Holder, t.signer.Role)
	}
	return tr, r
}

// entitled returns the trial for editing if the signer's organisation holds it or
// is delegated the kind of statement. A scope is that of a protocol or the country
// of a milestone; others have none.
func (t *tx) entitled(id Hash, kind, scope string) (*TrialRecord, *Refusal) {
	tr, r := t.trial(id)
	if r != nil || tr.Holder == t.signer.Org {
		return tr, r
	}
	ended := ""
	for i, g := range tr.Delegations {
		if g.To != t.signer.Org || !slices.Contains(g.Kinds, kind) || g.Scope != "" && g.Scope != scope {
			continue
		}
		if g.End == "" || t.time <= EndOf(g.End) {
			return tr, t.accept(tr, i)
		}
		ended = fmt.Sprintf("; its delegation ended with %s", g.End)
	}
	return nil, refuse(RuleHolder, "trial %s is held by %s, which has not delegated this %s to %s, the signer's organisation%s", id, tr.Holder, kind, t.signer.Org, ended)
}

// accept notes that a delegation is made use of: by its first statement the
// organisation takes it on, and it becomes part of its history.
func (t *tx) accept(tr *TrialRecord, i int) *Refusal {
	if tr.Delegations[i].Accepted > 0 {
		return nil
	}
	if _, r := t.org(tr.Delegations[i].To); r != nil {
		return r
	}
	tr.Delegations = slices.Clone(tr.Delegations)
	tr.Delegations[i].Accepted = t.index
	return nil
}

// remembered is entitled for statements of which a record remembers no more than that
// they were logged, and by whom. What is void of them cannot be logged again, nor opened
// from a seal.
func (t *tx) remembered(s *Signed, id Hash, kind, scope string) *Refusal {
	tr, r := t.entitled(id, kind, scope)
	if r != nil {
		return r
	}
	if tr.Shares.acted(voidAct(kind, s.ID)) {
		return voided(s.ID)
	}
	tr.Shares = tr.Shares.logged(t.signer.Org, kind, s.ID)
	return nil
}

// org returns an organisation for editing: an entry that gives it something, or
// takes something, stands among its entries.
func (t *tx) org(id string) (*OrgRecord, *Refusal) {
	o, ok := edit[*OrgRecord](t, RecordKey{"org", id})
	if !ok {
		return nil, refuse(RuleUnknown, "no organisation %s is enrolled", id)
	}
	return o, nil
}

// log returns the record of the log itself for editing, to a registrar.
func (t *tx) log() (*LogRecord, *Refusal) {
	if t.signer.Role != RoleRegistrar {
		return nil, refuse(RuleRole, "only a registrar says this; this key is %s of %s", t.signer.Role, t.signer.Org)
	}
	l, _ := edit[*LogRecord](t, RecordKey{"log", t.s.genesis.Log})
	return l, nil
}

// once refuses a statement that stands among acts, and remembers it there: what
// gives or takes authority, or empties an entry's effect, must not come into
// force again because someone, the operator for one, logs it a second time.
func (t *tx) once(acts *[]Hash, id Hash) *Refusal {
	if contains(*acts, id) {
		return refuse(RuleTaken, "this statement is logged, and is logged once only")
	}
	if len(*acts) >= maxPerTrial {
		return tooMany("acts", len(*acts))
	}
	*acts = appended(*acts, id)
	return nil
}

// act is once for the acts of the signer's organisation concerning a trial.
func (t *tx) act(tr *TrialRecord, id Hash) *Refusal {
	if tr.Shares.acted(id) {
		return refuse(RuleTaken, "this statement is logged, and is logged once only")
	}
	share := tr.Shares.share(t.signer.Org)
	if n := len(share.Acts); n >= maxPerTrial {
		return tooMany("acts by "+t.signer.Org, n)
	}
	share.Acts = appended(share.Acts, id)
	tr.Shares = tr.Shares.with(share)
	return nil
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
		r.EntryTree().Add(t.index, leaf)
		t.s.undo = append(t.s.undo, undo{key, t.s.records[key]})
		t.s.records[key] = r
		t.s.dirty[key] = struct{}{}
		t.s.changed[key] = struct{}{}
	}
	t.s.size++
	t.s.time = at
}
