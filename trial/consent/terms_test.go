package consent_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/consent"
	"github.com/trialproof/trialproof/trial/element"
)

func fullTerms() *consent.Terms {
	return &consent.Terms{Data: []string{"Condition", "Observation"}, Form: trial.Hash{7}, Not: []string{"Organization/54"},
		Period: &consent.Period{Start: "2026-01-01", End: "2027-06-30"}, Recipient: "lab", Subject: "P-001", Trial: "NCT03421379",
		Use: []string{"DUO:0000006", "DUO:0000046"}}
}

// TestTermsFile writes and reads terms, and refuses other bytes for them.
func TestTermsFile(t *testing.T) {
	data, err := fullTerms().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"data":["Condition","Observation"],"form":"0700000000000000000000000000000000000000000000000000000000000000",` +
		`"not":["Organization/54"],"period":{"end":"2027-06-30","start":"2026-01-01"},"recipient":"lab","subject":"P-001",` +
		`"trial":"NCT03421379","type":"trialproof/terms/v1","use":["DUO:0000006","DUO:0000046"]}`
	if string(data) != want {
		t.Errorf("%s", data)
	}
	if _, err := consent.ParseTerms(data); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"a member that is not known":   {`"subject"`, `"study":"x","subject"`},
		"a member twice":               {`"subject":"P-001"`, `"subject":"P-001","subject":"P-002"`},
		"a member in another case":     {`"subject"`, `"Subject"`},
		"white space":                  {`,"subject"`, `, "subject"`},
		"another order":                {`"Condition","Observation"`, `"Observation","Condition"`},
		"one kind twice":               {`"Condition","Observation"`, `"Condition","Condition"`},
		"an empty kind":                {`"Condition","Observation"`, `"","Observation"`},
		"an empty list":                {`["Condition","Observation"]`, `[]`},
		"null":                         {`"P-001"`, `null`},
		"another type":                 {`terms/v1`, `terms/v2`},
		"no recipient":                 {`"lab"`, `""`},
		"no such day":                  {`2027-06-30`, `2027-06-31`},
		"a moment without a zone":      {`2027-06-30`, `2027-06-30T12:00:00`},
		"an hour of one digit":         {`2027-06-30`, `2027-06-30T1:00:00Z`},
		"a comma for a point":          {`2027-06-30`, `2027-06-30T12:00:00,5Z`},
		"an end before the start":      {`2027-06-30`, `2025-06-30`},
		"an empty period":              {`{"end":"2027-06-30","start":"2026-01-01"}`, `{}`},
		"an escape where none is due":  {`P-001`, `\u0050-001`},
		"something behind":             {`"]}`, `"]}{}`},
		"not UTF-8":                    {`P-001`, "P-\xff"},
		"more than terms ever have":    {`P-001`, strings.Repeat("x", consent.MaxTerms)},
		"a kind that is not text":      {`"Condition"`, `7`},
		"a form that is no hash":       {`"0700`, `"07`},
		"a signature with no contents": {`"subject"`, `"signature":{},"subject"`},
	} {
		text := strings.Replace(want, change[0], change[1], 1)
		if text == want {
			t.Fatalf("%s changes nothing", name)
		}
		if terms, err := consent.ParseTerms([]byte(text)); err == nil {
			t.Errorf("%s is read: %+v", name, terms)
		}
	}
}

// TestTermsParts shows each part alone: the others, and that there is no other, stay unsaid.
func TestTermsParts(t *testing.T) {
	terms := fullTerms()
	tree, digest, err := terms.Tree(element.Secret{1})
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, p := range terms.Parts() {
		paths = append(paths, p.Path+"="+p.Text)
	}
	want := "data/1=Condition data/2=Observation form/1=07" + strings.Repeat("0", 62) + " not/1=Organization/54 period/1=2026-01-01/2027-06-30 " +
		"recipient/1=lab subject/1=P-001 trial/1=NCT03421379 use/1=DUO:0000006 use/2=DUO:0000046"
	if got := strings.Join(paths, " "); got != want {
		t.Errorf("parts %s", got)
	}
	again, err := element.New(element.Secret{1}, digest, terms.Parts())
	if err != nil || again.Root() != tree.Root() {
		t.Errorf("the parts give another root: %v", err)
	}
	terms.Subject = "P-002"
	if other, _, err := terms.Tree(element.Secret{1}); err != nil || other.Root() == tree.Root() {
		t.Errorf("another subject gives the same root: %v", err)
	}
}

// TestPermits judges releases by terms.
func TestPermits(t *testing.T) {
	at := func(s string) trial.Time {
		when, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return trial.TimeOf(when)
	}
	noon := at("2026-11-27T12:00:00Z")
	obs, use := []string{"Observation"}, []string{"DUO:0000006", "DUO:0000046"}
	day, moment := &consent.Period{Start: "2026-01-01", End: "2027-06-30"}, &consent.Period{End: "2027-06-30T12:00:00+02:00"}
	for _, c := range []struct {
		name string
		set  func(*consent.Terms)
		ask  consent.Ask
		want string // "" permits
	}{
		{"all fits", nil, consent.Ask{Data: obs, To: "lab", Use: use, At: noon}, ""},
		{"to another", nil, consent.Ask{Data: obs, To: "rival", Use: use, At: noon}, "for lab, not for rival"},
		{"to who is excluded", func(x *consent.Terms) { x.Not = []string{"Organization/lab"} }, consent.Ask{Data: obs, To: "lab", Use: use, At: noon}, "exclude lab"},
		{"more data", nil, consent.Ask{Data: []string{"Observation", "Patient"}, To: "lab", Use: use, At: noon}, "has Patient too"},
		{"data without a label", nil, consent.Ask{To: "lab", Use: use, At: noon}, "does not say what the file has"},
		{"any data", func(x *consent.Terms) { x.Data = nil }, consent.Ask{To: "lab", Use: use, At: noon}, ""},
		{"another use", nil, consent.Ask{Data: obs, To: "lab", Use: []string{"DUO:0000042", "DUO:0000046"}, At: noon}, "the request is for general research"},
		{"without the limit", nil, consent.Ask{Data: obs, To: "lab", Use: []string{"DUO:0000006"}, At: noon}, "non-commercial use"},
		{"no request", nil, consent.Ask{Data: obs, To: "lab", At: noon}, ""},
		{"no request, a code that nobody understands", func(x *consent.Terms) { x.Use = []string{"DUO:0000006", "DUO:0000019"} },
			consent.Ask{Data: obs, To: "lab", At: noon}, "DUO:0000019 is not understood"},
		{"a request, and terms without a use", func(x *consent.Terms) { x.Use = nil }, consent.Ask{Data: obs, To: "lab", Use: use, At: noon}, "no code names a use"},
		{"first moment", func(x *consent.Terms) { x.Period = day }, consent.Ask{Data: obs, To: "lab", Use: use, At: at("2026-01-01T00:00:00Z")}, ""},
		{"just before", func(x *consent.Terms) { x.Period = day }, consent.Ask{Data: obs, To: "lab", Use: use, At: at("2025-12-31T23:59:59.999Z")},
			"the terms begin on 2026-01-01 00:00:00.000 UTC, and it is 2025-12-31"},
		{"last moment", func(x *consent.Terms) { x.Period = day }, consent.Ask{Data: obs, To: "lab", Use: use, At: at("2027-06-30T23:59:59.999Z")}, ""},
		{"just after", func(x *consent.Terms) { x.Period = day }, consent.Ask{Data: obs, To: "lab", Use: use, At: at("2027-07-01T00:00:00Z")},
			"the terms ended on 2027-06-30 23:59:59.999 UTC, and it is 2027-07-01"},
		{"a moment", func(x *consent.Terms) { x.Period = moment }, consent.Ask{Data: obs, To: "lab", Use: use, At: at("2027-06-30T10:00:00Z")}, ""},
		{"after a moment", func(x *consent.Terms) { x.Period = moment }, consent.Ask{Data: obs, To: "lab", Use: use, At: at("2027-06-30T10:00:00.001Z")}, "ended on"},
		{"no period", func(x *consent.Terms) { x.Period = nil }, consent.Ask{Data: obs, To: "lab", Use: use, At: at("2099-01-01T00:00:00Z")}, ""},
	} {
		terms := fullTerms()
		if c.set != nil {
			c.set(terms)
		}
		err := terms.Permits(c.ask)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestPatientSignature changes everything that a patient's signature covers.
func TestPatientSignature(t *testing.T) {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, signer := range []crypto.Signer{ed, p256} {
		s := newSealing(t)
		s.sign(signer)
		if err := s.open().VerifySignature("log.example"); err != nil {
			t.Fatal(err)
		}
		if err := s.open().VerifySignature("other.example"); err == nil {
			t.Error("it counts for another log")
		}
		for name, change := range map[string]func(*sealing){
			"another lock, as of an ended consent that is given again": func(s *sealing) { s.statement.Lock = trial.Hash{9} },
			"another recipient":  func(s *sealing) { s.statement.To, s.terms.Recipient = "rival", "rival" },
			"one agent more":     func(s *sealing) { s.statement.Agents = []string{"ngo", "site-a"} },
			"a later end":        func(s *sealing) { s.statement.Until = "2099" },
			"more data":          func(s *sealing) { s.terms.Data = append(s.terms.Data, "Patient") },
			"no data":            func(s *sealing) { s.terms.Data = nil },
			"another form":       func(s *sealing) { s.terms.Form = trial.Hash{8} },
			"nobody excluded":    func(s *sealing) { s.terms.Not = nil },
			"a longer period":    func(s *sealing) { s.terms.Period = &consent.Period{Start: "2026-01-01", End: "2027-07-01"} },
			"another person":     func(s *sealing) { s.terms.Subject = "P-002" },
			"another trial":      func(s *sealing) { s.terms.Trial = "NCT00000000" },
			"a wider use":        func(s *sealing) { s.terms.Use = []string{"DUO:0000042"} },
			"a signature broken": func(s *sealing) { s.terms.Signature = &consent.Signature{Key: s.terms.Signature.Key, Sig: "AAAA"} },
			"a key broken":       func(s *sealing) { s.terms.Signature = &consent.Signature{Key: "AAAA", Sig: s.terms.Signature.Sig} },
			"base64 with spare bits": func(s *sealing) {
				sig := strings.TrimRight(s.terms.Signature.Sig, "=")
				s.terms.Signature = &consent.Signature{Key: s.terms.Signature.Key, Sig: sig[:len(sig)-1] + "/" + s.terms.Signature.Sig[len(sig):]}
			},
			"another's key": func(s *sealing) {
				_, other, _ := ed25519.GenerateKey(rand.Reader)
				key, err := trial.NewPublicKey(other.Public())
				if err != nil {
					t.Fatal(err)
				}
				s.terms.Signature = &consent.Signature{Key: base64Std(key.SPKI()), Sig: s.terms.Signature.Sig}
			},
		} {
			changed := s.copy()
			change(changed)
			if err := changed.open().VerifySignature("log.example"); err == nil {
				t.Errorf("%T: %s goes unnoticed", signer, name)
			}
		}
	}
}

func FuzzParseTerms(f *testing.F) {
	data, err := fullTerms().Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"recipient":"lab","type":"trialproof/terms/v1"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		terms, err := consent.ParseTerms(data)
		if err != nil {
			return
		}
		again, err := terms.Marshal()
		if err != nil || string(again) != string(data) {
			t.Fatalf("%s is read, and written as %s: %v", data, again, err)
		}
		_ = terms.Permits(consent.Ask{To: terms.Recipient, Data: terms.Data, Use: terms.Use})
		if _, _, err := terms.Tree(element.Secret{}); err != nil {
			t.Logf("no tree: %v", err)
		}
	})
}
