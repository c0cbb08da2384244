package trial_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// Whatever a parser accepts, it writes again byte for byte: there is only one encoding, so a
// hash of the bytes stands for what they say.

func FuzzParseStatement(f *testing.F) {
	statements, _, _, _ := samples(f)
	for _, data := range statements {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := trial.ParseStatement(data)
		if err != nil {
			if trial.RuleOf(err) == "" {
				t.Fatalf("no refusal: %v", err)
			}
			return
		}
		again, err := s.Marshal()
		if err != nil || !bytes.Equal(again, data) {
			t.Fatalf("reads\n%s\nwrites\n%s\n%v", data, again, err)
		}
	})
}

func FuzzParseEntry(f *testing.F) {
	_, entries, _, _ := samples(f)
	genuine := map[string]bool{}
	for _, data := range entries {
		f.Add(data)
		genuine[string(data)] = true
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := trial.ParseEntry(data)
		if err != nil {
			if trial.RuleOf(err) == "" {
				t.Fatalf("no refusal: %v", err)
			}
			return
		}
		if !bytes.Equal(e.Raw, data) {
			t.Fatal("Raw is something else")
		}
		var again []byte
		switch {
		case e.Genesis != nil:
			again, err = e.Genesis.Marshal()
		case e.State != nil:
			again, err = marshal(e.State)
		default:
			again, err = marshal(struct {
				Envelope trial.Envelope `json:"envelope"`
				Signer   trial.Signer   `json:"signer"`
				Time     trial.Time     `json:"time"`
				Type     string         `json:"type"`
			}{e.Statement.Envelope, e.Signer, e.Time, "statement"})
			if e.Verify() == nil && !slices.ContainsFunc(slices.Collect(maps.Keys(genuine)), func(g string) bool {
				return strings.Contains(g, e.Statement.Envelope.Signatures[0].Sig)
			}) {
				t.Fatalf("a signature that nobody made verifies: %s", data)
			}
		}
		if err != nil || !bytes.Equal(again, data) {
			t.Fatalf("reads\n%s\nwrites\n%s\n%v", data, again, err)
		}
	})
}

func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), err
}

func FuzzParseRecord(f *testing.F) {
	_, _, records, _ := samples(f)
	for kind, data := range records {
		f.Add(kind, data)
	}
	f.Fuzz(func(t *testing.T, kind string, data []byte) {
		r, err := trial.ParseRecord(kind, data)
		if err != nil {
			return
		}
		again, err := trial.MarshalRecord(r)
		if err != nil || !bytes.Equal(again, data) {
			t.Fatalf("reads\n%s\nwrites\n%s\n%v", data, again, err)
		}
		if r.RecordKey().Kind != kind {
			t.Fatalf("a record of %s has the key %v", kind, r.RecordKey())
		}
		// A record that was read can be extended.
		before := r.EntryTree().Root()
		r.EntryTree().Add(1, trial.Hash{})
		if r.EntryTree().Root() == before {
			t.Fatal("Add did not change the root")
		}
		if id, ok := r.(*trial.IdentifierRecord); ok {
			id.Disputed()
		}
	})
}

func FuzzCheck(f *testing.F) {
	statements, _, _, _ := samples(f)
	genuine := map[string]bool{}
	for _, who := range []string{"ada", "p256-bob"} {
		for _, payload := range statements {
			env, err := trial.Sign(payload, trialtest.Key(who))
			if err != nil {
				f.Fatal(err)
			}
			f.Add(env, trialtest.Public(who).SPKI())
			genuine[string(env)] = true
		}
	}
	f.Fuzz(func(t *testing.T, env, key []byte) {
		s, err := trial.Check(env, key)
		if err != nil {
			if trial.RuleOf(err) == "" || s != nil {
				t.Fatalf("no refusal, or a statement with it: %v", err)
			}
			return
		}
		if !genuine[string(env)] {
			t.Fatalf("an envelope that nobody signed is accepted: %s", env)
		}
		if again, err := marshal(s.Envelope); err != nil || !bytes.Equal(again, env) {
			t.Fatalf("reads\n%s\nwrites\n%s\n%v", env, again, err)
		}
		if !bytes.Equal(s.Key.SPKI(), key) {
			t.Fatal("verified by another key")
		}
	})
}

func FuzzParseOpenings(f *testing.F) {
	statements, _, _, _ := samples(f)
	s, err := trial.ParseStatement(statements["document"])
	if err != nil {
		f.Fatal(err)
	}
	seed, err := (&trial.Openings{Name: "Ada Lovelace", NameSalt: trial.Salt{1}, Salts: map[string]trial.Salt{"appendix-1": {2}}}).Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := trial.ParseOpenings(data, s)
		if err != nil {
			return
		}
		if again, err := o.Marshal(); err != nil || !bytes.Equal(again, data) {
			t.Fatalf("reads\n%s\nwrites\n%s\n%v", data, again, err)
		}
		if o.Name != "" && o.Name != "Ada Lovelace" {
			t.Fatalf("the name %q was never signed", o.Name)
		}
	})
}

func FuzzParseHashAndTime(f *testing.F) {
	f.Add(trial.Hash{1}.String())
	f.Add(trialtest.Start.String())
	f.Add("2024-02-29T23:59:59.999Z")
	f.Add("9999-12-31T23:59:59.999Z")
	f.Fuzz(func(t *testing.T, s string) {
		if h, err := trial.ParseHash(s); err == nil && h.String() != s {
			t.Fatalf("%q is read as %s", s, h)
		}
		var at trial.Time
		if err := at.UnmarshalText([]byte(s)); err == nil {
			if again, err := at.MarshalText(); err != nil || string(again) != s {
				t.Fatalf("%q is read as %s (%v)", s, again, err)
			}
			if trial.TimeOf(at.Std()) != at {
				t.Fatalf("%q and time.Time part", s)
			}
		}
	})
}
