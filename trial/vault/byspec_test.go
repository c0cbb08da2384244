package vault_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"testing"

	"filippo.io/age"
	"golang.org/x/crypto/chacha20poly1305"

	"github.com/trialproof/trialproof/trial/vault"
)

// TestBySpec opens packages and FILE.age as docs/spec.md says it is done by hand, with age, JSON and
// the ciphers of c2sp.org/age alone.
func TestBySpec(t *testing.T) {
	c := newCast(t)
	const file = "haemoglobin 13.1 g/dl"
	cipher, p := protect(t, c.options(2), []byte(file))
	fileKey := make([]byte, 16)
	for org, agent := range map[string]party{"site-a": c.a, "ngo": c.b} {
		o, err := p.Open(org, agent.ids)
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := (&vault.Package{Consent: handle, Org: org, Files: []vault.Opened{*o}}).Seal(c.lab.recipient)
		if err != nil {
			t.Fatal(err)
		}
		r, err := age.Decrypt(bytes.NewReader(sealed), c.lab.ids...)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		var pkg struct {
			Files []struct {
				Ciphertext, Plaintext, Salt, Share string
				Commitments                        map[string]string
			}
		}
		if err := json.Unmarshal(plain, &pkg); err != nil {
			t.Fatal(err)
		}
		f := pkg.Files[0]
		share, err := base64.StdEncoding.DecodeString(f.Share)
		if err != nil {
			t.Fatal(err)
		}
		salt, err := hex.DecodeString(f.Salt)
		if err != nil {
			t.Fatal(err)
		}
		digest := sha256.Sum256(share)
		commitment := sha256.Sum256(append(salt, digest[:]...))
		of, is := sha256.Sum256(cipher), sha256.Sum256([]byte(file))
		if f.Commitments[org] != hex.EncodeToString(commitment[:]) || f.Ciphertext != hex.EncodeToString(of[:]) ||
			f.Plaintext != hex.EncodeToString(is[:]) {
			t.Fatalf("%s: %s", org, plain)
		}
		for i := range fileKey {
			fileKey[i] ^= share[i]
		}
	}
	i := bytes.Index(cipher, []byte("\n--- "))
	payload := cipher[i+1+bytes.IndexByte(cipher[i+1:], '\n')+1:]
	key, err := hkdf.Key(sha256.New, fileKey, payload[:16], "payload", 32)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		t.Fatal(err)
	}
	last := []byte{11: 1} // the first chunk is the last
	if got, err := aead.Open(nil, last, payload[16:], nil); err != nil || string(got) != file {
		t.Fatalf("%q, %v", got, err)
	}
}
