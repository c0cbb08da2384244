package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestSecondOpinionBastion has torchwood's litebastion, which deploy/test.sh builds,
// stand between a log and a witness of either kind of key.
func TestSecondOpinionBastion(t *testing.T) {
	program := os.Getenv("TRIALPROOF_TEST_LITEBASTION")
	if program == "" {
		trialtest.Skip(t, "TRIALPROOF_TEST_LITEBASTION names no program: deploy/test.sh builds it")
	}
	for _, alg := range []string{"-mldsa=false", "-mldsa"} {
		t.Run(alg, func(t *testing.T) { throughBastion(t, program, alg) })
	}
}

func throughBastion(t *testing.T, program, alg string) {
	cert, certKey, pool := certificate(t)
	l := newLog()
	key, vkey := keygenFile(t, alg)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	free.Close()

	// The witness is a process, so that it can be told whom to trust.
	cmd := exec.Command(os.Args[0], "serve", "-key", key, "-dir", t.TempDir(), "-listen", "127.0.0.1:0", "-bastion", addr, "-log", l.vkey)
	cmd.Env = append(os.Environ(), "TRIALWITNESS_MAIN=1", "GORACE=atexit_sleep_ms=0", "SSL_CERT_FILE="+cert)
	pipe, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	stderr := bufio.NewReader(pipe)
	var passed []string // lines that were read before they were awaited: the witness's parts run side by side
	// await returns the first line with want that it has not returned yet, and reads on until there is one.
	await := func(want string) string {
		t.Helper()
		for i := 0; ; i++ {
			if i == len(passed) {
				line, err := stderr.ReadString('\n')
				if err != nil {
					t.Fatalf("the witness ended before it said %q, after\n%s", want, strings.Join(passed, ""))
				}
				passed = append(passed, line)
			}
			if line := passed[i]; strings.Contains(line, want) {
				passed = slices.Delete(passed, i, i+1)
				return line
			}
		}
	}
	hash := regexp.MustCompile(`https://` + regexp.QuoteMeta(addr) +
		`/([0-9a-f]{64})/$`).FindStringSubmatch(strings.TrimSpace(await("behind a bastion as ")))
	if hash == nil {
		t.Fatal("the witness does not say where it is reached")
	}
	local := strings.TrimSpace(await("listening on"))
	local = local[strings.Index(local, "http://"):]
	await(`"msg":"cannot connect to the bastion"`) // it is not up yet

	backends := filepath.Join(t.TempDir(), "backends")
	if err := os.WriteFile(backends, []byte(hash[1]+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	// litebastion starts the bastion, and returns what ends it. Nothing waits for a bastion
	// that has ended by itself.
	litebastion := func() (end func()) {
		t.Helper()
		var said bytes.Buffer
		b := exec.Command(program, "-listen", addr, "-tls-cert", cert, "-tls-key", certKey, "-backends", backends)
		b.Stdout, b.Stderr = &said, &said
		if err := b.Start(); err != nil {
			t.Fatal(err)
		}
		var asked atomic.Bool
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			if err := b.Wait(); !asked.Load() {
				t.Errorf("litebastion ended by itself: %v\n%s", err, &said)
				cmd.Process.Kill()
			}
		}()
		end = func() {
			asked.Store(true)
			b.Process.Kill()
			<-ended
		}
		t.Cleanup(end)
		return end
	}
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}}
	// add asks for a cosignature until the bastion knows the witness.
	add := func(body string) (int, string) {
		t.Helper()
		for deadline := time.Now().Add(2 * time.Minute); ; {
			resp, err := c.Post("https://"+addr+"/"+hash[1]+"/add-checkpoint", "", strings.NewReader(body))
			if err == nil {
				answer, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err == nil && resp.StatusCode != http.StatusBadGateway {
					return resp.StatusCode, string(answer)
				}
			}
			if time.Now().After(deadline) {
				t.Fatalf("the bastion does not know the witness: %v %v", resp, err)
			}
		}
	}
	says := func(path, want string) {
		t.Helper()
		if status, body := get(t, http.DefaultClient, "GET", local+path, ""); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s\nwant %q", path, status, body, want)
		}
	}

	end := litebastion()
	await(`"msg":"connected to the bastion"`)
	cp := l.checkpoint(1, "one")
	status, cosig := add("old 0\n\n" + cp)
	if status != 200 {
		t.Fatalf("through the bastion: %d %s", status, cosig)
	}
	verifier, err := fnote.NewVerifierForCosignatureV1(vkey)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open([]byte(cp+cosig), note.VerifierList(verifier)); err != nil {
		t.Error(err)
	}
	says("/", "The bastion has been connected since")
	says("/metrics", "\ntrialwitness_bastion_connected 1\n")

	end()
	await(`"msg":"cut off from the bastion`)
	says("/", "The bastion has been cut off since")
	says("/metrics", "\ntrialwitness_bastion_connected 0\n")

	litebastion()
	await(`"msg":"connected to the bastion"`)
	if status, body := add("old 0\n\n" + cp); status != 409 || body != "1\n" {
		t.Errorf("after the bastion was started again: %d %s", status, body)
	}
	says("/metrics", "\ntrialwitness_bastion_connections_total 2\n")

	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(stderr)
	if err := cmd.Wait(); err != nil {
		t.Errorf("interrupted: %v\n%s", err, rest)
	}
	for line := range bytes.Lines(rest) {
		if !json.Valid(line) {
			t.Errorf("logged %s", line)
		}
	}
}

// What cannot be is refused before anything is opened.
func TestBastionFlags(t *testing.T) {
	for want, args := range map[string][]string{
		"is not the HOST:PORT of a bastion":      {"-bastion", "https://bastion.example"},
		"-tls-cert needs something that listens": {"-bastion", "bastion.example:443", "-tls-cert", "c", "-tls-key", "k"},
	} {
		var stderr bytes.Buffer
		status := program.Run(context.Background(), append([]string{"serve", "-key", "k", "-dir", "d", "-log", newLog().vkey}, args...),
			nil, io.Discard, &stderr)
		if status != frame.Misused || !strings.Contains(stderr.String(), want) {
			t.Errorf("%v: %d %s", args, status, &stderr)
		}
	}
}

// With -bastion alone nothing listens.
func TestBastionAlone(t *testing.T) {
	key, _ := keygenFile(t)
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	status := make(chan int, 1)
	go func() {
		status <- program.Run(ctx, []string{"serve", "-key", key, "-dir", t.TempDir(), "-bastion", "127.0.0.1:1", "-log", newLog().vkey},
			nil, io.Discard, w)
		w.Close()
	}()
	stderr := bufio.NewReader(r)
	if line, err := stderr.ReadString('\n'); err != nil || !strings.HasPrefix(line,
		"trialwitness: witness.example/w1 behind a bastion as https://127.0.0.1:1/") {
		t.Fatalf("serve printed %q %v", line, err)
	}
	for {
		line, err := stderr.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(line, "cannot connect to the bastion") {
			break
		}
	}
	cancel()
	rest, _ := io.ReadAll(stderr)
	if got := <-status; got != 0 || strings.Contains(string(rest), "listening on") {
		t.Errorf("status %d, and then %s", got, rest)
	}
}
