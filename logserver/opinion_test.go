package logserver_test

import (
	"crypto"
	"crypto/ed25519"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"filippo.io/torchwood"
	"golang.org/x/crypto/ssh"

	"github.com/trialproof/trialproof/api"
	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/logserver/sqlite"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// The tests here use programs that others wrote. deploy/test.sh builds them.

func program(t *testing.T, env string) string {
	t.Helper()
	name := os.Getenv(env)
	if name == "" {
		trialtest.Skip(t, env+" names no program: deploy/test.sh builds it")
	}
	return name
}

// TestSecondOpinionTiles: tessera's fsck reads the served tiles at sizes around 1, 256 and
// 65,536.
func TestSecondOpinionTiles(t *testing.T) {
	fsck := program(t, "TRIALPROOF_TEST_FSCK")
	f := newFixture(t)
	f.create()
	l, stop := f.open()
	defer stop()
	waitReady(t, l)
	server, err := api.New(api.Config{Log: l})
	if err != nil {
		t.Fatal(err)
	}
	var altered atomic.Bool // the log keeps tiles in memory: one is altered on its way out
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !altered.Load() || r.URL.Path != "/tile/0/007" {
			server.HTTP().ServeHTTP(w, r)
			return
		}
		rec := httptest.NewRecorder()
		server.HTTP().ServeHTTP(rec, r)
		data := rec.Body.Bytes()
		data[100] ^= 1
		w.Write(data)
	}))
	defer srv.Close()
	vkey := f.path("vkey")
	if err := os.WriteFile(vkey, []byte(f.vkey), 0o644); err != nil {
		t.Fatal(err)
	}
	checked := 0
	check := func() {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), fsck, "-N", "4", "--ui=false", "--public_key", vkey, "--storage_url", srv.URL+"/")
		out, err := cmd.CombinedOutput()
		// Its exit status says nothing.
		if err != nil || !strings.Contains(string(out), "Successfully fsck'd log") || strings.Contains(string(out), "failed") {
			t.Fatalf("fsck at size %d: %v\n%s", l.Size(), err, out)
		}
		checked++
	}
	if l.Size() == 0 {
		if _, err := l.Await(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
	}
	check()
	id := f.enrol(l)
	check()
	f.grow(l, id, 250)
	for l.Size() < 260 {
		f.grow(l, id, l.Size()+1)
		check()
	}
	f.grow(l, id, 65_531)
	for l.Size() < 65_540 {
		f.grow(l, id, l.Size()+1)
		check()
	}
	t.Logf("%d sizes up to %d", checked, l.Size())

	// It would have noticed: a byte of a tile altered.
	altered.Store(true)
	out, _ := exec.CommandContext(t.Context(), fsck, "-N", "4", "--ui=false", "--public_key", vkey, "--storage_url",
		srv.URL+"/").CombinedOutput()
	if strings.Contains(string(out), "Successfully fsck'd log") {
		t.Fatal("fsck accepts an altered tile: it is no judge")
	}
}

// grow submits documents until the published size is at least size.
func (f *fixture) grow(l *logserver.Log, id trial.Hash, size uint64) {
	f.t.Helper()
	for l.Size() < size {
		n := min(int(size-l.Size()), 256)
		if n > 2 {
			n -= n / 16 // state entries come on top
		}
		var wg sync.WaitGroup
		for range n {
			p, s, _ := f.document(id)
			wg.Go(func() {
				env, key := trialtest.Sign(f.t, "ada", p, s)
				if _, err := l.Submit(f.t.Context(), env, key); err != nil {
					f.t.Error(err)
				}
			})
		}
		wg.Wait()
		if f.t.Failed() {
			f.t.FailNow()
		}
	}
}

// TestSecondOpinionWitness: litewitness serves as one of three witnesses, all of which must
// agree, and torchwood's verifier judges the receipt.
func TestSecondOpinionWitness(t *testing.T) {
	lite := program(t, "TRIALPROOF_TEST_LITEWITNESS")
	f := newFixture(t)
	f.witnesses(2, 2)
	vkey, url := startLitewitness(t, lite, f)
	f.policy = strings.Replace(f.policy, "group g 2 w1 w2\n", "witness lite "+vkey+" "+url+"\ngroup g all w1 w2 lite\n", 1)
	f.create()
	l, stop := f.open()
	waitReady(t, l)
	id := f.enrol(l)
	for range 5 {
		p, s, _ := f.document(id)
		out := f.submit(l, "ada", p, s)
		v, err := receipt.Verify(f.parsePolicy(), out.Receipt)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(v.Checkpoint.Cosignatures); n != 3 {
			t.Fatalf("%d cosignatures, want 3", n)
		}
		policy, err := torchwood.ParsePolicy([]byte("log " + f.vkey + "\n" + f.policy))
		if err != nil {
			t.Fatal(err)
		}
		r, err := receipt.Parse(out.Receipt)
		if err != nil {
			t.Fatal(err)
		}
		leaf := (&trial.Entry{Raw: r.Entry}).LeafHash()
		if err := torchwood.VerifyProof(policy, [32]byte(leaf), out.Receipt); err != nil {
			t.Fatalf("torchwood refuses the receipt: %v", err)
		}
		leaf[0] ^= 1
		if torchwood.VerifyProof(policy, [32]byte(leaf), out.Receipt) == nil {
			t.Fatal("torchwood accepts the receipt for another entry: it is no judge")
		}
	}
	// After a restart the log learns from it again where it is.
	stop()
	l, stop = f.open()
	defer stop()
	waitReady(t, l)
	p, s, _ := f.document(id)
	f.submit(l, "ada", p, s)
}

// startLitewitness runs it with a key in an ssh-agent and our log in its
// database, and returns its verifier key and URL.
func startLitewitness(t *testing.T, program string, f *fixture) (vkey, url string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "lite") // sockets want short paths
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	key := trialtest.Key("litewitness").(ed25519.PrivateKey)
	v, err := torchwood.NewCosignatureVerifierFromKey("lite.example", key.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	sock := filepath.Join(dir, "agent")
	run(t, exec.Command("ssh-agent", "-a", sock, "-D"), func() bool {
		c, err := net.Dial("unix", sock)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	pemFile := filepath.Join(dir, "key.pem")
	block, err := ssh.MarshalPrivateKey(crypto.PrivateKey(key), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(pemFile, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	add := exec.Command("ssh-add", pemFile)
	add.Env = append(os.Environ(), "SSH_AUTH_SOCK="+sock)
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("ssh-add: %v %s", err, out)
	}
	db := filepath.Join(dir, "lite.db")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	pub, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"-ssh-agent", sock, "-name", "lite.example", "-key", ssh.FingerprintSHA256(pub), "-db", db, "-listen", addr}
	up := func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
		}
		return err == nil
	}
	first := run(t, exec.Command(program, args...), up) // makes its tables
	first.Process.Signal(os.Interrupt)
	first.Wait()
	addLog(t, db, f.vkey)
	run(t, exec.Command(program, args...), up)
	return v.String(), "http://" + addr
}

// addLog does what litewitness's own tool does to make a log known.
func addLog(t *testing.T, file, vkey string) {
	t.Helper()
	db, err := sqlite.OpenDB(file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, q := range []struct {
		query string
		args  []any
	}{
		{"INSERT INTO log (origin, tree_size, tree_hash) VALUES (?, 0, ?)", []any{trialtest.Origin,
			"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}},
		{"INSERT INTO key (origin, key) VALUES (?, ?)", []any{trialtest.Origin, vkey}},
	} {
		if _, err := db.Exec(q.query, q.args...); err != nil {
			t.Fatal(err)
		}
	}
}

// run starts a program for the length of the test and waits until it is up.
func run(t *testing.T, cmd *exec.Cmd, up func() bool) *exec.Cmd {
	t.Helper()
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	for deadline := time.Now().Add(2 * time.Minute); !up(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s is not up: %s", cmd.Path, &out)
		}
	}
	return cmd
}
