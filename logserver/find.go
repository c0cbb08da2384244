package logserver

import (
	"fmt"
	"slices"

	"github.com/trialproof/trialproof/trial"
)

// Keys that lead to statements beside the records that they are about. No record has these
// kinds, and nothing is proven by them: they lead to entries, whose receipts are then verified
// like any others.
const (
	byDocument  = "document"  // the SHA-256 of a document, in hexadecimal
	byStatement = "statement" // the first 12 hexadecimal digits of a statement's id
	byAsked     = "asked"     // the organisation that a request for data asks
)

// foundBy returns the other keys that lead to a statement, each once. The statement that an
// unseal opens is found as well as the unseal itself.
func foundBy(s *trial.Signed) (keys []trial.RecordKey) {
	add := func(kind, id string) {
		if key := (trial.RecordKey{Kind: kind, ID: id}); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	id, st := s.Effective()
	add(byStatement, s.ID.String()[:trial.ShortDigits])
	add(byStatement, id.String()[:trial.ShortDigits])
	for _, subject := range slices.Concat(s.Statement.Subjects, st.Subjects) {
		if !subject.Digest.SHA256.IsZero() {
			add(byDocument, subject.Digest.SHA256.String())
		}
	}
	if p, ok := st.Predicate.(*trial.Access); ok && p.Of != "" {
		add(byAsked, p.Of)
	}
	return keys
}

// LookupKey returns the key that About accepts for a kind and an id: that of a record, or one
// that leads to statements. Its errors say what is wrong with the id, or that there is no such
// kind.
func LookupKey(kind, id string) (trial.RecordKey, error) {
	key := trial.RecordKey{Kind: kind, ID: id}
	switch kind {
	case byDocument:
		if _, err := trial.ParseHash(id); err != nil {
			return key, fmt.Errorf("the digest %.70q of a document is %w", id, err)
		}
		return key, nil
	case byAsked:
		return key, trial.CheckOrgID(id)
	case byStatement:
		if _, err := trial.ParseHash(id); err != nil && !trial.IsShort(id) {
			return key, fmt.Errorf("%.70q is not %d or more of the 64 hexadecimal digits of a statement's id", id, trial.ShortDigits)
		}
		key.ID = id[:trial.ShortDigits]
		return key, nil
	}
	return key, key.Check()
}

// LookupKinds returns the kinds that LookupKey accepts, sorted.
func LookupKinds() []string {
	kinds := append(trial.RecordKinds(), byAsked, byDocument, byStatement)
	slices.Sort(kinds)
	return kinds
}
