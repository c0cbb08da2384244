// Package trialtest makes keys, statements and small logs for tests.
package trialtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"fmt"
	"io"
	"math/big"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial"
)

// Origin is the origin of logs in tests.
const Origin = "log.example/trials"

// Start is when logs in tests begin.
var Start = trial.TimeOf(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC))

// Key returns the signing key of the person with a name, the same every time. A name that
// begins with "p256-" has an ECDSA key.
func Key(name string) crypto.Signer {
	seed := sha256.Sum256([]byte("trialtest " + name))
	if len(name) > 5 && name[:5] == "p256-" {
		d := new(big.Int).SetBytes(seed[:])
		d.Mod(d, elliptic.P256().Params().N)
		key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d.FillBytes(make([]byte, 32)))
		if err != nil {
			panic(err)
		}
		return repeatable{key}
	}
	return ed25519.NewKeyFromSeed(seed[:])
}

// repeatable signs as RFC 6979 says, so that the same test makes the same log.
type repeatable struct{ *ecdsa.PrivateKey }

func (r repeatable) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return r.PrivateKey.Sign(nil, digest, opts)
}

// Public returns the public part of Key(name).
func Public(name string) trial.PublicKey {
	p, err := trial.NewPublicKey(Key(name).Public())
	if err != nil {
		panic(err)
	}
	return p
}

// Enrolment returns what the person signs to be enrolled for an organisation.
func Enrolment(org, name string) trial.Enrolment {
	e, err := trial.NewEnrolment(org, Key(name))
	if err != nil {
		panic(err)
	}
	return e
}

// Genesis returns the genesis of a log whose registrar is "registrar".
func Genesis() *trial.Genesis {
	return trial.NewGenesis(Origin, "log.example/trials+00000000+AA==", []trial.PublicKey{Public("registrar")}, Start)
}

// NewState returns the state of a log that has its genesis and the state entry after it.
func NewState(t testing.TB) *trial.State {
	t.Helper()
	s := new(trial.State)
	raw, err := Genesis().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	e, err := trial.ParseEntry(raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(e); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Close(Start); err != nil {
		t.Fatal(err)
	}
	s.Commit()
	return s
}

// Common returns the members that every statement to the log has.
func Common() trial.Common {
	return trial.Common{Log: Origin, Meaning: "author", SignedAt: Start}
}

// Recipient returns text of the form of an age recipient, which differs for each name. Nobody
// has its identity.
func Recipient(name string) string {
	const alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	b := []byte("age1pq1")
	for block := sha256.Sum256([]byte("recipient " + name)); len(b) < 1959; block = sha256.Sum256(block[:]) {
		for _, c := range block {
			b = append(b, alphabet[c%32])
		}
	}
	return string(b[:1959])
}

// Documents returns the subjects of a statement of a kind about documents with the given
// contents: the kind itself, appendix-1, and so on.
func Documents(kind string, contents ...string) []trial.Subject {
	var subjects []trial.Subject
	for i, c := range contents {
		name := kind
		if i > 0 {
			name = fmt.Sprintf("appendix-%d", i)
		}
		subjects = append(subjects, trial.Subject{Digest: trial.Digest{SHA256: sha256.Sum256([]byte(c))}, Name: name})
	}
	return subjects
}

// Payload returns the canonical payload of a statement.
func Payload(t testing.TB, p trial.Predicate, subjects []trial.Subject) []byte {
	t.Helper()
	payload, err := (&trial.Statement{Subjects: subjects, Predicate: p}).Marshal()
	if err != nil {
		t.Fatalf("statement of kind %s: %v", p.Kind(), err)
	}
	return payload
}

// Sign returns the envelope of a statement, signed by the person with a name, and that person's
// public key (SPKI).
func Sign(t testing.TB, name string, p trial.Predicate, subjects []trial.Subject) (envelope, key []byte) {
	t.Helper()
	envelope, err := trial.Sign(Payload(t, p, subjects), Key(name))
	if err != nil {
		t.Fatal(err)
	}
	return envelope, Public(name).SPKI()
}

// Check returns the checked statement that Sign makes.
func Check(t testing.TB, name string, p trial.Predicate, subjects []trial.Subject) *trial.Signed {
	t.Helper()
	s, err := trial.Check(Sign(t, name, p, subjects))
	if err != nil {
		t.Fatalf("statement of kind %s: %v", p.Kind(), err)
	}
	return s
}

// Org returns the statement that enrols an organisation with its administrators.
func Org(id, name string, administrators ...string) (trial.Predicate, []trial.Subject) {
	o := &trial.Org{Common: Common(), ID: id, Name: name}
	for _, a := range administrators {
		o.Administrators = append(o.Administrators, Enrolment(id, a))
	}
	return o, trial.OrgSubjects(o)
}

// Enrol returns the statement that enrols a person's key.
func Enrol(org, name, role string) (trial.Predicate, []trial.Subject) {
	e := Enrolment(org, name)
	return &trial.Key{Common: Common(), Action: "enrol", Enrol: &e, Org: org, Role: role}, trial.NamedSubject("key", e.Key.ID())
}

// Register returns the registration of a trial by the sponsor's number. The organisation is
// acme unless another is named.
func Register(number string, org ...string) (trial.Predicate, []trial.Subject) {
	return &trial.Registration{Common: Common(), Number: number, Org: append(org, "acme")[0]}, trial.NumberSubject(number)
}

// InJSON returns a time as it is in entries.
func InJSON(t trial.Time) string {
	text, err := t.MarshalText()
	if err != nil {
		panic(err)
	}
	return string(text)
}
