package trial

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Access is about a release of data: an organisation requests it, the organisation that was
// asked decides, and an agent releases. A release rests on the consents that it names. The
// rules refuse it if one of them does not stand (RuleNotInForce), so a receipt under replaying
// witnesses proves that all stood when it was logged.
//
// A request has documents named request; a disclosure without consent has documents named
// disclosure; all have salted digests only. The other actions have one subject: request, with
// the identity of the request, or release, with the digest that ReleaseDigest returns.
type Access struct {
	Common
	Action    string     `json:"action"`             // one of accessActions
	Basis     string     `json:"basis,omitempty"`    // of a disclosure: one of DisclosureBases
	Consents  []Released `json:"consents,omitempty"` // that a release rests on, sorted by handle
	Decision  string     `json:"decision,omitempty"` // one of Decisions
	Elements  Hash       `json:"elements,omitzero"`  // root of the terms of a disclosure, see package element
	Of        string     `json:"of,omitempty"`       // the organisation that a request asks
	Org       string     `json:"org,omitempty"`      // the organisation that requests or discloses: the signer's
	Reason    string     `json:"reason,omitempty"`   // of an emergency: one of EmergencyReasons
	Recipient Hash       `json:"recipient,omitzero"` // id of the recipient to which a release is encrypted
	Request   Hash       `json:"request,omitzero"`   // the request that is decided, or that a release answers
	Until     string     `json:"until,omitempty"`    // day to which the law suspends the account of a disclosure
	Use       []string   `json:"use,omitempty"`      // what the data is requested for: codes of the Data Use Ontology, sorted
}

// Released is one consent of a release, with the SHA-256 of the encrypted package that is handed
// out under it.
type Released struct {
	Consent Hash `json:"consent"`
	Package Hash `json:"package"`
}

// The values that members of Access may have.
var (
	// Decisions are in their order: a request's decision only moves on.
	Decisions        = []string{"more", "approve", "refuse"}
	DisclosureBases  = []string{"law", "public-health", "waiver"}
	EmergencyReasons = []string{"other", "overdose", "pregnancy", "reaction", "treatment"}
)

// MaxReleased is how many consents a release may name, and maxUse how many codes a request.
const (
	MaxReleased = 150
	maxUse      = 20
)

// ReleaseDigest returns the digest of a release's subject: the SHA-256 of the canonical JSON of
// its consents.
func ReleaseDigest(consents []Released) Hash {
	data, err := encode(consents)
	if err != nil {
		panic("trial: consents of a release do not encode: " + err.Error()) // hashes always do
	}
	return sha256.Sum256(data)
}

var useForm = regexp.MustCompile(`^[A-Z]{2,10}:[0-9]{7}(/[A-Z]{2,10}:[0-9]{7})?$`)

// checkUse checks codes such as DUO:0000006; the disease of DUO:0000007 follows a slash.
func checkUse(use []string) error {
	if len(use) == 0 || len(use) > maxUse {
		return fmt.Errorf("use has %d codes; it has 1 to %d", len(use), maxUse)
	}
	for i, code := range use {
		if !useForm.MatchString(code) {
			return fmt.Errorf("use has %.40q, which is not a code such as DUO:0000006 or DUO:0000007/MONDO:0005148", code)
		}
		if i > 0 && use[i-1] >= code {
			return errors.New("use is not sorted, or has a code twice")
		}
	}
	return nil
}

// accessActions says for each action which members it takes and how it is checked, applied and
// described.
var accessActions = map[string]struct {
	takes    []string // members that must be there
	may      []string // members that may be there
	check    func(p *Access, subjects []Subject) error
	apply    func(p *Access, t *tx, s *Signed) *Refusal
	describe func(p *Access) string
}{
	"request": {[]string{"of", "org", "use"}, nil, (*Access).checkRequest, (*Access).request, (*Access).describeRequest},
	"decide":  {[]string{"decision", "request"}, nil, (*Access).checkDecision, (*Access).decide, (*Access).describeDecision},
	"release": {[]string{"consents", "recipient"}, []string{"request"}, (*Access).checkRelease, (*Access).release,
		(*Access).describeRelease},
	"emergency": {[]string{"consents", "reason", "recipient"}, nil, (*Access).checkEmergency, (*Access).emergency,
		(*Access).describeEmergency},
	"disclose": {[]string{"basis", "elements", "org"}, []string{"until"}, (*Access).checkDisclosure, (*Access).disclose,
		(*Access).describeDisclosure},
}

// present returns the names of the members that are there.
func (p *Access) present() (names []string) {
	for name, there := range map[string]bool{
		"basis": p.Basis != "", "consents": len(p.Consents) > 0, "decision": p.Decision != "", "elements": !p.Elements.IsZero(),
		"of": p.Of != "", "org": p.Org != "", "reason": p.Reason != "", "recipient": !p.Recipient.IsZero(),
		"request": !p.Request.IsZero(), "until": p.Until != "", "use": len(p.Use) > 0,
	} {
		if there {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (*Access) Kind() string { return "access" }

func (p *Access) describe([]Subject) string { return accessActions[p.Action].describe(p) }

func (p *Access) check(subjects []Subject) error {
	action, ok := accessActions[p.Action]
	if !ok {
		return fmt.Errorf("action is %.40q; it is request, decide, release, emergency or disclose", p.Action)
	}
	if err := checkPresent(p.Action, p.present(), action.takes, action.may); err != nil {
		return err
	}
	for _, org := range []string{p.Of, p.Org} {
		if org != "" {
			if err := CheckOrgID(org); err != nil {
				return err
			}
		}
	}
	return action.check(p, subjects)
}

func (p *Access) apply(t *tx, s *Signed) *Refusal { return accessActions[p.Action].apply(p, t, s) }

func (p *Access) describeRequest() string {
	return fmt.Sprintf("request by %s, asking %s for data for %s", p.Org, p.Of, strings.Join(p.Use, ", "))
}

func (p *Access) checkRequest(subjects []Subject) error {
	if err := checkUse(p.Use); err != nil {
		return err
	}
	return checkSalted(subjects, "request")
}

func (p *Access) request(t *tx, s *Signed) *Refusal {
	if r := t.own(p.Org); r != nil {
		return r
	}
	if r := t.enrolled(p.Of); r != nil {
		return r
	}
	if !t.create(&RequestRecord{ID: s.ID, Index: t.index, Kind: "request", Of: p.Of, Org: p.Org}) {
		return refuse(RuleTaken, "request %s is logged already", s.ID)
	}
	return nil
}

func (p *Access) describeDecision() string {
	what := map[string]string{"more": "more is asked about", "approve": "approval of", "refuse": "refusal of"}[p.Decision]
	return fmt.Sprintf("%s request %s", what, p.Request)
}

func (p *Access) checkDecision(subjects []Subject) error {
	if !slices.Contains(Decisions, p.Decision) {
		return fmt.Errorf("decision is %.40q; it is more, approve or refuse", p.Decision)
	}
	return checkNamed(subjects, "request", p.Request)
}

func unknownRequest(id Hash) *Refusal {
	return refuse(RuleUnknown, "no request %s is logged", id)
}

func (p *Access) decide(t *tx, s *Signed) *Refusal {
	rec, ok := edit[*RequestRecord](t, RecordKey{"request", p.Request.String()})
	if !ok {
		return unknownRequest(p.Request)
	}
	if t.signer.Org != rec.Of || t.signer.Role == RoleRegistrar {
		return refuse(RuleHolder, "request %s asks %s, but the signer's organisation is %s", p.Request, rec.Of, t.signer.Org)
	}
	// An old decision that is logged again must change nothing.
	if slices.Index(Decisions, p.Decision) <= slices.Index(Decisions, rec.Decision) {
		return refuse(RuleTaken, "the decision on request %s is %s already, and no decision goes back", p.Request, rec.Decision)
	}
	rec.Decision = p.Decision
	return nil
}

func (p *Access) describeRelease() string {
	answer := ""
	if !p.Request.IsZero() {
		answer = fmt.Sprintf(", answering request %s", p.Request)
	}
	return fmt.Sprintf("release of data under %s to recipient %s%s", Count(len(p.Consents), "consent", "consents"), p.Recipient, answer)
}

func (p *Access) checkRelease(subjects []Subject) error {
	if len(p.Consents) > MaxReleased {
		return fmt.Errorf("%d consents; a release names at most %d: release in several parts", len(p.Consents), MaxReleased)
	}
	for i, c := range p.Consents {
		if c.Consent.IsZero() || c.Package.IsZero() {
			return fmt.Errorf("consent %d of the release lacks its handle or its package", i+1)
		}
		if i > 0 && bytes.Compare(p.Consents[i-1].Consent[:], c.Consent[:]) >= 0 {
			return errors.New("the consents of the release are not sorted, or one is named twice")
		}
	}
	return checkNamed(subjects, "release", ReleaseDigest(p.Consents))
}

// recipient returns the recipient of a release, which must not be retired.
func (p *Access) recipient(t *tx) (*RecipientRecord, *Refusal) {
	rec, ok := t.s.get(RecordKey{"recipient", p.Recipient.String()}).(*RecipientRecord)
	if !ok {
		return nil, refuse(RuleUnknown, "no recipient %s is logged", p.Recipient)
	}
	if rec.Retired != 0 {
		return nil, refuse(RuleNotInForce, "recipient %s of %s was retired at index %d", p.Recipient, rec.Org, rec.Retired)
	}
	return rec, nil
}

// released returns a consent of a release for editing. The signer's organisation is its agent.
func (t *tx) released(id Hash) (*ConsentRecord, *Refusal) {
	rec, ok := edit[*ConsentRecord](t, RecordKey{"consent", id.String()})
	if !ok {
		return nil, unknownConsent(id)
	}
	if t.signer.Role == RoleRegistrar || !slices.Contains(rec.Agents, t.signer.Org) {
		return nil, refuse(RuleHolder, "the agents of consent %s are %s, but the signer's organisation is %s",
			id, strings.Join(rec.Agents, " and "), t.signer.Org)
	}
	rec.Releases++
	return rec, nil
}

func (p *Access) release(t *tx, s *Signed) *Refusal {
	to, r := p.recipient(t)
	if r != nil {
		return r
	}
	if !p.Request.IsZero() {
		if r := p.approved(t, to.Org); r != nil {
			return r
		}
	}
	for _, c := range p.Consents {
		rec, r := t.released(c.Consent)
		if r != nil {
			return r
		}
		if rec.To != to.Org {
			return refuse(RuleNotInForce, "consent %s was given for %s, but the recipient is of %s", c.Consent, rec.To, to.Org)
		}
		if r := rec.standing(t.time); r != nil {
			return r
		}
	}
	return nil
}

// approved refuses a release whose request the signer's organisation has not approved, or that
// is not of the organisation that receives.
func (p *Access) approved(t *tx, to string) *Refusal {
	rec, ok := t.s.get(RecordKey{"request", p.Request.String()}).(*RequestRecord)
	switch {
	case !ok:
		return unknownRequest(p.Request)
	case rec.Of != t.signer.Org:
		return refuse(RuleHolder, "request %s asks %s, but the signer's organisation is %s", p.Request, rec.Of, t.signer.Org)
	case rec.Org != to:
		return refuse(RuleNotInForce, "request %s is by %s, but the recipient is of %s", p.Request, rec.Org, to)
	case rec.Decision != "approve":
		decided := "it is not decided yet"
		if rec.Decision != "" {
			decided = "the decision is " + rec.Decision
		}
		return refuse(RuleNotInForce, "request %s is not approved: %s", p.Request, decided)
	}
	return nil
}

func (p *Access) describeEmergency() string {
	return fmt.Sprintf("EMERGENCY release of data under consent %s to recipient %s: %s", p.Consents[0].Consent, p.Recipient, p.Reason)
}

func (p *Access) checkEmergency(subjects []Subject) error {
	if len(p.Consents) != 1 {
		return fmt.Errorf("an emergency release names one consent, not %d", len(p.Consents))
	}
	if !slices.Contains(EmergencyReasons, p.Reason) {
		return fmt.Errorf("reason is %.40q; it is one of %s", p.Reason, strings.Join(EmergencyReasons, ", "))
	}
	return p.checkRelease(subjects)
}

// emergency is a release for which it does not matter to whom and how long consent was given.
// It is admitted, and marked for ever. A consent that was ended stays ended.
func (p *Access) emergency(t *tx, s *Signed) *Refusal {
	if _, r := p.recipient(t); r != nil {
		return r
	}
	rec, r := t.released(p.Consents[0].Consent)
	if r == nil && rec.Ended != 0 {
		return rec.standing(t.time)
	}
	return r
}

func (p *Access) describeDisclosure() string {
	until := ""
	if p.Until != "" {
		until = "; the law suspends its account until " + p.Until
	}
	return fmt.Sprintf("disclosure by %s without consent, on the basis of %s%s", p.Org, p.Basis, until)
}

func (p *Access) checkDisclosure(subjects []Subject) error {
	if !slices.Contains(DisclosureBases, p.Basis) {
		return fmt.Errorf("basis is %.40q; it is one of %s", p.Basis, strings.Join(DisclosureBases, ", "))
	}
	if p.Until != "" {
		if err := checkDay("until", p.Until); err != nil {
			return err
		}
	}
	return checkSalted(subjects, "disclosure")
}

// disclose enters the history of the organisation, which so has all its disclosures without
// consent. Which people they are about, only their terms say.
func (p *Access) disclose(t *tx, s *Signed) *Refusal {
	if r := t.own(p.Org); r != nil {
		return r
	}
	_, r := t.org(p.Org)
	return r
}

// RequestRecord is what the rules remember of a request for data.
type RequestRecord struct {
	Decision string  `json:"decision,omitempty"` // the last one
	Entries  Entries `json:"entries"`
	ID       Hash    `json:"id"` // identity of the request
	Index    uint64  `json:"index"`
	Kind     string  `json:"kind"`
	Of       string  `json:"of"`
	Org      string  `json:"org"`
}

func (r *RequestRecord) RecordKey() RecordKey { return RecordKey{"request", r.ID.String()} }
func (r *RequestRecord) EntryTree() *Entries  { return &r.Entries }
func (r *RequestRecord) kind() string         { return r.Kind }
func (r *RequestRecord) clone() Record        { c := *r; return &c }

// MarkEmergency is the mark of a release in an emergency.
const MarkEmergency MarkID = "M27"

func (*Access) meanings() []MarkMeaning {
	return []MarkMeaning{{MarkEmergency, "data was released in an emergency", WeightBears}}
}

func (p *Access) remarks(_ Time, _ func(string) string) []Remark {
	if p.Action != "emergency" {
		return nil
	}
	return []Remark{{MarkEmergency, p.Reason}}
}
