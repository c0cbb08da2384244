package trial

import (
	"fmt"
	"slices"
)

// maxSkew is how much later than the log's clock a signer's clock may be, in milliseconds.
const maxSkew Time = 5 * 60 * 1000

// A tx is one statement that is being judged. Its edits reach the state only in finish, so a
// refusal changes nothing.
type tx struct {
	s      *State
	index  uint64
	time   Time // of the entry
	signer *KeyRecord
	edited map[RecordKey]Record
}

// begin checks the rules that apply to every statement, whatever its kind.
func (s *State) begin(signed *Signed, at Time) (*tx, *Refusal) {
	if s.genesis == nil { // before it, or after one that was refused
		return nil, refuse(RuleOrder, "the log has no genesis yet")
	}
	c := signed.Statement.Predicate.common()
	if c.Log != s.genesis.Log {
		return nil, refuse(RuleLog, "the statement is for %q, but this log is %q", c.Log, s.genesis.Log)
	}
	t := &tx{s: s, index: s.size, time: at, edited: make(map[RecordKey]Record, 4)}
	key, ok := edit[*KeyRecord](t, RecordKey{"key", signed.Key.ID().String()})
	if !ok {
		return nil, refuse(RuleNotEnrolled, "no organisation has enrolled key %s: an administrator can, with trial enrol", signed.Key.ID())
	}
	if key.Revoked != 0 {
		return nil, refuse(RuleRevoked, "key %s of %s was revoked at index %d", key.ID, key.Org, key.Revoked)
	}
	if c.SignedAt > at+maxSkew {
		return nil, refuse(RuleSignedAt, "signedAt is %s, but the log's clock says %s: set the signer's clock", c.SignedAt, at)
	}
	t.signer = key
	return t, t.withinLimits(signed.Statement.Predicate)
}

func (t *tx) entrySigner() Signer {
	return Signer{t.signer.Enrolled, t.signer.Key, t.signer.Org, t.signer.Role}
}

// edit returns a copy of the record at key, which the statement may change. The statement's
// entry will be added to the record's entries. It returns false if there is no such record.
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

// create adds a new record; it returns false if there is one with its key.
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
		return nil, refuse(RuleHolder, "trial %s is held by %s, but the signer's organisation is %s", id, tr.Holder, t.signer.Org)
	}
	return tr, r
}

// administered returns the trial for editing if the signer is an administrator of its holder.
func (t *tx) administered(id Hash) (*TrialRecord, *Refusal) {
	tr, r := t.heldTrial(id)
	if r == nil && t.signer.Role != RoleAdministrator {
		return nil, refuse(RuleRole, "only an administrator of %s can do this; this key is %s", tr.Holder, t.signer.Role)
	}
	return tr, r
}

// entitled returns the trial for editing if the signer's organisation holds it or has a
// delegation for the kind of statement. A scope is that of a protocol or the country of a
// milestone; other kinds have none.
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
	return nil, refuse(RuleHolder, "trial %s is held by %s, which has not delegated this %s to %s, the signer's organisation%s",
		id, tr.Holder, kind, t.signer.Org, ended)
}

// accept notes that a delegation is used. With its first statement the organisation accepts the
// delegation, which then becomes part of its history.
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

// remembered does what entitled does, for statements of which a record remembers only that they
// were logged and by whom. Those that are void cannot be logged again, nor opened from a seal.
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

// org returns an organisation for editing: an entry that gives it something, or takes something
// from it, is one of its entries.
func (t *tx) org(id string) (*OrgRecord, *Refusal) {
	o, ok := edit[*OrgRecord](t, RecordKey{"org", id})
	if !ok {
		return nil, refuse(RuleUnknown, "no organisation %s is enrolled", id)
	}
	return o, nil
}

// log returns the record of the log itself for editing, if the signer is a registrar.
func (t *tx) log() (*LogRecord, *Refusal) {
	if t.signer.Role != RoleRegistrar {
		return nil, refuse(RuleRole, "only a registrar can sign this; this key is %s of %s", t.signer.Role, t.signer.Org)
	}
	l, _ := edit[*LogRecord](t, RecordKey{"log", t.s.genesis.Log})
	return l, nil
}

// once refuses a statement that is among acts, and otherwise adds it. A statement that gives or
// takes authority, or voids another, must not take effect again because someone, for example
// the operator, logs it a second time.
func (t *tx) once(acts *[]Hash, id Hash) *Refusal {
	if contains(*acts, id) {
		return refuse(RuleTaken, "this statement is logged already, and can be logged only once")
	}
	if len(*acts) >= maxPerTrial {
		return tooMany("acts", len(*acts))
	}
	*acts = appended(*acts, id)
	return nil
}

// act does what once does, for the acts of the signer's organisation on a trial.
func (t *tx) act(tr *TrialRecord, id Hash) *Refusal {
	if tr.Shares.acted(id) {
		return refuse(RuleTaken, "this statement is logged already, and can be logged only once")
	}
	share := tr.Shares.share(t.signer.Org)
	if n := len(share.Acts); n >= maxPerTrial {
		return tooMany("acts by "+t.signer.Org, n)
	}
	share.Acts = appended(share.Acts, id)
	tr.Shares = tr.Shares.with(share)
	return nil
}

// identifier returns an identifier's record for editing, which may be new.
func (t *tx) identifier(id string) *IdentifierRecord {
	if r, ok := edit[*IdentifierRecord](t, RecordKey{"identifier", id}); ok {
		return r
	}
	r := &IdentifierRecord{ID: id, Kind: "identifier"}
	t.create(r)
	return r
}

// finish puts the edits into the state, and adds the entry to the entries of each record.
func (t *tx) finish(leaf Hash, at Time) {
	for of, r := range t.edited {
		key := of.Hash()
		r.EntryTree().Add(t.index, leaf)
		t.s.undo = append(t.s.undo, undo{key, t.s.records[key]})
		t.s.put(key, r)
		t.s.dirty[key] = struct{}{}
		t.s.changed[key] = struct{}{}
	}
	t.s.size++
	t.s.time = at
}
