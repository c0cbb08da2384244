package witness

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"

	"filippo.io/mldsa"
)

// A logKey is a public key that is trusted for the origin in its name.
type logKey struct {
	name   string
	id     uint32
	vkey   string
	mldsa  bool
	verify func(cp *checkpoint, sig []byte) bool
}

const algLogEd25519 = 0x01

// parseLogKey parses a log's vkey in its canonical encoding.
func parseLogKey(vkey string) (*logKey, error) {
	bad := func(why string) error {
		return fmt.Errorf("log key %q: %s: want the line the log prints, NAME+ID+BASE64", clip(vkey), why)
	}
	fields := strings.SplitN(vkey, "+", 3)
	if len(fields) != 3 || !validName(fields[0]) || strings.ContainsAny(vkey, "\r\n") {
		return nil, bad("malformed")
	}
	raw, err := strict64.DecodeString(fields[2])
	if err != nil || len(raw) < 2 {
		return nil, bad("malformed")
	}
	k := &logKey{name: fields[0], id: keyID(fields[0], raw), vkey: vkey}
	if fields[1] != fmt.Sprintf("%08x", k.id) {
		return nil, bad("its key ID does not match its name and key")
	}
	alg, pub := raw[0], raw[1:]
	switch alg {
	case algLogEd25519:
		if len(pub) != ed25519.PublicKeySize {
			return nil, bad("malformed")
		}
		k.verify = func(cp *checkpoint, sig []byte) bool {
			return ed25519.Verify(pub, []byte(cp.text), sig)
		}
	case byte(MLDSA44):
		p, err := mldsa.NewPublicKey(mldsa.MLDSA44(), pub)
		if err != nil || len(k.name) > 255 {
			return nil, bad("malformed")
		}
		k.mldsa = true
		k.verify = func(cp *checkpoint, sig []byte) bool { return verifyMLDSA(p, k.name, cp, sig) }
	case byte(Ed25519):
		return nil, bad("type 0x04 is a witness's key, not a log's")
	default:
		return nil, bad(fmt.Sprintf("type 0x%02x is neither Ed25519 (0x01) nor ML-DSA-44 (0x06)", alg))
	}
	return k, nil
}

// A keyring holds the keys trusted for one origin.
type keyring []*logKey

func (ring keyring) add(k *logKey) (keyring, error) {
	for _, have := range ring {
		if have.vkey == k.vkey {
			return ring, nil
		}
		// Four bytes of key ID do not collide by chance.
		if have.id == k.id {
			return nil, errors.New("two keys of log " + k.name + " have the same key ID")
		}
	}
	return append(ring, k), nil
}

// verify returns the checkpoint's text with the signature lines of trusted keys and no others,
// which is what is kept. Because the others are left out, only somebody who has a log's key can
// make this witness store anything.
//
// Its cost is bounded: it stops at the first wrong line, so a stranger can make it check one
// signature more than the log made.
func (ring keyring) verify(cp *checkpoint) (string, error) {
	var good strings.Builder
	seen := make(map[string]bool)
	for _, s := range cp.sigs {
		// SPEC: it MUST ignore signatures from unknown keys.
		k := ring.find(s)
		if k == nil || seen[s.line] {
			continue
		}
		seen[s.line] = true
		if cp.extended && k.mldsa {
			return "", malformed("extension lines, which the ML-DSA-44 signature of the log does not cover")
		}
		// SPEC: 403 [...] if either no signature from a trusted key for the
		// origin is present, or a signature line's key name and ID match a
		// trusted key but the signature itself fails to verify.
		//
		// A second line of one key counts, too: sumdb/note would skip it.
		if !k.verify(cp, s.sig) {
			return "", fmt.Errorf("%w: the signature of key %s+%08x is wrong", ErrSignature, k.name, k.id)
		}
		good.WriteString(s.line)
	}
	if good.Len() == 0 {
		return "", fmt.Errorf("%w: no signature by a key known for %q", ErrSignature, cp.origin)
	}
	return cp.text + "\n" + good.String(), nil
}

func (ring keyring) find(s sigLine) *logKey {
	for _, k := range ring {
		if k.name == s.name && k.id == s.id {
			return k
		}
	}
	return nil
}
