package trial

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"github.com/trialproof/trialproof/trial/smap"
)

// RuleSet is the rule set that this package judges by.
const RuleSet = 1

// An Entry is one leaf of the log: the genesis, a statement as admitted, or a state entry.
// Exactly one of Genesis, Statement and State is set.
type Entry struct {
	Raw  []byte // canonical JSON, the leaf's bytes
	Time Time   // when the sequencer admitted it, by the log's clock

	Genesis   *Genesis
	Statement *Signed
	Signer    Signer // of a Statement
	State     *StateEntry
}

// LeafHash returns the RFC 6962 leaf hash of the entry.
func (e *Entry) LeafHash() Hash { return leafHash(e.Raw) }

func leafHash(raw []byte) Hash {
	h := sha256.New()
	h.Write([]byte{0})
	h.Write(raw)
	return Hash(h.Sum(nil))
}

// Genesis is entry 0: what the log is.
type Genesis struct {
	Limits     Limits      `json:"limits"`
	Log        string      `json:"log"` // origin
	Map        string      `json:"map"` // algorithm
	Registrars []PublicKey `json:"registrars"`
	Rules      int         `json:"rules"` // rule set in force from here
	Time       Time        `json:"time"`
	Type       string      `json:"type"` // genesis
	VKey       string      `json:"vkey"` // the log's checkpoint key
}

// Limits are the sizes in bytes that the log admits.
type Limits struct {
	Entry     int `json:"entry"`
	Statement int `json:"statement"`
}

// A Signer says whose key signed, as the sequencer found it in the state. It makes a receipt
// readable without the state. Rule RuleSigner requires that it agrees with the state.
type Signer struct {
	Enrolled uint64    `json:"enrolled"` // index of the key's enrolment
	Key      PublicKey `json:"key"`
	Org      string    `json:"org"`
	Role     string    `json:"role"`
}

func (s Signer) equal(o Signer) bool {
	return s.Enrolled == o.Enrolled && s.Key.spki == o.Key.spki && s.Org == o.Org && s.Role == o.Role
}

// maxIndex bounds indexes and sizes: larger integers have no exact encoding in RFC 8785.
const maxIndex = 1 << 53

// maxRules bounds the numbers of rule sets. There will never be so many.
const maxRules = 1_000_000

// check checks that the members have a form that can be shown: the reader of a receipt has no
// state to compare them with.
func (s *Signer) check() error {
	if s.Enrolled > maxIndex {
		return fmt.Errorf("enrolled %d is over 2^53", s.Enrolled)
	}
	if s.Role != RoleRegistrar && s.Role != RoleAdministrator && s.Role != RoleSigner {
		return fmt.Errorf("role is %.40q", s.Role)
	}
	return CheckOrgID(s.Org)
}

// StateEntry ends every published tree: it commits to everything the rules
// remember of the entries before it.
type StateEntry struct {
	Map   MapRoot `json:"map"`
	Rules int     `json:"rules"` // rule set for what follows
	Size  uint64  `json:"size"`  // its own index: the number of entries before it
	Time  Time    `json:"time"`
	Type  string  `json:"type"` // state
}

// MapRoot is the root of the Merkle map of all records.
type MapRoot struct {
	Algorithm string `json:"algorithm"`
	Root      Hash   `json:"root"`
}

type statementEntry struct {
	Envelope Envelope `json:"envelope"`
	Signer   Signer   `json:"signer"`
	Time     Time     `json:"time"`
	Type     string   `json:"type"` // statement
}

// ParseEntry parses a leaf strictly. It does not verify the statement's signature: call Verify
// before Apply. Every error is a *Refusal.
func ParseEntry(raw []byte) (*Entry, error) {
	if len(raw) > MaxEntry {
		return nil, refuse(RuleLimit, "the entry has %d bytes; the most is %d", len(raw), MaxEntry)
	}
	// In canonical JSON the first member tells the entry types apart.
	switch {
	case bytes.HasPrefix(raw, []byte(`{"envelope":`)):
		w, ok := quickEntry(raw)
		if !ok {
			w = statementEntry{}
			if err := decode(raw, &w); err != nil {
				return nil, refuse(RuleMalformed, "entry: %v", err)
			}
		}
		if w.Type != "statement" {
			return nil, refuse(RuleMalformed, "entry: type is %.40q, not statement", w.Type)
		}
		if err := w.Signer.check(); err != nil {
			return nil, refuse(RuleMalformed, "entry: signer: %v", err)
		}
		s, err := parseSigned(w.Envelope, w.Signer.Key)
		if err != nil {
			return nil, err
		}
		return &Entry{Raw: raw, Time: w.Time, Statement: s, Signer: w.Signer}, nil
	case bytes.HasPrefix(raw, []byte(`{"map":`)):
		s := new(StateEntry)
		if err := decode(raw, s); err != nil {
			return nil, refuse(RuleMalformed, "state entry: %v", err)
		}
		if s.Type != "state" || s.Map.Algorithm != smap.Algorithm {
			return nil, refuse(RuleMalformed, "state entry: type or map algorithm is not known")
		}
		if s.Size > maxIndex {
			return nil, refuse(RuleMalformed, "state entry: size %d is over 2^53", s.Size)
		}
		if s.Rules < 1 || s.Rules > maxRules {
			return nil, refuse(RuleMalformed, "state entry: %d is not the number of a rule set", s.Rules)
		}
		return &Entry{Raw: raw, Time: s.Time, State: s}, nil
	case bytes.HasPrefix(raw, []byte(`{"limits":`)):
		g := new(Genesis)
		if err := decode(raw, g); err != nil {
			return nil, refuse(RuleMalformed, "genesis: %v", err)
		}
		if err := g.check(); err != nil {
			return nil, err
		}
		return &Entry{Raw: raw, Time: g.Time, Genesis: g}, nil
	}
	return nil, refuse(RuleMalformed, "not an entry of a trialproof log")
}

// ParseAdmitted parses the entry of a statement that Check returned. It reads the statement only
// to see that it is the same one. Every error is a *Refusal.
func ParseAdmitted(raw []byte, s *Signed) (*Entry, error) {
	w, ok := quickEntry(raw)
	if !ok || w.Type != "statement" || w.Signer.Key != s.Key || !w.Envelope.equal(s.Envelope) || w.Signer.check() != nil ||
		len(raw) > MaxEntry {
		return ParseEntry(raw)
	}
	return &Entry{Raw: raw, Time: w.Time, Statement: s, Signer: w.Signer}, nil
}

// Verify checks the signature of the entry's statement by the key that the entry names. Entries
// of other types have no signature. It is the slow part of a replay and may run on many entries
// at once.
func (e *Entry) Verify() error {
	if e.Statement == nil {
		return nil
	}
	return e.Statement.verify()
}

// Marshal returns the genesis as an entry.
func (g *Genesis) Marshal() ([]byte, error) {
	if err := g.check(); err != nil {
		return nil, err
	}
	return encode(g)
}

func (g *Genesis) check() error {
	switch {
	case g.Type != "genesis":
		return refuse(RuleMalformed, "genesis: type is %.40q", g.Type)
	case checkText("log", g.Log, 200) != nil:
		return refuse(RuleMalformed, "genesis: the origin is empty, too long or holds characters that are not allowed")
	case checkText("vkey", g.VKey, 4000) != nil:
		return refuse(RuleMalformed, "genesis: the vkey is empty, too long or holds characters that are not allowed")
	case g.Rules < 1 || g.Rules > maxRules:
		return refuse(RuleMalformed, "genesis: %d is not the number of a rule set", g.Rules)
	case g.Rules > RuleSet:
		return nil // a newer rule set decides about the rest; Apply refuses such a genesis
	case g.Map != smap.Algorithm:
		return refuse(RuleMalformed, "genesis: map algorithm %.40q is not known", g.Map)
	case g.Limits != Limits{MaxEntry, MaxStatement}:
		return refuse(RuleMalformed, "genesis: limits are not those of rule set 1")
	case len(g.Registrars) == 0:
		return refuse(RuleMalformed, "genesis: no registrar")
	}
	return nil
}

// NewGenesis returns the genesis of a log with the limits of rule set 1.
func NewGenesis(origin, vkey string, registrars []PublicKey, at Time) *Genesis {
	return &Genesis{
		Limits: Limits{MaxEntry, MaxStatement}, Log: origin, Map: smap.Algorithm,
		Registrars: registrars, Rules: RuleSet, Time: at, Type: "genesis", VKey: vkey,
	}
}

// A Located entry is an entry with its index in the log.
type Located struct {
	Index uint64
	*Entry
}
