package api

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/trialproof/trialproof/api/trialpb"
	"github.com/trialproof/trialproof/trial"
)

// A patient has no key. Who has the code of a consent asks a relay to end it: the relay signs
// that for its own organisation, which the rules allow anyone who shows the code. Nothing else
// is signed by this key, and nobody is asked who they are.

// relayEnd serves POST /relay/end with {"code":CODE,"consent":HANDLE,"erase":BOOL}.
func (s *Server) relayEnd(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	if s.relay == nil {
		s.fail(w, r, notFound("this log relays no ends of consents: ask another relay, or the organisation that granted the consent"))
		return
	}
	body, err := s.submitted(w, r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	end, err := readEnd(body)
	if err != nil {
		s.metrics.Refused(trial.RuleOf(err))
		s.fail(w, r, err)
		return
	}
	m, err := s.end(r.Context(), end)
	s.answer(w, r, m, err)
}

// readEnd reads what a relay is asked. Every error is a refusal.
func readEnd(r io.Reader) (*trial.Consent, error) {
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	members, err := splitObject(body, "code", "consent", "erase")
	if err != nil {
		return nil, malformed("request: %v", err)
	}
	p := &trial.Consent{Action: "end"}
	for name, v := range map[string]any{"code": &p.Code, "consent": &p.Consent, "erase": &p.Erase} {
		if json.Unmarshal(members[name], v) != nil {
			return nil, malformed("request: the member %s does not have its form", name)
		}
	}
	if err := trial.CheckCode(p.Code); err != nil { // without it the relay's own word would end the consents that it granted
		return nil, malformed("%v", err)
	}
	return p, nil
}

// end signs and submits the end of a consent.
func (s *Server) end(ctx context.Context, p *trial.Consent) (*trialpb.Receipt, error) {
	p.Common = trial.Common{Log: s.service.log.Origin(), Meaning: "responsibility", SignedAt: trial.TimeOf(s.now())}
	payload, err := (&trial.Statement{Predicate: p, Subjects: trial.NamedSubject("consent", p.Consent)}).Marshal()
	if err != nil {
		return nil, err
	}
	envelope, err := trial.Sign(payload, s.relay)
	if err != nil {
		return nil, err
	}
	key, err := trial.NewPublicKey(s.relay.Public())
	if err != nil {
		return nil, err
	}
	return s.service.submit(ctx, envelope, key.SPKI())
}

// checkRelay refuses a key that cannot sign for a relay.
func checkRelay(relay crypto.Signer) error {
	if relay == nil {
		return nil
	}
	if _, err := trial.NewPublicKey(relay.Public()); err != nil {
		return errors.Join(errors.New("api: Config.Relay"), err)
	}
	return nil
}
