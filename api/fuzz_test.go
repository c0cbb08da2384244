package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/trialtest"
)

// FuzzSplit: a body that is read in one pass is read as any other.
func FuzzSplit(f *testing.F) {
	p, s := trialtest.Org("acme", "Acme", "ada")
	envelope, key := trialtest.Sign(f, "registrar", p, s)
	good := body(envelope, key)
	f.Add(good)
	f.Add(strings.Replace(good, `,"key"`, `,"x":{},"key"`, 1))
	f.Add(strings.Replace(good, `{"payload"`, `{"payload":"","payload"`, 1))
	f.Add(strings.Replace(good, `"key":"`, `"key":"","key":"`, 1))
	f.Add(strings.Replace(good, `"sig":"`, `"sig":"}],"key":"`, 1))
	f.Add(`{"envelope":{"payload":"]}"},"key":"AA=="}`)
	if _, _, ok := quickStatement([]byte(good)); !ok {
		f.Error("a usual body is not read in one pass")
	}
	f.Fuzz(func(t *testing.T, body string) {
		envelope, key, ok := quickStatement([]byte(body))
		if !ok {
			return
		}
		members, err := splitObject([]byte(body), "envelope", "key")
		var text string
		if err == nil {
			err = json.Unmarshal(members["key"], &text)
		}
		if again, kerr := decodeKey(text); err != nil || kerr != nil || !bytes.Equal(again, key) || !bytes.Equal(members["envelope"], envelope) {
			t.Errorf("%q: %q, %q, want %q, %q, %v", body, envelope, key, members["envelope"], again, err)
		}
	})
}

// FuzzStatements: whatever is posted, the server answers that it is not a statement and logs
// nothing, or it is the one statement that was logged before.
func FuzzStatements(f *testing.F) {
	fx := newFixture(f, setup{})
	p, s := trialtest.Org("acme", "Acme", "ada")
	envelope, key := trialtest.Sign(f, "registrar", p, s)
	fx.submit("registrar", p, s)
	size := fx.log.Size()
	good := body(envelope, key)
	f.Add(good)
	f.Add("")
	f.Add("{}")
	f.Add(`{"envelope":{},"key":""}`)
	f.Add(strings.Replace(good, `"sig":"`, `"sig":"A`, 1))
	f.Add(strings.Replace(good, `"payload":"`, `"payload":"e30`, 1))
	f.Add(good[:len(good)/2])
	f.Add(strings.ToUpper(good))
	f.Fuzz(func(t *testing.T, body string) {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, "/v1/statements", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		fx.api.HTTP().ServeHTTP(w, r)
		switch w.Code {
		case http.StatusOK, http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusForbidden:
		default:
			t.Errorf("status %d, %s", w.Code, w.Body)
		}
		if w.Code != http.StatusOK {
			answer{w.Code, w.Header(), w.Body.String()}.wire(t)
		}
		if fx.log.Size() != size {
			t.Error("something was logged")
		}
	})
}
