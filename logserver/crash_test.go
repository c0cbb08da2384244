//go:build unix

package logserver_test

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// The environment of a child that is killed: the parts of the fixture and the fault.
const (
	crashDir   = "TRIALPROOF_CRASH_DIR"
	crashKey   = "TRIALPROOF_CRASH_KEY"
	crashVKey  = "TRIALPROOF_CRASH_VKEY"
	crashRules = "TRIALPROOF_CRASH_POLICY"
	crashStep  = "TRIALPROOF_CRASH_STEP"
	crashDone  = "TRIALPROOF_CRASH_DONE"
	crashTrial = "TRIALPROOF_CRASH_TRIAL"
	crashMySQL = "TRIALPROOF_CRASH_MYSQL"
)

// TestCrash kills the process at each step, just before it and just after it, and verifies
// everything again from what is on the disk. What the child printed as acknowledged must be
// there.
func TestCrash(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	if os.Getenv(crashDir) != "" {
		crash(t)
		return
	}
	for _, step := range []string{"Decide", "Append", "Head", "Put", "Sign", "Publish", "SaveSnapshot"} {
		for _, done := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/done=%v", step, done), func(t *testing.T) {
				f := newFixture(t)
				f.witnesses(3, 2)
				f.create()
				l, stop := f.open()
				waitReady(t, l)
				id := f.enrol(l)
				ack := &acknowledged{receipts: map[trial.Hash][]byte{}}
				f.submitAll(l, id, 3, ack)
				stop()

				cmd := exec.Command(os.Args[0], "-test.run=^TestCrash$", "-test.count=1")
				cmd.Env = append(os.Environ(), crashDir+"="+f.dir, crashKey+"="+f.skey, crashVKey+"="+f.vkey,
					crashRules+"="+f.policy, crashStep+"="+step, fmt.Sprintf("%s=%v", crashDone,
						done), crashTrial+"="+id.String(), crashMySQL+"="+f.mysql)
				out, err := cmd.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				n := 0
				for lines := bufio.NewScanner(out); lines.Scan(); {
					words := strings.Fields(lines.Text())
					if len(words) != 3 || words[0] != "ack" {
						continue
					}
					sid, err := trial.ParseHash(words[1])
					if err != nil {
						t.Fatal(err)
					}
					r, err := base64.StdEncoding.DecodeString(words[2])
					if err != nil {
						t.Fatal(err)
					}
					ack.receipts[sid] = r
					n++
				}
				err = cmd.Wait()
				if e, ok := err.(*exec.ExitError); !ok || e.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
					t.Fatalf("the child was not killed: %v", err)
				}
				if n == 0 {
					t.Fatal("the child acknowledged nothing before it was killed")
				}
				if problems := f.check(); problems != "" {
					t.Errorf("fsck after a plain crash:\n%s", problems)
				}
				f.reverify(ack)
			})
		}
	}
}

// crash is the child: it acknowledges some statements, then dies at the step.
func crash(t *testing.T) {
	signer, err := note.NewSigner(os.Getenv(crashKey))
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{
		t: t, dir: os.Getenv(crashDir), signer: signer, vkey: os.Getenv(crashVKey), policy: os.Getenv(crashRules),
		mysql: os.Getenv(crashMySQL),
		clock: &fakeClock{now: trialtest.Start.Std()}, n: 1000,
	}
	x := &fault{step: os.Getenv(crashStep), done: os.Getenv(crashDone) == "true", on: func() {
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}}
	f.inject(x)
	id, err := trial.ParseHash(os.Getenv(crashTrial))
	if err != nil {
		t.Fatal(err)
	}
	l, stop := f.open()
	waitReady(t, l)
	submit := func() {
		p, s, _ := f.document(id)
		env, key := trialtest.Sign(t, "ada", p, s)
		if out, err := l.Submit(t.Context(), env, key); err == nil {
			fmt.Printf("ack %s %s\n", out.ID, base64.StdEncoding.EncodeToString(out.Receipt))
		}
	}
	for range 4 {
		submit()
	}
	x.arm()
	for range 4 {
		submit()
	}
	stop() // saves the snapshot
	t.Fatal("the step was never reached")
}
