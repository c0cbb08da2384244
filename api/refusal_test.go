package api

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestRefusals: a submission is refused with its rule's id over JSON, gRPC and package client
// alike, and nothing is logged.
func TestRefusals(t *testing.T) {
	f := newFixture(t, setup{})
	id := f.enrol()
	org, subjects := trialtest.Org("other", "Other", "eve")
	f.submit("registrar", org, subjects)
	for _, who := range []string{"sam", "rex", "lim", "p256-pia"} {
		p, s := trialtest.Enrol("acme", who, trial.RoleSigner)
		f.submit("ada", p, s)
	}
	revoked := trialtest.Public("rex").ID()
	f.submit("ada", &trial.Key{Common: trialtest.Common(), Action: "revoke", Org: "acme", Revoke: revoked}, trial.NamedSubject("key",
		revoked))
	limited := trialtest.Public("lim").ID()
	f.submit("ada", &trial.Key{Common: trialtest.Common(), Action: "limit", Org: "acme", Limit: limited,
		Limits: &trial.KeyLimits{Kinds: []string{"sap"}}}, trial.NamedSubject("key", limited))
	protocol := func(version string, previous trial.Hash) (trial.Predicate, []trial.Subject) {
		return &trial.Protocol{Common: trialtest.Common(), Previous: previous, Scope: trial.ScopeGlobal, Trial: id, Version: version},
			trialtest.Documents("protocol", version)
	}
	p, s := protocol("1.0", trial.Hash{})
	v1 := f.submit("ada", p, s).ID
	p, s = protocol("2.0", v1)
	f.submit("ada", p, s)

	document := func(edit func(*trial.Document)) (trial.Predicate, []trial.Subject) {
		d := &trial.Document{Common: trialtest.Common(), Trial: id, Version: "9"}
		edit(d)
		return d, trialtest.Documents("document", "nine")
	}
	// payload signs what is no canonical or well-formed statement.
	payload := func(edit func(string) string) (envelope, key []byte) {
		t.Helper()
		was := string(trialtest.Payload(t, &trial.Document{Common: trialtest.Common(), Trial: id, Version: "nine"},
			trialtest.Documents("document", "nine")))
		now := edit(was)
		if now == was {
			t.Fatal("nothing changed")
		}
		envelope, err := trial.Sign([]byte(now), trialtest.Key("ada"))
		fatal(t, err)
		return envelope, trialtest.Public("ada").SPKI()
	}
	replace := func(old, new string) func(string) string {
		return func(s string) string { return strings.Replace(s, old, new, 1) }
	}
	type statement struct{ envelope, key []byte }
	of := func(envelope, key []byte) statement { return statement{envelope, key} }
	sign := func(who string, p trial.Predicate, s []trial.Subject) statement {
		t.Helper()
		return of(trialtest.Sign(t, who, p, s))
	}
	plain := func(*trial.Document) {}
	doc, docSubjects := document(plain)
	ada := sign("ada", doc, docSubjects)
	stale, staleSubjects := protocol("3.0", v1)
	second, secondSubjects := protocol("1.1", trial.Hash{})
	taken := &trial.Registration{Common: trialtest.Common(), Masked: true, Number: "X-1", Org: "acme"}
	enrol, enrolSubjects := trialtest.Enrol("acme", "new", trial.RoleSigner)
	unknown, unknownSubjects := document(func(d *trial.Document) { d.Trial = trial.Hash{1} })
	otherLog, otherLogSubjects := document(func(d *trial.Document) { d.Log = "elsewhere.example" })
	late, lateSubjects := document(func(d *trial.Document) { d.SignedAt = trial.TimeOf(trialtest.Start.Std().Add(time.Hour)) })
	pia := sign("p256-pia", doc, docSubjects)

	g := newGolden(t, "refusals")
	for _, c := range []struct {
		name   string
		st     statement
		rule   trial.Rule
		status int
		code   code.Code
	}{
		{"payload not canonical", of(payload(replace(`","`, `", "`))), "R1", 400, code.Code_INVALID_ARGUMENT},
		{"unknown member", of(payload(replace(`"version":`, `"url":"x","version":`))), "R1", 400, code.Code_INVALID_ARGUMENT},
		{"duplicate member", of(payload(replace(`"version":"nine"`, `"version":"nine","version":"nine"`))), "R1", 400,
			code.Code_INVALID_ARGUMENT},
		{"truncated JSON", of(payload(func(s string) string { return s[:len(s)-2] })), "R1", 400, code.Code_INVALID_ARGUMENT},
		{"not UTF-8", of(payload(replace("nine", "nin\xff"))), "R1", 400, code.Code_INVALID_ARGUMENT},
		{"control character", of(payload(replace("nine", `ni\u0001ne`))), "R1", 400, code.Code_INVALID_ARGUMENT},
		{"key is none", of(ada.envelope, ada.key[1:]), "R1", 400, code.Code_INVALID_ARGUMENT},
		{"oversized statement", of(payload(replace("nine", strings.Repeat("n", trial.MaxStatement)))), "R2",
			http.StatusRequestEntityTooLarge, code.Code_INVALID_ARGUMENT},
		{"oversized envelope", of(payload(replace("nine", strings.Repeat("n", 50_000)))), "R2", http.StatusRequestEntityTooLarge,
			code.Code_INVALID_ARGUMENT},
		{"unknown key", sign("nobody", doc, docSubjects), "R3", http.StatusForbidden, code.Code_PERMISSION_DENIED},
		{"wrong key", of(ada.envelope, trialtest.Public("sam").SPKI()), "R4", 400, code.Code_INVALID_ARGUMENT},
		{"signature by another", of(swapSignature(t, ada.envelope, sign("sam", doc, docSubjects).envelope), ada.key), "R4", 400,
			code.Code_INVALID_ARGUMENT},
		{"flipped ECDSA signature", of(flipS(t, pia.envelope), pia.key), "R4", 400, code.Code_INVALID_ARGUMENT},
		{"other log", sign("ada", otherLog, otherLogSubjects), "R5", 400, code.Code_INVALID_ARGUMENT},
		{"revoked key", sign("rex", doc, docSubjects), "R6", http.StatusForbidden, code.Code_PERMISSION_DENIED},
		{"signer enrols", sign("sam", enrol, enrolSubjects), "R7", http.StatusForbidden, code.Code_PERMISSION_DENIED},
		{"other organisation's trial", sign("eve", doc, docSubjects), "R8", http.StatusForbidden, code.Code_PERMISSION_DENIED},
		{"unknown trial", sign("ada", unknown, unknownSubjects), "R9", http.StatusNotFound, code.Code_NOT_FOUND},
		{"stale predecessor", sign("ada", stale, staleSubjects), "R10", http.StatusConflict, code.Code_FAILED_PRECONDITION},
		{"second head", sign("ada", second, secondSubjects), "R10", http.StatusConflict, code.Code_FAILED_PRECONDITION},
		{"number taken", sign("ada", taken, trial.NumberSubject("X-1")), "R11", http.StatusConflict, code.Code_ALREADY_EXISTS},
		{"beyond the key's limits", sign("lim", doc, docSubjects), "R17", http.StatusForbidden, code.Code_PERMISSION_DENIED},
		{"signed later", sign("ada", late, lateSubjects), "R12", 400, code.Code_INVALID_ARGUMENT},
	} {
		t.Run(c.name, func(t *testing.T) {
			size := f.log.Size()
			a := f.post(body(c.st.envelope, c.st.key))
			g.add(c.name, a)
			w := a.wire(t)
			if a.status != c.status || w.Rule != string(c.rule) || w.Code != c.code.String() ||
				!strings.HasPrefix(w.Message, string(c.rule)+": "+trial.RuleText(c.rule)+": ") {
				t.Errorf("JSON: status %d, %+v", a.status, w)
			}
			_, err := f.grpc.Submit(t.Context(), message(t, c.st.envelope, c.st.key))
			st := status.Convert(err)
			if code.Code(st.Code()) != c.code || st.Message() != w.Message {
				t.Errorf("gRPC: %v, JSON: %s", err, w.Message)
			}
			if len(st.Details()) != 1 {
				t.Fatalf("gRPC details %v", st.Details())
			}
			if info, ok := st.Details()[0].(*errdetails.ErrorInfo); !ok || info.Reason != string(c.rule) || info.Domain != "trialproof" {
				t.Errorf("gRPC detail %v", st.Details()[0])
			}
			_, err = f.client.Submit(t.Context(), c.st.envelope, c.st.key)
			if r, ok := errors.AsType[*trial.Refusal](err); !ok || r.Rule != c.rule || r.Error() != w.Message {
				t.Errorf("client: %v", err)
			}
			if f.log.Size() != size {
				t.Errorf("the size went from %d to %d", size, f.log.Size())
			}
		})
	}
	// The same statement sent again at once may share the refusal.
	if a := f.get("/metrics"); !regexp.MustCompile(`trialproof_refused_total{rule="R3"} [123]\n`).MatchString(a.body) {
		t.Error("refusals are not counted")
	}
	// What was refused only because of its encoding is admitted in the canonical one.
	if a := f.post(body(pia.envelope, pia.key)); a.status != http.StatusOK {
		t.Errorf("status %d, %s", a.status, a.body)
	}
}

// editSignature returns an envelope with another signature in it.
func editSignature(t *testing.T, envelope []byte, edit func(sig []byte) []byte) []byte {
	t.Helper()
	var e wireEnvelope
	fatal(t, json.Unmarshal(envelope, &e))
	sig, err := base64.StdEncoding.DecodeString(e.Signatures[0].Sig)
	fatal(t, err)
	e.Signatures[0].Sig = base64.StdEncoding.EncodeToString(edit(sig))
	if bytes.Equal(e.marshal(), envelope) {
		t.Fatal("the signature is the same")
	}
	return e.marshal()
}

func swapSignature(t *testing.T, envelope, other []byte) []byte {
	t.Helper()
	var e wireEnvelope
	fatal(t, json.Unmarshal(other, &e))
	return editSignature(t, envelope, func([]byte) []byte {
		sig, err := base64.StdEncoding.DecodeString(e.Signatures[0].Sig)
		fatal(t, err)
		return sig
	})
}

// flipS makes the second valid ECDSA signature from one.
func flipS(t *testing.T, envelope []byte) []byte {
	t.Helper()
	return editSignature(t, envelope, func(sig []byte) []byte {
		var v struct{ R, S *big.Int }
		_, err := asn1.Unmarshal(sig, &v)
		fatal(t, err)
		v.S.Sub(trialtest.Key("p256-pia").Public().(*ecdsa.PublicKey).Params().N, v.S)
		flipped, err := asn1.Marshal(v)
		fatal(t, err)
		return flipped
	})
}
