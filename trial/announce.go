package trial

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// This file has the kinds by which a registrar announces changes of the log itself. They let
// whoever verifies in 25 years follow the log's keys, witnesses and rules.

// LogKey adds a key that signs the log's checkpoints, or retires one. While there are two keys,
// checkpoints carry both signatures. Its one subject is named logkey; its digest is the SHA-256
// of the verifier key's text.
type LogKey struct {
	Common
	Action string `json:"action"`          // add or retire
	Proof  string `json:"proof,omitempty"` // base64: the new key's signature of LogKeyMessage
	VKey   string `json:"vkey"`
}

// LogKeyMessage returns what a new key signs to become a key of the log:
//
//	trialproof/logkey/v1
//	<origin>
//	<vkey>
func LogKeyMessage(origin, vkey string) []byte {
	return fmt.Appendf(nil, "trialproof/logkey/v1\n%s\n%s\n", origin, vkey)
}

func (*LogKey) Kind() string { return "logkey" }

func (k *LogKey) describe([]Subject) string {
	return fmt.Sprintf("log key %s: %s", k.Action, k.VKey)
}

func (k *LogKey) check(subjects []Subject) error {
	if err := checkText("vkey", k.VKey, 4000); err != nil {
		return err
	}
	switch k.Action {
	case "add":
		if err := k.verify(); err != nil {
			return err
		}
	case "retire":
		if k.Proof != "" {
			return errors.New("only the action add takes a proof")
		}
	default:
		return fmt.Errorf("action is %.40q; it is add or retire", k.Action)
	}
	return checkNamed(subjects, "logkey", sha256Text(k.VKey))
}

func (k *LogKey) verify() error {
	v, err := note.NewVerifier(k.VKey)
	if err != nil || v.Name() != k.Log {
		return fmt.Errorf("vkey is not an Ed25519 verifier key of the name %s", k.Log)
	}
	sig, err := decodeB64(k.Proof)
	if err != nil {
		return fmt.Errorf("proof: %w", err)
	}
	// the form is NAME+ID+BASE64, and the base64 is of 0x01 and the key; NewVerifier has
	// checked it
	key, err := decodeB64(strings.SplitN(k.VKey, "+", 3)[2])
	if err != nil || len(key) != 1+ed25519.PublicKeySize || !ed25519.Verify(key[1:], LogKeyMessage(k.Log, k.VKey), sig) {
		return errors.New("the new key has not signed that it becomes a key of the log")
	}
	return nil
}

func (k *LogKey) apply(t *tx, s *Signed) *Refusal {
	l, r := t.log()
	if r != nil {
		return r
	}
	if r := t.once(&l.Acts, s.ID); r != nil {
		return r
	}
	i := slices.IndexFunc(l.Keys, func(x LogKeyState) bool { return x.VKey == k.VKey })
	if k.Action == "add" {
		if i >= 0 {
			return refuse(RuleTaken, "the key was added at index %d", l.Keys[i].Added)
		}
		l.Keys = appended(l.Keys, LogKeyState{Added: t.index, VKey: k.VKey})
		return nil
	}
	active := 0
	for _, x := range l.Keys {
		if x.Retired == 0 {
			active++
		}
	}
	switch {
	case i < 0:
		return refuse(RuleUnknown, "the log has no such key")
	case l.Keys[i].Retired != 0:
		return refuse(RuleTaken, "the key was retired at index %d", l.Keys[i].Retired)
	case active == 1:
		return refuse(RuleRole, "this is the log's last key: add another one first")
	}
	l.Keys = slices.Clone(l.Keys)
	l.Keys[i].Retired = t.index
	return nil
}

// Policy announces the policy file to verify with from now on. The statement carries the file.
// Its receipt shows that the file was cosigned under the policy before it. Its one subject is
// named policy; its digest is the SHA-256 of the file.
type Policy struct {
	Common
	Policy   string `json:"policy"`            // base64 of the file
	Previous Hash   `json:"previous,omitzero"` // SHA-256 of the policy that was announced last
}

// maxPolicy is the size in bytes of a policy file that fits into a statement.
const maxPolicy = 30_000

// File returns the policy file.
func (p *Policy) File() []byte {
	data, _ := decodeB64(p.Policy) // check has decoded it before
	return data
}

func (*Policy) Kind() string { return "policy" }

func (p *Policy) describe(subjects []Subject) string {
	return fmt.Sprintf("policy announced: SHA-256 %s%s", subjects[0].Digest.SHA256, following(p.Previous))
}

func (p *Policy) check(subjects []Subject) error {
	data, err := decodeB64(p.Policy)
	if err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	if len(data) == 0 || len(data) > maxPolicy {
		return fmt.Errorf("policy has %d bytes; it has 1 to %d", len(data), maxPolicy)
	}
	return checkNamed(subjects, "policy", sha256Text(string(data)))
}

func (p *Policy) apply(t *tx, s *Signed) *Refusal {
	l, r := t.log()
	if r != nil {
		return r
	}
	var last Hash
	if n := len(l.Policies); n > 0 {
		last = l.Policies[n-1].Digest
	}
	if p.Previous != last {
		return refuse(RulePredecessor, "previous is %s, but the policy announced last is %s", p.Previous, last)
	}
	digest := sha256Text(string(p.File()))
	if digest == last {
		return refuse(RuleTaken, "this policy is announced already")
	}
	if r := t.once(&l.Acts, s.ID); r != nil {
		return r
	}
	l.Policies = appended(l.Policies, PolicyState{digest, t.index})
	return nil
}

// Rules announces that another rule set judges the entries from an index on. Its one subject is
// named rules; its digest is the SHA-256 of the set's number in decimal.
type Rules struct {
	Common
	From uint64 `json:"from"` // index
	Set  int    `json:"set"`
}

func (*Rules) Kind() string { return "rules" }

func (p *Rules) describe([]Subject) string {
	return fmt.Sprintf("rule set %d announced from entry %d on", p.Set, p.From)
}

func (p *Rules) check(subjects []Subject) error {
	if p.Set < 1 || p.Set > maxRules || p.From > maxIndex {
		return fmt.Errorf("set %d from %d is out of range", p.Set, p.From)
	}
	return checkNamed(subjects, "rules", sha256Text(strconv.Itoa(p.Set)))
}

func (p *Rules) apply(t *tx, s *Signed) *Refusal {
	l, r := t.log()
	if r != nil {
		return r
	}
	now := t.s.rules(t.index)
	if l.Rules != nil && l.Rules.From > t.index {
		return refuse(RuleTaken, "rule set %d is announced from index %d on", l.Rules.Set, l.Rules.From)
	}
	if p.Set <= now {
		return refuse(RulePredecessor, "rule set %d is in force: only a later one can be announced", now)
	}
	if p.From < t.index+2 { // the tree with the announcement is closed under the earlier set
		return refuse(RulePredecessor, "it would apply from index %d on; the earliest possible index is %d", p.From, t.index+2)
	}
	l.Rules = &AnnouncedRules{p.From, p.Set}
	return nil
}
