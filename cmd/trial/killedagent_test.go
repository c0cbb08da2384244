package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/consent"
	"github.com/trialproof/trialproof/trial/receipt"
)

// TestKilledAgents kills an agent with signal 9 while it releases and the consent ends, every
// second time as soon as the release's receipt is there, and lets another run find what it left.
// No package is there whose release is not logged, or logged behind the end of its consent.
//
// With TRIALPROOF_TEST_LARGE=1 a thousand agents are killed.
func TestKilledAgents(t *testing.T) {
	t.Parallel()
	n := 6
	if os.Getenv("TRIALPROOF_TEST_LARGE") != "" {
		n = 1000
	}
	c := newClinic(t, "")
	site := filepath.Join(c.dir, "site-a")
	matches := func(pattern string) []string {
		names, err := filepath.Glob(filepath.Join(site, pattern))
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	text, err := os.ReadFile(filepath.Join(c.dir, "policy"))
	if err != nil {
		t.Fatal(err)
	}
	policy, err := checkpoint.ParsePolicy(text)
	if err != nil {
		t.Fatal(err)
	}
	logged, between, handed := 0, 0, 0
	for i := range n {
		if err := os.RemoveAll(site); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(site, 0o700); err != nil {
			t.Fatal(err)
		}
		handle := c.patient(fmt.Sprintf("P-%d", i), observation("a"))

		agent := exec.Command(filepath.Join(binDir, "trial"), append(append([]string{"agent", "release"}, c.flags...), "-key", "site-a.key",
			"-identity", "site-a.identity", "-dir", "site-a", "-to", "lab")...)
		agent.Dir = c.dir
		if err := agent.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			agent.Wait()
			close(ended)
		}()
		var wg sync.WaitGroup
		wg.Go(func() {
			time.Sleep(rand.N(60 * time.Millisecond)) // anywhere in the life of the agent
			c.trialCmd("consent end", "-key", "site-a.key", handle)
		})
		atReceipt := i%2 == 0
		if atReceipt {
			for running := true; running && len(matches("access-*.tlog-proof")) == 0; {
				select {
				case <-ended:
					running = false
				default:
				}
			}
		} else {
			time.Sleep(rand.N(120 * time.Millisecond))
		}
		agent.Process.Kill()
		<-ended
		wg.Wait()
		if len(matches("access-*")) > 0 && len(matches("*.pending")) > 0 {
			between++
		}

		if _, out, status := c.release(); status != exitInvalid || !strings.Contains(out, "R18") {
			t.Fatalf("try %d, another release after the end: %d %s", i, status, out)
		}
		var account consent.Account
		out, _, _ := c.apart(append(append([]string{"trial", "consent", "log"}, c.flags...), "-json", handle)...)
		if err := json.Unmarshal([]byte(out), &account); err != nil || account.Ended == nil {
			t.Fatalf("try %d: the end is lost: %v %s", i, err, out)
		}
		logged += len(account.Accesses)
		packages := matches("*.package")
		handed += len(packages)
		if len(packages) > len(account.Accesses) {
			t.Errorf("try %d: %d packages are there, and %d releases are logged", i, len(packages), len(account.Accesses))
		}
		if left := matches("*.pending"); len(left) > 0 {
			t.Errorf("try %d: %s is left", i, left)
		}
		for _, name := range packages {
			proof, err := os.ReadFile(name + ".tlog-proof")
			if err != nil {
				t.Fatal(err)
			}
			v, err := receipt.Verify(policy, proof)
			if err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			p := v.Entry.Statement.Statement.Predicate.(*trial.Access)
			if v.Index >= account.Ended.Index || p.Consents[0].Package != sha256.Sum256(data) {
				t.Errorf("try %d: %s was handed out by entry %d, and the consent ended by entry %d", i, name, v.Index, account.Ended.Index)
			}
		}
	}
	t.Logf("%d agents killed, %d of them with a package on its way: %d releases logged, %d packages handed out, none behind an end", n,
		between, logged, handed)
}
