package main

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/durable"
	"github.com/trialproof/trialproof/trial"
)

// A keyFile is a signing key with what its owner said of it. In the file it is
// a few lines and a PEM block of PKCS #8, which other programs read too.
type keyFile struct {
	name, org string
	signer    crypto.Signer
	public    trial.PublicKey
}

const (
	keyHeader    = "trialproof signing key: keep it to yourself"
	enrolCommand = "trial enrol (or, for a new organisation, the registrar with trial org)"
)

// readKey reads a .key file, or any PEM file with a PKCS #8 key.
func readKey(name string) (*keyFile, error) {
	data, err := readSmall(name)
	if err != nil {
		return nil, err
	}
	if len(data) == 0 {
		return nil, frame.Usagef("%s is empty, as a copy that failed leaves it: put its backup in its place", name)
	}
	block, _ := pem.Decode(data)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, frame.Usagef("%s holds no signing key: make one with trial keygen", name)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, frame.Usagef("%s: %w", name, err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, frame.Usagef("%s holds a key that cannot sign", name)
	}
	k := &keyFile{signer: signer}
	if k.public, err = trial.NewPublicKey(signer.Public()); err != nil {
		return nil, frame.Usagef("%s: %w", name, err)
	}
	head, _, _ := strings.Cut(string(data), "-----BEGIN")
	members := trial.Members(head)
	k.name, k.org = members["name"], members["organisation"]
	return k, nil
}

// private warns of a key file that others than its owner can use, or refuses it if asked to.
func (e *env) private(name string, strict bool) error {
	info, err := os.Stat(name)
	if err != nil || runtime.GOOS == "windows" || info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	err = fmt.Errorf("%s has mode %04o: others than its owner can sign with it: chmod 600 %s", name, info.Mode().Perm(), name)
	if strict {
		return fmt.Errorf("%w key file: %w", errInvalid, err)
	}
	fmt.Fprintf(e.Stderr, "trial %s: warning: %v\n", e.Command(), err)
	return nil
}

// readRequest reads a .pub file.
func readRequest(name string) (trial.Request, error) {
	data, err := readSmall(name)
	if err != nil {
		return trial.Request{}, err
	}
	r, err := trial.ParseRequest(data)
	if err != nil {
		return trial.Request{}, frame.Usagef("%s: %w", name, err)
	}
	return r, nil
}

// writeNew writes a file that must not be there yet, whole or not at all.
func writeNew(name string, data []byte, perm os.FileMode) error {
	err := durable.Create(name, data, perm)
	if errors.Is(err, os.ErrExist) {
		return frame.Usagef("%s is there already and is not overwritten", name)
	}
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		return frame.AsUsage(err)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
