package vault_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
	"github.com/trialproof/trialproof/trial/vault"
)

// A party has an identity and its recipient, as age-keygen -pq makes them.
type party struct {
	ids       vault.Identities
	file      string // the identity file
	recipient string
}

func newParty(t testing.TB) party {
	t.Helper()
	i, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	p := party{file: "# created: now\n# public key: below\n" + i.String() + "\n"}
	if p.ids, err = vault.ParseIdentities([]byte(p.file)); err != nil {
		t.Fatal(err)
	}
	if p.recipient, err = vault.ParseRecipient([]byte(i.Recipient().String() + "\n")); err != nil {
		t.Fatal(err)
	}
	return p
}

// A cast is everybody who has to do with a file.
type cast struct {
	owner, backup, a, b, lab, other party
}

func newCast(t testing.TB) cast {
	return cast{newParty(t), newParty(t), newParty(t), newParty(t), newParty(t), newParty(t)}
}

// options are those of a file with a number of agents.
func (c *cast) options(agents int) vault.Options {
	both := []vault.Agent{{Org: "site-a", Recipient: c.a.recipient}, {Org: "ngo", Recipient: c.b.recipient}}
	return vault.Options{Owner: c.owner.recipient, Agents: both[:agents], Org: "site-a"}
}

// protect returns FILE.age and what FILE.protected says, as it is read again.
func protect(t testing.TB, o vault.Options, file []byte) ([]byte, *vault.Protected) {
	t.Helper()
	var out bytes.Buffer
	p, _, err := vault.Protect(&out, bytes.NewReader(file), o)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := p.Sign(trialtest.Key("ada"))
	if err != nil {
		t.Fatal(err)
	}
	again, key, err := vault.ParseProtected(signed)
	if err != nil {
		t.Fatal(err)
	}
	if key != trialtest.Public("ada") || fmt.Sprint(again) != fmt.Sprint(p) {
		t.Fatalf("FILE.protected says %v by %x", again, key.SPKI())
	}
	return out.Bytes(), again
}

var handle = trial.Hash(sha256.Sum256([]byte("a consent")))

// release returns what an agent hands out of some files, sealed and opened again.
func release(t testing.TB, org string, agent, to party, files ...*vault.Protected) *vault.Package {
	t.Helper()
	p := &vault.Package{Consent: handle, Org: org, Terms: json.RawMessage(`[]`)}
	for _, f := range files {
		o, err := f.Open(org, agent.ids)
		if err != nil {
			t.Fatal(err)
		}
		p.Files = append(p.Files, *o)
	}
	data, err := p.Seal(to.recipient)
	if err != nil {
		t.Fatal(err)
	}
	again, err := vault.OpenPackage(data, to.ids)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// opens returns what OpenFile wrote.
func opens(file []byte, packages ...*vault.Package) ([]byte, error) {
	var out bytes.Buffer
	err := vault.OpenFile(&out, bytes.NewReader(file), packages)
	return out.Bytes(), err
}

// wants fails unless an error says something.
func wants(t *testing.T, what string, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("%s: %v, want %q", what, err, text)
	}
}

// TestOpen: files of many sizes around those of age's chunks, with one agent and with two.
func TestOpen(t *testing.T) {
	c := newCast(t)
	for agents := 1; agents <= 2; agents++ {
		for _, size := range []int{0, 1, 100, 64<<10 - 1, 64 << 10, 64<<10 + 1, 128 << 10, 1 << 20} {
			file := bytes.Repeat([]byte{7}, size)
			cipher, p := protect(t, c.options(agents), file)
			packages := []*vault.Package{release(t, "site-a", c.a, c.lab, p)}
			if agents == 2 {
				packages = append(packages, release(t, "ngo", c.b, c.lab, p))
			}
			got, err := opens(cipher, packages...)
			if err != nil || !bytes.Equal(got, file) {
				t.Fatalf("%d agents, %d bytes: %d bytes, %v", agents, size, len(got), err)
			}
		}
	}
}

// TestOneShare: a package for one share of one file is small.
func TestOneShare(t *testing.T) {
	c := newCast(t)
	_, p := protect(t, c.options(1), []byte("x"))
	o, err := p.Open("site-a", c.a.ids)
	if err != nil {
		t.Fatal(err)
	}
	data, err := (&vault.Package{Consent: handle, Org: "site-a", Files: []vault.Opened{*o}}).Seal(c.lab.recipient)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("a package of one share has %d bytes", len(data))
	if len(data) > 2600 {
		t.Fatalf("%d bytes", len(data))
	}
}

// TestCombinations tries every list of up to three of the packages that there are of two files:
// the right pair opens its file, and nothing else opens any.
func TestCombinations(t *testing.T) {
	c := newCast(t)
	var files [2][]byte
	var cipher [2][]byte
	type one struct {
		name    string
		pkg     *vault.Package
		file    int
		correct bool
	}
	var all []one
	for i := range files {
		files[i] = fmt.Appendf(nil, "file %d of the patient", i)
		var p *vault.Protected
		cipher[i], p = protect(t, c.options(2), files[i])
		all = append(all, one{fmt.Sprint("a", i), release(t, "site-a", c.a, c.lab, p), i, true},
			one{fmt.Sprint("b", i), release(t, "ngo", c.b, c.lab, p), i, true})
	}
	alter := func(of one, name string, change func(p *vault.Package, f *vault.Opened)) {
		p := *of.pkg
		p.Files = slices.Clone(p.Files)
		change(&p, &p.Files[0])
		all = append(all, one{name, &p, of.file, false})
	}
	a0, b0, a1 := all[0], all[1], all[2]
	alter(a0, "a0 with another share", func(_ *vault.Package, f *vault.Opened) {
		f.Share = slices.Clone(f.Share)
		f.Share[0] ^= 1
	})
	alter(a0, "a0 with another salt", func(_ *vault.Package, f *vault.Opened) { f.Salt[0] ^= 1 })
	alter(a0, "a0 with b0's share", func(_ *vault.Package, f *vault.Opened) { f.Share = b0.pkg.Files[0].Share })
	alter(a0, "a0 with b0's share and salt", func(_ *vault.Package, f *vault.Opened) {
		f.Share, f.Salt = b0.pkg.Files[0].Share, b0.pkg.Files[0].Salt
	})
	alter(a0, "a0 with a1's share, salt and commitments", func(_ *vault.Package, f *vault.Opened) {
		cipher, plain := f.Ciphertext, f.Plaintext
		*f = a1.pkg.Files[0]
		f.Ciphertext, f.Plaintext = cipher, plain
	})
	alter(a0, "a0 as if by ngo", func(p *vault.Package, _ *vault.Opened) { p.Org = "ngo" })
	alter(a0, "a0 of another consent", func(p *vault.Package, _ *vault.Opened) { p.Consent[0] ^= 1 })
	alter(a0, "a0 with another plaintext", func(_ *vault.Package, f *vault.Opened) { f.Plaintext[0] ^= 1 })
	alter(a0, "a0 as if alone", func(_ *vault.Package, f *vault.Opened) {
		f.Commitments = map[string]trial.Hash{"site-a": f.Commitments["site-a"]}
	})
	tried := 0
	try := func(list ...one) {
		for i := range files {
			tried++
			var packages []*vault.Package
			var names []string
			for _, o := range list {
				packages, names = append(packages, o.pkg), append(names, o.name)
			}
			right := len(list) == 2 && list[0].correct && list[1].correct && list[0].pkg.Org != list[1].pkg.Org &&
				list[0].file == i && list[1].file == i
			if got, err := opens(cipher[i], packages...); (err == nil) != right || right && !bytes.Equal(got, files[i]) {
				t.Errorf("file %d with %q: %v", i, names, err)
			}
		}
	}
	try()
	for _, x := range all {
		try(x)
		for _, y := range all {
			try(x, y)
			for _, z := range all {
				try(x, y, z)
			}
		}
	}
	t.Logf("%d combinations tried", tried)
}

// TestNamed: what is wrong is named.
func TestNamed(t *testing.T) {
	c := newCast(t)
	cipher, p := protect(t, c.options(2), []byte("results"))
	other, q := protect(t, c.options(2), []byte("other results"))
	a, b := release(t, "site-a", c.a, c.lab, p), release(t, "ngo", c.b, c.lab, p)

	_, err := opens(cipher)
	wants(t, "none", err, "no package is given")
	_, err = opens(cipher, a)
	wants(t, "one", err, "the package of ngo is missing")
	_, err = opens(cipher, a, a)
	wants(t, "twice", err, "two packages of site-a")
	_, err = opens(other, a, b)
	wants(t, "of another file", err, "the package of ngo or site-a does not open this file")
	_, err = opens(cipher, a, release(t, "ngo", c.b, c.lab, q))
	wants(t, "of two files", err, "does not have the same files")
	_, err = opens([]byte("hello"), a, b)
	wants(t, "no age file", err, "not written by age")
	_, err = opens(cipher[:len(cipher)-1], a, b)
	wants(t, "cut short", err, "damaged")
	_, err = opens(append(slices.Clone(cipher), 0), a, b)
	wants(t, "with a byte behind", err, "damaged")
	both, errBoth := opens(other, release(t, "site-a", c.a, c.lab, p, q), release(t, "ngo", c.b, c.lab, q, p))
	if errBoth != nil || string(both) != "other results" {
		t.Errorf("packages of two files: %q, %v", both, errBoth)
	}

	_, err = p.Open("rival", c.a.ids)
	wants(t, "no agent", err, "rival is no agent of this file: its agents are ngo, site-a")
	_, err = p.Open("site-a", c.b.ids)
	wants(t, "another's identity", err, "the share of site-a: it is not encrypted to this identity")
	p.Shares[0].Encrypted, p.Shares[1].Encrypted = p.Shares[1].Encrypted, p.Shares[0].Encrypted
	_, err = p.Open("site-a", c.b.ids)
	wants(t, "swapped", err, "the share of site-a is not the one that FILE.protected commits to")
}

// TestDigests: a package that has the right share and says another digest opens nothing.
func TestDigests(t *testing.T) {
	c := newCast(t)
	cipher, p := protect(t, c.options(1), []byte("results"))
	for want, change := range map[string]func(f *vault.Opened){
		"and the packages are for": func(f *vault.Opened) { f.Ciphertext[0] ^= 1 },
		"and the packages say":     func(f *vault.Opened) { f.Plaintext[0] ^= 1 },
	} {
		pkg := release(t, "site-a", c.a, c.lab, p)
		change(&pkg.Files[0])
		_, err := opens(cipher, pkg)
		wants(t, want, err, want)
	}
}

// TestSignedAgain: shares are worth nothing under other words than those that they were made for.
func TestSignedAgain(t *testing.T) {
	c := newCast(t)
	_, p := protect(t, c.options(2), []byte("results"))
	for what, change := range map[string]func(p *vault.Protected){
		"ciphertext": func(p *vault.Protected) { p.Ciphertext[0]++ },
		"plaintext":  func(p *vault.Protected) { p.Plaintext[0]++ },
		"owner":      func(p *vault.Protected) { p.Owner[0]++ },
		"org":        func(p *vault.Protected) { p.Org = "thief" },
		"grantors":   func(p *vault.Protected) { p.Grantors = []string{"thief"} },
		"subject":    func(p *vault.Protected) { p.Subject = "P-2" },
		"data":       func(p *vault.Protected) { p.Data = []string{"Patient"} },
	} {
		other := *p
		change(&other)
		_, err := other.Open("site-a", c.a.ids)
		wants(t, what, err, "made for a FILE.protected that said something else")
	}
	moved := *p // the share of one agent in the place of the other's
	moved.Shares = slices.Clone(p.Shares)
	moved.Shares[0].Encrypted, moved.Shares[1].Encrypted = moved.Shares[1].Encrypted, moved.Shares[0].Encrypted
	if _, err := moved.Open("site-a", c.a.ids); !errors.Is(err, vault.ErrNotForUs) {
		t.Errorf("exchanged: %v", err)
	}
}

// TestReissue: the owner issues lost shares again, to other agents too; old and new do not mix.
func TestReissue(t *testing.T) {
	c := newCast(t)
	o := c.options(2)
	cipher, p := protect(t, o, []byte("results"))
	o.Agents[1].Recipient = c.other.recipient // ngo lost its identity
	again, err := p.Reissue(bytes.NewReader(cipher), c.owner.ids, o.Agents)
	if err != nil {
		t.Fatal(err)
	}
	a, b := release(t, "site-a", c.a, c.lab, again), release(t, "ngo", c.other, c.lab, again)
	if got, err := opens(cipher, a, b); err != nil || string(got) != "results" {
		t.Fatalf("%q, %v", got, err)
	}
	_, err = opens(cipher, release(t, "site-a", c.a, c.lab, p), b)
	wants(t, "an old share", err, "do not belong together")
	alone, err := p.Reissue(bytes.NewReader(cipher), c.owner.ids, o.Agents[:1])
	if err != nil {
		t.Fatal(err)
	}
	if got, err := opens(cipher, release(t, "site-a", c.a, c.lab, alone)); err != nil || string(got) != "results" {
		t.Fatalf("%q, %v", got, err)
	}
	_, err = p.Reissue(bytes.NewReader(cipher), c.a.ids, o.Agents)
	wants(t, "an agent's identity", err, "not encrypted to this identity")
	_, err = p.Reissue(bytes.NewReader(append(slices.Clone(cipher), 0)), c.owner.ids, o.Agents)
	wants(t, "an altered file", err, "its digest is another")
	_, err = p.Reissue(bytes.NewReader(cipher), c.owner.ids, nil)
	wants(t, "no agents", err, "one or two agents")
}

// TestRefusedOptions: what makes no sense is refused before anything is encrypted.
func TestRefusedOptions(t *testing.T) {
	c := newCast(t)
	for _, test := range []struct {
		want   string
		change func(o *vault.Options)
	}{
		{"one or two agents", func(o *vault.Options) { o.Agents = nil }},
		{"one or two agents", func(o *vault.Options) {
			o.Agents = append(o.Agents, vault.Agent{Org: "third", Recipient: c.lab.recipient})
		}},
		{"both agents are ngo", func(o *vault.Options) { o.Agents[0].Org = "ngo" }},
		{"have the same recipient", func(o *vault.Options) { o.Agents[0].Recipient = c.b.recipient }},
		{"have the same recipient", func(o *vault.Options) { o.Agents[0].Recipient = c.owner.recipient }},
		{"have the same recipient", func(o *vault.Options) { o.Backup = c.b.recipient }},
		{"have the same recipient", func(o *vault.Options) { o.Backup = c.owner.recipient }},
		{"owner: this is a classic recipient", func(o *vault.Options) { o.Owner = classic }},
		{"agent ngo: ", func(o *vault.Options) { o.Agents[1].Recipient = trialtest.Recipient("x") }},
		{"backup: ", func(o *vault.Options) { o.Backup = "ssh-ed25519 AAAA" }},
		{"organisation", func(o *vault.Options) { o.Org = "Site A" }},
		{"organisation", func(o *vault.Options) { o.Grantors = []string{"Site A"} }},
		{"control character", func(o *vault.Options) { o.Subject = "a\nb" }},
		{"over 256 bytes", func(o *vault.Options) { o.Subject = strings.Repeat("x", 257) }},
		{"is empty", func(o *vault.Options) { o.Data = []string{""} }},
		{"more than 100", func(o *vault.Options) {
			for i := range 101 {
				o.Data = append(o.Data, fmt.Sprint("class", i))
			}
		}},
	} {
		o := c.options(2)
		test.change(&o)
		_, _, err := vault.Protect(new(bytes.Buffer), strings.NewReader("x"), o)
		wants(t, test.want, err, test.want)
	}
}
