package consent_test

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/consent"
	"github.com/trialproof/trialproof/trial/element"
	"github.com/trialproof/trialproof/trial/trialtest"
	"github.com/trialproof/trialproof/trial/vault"
)

func base64Std(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

// identity makes an identity of an agent, and its recipient.
func identity(t testing.TB) (vault.Identities, string) {
	t.Helper()
	i, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	ids, err := vault.ParseIdentities([]byte(i.String() + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return ids, i.Recipient().String()
}

// A sealing is a grant that is being made.
type sealing struct {
	t         testing.TB
	terms     *consent.Terms
	statement *trial.Consent
	ids       vault.Identities
	recipient string
}

func newSealing(t testing.TB) *sealing {
	s := &sealing{t: t, terms: fullTerms()}
	s.statement = &trial.Consent{Common: trial.Common{Log: "log.example", SignedAt: trialtest.Start, Meaning: "responsibility"}, Action: "grant",
		Agents: []string{"site-a"}, Lock: trial.ConsentLock("CODE"), Org: "site-a", To: "lab", Until: "2027-06"}
	s.ids, s.recipient = identity(t)
	return s
}

func (s *sealing) copy() *sealing {
	c, terms, statement := *s, *s.terms, *s.statement
	c.terms, c.statement = &terms, &statement
	return &c
}

// sign has the patient sign.
func (s *sealing) sign(signer crypto.Signer) {
	s.t.Helper()
	p := s.statement
	if err := s.terms.Sign(signer, consent.SignedTerms(s.terms, "log.example", p.Lock, p.To, p.Agents, p.Until)); err != nil {
		s.t.Fatal(err)
	}
}

// payload returns the statement that commits to the terms.
func (s *sealing) payload() []byte {
	s.t.Helper()
	tree, digest, err := s.terms.Tree(element.Secret{5})
	if err != nil {
		s.t.Fatal(err)
	}
	s.statement.Elements = tree.Root()
	st := &trial.Statement{Predicate: s.statement, Subjects: []trial.Subject{{Name: "consent",
		Digest: trial.Digest{Salted256: trial.Commit(trial.Salt{6}, digest)}}}}
	payload, err := st.Marshal()
	if err != nil {
		s.t.Fatal(err)
	}
	return payload
}

func (s *sealing) seal(protected ...[]byte) []byte {
	s.t.Helper()
	data, err := consent.SealGrant(s.payload(), trial.Salt{6}, element.Secret{5}, s.terms, protected, s.recipient)
	if err != nil {
		s.t.Fatal(err)
	}
	return data
}

func (s *sealing) open() *consent.Grant {
	s.t.Helper()
	g, err := consent.OpenGrant(s.seal(), s.ids)
	if err != nil {
		s.t.Fatal(err)
	}
	return g
}

// TestGrant opens what was sealed, and nobody else does. Every change of a byte is noticed.
func TestGrant(t *testing.T) {
	s := newSealing(t)
	data := s.seal([]byte("one"), []byte("two"))
	g, err := consent.OpenGrant(data, s.ids)
	if err != nil {
		t.Fatal(err)
	}
	if g.Handle != trial.StatementID(s.payload()) || g.Terms.Subject != "P-001" || len(g.Protected) != 2 || string(g.Protected[1]) != "two" ||
		g.Consent().Lock != s.statement.Lock {
		t.Errorf("%+v", g)
	}
	for _, plain := range []string{"P-001", "Observation", "DUO:0000006", "NCT03421379", "Organization/54"} {
		if bytes.Contains(data, []byte(plain)) {
			t.Errorf("the grant shows %s", plain)
		}
	}
	other, _ := identity(t)
	if _, err := consent.OpenGrant(data, other); !errors.Is(err, vault.ErrNotForUs) {
		t.Errorf("by another: %v", err)
	}
	for i := range data {
		changed := bytes.Clone(data)
		changed[i] ^= 1
		if _, err := consent.OpenGrant(changed, s.ids); err == nil {
			t.Fatalf("byte %d of %d changed is not noticed", i, len(data))
		}
	}
	for _, n := range []int{0, 1, 20, len(data) / 2, len(data) - 1} {
		if _, err := consent.OpenGrant(data[:n], s.ids); err == nil {
			t.Errorf("%d of %d bytes are opened", n, len(data))
		}
	}
	p := vault.Package{Consent: g.Handle}
	if err := g.ShowIn(&p); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(p.Terms, []byte("P-001")) {
		t.Errorf("a recipient is shown %s", p.Terms)
	}
	shown, given, err := consent.ShownIn(&p)
	if err != nil || given.To != g.Terms.Recipient || len(shown) != len(g.Terms.Parts())-1 {
		t.Fatalf("%d parts of %d, %v", len(shown), len(g.Terms.Parts()), err)
	}
	for what, change := range map[string]func(p *vault.Package){
		"a text": func(p *vault.Package) {
			p.Terms = bytes.Replace(p.Terms, []byte(shown[0].Text), []byte("x"+shown[0].Text[1:]), 1)
		},
		"a path":          func(p *vault.Package) { p.Terms = bytes.Replace(p.Terms, []byte("data/1"), []byte("data/9"), 1) },
		"no terms":        func(p *vault.Package) { p.Terms = nil },
		"cut terms":       func(p *vault.Package) { p.Terms = p.Terms[:len(p.Terms)/2] },
		"no statement":    func(p *vault.Package) { p.Grant = nil },
		"another consent": func(p *vault.Package) { p.Consent[0]++ },
		"another root": func(p *vault.Package) {
			p.Grant = bytes.Replace(p.Grant, []byte(given.Elements.String()), []byte(trial.Hash{9}.String()), 1)
			p.Consent = trial.StatementID(p.Grant)
		},
	} {
		q := p
		if change(&q); q.Consent == p.Consent && bytes.Equal(q.Terms, p.Terms) && bytes.Equal(q.Grant, p.Grant) {
			t.Fatalf("%s: nothing was changed", what)
		}
		if _, _, err := consent.ShownIn(&q); err == nil {
			t.Errorf("%s is not noticed", what)
		}
	}
}

// TestGrantDoesNotFit seals what does not belong together.
func TestGrantDoesNotFit(t *testing.T) {
	s := newSealing(t)
	payload := s.payload()
	seal := func(payload []byte, salt trial.Salt, secret element.Secret, terms *consent.Terms, to string) error {
		_, err := consent.SealGrant(payload, salt, secret, terms, nil, to)
		return err
	}
	if err := seal(payload, trial.Salt{6}, element.Secret{5}, s.terms, s.recipient); err != nil {
		t.Fatal(err)
	}
	exchanged := fullTerms()
	exchanged.Use = []string{"DUO:0000042"}
	end := &trial.Statement{Predicate: &trial.Consent{Common: s.statement.Common, Action: "end", Consent: trial.Hash{1}},
		Subjects: []trial.Subject{{Name: "consent", Digest: trial.Digest{SHA256: trial.Hash{1}}}}}
	ends, err := end.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	rival := s.copy()
	rival.statement.To = "rival"
	classic, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"other terms":         {seal(payload, trial.Salt{6}, element.Secret{5}, exchanged, s.recipient), "they were exchanged"},
		"another salt":        {seal(payload, trial.Salt{7}, element.Secret{5}, s.terms, s.recipient), "they were exchanged"},
		"another secret":      {seal(payload, trial.Salt{6}, element.Secret{4}, s.terms, s.recipient), "they were exchanged"},
		"an end":              {seal(ends, trial.Salt{6}, element.Secret{5}, s.terms, s.recipient), "grants no consent"},
		"for somebody else":   {seal(rival.payload(), trial.Salt{6}, element.Secret{5}, s.terms, s.recipient), "terms are for lab, and the statement is for rival"},
		"a classic recipient": {seal(payload, trial.Salt{6}, element.Secret{5}, s.terms, classic.Recipient().String()), ""},
		"no recipient":        {seal(payload, trial.Salt{6}, element.Secret{5}, s.terms, ""), ""},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, c.err, c.want)
		}
	}
}

// TestIndexEntry opens an entry with the site's or the backup's identity, and with no other.
func TestIndexEntry(t *testing.T) {
	site, siteRecipient := identity(t)
	backup, backupRecipient := identity(t)
	other, _ := identity(t)
	e := &consent.Entry{ID: trial.Hash{1}, Log: "log.example", Subject: "P-001"}
	data, err := e.Seal(siteRecipient, backupRecipient)
	if err != nil {
		t.Fatal(err)
	}
	for _, ids := range []vault.Identities{site, backup} {
		if got, err := consent.OpenEntry(data, ids); err != nil || got.Subject != "P-001" || got.ID != e.ID {
			t.Errorf("%+v %v", got, err)
		}
	}
	if _, err := consent.OpenEntry(data, other); !errors.Is(err, vault.ErrNotForUs) {
		t.Errorf("by another: %v", err)
	}
	for i := 0; i < len(data); i += 7 {
		changed := bytes.Clone(data)
		changed[i] ^= 1
		// A stanza of the other recipient may be unreadable: the MAC of the header notices that.
		if _, err := consent.OpenEntry(changed, site); err == nil {
			t.Fatalf("byte %d of %d changed is not noticed", i, len(data))
		}
	}
	if _, err := (&consent.Entry{ID: trial.Hash{1}, Log: "log.example"}).Seal(siteRecipient); err == nil {
		t.Error("an entry that names nobody")
	}
}

// FuzzOpenGrant opens what somebody has encrypted to an agent, whatever that is.
func FuzzOpenGrant(f *testing.F) {
	s := newSealing(f)
	plain, err := vault.Decrypt(s.seal([]byte("one")), consent.MaxGrant, s.ids)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(plain)
	f.Add([]byte(`{"type":"trialproof/grant/v1"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := consent.OpenGrant(data, s.ids); err == nil {
			t.Fatal("what is not encrypted is opened")
		}
		sealed, err := vault.Encrypt(data, s.recipient)
		if err != nil {
			t.Fatal(err)
		}
		g, err := consent.OpenGrant(sealed, s.ids)
		if err != nil {
			return
		}
		if p := g.Consent(); g.Terms.Recipient != p.To || p.Action != "grant" {
			t.Fatalf("terms for %s in a statement for %s", g.Terms.Recipient, p.To)
		}
		if tree, _ := g.Tree(); tree.Root() != g.Consent().Elements {
			t.Fatal("other terms")
		}
		p := vault.Package{Consent: g.Handle}
		if err := g.ShowIn(&p); err != nil {
			t.Fatal(err)
		}
		if _, _, err := consent.ShownIn(&p); err != nil {
			t.Fatal(err)
		}
		_ = g.VerifySignature("log.example")
		if _, err := consent.OpenEntry(sealed, s.ids); err == nil {
			t.Fatal("a grant is an entry of an index")
		}
	})
}
