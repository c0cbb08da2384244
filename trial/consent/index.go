package consent

import (
	"errors"
	"fmt"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/element"
	"github.com/trialproof/trialproof/trial/vault"
)

// An Entry is what a site keeps of one consent, or of one disclosure without consent, so that it
// knows whose it is: the log does not. Each is a small encrypted file of the site's index, so that
// it takes no secret to add one. Whoever loses the index can no longer tell which consent is
// whose.
type Entry struct {
	Disclosure *Disclosure `json:"disclosure,omitempty"` // if it is one
	ID         trial.Hash  `json:"id"`                   // handle of the consent, or identity of the disclosure's statement
	Log        string      `json:"log"`                  // origin
	Subject    string      `json:"subject"`
	Type       string      `json:"type"` // entryType
}

const (
	entryType = "trialproof/index/v1"
	maxEntry  = 64 << 10
)

// Seal returns the entry encrypted to those who may read the index: the site and a backup.
func (e *Entry) Seal(recipients ...string) ([]byte, error) {
	e.Type = entryType
	if e.Subject == "" || e.ID.IsZero() {
		return nil, errors.New("an entry of the index names a person and a statement")
	}
	data, err := vault.Canonical(e)
	if err != nil {
		return nil, err
	}
	return vault.Encrypt(data, recipients...)
}

// OpenEntry opens an entry of the index.
func OpenEntry(data []byte, identities vault.Identities) (*Entry, error) {
	plain, err := vault.Decrypt(data, maxEntry, identities)
	if err != nil {
		return nil, err
	}
	e := new(Entry)
	if err := vault.ParseCanonical(plain, e); err != nil {
		return nil, err
	}
	if e.Type != entryType {
		return nil, errors.New("it is no entry of an index")
	}
	return e, nil
}

// A Disclosure is the terms of a disclosure without consent: what an account of it must say (45
// CFR 164.528(b)(2)), and the person. The log has commitments to its parts.
type Disclosure struct {
	Content   string `json:"content"`   // what was disclosed, in a few words
	Purpose   string `json:"purpose"`   // what for
	Recipient string `json:"recipient"` // name and address
	Subject   string `json:"subject"`   // the person, by the site's pseudonym
}

// ParseDisclosure parses a terms file of a disclosure: a JSON object with these four members.
func ParseDisclosure(data []byte) (*Disclosure, error) {
	if len(data) > MaxTerms {
		return nil, fmt.Errorf("terms have at most %d bytes, not %d", MaxTerms, len(data))
	}
	d := new(Disclosure)
	if err := strict(data, d); err != nil {
		return nil, fmt.Errorf("terms of a disclosure are a JSON object with content, purpose, recipient (name and address) and subject: %w", err)
	}
	for name, text := range map[string]string{"content": d.Content, "purpose": d.Purpose, "recipient": d.Recipient, "subject": d.Subject} {
		if text == "" {
			return nil, fmt.Errorf("terms of a disclosure are a JSON object with content, purpose, recipient (name and address) and subject: "+
				"%s is missing", name)
		}
	}
	return d, nil
}

// Parts returns the parts of the terms. Each can be shown alone.
func (d *Disclosure) Parts() []element.Part {
	return []element.Part{{Path: "content/1", Text: d.Content}, {Path: "purpose/1", Text: d.Purpose},
		{Path: "recipient/1", Text: d.Recipient}, {Path: "subject/1", Text: d.Subject}}
}
