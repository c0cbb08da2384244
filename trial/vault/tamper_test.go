package vault_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/trialproof/trialproof/trial/trialtest"
	"github.com/trialproof/trialproof/trial/vault"
)

// changes calls f with every copy of data that has one bit of one byte changed, or another letter
// of the same byte, and with every beginning of it.
func changes(data []byte, f func(altered []byte, what string, at int)) {
	for i := range data {
		for _, bit := range []byte{0x01, 0x20, 0x80} { // 0x20 is the case of a letter
			altered := slices.Clone(data)
			altered[i] ^= bit
			f(altered, "changed", i)
		}
		f(slices.Clone(data[:i]), "cut", i)
	}
	f(append(slices.Clone(data), '\n'), "longer", len(data))
}

// TestEveryByte: every change of one byte, and every cut, of package, FILE.protected and FILE.age
// is refused, with words.
func TestEveryByte(t *testing.T) {
	trialtest.Long(t)
	c := newCast(t)
	o := c.options(1)
	o.Backup, o.Subject, o.Data = c.backup.recipient, "S-17", []string{"laboratory"}
	cipher, p := protect(t, o, []byte("haemoglobin 13.1 g/dl"))
	opened, err := p.Open("site-a", c.a.ids)
	if err != nil {
		t.Fatal(err)
	}
	made := vault.Package{Consent: handle, Org: "site-a", Files: []vault.Opened{*opened}, Terms: json.RawMessage(`[]`)}
	sealed, err := made.Seal(c.lab.recipient)
	if err != nil {
		t.Fatal(err)
	}
	pkg, err := vault.OpenPackage(sealed, c.lab.ids)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what string, check func(altered []byte) error) func([]byte, string, int) {
		return func(altered []byte, how string, at int) {
			if err := check(altered); err == nil || len(err.Error()) < 10 || len(err.Error()) > 500 {
				t.Errorf("%s %s at byte %d: %v", what, how, at, err)
			}
		}
	}
	changes(sealed, refused("package", func(b []byte) error { _, err := vault.OpenPackage(b, c.lab.ids); return err }))
	changes(cipher, refused("FILE.age", func(b []byte) error { _, err := opens(b, pkg); return err }))
	for _, signer := range []string{"ada", "p256-bob"} {
		signed, err := p.Sign(trialtest.Key(signer))
		if err != nil {
			t.Fatal(err)
		}
		changes(signed, refused("FILE.protected", func(b []byte) error { _, _, err := vault.ParseProtected(b); return err }))
	}
}

// TestOneRecipient: a package for one recipient opens for no other, nor for its agent.
func TestOneRecipient(t *testing.T) {
	c := newCast(t)
	_, p := protect(t, c.options(2), []byte("x"))
	o, err := p.Open("ngo", c.b.ids)
	if err != nil {
		t.Fatal(err)
	}
	data, err := (&vault.Package{Consent: handle, Org: "ngo", Files: []vault.Opened{*o}}).Seal(c.lab.recipient)
	if err != nil {
		t.Fatal(err)
	}
	for name, who := range map[string]party{"owner": c.owner, "backup": c.backup, "site-a": c.a, "ngo": c.b, "other": c.other} {
		if _, err := vault.OpenPackage(data, who.ids); !errors.Is(err, vault.ErrNotForUs) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := vault.OpenPackage(data, append(slices.Clone(c.other.ids), c.lab.ids...)); err != nil {
		t.Errorf("the recipient's second identity: %v", err)
	}
}

// TestRefusedPackages: an agent seals nothing that its recipient would refuse.
func TestRefusedPackages(t *testing.T) {
	c := newCast(t)
	_, p := protect(t, c.options(1), []byte("x"))
	o, err := p.Open("site-a", c.a.ids)
	if err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(p *vault.Package){
		"names no consent":                  func(p *vault.Package) { p.Consent = [32]byte{} },
		"has no file":                       func(p *vault.Package) { p.Files = nil },
		"twice":                             func(p *vault.Package) { p.Files = append(p.Files, p.Files[0]) },
		"its terms are no list":             func(p *vault.Package) { p.Terms = json.RawMessage(`{}`) },
		"no commitment to a share of rival": func(p *vault.Package) { p.Org = "rival" },
		"the share of site-a is not the one that FILE.protected commits to": func(p *vault.Package) { p.Files[0].Salt[3]++ },
	} {
		pkg := &vault.Package{Consent: handle, Org: "site-a", Files: []vault.Opened{*o}}
		change(pkg)
		_, err := pkg.Seal(c.lab.recipient)
		wants(t, want, err, want)
	}
	sealed, err := vault.Encrypt(bytes.Repeat([]byte{'['}, 3<<20), c.lab.recipient)
	if err != nil {
		t.Fatal(err)
	}
	_, err = vault.OpenPackage(sealed, c.lab.ids)
	wants(t, "deep JSON", err, "JSON")
	_, err = vault.OpenPackage(make([]byte, vault.MaxPackage+1), c.lab.ids)
	wants(t, "a large package", err, "the most is")
	_, _, err = vault.ParseProtected(make([]byte, vault.MaxProtected+1))
	wants(t, "a large FILE.protected", err, "at most")
}
