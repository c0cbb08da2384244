package sqlite

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// lockEnv makes the test binary lock a folder, say so and wait to be killed.
const lockEnv = "TRIALPROOF_TEST_LOCK"

func TestMain(m *testing.M) {
	if dir := os.Getenv(lockEnv); dir != "" {
		if _, err := LockDir(dir); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("locked")
		select {}
	}
	os.Exit(m.Run())
}

func TestLockDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	l, err := LockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if fi, err := os.Stat(dir); err != nil || fi.Mode().Perm() != 0o700 {
		t.Errorf("mode is %v, want 0700 (%v)", fi.Mode(), err)
	}
	if _, err := LockDir(dir); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("in use by process %d", os.Getpid())) {
		t.Errorf("got %v, want a refusal that names the process", err)
	}
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), lockEnv+"="+dir)
	if out, err := child.Output(); err == nil || !strings.Contains(string(out), "in use") {
		t.Errorf("another process got %q, %v, want a refusal", out, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if l, err = LockDir(dir); err != nil {
		t.Fatalf("lock again: %v", err)
	}
	l.Close()
}

// TestLockDiesWithProcess kills the process that holds the lock.
func TestLockDiesWithProcess(t *testing.T) {
	dir := t.TempDir()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), lockEnv+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "locked\n" {
		t.Errorf("the other process said %q", line)
	}
	if _, err := LockDir(dir); err == nil || !strings.Contains(err.Error(), fmt.Sprint(child.Process.Pid)) {
		t.Errorf("got %v, want a refusal that names process %d", err, child.Process.Pid)
	}
	child.Process.Kill()
	child.Wait()
	l, err := LockDir(dir)
	if err != nil {
		t.Fatalf("the lock outlived its process: %v", err)
	}
	l.Close()
}
