//go:build unix

package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// freePorts returns an address such that nothing listens there or on the ports after it.
func freePorts(t *testing.T, n int) string {
	t.Helper()
	for range 100 {
		address := freeAddress()
		_, text, _ := net.SplitHostPort(address)
		var first int
		if _, err := fmt.Sscan(text, &first); err != nil {
			t.Fatal(err)
		}
		free := true
		for i := 1; i < n; i++ {
			l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", first+i))
			if err != nil {
				free = false
				break
			}
			l.Close()
		}
		if free {
			return address
		}
	}
	t.Fatal("no ports are free")
	return ""
}

var suggested = regexp.MustCompile(`(?m)^  (.*)$`)

// TestQuickstart: what triallog quickstart suggests leads from an empty folder to a receipt
// that verifies, in twelve commands at most. The next time it goes on with the same log.
func TestQuickstart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stand := filepath.Join(dir, "my try")
	address := freePorts(t, 4)
	begin := func(args ...string) (*process, string) {
		t.Helper()
		p, err := startProcess(dir, os.Environ(), append([]string{"triallog", "quickstart", "-dir", "my try"}, args...)...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.kill(syscall.SIGKILL) })
		return p, p.url
	}
	shell := func(script string) string {
		t.Helper()
		cmd := exec.Command("bash", "-ec",
			"trial() { local c=$1; shift; case $c in submit) command trial $c -settle=0s \"$@\";; *) command trial $c \"$@\";; esac; "+
				"}\n"+script)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PATH="+binDir+string(filepath.ListSeparator)+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
		return string(out)
	}
	p, url := begin("-listen", address)
	if url != "http://"+address {
		t.Errorf("it listens on %s", url)
	}
	var commands []string
	for _, m := range suggested.FindAllStringSubmatch(p.said.String(), -1) {
		commands = append(commands, m[1])
	}
	if n := len(commands) + 1; n < 5 || n > 12 {
		t.Fatalf("%d commands lead to the first receipt that verifies, and 12 are enough:\n%s", n, p.said.String())
	}
	if out := shell(strings.Join(commands, "\n")); !strings.Contains(out, "valid: protocol.txt") || !strings.Contains(out, " saw it grow") {
		t.Errorf("the suggested commands do not end with a receipt that verifies:\n%s", out)
	}
	if err := p.kill(syscall.SIGINT); err != nil {
		t.Fatalf("it does not end well: %v\n%s", err, &p.said)
	}
	policy, err := os.ReadFile(filepath.Join(stand, "policy"))
	if err != nil {
		t.Fatal(err)
	}
	if p, url = begin(); url != "http://"+address {
		t.Errorf("the next time it listens on %s", url)
	}
	shell("echo more > more.txt; trial submit -policy 'my try/policy' -key ada.key -trial sponsor:example-pharma/EXP-2026-01 -kind " +
		"document more.txt")
	if again, err := os.ReadFile(filepath.Join(stand, "policy")); err != nil || string(again) != string(policy) {
		t.Errorf("the policy is now %s %v", again, err)
	}

	// What cannot be begun leaves nothing.
	for _, args := range [][]string{{"-dir", "other", "-listen", address}, {"-dir", ".", "-listen", freePorts(t, 4)},
		{"-dir", "other", "-listen", "0.0.0.0:9000"}, {"-dir", "my try", "-listen", address}} {
		cmd := exec.Command(filepath.Join(binDir, "triallog"), append([]string{"quickstart"}, args...)...)
		cmd.Dir = dir
		if out, _ := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 2 {
			t.Errorf("%v: status %d: %s", args, cmd.ProcessState.ExitCode(), out)
		}
	}
	if exists(filepath.Join(dir, "other")) {
		t.Error("a quickstart that failed left its folder")
	}
	if err := p.kill(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
}
