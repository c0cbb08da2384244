package api

import (
	"crypto"
	"crypto/ed25519"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestRelay ends a consent for somebody who has only its code.
func TestRelay(t *testing.T) {
	f := newFixture(t, setup{relay: trialtest.Key("rita")})
	for org, who := range map[string]string{"acme": "ada", "relay": "rita"} {
		p, s := trialtest.Org(org, org, who)
		f.submit("registrar", p, s)
	}
	code, other := strings.Repeat("A", 32), strings.Repeat("B", 32)
	grant := func(n byte) trial.Hash {
		return f.submit("ada", &trial.Consent{Common: trialtest.Common(), Action: "grant", Agents: []string{"acme"}, Elements: trial.Hash{n},
			Lock: trial.ConsentLock(code), Org: "acme", To: "acme"},
			[]trial.Subject{{Name: "consent", Digest: trial.Digest{Salted256: trial.Hash{n}}}}).ID
	}
	consent, granted := grant(1), grant(2)
	ask := func(body string) answer {
		return f.send("POST", "/relay/end", body, "Content-Type", "application/json")
	}
	request := func(code string, consent trial.Hash, erase bool) string {
		return fmt.Sprintf(`{"code":%q,"consent":%q,"erase":%v}`, code, consent, erase)
	}
	for _, c := range []struct {
		what, body string
		status     int
		rule       trial.Rule
	}{
		{"another code", request(other, consent, false), http.StatusForbidden, trial.RuleRole},
		{"no code", request("", consent, false), http.StatusBadRequest, trial.RuleMalformed},
		{"a code in lower case", request(strings.ToLower(code), consent, false), http.StatusBadRequest, trial.RuleMalformed},
		{"an unknown consent", request(code, trial.Hash{9}, false), http.StatusNotFound, trial.RuleUnknown},
		{"no consent", request(code, trial.Hash{}, false), http.StatusBadRequest, trial.RuleMalformed},
		{"a member less", fmt.Sprintf(`{"code":%q,"consent":%q}`, code, consent), http.StatusBadRequest, trial.RuleMalformed},
		{"a member more", strings.Replace(request(code, consent, false), "{", `{"org":"acme",`, 1), http.StatusBadRequest, trial.RuleMalformed},
		{"not UTF-8", strings.Replace(request(code, consent, false), "AAAA", "\xff", 1), http.StatusBadRequest, trial.RuleMalformed},
		{"cut short", request(code, consent, false)[:80], http.StatusBadRequest, trial.RuleMalformed},
		{"too long", request(strings.Repeat("A", maxBody), consent, false), http.StatusRequestEntityTooLarge, trial.RuleLimit},
	} {
		if a := ask(c.body); a.status != c.status || a.wire(t).Rule != string(c.rule) {
			t.Errorf("%s: %d %s", c.what, a.status, a.body)
		}
	}
	if a := f.send("POST", "/relay/end", request(code, consent, false), "Content-Type", "text/plain"); a.status != http.StatusUnsupportedMediaType {
		t.Errorf("as text: %d %s", a.status, a.body)
	}
	if a := ask(request(code, consent, true)); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := ask(request(code, consent, false)); a.status != http.StatusConflict || a.wire(t).Rule != string(trial.RuleTaken) {
		t.Errorf("again: %d %s", a.status, a.body)
	}
	for id, want := range map[trial.Hash]bool{consent: true, granted: false} {
		a := f.get("/v1/history?kind=consent&id=" + id.String())
		if got := strings.Contains(a.body, `\"ended\":`); a.status != http.StatusOK || got != want || want != strings.Contains(a.body, `\"erase\":true`) {
			t.Errorf("consent %s: ended %v, want %v: %s", id, got, want, a.body)
		}
	}
}

func TestNoRelay(t *testing.T) {
	f := newFixture(t, setup{})
	a := f.send("POST", "/relay/end", "{}", "Content-Type", "application/json")
	if a.status != http.StatusNotFound || !strings.Contains(a.body, "ask another relay") {
		t.Errorf("%d %s", a.status, a.body)
	}
	if _, err := New(Config{Log: f.log, Relay: smallKey{}}); err == nil {
		t.Error("a relay's key of an unknown kind is taken")
	}
}

// smallKey is a key that can sign nothing here.
type smallKey struct{ ed25519.PrivateKey }

func (smallKey) Public() crypto.PublicKey { return "none" }
