//go:build unix

package main

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestLongHistory reads one trial's history of 3,000 entries, and where
// TRIALPROOF_TEST_LARGE is set of 100,000, while six others read it and take nothing,
// and says how much memory that took the log and the reader.
func TestLongHistory(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short")
	}
	entries, most := 3000, 400
	if os.Getenv("TRIALPROOF_TEST_LARGE") != "" {
		entries, most = 100_000, 700
	}
	w := &town{t: t, dir: t.TempDir()}
	env := append(os.Environ(), "PATH="+binDir)
	biglog := exec.Command("go", "run", "../../deploy/biglog", "-n", fmt.Sprint(entries), "-trials", "1", "-dir", filepath.Join(w.dir,
		"web"))
	if out, err := biglog.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.Mkdir(filepath.Join(w.dir, "log"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"log.key", "log.vkey", "policy"} {
		data, err := os.ReadFile(filepath.Join(w.dir, "web", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(w.dir, "log", name), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	w.ok("triallog", "restore", "-from", "file://"+filepath.Join(w.dir, "web"), "-dir", "log", "-unwitnessed")
	server, err := startProcess(w.dir, env, "triallog", "serve", "-dir", "log", "-listen", "127.0.0.1:0", "-unwitnessed")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.cmd.Process.Kill() })

	at, err := url.Parse(server.url)
	if err != nil {
		t.Fatal(err)
	}
	for range 6 { // each asks for all pages' worth of answers, and reads none
		conn, err := net.Dial("tcp", at.Host)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for range 20 {
			fmt.Fprintf(conn, "GET /v1/history?kind=identifier&id=sponsor:big-pharma/BIG-0 HTTP/1.1\r\nHost: log\r\n\r\nGET "+
				"/v1/history?kind=trial&id=%064d HTTP/1.1\r\nHost: log\r\n\r\n", 0)
		}
	}
	cmd := exec.Command(filepath.Join(binDir, "trial"), "history", "-log", server.url, "-policy", "log/policy", "sponsor:big-pharma/BIG-0")
	cmd.Dir = w.dir
	began := time.Now()
	out, err := cmd.Output()
	took := time.Since(began)
	if code := cmd.ProcessState.ExitCode(); code != exitPending { // complete as stated: there is no witness
		t.Fatalf("status %d: %v", code, err)
	}
	if n := strings.Count(string(out), "\n"); n < entries/2-10 {
		t.Fatalf("%d lines of a log of %d entries", n, entries)
	}
	reader := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss >> 10
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", server.cmd.Process.Pid))
	if err != nil {
		t.Logf("no figure of the log's memory: %v", err)
		return
	}
	peak, err := strconv.Atoi(regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindStringSubmatch(string(status))[1])
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d entries read and judged in %s; peak memory of the log %d MB, of the reader %d MB", entries,
		took.Round(10*time.Millisecond), peak>>10, reader)
	if peak>>10 > most {
		t.Errorf("the log took %d MB", peak>>10)
	}
}
