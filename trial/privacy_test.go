package trial_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// hostile are names of people, of their files and of their mailboxes, which a submitter might
// put anywhere.
var hostile = []string{"Ada Lovelace", "Lovelace", "ada@example.org", "/home/ada/Protocol Lovelace v1.pdf", "Protocol_Lovelace.pdf",
	"protocol.pdf", "C:\\Users\\ada\\p.docx", "subject-0042 A.L."}

// TestNoPersonEntersTheLog builds every kind with a committed printed name and sealed
// documents. It looks for the name in the bytes that become public, plain and in the forms in
// which it could hide.
func TestNoPersonEntersTheLog(t *testing.T) {
	_, entries, records, _ := samples(t)
	name, salt := "Ada Lovelace", trial.Salt{1}
	if len(entries) < len(trial.Kinds())+2 {
		t.Fatalf("there are %d samples", len(entries))
	}
	for kind, raw := range entries {
		public := raw
		var w struct{ Envelope trial.Envelope }
		if err := json.Unmarshal(raw, &w); err != nil {
			t.Fatal(err)
		}
		payload, err := base64.StdEncoding.DecodeString(w.Envelope.Payload)
		if err != nil {
			t.Fatal(err)
		}
		if kind != "genesis" && kind != "state" {
			commitment := trial.CommitName(salt, name)
			if !bytes.Contains(payload, []byte(commitment.String())) {
				t.Fatalf("%s: the sample commits to no printed name", kind)
			}
		}
		public = append(append([]byte(nil), raw...), payload...)
		plain, bare := sha256.Sum256([]byte(name)), salt
		for what, secret := range map[string]string{
			"the name": name, "the name's digest": hex.EncodeToString(plain[:]), "the salt": bare.String(),
			"a key's label": "p256-", "a file's digest under seal": hex.EncodeToString(sum("i")), "the seal's salt": trial.Salt{2}.String(),
			"the name in base64": base64.StdEncoding.EncodeToString([]byte(name))[:12],
		} {
			if bytes.Contains(bytes.ToLower(public), []byte(strings.ToLower(secret))) {
				t.Errorf("%s: %s is in the entry", kind, what)
			}
		}
	}
	for kind, data := range records {
		if bytes.Contains(data, []byte("Lovelace")) {
			t.Errorf("record %s names a person", kind)
		}
	}
}

func sum(s string) []byte { h := sha256.Sum256([]byte(s)); return h[:] }

// TestHostileNamesAreRefused puts hostile names wherever a submitter could put text. Members
// with a form of their own accept none of them. Members with text of the sponsor's choosing
// refuse e-mail addresses and paths.
func TestHostileNamesAreRefused(t *testing.T) {
	id := trial.Hash{1}
	docs := func(name string) []trial.Subject { return trialtest.Documents(name, "a") }
	c := trialtest.Common()
	with := func(f func(c *trial.Common)) trial.Common { c := c; f(&c); return c }
	org, _ := trialtest.Org("acme", "Acme", "ada")
	named := func(s string) *trial.Org { o := *org.(*trial.Org); o.Name = s; return &o }
	fields := map[string]func(s string) (trial.Predicate, []trial.Subject){
		"subject": func(s string) (trial.Predicate, []trial.Subject) {
			return &trial.Document{Common: c, Trial: id}, docs(s)
		},
		"appendix": func(s string) (trial.Predicate, []trial.Subject) {
			d := trialtest.Documents("document", "a", "b")
			d[1].Name = s
			return &trial.Document{Common: c, Trial: id}, d
		},
		"meaning": func(s string) (trial.Predicate, []trial.Subject) {
			return &trial.Document{Common: with(func(c *trial.Common) { c.Meaning = s }), Trial: id}, docs("document")
		},
		"scope": func(s string) (trial.Predicate, []trial.Subject) {
			return &trial.Protocol{Common: c, Trial: id, Version: "1", Scope: s}, docs("protocol")
		},
		"analysis": func(s string) (trial.Predicate, []trial.Subject) {
			return &trial.SAP{Common: c, Trial: id, Version: "1", Analysis: s}, docs("sap")
		},
		"event": func(s string) (trial.Predicate, []trial.Subject) {
			return &trial.Milestone{Common: c, Trial: id, Date: "2026", Event: s}, docs("milestone")
		},
		"country": func(s string) (trial.Predicate, []trial.Subject) {
			return &trial.Milestone{Common: c, Trial: id, Date: "2026", Event: "halt", Country: s}, docs("milestone")
		},
		"date": func(s string) (trial.Predicate, []trial.Subject) {
			return &trial.Milestone{Common: c, Trial: id, Date: s, Event: "halt"}, docs("milestone")
		},
		"source": func(s string) (trial.Predicate, []trial.Subject) {
			return &trial.Observation{Common: c, Identifier: "nct:NCT01234567", SeenAt: "2026", Source: s}, docs("observation")
		},
		"seenAt": func(s string) (trial.Predicate, []trial.Subject) {
			return &trial.Observation{Common: c, Identifier: "nct:NCT01234567", SeenAt: s, Source: "journal"}, docs("observation")
		},
		"identifier": func(s string) (trial.Predicate, []trial.Subject) {
			return &trial.Identifier{Common: c, Trial: id, Identifier: s}, trial.NamedSubject("trial", id)
		},
		"org id": func(s string) (trial.Predicate, []trial.Subject) {
			o := named("Acme")
			o.ID = s
			return o, trial.OrgSubjects(o)
		},
		"role": func(s string) (trial.Predicate, []trial.Subject) {
			p, subjects := trialtest.Enrol("acme", "bob", "signer")
			p.(*trial.Key).Role = s
			return p, subjects
		},
		"results analysis": func(s string) (trial.Predicate, []trial.Subject) {
			return &trial.Results{Common: c, Trial: id, Analysis: s}, docs("results")
		},
	}
	free := map[string]func(s string) (trial.Predicate, []trial.Subject){
		"org name": func(s string) (trial.Predicate, []trial.Subject) { o := named(s); return o, trial.OrgSubjects(o) },
		"number":   func(s string) (trial.Predicate, []trial.Subject) { return trialtest.Register(s) },
		"version": func(s string) (trial.Predicate, []trial.Subject) {
			return &trial.Document{Common: c, Trial: id, Version: s}, docs("document")
		},
		"results version": func(s string) (trial.Predicate, []trial.Subject) {
			return &trial.Results{Common: c, Trial: id, Analysis: "final", Version: s}, docs("results")
		},
	}
	for field, build := range fields {
		for _, s := range hostile {
			p, subjects := build(s)
			if _, err := (&trial.Statement{Subjects: subjects, Predicate: p}).Marshal(); trial.RuleOf(err) != trial.RuleMalformed {
				t.Errorf("%s takes %q: %v", field, s, err)
			}
		}
	}
	for field, build := range free {
		for _, s := range []string{"ada@example.org", "Ada <ada@example.org>", "ada＠example.org", "Ada\nLovelace", "\u202eecalevol ada",
			strings.Repeat("x", 300)} {
			p, subjects := build(s)
			if _, err := (&trial.Statement{Subjects: subjects, Predicate: p}).Marshal(); trial.RuleOf(err) != trial.RuleMalformed {
				t.Errorf("%s takes %q: %v", field, s, err)
			}
		}
	}
}

func TestOpenings(t *testing.T) {
	salt, digest := trial.Salt{7}, trial.Hash(sha256.Sum256([]byte("a")))
	c := trialtest.Common()
	c.PrintedName = trial.CommitName(salt, "Ada Lovelace")
	subjects := trialtest.Documents("document", "a", "b")
	subjects[0].Digest = trial.Digest{Salted256: trial.Commit(salt, digest)}
	s := &trial.Statement{Subjects: subjects, Predicate: &trial.Document{Common: c, Trial: trial.Hash{1}}}
	// The commitment is computed here once more, so that it cannot change unnoticed.
	if got, want := trial.Commit(salt, digest), sha256.Sum256(append(salt[:], digest[:]...)); got != want {
		t.Errorf("Commit makes %s", got)
	}
	good := &trial.Openings{Name: "Ada Lovelace", NameSalt: salt, Salts: map[string]trial.Salt{"document": salt}}
	data, err := good.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	o, err := trial.ParseOpenings(data, s)
	if err != nil || o.Name != "Ada Lovelace" {
		t.Fatal(o, err)
	}
	if !o.Matches(subjects[0], digest) || o.Matches(subjects[0], trial.Hash{1}) || o.Matches(subjects[1], digest) ||
		!o.Matches(subjects[1], sha256.Sum256([]byte("b"))) {
		t.Error("Matches matches what it should not, or not what it should")
	}
	if (&trial.Openings{}).Matches(subjects[0], digest) {
		t.Error("a sealed subject matches without its salt")
	}
	for what, o := range map[string]*trial.Openings{
		"another name":          {Name: "Ada Byron", NameSalt: salt},
		"another salt":          {Name: "Ada Lovelace", NameSalt: trial.Salt{8}},
		"no subject":            {Salts: map[string]trial.Salt{"appendix-9": salt}},
		"a subject in the open": {Salts: map[string]trial.Salt{"appendix-1": salt}},
	} {
		data, err := o.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := trial.ParseOpenings(data, s); err == nil {
			t.Errorf("%s opens it", what)
		}
	}
	for what, o := range map[string]*trial.Openings{
		"a name without salt":         {Name: "Ada Lovelace"},
		"a salt without name":         {NameSalt: salt, Salts: map[string]trial.Salt{"document": salt}},
		"a name that writes lines":    {Name: "Ada\nvalid: other.pdf", NameSalt: salt},
		"a name that moves a cursor":  {Name: "\x1b[2JAda", NameSalt: salt},
		"a name that is not UTF-8":    {Name: "Ada \xff", NameSalt: salt},
		"a name written backwards":    {Name: "\u202eecalevol", NameSalt: salt},
		"a name of a hundred of them": {Name: strings.Repeat("Ada ", 100), NameSalt: salt},
	} {
		if data, err := o.Marshal(); err == nil {
			t.Errorf("%s is written as %s", what, data)
		}
		// A signer can commit to any bytes; a receipt that shows them is refused.
		c.PrintedName = trial.CommitName(o.NameSalt, o.Name)
		signed := &trial.Statement{Subjects: subjects, Predicate: &trial.Document{Common: c, Trial: trial.Hash{1}}}
		text, _ := json.Marshal(o)
		if got, err := trial.ParseOpenings(text, signed); err == nil {
			t.Errorf("%s is shown as %q", what, got.Name)
		}
	}
	if data, err := (*trial.Openings)(nil).Marshal(); data != nil || err != nil {
		t.Errorf("no openings are written %q, %v", data, err)
	}
}
