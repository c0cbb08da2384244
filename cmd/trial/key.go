package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
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

func keygen(ctx context.Context, e *env, args []string) error {
	fs := e.Flags()
	name := fs.String("name", "", "printed `name` of the key's owner; it is never logged, only a commitment to it")
	org := fs.String("org", "", "`id` of the organisation the key signs for, or registrar")
	out := fs.String("out", "", "`name` of the files to make: NAME.key and NAME.pub")
	p256 := fs.Bool("p256", false, "make an ECDSA P-256 key instead of an Ed25519 one")
	rest, err := e.Parse(fs, args)
	if err != nil {
		return err
	}
	if *name == "" || *org == "" || *out == "" || len(rest) > 0 {
		return frame.Usagef("-name, -org and -out must be given, and nothing else")
	}
	if _, err := (&trial.Openings{Name: *name, NameSalt: newSalt()}).Marshal(); err != nil {
		return frame.AsUsage(err)
	}
	id := strings.ToLower(*org)
	if err := trial.CheckOrgID(id); err != nil {
		return frame.AsUsage(err)
	}
	var signer crypto.Signer
	if *p256 {
		signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	} else {
		_, signer, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		return err
	}
	request, err := trial.NewEnrolment(id, signer)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		return err
	}
	key := fmt.Sprintf("%s\nname: %s\norganisation: %s\n%s", keyHeader, *name, id, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	pub, err := trial.Request{Name: *name, Org: id, Enrolment: request}.Marshal()
	if err != nil {
		return err
	}
	if err := writeNew(*out+".key", []byte(key), 0o600); err != nil {
		return err
	}
	if err := writeNew(*out+".pub", pub, 0o644); err != nil {
		return errors.Join(err, os.Remove(*out+".key"))
	}
	fmt.Fprintf(e.Stderr, "made %s.key (yours alone) and %s.pub: send the latter to whoever runs %s\n", *out, *out, enrolCommand)
	fmt.Fprintln(e.Stdout, request.Key.ID())
	return nil
}

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

// private warns of a key file that others than its owner can use, or refuses it.
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
