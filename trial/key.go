package trial

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"math/big"
	"slices"
	"sync/atomic"
)

var b64 = base64.StdEncoding.Strict()

// decodeB64 parses standard base64 in its canonical encoding only: padded, zero spare bits, no
// line breaks.
func decodeB64(s string) ([]byte, error) {
	data, err := b64.DecodeString(s)
	if err != nil || b64.EncodedLen(len(data)) != len(s) { // the decoder skips line breaks
		return nil, errors.New("not standard base64")
	}
	return data, nil
}

// A PublicKey is a signer's key: Ed25519, or ECDSA on P-256 with SHA-256. The zero PublicKey is
// no key. Two are the same key if they are equal by ==.
type PublicKey struct {
	spki string // DER
}

// ParsePublicKey parses a DER SubjectPublicKeyInfo in its canonical encoding.
func ParsePublicKey(spki []byte) (PublicKey, error) {
	if len(spki) > 128 {
		return PublicKey{}, errors.New("not an Ed25519 or ECDSA P-256 public key")
	}
	if last := lastKey.Load(); last != nil && last.spki == string(spki) {
		return *last, nil
	}
	p, err := parsePublicKey(spki)
	if err == nil {
		lastKey.Store(&p)
	}
	return p, err
}

// lastKey is the key that was parsed last. Most statements in a row are of one key.
var lastKey atomic.Pointer[PublicKey]

// ed25519Prefix is what the DER encoding of an Ed25519 key begins with (RFC 8410, section 4: the
// parameters of the algorithm "MUST be absent"). The rest is the key.
const ed25519Prefix = "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"

var errWeak = errors.New("an Ed25519 key of small order or not in its canonical encoding: anyone can sign for it")

func parsePublicKey(spki []byte) (PublicKey, error) {
	if len(spki) == ed25519SPKI && string(spki[:len(ed25519Prefix)]) == ed25519Prefix { // as nearly all are
		if weak(spki[len(ed25519Prefix):]) {
			return PublicKey{}, errWeak
		}
		return PublicKey{string(spki)}, nil
	}
	key, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		return PublicKey{}, errors.New("not a public key in SubjectPublicKeyInfo form")
	}
	switch k := key.(type) {
	case ed25519.PublicKey:
		if weak(k) {
			return PublicKey{}, errWeak
		}
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() {
			return PublicKey{}, errors.New("not on the curve P-256")
		}
	default:
		return PublicKey{}, errors.New("not an Ed25519 or ECDSA P-256 public key")
	}
	p := PublicKey{string(spki)}
	if again, err := x509.MarshalPKIXPublicKey(key); err != nil || string(again) != p.spki {
		return PublicKey{}, errors.New("not the canonical DER encoding of the key")
	}
	return p, nil
}

// weak reports whether an Ed25519 public key is one of the points of small order, under which
// one signature is valid for many messages, or is not in its canonical encoding (y is at or
// above the field's prime). Package ed25519 accepts both.
func weak(k ed25519.PublicKey) bool {
	y := [32]byte(k)
	y[31] &= 0x7f // the sign of x
	slices.Reverse(y[:])
	return slices.Contains(smallOrder, y) || bytes.Compare(y[:], fieldPrime[:]) >= 0
}

var fieldPrime = coordinate("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed")

// smallOrder are the y coordinates of the eight points of small order.
var smallOrder = [][32]byte{
	coordinate("0000000000000000000000000000000000000000000000000000000000000000"),
	coordinate("0000000000000000000000000000000000000000000000000000000000000001"),
	coordinate("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffec"),
	coordinate("05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826"),
	coordinate("7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7"),
}

// coordinate returns a number of 256 bits that is written in hexadecimal.
func coordinate(digits string) [32]byte {
	b, err := hex.DecodeString(digits)
	if err != nil {
		panic(err)
	}
	return [32]byte(b)
}

// NewPublicKey takes an ed25519.PublicKey or a P-256 *ecdsa.PublicKey.
func NewPublicKey(key any) (PublicKey, error) {
	spki, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return PublicKey{}, err
	}
	return ParsePublicKey(spki)
}

// Lengths of the DER encoding of each kind of key, and of the point that a P-256 key ends in.
const (
	ed25519SPKI = 12 + ed25519.PublicKeySize
	p256SPKI    = 26 + p256Point
	p256Point   = 65 // uncompressed
)

// SPKI returns the key in DER.
func (p PublicKey) SPKI() []byte { return []byte(p.spki) }

// ID returns the key's id, which DSSE calls keyid: SHA-256 of its SPKI.
func (p PublicKey) ID() Hash { return sha256.Sum256([]byte(p.spki)) }

// IsZero reports whether p is no key.
func (p PublicKey) IsZero() bool { return p.spki == "" }

// MarshalText returns the SPKI in base64.
func (p PublicKey) MarshalText() ([]byte, error) { return p.AppendText(nil) }

// AppendText implements encoding.TextAppender.
func (p PublicKey) AppendText(b []byte) ([]byte, error) {
	return b64.AppendEncode(b, []byte(p.spki)), nil
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

// Verify checks a signature over message: 64 bytes of Ed25519, or an ASN.1 ECDSA signature in
// DER. An ECDSA signature must have the smaller of the two values of s, so that nobody except
// the signer can make a second signature.
func (p PublicKey) Verify(message, sig []byte) error {
	switch len(p.spki) { // ParsePublicKey accepts no other length
	case ed25519SPKI:
		if !ed25519.Verify(ed25519.PublicKey(p.spki[ed25519SPKI-ed25519.PublicKeySize:]), message, sig) {
			return errors.New("the Ed25519 signature does not verify")
		}
		return nil
	case p256SPKI:
		k, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), []byte(p.spki[p256SPKI-p256Point:]))
		if err != nil {
			return errors.New("not a point of P-256")
		}
		digest := sha256.Sum256(message)
		if !ecdsa.VerifyASN1(k, digest[:], sig) {
			return errors.New("the ECDSA signature does not verify")
		}
		if v, err := parseECDSA(sig); err != nil || v.S.Cmp(halfOrder) > 0 {
			return errors.New("the ECDSA signature has the larger value of s; only the smaller one is accepted")
		}
		return nil
	}
	return errors.New("no public key")
}

var halfOrder = new(big.Int).Rsh(elliptic.P256().Params().N, 1)

// An ecdsaSignature is an ECDSA-Sig-Value of RFC 3279.
type ecdsaSignature struct{ R, S *big.Int }

func parseECDSA(sig []byte) (ecdsaSignature, error) {
	var v ecdsaSignature
	rest, err := asn1.Unmarshal(sig, &v)
	if err != nil || len(rest) > 0 {
		return v, errors.New("not an ASN.1 ECDSA signature")
	}
	return v, nil
}

// LowS returns an ECDSA P-256 signature in ASN.1 with the smaller value of s, the only form
// that Verify accepts. Signers call it on the signatures that they make.
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
