package trial

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Seal fixes a whole statement without showing it. Its commitment is CommitStatement of a salt
// and the statement. It belongs to the organisation alone. The organisation's record counts the
// seals that are not opened, so that ten sealed variants cannot pass for one. Its one subject
// is named sealed; its digest is the commitment.
type Seal struct {
	Common
	Commitment Hash   `json:"commitment"`
	Org        string `json:"org"` // the signer's
}

// CommitStatement returns the commitment to a statement: SHA-256 of the salt and
// the statement's identity.
func CommitStatement(salt Salt, id Hash) Hash {
	return sha256.Sum256(append(salt[:], id[:]...))
}

func (*Seal) Kind() string { return "seal" }

func (p *Seal) describe([]Subject) string {
	return fmt.Sprintf("sealed statement of %s, commitment %s", p.Org, p.Commitment)
}

func (p *Seal) check(subjects []Subject) error {
	if err := CheckOrgID(p.Org); err != nil {
		return err
	}
	return checkNamed(subjects, "sealed", p.Commitment)
}

func (p *Seal) apply(t *tx, s *Signed) *Refusal {
	if t.signer.Role == RoleRegistrar || t.signer.Org != p.Org {
		return refuse(RuleRole, "the seal is for %s; this key is %s of %s", p.Org, t.signer.Role, t.signer.Org)
	}
	if !t.create(&SealRecord{ID: p.Commitment, Index: t.index, Kind: "seal", Org: p.Org, Time: t.time}) {
		return refuse(RuleTaken, "the commitment %s is sealed already", p.Commitment)
	}
	org, r := t.org(p.Org)
	if r != nil {
		return r
	}
	org.Sealed++
	return nil
}

// Unseal opens a seal. It carries the statement that was sealed, the salt, and where and when
// it was sealed. From now on that statement has its effect, as if it were logged now, and the
// rules judge it by the present state. Its subjects are those of the statement.
type Unseal struct {
	Common
	Salt      Salt    `json:"salt"`
	Sealed    SealRef `json:"sealed"`
	Statement string  `json:"statement"` // base64 of the payload

	inner *Statement
	id    Hash // identity of inner
}

// A SealRef names the entry that sealed a statement.
type SealRef struct {
	Index uint64 `json:"index"`
	Time  Time   `json:"time"`
}

// NewUnseal returns the unseal of a statement and its subjects.
func NewUnseal(c Common, payload []byte, salt Salt, at SealRef) (*Unseal, []Subject, error) {
	u := &Unseal{Common: c, Salt: salt, Sealed: at, Statement: b64.EncodeToString(payload)}
	if err := u.parse(); err != nil {
		return nil, nil, refuse(RuleMalformed, "unseal: %v", err)
	}
	return u, u.inner.Subjects, nil
}

func (*Unseal) Kind() string { return "unseal" }

func (u *Unseal) trialID() Hash { return u.inner.Predicate.(ofTrial).trialID() }

func (u *Unseal) describe([]Subject) string {
	return fmt.Sprintf("opening of a seal of entry %d, %s: %s", u.Sealed.Index, u.Sealed.Time, Describe(u.inner))
}

// Opened returns the statement that was sealed.
func (u *Unseal) Opened() *Statement { return u.inner }

func (u *Unseal) parse() error {
	payload, err := decodeB64(u.Statement)
	if err != nil {
		return fmt.Errorf("statement: %w", err)
	}
	// The kind is checked first: an unseal within an unseal is never parsed.
	var w struct{ PredicateType string }
	if err := json.Unmarshal(payload, &w); err != nil {
		return describeJSON(err)
	}
	kind := kindOf(w.PredicateType)
	if !slices.Contains(SealableKinds, kind) {
		return fmt.Errorf("statement is of kind %.40q; these may be sealed: %s", kind, strings.Join(SealableKinds, ", "))
	}
	if u.inner, err = ParseStatement(payload); err != nil {
		return err
	}
	u.id = StatementID(payload)
	return nil
}

func (u *Unseal) check(subjects []Subject) error {
	if u.Salt.IsZero() || u.Sealed.Index > maxIndex {
		return errors.New("salt or sealed is missing")
	}
	if err := u.parse(); err != nil {
		return err
	}
	if u.inner.Predicate.common().Log != u.Log {
		return errors.New("the statement is for another log")
	}
	if !slices.Equal(subjects, u.inner.Subjects) {
		return errors.New("the subjects are not those of the statement")
	}
	return nil
}

func (u *Unseal) apply(t *tx, s *Signed) *Refusal {
	commitment := CommitStatement(u.Salt, u.id)
	rec, ok := edit[*SealRecord](t, RecordKey{"seal", commitment.String()})
	if !ok || rec.Org != t.signer.Org {
		return refuse(RuleUnknown, "%s has sealed no such statement with this salt", t.signer.Org)
	}
	if rec.Opened != 0 {
		return refuse(RuleTaken, "the seal was opened at index %d", rec.Opened)
	}
	if at := (SealRef{rec.Index, rec.Time}); u.Sealed != at {
		return refuse(RuleUnknown, "it was sealed at another time or index: index %d, %s", at.Index, at.Time)
	}
	org, r := t.org(rec.Org)
	if r != nil {
		return r
	}
	rec.Opened = t.index
	org.Opened++
	return u.inner.Predicate.apply(t, &Signed{ID: u.id, Statement: u.inner, Key: s.Key})
}

// MarkUnsealed is the mark that an unseal bears by itself.
const MarkUnsealed MarkID = "M20"

func (*Unseal) meanings() []MarkMeaning {
	return []MarkMeaning{{MarkUnsealed, "was sealed, and opened later", WeightInform}}
}

func (u *Unseal) remarks(logged Time, _ func(string) string) []Remark {
	return []Remark{{MarkUnsealed, fmt.Sprintf("sealed by entry %d, %s; opened %s", u.Sealed.Index, u.Sealed.Time, logged)}}
}

// Effective returns the statement that takes effect with s, and its identity: the
// one that an unseal opens, otherwise s's own.
func (s *Signed) Effective() (Hash, *Statement) {
	if u, ok := s.Statement.Predicate.(*Unseal); ok {
		return u.id, u.inner
	}
	return s.ID, s.Statement
}
