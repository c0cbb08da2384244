package check

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what has to come, because machines are slow.
const patience = 2 * time.Minute

// A stand is a log over TLS and its witness, as processes, in a folder.
type stand struct {
	t      *testing.T
	dir    string
	env    []string
	client *http.Client
	log    string            // URL of the log that runs
	units  map[string]string // by program: the systemd unit whose system calls it is limited to
}

// newStand makes an empty folder with a certificate for this machine.
func newStand(t *testing.T) *stand {
	t.Helper()
	s := &stand{t: t, dir: t.TempDir()}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	own := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, own, own, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	chain := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	s.write("cert.pem", string(chain))
	s.write("cert.key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	s.env = append(os.Environ(), "SSL_CERT_FILE="+filepath.Join(s.dir, "cert.pem"), "XDG_CONFIG_HOME="+s.dir)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(chain)
	s.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	return s
}

// path returns the whole name of a file beside the tests.
func (s *stand) path(name string) string {
	s.t.Helper()
	abs, err := filepath.Abs(name)
	if err != nil {
		s.t.Fatal(err)
	}
	return abs
}

func (s *stand) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stand) command(args ...string) *exec.Cmd {
	words := append([]string{filepath.Join(binDir, args[0])}, args[1:]...)
	if unit := s.units[args[0]]; unit != "" {
		words = append([]string{python, s.path("testdata/confined.py"), s.path("../systemd/" + unit)}, words...)
	}
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir, cmd.Env = s.dir, s.env
	return cmd
}

// run runs a command, wants its exit status, and returns the first line that it prints.
func (s *stand) run(status int, args ...string) string {
	s.t.Helper()
	cmd := s.command(args...)
	var said strings.Builder
	cmd.Stderr = &said
	out, _ := cmd.Output()
	if got := cmd.ProcessState.ExitCode(); got != status {
		s.t.Fatalf("%v: status %d, want %d: %s%s", args, got, status, out, said.String())
	}
	first, _, _ := strings.Cut(string(out), "\n")
	return first
}

var listening = regexp.MustCompile(`listening on (https://\S+)`)

// start starts a server, which ends with the test, and returns its URL.
func (s *stand) start(args ...string) string {
	s.t.Helper()
	cmd := s.command(args...)
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	urls, ended := make(chan string, 1), make(chan struct{})
	var said strings.Builder // read after ended
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			said.WriteString(lines.Text() + "\n")
			if m := listening.FindStringSubmatch(lines.Text()); m != nil {
				urls <- m[1]
			}
		}
		cmd.Wait()
	}()
	s.t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(patience):
			cmd.Process.Kill()
			s.t.Errorf("%v does not end", args)
		}
	})
	select {
	case url := <-urls:
		return url
	case <-ended:
		s.t.Fatalf("%v ended: %s", args, said.String())
	case <-time.After(patience):
		s.t.Fatalf("%v does not listen", args)
	}
	return ""
}

func (s *stand) get(url string) (status int, body string) {
	s.t.Helper()
	resp, err := s.client.Get(url)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

// running starts a log and its witness, and has them do what they have metrics of. It returns
// both URLs.
func (s *stand) running() (log, witness string) {
	s.t.Helper()
	s.run(0, "trial", "keygen", "-name", "Rita Registrar", "-org", "registrar", "-out", "registrar")
	s.run(0, "trial", "keygen", "-name", "Ada Lovelace", "-org", "acme", "-out", "ada")
	s.run(0, "trial", "keygen", "-name", "Eve Eager", "-org", "acme", "-out", "eve")
	vkey := s.run(0, "triallog", "init", "-dir", "log", "-origin", "log.example/trials", "-registrar", "registrar.pub")
	witnessKey := s.run(0, "trialwitness", "keygen", "-name", "w1.example", "-key", "w1.key")
	tls := []string{"-listen", "127.0.0.1:0", "-tls-cert", "cert.pem", "-tls-key", "cert.key"}
	witness = s.start(append([]string{"trialwitness", "serve", "-key", "w1.key", "-dir", "w1", "-log", vkey}, tls...)...)
	policy := fmt.Sprintf("log %s\nwitness w1 %s %s\nquorum w1\n", vkey, witnessKey, witness)
	s.write("policy", policy)
	s.write("log/policy", policy)
	log = s.start(append([]string{"triallog", "serve", "-dir", "log", "-quorum-wait", "45s"}, tls...)...)
	to := []string{"-log", log, "-policy", "policy", "-settle=0s"}
	sends := func(status int, args ...string) {
		s.t.Helper()
		list := append([]string{"trial", args[0]}, to[:4]...)
		if args[0] == "register" {
			list = append(list, to[4])
		}
		s.run(status, append(list, args[1:]...)...)
	}
	sends(0, "org", "-key", "registrar.key", "-id", "acme", "-name", "Acme", "ada.pub")
	sends(1, "register", "-key", "eve.key", "-number", "X-1") // not enrolled
	sends(0, "enrol", "-key", "ada.key", "-until", time.Now().UTC().AddDate(0, 1, 0).Format(time.DateOnly), "eve.pub")
	sends(0, "register", "-key", "ada.key", "-number", "X-1")
	s.log = log
	s.run(0, "triallog", "backup", "-dir", "log", "-to", "backup", "-from", log)
	return log, witness
}
