// Package guard looks after the files of a server that others must not read, and after its
// certificate, which may change while it serves. trialwitness and triallog share it; it knows
// neither logs nor witnesses.
package guard

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"time"
)

// Private warns if anybody other than the owner can read a secret file, or returns an error if
// strict is set.
func Private(name string, strict bool, logger *slog.Logger) error {
	info, err := os.Stat(name)
	if err != nil || runtime.GOOS == "windows" { // on Windows modes mean nothing
		return nil // the caller that reads the file reports the error
	}
	mode := info.Mode().Perm()
	if mode&0o077 == 0 {
		return nil
	}
	err = fmt.Errorf("%s has mode %04o: others than its owner can use the key: chmod 600 %s", name, mode, name)
	if strict {
		return err
	}
	logger.Warn("a secret file is open to others", "why", err)
	return nil
}

const (
	// lookEvery is how often a certificate's files are checked, while there are handshakes.
	lookEvery = time.Second
	// soon is how long before its end a certificate is warned about.
	soon = 14 * 24 * time.Hour
)

// A Certificate is a server's certificate as in its files: it is read again when they change.
type Certificate struct {
	chain, key string
	now        func() time.Time
	logger     *slog.Logger

	mu     sync.Mutex // guards the fields below
	pair   *tls.Certificate
	leaf   *x509.Certificate
	stamps [2]os.FileInfo
	looked time.Time
}

// Read reads a certificate chain and its key, in PEM. It logs if the certificate has expired or
// will soon.
func Read(chain, key string, now func() time.Time, logger *slog.Logger) (*Certificate, error) {
	c := &Certificate{chain: chain, key: key, now: now, logger: logger}
	if err := c.read(); err != nil {
		return nil, err
	}
	c.warn()
	return c, nil
}

// read reads the files; c.mu is held, or c is not shared yet.
func (c *Certificate) read() error {
	stamps, err := c.stat()
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(c.chain, c.key)
	if err != nil {
		return fmt.Errorf("read certificate %s and key %s: %w", c.chain, c.key, err)
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return fmt.Errorf("read certificate %s: %w", c.chain, err)
	}
	c.pair, c.leaf, c.stamps, c.looked = &pair, leaf, stamps, c.now()
	return nil
}

func (c *Certificate) stat() (stamps [2]os.FileInfo, err error) {
	for i, name := range []string{c.chain, c.key} {
		if stamps[i], err = os.Stat(name); err != nil {
			return stamps, fmt.Errorf("read certificate: %w", err)
		}
	}
	return stamps, nil
}

func (c *Certificate) warn() {
	end, now := c.leaf.NotAfter, c.now()
	switch {
	case now.After(end):
		c.logger.Error("the certificate has expired: clients refuse it", "file", c.chain, "expired", end.UTC())
	case now.Before(c.leaf.NotBefore):
		c.logger.Error("the certificate is not valid yet: clients refuse it", "file", c.chain, "from", c.leaf.NotBefore.UTC())
	case end.Sub(now) < soon:
		c.logger.Warn("the certificate expires soon", "file", c.chain, "expires", end.UTC())
	}
}

// Config returns a TLS configuration that serves the certificate as its files are at each
// handshake.
func (c *Certificate) Config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current(), nil },
	}
}

// NotAfter returns when the certificate that is served expires.
func (c *Certificate) NotAfter() time.Time {
	c.current()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leaf.NotAfter
}

// current returns the certificate, read again if the files have changed. If they cannot be
// read, for example because only one of the two has been replaced so far, the earlier
// certificate stays.
func (c *Certificate) current() *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); now.Sub(c.looked) < lookEvery && !now.Before(c.looked) {
		return c.pair
	}
	c.looked = c.now()
	stamps, err := c.stat()
	if err == nil && same(stamps[0], c.stamps[0]) && same(stamps[1], c.stamps[1]) {
		return c.pair
	}
	if err == nil {
		err = c.read()
	}
	if err != nil {
		c.logger.Error("the certificate's files have changed and cannot be read: the earlier one is served", "error", err)
		return c.pair
	}
	c.logger.Info("the certificate was read again", "file", c.chain, "expires", c.leaf.NotAfter.UTC())
	c.warn()
	return c.pair
}

func same(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
