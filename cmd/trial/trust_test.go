package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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
	twoURLs := write("two URLs", fmt.Sprintf("log %s %s\nlog %s http://other.example\nquorum none\n", vkey, b.URL,
		trialtest.Cosigner{Key: "other.example", Alg: 0x01}.VKey()))
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

// TestTrustRootBesideEvidence is the attack of whoever hands over evidence with a policy of
// their own in it: under every name and in every folder where a program could look for one.
// Every command that gives a verdict refuses to go on without a policy of the reader's, and
// says which it was under and where that came from.
func TestTrustRootBesideEvidence(t *testing.T) {
	b := newBadLog(t, 3)
	text := fmt.Sprintf("log %s %s\nquorum none\n", badLogKey.VKey(), b.URL)
	evidence := filepath.Join(b.dir, "evidence")
	put := func(name, text string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{
		"policy", "log/policy", "trial.policy", "protocol.pdf.policy", ".policy", ".trialproof/policy", "policies", ".trialproof/config",
		"protocol.pdf", "protocol.pdf.tlog-proof",
	} {
		put(filepath.Join(evidence, name), text)
	}
	own := filepath.Join(b.dir, "own", "policy")
	put(own, text)
	theirs := "policy: " + filepath.Join(evidence, "policy") + "\n"
	for _, name := range []string{"config", "trialproof/config", ".config/trialproof/config", ".env"} {
		put(filepath.Join(evidence, name), theirs)
	}
	t.Setenv("TRIALPROOF_POLICY", "")
	t.Setenv("HOME", ".")
	t.Chdir(evidence)
	verdicts := [][]string{
		{"verify", "protocol.pdf"}, {"verify", "-json", "protocol.pdf"}, {"certificate", "-o", "page.html",
			"protocol.pdf"}, {"verify-part", "protocol.pdf"},
		{"verify-history", "protocol.pdf"}, {"evidence", "protocol.pdf"}, {"audit"}, {"audit", "-json"}, {"history", "NCT99999991"},
		{"status", "NCT99999991"}, {"inforce", "NCT99999991"}, {"compare", "-from", "acme", "NCT99999991"}, {"deadlines", "NCT99999991"},
		{"report", "-o", "page.html", "NCT99999991"}, {"export", "-o", "x.zip", "NCT99999991"}, {"monitor", "-once", "-state", "state"},
	}
	for _, config := range []string{filepath.Join(b.dir, "none"), ".", ""} { // no folder of the reader's, or one that is no whole path
		t.Setenv("XDG_CONFIG_HOME", config)
		for _, args := range verdicts {
			b.want(exitUsage, args, "-policy must be given")
		}
	}
	p, err := readPolicy(own)
	if err != nil {
		t.Fatal(err)
	}
	configs := filepath.Join(b.dir, "configuration")
	put(filepath.Join(configs, "trialproof", "config"), "policy: "+own+"\n")
	for from, set := range map[string]func(args []string) []string{
		"given with -policy": func(args []string) []string {
			return append([]string{args[0], "-policy", own}, args[1:]...)
		},
		"named by TRIALPROOF_POLICY": func(args []string) []string {
			t.Setenv("TRIALPROOF_POLICY", own)
			return args
		},
		"set in your configuration (trial config)": func(args []string) []string {
			t.Setenv("XDG_CONFIG_HOME", configs)
			return args
		},
	} {
		t.Setenv("XDG_CONFIG_HOME", b.dir)
		t.Setenv("TRIALPROOF_POLICY", "")
		for _, args := range verdicts {
			_, out, words := b.trial(t.Context(), set(args)...)
			if want := fmt.Sprintf("policy %s, %s, SHA-256 %s\n", own, from, p.Digest()); !strings.Contains(words, want) {
				t.Errorf("%v does not say %q:\n%s%s", args, want, out, words)
			}
		}
	}
}

func FuzzConfiguration(f *testing.F) {
	f.Add("policy: /home/ada/policy\nkey: /home/ada/ada.key\n")
	f.Add("\ufeff# mine\r\npolicy:/p\r\n\r\n")
	f.Add("policy: p")
	f.Add("policy: /a\npolicy: /b")
	f.Fuzz(func(t *testing.T, text string) {
		paths, err := parseConfiguration(text)
		if err != nil {
			return
		}
		for name, path := range paths {
			if !isConfigurable(name) || !filepath.IsAbs(path) {
				t.Errorf("%q is set to %q", name, path)
			}
		}
	})
}
