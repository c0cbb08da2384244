// Package consent has what a consent says and the log does not: its terms, the slip with which a
// patient ends it, the grant by which its agents know it, and how they judge a release.
//
// The log has the grant's commitments alone (package trial, kind consent). The terms are parts of
// a small document, each of which can be shown alone (package element). Standards come in and go
// out here: FHIR Consent, the Data Use Ontology, FHIR AuditEvent.
//
// The package does no I/O. It knows neither where files are kept nor who asks.
package consent

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/element"
	"github.com/trialproof/trialproof/trial/vault"
)

// Terms are what somebody has agreed to. A list that is empty, and a text that is empty, says
// nothing: it does not restrict.
type Terms struct {
	Data      []string   `json:"data,omitempty"`      // what may be released: FHIR resource types or other words, sorted
	Form      trial.Hash `json:"form,omitzero"`       // identity of the statement of the consent form that was signed
	Not       []string   `json:"not,omitempty"`       // who must not receive it: references of the FHIR Consent, sorted
	Period    *Period    `json:"period,omitempty"`    // when it may be released
	Recipient string     `json:"recipient"`           // organisation id
	Signature *Signature `json:"signature,omitempty"` // the patient's own
	Subject   string     `json:"subject,omitempty"`   // whose data: a pseudonym, or a FHIR reference such as Patient/p1
	Trial     string     `json:"trial,omitempty"`     // for which trial alone
	Type      string     `json:"type"`                // termsType
	Use       []string   `json:"use,omitempty"`       // what for: codes of the Data Use Ontology, sorted; see Match
}

const termsType = "trialproof/terms/v1"

// A Period is from Start to End, both included. Either may be empty.
type Period struct {
	End   string `json:"end,omitempty"` // a day such as 2027-06-30, or a moment such as 2027-06-30T12:00:00Z
	Start string `json:"start,omitempty"`
}

// A Signature is a patient's own, made by an app with a key that the log does not know.
type Signature struct {
	Key string `json:"key"` // base64 of the SubjectPublicKeyInfo
	Sig string `json:"sig"` // base64, over SignedTerms
}

// MaxTerms bounds a terms file, in bytes.
const MaxTerms = 64 << 10

// Marshal returns the terms file: canonical JSON (RFC 8785).
func (t *Terms) Marshal() ([]byte, error) {
	t.Type = termsType
	if err := t.check(); err != nil {
		return nil, err
	}
	return vault.Canonical(t)
}

// ParseTerms parses exactly what Marshal returns.
func ParseTerms(data []byte) (*Terms, error) {
	if len(data) > MaxTerms {
		return nil, fmt.Errorf("terms have at most %d bytes, not %d", MaxTerms, len(data))
	}
	t := new(Terms)
	if err := vault.ParseCanonical(data, t); err != nil {
		return nil, err
	}
	return t, t.check()
}

func (t *Terms) check() error {
	if t.Type != termsType {
		return errors.New("these are no terms of a consent")
	}
	if err := trial.CheckOrgID(t.Recipient); err != nil {
		return fmt.Errorf("recipient: %w", err)
	}
	for what, list := range map[string][]string{"data": t.Data, "not": t.Not, "use": t.Use} {
		if len(list) > 100 || !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) || slices.Contains(list, "") {
			return fmt.Errorf("%s has more than 100 entries, is not sorted, or has one twice or empty", what)
		}
	}
	if p := t.Period; p != nil {
		start, end, err := p.bounds()
		if err != nil {
			return err
		}
		if *p == (Period{}) || p.Start != "" && p.End != "" && end.Before(start) {
			return errors.New("the period is empty")
		}
	}
	return nil
}

// periodEnd is the form of an end of a period: a day, or a moment with its zone.
var periodEnd = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2}))?$`)

// bounds returns the first and the last moment of a period; zero where it is open.
func (p *Period) bounds() (start, end time.Time, err error) {
	parse := func(s string, day time.Duration) (time.Time, error) {
		if s == "" {
			return time.Time{}, nil
		}
		if d, err := time.Parse(time.DateOnly, s); err == nil {
			return d.Add(day), nil
		}
		m, err := time.Parse(time.RFC3339, s)
		if err != nil || !periodEnd.MatchString(s) { // time.Parse takes more than RFC 3339
			return m, fmt.Errorf("%.40q is not a day such as 2027-06-30 or a moment such as 2027-06-30T12:00:00Z", s)
		}
		return m, nil
	}
	if start, err = parse(p.Start, 0); err == nil {
		end, err = parse(p.End, 24*time.Hour-time.Millisecond)
	}
	return start, end, err
}

// End returns the last moment of a release, and whether there is one.
func (t *Terms) End() (time.Time, bool) {
	if t.Period == nil || t.Period.End == "" {
		return time.Time{}, false
	}
	_, end, err := t.Period.bounds()
	return end, err == nil
}

// Parts returns the parts of the terms. Each can be shown alone.
func (t *Terms) Parts() (parts []element.Part) {
	add := func(list string, texts ...string) {
		for i, text := range texts {
			if text != "" {
				parts = append(parts, element.Part{Path: list + "/" + strconv.Itoa(i+1), Text: text})
			}
		}
	}
	add("data", t.Data...)
	if !t.Form.IsZero() {
		add("form", t.Form.String())
	}
	add("not", t.Not...)
	if t.Period != nil {
		add("period", t.Period.Start+"/"+t.Period.End)
	}
	add("recipient", t.Recipient)
	if t.Signature != nil {
		add("signature", t.Signature.Key+" "+t.Signature.Sig)
	}
	add("subject", t.Subject)
	add("trial", t.Trial)
	add("use", t.Use...)
	return parts
}

// Tree returns the tree whose root a grant has as elements, and the digest of the terms file.
func (t *Terms) Tree(secret element.Secret) (*element.Tree, trial.Hash, error) {
	data, err := t.Marshal()
	if err != nil {
		return nil, trial.Hash{}, err
	}
	digest := trial.Hash(sha256.Sum256(data))
	tree, err := element.New(secret, digest, t.Parts())
	return tree, digest, err
}

// An Ask is a release that is judged.
type Ask struct {
	Data []string // what the file has
	To   string   // organisation that receives
	Use  []string // what it is requested for; empty: for what the terms allow, and nothing else
	At   trial.Time
}

// Permits returns why the terms do not permit a release, or nil.
func (t *Terms) Permits(a Ask) error {
	if a.To != t.Recipient {
		return fmt.Errorf("the terms are for %s, not for %s", t.Recipient, a.To)
	}
	if slices.ContainsFunc(t.Not, func(ref string) bool { return ref == a.To || strings.HasSuffix(ref, "/"+a.To) }) {
		return fmt.Errorf("the terms exclude %s", a.To)
	}
	if p := t.Period; p != nil {
		start, end, err := p.bounds()
		if err != nil {
			return err
		}
		switch at := a.At.Std(); {
		case p.Start != "" && at.Before(start):
			return fmt.Errorf("the terms begin on %s, and it is %s", trial.TimeOf(start), a.At)
		case p.End != "" && at.After(end):
			return fmt.Errorf("the terms ended on %s, and it is %s", trial.TimeOf(end), a.At)
		}
	}
	if len(t.Data) > 0 {
		if len(a.Data) == 0 {
			return fmt.Errorf("the terms allow %v alone, and FILE.protected does not say what the file has: protect it with -data", t.Data)
		}
		for _, d := range a.Data {
			if !slices.Contains(t.Data, d) {
				return fmt.Errorf("the terms allow %v, and the file has %s too", t.Data, d)
			}
		}
	}
	if len(a.Use) == 0 && len(t.Use) > 0 { // who receives has to keep to them, so they have to be understood
		return checkUse("the terms", t.Use)
	}
	if len(a.Use) == 0 {
		return nil
	}
	return Match(t.Use, a.Use)
}

// SignedTerms returns what a patient signs: the log, the lock, who receives, who hands out, until
// when, and the SHA-256 of the terms without the signature.
func SignedTerms(t *Terms, origin string, lock trial.Hash, to string, agents []string, until string) []byte {
	bare := *t
	bare.Signature = nil
	data, err := bare.Marshal()
	if err != nil {
		return nil // nothing verifies over terms that have no form
	}
	return fmt.Appendf(nil, "trialproof/terms-signature/v1\n%s\n%s\n%s\n%s\n%s\n%x\n", origin, lock, to, strings.Join(agents, ","), until,
		sha256.Sum256(data))
}

// Sign signs the terms with a patient's key.
func (t *Terms) Sign(signer crypto.Signer, message []byte) error {
	key, err := trial.NewPublicKey(signer.Public())
	if err != nil {
		return err
	}
	sig, err := trial.SignBytes(signer, message)
	if err != nil {
		return err
	}
	t.Signature = &Signature{base64.StdEncoding.EncodeToString(key.SPKI()), base64.StdEncoding.EncodeToString(sig)}
	return nil
}

func (t *Terms) verify(message []byte) error {
	strict := base64.StdEncoding.Strict()
	spki, err := strict.DecodeString(t.Signature.Key)
	if err != nil {
		return errors.New("the patient's key is not base64")
	}
	key, err := trial.ParsePublicKey(spki)
	if err != nil {
		return fmt.Errorf("the patient's key: %w", err)
	}
	sig, err := strict.DecodeString(t.Signature.Sig)
	if err != nil || message == nil {
		return errors.New("the patient's signature is not base64")
	}
	if err := key.Verify(message, sig); err != nil {
		return errors.New("the patient did not sign these terms with this lock, recipient, agents and end")
	}
	return nil
}

// strict parses one JSON value without unknown members.
func strict(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("there is something behind the JSON value")
	}
	return nil
}
