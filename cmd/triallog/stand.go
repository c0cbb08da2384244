package main

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/durable"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/witness"
)

// A stand is a log and three replaying witnesses on one machine, in one folder: what the demo and the
// quickstart show. Each is a process of this program's own binary.
type stand struct {
	dir        string
	origin     string
	log        folder
	vkey       string
	listen     string // of the server, the same after a restart
	server     *child
	witnesses  []*child
	policyText []byte
	policy     *checkpoint.Policy
	client     *client.Client
}

func (s *stand) path(name string) string { return filepath.Join(s.dir, name) }

// make makes the log.
func (s *stand) make(ctx context.Context, registrar trial.PublicKey) (err error) {
	s.log = folder{dir: s.path("log")}
	s.vkey, err = s.log.create(ctx, s.origin, registrar)
	return err
}

// A standWitness is a witness of a stand: its key's file, its folder and its address.
type standWitness struct{ label, name, keyFile, dir, listen, vkey string }

// makeWitness makes the key of a replaying witness.
func (s *stand) makeWitness(i int, name, listen string) (*standWitness, error) {
	label := fmt.Sprintf("w%d", i)
	w := &standWitness{label: label, name: name, keyFile: s.path(label + ".key"), dir: s.path(label), listen: listen}
	key, err := witness.NewKey(name, witness.Ed25519)
	if err != nil {
		return nil, err
	}
	w.vkey = key.VKey()
	return w, key.Save(w.keyFile)
}

// startWitness starts a witness, and returns its URL.
func (s *stand) startWitness(ctx context.Context, w *standWitness) (string, error) {
	c, err := start(ctx, []string{demoWitness + "=" + strings.Join([]string{w.keyFile, w.dir, s.vkey, "http://" + s.listen, w.listen}, "\n")})
	if err != nil {
		return "", fmt.Errorf("start witness %s: %w", w.name, err)
	}
	s.witnesses = append(s.witnesses, c)
	return c.url, nil
}

// setPolicy writes the policy by which two of the witnesses must agree.
func (s *stand) setPolicy(logURL string, witnesses []*standWitness, urls []string) error {
	policy := strings.TrimRight("log "+s.vkey+" "+logURL, " ") + "\n"
	labels := ""
	for i, w := range witnesses {
		policy += fmt.Sprintf("witness %s %s %s\n", w.label, w.vkey, urls[i])
		labels += " " + w.label
	}
	policy += "group two-of-three 2" + labels + "\nquorum two-of-three\n"
	if err := os.WriteFile(s.log.path(policyName), []byte(policy), 0o644); err != nil {
		return err
	}
	return s.readPolicy()
}

func (s *stand) readPolicy() (err error) {
	if s.policyText, err = os.ReadFile(s.log.path(policyName)); err != nil {
		return err
	}
	s.policy, err = checkpoint.ParsePolicy(s.policyText)
	return err
}

// serve starts the log, at the same address each time, and waits until it takes
// submissions.
func (s *stand) serve(ctx context.Context) (err error) {
	args := []string{"serve", "-dir", s.log.dir, "-listen", s.listen}
	if _, err := os.Stat(s.path(relayKeyName)); err == nil {
		args = append(args, "-relay", s.path(relayKeyName))
	}
	if s.server, err = start(ctx, nil, args...); err != nil {
		return fmt.Errorf("start the log: %w", err)
	}
	s.listen = strings.TrimPrefix(s.server.url, "http://")
	s.client, err = client.New(s.server.url)
	return err
}

// common is what the statements say that a stand signs itself.
func (s *stand) common(meaning string) trial.Common {
	return trial.Common{Log: s.origin, Meaning: meaning, SignedAt: trial.TimeOf(time.Now())}
}

// submit signs and sends a statement, and checks its receipt offline.
func (s *stand) submit(ctx context.Context, signer crypto.Signer, st *trial.Statement) (*receipt.Verdict, []byte, error) {
	payload, err := st.Marshal()
	if err != nil {
		return nil, nil, err
	}
	envelope, err := trial.Sign(payload, signer)
	if err != nil {
		return nil, nil, err
	}
	key, err := trial.NewPublicKey(signer.Public())
	if err != nil {
		return nil, nil, err
	}
	res, err := s.client.Submit(ctx, envelope, key.SPKI())
	if err != nil {
		return nil, nil, fmt.Errorf("submit %s: %w", st.Predicate.Kind(), err)
	}
	v, err := receipt.Verify(s.policy, []byte(res.Receipt))
	return v, []byte(res.Receipt), err
}

// announce has the registrar announce the policy, so that it can be followed from the start.
func (s *stand) announce(ctx context.Context, registrar crypto.Signer) (*receipt.Verdict, error) {
	v, _, err := s.submit(ctx, registrar, &trial.Statement{
		Subjects:  trial.NamedSubject("policy", sha256.Sum256(s.policyText)),
		Predicate: &trial.Policy{Common: s.common("responsibility"), Policy: base64.StdEncoding.EncodeToString(s.policyText)},
	})
	return v, err
}

// The relay of a stand ends consents for who has a slip and no key. Its organisation is the
// operator's.
const (
	relayKeyName = "relay.key"
	relayOrg     = "operator"
)

// makeRelay makes the relay's key, before the log is served.
func (s *stand) makeRelay() (crypto.Signer, error) {
	_, signer, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	text, err := keyFileText("Relay", relayOrg, signer)
	if err != nil {
		return nil, err
	}
	return signer, durable.ReplaceAlone(s.path(relayKeyName), text, 0o600)
}

// enrolRelay has the registrar enrol the relay's organisation.
func (s *stand) enrolRelay(ctx context.Context, registrar, relay crypto.Signer) (*receipt.Verdict, error) {
	return s.enrol(ctx, registrar, relayOrg, "The operator of the log", relay)
}

// enrol has the registrar enrol an organisation with its first administrator.
func (s *stand) enrol(ctx context.Context, registrar crypto.Signer, id, name string, admin crypto.Signer) (*receipt.Verdict, error) {
	enrolment, err := trial.NewEnrolment(id, admin)
	if err != nil {
		return nil, err
	}
	p := &trial.Org{Common: s.common("responsibility"), Administrators: []trial.Enrolment{enrolment}, ID: id, Name: name}
	v, _, err := s.submit(ctx, registrar, &trial.Statement{Subjects: trial.OrgSubjects(p), Predicate: p})
	return v, err
}

// keyFileText returns what trial keygen writes for a key.
func keyFileText(name, org string, signer crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "name: %s\norganisation: %s\n%s", name, org, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}

// wait returns nil when ctx ends, or why one of the processes ended before.
func (s *stand) wait(ctx context.Context) error {
	dead := make(chan error, 1+len(s.witnesses))
	for _, c := range append([]*child{s.server}, s.witnesses...) {
		go func() {
			err := <-c.ended
			c.ended <- err // stop reads it too
			dead <- errors.Join(errors.New("the log or a witness has ended, so everything stops"), err)
		}()
	}
	select {
	case err := <-dead:
		if ctx.Err() != nil {
			return nil
		}
		return err
	case <-ctx.Done():
		return nil
	}
}

// end stops every process.
func (s *stand) end() error {
	var errs []error
	for _, c := range append([]*child{s.server}, s.witnesses...) {
		if c != nil {
			errs = append(errs, c.stop())
		}
	}
	return errors.Join(errs...)
}
