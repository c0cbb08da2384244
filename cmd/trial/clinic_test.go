package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"
)

// A clinic is a town with replaying witnesses and a relay, and organisations that give, hand out
// and receive data: site-a and ngo are agents, lab and rival receive. Each has a key NAME.key, an
// identity NAME.identity, a recipient NAME.recipient that is logged, and a folder NAME.
type clinic struct{ *town }

func newClinic(t *testing.T, store string) *clinic {
	t.Helper()
	relay := filepath.Join(t.TempDir(), "relay")
	(&town{t: t, dir: t.TempDir()}).ok("trial", "keygen", "-name", "The relay", "-org", "relay", "-out", relay)
	c := &clinic{startTown(t, store, true, "-relay", relay+".key")}
	c.trialCmd("org", "-key", "registrar.key", "-id", "relay", "-name", "A relay", relay+".pub")
	for _, org := range []string{"site-a", "ngo", "lab", "rival"} {
		c.ok("trial", "keygen", "-name", "Head of "+org, "-org", org, "-out", org)
		c.trialCmd("org", "-key", "registrar.key", "-id", org, "-name", "The "+org, org+".pub")
		c.identity(org)
		c.trialCmd("recipient add", "-key", org+".key", org+".recipient")
		if err := os.Mkdir(filepath.Join(c.dir, org), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	c.identity("alice")
	return c
}

// identity makes NAME.identity and NAME.recipient.
func (c *clinic) identity(name string) {
	c.t.Helper()
	i, err := age.GenerateHybridIdentity()
	if err != nil {
		c.t.Fatal(err)
	}
	c.write(name+".identity", i.String()+"\n")
	c.write(name+".recipient", i.Recipient().String()+"\n")
}

// copyTo copies files into the folders of agents.
func (c *clinic) copyTo(org string, patterns ...string) {
	c.t.Helper()
	for _, pattern := range patterns {
		names, err := filepath.Glob(filepath.Join(c.dir, pattern))
		if err != nil || len(names) == 0 {
			c.t.Fatalf("nothing matches %s", pattern)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				c.t.Fatal(err)
			}
			c.write(filepath.Join(org, filepath.Base(name)), string(data))
		}
	}
}

// patient protects a file of a person, and gives consent for lab until 2099, with site-a as agent.
// It returns the handle.
func (c *clinic) patient(subject, text string, more ...string) string {
	c.t.Helper()
	c.write(subject+".json", text)
	c.trialCmd("protect", "-key", "site-a.key", "-owner", "alice.recipient", "-agent", "site-a=site-a.recipient", "-subject", subject,
		"-data", "Observation", subject+".json")
	handle := c.trialCmd("consent give", append([]string{"-key", "site-a.key", "-subject", subject, "-data", "Observation", "-use", "DUO:0000042",
		"-to", "lab", "-until", "2099", "-agents", "site-a", "-slip", subject + ".html"}, more...)...)
	c.copyTo("site-a", handle+".grant", subject+".json.protected")
	return handle
}

// release has site-a release to lab.
func (c *clinic) release(more ...string) (last, out string, status int) {
	c.t.Helper()
	return c.run(append(append([]string{"trial", "agent", "release"}, c.flags...), append([]string{"-key", "site-a.key", "-identity", "site-a.identity",
		"-dir", "site-a", "-to", "lab"}, more...)...)...)
}

func observation(text string) string {
	return fmt.Sprintf(`{"resourceType":"Observation","id":"o1","status":"final","valueString":%q}`, text)
}
