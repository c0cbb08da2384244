package vault

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"filippo.io/age"

	"github.com/trialproof/trialproof/trial"
)

// A Share is an agent's part of a file key.
type Share struct {
	Commitment trial.Hash `json:"commitment"` // SHA-256 of the salt and the SHA-256 of the share
	Encrypted  []byte     `json:"encrypted"`  // base64 of the salt, the share and the binding, encrypted to the agent
	Org        string     `json:"org"`
	Recipient  trial.Hash `json:"recipient"` // id of the agent's recipient, see trial.RecipientID
}

// An Agent is an organisation and its recipient.
type Agent struct{ Org, Recipient string }

// keySize is the size of an age file key and of each of its shares, in bytes.
const keySize = 16

// checkAgents refuses agents of which one could open a file alone that two are to open.
func checkAgents(agents []Agent) error {
	if len(agents) != 1 && len(agents) != 2 {
		return fmt.Errorf("a file has one or two agents, not %d", len(agents))
	}
	for _, a := range agents {
		if err := trial.CheckOrgID(a.Org); err != nil {
			return err
		}
	}
	if len(agents) == 2 && agents[0].Org == agents[1].Org {
		return fmt.Errorf("both agents are %s: two agents are two organisations", agents[0].Org)
	}
	return nil
}

// binding returns the SHA-256 of what p says without its shares. It is encrypted with each share.
// Otherwise anybody with FILE.protected could sign its shares again under other words, name itself
// as the grantor, and consent to its own request.
func (p *Protected) binding() (trial.Hash, error) {
	said := *p
	said.Shares = nil
	data, err := Canonical(said)
	return sha256.Sum256(data), err
}

// divide divides a file key among agents, as the shares of p. All are needed to have it again;
// fewer say nothing about it.
func (p *Protected) divide(key []byte, agents []Agent) ([]Share, error) {
	if len(key) != keySize {
		return nil, fmt.Errorf("the file key has %d bytes, not %d", len(key), keySize)
	}
	binding, err := p.binding()
	if err != nil {
		return nil, err
	}
	agents = slices.Clone(agents)
	slices.SortFunc(agents, func(a, b Agent) int { return strings.Compare(a.Org, b.Org) })
	var shares []Share
	rest := slices.Clone(key)
	for i, a := range agents {
		part := rest
		if i < len(agents)-1 {
			part = make([]byte, keySize)
			rand.Read(part) // never fails
			rest = xor(rest, part)
		}
		s, err := newShare(a, part, binding)
		if err != nil {
			return nil, err
		}
		shares = append(shares, s)
	}
	return shares, nil
}

func xor(a, b []byte) []byte {
	c := make([]byte, keySize)
	subtle.XORBytes(c, a, b)
	return c
}

func newShare(a Agent, part []byte, binding trial.Hash) (Share, error) {
	var salt trial.Salt
	rand.Read(salt[:]) // never fails
	sealed, err := Encrypt(slices.Concat(salt[:], part, binding[:]), a.Recipient)
	if err != nil {
		return Share{}, fmt.Errorf("agent %s: %w", a.Org, err)
	}
	return Share{commitment(salt, part), sealed, a.Org, trial.RecipientID(a.Org, a.Recipient)}, nil
}

func commitment(salt trial.Salt, part []byte) trial.Hash {
	return trial.Commit(salt, sha256.Sum256(part))
}

// Open returns an agent's share for a release. The error wraps ErrNotForUs if the share is not
// encrypted to one of the identities.
func (p *Protected) Open(org string, identities Identities) (*Opened, error) {
	i := slices.IndexFunc(p.Shares, func(s Share) bool { return s.Org == org })
	if i < 0 {
		return nil, fmt.Errorf("%s is no agent of this file: its agents are %s", org, strings.Join(p.Agents(), ", "))
	}
	const size = 32 + keySize + 32
	plain, err := Decrypt(p.Shares[i].Encrypted, size, identities)
	if err != nil {
		return nil, fmt.Errorf("the share of %s: %w", org, err)
	}
	binding, err := p.binding()
	if err != nil {
		return nil, err
	}
	if len(plain) != size || trial.Hash(plain[32+keySize:]) != binding {
		return nil, fmt.Errorf("the share of %s was made for a FILE.protected that said something else: somebody else signed it again, "+
			"with other words. Ask the owner for the one that trial protect wrote", org)
	}
	o := &Opened{Ciphertext: p.Ciphertext, Commitments: p.Commitments(), Plaintext: p.Plaintext}
	o.Salt, o.Share = trial.Salt(plain), plain[32:32+keySize]
	return o, o.check(org)
}

// check refuses a share that is not the one committed to. Without this age would only say that
// the header of FILE.age is bad, and not whose share is wrong.
func (o *Opened) check(org string) error {
	c, ok := o.Commitments[org]
	if !ok {
		return fmt.Errorf("there is no commitment to a share of %s", org)
	}
	if len(o.Share) != keySize || commitment(o.Salt, o.Share) != c {
		return fmt.Errorf("the share of %s is not the one that FILE.protected commits to: it was exchanged. "+
			"Ask the owner to issue the shares again", org)
	}
	return nil
}

// Reissue returns what FILE.protected will say when the shares have been lost, or when an agent
// has another recipient: the key of FILE.age, which is read from ciphertext, is divided anew
// among agents. The identities are the owner's, or the one of FILE.backup.age. The new shares
// do not fit the old ones, so all agents need the new FILE.protected. An old share is still a
// share: with a copy of the old FILE.protected the agents of then can still open the file
// together.
func (p *Protected) Reissue(ciphertext io.Reader, identities Identities, agents []Agent) (*Protected, error) {
	if err := errors.Join(checkAgents(agents), checkApart(nil, agents)); err != nil {
		return nil, err
	}
	digest := newDigester()
	defer digest.sum()
	all := io.TeeReader(ciphertext, digest)
	header, err := age.ExtractHeader(all)
	if err != nil {
		return nil, fmt.Errorf("FILE.age is damaged, or was not written by age: %w", short{err})
	}
	if _, err := io.Copy(io.Discard, all); err != nil {
		return nil, err
	}
	if digest.sum() != p.Ciphertext {
		return nil, errors.New("FILE.age is not the file of this FILE.protected, or it is damaged: its digest is another")
	}
	key, err := age.DecryptHeader(header, identities...)
	if err != nil {
		return nil, explain(err)
	}
	again := *p
	again.Shares, err = p.divide(key, agents)
	return &again, err
}
