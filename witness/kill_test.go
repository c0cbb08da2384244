//go:build unix

package witness

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestMain makes this binary a witness that kills itself, when told to.
func TestMain(m *testing.M) {
	if os.Getenv("WITNESS_KILL_AT") != "" {
		child()
		return
	}
	os.Exit(m.Run())
}

// child sends one request to the witness in WITNESS_DIR, and dies by SIGKILL at the nth step
// that touches the disk. It prints what a client would receive.
func child() {
	env := func(name string) string { return os.Getenv("WITNESS_" + name) }
	die := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	killAt, err := strconv.Atoi(env("KILL_AT"))
	die(err)
	calls := 0
	key, err := ReadKey(filepath.Join(env("DIR"), "key"))
	die(err)
	w, err := Open(Config{
		Dir: filepath.Join(env("DIR"), "w"), Key: key, Logs: []Log{{VKey: env("LOG")}}, Now: newClock().now,
		faults: func(step string, done bool) error {
			if calls++; calls == killAt {
				fmt.Fprintf(os.Stderr, "%s done:%v", step, done)
				syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
			return nil
		},
	})
	die(err)
	body, err := os.ReadFile(filepath.Join(env("DIR"), "request"))
	die(err)
	cosig, err := w.AddCheckpoint(body)
	die(err)
	os.Stdout.Write(cosig)
}

// TestKill: the process is killed at every step, of the first use of a key and of a later
// request. Opening the folder again never contradicts what was answered or served, and never
// needs an operator.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	l := newLog(t, "log.example/a")
	tr := newTree().grow("a", 12)
	for _, tt := range []struct {
		name     string
		old, new int64
	}{{"first use", 0, 5}, {"later", 5, 9}} {
		t.Run(tt.name, func(t *testing.T) {
			var steps []string
			for n := 1; ; n++ {
				dir := t.TempDir()
				if err := testKey(t, Ed25519).Save(filepath.Join(dir, "key")); err != nil {
					t.Fatal(err)
				}
				reopen := func() *Witness {
					key, err := ReadKey(filepath.Join(dir, "key"))
					if err != nil {
						t.Fatal(err)
					}
					return open(t, Config{Dir: filepath.Join(dir, "w"), Key: key, Logs: []Log{{VKey: l.vkey}}})
				}
				if tt.old > 0 {
					w := reopen()
					must(t, w, l.grow(t, tr, 0, tt.old))
					w.Close()
				}
				if err := os.WriteFile(filepath.Join(dir, "request"), []byte(l.grow(t, tr, tt.old, tt.new)), 0o600); err != nil {
					t.Fatal(err)
				}
				cmd := exec.Command(os.Args[0])
				cmd.Env = append(os.Environ(), "WITNESS_DIR="+dir, "WITNESS_LOG="+l.vkey, fmt.Sprint("WITNESS_KILL_AT=", n))
				var answer, stderr bytes.Buffer
				cmd.Stdout, cmd.Stderr = &answer, &stderr
				err := cmd.Run()
				if err == nil {
					if answer.Len() == 0 {
						t.Fatal("no answer from a child that lived")
					}
					break
				}
				if s, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || s.Signal() != syscall.SIGKILL {
					t.Fatalf("child failed: %v %s", err, stderr.String())
				}
				steps = append(steps, stderr.String())
				t.Run(stderr.String(), func(t *testing.T) {
					w := reopen()
					switch size(t, w, l) {
					case tt.new:
					case tt.old, -1: // not recorded, so not answered either
						if answer.Len() != 0 {
							t.Fatalf("answered %s and forgot it", answer.String())
						}
						must(t, w, l.grow(t, tr, tt.old, tt.new))
					default:
						t.Fatalf("size %d", size(t, w, l))
					}
					consistent(t, w, l, tr, tt.new)
					w.Close()
					consistent(t, reopen(), l, tr, tt.new)
				})
			}
			// Every step was really reached.
			all := strings.Join(steps, "\n")
			wanted := []string{"create checkpoint", "write checkpoint", "sync checkpoint", "rename checkpoint", "sync folder of checkpoint",
				"append history", "sync history"}
			if tt.old == 0 {
				wanted = append(wanted, "rename folder id", "sync folder of folder id", "create folder's logs", "rename folder's logs",
					"write key file", "rename key file", "sync folder of key file")
			}
			for _, step := range wanted {
				for _, done := range []bool{false, true} {
					if !strings.Contains(all, fmt.Sprintf("%s done:%v", step, done)) {
						t.Errorf("never killed at %s done:%v", step, done)
					}
				}
			}
		})
	}
}

// TestTornHistory: a crash may tear the last line of a history, and the record completes it.
func TestTornHistory(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	l := newLog(t, "log.example/a")
	tr := newTree().grow("a", 12)
	w, _ := setup(t, l)
	must(t, w, l.grow(t, tr, 0, 5))
	must(t, w, l.grow(t, tr, 5, 9))
	w.Close()
	path := logFile(w, l, "history")
	whole := read(t, path)
	lineTwo := strings.Index(whole, "\n") + 1
	for cut := lineTwo; cut < len(whole); cut++ {
		if err := os.WriteFile(path, []byte(whole[:cut]), 0o644); err != nil {
			t.Fatal(err)
		}
		w, err := Open(w.cfg)
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if got := read(t, path); got != whole {
			t.Fatalf("cut at %d: history is now\n%s", cut, got)
		}
		w.Close()
	}
	// Nothing in the middle of it may be lost without an error.
	if err := os.WriteFile(path, []byte(whole[:lineTwo-10]+whole[lineTwo:]), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(w.cfg); err == nil || !strings.Contains(err.Error(), "history") {
		t.Errorf("opened a damaged history: %v", err)
	}
}
