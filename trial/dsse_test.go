//go:build !wasm

package trial_test

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// ourVerifier lets the library, which knows no key types, ask our Verify about
// the bytes that its own pre-authentication encoding came to.
type ourVerifier struct{ key trial.PublicKey }

func (v ourVerifier) Verify(_ context.Context, data, sig []byte) error {
	return v.key.Verify(data, sig)
}
func (v ourVerifier) KeyID() (string, error)   { return v.key.ID().String(), nil }
func (v ourVerifier) Public() crypto.PublicKey { return nil }

// ourSigner signs what the library hands it.
type ourSigner struct {
	ourVerifier
	who string
}

func (s ourSigner) Sign(_ context.Context, data []byte) ([]byte, error) {
	return trial.SignBytes(trialtest.Key(s.who), data)
}

// TestLibraryDSSE: the reference library accepts our envelopes and refuses
// altered ones; what it signs, spelt our way, we accept.
func TestLibraryDSSE(t *testing.T) {
	ctx := context.Background()
	for _, who := range []string{"ada", "p256-bob"} {
		key := trialtest.Public(who)
		v, err := dsse.NewEnvelopeVerifier(ourVerifier{key})
		if err != nil {
			t.Fatal(err)
		}
		payload := document(t, "a")
		ours, err := trial.Sign(payload, trialtest.Key(who))
		if err != nil {
			t.Fatal(err)
		}
		var e dsse.Envelope
		if err := json.Unmarshal(ours, &e); err != nil {
			t.Fatal(err)
		}
		accepted, err := v.Verify(ctx, &e)
		if err != nil || len(accepted) != 1 || accepted[0].KeyID != key.ID().String() {
			t.Fatalf("%s: the library says %v, %v", who, accepted, err)
		}
		for what, alter := range map[string]func(e *dsse.Envelope){
			"payload":     func(e *dsse.Envelope) { e.Payload = b64.EncodeToString(document(t, "b")) },
			"payloadType": func(e *dsse.Envelope) { e.PayloadType = "application/vnd.in-toto+xml" },
			"sig": func(e *dsse.Envelope) {
				sig := decode64(t, e.Signatures[0].Sig)
				sig[len(sig)-1] ^= 1
				e.Signatures[0].Sig = b64.EncodeToString(sig)
			},
		} {
			altered := e
			altered.Signatures = append([]dsse.Signature(nil), e.Signatures...)
			alter(&altered)
			if _, err := v.Verify(ctx, &altered); err == nil {
				t.Errorf("%s: the library accepts an altered %s", who, what)
			}
			data, _ := json.Marshal(altered)
			if _, err := trial.Check(data, key.SPKI()); err == nil {
				t.Errorf("%s: we accept an altered %s", who, what)
			}
		}

		signer, err := dsse.NewEnvelopeSigner(ourSigner{ourVerifier{key}, who})
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := signer.SignPayload(ctx, trial.PayloadType, payload)
		if err != nil {
			t.Fatal(err)
		}
		data := envelope(theirs.Payload, theirs.PayloadType, [2]string{theirs.Signatures[0].KeyID, theirs.Signatures[0].Sig})
		s, err := trial.Check(data, key.SPKI())
		if err != nil || s.ID != trial.StatementID(payload) {
			t.Errorf("%s: what the library signed: %v", who, err)
		}
		if got := dsse.PAE(trial.PayloadType, payload); key.Verify(got, decode64(t, e.Signatures[0].Sig)) != nil {
			t.Errorf("%s: the library encodes %q", who, got)
		}
	}
	var none *trial.Refusal
	if _, err := trial.Check([]byte("{}"), nil); !errors.As(err, &none) {
		t.Errorf("Check returns an error that is no refusal: %v", err)
	}
}
