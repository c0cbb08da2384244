package trial

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"github.com/trialproof/trialproof/trial/smap"
)

// A RecordKey names a record of the state: its kind (trial, identifier, org or
// key) and its id within the kind.
type RecordKey struct {
	Kind, ID string
}

// Hash returns the record's key in the Merkle map: SHA-256 of
// "trialproof/map/v1", the kind and the id, with a line feed between.
func (k RecordKey) Hash() smap.Hash {
	return sha256.Sum256([]byte(smap.Algorithm + "\n" + k.Kind + "\n" + k.ID))
}

// A Record is everything the rules remember of one subject. Its value in the
// Merkle map is SHA-256 of its canonical JSON. Records are never changed once
// they are in the state: an entry puts a copy in their place.
type Record interface {
	RecordKey() RecordKey
	Log() *Entries
	kind() string // as the record says
	clone() Record
}

// Entries commits to the entries that concern a subject, in their order: an
// RFC 6962 tree over the 40 bytes of each entry's index (big-endian) and leaf
// hash, kept as its compact range.
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
}

// KeyRecord is what the rules remember of a key. Its entries are those that
// enrol or revoke it and every entry that it signed.
type KeyRecord struct {
	Enrolled uint64    `json:"enrolled"` // index
	Entries  Entries   `json:"entries"`
	ID       Hash      `json:"id"`
	Key      PublicKey `json:"key"`
	Kind     string    `json:"kind"`
	Org      string    `json:"org"`
	Revoked  uint64    `json:"revoked,omitempty"` // index
	Role     string    `json:"role"`
}

// TrialRecord is what the rules remember of a trial.
type TrialRecord struct {
	Entries     Entries              `json:"entries"`
	Holder      string               `json:"holder"` // organisation id
	ID          Hash                 `json:"id"`
	Identifiers []string             `json:"identifiers"`
	Kind        string               `json:"kind"`
	Masked      bool                 `json:"masked,omitempty"`
	Number      string               `json:"number"`
	Registered  uint64               `json:"registered"` // index
	Results     []Hash               `json:"results,omitempty"`
	Scopes      map[string][]Version `json:"scopes,omitempty"` // protocol versions, the head last
}

// Version is one protocol version of a scope.
type Version struct {
	ID      Hash   `json:"id"`
	Version string `json:"version"`
}

// IdentifierRecord is what the rules remember of a registry's number. Claims by
// two organisations make it disputed.
type IdentifierRecord struct {
	Claims  []Claim `json:"claims,omitempty"`
	Entries Entries `json:"entries"`
	ID      string  `json:"id"`
	Kind    string  `json:"kind"`
}

// Claim says that an organisation bound the identifier to its trial.
type Claim struct {
	Index uint64 `json:"index"`
	Org   string `json:"org"`
	Trial Hash   `json:"trial"`
}

// Disputed reports whether two organisations claim the identifier.
func (r *IdentifierRecord) Disputed() bool {
	for _, c := range r.Claims {
		if c.Org != r.Claims[0].Org {
			return true
		}
	}
	return false
}

func (r *OrgRecord) RecordKey() RecordKey        { return RecordKey{"org", r.ID} }
func (r *KeyRecord) RecordKey() RecordKey        { return RecordKey{"key", r.ID.String()} }
func (r *TrialRecord) RecordKey() RecordKey      { return RecordKey{"trial", r.ID.String()} }
func (r *IdentifierRecord) RecordKey() RecordKey { return RecordKey{"identifier", r.ID} }

func (r *OrgRecord) Log() *Entries        { return &r.Entries }
func (r *KeyRecord) Log() *Entries        { return &r.Entries }
func (r *TrialRecord) Log() *Entries      { return &r.Entries }
func (r *IdentifierRecord) Log() *Entries { return &r.Entries }

func (r *OrgRecord) kind() string        { return r.Kind }
func (r *KeyRecord) kind() string        { return r.Kind }
func (r *TrialRecord) kind() string      { return r.Kind }
func (r *IdentifierRecord) kind() string { return r.Kind }

func (r *OrgRecord) clone() Record        { c := *r; return &c }
func (r *KeyRecord) clone() Record        { c := *r; return &c }
func (r *TrialRecord) clone() Record      { c := *r; return &c }
func (r *IdentifierRecord) clone() Record { c := *r; return &c }

// MarshalRecord returns a record in canonical JSON.
func MarshalRecord(r Record) ([]byte, error) { return encode(r) }

// ParseRecord parses what MarshalRecord returns for a record of the given kind.
func ParseRecord(kind string, data []byte) (Record, error) {
	var r Record
	switch kind {
	case "org":
		r = new(OrgRecord)
	case "key":
		r = new(KeyRecord)
	case "trial":
		r = new(TrialRecord)
	case "identifier":
		r = new(IdentifierRecord)
	default:
		return nil, fmt.Errorf("no record is of kind %.40q", kind)
	}
	if err := decode(data, r); err != nil {
		return nil, fmt.Errorf("record of %s: %w", kind, err)
	}
	if r.kind() != kind {
		return nil, fmt.Errorf("record of %s: it says kind %.40q", kind, r.kind())
	}
	if e := r.Log(); e.Count > maxIndex || len(e.Peaks) != bits.OnesCount64(e.Count) {
		return nil, fmt.Errorf("record of %s: %d entries have not %d peaks", kind, e.Count, len(e.Peaks))
	}
	switch r := r.(type) {
	case *OrgRecord:
		if len(r.Administrators) == 0 {
			return nil, errors.New("record of org: it names no administrator")
		}
	case *TrialRecord:
		if len(r.Identifiers) == 0 {
			return nil, errors.New("record of trial: it has not even the sponsor's number")
		}
		for scope, versions := range r.Scopes {
			if len(versions) == 0 {
				return nil, fmt.Errorf("record of trial: scope %.40q has no version", scope)
			}
		}
	}
	return r, nil
}

// RecordValue returns the value that the Merkle map holds for a record: SHA-256
// of its canonical JSON.
func RecordValue(data []byte) Hash { return sha256.Sum256(data) }
