package trial

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/trial/smap"
)

// A RecordKey names a record of the state: its kind (see RecordKinds) and its id within the
// kind.
type RecordKey struct {
	Kind, ID string
}

// Hash returns the record's key in the Merkle map: SHA-256 of
// "trialproof/map/v1", the kind and the id, with a line feed between.
func (k RecordKey) Hash() smap.Hash {
	return sha256.Sum256([]byte(smap.Algorithm + "\n" + k.Kind + "\n" + k.ID))
}

// Check refuses a key that no record can have: its kind is not known, or its id is not in the
// canonical encoding of the kind. The map would prove the absence of any such key, and that
// would mean nothing.
func (k RecordKey) Check() error {
	switch k.Kind {
	case "trial", "key", "seal", "recipient", "consent", "request", "unit":
		if _, err := ParseHash(k.ID); err != nil {
			return fmt.Errorf("the id %.70q of a %s is %w", k.ID, k.Kind, err)
		}
	case "org":
		return CheckOrgID(k.ID)
	case "identifier":
		own, sponsors := strings.CutPrefix(k.ID, "sponsor:")
		if !sponsors {
			return checkIdentifier(k.ID)
		}
		org, number, ok := strings.Cut(own, "/")
		if !ok {
			return fmt.Errorf("identifier %.60q is not sponsor:ORG/NUMBER", k.ID)
		}
		return cmp.Or(CheckOrgID(org), checkText("number", number, 60))
	case "log":
		return checkText("origin", k.ID, 200)
	default:
		return fmt.Errorf("there is no kind of record %.40q", k.Kind)
	}
	return nil
}

// A Record is everything the rules remember of one subject. Its value in the
// Merkle map is SHA-256 of its canonical JSON. Records are never changed once
// they are in the state: an entry puts a copy in their place.
type Record interface {
	RecordKey() RecordKey
	// EntryTree returns the tree of the entries that concern the subject.
	EntryTree() *Entries
	kind() string // the kind that the record's own member names
	clone() Record
}

// KindOfRecord returns the kind of a record, as in its key, without making the key.
func KindOfRecord(r Record) string { return r.kind() }

// Entries commits to the entries that concern a subject, in order. It is an RFC 6962 tree, kept
// as its compact range. Each leaf is 40 bytes: the index of an entry (big-endian) and its leaf
// hash.
type Entries struct {
	Count uint64 `json:"count"`
	Peaks []Hash `json:"peaks"` // roots of the perfect subtrees, the largest first
}

// Add appends an entry.
func (e *Entries) Add(index uint64, leaf Hash) {
	var data [1 + 8 + 32]byte // RFC 6962 2.1: leaf hashes are over 0x00 || data
	binary.BigEndian.PutUint64(data[1:], index)
	copy(data[9:], leaf[:])
	h := Hash(sha256.Sum256(data[:]))
	peaks := e.Peaks
	for n := e.Count; n&1 == 1; n >>= 1 {
		h = hashChildren(peaks[len(peaks)-1], h)
		peaks = peaks[:len(peaks)-1]
	}
	e.Peaks = append(peaks[:len(peaks):len(peaks)], h)
	e.Count++
}

// Root returns the RFC 6962 root of the tree.
func (e *Entries) Root() Hash {
	if len(e.Peaks) == 0 {
		return sha256.Sum256(nil)
	}
	h := e.Peaks[len(e.Peaks)-1]
	for i := len(e.Peaks) - 2; i >= 0; i-- {
		h = hashChildren(e.Peaks[i], h)
	}
	return h
}

func hashChildren(l, r Hash) Hash {
	var b [65]byte
	b[0] = 1
	copy(b[1:], l[:])
	copy(b[33:], r[:])
	return sha256.Sum256(b[:])
}

// OrgRecord is what the rules remember of an organisation.
type OrgRecord struct {
	Administrators []Hash  `json:"administrators"` // key ids, not revoked
	Entries        Entries `json:"entries"`
	ID             string  `json:"id"`
	Kind           string  `json:"kind"`
	Name           string  `json:"name"`
	Opened         uint64  `json:"opened,omitempty"` // the number of its seals that were opened
	Sealed         uint64  `json:"sealed,omitempty"` // the number of seals it has logged
}

// KeyRecord is what the rules remember of a key. Its entries are those that enrol, limit or
// revoke the key and those that it signed.
type KeyRecord struct {
	Acts     []Hash     `json:"acts,omitempty"` // statements that limited it, see tx.once
	Enrolled uint64     `json:"enrolled"`       // index
	Entries  Entries    `json:"entries"`
	ID       Hash       `json:"id"`
	Key      PublicKey  `json:"key"`
	Kind     string     `json:"kind"`
	Limits   *KeyLimits `json:"limits,omitempty"`
	Org      string     `json:"org"`
	Revoked  uint64     `json:"revoked,omitempty"` // index
	Role     string     `json:"role"`
}

// TrialRecord is what the rules remember of a trial.
type TrialRecord struct {
	Delegations []Grant              `json:"delegations,omitempty"`
	Entries     Entries              `json:"entries"`
	Holder      string               `json:"holder"` // organisation id
	ID          Hash                 `json:"id"`
	Identifiers []string             `json:"identifiers"`
	Kind        string               `json:"kind"`
	Masked      bool                 `json:"masked,omitempty"`
	Number      string               `json:"number"`
	Offer       *Offer               `json:"offer,omitempty"` // of a transfer that is not accepted yet
	Registered  uint64               `json:"registered"`      // index
	Results     []Hash               `json:"results,omitempty"`
	Scopes      map[string][]Version `json:"scopes,omitempty"` // protocol versions by scope, the one in force last
	Shares      Shares               `json:"shares,omitempty"` // by organisation
	Units       uint64               `json:"units,omitempty"`  // how many packs were issued, those in cases included
}

// Version is one protocol version of a scope.
type Version struct {
	ID      Hash   `json:"id"`
	Org     string `json:"org"` // the organisation that logged it
	Version string `json:"version"`
}

// A Grant is a delegation in force; see Delegation.
type Grant struct {
	Accepted uint64   `json:"accepted,omitempty"` // index of the first statement that rests on it
	End      string   `json:"end,omitempty"`
	ID       Hash     `json:"id"` // identity of the delegation
	Kinds    []string `json:"kinds"`
	Scope    string   `json:"scope,omitempty"`
	To       string   `json:"to"`
}

// An Offer is a transfer that the holder has offered; see Transfer.
type Offer struct {
	ID Hash   `json:"id"` // identity of the transfer statement
	To string `json:"to"`
}

// IdentifierRecord is what the rules remember of a registry's number. If it is claimed for two
// trials, it is disputed until a registrar rules which trial it belongs to.
type IdentifierRecord struct {
	Acts    []Hash  `json:"acts,omitempty"` // rulings, see tx.once
	Claims  []Claim `json:"claims,omitempty"`
	Entries Entries `json:"entries"`
	ID      string  `json:"id"`
	Kind    string  `json:"kind"`
	Ruling  Hash    `json:"ruling,omitzero"`  // the trial that a registrar ruled it belongs to
	Shares  Shares  `json:"shares,omitempty"` // observations by organisation; withdrawn ones are among the acts
}

// A Claim says that an organisation bound the identifier to its trial.
type Claim struct {
	ID    Hash   `json:"id"` // identity of the statement
	Index uint64 `json:"index"`
	Org   string `json:"org"`
	Trial Hash   `json:"trial"`
}

// Disputed reports whether the identifier is claimed for two trials and no
// registrar has ruled.
func (r *IdentifierRecord) Disputed() bool {
	return r.Ruling.IsZero() && len(r.Claims) > 1
}

// Trial returns the trial that the identifier names: the one that a registrar ruled, or the
// only one that claims it. It is zero if there is none or if the identifier is disputed.
func (r *IdentifierRecord) Trial() Hash {
	if r.Ruling.IsZero() && len(r.Claims) == 1 {
		return r.Claims[0].Trial
	}
	return r.Ruling
}

// SealRecord is what the rules remember of a seal.
type SealRecord struct {
	Entries Entries `json:"entries"`
	ID      Hash    `json:"id"` // the commitment
	Index   uint64  `json:"index"`
	Kind    string  `json:"kind"`
	Opened  uint64  `json:"opened,omitempty"` // index of the unseal
	Org     string  `json:"org"`
	Time    Time    `json:"time"` // of the entry that sealed
}

// LogRecord is what the rules remember of the log itself. Its entries are the
// genesis and every statement of a registrar about the log.
type LogRecord struct {
	Acts       []Hash          `json:"acts,omitempty"` // see tx.once
	Entries    Entries         `json:"entries"`
	ID         string          `json:"id"`   // origin
	Keys       []LogKeyState   `json:"keys"` // the keys that sign checkpoints, in order
	Kind       string          `json:"kind"`
	Policies   []PolicyState   `json:"policies,omitempty"` // in order, the one in force last
	Registrars []Hash          `json:"registrars"`         // key ids, not revoked
	Rules      *AnnouncedRules `json:"rules,omitempty"`
}

// LogKeyState is a key that signs the log's checkpoints.
type LogKeyState struct {
	Added   uint64 `json:"added"`             // index
	Retired uint64 `json:"retired,omitempty"` // index
	VKey    string `json:"vkey"`
}

// PolicyState is a policy that a registrar has announced.
type PolicyState struct {
	Digest Hash   `json:"digest"` // SHA-256 of the file
	Index  uint64 `json:"index"`
}

// AnnouncedRules says from which entry on another rule set judges entries.
type AnnouncedRules struct {
	From uint64 `json:"from"` // index
	Set  int    `json:"set"`
}

func (r *OrgRecord) RecordKey() RecordKey        { return RecordKey{"org", r.ID} }
func (r *KeyRecord) RecordKey() RecordKey        { return RecordKey{"key", r.ID.String()} }
func (r *TrialRecord) RecordKey() RecordKey      { return RecordKey{"trial", r.ID.String()} }
func (r *IdentifierRecord) RecordKey() RecordKey { return RecordKey{"identifier", r.ID} }
func (r *SealRecord) RecordKey() RecordKey       { return RecordKey{"seal", r.ID.String()} }
func (r *LogRecord) RecordKey() RecordKey        { return RecordKey{"log", r.ID} }

func (r *OrgRecord) EntryTree() *Entries        { return &r.Entries }
func (r *KeyRecord) EntryTree() *Entries        { return &r.Entries }
func (r *TrialRecord) EntryTree() *Entries      { return &r.Entries }
func (r *IdentifierRecord) EntryTree() *Entries { return &r.Entries }
func (r *SealRecord) EntryTree() *Entries       { return &r.Entries }
func (r *LogRecord) EntryTree() *Entries        { return &r.Entries }

func (r *OrgRecord) kind() string        { return r.Kind }
func (r *KeyRecord) kind() string        { return r.Kind }
func (r *TrialRecord) kind() string      { return r.Kind }
func (r *IdentifierRecord) kind() string { return r.Kind }
func (r *SealRecord) kind() string       { return r.Kind }
func (r *LogRecord) kind() string        { return r.Kind }

func (r *OrgRecord) clone() Record        { c := *r; return &c }
func (r *KeyRecord) clone() Record        { c := *r; return &c }
func (r *TrialRecord) clone() Record      { c := *r; return &c }
func (r *IdentifierRecord) clone() Record { c := *r; return &c }
func (r *SealRecord) clone() Record       { c := *r; return &c }
func (r *LogRecord) clone() Record        { c := *r; return &c }

// MarshalRecord returns a record in canonical JSON.
func MarshalRecord(r Record) ([]byte, error) { return encode(r) }

// recordKinds makes an empty record of each kind.
var recordKinds = map[string]func() Record{
	"org":        func() Record { return new(OrgRecord) },
	"key":        func() Record { return new(KeyRecord) },
	"trial":      func() Record { return new(TrialRecord) },
	"identifier": func() Record { return new(IdentifierRecord) },
	"seal":       func() Record { return new(SealRecord) },
	"log":        func() Record { return new(LogRecord) },
	"recipient":  func() Record { return new(RecipientRecord) },
	"consent":    func() Record { return new(ConsentRecord) },
	"request":    func() Record { return new(RequestRecord) },
	"unit":       func() Record { return new(UnitRecord) },
}

// RecordKinds returns the kinds of records, sorted.
func RecordKinds() []string { return slices.Sorted(maps.Keys(recordKinds)) }

// ParseRecord parses what MarshalRecord returns for a record of the given kind.
func ParseRecord(kind string, data []byte) (Record, error) {
	newRecord := recordKinds[kind]
	if newRecord == nil {
		return nil, fmt.Errorf("there is no kind of record %.40q", kind)
	}
	r := newRecord()
	if err := decode(data, r); err != nil {
		return nil, fmt.Errorf("record of %s: %w", kind, err)
	}
	if r.kind() != kind {
		return nil, fmt.Errorf("record of %s: its kind is %.40q", kind, r.kind())
	}
	if e := r.EntryTree(); e.Count > maxIndex || len(e.Peaks) != bits.OnesCount64(e.Count) {
		return nil, fmt.Errorf("record of %s: a tree of %d entries does not have %d peaks", kind, e.Count, len(e.Peaks))
	}
	switch r := r.(type) {
	case *OrgRecord:
		if len(r.Administrators) == 0 {
			return nil, errors.New("record of org: it names no administrator")
		}
	case *ConsentRecord:
		if len(r.Agents) == 0 {
			return nil, errors.New("record of consent: it names no agent")
		}
	case *LogRecord:
		if len(r.Registrars) == 0 || len(r.Keys) == 0 {
			return nil, errors.New("record of log: it names no registrar or no key")
		}
		if r.Rules != nil && r.Rules.Set < 1 {
			return nil, fmt.Errorf("record of log: %d is not the number of a rule set", r.Rules.Set)
		}
	case *IdentifierRecord:
		if err := r.Shares.check(); err != nil {
			return nil, fmt.Errorf("record of identifier: %w", err)
		}
	case *TrialRecord:
		if err := r.Shares.check(); err != nil {
			return nil, fmt.Errorf("record of trial: %w", err)
		}
		if len(r.Identifiers) == 0 {
			return nil, errors.New("record of trial: it lacks the sponsor's number")
		}
		for _, g := range r.Delegations {
			if len(g.Kinds) == 0 {
				return nil, fmt.Errorf("record of trial: delegation %s names no kind", g.ID)
			}
		}
		for scope, versions := range r.Scopes {
			if len(versions) == 0 {
				return nil, fmt.Errorf("record of trial: scope %.40q has no version", scope)
			}
		}
	}
	return r, nil
}

// RecordValue returns the value of a record in the Merkle map: the SHA-256 of its canonical
// JSON.
func RecordValue(data []byte) Hash { return sha256.Sum256(data) }
