package trial

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
)

// A unit is a pack of the investigational product, or a case of packs. Its handle is a secret
// that its label carries; the log has the handle's SHA-256 when the unit is issued, and its id.

// UnitHandle returns the handle of the unit whose label carries a serial and a random token:
// SHA-256 of "trialproof/unit/v1", the serial and the token, with a line feed between.
func UnitHandle(serial string, token [16]byte) Hash {
	data := append([]byte("trialproof/unit/v1\n"+serial+"\n"), token[:]...)
	return sha256.Sum256(data)
}

// UnitCommitment returns what issuing a unit lists: the SHA-256 of its handle.
func UnitCommitment(handle Hash) Hash { return sha256.Sum256(handle[:]) }

// UnitID returns the id of a unit of a trial: SHA-256 of "trialproof/unit-id/v1", the trial's id
// and the unit's commitment, with a line feed between. It takes the handle to know it, and one
// commitment is another unit in another trial.
func UnitID(trial, commitment Hash) Hash {
	data := append([]byte("trialproof/unit-id/v1\n"), trial[:]...)
	return sha256.Sum256(append(append(data, '\n'), commitment[:]...))
}

// CaseContents returns what issuing a case says of its packs: the SHA-256 of their commitments,
// sorted, one after the other.
func CaseContents(commitments []Hash) Hash {
	sorted := slices.SortedFunc(slices.Values(commitments), func(a, b Hash) int { return bytes.Compare(a[:], b[:]) })
	h := sha256.New()
	for _, c := range sorted {
		h.Write(c[:])
	}
	return Hash(h.Sum(nil))
}

// UnitRecord is what the rules remember of a unit. Members that are an index say which entry brought
// that about.
type UnitRecord struct {
	Contents  Hash     `json:"contents,omitzero"` // of a case, see CaseContents
	Custodian string   `json:"custodian"`         // organisation id
	Dispensed uint64   `json:"dispensed,omitempty"`
	Entries   Entries  `json:"entries"`
	Gone      uint64   `json:"gone,omitempty"` // destroyed, or a case that was opened
	Hold      uint64   `json:"hold,omitempty"`
	ID        Hash     `json:"id"`
	Issuer    string   `json:"issuer"` // organisation id
	Kind      string   `json:"kind"`
	Lost      uint64   `json:"lost,omitempty"`
	N         uint64   `json:"n"`               // how many custody acts it has had
	Offer     *Offer   `json:"offer,omitempty"` // of a shipment that is not received yet
	Packs     uint64   `json:"packs,omitempty"` // in a case
	Recalled  uint64   `json:"recalled,omitempty"`
	Reports   []string `json:"reports,omitempty"` // organisations that reported it as suspicious, in the order of the log
	Returned  uint64   `json:"returned,omitempty"`
	Trial     Hash     `json:"trial"`
}

func (r *UnitRecord) RecordKey() RecordKey { return RecordKey{"unit", r.ID.String()} }
func (r *UnitRecord) EntryTree() *Entries  { return &r.Entries }
func (r *UnitRecord) kind() string         { return r.Kind }
func (r *UnitRecord) clone() Record        { c := *r; return &c }

func (r *UnitRecord) share(t sharedTexts) {
	r.Kind, r.Custodian, r.Issuer = t.one(r.Kind), t.one(r.Custodian), t.one(r.Issuer)
}

// Bounds of rule set 1.
const (
	MaxUnits      = 100_000 // of a trial, the packs of cases included
	MaxCase       = 250     // packs of a case
	maxUnitReport = 100     // organisations that report a unit, beside its custodian and the trial's holder
)

// Judge returns why the rules would refuse a custody act on a unit now, as a *Refusal, or nil. It
// looks at what the unit's record says alone: org is the signer's, holder the trial's.
func (p *Custody) Judge(r *UnitRecord, org, holder string) error {
	if refusal := p.judge(r, org, holder); refusal != nil {
		return refusal
	}
	return nil
}

func (p *Custody) judge(r *UnitRecord, org, holder string) *Refusal {
	a := custodyActions[p.Action]
	switch {
	case a.by&byReceiver != 0:
		if r.Offer == nil || r.Offer.ID != p.Ship {
			return refuse(RulePredecessor, "unit %s is not under way with the shipment %s%s", r.ID, p.Ship, r.place())
		}
		if r.Offer.To != org {
			return refuse(RuleRole, "unit %s is under way to %s, but the signer's organisation is %s", r.ID, r.Offer.To, org)
		}
	case a.by&byAnyone != 0, a.by&byDelegate != 0: // who may is in the trial's record
	case a.by&byCustodian != 0 && org == r.Custodian, a.by&byHolder != 0 && org == holder:
	default:
		return refuse(RuleHolder, "unit %s is with %s and its trial is held by %s, but the signer's organisation is %s",
			r.ID, r.Custodian, holder, org)
	}
	if a.refuses == nil {
		return nil
	}
	return a.refuses(p, r)
}

// change is what an act makes of a unit's record.
func (p *Custody) change(r *UnitRecord, a act) {
	custodyActions[p.Action].effect(p, a, r)
	r.N++
}

// After returns what the record of a unit that had an act will say, but for its entries: for a
// program that knows that the act was logged, before it asks the log again. It is of no use for issue
// and suspect.
func (p *Custody) After(r *UnitRecord, index uint64, id Hash, org string) *UnitRecord {
	c := *r
	if custodyActions[p.Action].effect != nil {
		p.change(&c, act{index, id, org})
	}
	return &c
}

// Pack returns the record, but for its entries, of a pack that comes out of a case.
func (r *UnitRecord) Pack(commitment Hash) *UnitRecord {
	return &UnitRecord{Custodian: r.Custodian, Hold: r.Hold, ID: UnitID(r.Trial, commitment), Issuer: r.Issuer, Kind: "unit", N: 1,
		Recalled: r.Recalled, Trial: r.Trial}
}

// place says where a unit is, for a refusal.
func (r *UnitRecord) place() string {
	switch {
	case r.Gone != 0 && r.Packs > 0:
		return fmt.Sprintf(": the case was opened at index %d", r.Gone)
	case r.Gone != 0:
		return fmt.Sprintf(": it was destroyed at index %d", r.Gone)
	case r.Offer != nil:
		return fmt.Sprintf(": it is under way from %s to %s with the shipment %s", r.Custodian, r.Offer.To, r.Offer.ID)
	case r.Returned != 0:
		return fmt.Sprintf(": it was given back to %s at index %d", r.Custodian, r.Returned)
	case r.Dispensed != 0:
		return fmt.Sprintf(": %s gave it out at index %d", r.Custodian, r.Dispensed)
	}
	return ": it is with " + r.Custodian
}

// standing refuses what a unit that is no longer there, or under way, does not allow.
func (r *UnitRecord) standing(action string) *Refusal {
	if r.Gone != 0 || r.Offer != nil {
		return refuse(RulePredecessor, "unit %s cannot take the action %s now%s", r.ID, action, r.place())
	}
	return nil
}
