package trial

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// RoleRegistrar, RoleAdministrator and RoleSigner are the roles that a key may have.
const (
	RoleRegistrar     = "registrar"     // enrols organisations; the first are named in the genesis
	RoleAdministrator = "administrator" // enrols, limits and revokes keys of its organisation, and signs
	RoleSigner        = "signer"        // signs
)

// RegistrarOrg is the organisation id of registrar keys.
const RegistrarOrg = "registrar"

// Org enrols an organisation with its first administrators. A registrar signs it. Its subjects
// are the administrators' key ids, named administrator-1, administrator-2 and so on.
type Org struct {
	Common
	Administrators []Enrolment `json:"administrators"`
	ID             string      `json:"id"`   // see CheckOrgID
	Name           string      `json:"name"` // of the organisation, public
}

// An Enrolment is a key that asks to act for an organisation. The key has signed
// EnrolmentMessage itself, so nobody can enrol a key that is not theirs.
type Enrolment struct {
	Key   PublicKey `json:"key"`
	Proof string    `json:"proof"` // base64
}

// EnrolmentMessage returns what a key signs to be enrolled for an organisation:
//
//	trialproof/enrolment/v1
//	<organisation id>
//	<key id>
func EnrolmentMessage(org string, key PublicKey) []byte {
	return fmt.Appendf(nil, "trialproof/enrolment/v1\n%s\n%s\n", org, key.ID())
}

// Verify checks the new key's signature over EnrolmentMessage.
func (e Enrolment) Verify(org string) error {
	sig, err := decodeB64(e.Proof)
	if err != nil {
		return fmt.Errorf("proof of key %s: %w", e.Key.ID(), err)
	}
	if err := e.Key.Verify(EnrolmentMessage(org, e.Key), sig); err != nil {
		return fmt.Errorf("key %s has not signed its enrolment for %s: %w", e.Key.ID(), org, err)
	}
	return nil
}

var orgID = regexp.MustCompile(`^[a-z0-9][a-z0-9.:_-]{1,63}$`)

// CheckOrgID checks an organisation id: a ROR id (ror:05dxps055), an LEI (lei: and 20
// characters) or an id given by the registrar. It is in lower case, so that no two ids differ
// in case only.
func CheckOrgID(id string) error {
	if !orgID.MatchString(id) {
		return fmt.Errorf("organisation id %.80q is not 2 to 64 of a-z 0-9 . : _ -", id)
	}
	return nil
}

func (*Org) Kind() string { return "org" }

func (o *Org) describe([]Subject) string {
	return fmt.Sprintf("enrolment of the organisation %s (%s) with %s", o.ID, o.Name,
		Count(len(o.Administrators), "administrator", "administrators"))
}

func (o *Org) check(subjects []Subject) error {
	if err := CheckOrgID(o.ID); err != nil {
		return err
	}
	if o.ID == RegistrarOrg {
		return errors.New("this id is reserved for the registrar")
	}
	if err := checkText("name", o.Name, 200); err != nil {
		return err
	}
	if len(o.Administrators) == 0 || len(o.Administrators) > 20 {
		return errors.New("an organisation needs 1 to 20 first administrators")
	}
	if len(subjects) != len(o.Administrators) {
		return errors.New("the subjects are not the administrators, one each")
	}
	seen := map[Hash]bool{}
	for i, a := range o.Administrators {
		if err := a.Verify(o.ID); err != nil {
			return err
		}
		if seen[a.Key.ID()] {
			return errors.New("an administrator is named twice")
		}
		seen[a.Key.ID()] = true
		if subjects[i].Name != fmt.Sprintf("administrator-%d", i+1) || subjects[i].Digest.SHA256 != a.Key.ID() {
			return fmt.Errorf("subject %d is not administrator-%d with the key id %s", i+1, i+1, a.Key.ID())
		}
	}
	return nil
}

// OrgSubjects returns the subjects that an Org statement must have.
func OrgSubjects(o *Org) []Subject {
	var subjects []Subject
	for i, a := range o.Administrators {
		subjects = append(subjects, Subject{Digest{SHA256: a.Key.ID()}, fmt.Sprintf("administrator-%d", i+1)})
	}
	return subjects
}

func (o *Org) apply(t *tx, s *Signed) *Refusal {
	if t.signer.Role != RoleRegistrar {
		return refuse(RuleRole, "only a registrar enrols an organisation; this key is %s of %s", t.signer.Role, t.signer.Org)
	}
	rec := &OrgRecord{ID: o.ID, Kind: "org", Name: o.Name}
	if !t.create(rec) {
		return refuse(RuleTaken, "an organisation %s is enrolled already", o.ID)
	}
	for _, a := range o.Administrators {
		if r := t.enrol(rec, a.Key, RoleAdministrator, nil); r != nil {
			return r
		}
	}
	return nil
}

// Key enrols a key for the organisation of the administrator who signs, limits what a key may
// sign, or revokes a key. Only a registrar enrols and revokes keys of registrars. Its one
// subject is named key; its digest is the key's id.
type Key struct {
	Common
	Action string     `json:"action"` // enrol, limit or revoke
	Enrol  *Enrolment `json:"enrol,omitempty"`
	Limit  Hash       `json:"limit,omitzero"`   // id of the key
	Limits *KeyLimits `json:"limits,omitempty"` // of the key enrolled or limited; to limit without Limits lifts the limits
	Org    string     `json:"org"`
	Reason string     `json:"reason,omitempty"` // why a key is limited or revoked: one of EndReasons
	Revoke Hash       `json:"revoke,omitzero"`  // id of the key
	Role   string     `json:"role,omitempty"`   // of the key enrolled
}

// KeyLimits are what a signer's key may sign. A member that is empty limits nothing.
type KeyLimits struct {
	Kinds  []string `json:"kinds,omitempty"`  // of statements, sorted; for an unseal, the kind of the statement that it opens
	Trials []Hash   `json:"trials,omitempty"` // ids, sorted
	Until  string   `json:"until,omitempty"`  // last day in UTC
}

// maxKeyTrials is how many trials the limits of a key may name.
const maxKeyTrials = 100

func (l *KeyLimits) describe() string {
	if l == nil {
		return "none"
	}
	var parts []string
	if len(l.Kinds) > 0 {
		parts = append(parts, strings.Join(l.Kinds, ", "))
	}
	if len(l.Trials) > 0 {
		parts = append(parts, Count(len(l.Trials), "trial", "trials"))
	}
	if l.Until != "" {
		parts = append(parts, "until "+l.Until)
	}
	return strings.Join(parts, "; ")
}

func (l *KeyLimits) check() error {
	if l == nil {
		return nil
	}
	if len(l.Kinds) == 0 && len(l.Trials) == 0 && l.Until == "" {
		return errors.New("the limits are empty: leave them out")
	}
	if len(l.Kinds) > 0 {
		if err := checkKinds(l.Kinds, Kinds()); err != nil {
			return err
		}
	}
	if len(l.Trials) > maxKeyTrials {
		return fmt.Errorf("limits name %d trials; the most is %d", len(l.Trials), maxKeyTrials)
	}
	for i, id := range l.Trials {
		if i > 0 && bytes.Compare(l.Trials[i-1][:], id[:]) >= 0 {
			return errors.New("the trials in the limits are not sorted, or one is named twice")
		}
	}
	if l.Until != "" {
		return checkDay("until", l.Until)
	}
	return nil
}

// EndReasons are why the authority of a key or a delegation ends. Who has access to what, and
// why that changed, must be documented (ICH E6(R3) 4.2.2). A missing reason is shown as "no
// reason stated".
var EndReasons = []string{"compromised", "contract-ended", "left", "lost", "misuse", "mistake", "role-changed", "superseded"}

// checkEndReason checks one of EndReasons, which may be empty. Only a statement that ends
// authority has a reason.
func checkEndReason(reason string, ends bool) error {
	switch {
	case reason == "":
		return nil
	case !ends:
		return errors.New("only a statement that ends authority has a reason")
	case !slices.Contains(EndReasons, reason):
		return fmt.Errorf("reason is %.40q; it is one of %s", reason, strings.Join(EndReasons, ", "))
	}
	return nil
}

func (*Key) Kind() string { return "key" }

func (k *Key) describe([]Subject) string {
	switch k.Action {
	case "revoke":
		return fmt.Sprintf("revocation of key %s of %s: %s", k.Revoke, k.Org, because(k.Reason))
	case "limit":
		return fmt.Sprintf("limits of key %s of %s: %s: %s", k.Limit, k.Org, k.Limits.describe(), because(k.Reason))
	}
	limited := ""
	if k.Limits != nil {
		limited = ", limited to " + k.Limits.describe()
	}
	return fmt.Sprintf("enrolment of key %s as %s of %s%s", k.Enrol.Key.ID(), k.Role, k.Org, limited)
}

func (k *Key) check(subjects []Subject) error {
	if err := CheckOrgID(k.Org); err != nil {
		return err
	}
	if err := k.Limits.check(); err != nil {
		return err
	}
	if (k.Enrol == nil) != (k.Action != "enrol") || k.Limit.IsZero() != (k.Action != "limit") ||
		k.Revoke.IsZero() != (k.Action != "revoke") {
		return errors.New("beside action there must be exactly one of the members enrol, limit and revoke, the one that action names")
	}
	if err := checkEndReason(k.Reason, k.Action != "enrol"); err != nil {
		return err
	}
	switch k.Action {
	case "enrol":
		want := "administrator or signer"
		ok := k.Role == RoleAdministrator || k.Role == RoleSigner
		if k.Org == RegistrarOrg {
			want, ok = RoleRegistrar, k.Role == RoleRegistrar
		}
		if !ok {
			return fmt.Errorf("role is %.40q; it is %s", k.Role, want)
		}
		if k.Limits != nil && k.Role != RoleSigner {
			return errors.New("only a signer's key has limits")
		}
		if err := k.Enrol.Verify(k.Org); err != nil {
			return err
		}
		return checkNamed(subjects, "key", k.Enrol.Key.ID())
	case "limit":
		if k.Role != "" {
			return errors.New("limiting a key takes no role")
		}
		return checkNamed(subjects, "key", k.Limit)
	case "revoke":
		if k.Role != "" || k.Limits != nil {
			return errors.New("revoking a key takes neither role nor limits")
		}
		return checkNamed(subjects, "key", k.Revoke)
	}
	return fmt.Errorf("action is %.40q; it is enrol, limit or revoke", k.Action)
}

func (k *Key) apply(t *tx, s *Signed) *Refusal {
	if k.Org == RegistrarOrg {
		return k.ofRegistrar(t)
	}
	if t.signer.Role != RoleAdministrator || t.signer.Org != k.Org {
		return refuse(RuleRole, "only an administrator of %s enrols, limits or revokes its keys; this key is %s of %s",
			k.Org, t.signer.Role, t.signer.Org)
	}
	org, r := t.org(k.Org)
	if r != nil {
		return r
	}
	if k.Action == "enrol" {
		return t.enrol(org, k.Enrol.Key, k.Role, k.Limits)
	}
	key, r := t.key(k.Limit, k.Revoke, k.Org)
	if r != nil {
		return r
	}
	if k.Action == "limit" {
		if key.Role != RoleSigner {
			return refuse(RuleRole, "key %s is an administrator's and cannot be limited: revoke it instead", key.ID)
		}
		key.Limits = k.Limits
		return t.once(&key.Acts, s.ID)
	}
	if key.Role == RoleAdministrator {
		rest := without(org.Administrators, k.Revoke)
		if len(rest) == 0 {
			return refuse(RuleRole, "key %s is the last administrator of %s: enrol another one first", k.Revoke, k.Org)
		}
		org.Administrators = rest
	}
	key.Revoked = t.index
	return nil
}

// ofRegistrar enrols or revokes a registrar's key.
func (k *Key) ofRegistrar(t *tx) *Refusal {
	l, r := t.log()
	if r != nil {
		return r
	}
	switch k.Action {
	case "enrol":
		if !t.create(&KeyRecord{
			Enrolled: t.index, ID: k.Enrol.Key.ID(), Key: k.Enrol.Key, Kind: "key", Org: RegistrarOrg, Role: RoleRegistrar,
		}) {
			return taken(k.Enrol.Key)
		}
		l.Registrars = appended(l.Registrars, k.Enrol.Key.ID())
		return nil
	case "limit":
		return refuse(RuleRole, "a registrar's key cannot be limited: revoke it instead")
	}
	key, r := t.key(Hash{}, k.Revoke, RegistrarOrg)
	if r != nil {
		return r
	}
	rest := without(l.Registrars, k.Revoke)
	if len(rest) == 0 {
		return refuse(RuleRole, "key %s is the last registrar's: enrol another one first", k.Revoke)
	}
	l.Registrars = rest
	key.Revoked = t.index
	return nil
}

// key returns the key that is limited or revoked, for editing.
func (t *tx) key(limit, revoke Hash, org string) (*KeyRecord, *Refusal) {
	id := limit
	if id.IsZero() {
		id = revoke
	}
	key, ok := edit[*KeyRecord](t, RecordKey{"key", id.String()})
	if !ok || key.Org != org {
		return nil, refuse(RuleUnknown, "key %s is not enrolled for %s", id, org)
	}
	if key.Revoked != 0 {
		return nil, refuse(RuleTaken, "key %s was revoked at index %d", id, key.Revoked)
	}
	return key, nil
}

// withinLimits checks a statement against the limits of its signer's key.
func (t *tx) withinLimits(p Predicate) *Refusal {
	l := t.signer.Limits
	if l == nil {
		return nil
	}
	kind := p.Kind()
	if u, ok := p.(*Unseal); ok {
		kind = u.inner.Predicate.Kind()
	}
	if len(l.Kinds) > 0 && !slices.Contains(l.Kinds, kind) {
		return refuse(RuleKeyLimits, "this key may sign %s, not %s", strings.Join(l.Kinds, ", "), kind)
	}
	if len(l.Trials) > 0 {
		if about, ok := p.(ofTrial); !ok || !contains(l.Trials, about.trialID()) {
			return refuse(RuleKeyLimits, "this key may sign only for %s, and this %s is for another one or for none",
				Count(len(l.Trials), "named trial", "named trials"), kind)
		}
	}
	if l.Until != "" && t.time > EndOf(l.Until) {
		return refuse(RuleKeyLimits, "this key may sign until %s", l.Until)
	}
	return nil
}

func taken(key PublicKey) *Refusal {
	return refuse(RuleTaken, "key %s is enrolled already, or was and is revoked: make a new one", key.ID())
}

func without(ids []Hash, id Hash) []Hash {
	var rest []Hash
	for _, x := range ids {
		if x != id {
			rest = append(rest, x)
		}
	}
	return rest
}

// enrol adds a key to org, which t is editing.
func (t *tx) enrol(org *OrgRecord, key PublicKey, role string, limits *KeyLimits) *Refusal {
	rec := &KeyRecord{Enrolled: t.index, ID: key.ID(), Key: key, Kind: "key", Limits: limits, Org: org.ID, Role: role}
	if !t.create(rec) {
		return taken(key)
	}
	if role == RoleAdministrator {
		org.Administrators = appended(org.Administrators, key.ID())
	}
	return nil
}

// NewEnrolment signs a key's own request to be enrolled for an organisation.
func NewEnrolment(org string, signer crypto.Signer) (Enrolment, error) {
	key, err := NewPublicKey(signer.Public())
	if err != nil {
		return Enrolment{}, err
	}
	sig, err := SignBytes(signer, EnrolmentMessage(org, key))
	if err != nil {
		return Enrolment{}, err
	}
	return Enrolment{key, b64.EncodeToString(sig)}, nil
}
