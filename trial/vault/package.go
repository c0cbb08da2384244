package vault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"filippo.io/age"
	"github.com/gowebpki/jcs"

	"github.com/trialproof/trialproof/trial"
)

// Opened is an agent's share of one file, as its package has it.
type Opened struct {
	Ciphertext  trial.Hash            `json:"ciphertext"`
	Commitments map[string]trial.Hash `json:"commitments"` // to the shares of all agents, by organisation
	Plaintext   trial.Hash            `json:"plaintext"`
	Salt        trial.Salt            `json:"salt"`
	Share       []byte                `json:"share"` // base64
}

// A Package is what one agent hands out under one consent.
type Package struct {
	Consent trial.Hash      `json:"consent"` // handle
	Files   []Opened        `json:"files"`
	Grant   []byte          `json:"grant,omitempty"` // base64 of the statement that gave the consent; its SHA-256 is Consent
	Org     string          `json:"org"`             // the agent
	Terms   json.RawMessage `json:"terms,omitempty"` // a list of parts that are disclosed
	Type    string          `json:"type"`            // packageType
}

const packageType = "trialproof/package/v1"

// MaxPackage bounds a package, in bytes.
const MaxPackage = 4 << 20

// Seal returns the package encrypted to a recipient. The log has its SHA-256.
func (p *Package) Seal(to string) ([]byte, error) {
	p.Type = packageType
	if err := p.check(); err != nil {
		return nil, err
	}
	data, err := Canonical(p)
	if err != nil {
		return nil, err
	}
	if data, err = Encrypt(data, to); err == nil && len(data) > MaxPackage {
		return nil, fmt.Errorf("the package has %d bytes; the most is %d: release fewer files at a time", len(data), MaxPackage)
	}
	return data, err
}

// OpenPackage opens a package with the recipient's identity. The error wraps ErrNotForUs if it is
// encrypted to another recipient.
func OpenPackage(data []byte, identities Identities) (*Package, error) {
	if len(data) > MaxPackage {
		return nil, fmt.Errorf("the package has %d bytes; the most is %d", len(data), MaxPackage)
	}
	plain, err := Decrypt(data, MaxPackage, identities)
	if err != nil {
		return nil, fmt.Errorf("the package: %w", err)
	}
	p, err := parsePackage(plain)
	if err != nil {
		return nil, fmt.Errorf("the package: %w", err)
	}
	return p, nil
}

func parsePackage(plain []byte) (*Package, error) {
	p := new(Package)
	if err := ParseCanonical(plain, p); err != nil {
		return nil, err
	}
	return p, p.check()
}

func (p *Package) check() error {
	if p.Type != packageType {
		return fmt.Errorf("its type is %.40q, not %q", p.Type, packageType)
	}
	if p.Consent.IsZero() || len(p.Files) == 0 {
		return errors.New("it names no consent, or it has no file")
	}
	if len(p.Terms) > 0 && p.Terms[0] != '[' {
		return errors.New("its terms are no list")
	}
	if len(p.Grant) > 0 && trial.StatementID(p.Grant) != p.Consent {
		return errors.New("its terms are of another consent")
	}
	seen := map[trial.Hash]bool{}
	for _, f := range p.Files {
		if seen[f.Ciphertext] {
			return fmt.Errorf("it has the file %s twice", f.Ciphertext)
		}
		seen[f.Ciphertext] = true
		var agents []Agent
		for org := range f.Commitments {
			agents = append(agents, Agent{Org: org})
		}
		if err := errors.Join(checkAgents(agents), f.check(p.Org)); err != nil {
			return err
		}
	}
	return nil
}

// OpenFile reads FILE.age from ciphertext, to its end, and writes the file to dst that the
// packages of all its agents open together. Its beginning shows which of the files of the
// packages it is. The memory that it takes does not depend on the size of the file.
//
// Nothing is opened before the last byte was read and both digests were found right: what was
// written to dst counts only if the error is nil. The caller writes to a temporary file and
// renames it.
func OpenFile(dst io.Writer, ciphertext io.Reader, packages []*Package) error {
	plain, cipher := newDigester(), newDigester()
	defer plain.sum()
	defer cipher.sum()
	var start bytes.Buffer
	header, err := age.ExtractHeader(io.TeeReader(ciphertext, &start))
	if err != nil {
		return fmt.Errorf("it is damaged, or was not written by age: %w", short{err})
	}
	f, key, err := choose(header, packages)
	if err != nil {
		return err
	}
	all := io.TeeReader(io.MultiReader(&start, ciphertext), cipher)
	r, err := age.Decrypt(all, age.NewInjectedFileKeyIdentity(key))
	if err != nil {
		return fmt.Errorf("it is damaged: %w", err)
	}
	if _, err := io.CopyBuffer(io.MultiWriter(plain, dst), onlyReader{r}, make([]byte, blockSize)); err != nil {
		return fmt.Errorf("it is damaged, or cannot be written: %w", err)
	}
	if c := cipher.sum(); c != f.Ciphertext {
		return fmt.Errorf("its SHA-256 is %s, and the packages are for %s: it was altered", c, f.Ciphertext)
	}
	if p := plain.sum(); p != f.Plaintext {
		return fmt.Errorf("the SHA-256 of what is in it is %s, and the packages say %s", p, f.Plaintext)
	}
	return nil
}

// choose returns which of the files of the packages has this header, and its key.
func choose(header []byte, packages []*Package) (*Opened, []byte, error) {
	if len(packages) == 0 {
		return nil, nil, errors.New("no package is given")
	}
	seen := map[string]bool{}
	for _, p := range packages {
		if seen[p.Org] {
			return nil, nil, fmt.Errorf("two packages of %s are given: give one of each agent", p.Org)
		}
		seen[p.Org] = true
		if p.Consent != packages[0].Consent {
			return nil, nil, fmt.Errorf("the package of %s is of consent %s, and that of %s of consent %s: they do not belong together",
				packages[0].Org, packages[0].Consent, p.Org, p.Consent)
		}
	}
	var problems []error
	for _, f := range packages[0].Files {
		key, err := combine(f.Ciphertext, packages)
		if err != nil {
			if !slices.ContainsFunc(problems, func(p error) bool { return p.Error() == err.Error() }) {
				problems = append(problems, err)
			}
		} else if _, err := age.DecryptHeader(header, age.NewInjectedFileKeyIdentity(key)); err == nil {
			return &f, key, nil
		}
	}
	if len(problems) > 0 {
		return nil, nil, errors.Join(problems...)
	}
	return nil, nil, fmt.Errorf("the package of %s does not open this file: it is for others, or the file is damaged at its beginning",
		strings.Join(slices.Sorted(maps.Keys(seen)), " or "))
}

// combine returns the key of a file from the shares in the packages of all its agents.
func combine(file trial.Hash, packages []*Package) ([]byte, error) {
	key := make([]byte, keySize)
	var first *Opened
	missing := map[string]trial.Hash{}
	for _, p := range packages {
		i := slices.IndexFunc(p.Files, func(f Opened) bool { return f.Ciphertext == file })
		if i < 0 {
			return nil, fmt.Errorf("the package of %s does not have the same files as that of %s", p.Org, packages[0].Org)
		}
		f := &p.Files[i]
		if first == nil {
			first, missing = f, maps.Clone(f.Commitments)
		}
		if f.Plaintext != first.Plaintext || !maps.Equal(f.Commitments, first.Commitments) {
			return nil, fmt.Errorf("the packages of %s and %s do not belong together: the file was protected anew, or its shares were "+
				"issued again, between them. Ask the agents to release it again", packages[0].Org, p.Org)
		}
		if err := f.check(p.Org); err != nil {
			return nil, err
		}
		delete(missing, p.Org)
		key = xor(key, f.Share)
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("the package of %s is missing: the packages of all agents are needed",
			strings.Join(slices.Sorted(maps.Keys(missing)), ", "))
	}
	return key, nil
}

// Canonical returns v in canonical JSON (RFC 8785).
func Canonical(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return jcs.Transform(data)
}

// ParseCanonical parses exactly what Canonical returns.
func ParseCanonical(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("it is not the JSON that is written here: %w", err)
	}
	if again, err := Canonical(v); err != nil || !bytes.Equal(again, data) {
		return errors.New("it is not canonical JSON (RFC 8785)")
	}
	return nil
}
