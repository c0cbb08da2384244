package trial

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"slices"
	"strconv"
)

// PayloadType is the DSSE payload type of every statement.
const PayloadType = "application/vnd.in-toto+json"

// An Envelope is a DSSE envelope in the one encoding that is logged: canonical JSON, standard
// base64, one signature.
//
// Source: https://github.com/secure-systems-lab/dsse/blob/v1.0.2/envelope.md
type Envelope struct {
	Payload     string      `json:"payload"` // base64 of the statement
	PayloadType string      `json:"payloadType"`
	Signatures  []Signature `json:"signatures"`
}

// A Signature is a signature over the pre-authentication encoding of the payload.
type Signature struct {
	KeyID Hash   `json:"keyid"`
	Sig   string `json:"sig"` // base64
}

// preAuth returns the DSSE pre-authentication encoding of a statement:
//
//	SPEC: PAE(type, body) = "DSSEv1" + SP + LEN(type) + SP + type + SP + LEN(body) + SP + body
func preAuth(payload []byte) []byte { return preAuthOf(PayloadType, payload) }

func preAuthOf(payloadType string, payload []byte) []byte {
	b := []byte("DSSEv1 " + strconv.Itoa(len(payloadType)) + " " + payloadType + " ")
	b = strconv.AppendInt(b, int64(len(payload)), 10)
	b = append(b, ' ')
	return append(b, payload...)
}

// StatementID returns the identity of the statement that payload encodes: the SHA-256 of its
// pre-authentication encoding. Two signatures over one statement have the same identity.
func StatementID(payload []byte) Hash { return sha256.Sum256(preAuth(payload)) }

// Sign returns the envelope of a statement, signed by an Ed25519 or ECDSA P-256
// key.
func Sign(payload []byte, signer crypto.Signer) ([]byte, error) {
	env, _, err := sign(PayloadType, payload, signer)
	if err != nil {
		return nil, err
	}
	return encode(env)
}

func sign(payloadType string, payload []byte, signer crypto.Signer) (env Envelope, key PublicKey, err error) {
	if key, err = NewPublicKey(signer.Public()); err != nil {
		return env, key, err
	}
	sig, err := SignBytes(signer, preAuthOf(payloadType, payload))
	return Envelope{
		Payload:     b64.EncodeToString(payload),
		PayloadType: payloadType,
		Signatures:  []Signature{{key.ID(), b64.EncodeToString(sig)}},
	}, key, err
}

// SignBytes signs message in the form that PublicKey.Verify accepts.
func SignBytes(signer crypto.Signer, message []byte) ([]byte, error) {
	switch signer.Public().(type) {
	case ed25519.PublicKey:
		return signer.Sign(rand.Reader, message, crypto.Hash(0))
	case *ecdsa.PublicKey:
		digest := sha256.Sum256(message)
		sig, err := signer.Sign(rand.Reader, digest[:], crypto.SHA256)
		if err != nil {
			return nil, err
		}
		return LowS(sig)
	}
	return nil, refuse(RuleMalformed, "neither an Ed25519 nor an ECDSA P-256 key")
}

// Signed is a statement whose form and signature have been checked. That needs no state;
// whether its signer is entitled is for State to decide.
type Signed struct {
	ID        Hash // identity of the statement
	Statement *Statement
	Envelope  Envelope
	Key       PublicKey

	payload  []byte
	verified bool // the signature has been verified
}

func (e Envelope) equal(o Envelope) bool {
	return e.Payload == o.Payload && e.PayloadType == o.PayloadType && slices.Equal(e.Signatures, o.Signatures)
}

// Check parses an envelope strictly and verifies its signature by key, a DER
// SubjectPublicKeyInfo. Every error is a *Refusal.
func Check(envelope, key []byte) (*Signed, error) {
	if len(envelope) > MaxEntry {
		return nil, refuse(RuleLimit, "the envelope has %d bytes; the most is %d", len(envelope), MaxEntry)
	}
	pub, err := ParsePublicKey(key)
	if err != nil {
		return nil, refuse(RuleMalformed, "key: %v", err)
	}
	env, ok := quickEnvelope(envelope)
	if !ok {
		env = Envelope{}
		if err := decode(envelope, &env); err != nil {
			return nil, refuse(RuleMalformed, "envelope: %v", err)
		}
	}
	s, err := parseSigned(env, pub)
	if err != nil {
		return nil, err
	}
	if err := s.verify(); err != nil {
		return nil, err
	}
	return s, nil
}

// parseSigned checks everything about an envelope except its signature.
func parseSigned(env Envelope, key PublicKey) (*Signed, error) {
	if env.PayloadType != PayloadType {
		return nil, refuse(RuleMalformed, "payloadType is %.80q, not %q", env.PayloadType, PayloadType)
	}
	if len(env.Signatures) != 1 {
		return nil, refuse(RuleMalformed, "the envelope has %d signatures; it must have exactly one", len(env.Signatures))
	}
	payload, err := decodeB64(env.Payload)
	if err != nil {
		return nil, refuse(RuleMalformed, "payload: %v", err)
	}
	if _, err := decodeB64(env.Signatures[0].Sig); err != nil {
		return nil, refuse(RuleMalformed, "sig: %v", err)
	}
	st, err := ParseStatement(payload)
	if err != nil {
		return nil, err
	}
	return &Signed{ID: StatementID(payload), Statement: st, Envelope: env, Key: key, payload: payload}, nil
}

func (s *Signed) verify() error {
	if s.verified {
		return nil
	}
	sig := s.Envelope.Signatures[0]
	if sig.KeyID != s.Key.ID() {
		return refuse(RuleSignature, "keyid is %s, but the key given has the id %s", sig.KeyID, s.Key.ID())
	}
	raw, err := decodeB64(sig.Sig)
	if err != nil {
		return refuse(RuleMalformed, "sig: %v", err)
	}
	if err := s.Key.Verify(preAuth(s.payload), raw); err != nil {
		return refuse(RuleSignature, "%v", err)
	}
	s.verified = true
	return nil
}
