package trial

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
)

// A KeyFile is a signing key with what its owner said of it. In a file it is a few lines and a
// PEM block of PKCS #8, which other programs read too.
type KeyFile struct {
	Name, Org string // "" if the file does not say
	Signer    crypto.Signer
	Public    PublicKey
}

// ParseKeyFile parses what trial keygen writes, or any PEM file with a PKCS #8 key.
func ParseKeyFile(data []byte) (*KeyFile, error) {
	if len(data) == 0 {
		return nil, errors.New("it is empty, as a copy that failed leaves it: put its backup in its place")
	}
	block, _ := pem.Decode(data)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, errors.New("it holds no signing key: make one with trial keygen")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("it holds a key that cannot sign")
	}
	k := &KeyFile{Signer: signer}
	if k.Public, err = NewPublicKey(signer.Public()); err != nil {
		return nil, err
	}
	head, _, _ := strings.Cut(string(data), "-----BEGIN")
	members := Members(head)
	k.Name, k.Org = members["name"], members["organisation"]
	return k, nil
}
