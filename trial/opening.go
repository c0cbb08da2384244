package trial

import (
	"crypto/sha256"
	"errors"
	"fmt"
)

// A Salt is 32 random bytes that make the digest behind a commitment impossible to guess.
type Salt = Hash

// Commit returns SHA-256(salt || digest), the trialproofSalted256 of a document whose SHA-256
// is digest. Without the salt it reveals nothing about the document.
func Commit(salt Salt, digest Hash) Hash {
	return sha256.Sum256(append(salt[:], digest[:]...))
}

// Openings have the salts and the name that open the commitments of one statement. They stay
// with the submitter, in the receipt. Once they are erased, the commitments can never be opened
// again, and every proof still verifies.
type Openings struct {
	Name     string          `json:"name,omitempty"`    // the signer's printed name
	NameSalt Salt            `json:"nameSalt,omitzero"` // of printedName
	Salts    map[string]Salt `json:"salts,omitempty"`   // by subject name
}

// Marshal returns the openings in canonical JSON, or nothing if there are none.
func (o *Openings) Marshal() ([]byte, error) {
	if o == nil || o.Name == "" && len(o.Salts) == 0 {
		return nil, nil
	}
	if err := o.checkName(); err != nil {
		return nil, err
	}
	return encode(o)
}

// checkName checks that the name can be shown to people.
func (o *Openings) checkName() error {
	if (o.Name == "") != o.NameSalt.IsZero() {
		return errors.New("openings: a name needs its salt")
	}
	if o.Name == "" {
		return nil
	}
	if err := checkText("the printed name", o.Name, 200); err != nil {
		return fmt.Errorf("openings: %w", err)
	}
	return nil
}

// ParseOpenings parses what Marshal returns and compares it with the statement: every opening
// must open a commitment of the statement.
func ParseOpenings(data []byte, s *Statement) (*Openings, error) {
	o := new(Openings)
	if len(data) == 0 {
		return o, nil
	}
	if err := decode(data, o); err != nil {
		return nil, fmt.Errorf("openings: %w", err)
	}
	if o.Name == "" && len(o.Salts) == 0 {
		return nil, errors.New("openings: they are empty and should be left out")
	}
	if err := o.checkName(); err != nil {
		return nil, err
	}
	if o.Name != "" && CommitName(o.NameSalt, o.Name) != s.Predicate.common().PrintedName {
		return nil, errors.New("openings: the printed name is not the one that was signed")
	}
	for name := range o.Salts {
		ok := false
		for _, sub := range s.Subjects {
			ok = ok || sub.Name == name && !sub.Digest.Salted256.IsZero()
		}
		if !ok {
			return nil, fmt.Errorf("openings: %.40q is not a salted subject of the statement", name)
		}
	}
	return o, nil
}

// CommitName returns the commitment to a signer's printed name.
func CommitName(salt Salt, name string) Hash {
	return Commit(salt, sha256.Sum256([]byte(name)))
}

// Matches reports whether a document with the given SHA-256 is the subject sub.
func (o *Openings) Matches(sub Subject, digest Hash) bool {
	if !sub.Digest.SHA256.IsZero() {
		return sub.Digest.SHA256 == digest
	}
	salt, ok := o.Salts[sub.Name]
	return ok && Commit(salt, digest) == sub.Digest.Salted256
}
