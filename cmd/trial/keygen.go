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
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
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
	key := fmt.Sprintf("%s\nname: %s\norganisation: %s\n%s", keyHeader, *name, id, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY",
		Bytes: der}))
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
