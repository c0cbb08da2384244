//go:build !wasm

package trial_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

const someType = "application/vnd.trialproof.refusal+json"

// TestSignedFile: what was signed is read again, for its own type alone; a statement is no signed
// file, and every change of a byte is refused.
func TestSignedFile(t *testing.T) {
	payload := []byte(`{"reason":"the consent has ended"}`)
	for _, who := range []string{"ada", "p256-bob"} {
		data, err := trial.SignFile(someType, payload, trialtest.Key(who))
		if err != nil {
			t.Fatal(err)
		}
		got, key, err := trial.OpenFile(someType, data)
		if err != nil || string(got) != string(payload) || key != trialtest.Public(who) {
			t.Fatalf("%s: %q, %v", who, got, err)
		}
		if _, _, err := trial.OpenFile("application/json", data); err == nil || !strings.Contains(err.Error(), "application/json") {
			t.Errorf("%s, as another type: %v", who, err)
		}
		for i := range data {
			for _, bit := range []byte{1, 0x20, 0x80} {
				altered := slices.Clone(data)
				altered[i] ^= bit
				if _, _, err := trial.OpenFile(someType, altered); err == nil {
					t.Fatalf("%s: byte %d changed: %s", who, i, altered)
				}
			}
			if _, _, err := trial.OpenFile(someType, data[:i]); err == nil {
				t.Fatalf("%s: cut at byte %d", who, i)
			}
		}

		// The library of DSSE agrees.
		var file struct{ Envelope dsse.Envelope }
		if err := json.Unmarshal(data, &file); err != nil {
			t.Fatal(err)
		}
		v, err := dsse.NewEnvelopeVerifier(ourVerifier{key})
		if err != nil {
			t.Fatal(err)
		}
		if accepted, err := v.Verify(context.Background(), &file.Envelope); err != nil || len(accepted) != 1 {
			t.Errorf("%s: the library says %v, %v", who, accepted, err)
		}
	}
	if _, err := trial.SignFile(trial.PayloadType, payload, trialtest.Key("ada")); err == nil {
		t.Error("a statement is signed as a file")
	}
}

// TestSignedFileOfStatement: a statement's envelope with its key is no signed file of any type
// that is asked for, and a signed file's envelope is no statement.
func TestSignedFileOfStatement(t *testing.T) {
	predicate, subjects := trialtest.Register("N-1")
	envelope, key := trialtest.Sign(t, "ada", predicate, subjects)
	wrapped, err := json.Marshal(map[string]any{"envelope": json.RawMessage(envelope), "key": key})
	if err != nil {
		t.Fatal(err)
	}
	for _, as := range []string{someType, trial.PayloadType} {
		if _, _, err := trial.OpenFile(as, wrapped); err == nil {
			t.Errorf("a statement is opened as %s", as)
		}
	}
	data, err := trial.SignFile(someType, trialtest.Payload(t, predicate, subjects), trialtest.Key("ada"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Envelope json.RawMessage }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if _, err := trial.Check(file.Envelope, key); err == nil {
		t.Error("a signed file's envelope is taken as a statement")
	}
}
