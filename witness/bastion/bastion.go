// Package bastion makes a server reachable to which nobody can connect, for example behind a
// university's firewall. The server itself connects to a bastion, a public reverse proxy, which
// passes on what clients ask for (c2sp.org/https-bastion). A Backend is the server's side. It
// knows neither logs nor witnesses.
//
// The bastion can hold back, read and alter what it passes on. For a witness that is
// acceptable: what it is asked for is public and signed by the log, and it signs its answers
// itself.
package bastion

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

const (
	firstDelay = time.Second // before the second attempt; each further one waits twice as long
	lastDelay  = time.Minute // the longest wait
	steady     = time.Minute // after a connection that lasted so long, the waits begin anew
	endTime    = 10 * time.Second
)

// A Backend is one server behind one bastion. Set its fields before Run.
type Backend struct {
	Addr   string             // HOST:PORT of the bastion
	Key    ed25519.PrivateKey // the bastion knows this server by it
	Server *http.Server       // its handler and timeouts say how requests are served; used only by this Backend
	Logger *slog.Logger

	Roots *x509.CertPool                             // the system's if nil
	Now   func() time.Time                           // time.Now if nil
	Wait  func(ctx context.Context, d time.Duration) // returns after d, or when ctx ends; uses the wall clock if nil

	mu    sync.Mutex // guards state
	state State
}

// A State says whether a bastion passes requests on to this server.
type State struct {
	Connected   bool
	Since       time.Time // when the connection was made or lost; zero if there never was one
	Why         string    // why there is none
	Connections int       // made so far
}

// State returns the present state.
func (b *Backend) State() State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state
}

// SPEC: "key hash" MUST be a lowercase hex-encoded SHA-256 hash of a 32-byte
// Ed25519 public key.

// Hash returns the key hash that the bastion's operator must allow.
func (b *Backend) Hash() string {
	sum := sha256.Sum256(b.Key.Public().(ed25519.PublicKey))
	return hex.EncodeToString(sum[:])
}

// URL returns the URL at which clients reach the server, if the bastion serves clients and
// servers at one address.
//
// SPEC: The bastion accepts HTTP requests at https://<bastion host>/<key hash>/<path>
func (b *Backend) URL() string {
	host := b.Addr
	if h, port, err := net.SplitHostPort(b.Addr); err == nil && port == "443" {
		host = h
		if net.ParseIP(h) != nil && net.ParseIP(h).To4() == nil {
			host = "[" + h + "]"
		}
	}
	return "https://" + host + "/" + b.Hash() + "/"
}

// Run keeps a connection to the bastion until ctx ends, and then lets running requests end. It
// connects again whenever the connection is lost.
func (b *Backend) Run(ctx context.Context) error {
	if b.Now == nil {
		b.Now = time.Now
	}
	if b.Wait == nil {
		b.Wait = wait
	}
	b.prepare()
	l := &listener{conns: make(chan net.Conn), done: make(chan struct{})}
	served := make(chan error, 1)
	go func() { served <- b.Server.Serve(l) }()
	delay := firstDelay
	for ctx.Err() == nil {
		start := b.Now()
		if err := b.connect(ctx, l); err != nil && ctx.Err() == nil {
			b.lost(err)
		}
		if b.Now().Sub(start) >= steady {
			delay = firstDelay
		}
		if ctx.Err() == nil {
			b.Wait(ctx, delay)
		}
		delay = min(2*delay, lastDelay)
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer cancel()
	err := b.Server.Shutdown(stop)
	if err != nil {
		err = errors.Join(err, b.Server.Close())
	}
	if served := <-served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// prepare makes the server serve HTTP/2 on connections whose TLS handshake is done already.
//
// SPEC: After opening the connection, the backend starts serving HTTP/2 traffic on it as if it
// was a client-initiated connection.
func (b *Backend) prepare() {
	b.Server.Protocols = new(http.Protocols)
	b.Server.Protocols.SetUnencryptedHTTP2(true)
	b.Server.IdleTimeout = -1 // there may be no request for days
	// A firewall that drops a connection tells neither end.
	b.Server.HTTP2 = &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second}
}

// connect makes one connection. It returns the reason when the connection has ended.
func (b *Backend) connect(ctx context.Context, l *listener) error {
	c, err := b.dial(ctx)
	if err != nil {
		return err
	}
	b.connected()
	select {
	case l.conns <- c:
	case <-ctx.Done():
		return c.Close()
	}
	select {
	case <-c.closed:
		return errors.New("the bastion ended the connection, or the network did")
	case <-ctx.Done(): // Run ends it
		return nil
	}
}

func (b *Backend) connected() {
	b.mu.Lock()
	b.state = State{Connected: true, Since: b.Now(), Connections: b.state.Connections + 1}
	b.mu.Unlock()
	b.Logger.Info("connected to the bastion", "bastion", b.Addr, "url", b.URL())
}

// lost records that there is no connection. It does not log the same reason again.
func (b *Backend) lost(why error) {
	b.mu.Lock()
	was := b.state
	b.state.Connected, b.state.Why = false, why.Error()
	if was.Connected {
		b.state.Since = b.Now()
	}
	b.mu.Unlock()
	switch {
	case was.Connected:
		b.Logger.Warn("cut off from the bastion: logs that use it do not reach this witness until it is back",
			"bastion", b.Addr, "why", why)
	case was.Why != why.Error():
		b.Logger.Warn("cannot connect to the bastion", "bastion", b.Addr, "why", why)
	default:
		b.Logger.Debug("cannot connect to the bastion", "bastion", b.Addr, "why", why)
	}
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// CheckAddr returns an error if s cannot be a Backend's Addr.
func CheckAddr(s string) error {
	host, port, err := net.SplitHostPort(s)
	n, bad := strconv.ParseUint(port, 10, 16)
	if err != nil || bad != nil || n == 0 || host == "" {
		return fmt.Errorf("%q is not the HOST:PORT of a bastion: want for example bastion.example:443", s)
	}
	return nil
}
