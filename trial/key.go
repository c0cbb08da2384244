package trial

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"math/big"
)

var b64 = base64.StdEncoding.Strict()

// decodeB64 parses standard base64 and takes one spelling only: padded, zero
// spare bits, no line breaks.
func decodeB64(s string) ([]byte, error) {
	data, err := b64.DecodeString(s)
	if err != nil || b64.EncodedLen(len(data)) != len(s) { // the decoder skips line breaks
		return nil, errors.New("not standard base64")
	}
	return data, nil
}

// A PublicKey is a signer's key: Ed25519, or ECDSA on P-256 with SHA-256.
// The zero PublicKey is no key.
type PublicKey struct {
	spki string // DER
	key  any    // ed25519.PublicKey or *ecdsa.PublicKey
}

// ParsePublicKey parses a DER SubjectPublicKeyInfo, in its one encoding.
func ParsePublicKey(spki []byte) (PublicKey, error) {
	if len(spki) > 128 {
		return PublicKey{}, errors.New("not an Ed25519 or ECDSA P-256 public key")
	}
	key, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		return PublicKey{}, errors.New("not a public key in SubjectPublicKeyInfo form")
	}
	switch k := key.(type) {
	case ed25519.PublicKey:
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() {
			return PublicKey{}, errors.New("not on the curve P-256")
		}
	default:
		return PublicKey{}, errors.New("not an Ed25519 or ECDSA P-256 public key")
	}
	p := PublicKey{string(spki), key}
	if again, err := x509.MarshalPKIXPublicKey(key); err != nil || string(again) != p.spki {
		return PublicKey{}, errors.New("not the one DER encoding of its key")
	}
	return p, nil
}

// NewPublicKey takes an ed25519.PublicKey or a P-256 *ecdsa.PublicKey.
func NewPublicKey(key any) (PublicKey, error) {
	spki, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return PublicKey{}, err
	}
	return ParsePublicKey(spki)
}

// SPKI returns the key in DER.
func (p PublicKey) SPKI() []byte { return []byte(p.spki) }

// ID returns the key's id, which DSSE calls keyid: SHA-256 of its SPKI.
func (p PublicKey) ID() Hash { return sha256.Sum256([]byte(p.spki)) }

// IsZero reports whether p is no key.
func (p PublicKey) IsZero() bool { return p.spki == "" }

// MarshalText returns the SPKI in base64.
func (p PublicKey) MarshalText() ([]byte, error) {
	return b64.AppendEncode(nil, []byte(p.spki)), nil
}

// UnmarshalText parses what MarshalText returns.
func (p *PublicKey) UnmarshalText(text []byte) error {
	spki, err := decodeB64(string(text))
	if err != nil {
		return err
	}
	*p, err = ParsePublicKey(spki)
	return err
}

// Verify checks a signature over message: 64 bytes of Ed25519, or an ASN.1
// ECDSA signature in DER with the smaller of the two values of s, so that no
// one but the signer can make a second one.
func (p PublicKey) Verify(message, sig []byte) error {
	switch k := p.key.(type) {
	case ed25519.PublicKey:
		if !ed25519.Verify(k, message, sig) {
			return errors.New("the Ed25519 signature does not verify")
		}
		return nil
	case *ecdsa.PublicKey:
		digest := sha256.Sum256(message)
		if !ecdsa.VerifyASN1(k, digest[:], sig) {
			return errors.New("the ECDSA signature does not verify")
		}
		if v, err := parseECDSA(sig); err != nil || v.S.Cmp(halfOrder) > 0 {
			return errors.New("the ECDSA signature has the larger value of s, where only the smaller is taken")
		}
		return nil
	}
	return errors.New("no public key")
}

var halfOrder = new(big.Int).Rsh(elliptic.P256().Params().N, 1)

// An ecdsaSignature is what ECDSA-Sig-Value of RFC 3279 holds.
type ecdsaSignature struct{ R, S *big.Int }

func parseECDSA(sig []byte) (ecdsaSignature, error) {
	var v ecdsaSignature
	rest, err := asn1.Unmarshal(sig, &v)
	if err != nil || len(rest) > 0 {
		return v, errors.New("not an ASN.1 ECDSA signature")
	}
	return v, nil
}

// LowS returns an ECDSA P-256 signature in ASN.1 with the smaller value of s,
// the only form that Verify takes. Signers call it on what they make.
func LowS(sig []byte) ([]byte, error) {
	v, err := parseECDSA(sig)
	if err != nil {
		return nil, err
	}
	if v.S.Cmp(halfOrder) > 0 {
		v.S.Sub(elliptic.P256().Params().N, v.S)
	}
	return asn1.Marshal(v)
}
