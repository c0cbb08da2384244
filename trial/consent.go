package trial

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Consent grants the release of somebody's data to one organisation, or ends that. Whose data,
// which and what for stays in the terms, of which the log has salted commitments alone. The
// identity of the grant is the consent's handle, which says nothing of the person.
//
// To grant, an organisation signs documents named consent, which have salted digests only. To
// end, the subject is named consent; its digest is the handle.
type Consent struct {
	Common
	Action   string   `json:"action"`            // grant or end
	Agents   []string `json:"agents,omitempty"`  // the one or two organisations that release together, sorted
	Code     string   `json:"code,omitempty"`    // that opens the lock; see CheckCode
	Consent  Hash     `json:"consent,omitzero"`  // the handle of the one that ends
	Elements Hash     `json:"elements,omitzero"` // root of the terms, see package element
	Erase    bool     `json:"erase,omitempty"`   // it is also asked that the data be erased
	Lock     Hash     `json:"lock,omitzero"`     // see ConsentLock
	Org      string   `json:"org,omitempty"`     // that grants: the signer's
	To       string   `json:"to,omitempty"`      // the organisation that may receive
	Until    string   `json:"until,omitempty"`   // last month or year in UTC; the exact end is in the terms
}

// ConsentLock returns the lock that a code opens: who knows the code may end the consent.
func ConsentLock(code string) Hash {
	return sha256.Sum256([]byte("trialproof/consent/v1\n" + code))
}

var codeForm = regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{32}$`)

// CheckCode checks the form of the code that ends a consent: 32 characters of Crockford's base
// 32, in upper case.
func CheckCode(code string) error {
	if !codeForm.MatchString(code) {
		return errors.New("the code is not 32 digits and upper-case letters without I, L, O and U")
	}
	return nil
}

func (*Consent) Kind() string { return "consent" }

func (p *Consent) describe([]Subject) string {
	if p.Action == "end" {
		erase := ""
		if p.Erase {
			erase = ", with the request to erase the data"
		}
		return fmt.Sprintf("end of consent %s%s", p.Consent, erase)
	}
	until := ""
	if p.Until != "" {
		until = " until the end of " + p.Until
	}
	return fmt.Sprintf("consent, granted at %s, to releases by %s to %s%s", p.Org, strings.Join(p.Agents, " and "), p.To, until)
}

func (p *Consent) check(subjects []Subject) error {
	switch p.Action {
	case "grant":
		return p.checkGrant(subjects)
	case "end":
		if p.Consent.IsZero() || p.Org != "" || p.To != "" || len(p.Agents) > 0 || p.Until != "" || !p.Lock.IsZero() || !p.Elements.IsZero() {
			return errors.New("to end a consent takes the member consent, and beside it only code and erase")
		}
		if p.Code != "" {
			if err := CheckCode(p.Code); err != nil {
				return err
			}
		}
		return checkNamed(subjects, "consent", p.Consent)
	}
	return fmt.Errorf("action is %.40q; it is grant or end", p.Action)
}

func (p *Consent) checkGrant(subjects []Subject) error {
	if !p.Consent.IsZero() || p.Code != "" || p.Erase {
		return errors.New("to grant a consent takes none of the members code, consent and erase")
	}
	if p.Elements.IsZero() || p.Lock.IsZero() {
		return errors.New("a consent has the members elements and lock")
	}
	if len(p.Agents) != 1 && len(p.Agents) != 2 {
		return errors.New("a consent names one or two agents")
	}
	for _, org := range append([]string{p.Org, p.To}, p.Agents...) {
		if err := CheckOrgID(org); err != nil {
			return err
		}
	}
	if len(p.Agents) == 2 && p.Agents[0] >= p.Agents[1] {
		return errors.New("the agents are not sorted, or one is named twice")
	}
	if p.Until != "" {
		if err := checkDate("until", p.Until); err != nil {
			return err
		}
		if len(p.Until) > len("2027-06") {
			return fmt.Errorf("until is %s; it is a month or a year, because exact days would link consents", p.Until)
		}
	}
	return checkSalted(subjects, "consent")
}

// checkSalted checks subjects that are documents of a kind with salted digests alone.
func checkSalted(subjects []Subject, kind string) error {
	for _, s := range subjects {
		if s.Digest.Salted256.IsZero() {
			return fmt.Errorf("subject %s has no salted digest: plain ones are not admitted here, so give -private", s.Name)
		}
	}
	return checkDocuments(subjects, kind)
}

// own refuses signers who do not act for the organisation named, which is no registrar.
func (t *tx) own(org string) *Refusal {
	if t.signer.Role == RoleRegistrar || t.signer.Org != org {
		return refuse(RuleRole, "only %s can sign this; this key is %s of %s", org, t.signer.Role, t.signer.Org)
	}
	return nil
}

// enrolled refuses organisations that are not. They are read only: what others say of an
// organisation does not become part of its history, or anyone could flood it.
func (t *tx) enrolled(orgs ...string) *Refusal {
	for _, org := range orgs {
		if t.s.get(RecordKey{"org", org}) == nil {
			return refuse(RuleUnknown, "no organisation %s is enrolled", org)
		}
	}
	return nil
}

func unknownConsent(id Hash) *Refusal {
	return refuse(RuleUnknown, "no consent %s is logged", id)
}

func (p *Consent) apply(t *tx, s *Signed) *Refusal {
	if p.Action == "end" {
		return p.end(t)
	}
	if r := t.own(p.Org); r != nil {
		return r
	}
	if r := t.enrolled(append([]string{p.To}, p.Agents...)...); r != nil {
		return r
	}
	if !t.create(&ConsentRecord{
		Agents: p.Agents, ID: s.ID, Index: t.index, Kind: "consent", Lock: p.Lock, Org: p.Org, To: p.To, Until: p.Until,
	}) {
		return refuse(RuleTaken, "consent %s is granted already", s.ID)
	}
	return nil
}

func (p *Consent) end(t *tx) *Refusal {
	rec, ok := edit[*ConsentRecord](t, RecordKey{"consent", p.Consent.String()})
	switch {
	case !ok:
		return unknownConsent(p.Consent)
	case rec.Ended != 0 && (rec.Erase || !p.Erase):
		return refuse(RuleTaken, "consent %s ended at index %d", p.Consent, rec.Ended)
	case p.Code == "" && (t.signer.Role == RoleRegistrar || t.signer.Org != rec.Org):
		return refuse(RuleRole, "without the code, only %s, which granted it, ends consent %s", rec.Org, p.Consent)
	case p.Code != "" && ConsentLock(p.Code) != rec.Lock:
		return refuse(RuleRole, "the code does not belong to consent %s", p.Consent)
	}
	if rec.Ended == 0 {
		rec.Ended = t.index
	}
	rec.Erase = p.Erase
	return nil
}

// ConsentRecord is what the rules remember of a consent.
type ConsentRecord struct {
	Agents   []string `json:"agents"`
	Ended    uint64   `json:"ended,omitempty"` // index
	Entries  Entries  `json:"entries"`
	Erase    bool     `json:"erase,omitempty"`  // it was asked that the data be erased
	Erased   []string `json:"erased,omitempty"` // organisations that say they have erased it, in the order of the log
	ID       Hash     `json:"id"`               // the handle: identity of the grant
	Index    uint64   `json:"index"`            // of the grant
	Kind     string   `json:"kind"`
	Lock     Hash     `json:"lock"`
	Org      string   `json:"org"`
	Releases uint64   `json:"releases,omitempty"` // how often data was released under it, also in an emergency
	To       string   `json:"to"`
	Until    string   `json:"until,omitempty"`
}

// standing refuses what a consent that is over at a time no longer allows.
func (r *ConsentRecord) standing(at Time) *Refusal {
	if r.Ended != 0 {
		return refuse(RuleNotInForce, "consent %s ended at index %d", r.ID, r.Ended)
	}
	if r.Until != "" && at > EndOf(r.Until) {
		return refuse(RuleNotInForce, "consent %s ran until the end of %s", r.ID, r.Until)
	}
	return nil
}

// Standing returns why a consent does not stand at a time, as the rules of a release would
// refuse, or nil.
func (r *ConsentRecord) Standing(at Time) error {
	if refusal := r.standing(at); refusal != nil {
		return refusal
	}
	return nil
}

func (r *ConsentRecord) RecordKey() RecordKey { return RecordKey{"consent", r.ID.String()} }
func (r *ConsentRecord) EntryTree() *Entries  { return &r.Entries }
func (r *ConsentRecord) kind() string         { return r.Kind }
func (r *ConsentRecord) clone() Record        { c := *r; return &c }

func (r *ConsentRecord) share(t sharedTexts) {
	r.Kind, r.Org, r.To, r.Until = t.one(r.Kind), t.one(r.Org), t.one(r.To), t.one(r.Until)
	agents := make([]string, len(r.Agents)) // the grant's own are the entry's, and do not change
	for i, a := range r.Agents {
		agents[i] = t.one(a)
	}
	r.Agents = agents
}

// MarkErasureAsked is the mark of the end of a consent with which erasure is asked for.
const MarkErasureAsked MarkID = "M26"

func (*Consent) meanings() []MarkMeaning {
	return []MarkMeaning{{MarkErasureAsked, "erasure of the data was asked for", WeightExplain}}
}

func (p *Consent) remarks(logged Time, _ func(string) string) []Remark {
	if !p.Erase {
		return nil
	}
	return []Remark{{MarkErasureAsked, fmt.Sprintf("asked for on %s", logged)}}
}

// Erasure is the claim of an organisation that it has erased what it held of the data of a
// consent. Nothing proves that it has. Its one subject is named consent; its digest is the
// consent's handle.
type Erasure struct {
	Common
	Ground string   `json:"ground"` // one of ErasureGrounds
	Of     Hash     `json:"of"`     // handle of the consent
	Org    string   `json:"org"`    // the signer's
	What   []string `json:"what"`   // of ErasureParts, sorted
}

// ErasureGrounds are why data is erased, and ErasureParts what of it.
var (
	ErasureGrounds = []string{"asked", "court-order", "retention-over"}
	ErasureParts   = []string{"file", "key", "openings"}
)

func (*Erasure) Kind() string { return "erasure" }

func (p *Erasure) describe([]Subject) string {
	return fmt.Sprintf("%s says that it has erased the %s of consent %s (%s)", p.Org, strings.Join(p.What, ", "), p.Of, p.Ground)
}

func (p *Erasure) check(subjects []Subject) error {
	if err := CheckOrgID(p.Org); err != nil {
		return err
	}
	if !slices.Contains(ErasureGrounds, p.Ground) {
		return fmt.Errorf("ground is %.40q; it is one of %s", p.Ground, strings.Join(ErasureGrounds, ", "))
	}
	if len(p.What) == 0 {
		return fmt.Errorf("what is empty; it names at least one of %s", strings.Join(ErasureParts, ", "))
	}
	for i, part := range p.What {
		if !slices.Contains(ErasureParts, part) {
			return fmt.Errorf("what has %.40q; it names %s", part, strings.Join(ErasureParts, ", "))
		}
		if i > 0 && p.What[i-1] >= part {
			return errors.New("what is not sorted, or names a part twice")
		}
	}
	return checkNamed(subjects, "consent", p.Of)
}

func (p *Erasure) apply(t *tx, s *Signed) *Refusal {
	if r := t.own(p.Org); r != nil {
		return r
	}
	rec, ok := edit[*ConsentRecord](t, RecordKey{"consent", p.Of.String()})
	if !ok {
		return unknownConsent(p.Of)
	}
	if p.Org != rec.Org && p.Org != rec.To && !slices.Contains(rec.Agents, p.Org) {
		return refuse(RuleHolder, "%s neither granted consent %s nor received or released data under it", p.Org, p.Of)
	}
	if slices.Contains(rec.Erased, p.Org) {
		return refuse(RuleTaken, "%s has said already that it erased the data of consent %s", p.Org, p.Of)
	}
	rec.Erased = appended(rec.Erased, p.Org)
	return nil
}
