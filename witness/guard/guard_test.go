package guard

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certify writes a certificate that expires at end, and its key.
func certify(t *testing.T, dir string, end time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(end.Unix()), NotBefore: end.Add(-365 * 24 * time.Hour), NotAfter: end,
		DNSNames: []string{"log.example"}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"chain": {Type: "CERTIFICATE", Bytes: der}, "key": {Type: "PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCertificateChanges: the certificate in the files is served at the next handshake, and the
// earlier one while a file cannot be read. An end that is near or past is logged.
func TestCertificateChanges(t *testing.T) {
	dir, now := t.TempDir(), time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	var said bytes.Buffer
	certify(t, dir, now.Add(90*24*time.Hour))
	c, err := Read(filepath.Join(dir, "chain"), filepath.Join(dir, "key"), func() time.Time { return now },
		slog.New(slog.NewTextHandler(&said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if said.Len() > 0 {
		t.Fatalf("it says %s", &said)
	}
	serves := func() time.Time {
		t.Helper()
		pair, err := c.Config().GetCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(pair.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		if !leaf.NotAfter.Equal(c.NotAfter()) {
			t.Fatal("NotAfter is of another certificate")
		}
		return leaf.NotAfter
	}
	next := now.Add(180 * 24 * time.Hour)
	certify(t, dir, next)
	now = now.Add(2 * time.Second)
	if !serves().Equal(next) {
		t.Fatal("the old certificate is served")
	}
	// Only half of the pair was replaced.
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * time.Second)
	if !serves().Equal(next) || !strings.Contains(said.String(), "cannot be read") {
		t.Fatalf("half a pair: %s", &said)
	}
	said.Reset()
	certify(t, dir, now.Add(3*24*time.Hour))
	now = now.Add(2 * time.Second)
	serves()
	if !strings.Contains(said.String(), "expires soon") {
		t.Fatalf("it says %s", &said)
	}
	said.Reset()
	now = now.Add(4 * 24 * time.Hour)
	if _, err := Read(c.chain, c.key, c.now, c.logger); err != nil || !strings.Contains(said.String(), "has expired") {
		t.Fatalf("an expired one: %v %s", err, &said)
	}
}

func TestPrivate(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log.key")
	for mode, open := range map[os.FileMode]bool{0o600: false, 0o400: false, 0o640: true, 0o604: true, 0o644: true} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
		var said bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&said, nil))
		if err := Private(name, false, logger); err != nil || open != strings.Contains(said.String(), "chmod 600") {
			t.Errorf("%o: %v %q", mode, err, &said)
		}
		if err := Private(name, true, logger); open != (err != nil) {
			t.Errorf("%o, strict: %v", mode, err)
		}
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}
