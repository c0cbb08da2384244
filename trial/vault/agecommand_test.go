package vault_test

import (
	"bytes"
	"crypto/sha256"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/trialtest"
	"github.com/trialproof/trialproof/trial/vault"
)

// TestSecondOpinionAge: the age program opens what Protect wrote with the owner's identity, and in two
// steps with the backup's, and with no other. Keys are those of age-keygen. Debian 12's age is
// too old for hybrid keys, so deploy/test.sh builds age v1.3.2.
func TestSecondOpinionAge(t *testing.T) {
	program := os.Getenv("TRIALPROOF_TEST_AGE")
	if program == "" {
		trialtest.Skip(t, "TRIALPROOF_TEST_AGE names no age program, with age-keygen beside it: deploy/test.sh builds them")
	}
	dir := t.TempDir()
	run := func(name string, args ...string) ([]byte, error) {
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		t.Logf("%s %s: %v %s", filepath.Base(name), strings.Join(args, " "), err, stderr.String())
		return stdout.Bytes(), err
	}
	must := func(name string, args ...string) []byte {
		out, err := run(name, args...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	keygen := func(name string) party {
		must(program+"-keygen", "-pq", "-o", name)
		identity, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		p := party{file: string(identity)}
		if p.ids, err = vault.ParseIdentities(identity); err != nil {
			t.Fatal(err)
		}
		if p.recipient, err = vault.ParseRecipient(must(program+"-keygen", "-y", name)); err != nil {
			t.Fatal(err)
		}
		return p
	}
	c := cast{owner: keygen("owner.identity"), backup: keygen("b.identity"), a: keygen("a.identity"), b: keygen("ngo.identity"),
		lab: keygen("lab.identity")}
	o := c.options(2)
	o.Backup = c.backup.recipient
	file := bytes.Repeat([]byte("the laboratory's results\n"), 10_000)
	var sealed bytes.Buffer
	p, backup, err := vault.Protect(&sealed, bytes.NewReader(file), o)
	if err != nil {
		t.Fatal(err)
	}
	write("FILE.age", sealed.Bytes())
	write("FILE.backup.age", backup)
	if got := must(program, "-d", "-i", "owner.identity", "FILE.age"); !bytes.Equal(got, file) {
		t.Error("the owner's identity gives another file")
	}
	write("s", must(program, "-d", "-i", "b.identity", "FILE.backup.age"))
	if got := must(program, "-d", "-i", "s", "FILE.age"); !bytes.Equal(got, file) {
		t.Error("the backup gives another file")
	}
	for _, name := range []string{"b.identity", "a.identity", "ngo.identity", "lab.identity"} {
		if _, err := run(program, "-d", "-i", name, "FILE.age"); err == nil {
			t.Errorf("%s opens FILE.age", name)
		}
	}
	for _, name := range []string{"owner.identity", "a.identity", "ngo.identity"} {
		if _, err := run(program, "-d", "-i", name, "FILE.backup.age"); err == nil {
			t.Errorf("%s opens FILE.backup.age", name)
		}
	}

	// A share and a package are age files too.
	write("share", p.Shares[1].Encrypted)
	opened, err := p.Open("site-a", c.a.ids)
	if err != nil {
		t.Fatal(err)
	}
	said := *p
	said.Shares = nil
	words, err := vault.Canonical(said)
	if err != nil {
		t.Fatal(err)
	}
	binding := sha256.Sum256(words)
	if got := must(program, "-d", "-i", "a.identity", "share"); !bytes.Equal(got, slices.Concat(opened.Salt[:], opened.Share, binding[:])) ||
		bytes.Contains(words, []byte("shares")) {
		t.Errorf("the share is %x", got)
	}
	pkg, err := (&vault.Package{Consent: handle, Org: "site-a", Files: []vault.Opened{*opened}}).Seal(c.lab.recipient)
	if err != nil {
		t.Fatal(err)
	}
	write("package", pkg)
	start := `{"consent":"` + handle.String() + `","files":[{"ciphertext":"` + p.Ciphertext.String()
	if got := string(must(program, "-d", "-i", "lab.identity", "package")); !strings.HasPrefix(got, start) {
		t.Errorf("the package is %s", got)
	}
}
