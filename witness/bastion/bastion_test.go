package bastion

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/torchwood/bastion"
)

// A public is torchwood's bastion on an address of its own.
type public struct {
	srv   *httptest.Server
	roots *x509.CertPool
	allow map[[32]byte]bool
}

// listen serves a bastion at addr, which may be the address of one that was stopped.
func listen(t *testing.T, addr string, allow ...*Backend) *public {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	p := &public{srv: httptest.NewUnstartedServer(nil), roots: x509.NewCertPool(), allow: make(map[[32]byte]bool)}
	for _, b := range allow {
		p.allow[sha256.Sum256(b.Key.Public().(ed25519.PublicKey))] = true
	}
	certificate := func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &p.srv.TLS.Certificates[0], nil }
	b, err := bastion.New(&bastion.Config{
		AllowedBackend: func(h [32]byte) bool { return p.allow[h] },
		GetCertificate: certificate,
		Log:            slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	p.srv.Listener.Close()
	p.srv.Listener = l
	p.srv.Config.Handler = b
	p.srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	if err := b.ConfigureServer(p.srv.Config); err != nil {
		t.Fatal(err)
	}
	p.srv.TLS = p.srv.Config.TLSConfig
	p.srv.StartTLS()
	p.roots.AddCert(p.srv.Certificate())
	t.Cleanup(p.stop)
	return p
}

func (p *public) addr() string { return p.srv.Listener.Addr().String() }

// stop ends all connections.
func (p *public) stop() {
	p.srv.CloseClientConnections()
	p.srv.Config.Close()
}

// A lines is a log that a test can wait for.
type lines struct {
	mu  sync.Mutex
	buf strings.Builder
	new chan struct{}
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.new <- struct{}{}:
	default:
	}
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// await returns when the log has n lines with text.
func (l *lines) await(t *testing.T, text string, n int) {
	t.Helper()
	for strings.Count(l.String(), text) < n {
		select {
		case <-l.new:
		case <-time.After(2 * time.Minute):
			t.Fatalf("the log has no %q (%d times):\n%s", text, n, l)
		}
	}
}

// backend makes a Backend that sends its waits to waits, and waits until they are read.
func backend(t *testing.T, waits chan time.Duration) (*Backend, *lines) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	log := &lines{new: make(chan struct{}, 1)}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %s", r.Proto, r.Method, r.URL.Path, body)
	})
	return &Backend{
		Key:    key,
		Server: &http.Server{Handler: handler},
		Logger: slog.New(slog.NewTextHandler(log, nil)),
		Wait: func(ctx context.Context, d time.Duration) {
			select {
			case waits <- d:
			case <-ctx.Done():
			}
		},
	}, log
}

// run runs the Backend for the length of the test; end ends it earlier.
func run(t *testing.T, b *Backend) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	end = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(end)
	return end
}

func ask(t *testing.T, p *public, url string) (int, string, error) {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: p.roots}, DisableKeepAlives: true}}
	resp, err := c.Post(url+"add-checkpoint", "", strings.NewReader("body"))
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

// TestReconnects: requests pass through torchwood's bastion and back, also after it was stopped
// and started again.
func TestReconnects(t *testing.T) {
	waits := make(chan time.Duration)
	b, log := backend(t, waits)
	p := listen(t, "127.0.0.1:0", b)
	b.Addr, b.Roots = p.addr(), p.roots
	end := run(t, b)
	log.await(t, "connected to the bastion", 1)
	check := func() {
		t.Helper()
		// The bastion looks us up only once our answer to its PING has come back.
		for deadline := time.Now().Add(2 * time.Minute); ; {
			status, body, err := ask(t, p, b.URL())
			if err == nil && status == 200 && body == "HTTP/2.0 POST /add-checkpoint body" {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("asked through the bastion: %d %q %v", status, body, err)
			}
		}
	}
	check()
	if s := b.State(); !s.Connected || s.Connections != 1 || s.Since.IsZero() {
		t.Errorf("%+v", s)
	}

	p.stop()
	log.await(t, "cut off from the bastion", 1)
	if s := b.State(); s.Connected || s.Why == "" {
		t.Errorf("%+v", s)
	}
	// Each wait is twice the one before, and nothing is logged while nothing changes.
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		if got := <-waits; got != want*time.Second {
			t.Errorf("waits %v, want %v", got, want*time.Second)
		}
	}
	if n := strings.Count(log.String(), "cannot connect to the bastion"); n != 1 {
		t.Errorf("said %d times that it cannot connect:\n%s", n, log)
	}

	p = listen(t, b.Addr, b)
	roots := b.Roots
	roots.AddCert(p.srv.Certificate())
	go func() {
		for range waits {
		}
	}()
	log.await(t, "connected to the bastion", 2)
	check()
	if s := b.State(); !s.Connected || s.Connections != 2 || s.Why != "" {
		t.Errorf("%+v", s)
	}
	end()
	if status, body, err := ask(t, p, b.URL()); err == nil && status == 200 {
		t.Errorf("asked after the end: %d %q", status, body)
	}
}

// TestDelaysBeginAnew: after a connection that lasted, the waits begin anew.
func TestDelaysBeginAnew(t *testing.T) {
	waits := make(chan time.Duration)
	b, log := backend(t, waits)
	var mu sync.Mutex
	now := time.Now()
	b.Now = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	p := listen(t, "127.0.0.1:0") // refuses the key
	b.Addr, b.Roots = p.addr(), p.roots
	run(t, b)
	for _, want := range []time.Duration{1, 2, 4} {
		if got := <-waits; got != want*time.Second {
			t.Fatalf("waits %v, want %v", got, want*time.Second)
		}
	}
	log.await(t, "refuses this key: ask its operator to allow the key hash "+b.Hash(), 1)
	p.stop()
	p = listen(t, b.Addr, b)
	b.Roots.AddCert(p.srv.Certificate())
	for connected := false; !connected; {
		select {
		case <-waits:
		case <-log.new:
			connected = strings.Contains(log.String(), "connected to the bastion")
		}
	}
	mu.Lock()
	now = now.Add(steady)
	mu.Unlock()
	p.stop()
	if got := <-waits; got != firstDelay {
		t.Errorf("waits %v after a connection that lasted, want %v", got, firstDelay)
	}
}

// TestWrongBastion: the error says what is wrong with a bastion, and what to do.
func TestWrongBastion(t *testing.T) {
	waits := make(chan time.Duration)
	b, _ := backend(t, waits)
	good := listen(t, "127.0.0.1:0") // which allows nobody
	// Others that accept connections.
	serve := func(c *tls.Config, answer string) string {
		cert := good.srv.TLS.Certificates[0]
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if c != nil {
			c.Certificates = []tls.Certificate{cert}
			l = tls.NewListener(l, c)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					defer conn.Close()
					if tc, ok := conn.(*tls.Conn); ok && tc.Handshake() != nil {
						return
					}
					io.WriteString(conn, answer)
				}()
			}
		}()
		return l.Addr().String()
	}
	_, port, _ := net.SplitHostPort(good.addr())
	for _, tc := range []struct {
		name, addr string
		untrusting bool
		want       string
	}{
		{"its name", "localhost:" + port, false, "cannot be trusted for the name localhost: give -bastion the name"},
		{"its authority", good.addr(), true, "cannot be trusted for the name 127.0.0.1"},
		{"our key", good.addr(), false, "refuses this key: ask its operator to allow the key hash " + b.Hash()},
		{"no TLS", serve(nil, "HTTP/1.1 400 Bad Request\r\n\r\n"), false, "does not speak TLS"},
		{"an old TLS", serve(&tls.Config{MaxVersion: tls.VersionTLS12, NextProtos: []string{"bastion/0"}}, ""), false,
			"does not speak TLS 1.3"},
		{"a web server", serve(&tls.Config{NextProtos: []string{"h2", "http/1.1"}}, ""), false, "does not accept the protocol bastion/0"},
		{"a server of no protocol", serve(&tls.Config{}, "hello"), false, "does not accept the protocol bastion/0"},
		{"no HTTP/2", serve(&tls.Config{NextProtos: []string{"bastion/0"}}, "GET / HTTP/1.1\r\nHost: w1\r\n\r\n"), false,
			"does not begin to ask by HTTP/2"},
		{"few words", serve(&tls.Config{NextProtos: []string{"bastion/0"}}, "GET /"), false, "does not begin to ask by HTTP/2"},
		{"no word", serve(&tls.Config{NextProtos: []string{"bastion/0"}}, ""), false, "accepted the connection and ended it"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b.Addr, b.Roots, b.Now = tc.addr, good.roots, time.Now
			if tc.untrusting {
				b.Roots = x509.NewCertPool()
			}
			c, err := b.dial(t.Context())
			if err == nil {
				c.Close()
				t.Fatal("connected")
			}
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v\nwant %q", err, tc.want)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b.Addr, b.Roots = good.addr(), good.roots
	if _, err := b.dial(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("told to end: %v", err)
	}
}

func TestAddr(t *testing.T) {
	for _, s := range []string{"", "bastion.example", ":443", "bastion.example:", "https://bastion.example", "bastion.example:0",
		"https://bastion.example:443"} {
		if CheckAddr(s) == nil {
			t.Errorf("%q is taken", s)
		}
	}
	b, _ := backend(t, nil)
	for addr, want := range map[string]string{"bastion.example:443": "bastion.example", "b.example:8443": "b.example:8443",
		"[::1]:443": "[::1]"} {
		b.Addr = addr
		if err := CheckAddr(addr); err != nil {
			t.Error(err)
		}
		if got := b.URL(); got != "https://"+want+"/"+b.Hash()+"/" {
			t.Errorf("%s: %s", addr, got)
		}
	}
}
