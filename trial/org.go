package trial

import (
	"crypto"
	"errors"
	"fmt"
	"regexp"
)

// RoleRegistrar, RoleAdministrator and RoleSigner are what a key may be for.
const (
	RoleRegistrar     = "registrar"     // enrols organisations; named in genesis
	RoleAdministrator = "administrator" // enrols and revokes keys of its organisation, and signs
	RoleSigner        = "signer"        // signs
)

// RegistrarOrg is the organisation id of registrar keys.
const RegistrarOrg = "registrar"

// Org enrols an organisation with its first administrators. It is the
// registrar's. Its subjects are the administrators' key ids, named
// administrator-1, administrator-2, ...
type Org struct {
	Common
	Administrators []Enrolment `json:"administrators"`
	ID             string      `json:"id"`   // see CheckOrgID
	Name           string      `json:"name"` // of the organisation, public
}

// An Enrolment is a key that asks to act for an organisation: it has signed
// EnrolmentMessage itself, so nobody enrols a key that is not theirs.
type Enrolment struct {
	Key   PublicKey `json:"key"`
	Proof string    `json:"proof"` // base64
}

// EnrolmentMessage is what a key signs to be enrolled for an organisation:
//
//	trialproof/enrolment/v1
//	<organisation id>
//	<key id>
func EnrolmentMessage(org string, key PublicKey) []byte {
	return fmt.Appendf(nil, "trialproof/enrolment/v1\n%s\n%s\n", org, key.ID())
}

// Verify checks the new key's own signature.
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

// CheckOrgID takes a ROR id (ror:05dxps055), an LEI (lei: and 20 characters) or
// an id given by the registrar, in lower case so that no two differ in case only.
func CheckOrgID(id string) error {
	if !orgID.MatchString(id) {
		return fmt.Errorf("organisation id %.80q is not 2 to 64 of a-z 0-9 . : _ -", id)
	}
	return nil
}

func (*Org) Kind() string { return "org" }

func (o *Org) check(subjects []Subject) error {
	if err := CheckOrgID(o.ID); err != nil {
		return err
	}
	if o.ID == RegistrarOrg {
		return errors.New("the id registrar is the registrar's own")
	}
	if err := checkText("name", o.Name, 200); err != nil {
		return err
	}
	if len(o.Administrators) == 0 || len(o.Administrators) > 20 {
		return errors.New("an organisation has 1 to 20 first administrators")
	}
	if len(subjects) != len(o.Administrators) {
		return errors.New("the subjects are the administrators")
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
		return refuse(RuleTaken, "an organisation %s is enrolled", o.ID)
	}
	for _, a := range o.Administrators {
		if r := t.enrol(rec, a.Key, RoleAdministrator); r != nil {
			return r
		}
	}
	return nil
}

// Key enrols a key for the organisation of the administrator who signs, or
// revokes one. Its subject is the key's id, named key.
type Key struct {
	Common
	Action string     `json:"action"` // enrol or revoke
	Enrol  *Enrolment `json:"enrol,omitempty"`
	Org    string     `json:"org"`
	Revoke Hash       `json:"revoke,omitzero"` // id of the key
	Role   string     `json:"role,omitempty"`  // of the key enrolled
}

func (*Key) Kind() string { return "key" }

func (k *Key) check(subjects []Subject) error {
	if err := CheckOrgID(k.Org); err != nil {
		return err
	}
	switch k.Action {
	case "enrol":
		if k.Enrol == nil || !k.Revoke.IsZero() {
			return errors.New("to enrol takes the member enrol, not revoke")
		}
		if k.Role != RoleAdministrator && k.Role != RoleSigner {
			return fmt.Errorf("role is %.40q; it is administrator or signer", k.Role)
		}
		if err := k.Enrol.Verify(k.Org); err != nil {
			return err
		}
		return checkNamed(subjects, "key", k.Enrol.Key.ID())
	case "revoke":
		if k.Enrol != nil || k.Role != "" || k.Revoke.IsZero() {
			return errors.New("to revoke takes the member revoke, not enrol nor role")
		}
		return checkNamed(subjects, "key", k.Revoke)
	}
	return fmt.Errorf("action is %.40q; it is enrol or revoke", k.Action)
}

func (k *Key) apply(t *tx, s *Signed) *Refusal {
	if t.signer.Role != RoleAdministrator || t.signer.Org != k.Org {
		return refuse(RuleRole, "only an administrator of %s enrols or revokes its keys; this key is %s of %s", k.Org, t.signer.Role, t.signer.Org)
	}
	org, _ := edit[*OrgRecord](t, RecordKey{"org", k.Org})
	if k.Action == "enrol" {
		return t.enrol(org, k.Enrol.Key, k.Role)
	}
	key, ok := edit[*KeyRecord](t, RecordKey{"key", k.Revoke.String()})
	if !ok || key.Org != k.Org {
		return refuse(RuleUnknown, "key %s is not enrolled for %s", k.Revoke, k.Org)
	}
	if key.Revoked != 0 {
		return refuse(RuleTaken, "key %s was revoked at index %d", k.Revoke, key.Revoked)
	}
	if key.Role == RoleAdministrator {
		rest := without(org.Administrators, k.Revoke)
		if len(rest) == 0 {
			return refuse(RuleRole, "key %s is the last administrator of %s: enrol another first", k.Revoke, k.Org)
		}
		org.Administrators = rest
	}
	key.Revoked = t.index
	return nil
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
func (t *tx) enrol(org *OrgRecord, key PublicKey, role string) *Refusal {
	rec := &KeyRecord{Enrolled: t.index, ID: key.ID(), Key: key, Kind: "key", Org: org.ID, Role: role}
	if !t.create(rec) {
		return refuse(RuleTaken, "key %s is enrolled already, or was and is revoked: make a new one", key.ID())
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
