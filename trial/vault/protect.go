package vault

import (
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

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
	Shares     []Share    `json:"shares,omitempty"`  // one or two, by organisation
	Subject    string     `json:"subject,omitempty"` // whose data it is: a pseudonym, or a FHIR reference such as Patient/p1
	Type       string     `json:"type"`              // protectedType
}

const protectedType = "trialproof/protected/v1"

// Options say how a file is protected.
type Options struct {
	Owner    string   // recipient, made for one person's files alone
	Backup   string   // recipient; may be empty
	Agents   []Agent  // one or two
	Grantors []string // Org alone if empty
	Org      string
	Subject  string   // as the file says if empty
	Data     []string // a FHIR file with resources of other types is refused; as the file says if empty
}

// Bounds of what FILE.protected lists.
const (
	maxList    = 100
	maxSubject = 256 // bytes
)

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

// Protect encrypts what it reads from src, to its end, and writes FILE.age to dst. It returns
// what FILE.protected will say and, with a backup, the bytes of FILE.backup.age. The memory it
// takes does not depend on the size of the file. What it wrote to dst counts only if the error
// is nil: the caller writes to a temporary file and renames it.
//
// While the bytes pass it looks for FHIR resources in JSON. It refuses a file with more than one
// Patient, or with references to more than one, of another subject or of other types than o
// says. A file in which it finds none is bytes.
func Protect(dst io.Writer, src io.Reader, o Options) (p *Protected, backup []byte, err error) {
	if o.Grantors = sorted(o.Grantors); len(o.Grantors) == 0 {
		o.Grantors = []string{o.Org}
	}
	o.Data = sorted(o.Data)
	if err := errors.Join(o.check(), checkApart(&o, o.Agents)); err != nil {
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
	look := newContent()
	plain, cipher := newDigester(look), newDigester()
	defer plain.sum()
	defer cipher.sum()
	w, err := age.Encrypt(io.MultiWriter(cipher, dst), append(to, file)...)
	if err != nil {
		return nil, nil, err
	}
	if _, err := io.CopyBuffer(io.MultiWriter(plain, w), onlyReader{src}, make([]byte, blockSize)); err != nil {
		return nil, nil, err
	}
	if err := w.Close(); err != nil {
		return nil, nil, err
	}
	p = &Protected{Grantors: o.Grantors, Org: o.Org, Owner: sha256.Sum256([]byte(o.Owner)), Type: protectedType}
	p.Plaintext, p.Ciphertext = plain.sum(), cipher.sum()
	if p.Subject, p.Data, err = look.found(&o); err != nil {
		return nil, nil, err
	}
	if p.Shares, err = p.divide(file.key, o.Agents); err != nil {
		return nil, nil, err
	}
	return p, backup, p.check()
}

// onlyReader hides what else a reader can do, so that blocks have the size that they are given.
type onlyReader struct{ io.Reader }

// check checks what can be said before the file is read.
func (o *Options) check() error {
	if err := checkAgents(o.Agents); err != nil {
		return err
	}
	for _, org := range append([]string{o.Org}, o.Grantors...) {
		if err := trial.CheckOrgID(org); err != nil {
			return err
		}
	}
	if len(o.Grantors) > maxList || len(o.Data) > maxList {
		return fmt.Errorf("the grantors or the kinds of data are more than %d", maxList)
	}
	for _, text := range append([]string{o.Subject}, o.Data...) {
		if len(text) > maxSubject || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
			return fmt.Errorf("%.40q is over %d bytes, or has a control character", text, maxSubject)
		}
	}
	if slices.Contains(o.Data, "") {
		return errors.New("one of the kinds of data is empty")
	}
	return nil
}

// checkApart refuses one recipient in two places: whoever has its identity could open alone what
// two are to open, or what is to be erased with the owner's identity.
func checkApart(o *Options, agents []Agent) error {
	who := map[string]string{}
	add := func(name, recipient string) error {
		if other := who[recipient]; other != "" {
			return fmt.Errorf("%s and %s have the same recipient: make an identity for each with age-keygen -pq", other, name)
		}
		who[recipient] = name
		return nil
	}
	if o != nil {
		if err := add("the owner", o.Owner); err != nil {
			return err
		}
		if o.Backup != "" {
			if err := add("the backup", o.Backup); err != nil {
				return err
			}
		}
	}
	for _, a := range agents {
		if err := add("the agent "+a.Org, a.Recipient); err != nil {
			return err
		}
	}
	return nil
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

// Sign returns the bytes of FILE.protected.
func (p *Protected) Sign(signer crypto.Signer) ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	data, err := Canonical(p)
	if err != nil {
		return nil, err
	}
	return trial.SignFile(ProtectedType, data, signer)
}

// MaxProtected bounds FILE.protected, in bytes.
const MaxProtected = 256 << 10

// ParseProtected returns what a FILE.protected says, and the key that signed it. Whether that is
// a key of the organisation that it names, only the log says.
func ParseProtected(data []byte) (*Protected, trial.PublicKey, error) {
	if len(data) > MaxProtected {
		return nil, trial.PublicKey{}, fmt.Errorf("it has %d bytes; a FILE.protected has at most %d", len(data), MaxProtected)
	}
	payload, key, err := trial.OpenFile(ProtectedType, data)
	if err != nil {
		return nil, trial.PublicKey{}, fmt.Errorf("it is not what trial protect wrote, or was altered: %w", err)
	}
	p, err := parseProtected(payload)
	if err != nil {
		return nil, trial.PublicKey{}, fmt.Errorf("it is not what trial protect writes: %w", err)
	}
	return p, key, nil
}

func parseProtected(payload []byte) (*Protected, error) {
	p := new(Protected)
	if err := ParseCanonical(payload, p); err != nil {
		return nil, err
	}
	return p, p.check()
}

func (p *Protected) check() error {
	if p.Type != protectedType {
		return fmt.Errorf("its type is %.40q, not %q", p.Type, protectedType)
	}
	o := Options{Org: p.Org, Grantors: p.Grantors, Subject: p.Subject, Data: p.Data}
	for i, s := range p.Shares {
		o.Agents = append(o.Agents, Agent{Org: s.Org})
		if i > 0 && p.Shares[i-1].Org >= s.Org {
			return errors.New("its shares are not sorted by organisation")
		}
	}
	if len(p.Grantors) == 0 || !slices.Equal(sorted(p.Grantors), p.Grantors) || !slices.Equal(sorted(p.Data), p.Data) {
		return errors.New("its grantors or kinds of data are missing, repeated or not sorted")
	}
	return o.check()
}

// Agents returns the organisations of the agents, sorted.
func (p *Protected) Agents() (orgs []string) {
	for _, s := range p.Shares {
		orgs = append(orgs, s.Org)
	}
	return orgs
}

// Commitments returns the commitments to the shares, by organisation.
func (p *Protected) Commitments() map[string]trial.Hash {
	list := map[string]trial.Hash{}
	for _, s := range p.Shares {
		list[s.Org] = s.Commitment
	}
	return list
}
