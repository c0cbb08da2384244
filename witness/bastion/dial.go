package bastion

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	dialTime  = 10 * time.Second
	firstTime = 10 * time.Second // for the bastion's first bytes
)

// preface is what a client of HTTP/2 begins with (RFC 9113, section 3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// dial connects and waits for the bastion's first bytes. Only they show that it accepts our
// key: in TLS 1.3 a server checks the client's certificate after the client's handshake is
// done.
func (b *Backend) dial(ctx context.Context) (*conn, error) {
	host, _, err := net.SplitHostPort(b.Addr)
	if err != nil {
		return nil, err
	}
	cert, err := b.certificate()
	if err != nil {
		return nil, err
	}
	dialing, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	// SPEC: A backend connects to the bastion's backend endpoint with TLS 1.3,
	// specifying the ALPN protocol `bastion/0`. [...] The backend MUST present as its
	// client certificate an Ed25519 certificate containing the backend public key.
	// [...] The backend verifies the bastion's TLS certificate chain as usual.
	nc, err := (&tls.Dialer{Config: &tls.Config{
		ServerName:   host,
		Certificates: []tls.Certificate{cert},
		MinVersion:   tls.VersionTLS13,
		MaxVersion:   tls.VersionTLS13,
		NextProtos:   []string{"bastion/0"},
		RootCAs:      b.Roots,
		Time:         b.Now,
	}}).DialContext(dialing, "tcp", b.Addr)
	if err != nil {
		return nil, explainDial(b.Addr, host, err)
	}
	c := &conn{Conn: nc, closed: make(chan struct{})}
	if got := nc.(*tls.Conn).ConnectionState().NegotiatedProtocol; got != "bastion/0" {
		c.Close()
		return nil, noBastion(b.Addr)
	}
	// If ctx ends, do not wait for the bastion's first bytes.
	stop := context.AfterFunc(ctx, func() { nc.Close() })
	defer stop()
	nc.SetReadDeadline(time.Now().Add(firstTime))
	c.first = make([]byte, len(preface))
	n, err := io.ReadFull(nc, c.first)
	switch {
	case !strings.HasPrefix(preface, string(c.first[:n])):
		err = fmt.Errorf("%s accepts the protocol bastion/0 but does not begin to ask by HTTP/2: "+
			"it is not a bastion as c2sp.org/https-bastion describes it", b.Addr)
	case err != nil:
		err = b.explainFirst(err)
	default:
		nc.SetReadDeadline(time.Time{})
		return c, nil
	}
	c.Close()
	return nil, err
}

func noBastion(addr string) error {
	return fmt.Errorf("%s speaks TLS but is not a bastion: it does not accept the protocol bastion/0. "+
		"Is the port the one for servers behind the bastion?", addr)
}

func explainDial(addr, host string, err error) error {
	var chain *tls.CertificateVerificationError
	var header tls.RecordHeaderError
	switch {
	case errors.As(err, &chain):
		return fmt.Errorf("the certificate of %s cannot be trusted for the name %s: "+
			"give -bastion the name that the bastion's operator gave you: %w", addr, host, err)
	case errors.As(err, &header):
		return fmt.Errorf("%s does not speak TLS: is the port the one for servers behind the bastion? %w", addr, err)
	case remote(err) && strings.Contains(err.Error(), "no application protocol"):
		return noBastion(addr)
	case strings.Contains(err.Error(), "protocol version"):
		return fmt.Errorf("%s does not speak TLS 1.3, which a bastion must: %w", addr, err)
	}
	return fmt.Errorf("connect to %s: %w", addr, err)
}

func (b *Backend) explainFirst(err error) error {
	ask := "ask its operator to allow the key hash " + b.Hash()
	switch {
	case remote(err):
		return fmt.Errorf("%s refuses this key: %s: %w", b.Addr, ask, err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%s accepted the connection and sent nothing for %v", b.Addr, firstTime)
	}
	return fmt.Errorf("%s accepted the connection and ended it. If this goes on, %s: %w", b.Addr, ask, err)
}

// remote reports whether err is an alert that the other end sent.
func remote(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error"
}

// certificate makes a client certificate.
//
// SPEC: The backend certificate MAY be self-signed.
func (b *Backend) certificate() (tls.Certificate, error) {
	now := b.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "bastion backend"},
		NotBefore:    now.Add(-24 * time.Hour),
		NotAfter:     now.Add(30 * 24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, b.Key.Public().(ed25519.PublicKey), b.Key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make the certificate for the bastion: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: b.Key}, nil
}

// A conn returns the first bytes, which dial read, and says when it is closed.
type conn struct {
	net.Conn
	first  []byte
	once   sync.Once
	closed chan struct{}
}

func (c *conn) Read(p []byte) (int, error) {
	if len(c.first) > 0 {
		n := copy(p, c.first)
		c.first = c.first[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

func (c *conn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// A listener passes connections that were made to an http.Server.
type listener struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *listener) Addr() net.Addr { return &net.TCPAddr{} }
