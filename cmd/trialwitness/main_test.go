package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/trialproof/trialproof/witness"
)

// TestMain makes this binary trialwitness, for scripts and for signals.
func TestMain(m *testing.M) {
	if os.Getenv("TRIALWITNESS_MAIN") != "" {
		main()
	}
	testscript.Main(m, map[string]func(){"trialwitness": main, "fakelog": fakelog, "vkeyed": vkeyed, "status": status})
}

// The scripts in testdata are the command lines that need no server.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", Setup: func(env *testscript.Env) error {
		env.Setenv("GORACE", "atexit_sleep_ms=0") // else each command takes a second under -race
		return nil
	}})
}

// A log of one leaf, or of another, or of both.
type log struct {
	vkey   string
	signer note.Signer
}

func newLog() log {
	skey, vkey, err := note.GenerateKey(rand.Reader, "log.example/a")
	if err != nil {
		panic(err)
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		panic(err)
	}
	return log{vkey, s}
}

func (l log) checkpoint(size int, leaf string) string {
	n, err := note.Sign(&note.Note{Text: fmt.Sprintf("log.example/a\n%d\n%s\n", size, tlog.RecordHash([]byte(leaf)))}, l.signer)
	if err != nil {
		panic(err)
	}
	return string(n)
}

// fakelog writes log.vkey, and w with a witness's folder in which that log has
// forked.
func fakelog() {
	l := newLog()
	key, err := witness.NewKey("witness.example/w1", witness.Ed25519)
	if err != nil {
		panic(err)
	}
	w, err := witness.Open(witness.Config{Dir: "w", Key: key, Logs: []witness.Log{{VKey: l.vkey}}})
	if err != nil {
		panic(err)
	}
	w.AddCheckpoint([]byte("old 0\n\n" + l.checkpoint(1, "one")))
	if len(os.Args) > 1 {
		w.AddCheckpoint([]byte("old 1\n\n" + l.checkpoint(1, "other")))
	}
	if err := os.WriteFile("log.vkey", []byte(l.vkey), 0o644); err != nil {
		panic(err)
	}
}

// vkeyed runs a command with -log and the contents of log.vkey, as a shell would.
func vkeyed() {
	vkey, err := os.ReadFile("log.vkey")
	if err != nil {
		panic(err)
	}
	args := append([]string{os.Args[1], "-log", string(vkey)}, os.Args[2:]...)
	os.Exit(program.Run(context.Background(), args, os.Stdin, os.Stdout, os.Stderr))
}

// status runs a command and fails unless it ends with the status given first.
func status() {
	got := program.Run(context.Background(), os.Args[2:], os.Stdin, os.Stdout, os.Stderr)
	if fmt.Sprint(got) != os.Args[1] {
		fmt.Fprintln(os.Stderr, "status", got)
		os.Exit(1)
	}
}

// A server is a running `trialwitness serve`.
type server struct {
	url    string
	stderr *bufio.Reader
	stop   func() int // ends it and returns the status
}

// start runs serve in this process.
func start(t *testing.T, args ...string) *server {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	status := make(chan int, 1)
	go func() {
		status <- program.Run(ctx, append([]string{"serve"}, args...), nil, io.Discard, w)
		w.Close()
	}()
	s := &server{stderr: bufio.NewReader(r)}
	s.url = listening(t, s.stderr)
	go io.Copy(io.Discard, s.stderr)
	ended := false
	s.stop = func() int {
		cancel()
		if ended {
			return 0
		}
		ended = true
		return <-status
	}
	t.Cleanup(func() { s.stop() })
	return s
}

// listening reads the line that serve prints, and returns the URL in it.
func listening(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	line, err := r.ReadString('\n')
	if err != nil {
		t.Fatalf("serve ended: %s %v", line, err)
	}
	url, ok := strings.CutPrefix(line, "trialwitness: witness.example/w1 listening on ")
	if !ok {
		t.Fatalf("serve printed %q", line)
	}
	return strings.TrimSuffix(url, "\n")
}

func keygenFile(t *testing.T, args ...string) (path, vkey string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "w1.key")
	var out bytes.Buffer
	args = append([]string{"keygen", "-name", "witness.example/w1", "-key", path}, args...)
	if status := program.Run(context.Background(), args, nil, &out, os.Stderr); status != 0 {
		t.Fatalf("keygen: status %d", status)
	}
	return path, strings.TrimSuffix(out.String(), "\n")
}

func get(t *testing.T, c *http.Client, method, url, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// From a new key to a cosignature that verifies, over two runs of the server.
func TestServe(t *testing.T) {
	l := newLog()
	for _, mldsa := range []string{"-mldsa=false", "-mldsa"} {
		t.Run(mldsa, func(t *testing.T) {
			key, vkey := keygenFile(t, mldsa)
			args := []string{"-key", key, "-dir", filepath.Join(t.TempDir(), "w1"), "-listen", "127.0.0.1:0", "-log", l.vkey +
				"=https://log.example/a"}
			cp := l.checkpoint(1, "one")
			hash := sha256.Sum256([]byte("log.example/a"))
			monitor := "/" + hex.EncodeToString(hash[:]) + "/checkpoint"

			s := start(t, args...)
			if status, body := get(t, http.DefaultClient, "GET", s.url+monitor, ""); status != 404 {
				t.Errorf("checkpoint before any: %d %s", status, body)
			}
			status, cosig := get(t, http.DefaultClient, "POST", s.url+"/add-checkpoint", "old 0\n\n"+cp)
			if status != 200 {
				t.Fatalf("add-checkpoint: %d %s", status, cosig)
			}
			v, err := fnote.NewVerifierForCosignatureV1(vkey)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := note.Open([]byte(cp+cosig), note.VerifierList(v)); err != nil {
				t.Error(err)
			}
			for _, path := range []string{"/healthz", "/metrics"} {
				if status, body := get(t, http.DefaultClient, "GET", s.url+path, ""); status != 200 || body == "" {
					t.Errorf("%s: %d %s", path, status, body)
				}
			}
			if status := s.stop(); status != 0 {
				t.Errorf("stopped with status %d", status)
			}

			s = start(t, args...)
			if status, body := get(t, http.DefaultClient, "GET", s.url+monitor, ""); status != 200 || body != cp+cosig {
				t.Errorf("after a restart: %d %s", status, body)
			}
			if status, body := get(t, http.DefaultClient, "POST", s.url+"/add-checkpoint", "old 0\n\n"+cp); status != 409 || body != "1\n" {
				t.Errorf("after a restart: %d %s", status, body)
			}
			// One witness at a time, and no other key on its folder.
			var stderr bytes.Buffer
			if status := program.Run(context.Background(), append([]string{"serve"}, args...), nil, io.Discard, &stderr); status != 1 ||
				!strings.Contains(stderr.String(), "held by another witness") {
				t.Errorf("second witness: %d %s", status, stderr.String())
			}
			s.stop()
			stderr.Reset()
			args[3] = t.TempDir()
			if status := program.Run(context.Background(), append([]string{"serve"}, args...), nil, io.Discard, &stderr); status != 1 ||
				!strings.Contains(stderr.String(), "could sign a rollback") {
				t.Errorf("empty folder: %d %s", status, stderr.String())
			}
		})
	}
}

// As a process: SIGTERM and SIGINT end it with status 0, after the request that
// is under way, and its log is JSON but for the line that says where it listens.
func TestSignals(t *testing.T) {
	l := newLog()
	for _, sig := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		key, _ := keygenFile(t)
		cmd := exec.Command(os.Args[0], "serve", "-key", key, "-dir", t.TempDir(), "-listen", "127.0.0.1:0", "-log", l.vkey)
		cmd.Env = append(os.Environ(), "TRIALWITNESS_MAIN=1", "GORACE=atexit_sleep_ms=0")
		pipe, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer cmd.Process.Kill()
		stderr := bufio.NewReader(pipe)
		url := listening(t, stderr)

		// The request's head is sent, and read, as Expect makes the server say;
		// then the signal comes, and then the body.
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		body := "old 0\n\n" + l.checkpoint(1, "one")
		fmt.Fprintf(conn, "POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", len(body))
		answers := bufio.NewReader(conn)
		if line, err := answers.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
			t.Fatalf("%s %v", line, err)
		}
		answers.ReadString('\n')
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		// Shutdown has begun when nobody listens any more.
		for deadline := time.Now().Add(5 * time.Minute); ; {
			c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
			if err != nil {
				break
			}
			c.Close()
			if time.Now().After(deadline) {
				t.Fatal("still listening")
			}
		}
		io.WriteString(conn, body)
		resp, err := http.ReadResponse(answers, nil)
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("%v: request under way: %v %v", sig, resp, err)
		}
		resp.Body.Close()
		rest, err := io.ReadAll(stderr)
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %v\n%s", sig, err, rest)
		}
		for line := range bytes.Lines(rest) {
			if !json.Valid(line) {
				t.Errorf("logged %s", line)
			}
		}
		if !strings.Contains(string(rest), `"vkey":"witness.example/w1+`) {
			t.Errorf("logged %s", rest)
		}
	}
}

// certificate makes a server's certificate and key, as files, and who trusts it.
func certificate(t *testing.T) (cert, certKey string, pool *x509.CertPool) {
	t.Helper()
	priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(90 * 24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, priv.Public(), priv)
	if err != nil {
		t.Fatal(err)
	}
	privDER, err := x509.MarshalPKCS8PrivateKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, certKey = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, certKey: {Type: "PRIVATE KEY",
		Bytes: privDER}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(parsed)
	return cert, certKey, pool
}

func TestTLS(t *testing.T) {
	cert, certKey, pool := certificate(t)
	l := newLog()
	key, _ := keygenFile(t)
	s := start(t, "-key", key, "-dir", t.TempDir(), "-listen", "127.0.0.1:0", "-log", l.vkey, "-tls-cert", cert, "-tls-key", certKey)
	if !strings.HasPrefix(s.url, "https://127.0.0.1:") {
		t.Fatalf("listening on %s", s.url)
	}
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	defer c.CloseIdleConnections()
	if status, body := get(t, c, "POST", s.url+"/add-checkpoint", "old 0\n\n"+l.checkpoint(1, "one")); status != 200 {
		t.Errorf("%d %s", status, body)
	}
}

func TestParseLog(t *testing.T) {
	for _, vkey := range []string{
		"log.example/a+cb54b990+AbcD/+f=", "log.example/a+cb54b990+AbcD==", "log.example/a+cb54b990+Abc+D/",
		"=https://odd+cb54b990+Ab=",
	} {
		for _, url := range []string{"", "https://log.example/a", "http://127.0.0.1:8080", "https://log.example/=http://x",
			"https://log.example/a+b"} {
			in := vkey
			if url != "" {
				in += "=" + url
			}
			got, err := parseLog(in)
			if want := (witness.Log{VKey: vkey, URL: url}); err != nil || got != want {
				t.Errorf("%s: %+v %v, want %+v", in, got, err, want)
			}
		}
	}
	for _, in := range []string{"", "x", "a+b", "https://log.example", "a+cb54b990+AA==https://", "a+cb54b990+AA==http://x?y",
		"a+cb54b990+AA==http://x#y", "a+cb54b990+AA==http://[x"} {
		if got, err := parseLog(in); err == nil {
			t.Errorf("%q parsed: %+v", in, got)
		}
	}
}
