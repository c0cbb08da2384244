package vault

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"

	"filippo.io/age"

	"github.com/trialproof/trialproof/trial"
)

// ProtectedType is the payload type of FILE.protected, which is a signed file.
const ProtectedType = "application/vnd.trialproof.protected+json"

// Protected is what FILE.protected says of FILE.age. Whoever has it knows whose data the file
// has, so it stays with those who protect and release.
type Protected struct {
	Ciphertext trial.Hash `json:"ciphertext"`        // SHA-256 of FILE.age
	Data       []string   `json:"data,omitempty"`    // what the file has: FHIR resource types or other words, sorted
	Grantors   []string   `json:"grantors"`          // organisations whose consents count for the file, sorted
	Org        string     `json:"org"`               // that protected the file
	Owner      trial.Hash `json:"owner"`             // SHA-256 of the owner's recipient
	Plaintext  trial.Hash `json:"plaintext"`         // SHA-256 of FILE
	Shares     []Share    `json:"shares"`            // by organisation
	Subject    string     `json:"subject,omitempty"` // whose data it is: a pseudonym, or a FHIR reference such as Patient/p1
	Type       string     `json:"type"`              // protectedType
}

const protectedType = "trialproof/protected/v1"

// A Share is an agent's part of a file key.
type Share struct {
	Commitment trial.Hash `json:"commitment"` // SHA-256 of the salt and the SHA-256 of the share
	Encrypted  string     `json:"encrypted"`  // base64 of the salt and the share, encrypted to the agent
	Org        string     `json:"org"`
	Recipient  trial.Hash `json:"recipient"` // id of the agent's recipient, see trial.RecipientID
}

// Options say how a file is protected.
type Options struct {
	Owner    string   // recipient
	Backup   string   // recipient; may be empty
	Agents   []Agent  // one or two
	Grantors []string // Org alone if empty
	Org      string
	Subject  string
	Data     []string
}

// An Agent is an organisation and its recipient.
type Agent struct{ Org, Recipient string }

// keySize is the size of an age file key, in bytes.
const keySize = 16

// keyed is a recipient that only sees the file key.
type keyed struct{ key []byte }

func (k *keyed) Wrap(fileKey []byte) ([]*age.Stanza, error) {
	s, _, err := k.WrapWithLabels(fileKey)
	return s, err
}

// WrapWithLabels has the label of hybrid recipients, so that age takes it beside them.
func (k *keyed) WrapWithLabels(fileKey []byte) ([]*age.Stanza, []string, error) {
	k.key = slices.Clone(fileKey)
	return nil, []string{"postquantum"}, nil
}

// Protect encrypts what it reads from src to dst. It returns what FILE.protected will say and,
// with a backup, the file that opens FILE.age, encrypted to the backup.
func Protect(dst io.Writer, src io.Reader, o Options) (p *Protected, backup []byte, err error) {
	if err := o.check(); err != nil {
		return nil, nil, err
	}
	owner, err := recipient(o.Owner)
	if err != nil {
		return nil, nil, fmt.Errorf("owner: %w", err)
	}
	file := &keyed{}
	to := []age.Recipient{owner}
	if o.Backup != "" {
		own, err := age.GenerateHybridIdentity()
		if err != nil {
			return nil, nil, err
		}
		if backup, err = Encrypt([]byte(own.String()+"\n"), o.Backup); err != nil {
			return nil, nil, fmt.Errorf("backup: %w", err)
		}
		to = append(to, own.Recipient())
	}
	plain, cipher := sha256.New(), sha256.New()
	w, err := age.Encrypt(io.MultiWriter(dst, cipher), append(to, file)...)
	if err != nil {
		return nil, nil, err
	}
	if _, err := io.Copy(io.MultiWriter(w, plain), src); err != nil {
		return nil, nil, err
	}
	if err := w.Close(); err != nil {
		return nil, nil, err
	}
	p = &Protected{Ciphertext: sum(cipher), Data: sorted(o.Data), Grantors: sorted(o.Grantors), Org: o.Org, Owner: sha256.Sum256([]byte(o.Owner)),
		Plaintext: sum(plain), Subject: o.Subject, Type: protectedType}
	if len(p.Grantors) == 0 {
		p.Grantors = []string{o.Org}
	}
	p.Shares, err = divide(file.key, o.Agents)
	return p, backup, err
}

func (o *Options) check() error {
	if len(o.Agents) != 1 && len(o.Agents) != 2 {
		return errors.New("a file has one or two agents")
	}
	if len(o.Agents) == 2 && o.Agents[0].Org == o.Agents[1].Org {
		return errors.New("the two agents are one organisation")
	}
	orgs := append([]string{o.Org}, o.Grantors...)
	for _, a := range o.Agents {
		orgs = append(orgs, a.Org)
	}
	for _, org := range orgs {
		if err := trial.CheckOrgID(org); err != nil {
			return err
		}
	}
	return nil
}

func sum(h hash.Hash) trial.Hash { return trial.Hash(h.Sum(nil)) }

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

// divide divides a file key among agents.
func divide(key []byte, agents []Agent) ([]Share, error) {
	if len(key) != keySize {
		return nil, fmt.Errorf("the file key has %d bytes, not %d", len(key), keySize)
	}
	agents = slices.Clone(agents)
	slices.SortFunc(agents, func(a, b Agent) int { return bytes.Compare([]byte(a.Org), []byte(b.Org)) })
	var shares []Share
	rest := slices.Clone(key)
	for i, a := range agents {
		part := rest
		if i < len(agents)-1 {
			part = make([]byte, keySize)
			rand.Read(part) // never fails
			rest = xor(rest, part)
		}
		s, err := newShare(a, part)
		if err != nil {
			return nil, err
		}
		shares = append(shares, s)
	}
	return shares, nil
}

func xor(a, b []byte) []byte {
	c := slices.Clone(a)
	for i := range c {
		c[i] ^= b[i]
	}
	return c
}

func newShare(a Agent, part []byte) (Share, error) {
	var salt trial.Salt
	rand.Read(salt[:]) // never fails
	sealed, err := Encrypt(append(salt[:], part...), a.Recipient)
	if err != nil {
		return Share{}, fmt.Errorf("agent %s: %w", a.Org, err)
	}
	return Share{commitment(salt, part), base64.StdEncoding.EncodeToString(sealed), a.Org, trial.RecipientID(a.Org, a.Recipient)}, nil
}

func commitment(salt trial.Salt, part []byte) trial.Hash {
	return trial.Commit(salt, sha256.Sum256(part))
}

// Sign returns the bytes of FILE.protected.
func (p *Protected) Sign(signer crypto.Signer) ([]byte, error) {
	data, err := encode(p)
	if err != nil {
		return nil, err
	}
	return trial.SignFile(ProtectedType, data, signer)
}

// MaxProtected bounds FILE.protected, in bytes.
const MaxProtected = 64 << 10

// ParseProtected returns what a FILE.protected says, and the key that signed it. Whether that is
// a key of the organisation that it names, only the log says.
func ParseProtected(data []byte) (*Protected, trial.PublicKey, error) {
	if len(data) > MaxProtected {
		return nil, trial.PublicKey{}, fmt.Errorf("it has %d bytes; the most is %d", len(data), MaxProtected)
	}
	payload, key, err := trial.OpenFile(ProtectedType, data)
	if err != nil {
		return nil, key, fmt.Errorf("it is not what trial protect wrote, or was altered: %w", err)
	}
	p := new(Protected)
	if err := decode(payload, p); err != nil {
		return nil, key, err
	}
	return p, key, p.check()
}

func (p *Protected) check() error {
	o := Options{Org: p.Org, Grantors: p.Grantors}
	for i, s := range p.Shares {
		o.Agents = append(o.Agents, Agent{Org: s.Org})
		if i > 0 && p.Shares[i-1].Org >= s.Org {
			return errors.New("the shares are not sorted by organisation")
		}
	}
	if p.Type != protectedType || len(p.Grantors) == 0 || !slices.Equal(sorted(p.Grantors), p.Grantors) || !slices.Equal(sorted(p.Data), p.Data) {
		return errors.New("its type is not known, or its lists are empty or not sorted")
	}
	return o.check()
}

// Commitments returns the commitments to the shares, by organisation.
func (p *Protected) Commitments() map[string]trial.Hash {
	list := map[string]trial.Hash{}
	for _, s := range p.Shares {
		list[s.Org] = s.Commitment
	}
	return list
}

// Open returns an agent's share for a release.
func (p *Protected) Open(org string, identities Identities) (*Opened, error) {
	i := slices.IndexFunc(p.Shares, func(s Share) bool { return s.Org == org })
	if i < 0 {
		return nil, fmt.Errorf("%s is no agent of this file", org)
	}
	sealed, err := base64.StdEncoding.Strict().DecodeString(p.Shares[i].Encrypted)
	if err != nil {
		return nil, fmt.Errorf("the share of %s is not base64", org)
	}
	plain, err := Decrypt(sealed, 2*32, identities)
	if err != nil {
		return nil, fmt.Errorf("the share of %s: %w", org, err)
	}
	if len(plain) != 32+keySize || commitment(trial.Salt(plain), plain[32:]) != p.Shares[i].Commitment {
		return nil, fmt.Errorf("the share of %s is not the one that was committed to: it was exchanged", org)
	}
	return &Opened{Ciphertext: p.Ciphertext, Commitments: p.Commitments(), Plaintext: p.Plaintext, Salt: trial.Salt(plain), Share: plain[32:]}, nil
}
