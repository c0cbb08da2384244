package trial

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
)

// A Share is what a record remembers of one organisation's statements about its subject. The
// statements of each organisation are counted separately, so that none can use up the room that
// another needs. The members in the plural list the statements of a kind and who logged them,
// so that nothing else can be corrected or made void.
type Share struct {
	Acts         []Hash `json:"acts,omitempty"`   // statements that may not be logged again, see tx.act
	Claims       int    `json:"claims,omitempty"` // how often it has ever claimed the number
	Datasets     IDs    `json:"datasets,omitempty"`
	Documents    IDs    `json:"documents,omitempty"`
	Milestones   IDs    `json:"milestones,omitempty"`
	Observations IDs    `json:"observations,omitempty"`
	Org          string `json:"org"`
	// Others has the statements of kinds that have no member of their own here. No kind of rule
	// set 1 is among them.
	Others     map[string]IDs `json:"others,omitempty"`
	SAPs       IDs            `json:"saps,omitempty"`
	Signatures IDs            `json:"signatures,omitempty"`
}

// named returns the member for a kind, or nil if the kind has no member of its own.
func (s *Share) named(kind string) *IDs {
	switch kind {
	case "dataset":
		return &s.Datasets
	case "document":
		return &s.Documents
	case "milestone":
		return &s.Milestones
	case "observation":
		return &s.Observations
	case "sap":
		return &s.SAPs
	case "signature":
		return &s.Signatures
	}
	return nil
}

// of returns the statements of a kind.
func (s *Share) of(kind string) IDs {
	if ids := s.named(kind); ids != nil {
		return *ids
	}
	return s.Others[kind]
}

// add appends a statement of a kind. It leaves the old lists alone, because records of earlier
// sizes share them.
func (s *Share) add(kind string, id Hash) {
	ids := s.of(kind).with(id)
	if own := s.named(kind); own != nil {
		*own = ids
		return
	}
	others := maps.Clone(s.Others)
	if others == nil {
		others = map[string]IDs{}
	}
	others[kind] = ids
	s.Others = others
}

// Shares are the shares of a record, sorted by organisation.
type Shares []Share

func (s Shares) find(org string) (int, bool) {
	return slices.BinarySearchFunc(s, org, func(x Share, org string) int { return cmp.Compare(x.Org, org) })
}

// share returns an organisation's share, which is empty if it has none.
func (s Shares) share(org string) Share {
	if i, found := s.find(org); found {
		return s[i]
	}
	return Share{Org: org}
}

// with returns a copy with another share for one organisation. It does not edit s: records of
// earlier sizes share it.
func (s Shares) with(share Share) Shares {
	i, found := s.find(share.Org)
	if !found {
		return slices.Insert(slices.Clone(s), i, share)
	}
	c := slices.Clone(s)
	c[i] = share
	return c
}

// acted reports whether the acts of any organisation have an identity.
func (s Shares) acted(id Hash) bool {
	return slices.ContainsFunc(s, func(x Share) bool { return contains(x.Acts, id) })
}

// author returns the organisation that logged a statement of a kind, or "" if none did.
func (s Shares) author(kind string, id Hash) string {
	for i := range s {
		if s[i].of(kind).has(id) {
			return s[i].Org
		}
	}
	return ""
}

// logged returns a copy in which an organisation has logged a statement of a kind.
func (s Shares) logged(org, kind string, id Hash) Shares {
	share := s.share(org)
	if !share.of(kind).has(id) {
		share.add(kind, id)
	}
	return s.with(share)
}

// check refuses shares that no state could have written.
func (s Shares) check() error {
	for i := range s {
		if err := CheckOrgID(s[i].Org); err != nil {
			return err
		}
		if i > 0 && s[i-1].Org >= s[i].Org {
			return fmt.Errorf("shares are not sorted by organisation: %s", s[i].Org)
		}
		if s[i].Claims < 0 {
			return fmt.Errorf("the share of %s has %d claims", s[i].Org, s[i].Claims)
		}
		for _, kind := range []string{"dataset", "document", "milestone", "observation", "sap", "signature"} {
			if ids := s[i].of(kind); len(ids)%idBytes != 0 {
				return fmt.Errorf("the share of %s has %d bytes of %ss", s[i].Org, len(ids), kind)
			}
		}
		for kind, ids := range s[i].Others {
			if !inOthers(kind) || len(ids) == 0 || len(ids)%idBytes != 0 {
				return fmt.Errorf("the share of %s has %d bytes of the kind %.40q", s[i].Org, len(ids), kind)
			}
		}
	}
	return nil
}

// inOthers reports whether a share remembers statements of a kind in Others. These are kinds
// whose statements can be void and of which the record remembers only that they were logged.
func inOthers(kind string) bool {
	if !slices.Contains(VoidableKinds, kind) || new(Share).named(kind) != nil {
		return false
	}
	_, elsewhere := kinds[kind]().(effective)
	return !elsewhere
}

// IDs is a list of statements' identities in the order of the log: the first idBytes bytes of
// each, one after the other; base64 in JSON. To find a second statement with the same bytes as
// another takes 2^64 hashes. All it would gain is to name a statement that is not logged, which
// the marks of the history then show.
type IDs []byte

const idBytes = 8

func (s IDs) has(id Hash) bool {
	for ; len(s) >= idBytes; s = s[idBytes:] {
		if [idBytes]byte(s) == [idBytes]byte(id[:idBytes]) {
			return true
		}
	}
	return false
}

// with returns the list with an identity at its end; it leaves s's own array alone.
func (s IDs) with(id Hash) IDs { return append(s[:len(s):len(s)], id[:idBytes]...) }

// count returns the number of identities.
func (s IDs) count() int { return len(s) / idBytes }

// MarshalText implements encoding.TextMarshaler.
func (s IDs) MarshalText() ([]byte, error) { return s.AppendText(nil) }

// AppendText implements encoding.TextAppender.
func (s IDs) AppendText(b []byte) ([]byte, error) { return b64.AppendEncode(b, s), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *IDs) UnmarshalText(text []byte) (err error) {
	*s, err = decodeB64(string(text))
	return err
}

// voidAct returns what a record's acts remember of a void: the statement as one of a kind. So
// whoever may void statements of one kind cannot reach those that only others may void.
func voidAct(kind string, id Hash) Hash {
	return sha256.Sum256([]byte("trialproof/void/v1\n" + kind + "\n" + id.String()))
}
