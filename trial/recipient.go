package trial

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
)

// Recipient adds or retires a public key to which data is encrypted for an organisation. An
// administrator of the organisation signs it, so that a stolen signer's key redirects nothing.
// Its one subject is named recipient; its digest is the recipient's id.
type Recipient struct {
	Common
	Action    string `json:"action"` // add or retire
	Org       string `json:"org"`    // the signer's
	Reason    string `json:"reason,omitempty"`
	Recipient string `json:"recipient,omitempty"` // the one added, see CheckRecipient
	Retire    Hash   `json:"retire,omitzero"`     // id of the one retired
}

// RecipientID returns the id of an organisation's recipient. It depends on the organisation, so
// nobody can take another's recipient first.
func RecipientID(org, recipient string) Hash {
	return sha256.Sum256([]byte("trialproof/recipient/v1\n" + org + "\n" + recipient))
}

// The form of age's recipients of hybrid keys, ML-KEM-768 with X25519. Their checksum is checked
// by whoever encrypts to them.
const (
	recipientPrefix   = "age1pq1"
	recipientLength   = 1959
	recipientAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l" // of Bech32
)

// CheckRecipient checks the form of a recipient.
func CheckRecipient(s string) error {
	data, ok := strings.CutPrefix(s, recipientPrefix)
	if !ok || len(s) != recipientLength || strings.Trim(data, recipientAlphabet) != "" {
		return fmt.Errorf("recipient %.20q is not %s and %d more characters of age: make an identity with age-keygen -pq",
			s, recipientPrefix, recipientLength-len(recipientPrefix))
	}
	return nil
}

func (*Recipient) Kind() string { return "recipient" }

// ID returns the id of the recipient that is added or retired.
func (p *Recipient) ID() Hash {
	if p.Action == "retire" {
		return p.Retire
	}
	return RecipientID(p.Org, p.Recipient)
}

func (p *Recipient) describe([]Subject) string {
	if p.Action == "retire" {
		return fmt.Sprintf("retirement of recipient %s of %s: %s", p.Retire, p.Org, because(p.Reason))
	}
	return fmt.Sprintf("recipient %s of %s, to which data is encrypted", p.ID(), p.Org)
}

func (p *Recipient) check(subjects []Subject) error {
	if err := CheckOrgID(p.Org); err != nil {
		return err
	}
	if err := checkEndReason(p.Reason, p.Action == "retire"); err != nil {
		return err
	}
	switch p.Action {
	case "add":
		if !p.Retire.IsZero() {
			return errors.New("adding a recipient takes no member retire")
		}
		if err := CheckRecipient(p.Recipient); err != nil {
			return err
		}
	case "retire":
		if p.Recipient != "" || p.Retire.IsZero() {
			return errors.New("retiring a recipient takes its id as the member retire, and no member recipient")
		}
	default:
		return fmt.Errorf("action is %.40q; it is add or retire", p.Action)
	}
	return checkNamed(subjects, "recipient", p.ID())
}

func (p *Recipient) apply(t *tx, s *Signed) *Refusal {
	if t.signer.Role != RoleAdministrator || t.signer.Org != p.Org {
		return refuse(RuleRole, "only an administrator of %s adds or retires its recipients; this key is %s of %s",
			p.Org, t.signer.Role, t.signer.Org)
	}
	// The organisation's history has its recipients, so that whoever encrypts to it finds all.
	if _, r := t.org(p.Org); r != nil {
		return r
	}
	if p.Action == "add" {
		if !t.create(&RecipientRecord{Added: t.index, ID: p.ID(), Kind: "recipient", Org: p.Org}) {
			return refuse(RuleTaken, "recipient %s of %s was added before: a retired one does not come back, make a new one", p.ID(), p.Org)
		}
		return nil
	}
	rec, ok := edit[*RecipientRecord](t, RecordKey{"recipient", p.Retire.String()})
	if !ok || rec.Org != p.Org {
		return refuse(RuleUnknown, "%s has added no recipient %s", p.Org, p.Retire)
	}
	if rec.Retired != 0 {
		return refuse(RuleTaken, "recipient %s was retired at index %d", p.Retire, rec.Retired)
	}
	rec.Retired = t.index
	return nil
}

// RecipientRecord is what the rules remember of an organisation's recipient.
type RecipientRecord struct {
	Added   uint64  `json:"added"` // index
	Entries Entries `json:"entries"`
	ID      Hash    `json:"id"` // see RecipientID
	Kind    string  `json:"kind"`
	Org     string  `json:"org"`
	Retired uint64  `json:"retired,omitempty"` // index
}

func (r *RecipientRecord) RecordKey() RecordKey { return RecordKey{"recipient", r.ID.String()} }
func (r *RecipientRecord) EntryTree() *Entries  { return &r.Entries }
func (r *RecipientRecord) kind() string         { return r.Kind }
func (r *RecipientRecord) clone() Record        { c := *r; return &c }
