package trial

import (
	"maps"
	"slices"
)

// A Predicate is what a statement of one kind says. The types are in this package, and
// everything about a kind is in its own file; docs/kinds.md shows how to add one.
type Predicate interface {
	// Kind returns the kind's name, such as "protocol".
	Kind() string
	// common returns the members that every predicate has.
	common() *Common
	// check checks the form of the members and subjects, without state.
	check(subjects []Subject) error
	// describe says in one line what the statement says.
	describe(subjects []Subject) string
	// apply checks the kind's rules against the state and, if none is broken,
	// edits the records that the statement is about.
	apply(t *tx, s *Signed) *Refusal
}

// kindTable makes an empty predicate of each kind of rule set 1.
var kindTable = []func() Predicate{
	func() Predicate { return new(Org) },
	func() Predicate { return new(Key) },
	func() Predicate { return new(Registration) },
	func() Predicate { return new(Identifier) },
	func() Predicate { return new(Protocol) },
	func() Predicate { return new(SAP) },
	func() Predicate { return new(Milestone) },
	func() Predicate { return new(Results) },
	func() Predicate { return new(Document) },
	func() Predicate { return new(Observation) },
	func() Predicate { return new(CoSignature) },
	func() Predicate { return new(Delegation) },
	func() Predicate { return new(Transfer) },
	func() Predicate { return new(Ruling) },
	func() Predicate { return new(Correction) },
	func() Predicate { return new(Seal) },
	func() Predicate { return new(Unseal) },
	func() Predicate { return new(LogKey) },
	func() Predicate { return new(Policy) },
	func() Predicate { return new(Rules) },
	func() Predicate { return new(Recipient) },
	func() Predicate { return new(Consent) },
	func() Predicate { return new(Access) },
	func() Predicate { return new(Erasure) },
	func() Predicate { return new(Custody) },
	func() Predicate { return new(CodeBreak) },
	func() Predicate { return new(Dataset) },
}

// kinds has the rows of kindTable by name.
var kinds = map[string]func() Predicate{}

// What may be done with statements of a kind, sorted.
var (
	// DelegableKinds are the kinds that an organisation which does not hold a trial may be
	// entitled to log for it, together with corrections of them.
	DelegableKinds []string
	// SealableKinds are the kinds of statements that may be sealed.
	SealableKinds []string
	// VoidableKinds are the kinds of statements whose effect a void empties.
	VoidableKinds []string
)

func init() {
	for _, newPredicate := range kindTable {
		kinds[newPredicate().Kind()] = newPredicate
	}
	DelegableKinds = kindsThat(func(a allows) bool { return a.delegation })
	SealableKinds = kindsThat(func(a allows) bool { return a.seal })
	VoidableKinds = kindsThat(func(a allows) bool { return a.void })
}

// Kinds returns the names of all kinds, sorted.
func Kinds() []string { return slices.Sorted(maps.Keys(kinds)) }

// A kind has the following methods only if they apply to it.
type (
	// ofTrial is a predicate that is about one trial.
	ofTrial interface{ trialID() Hash }

	// allowing is a kind that says what may be done with its statements.
	allowing interface{ allows() allows }

	// correctable is a kind with members that a correction may name.
	correctable interface{ members() map[string]member }

	// effective is a kind whose statements do more to a record than enter its shares. A void
	// takes that effect back.
	effective interface {
		// author returns the organisation that logged a statement and may correct it, or "" if
		// the statement is not logged or is void.
		author(tr *TrialRecord, id Hash) string
		empty(t *tx, tr *TrialRecord, id Hash) *Refusal
	}
)

// allows is what may be done with statements of a kind.
type allows struct {
	delegation bool // another organisation may log them for the holder of the trial
	scope      bool // a delegation of them may be confined to a scope or a country
	seal       bool // they may be sealed
	void       bool // a correction may empty their effect
}

// allowed returns what may be done with statements of a kind.
func allowed(kind string) allows {
	if newPredicate := kinds[kind]; newPredicate != nil {
		if p, ok := newPredicate().(allowing); ok {
			return p.allows()
		}
	}
	return allows{}
}

func kindsThat(may func(allows) bool) (list []string) {
	for _, kind := range Kinds() {
		if may(allowed(kind)) {
			list = append(list, kind)
		}
	}
	return list
}

// A member is one that a correction may name: its text in a statement, and the check of such a
// text's form. If the form allows it, the text may be empty.
type member struct {
	text string
	form func(string) error
}

// correctables returns the members that a correction may name.
func correctables(p Predicate) map[string]member {
	if c, ok := p.(correctable); ok {
		return c.members()
	}
	return nil
}

// MembersOf returns the text of each member of a predicate that a correction may name.
func MembersOf(p Predicate) map[string]string {
	texts := map[string]string{}
	for name, m := range correctables(p) {
		texts[name] = m.text
	}
	return texts
}

// TrialOf returns the id of the trial that s names, or zero if it names none. It is zero for a
// registration too: the id of its trial is the statement's own identity.
func TrialOf(s *Statement) Hash {
	if p, ok := s.Predicate.(ofTrial); ok {
		return p.trialID()
	}
	return Hash{}
}
