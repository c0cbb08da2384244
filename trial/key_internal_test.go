package trial

import (
	"crypto/ed25519"
	"crypto/x509"
	"testing"
)

// TestEd25519Key: a key is read in short as package x509 reads it, whichever bit of its encoding is another.
func TestEd25519Key(t *testing.T) {
	seed := make([]byte, ed25519.SeedSize)
	good, err := x509.MarshalPKIXPublicKey(ed25519.NewKeyFromSeed(seed).Public())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parsePublicKey(good); err != nil || string(good[:len(ed25519Prefix)]) != ed25519Prefix {
		t.Fatalf("%x: %v", good, err)
	}
	read := 0
	for i := range 8 * len(good) {
		spki := []byte(string(good))
		spki[i/8] ^= 1 << (i % 8)
		_, err := parsePublicKey(spki)
		key, parsed := x509.ParsePKIXPublicKey(spki)
		k, is := key.(ed25519.PublicKey)
		if want := parsed == nil && is && !weak(k); want != (err == nil) {
			t.Errorf("%x: %v, and x509 says %v", spki, err, parsed)
		}
		if err == nil {
			read++
		}
	}
	if read != 8*ed25519.PublicKeySize {
		t.Errorf("%d keys of 256 are read", read)
	}
	for _, y := range append(smallOrder, fieldPrime) {
		spki := []byte(ed25519Prefix)
		for i := range y {
			spki = append(spki, y[len(y)-1-i])
		}
		if _, err := parsePublicKey(spki); err != errWeak {
			t.Errorf("%x: %v", spki, err)
		}
	}
}
