package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestDefaults: what is not typed comes from the environment and from the policy, and never
// from a file that lies in the working folder or beside the evidence.
func TestDefaults(t *testing.T) {
	b := newBadLog(t, 3)
	write := func(name, text string) string {
		t.Helper()
		name = filepath.Join(b.dir, name)
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	vkey := badLogKey.VKey()
	withURL := write("with URL", fmt.Sprintf("log %s %s\nquorum none\n", vkey, b.URL))
	twoURLs := write("two URLs", fmt.Sprintf("log %s %s\nlog %s http://other.example\nquorum none\n", vkey, b.URL, trialtest.Cosigner{Key: "other.example", Alg: 0x01}.VKey()))
	t.Setenv("TRIALPROOF_POLICY", "")
	t.Setenv("TRIALPROOF_KEY", "")

	t.Chdir(b.dir) // where a policy lies
	b.want(exitUsage, []string{"audit"}, "-policy must be given", "TRIALPROOF_POLICY")
	b.want(exitUsage, []string{"verify", "with URL"}, "-policy must be given", "TRIALPROOF_POLICY")

	t.Setenv("TRIALPROOF_POLICY", withURL)
	p, err := readPolicy(withURL)
	if err != nil {
		t.Fatal(err)
	}
	b.want(exitDone, []string{"audit"}, "named by TRIALPROOF_POLICY, SHA-256 "+p.Digest())
	b.want(exitDone, []string{"audit", "-log", b.URL})
	b.want(exitPending, []string{"compare", "-article", write("article", "primary: pain\n"), "NCT99999991"}, "named by TRIALPROOF_POLICY")
	b.want(exitUsage, []string{"whoami"}, "-key must be given", "TRIALPROOF_KEY")
	b.want(exitUsage, []string{"audit", "-policy", b.policy}, "-log must be given", "no URL")
	b.want(exitUsage, []string{"audit", "-policy", twoURLs}, "-log must be given", "2 different URLs")
	b.want(exitUsage, []string{"audit", "-policy", ""}, "nothing behind it")

	t.Setenv("TRIALPROOF_POLICY", filepath.Join(b.dir, "none"))
	b.want(exitUsage, []string{"audit", "-log", b.URL}, "none")
	b.want(exitDone, []string{"audit", "-log", b.URL, "-policy", b.policy}) // the flag decides
}
