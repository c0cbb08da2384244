package vault

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

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
	Org     string          `json:"org"` // the agent
	Terms   json.RawMessage `json:"terms,omitempty"`
	Type    string          `json:"type"` // packageType
}

const packageType = "trialproof/package/v1"

// MaxPackage bounds a package, in bytes.
const MaxPackage = 4 << 20

// Seal returns the package encrypted to a recipient. The log has its SHA-256.
func (p *Package) Seal(to string) ([]byte, error) {
	p.Type = packageType
	data, err := encode(p)
	if err != nil {
		return nil, err
	}
	return Encrypt(data, to)
}

// OpenPackage opens a package with the recipient's identity.
func OpenPackage(data []byte, identities Identities) (*Package, error) {
	if len(data) > MaxPackage {
		return nil, fmt.Errorf("it has %d bytes; the most is %d", len(data), MaxPackage)
	}
	plain, err := Decrypt(data, MaxPackage, identities)
	if err != nil {
		return nil, err
	}
	p := new(Package)
	if err := decode(plain, p); err != nil {
		return nil, err
	}
	if p.Type != packageType || len(p.Files) == 0 {
		return nil, errors.New("its type is not known, or it has no file")
	}
	for _, f := range p.Files {
		if len(f.Share) != keySize || f.Commitments[p.Org] != commitment(f.Salt, f.Share) {
			return nil, fmt.Errorf("the share of %s is not the one that was committed to: it was exchanged", p.Org)
		}
	}
	return p, nil
}

// OpenFile writes the file to dst that ciphertext and the packages of all its agents open. Digest
// is the SHA-256 of the ciphertext. What was written counts only if the error is nil: only then
// both digests are right.
func OpenFile(dst io.Writer, ciphertext io.Reader, digest trial.Hash, packages []*Package) error {
	var key []byte
	var first *Opened
	seen := map[string]bool{}
	for _, p := range packages {
		i := slices.IndexFunc(p.Files, func(f Opened) bool { return f.Ciphertext == digest })
		if i < 0 {
			return fmt.Errorf("the package of %s does not open this file", p.Org)
		}
		f := &p.Files[i]
		if seen[p.Org] {
			return fmt.Errorf("two packages of %s are given", p.Org)
		}
		seen[p.Org] = true
		if first == nil {
			first, key = f, slices.Clone(f.Share)
			continue
		}
		if p.Consent != packages[0].Consent || f.Plaintext != first.Plaintext || !maps.Equal(f.Commitments, first.Commitments) {
			return errors.New("the packages do not belong together: they are of different consents or of different files")
		}
		key = xor(key, f.Share)
	}
	if first == nil {
		return errors.New("no package is given")
	}
	for _, org := range slices.Sorted(maps.Keys(first.Commitments)) {
		if !seen[org] {
			return fmt.Errorf("the package of %s is missing: neither agent's package opens the file alone", org)
		}
	}
	cipher, plain := sha256.New(), sha256.New()
	r, err := age.Decrypt(io.TeeReader(ciphertext, cipher), age.NewInjectedFileKeyIdentity(key))
	if err != nil {
		return fmt.Errorf("the packages do not open this file: %w", err)
	}
	if _, err := io.Copy(io.MultiWriter(dst, plain), r); err != nil {
		return fmt.Errorf("the file is damaged: %w", err)
	}
	if sum(cipher) != digest || sum(plain) != first.Plaintext {
		return errors.New("the file is not the one that was protected: its digest is another")
	}
	return nil
}

// encode returns v in canonical JSON (RFC 8785).
func encode(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return jcs.Transform(data)
}

// decode parses exactly what encode returns.
func decode(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("it is not the JSON that is written here: %w", err)
	}
	if again, err := encode(v); err != nil || !bytes.Equal(again, data) {
		return errors.New("it is not canonical JSON (RFC 8785)")
	}
	return nil
}
