package trial

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Custody says what was done with packs of the investigational product, or with cases of them: see
// custodyActions. Each unit is named with how many acts it has had, so a statement that is logged
// again, and the second of two that race, are refused.
//
// No lot, product, arm, serial or token is in it. Its subject is the trial, or documents with
// salted digests: the packing list of an issue, the event and the temperatures of a handover. To
// dispense, there is one subject for each unit, subject-1, subject-2 and so on, in the order of the
// units: the salted number of the participant who got it.
type Custody struct {
	Common
	Action    string `json:"action"`              // one of custodyActions
	Condition string `json:"condition,omitempty"` // of what is received: one of Conditions
	Deviation string `json:"deviation,omitempty"` // why a unit is dispensed all the same: one of Deviations
	Packs     []Hash `json:"packs,omitempty"`     // commitments of the packs of the case that is opened, sorted
	Reason    string `json:"reason,omitempty"`    // of a suspicion: one of Suspicions
	Ship      Hash   `json:"ship,omitzero"`       // identity of the shipment that is received or cancelled
	To        string `json:"to,omitempty"`        // organisation id, of a shipment
	Trial     Hash   `json:"trial"`
	Units     []Unit `json:"units"` // 1 to MaxCustodyUnits, sorted by Unit
}

// Unit is one unit of a custody statement.
type Unit struct {
	Contents Hash   `json:"contents,omitzero"` // of a case that is issued, see CaseContents
	Handle   Hash   `json:"handle,omitzero"`   // of a unit that is reported: proof that its label was seen
	N        uint64 `json:"n,omitempty"`       // how many acts the unit has had; see Custody
	Packs    uint64 `json:"packs,omitempty"`   // how many are in a case that is issued
	Unit     Hash   `json:"unit"`              // its id; of a unit that is issued, its commitment
}

// MaxCustodyUnits is how many units a custody statement may name, and MaxDispensed how many it may
// dispense, because each has a subject of its own.
const (
	MaxCustodyUnits = 250
	MaxDispensed    = maxSubjects
)

// The values that members of Custody may have.
var (
	Conditions = []string{"damaged", "excursion", "ok", "unknown"}
	// Deviations are why a unit on hold, recalled or expired is given out all the same.
	Deviations = []string{"benefit", "emergency", "error", "expired", "released-by-phone"}
	Suspicions = []string{"duplicate", "seal", "wrong-hand"}
)

// Who may do an act, beside rules of its own.
const (
	byCustodian = 1 << iota
	byHolder    // of the trial
	byDelegate  // of the holder, for custody
	byReceiver  // to whom the unit is offered
	byAnyone    // who is enrolled
)

// An act is the entry of a custody statement.
type act struct {
	index uint64
	id    Hash   // of the statement
	org   string // the signer's
}

// custodyActions says for each action who may do it, which members it takes, what a unit's record
// must not say, and what becomes of the record.
var custodyActions = map[string]struct {
	by      int
	takes   []string // members that must be there
	may     []string // members that may be there
	refuses func(p *Custody, r *UnitRecord) *Refusal
	effect  func(p *Custody, a act, r *UnitRecord)
}{
	"issue": {by: byHolder | byDelegate},
	"open": {by: byCustodian, takes: []string{"packs"},
		refuses: (*Custody).refuseOpen,
		effect:  func(_ *Custody, a act, r *UnitRecord) { r.Gone = a.index }},
	"ship": {by: byCustodian, takes: []string{"to"},
		refuses: func(p *Custody, r *UnitRecord) *Refusal {
			if r.Dispensed != 0 && r.Returned == 0 {
				return refuse(RulePredecessor, "unit %s cannot be shipped%s", r.ID, r.place())
			}
			return r.standing("ship")
		},
		effect: func(p *Custody, a act, r *UnitRecord) { r.Offer, r.Lost = &Offer{a.id, p.To}, 0 }},
	"cancel": {by: byCustodian, takes: []string{"ship"},
		refuses: func(p *Custody, r *UnitRecord) *Refusal {
			if r.Offer == nil || r.Offer.ID != p.Ship {
				return refuse(RulePredecessor, "unit %s is not under way with the shipment %s%s", r.ID, p.Ship, r.place())
			}
			return nil
		},
		effect: func(_ *Custody, _ act, r *UnitRecord) { r.Offer = nil }},
	"receive": {by: byReceiver, takes: []string{"condition", "ship"},
		effect: func(p *Custody, a act, r *UnitRecord) {
			r.Custodian, r.Offer, r.Lost = a.org, nil, 0
			if p.Condition != "ok" && r.Hold == 0 {
				r.Hold = a.index
			}
		}},
	"hold": {by: byCustodian | byHolder,
		refuses: func(_ *Custody, r *UnitRecord) *Refusal {
			if r.Gone != 0 {
				return refuse(RulePredecessor, "unit %s is gone%s", r.ID, r.place())
			}
			if r.Hold != 0 {
				return refuse(RulePredecessor, "unit %s is on hold already, since index %d", r.ID, r.Hold)
			}
			return nil
		},
		effect: func(_ *Custody, a act, r *UnitRecord) { r.Hold = a.index }},
	"free": {by: byHolder | byDelegate,
		refuses: func(_ *Custody, r *UnitRecord) *Refusal {
			switch {
			case r.Hold == 0:
				return refuse(RulePredecessor, "unit %s is not on hold", r.ID)
			case r.Returned != 0:
				return refuse(RulePredecessor, "unit %s was given back at index %d, and stays on hold for ever", r.ID, r.Returned)
			}
			return nil
		},
		effect: func(_ *Custody, _ act, r *UnitRecord) { r.Hold = 0 }},
	"lost": {by: byCustodian,
		refuses: func(_ *Custody, r *UnitRecord) *Refusal {
			if r.Gone != 0 || r.Lost != 0 || r.Dispensed != 0 && r.Returned == 0 {
				return refuse(RulePredecessor, "unit %s cannot be reported lost by %s%s", r.ID, r.Custodian, r.place())
			}
			return nil
		},
		effect: func(_ *Custody, a act, r *UnitRecord) { r.Lost = a.index }},
	"dispense": {by: byCustodian, may: []string{"deviation"},
		refuses: (*Custody).refuseDispense,
		effect:  func(_ *Custody, a act, r *UnitRecord) { r.Dispensed, r.Lost = a.index, 0 }},
	"return": {by: byCustodian,
		refuses: func(_ *Custody, r *UnitRecord) *Refusal {
			if r.Dispensed == 0 || r.Returned != 0 {
				return refuse(RulePredecessor, "unit %s is not with a participant%s", r.ID, r.place())
			}
			return r.standing("return")
		},
		effect: func(_ *Custody, a act, r *UnitRecord) {
			r.Returned = a.index
			if r.Hold == 0 {
				r.Hold = a.index
			}
		}},
	"destroy": {by: byCustodian,
		refuses: func(_ *Custody, r *UnitRecord) *Refusal { return r.standing("destroy") },
		effect:  func(_ *Custody, a act, r *UnitRecord) { r.Gone, r.Lost = a.index, 0 }},
	"recall": {by: byHolder,
		refuses: func(_ *Custody, r *UnitRecord) *Refusal {
			if r.Recalled != 0 {
				return refuse(RulePredecessor, "unit %s was recalled at index %d", r.ID, r.Recalled)
			}
			return nil
		},
		effect: func(_ *Custody, a act, r *UnitRecord) { r.Recalled = a.index }},
	"suspect": {by: byAnyone, takes: []string{"reason"}},
}

// CustodyActions returns the actions of custody statements, sorted.
func CustodyActions() []string { return slices.Sorted(maps.Keys(custodyActions)) }

func (p *Custody) refuseOpen(r *UnitRecord) *Refusal {
	if r.Packs == 0 {
		return refuse(RulePredecessor, "unit %s is no case", r.ID)
	}
	if refusal := r.standing("open"); refusal != nil {
		return refusal
	}
	if CaseContents(p.Packs) != r.Contents || uint64(len(p.Packs)) != r.Packs {
		return refuse(RulePredecessor, "the packs named are not the %d that case %s was issued with", r.Packs, r.ID)
	}
	return nil
}

func (p *Custody) refuseDispense(r *UnitRecord) *Refusal {
	switch {
	case r.Packs > 0:
		return refuse(RulePredecessor, "unit %s is a case: open it first", r.ID)
	case r.Dispensed != 0:
		return refuse(RulePredecessor, "unit %s was given out before%s", r.ID, r.place())
	}
	if refusal := r.standing("dispense"); refusal != nil {
		return refusal
	}
	if p.Deviation != "" {
		return nil
	}
	if r.Recalled != 0 {
		return refuse(RuleNotInForce, "unit %s was recalled at index %d: do not give it out", r.ID, r.Recalled)
	}
	if r.Hold != 0 {
		return refuse(RuleNotInForce, "unit %s is on hold since index %d: do not give it out", r.ID, r.Hold)
	}
	return nil
}

func (*Custody) Kind() string { return "custody" }

func (p *Custody) trialID() Hash { return p.Trial }

// allows says that the holder may delegate to issue and to free units.
func (*Custody) allows() allows { return allows{delegation: true} }

func (p *Custody) describe([]Subject) string {
	verb := map[string]string{
		"issue": "issue of", "open": "opening of", "ship": "shipment of", "cancel": "cancelled shipment of", "receive": "receipt of",
		"hold": "hold on", "free": "end of the hold on", "lost": "loss of", "dispense": "dispensing of", "return": "return of",
		"destroy": "destruction of", "recall": "recall of", "suspect": "suspicion about",
	}[p.Action]
	detail := said(" to ", p.To) + said(", condition ", p.Condition) + said(", all the same: ", p.Deviation) + said(": ", p.Reason)
	return fmt.Sprintf("%s %s of trial %s%s", verb, Count(len(p.Units), "unit", "units"), p.Trial, detail)
}

// present returns the names of the members that are there.
func (p *Custody) present() (names []string) {
	for name, there := range map[string]bool{
		"condition": p.Condition != "", "deviation": p.Deviation != "", "packs": len(p.Packs) > 0, "reason": p.Reason != "",
		"ship": !p.Ship.IsZero(), "to": p.To != "",
	} {
		if there {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (p *Custody) check(subjects []Subject) error {
	action, ok := custodyActions[p.Action]
	if !ok {
		return fmt.Errorf("action is %.40q; it is one of %s", p.Action, strings.Join(CustodyActions(), ", "))
	}
	if err := checkPresent(p.Action, p.present(), action.takes, action.may); err != nil {
		return err
	}
	for _, m := range []struct {
		name, value string
		of          []string
	}{{"condition", p.Condition, Conditions}, {"deviation", p.Deviation, Deviations}, {"reason", p.Reason, Suspicions}} {
		if m.value != "" && !slices.Contains(m.of, m.value) {
			return fmt.Errorf("%s is %.40q; it is one of %s", m.name, m.value, strings.Join(m.of, ", "))
		}
	}
	if p.To != "" {
		if err := CheckOrgID(p.To); err != nil {
			return err
		}
	}
	if len(p.Packs) > MaxCase || !ascending(p.Packs, func(h Hash) Hash { return h }) {
		return fmt.Errorf("packs is not a sorted list of at most %d without repetition", MaxCase)
	}
	if err := p.checkUnits(); err != nil {
		return err
	}
	return p.checkSubjects(subjects)
}

// checkPresent checks that an action has the members that it takes, and none that it may not have.
func checkPresent(action string, present, takes, may []string) error {
	for _, name := range takes {
		if !slices.Contains(present, name) {
			return fmt.Errorf("%s lacks the member %s", action, name)
		}
	}
	for _, name := range present {
		if !slices.Contains(takes, name) && !slices.Contains(may, name) {
			return fmt.Errorf("%s takes no member %s", action, name)
		}
	}
	return nil
}

// ascending reports whether a list is sorted by a hash, without repetition.
func ascending[T any](list []T, hash func(T) Hash) bool {
	for i := 1; i < len(list); i++ {
		if a, b := hash(list[i-1]), hash(list[i]); bytes.Compare(a[:], b[:]) >= 0 {
			return false
		}
	}
	return true
}

func (p *Custody) checkUnits() error {
	most := MaxCustodyUnits
	switch p.Action {
	case "open":
		most = 1
	case "dispense":
		most = MaxDispensed
	}
	if len(p.Units) == 0 || len(p.Units) > most {
		return fmt.Errorf("%d units; to %s takes 1 to %d", len(p.Units), p.Action, most)
	}
	if !ascending(p.Units, func(u Unit) Hash { return u.Unit }) {
		return errors.New("the units are not sorted, or one is named twice")
	}
	for i, u := range p.Units {
		issue, suspect := p.Action == "issue", p.Action == "suspect"
		switch {
		case u.Unit.IsZero():
			return fmt.Errorf("unit %d lacks the member unit", i+1)
		case issue && u.N != 0:
			return fmt.Errorf("unit %d has n, but a unit that is issued had no act before", i+1)
		case !issue && !suspect && u.N == 0:
			return fmt.Errorf("unit %d lacks n, how many acts it has had", i+1)
		case u.N > maxIndex:
			return fmt.Errorf("unit %d: n is %d; the most is %d", i+1, u.N, uint64(maxIndex))
		case suspect == u.Handle.IsZero():
			return fmt.Errorf("unit %d: a handle is shown to report a unit, and for nothing else", i+1)
		case suspect && UnitID(p.Trial, UnitCommitment(u.Handle)) != u.Unit:
			return fmt.Errorf("unit %d is not the one whose handle is shown", i+1)
		case u.Contents.IsZero() != (u.Packs == 0) || u.Packs > MaxCase || u.Packs > 0 && !issue:
			return fmt.Errorf("unit %d: a case that is issued has contents and the number of its packs, 1 to %d, and nothing else has", i+1, MaxCase)
		}
	}
	return nil
}

func (p *Custody) checkSubjects(subjects []Subject) error {
	if p.Action != "dispense" {
		if len(subjects) == 1 && subjects[0].Name == "trial" {
			return checkNamed(subjects, "trial", p.Trial)
		}
		return checkSalted(subjects, "custody")
	}
	if len(subjects) != len(p.Units) {
		return fmt.Errorf("%d subjects for %d units; to dispense takes one for each, in their order", len(subjects), len(p.Units))
	}
	for i, s := range subjects {
		if s.Name != fmt.Sprintf("subject-%d", i+1) || s.Digest.Salted256.IsZero() {
			return fmt.Errorf("subject %d is not subject-%d with a salted digest", i+1, i+1)
		}
	}
	return nil
}

func (p *Custody) apply(t *tx, s *Signed) *Refusal {
	if t.signer.Role == RoleRegistrar {
		return refuse(RuleRole, "a registrar has no packs: this key is %s", t.signer.Role)
	}
	if p.Action == "issue" {
		return p.issue(t)
	}
	tr, ok := t.s.get(RecordKey{"trial", p.Trial.String()}).(*TrialRecord) // read, so that its history does not grow
	if !ok {
		return refuse(RuleUnknown, "no trial %s is logged: register it first", p.Trial)
	}
	if p.To != "" {
		if p.To == t.signer.Org {
			return refuse(RuleTaken, "%s has the units: a shipment goes to another organisation", p.To)
		}
		if r := t.enrolled(p.To); r != nil {
			return r
		}
	}
	if p.Action == "recall" {
		if _, r := t.heldTrial(p.Trial); r != nil { // a recall is part of the trial's history
			return r
		}
	}
	if p.Action == "free" && tr.Holder != t.signer.Org && !tr.delegated(t, "custody") {
		return refuse(RuleHolder, "%s holds trial %s, and has not delegated custody to %s", tr.Holder, p.Trial, t.signer.Org)
	}
	for _, u := range p.Units {
		r, ok := edit[*UnitRecord](t, RecordKey{"unit", u.Unit.String()})
		if !ok || r.Trial != p.Trial {
			return refuse(RuleUnknown, "no unit %s of trial %s is logged: it was not issued, or it is in a case that was not opened", u.Unit,
				p.Trial)
		}
		if p.Action == "suspect" {
			if refusal := p.report(t, r, u, tr.Holder); refusal != nil {
				return refusal
			}
			continue
		}
		if u.N != r.N {
			return refuse(RulePredecessor, "unit %s has had %d acts, not %d%s", u.Unit, r.N, u.N, r.place())
		}
		if refusal := p.judge(r, t.signer.Org, tr.Holder); refusal != nil {
			return refusal
		}
		p.change(r, act{t.index, s.ID, t.signer.Org})
	}
	if p.Action == "open" {
		return p.openCase(t)
	}
	return nil
}

// delegated reports whether the signer's organisation has a delegation for a kind.
func (tr *TrialRecord) delegated(t *tx, kind string) bool {
	return slices.ContainsFunc(tr.Delegations, func(g Grant) bool {
		return g.To == t.signer.Org && slices.Contains(g.Kinds, kind) && (g.End == "" || t.time <= EndOf(g.End))
	})
}

// issue creates the units. Their number is in the trial's record.
func (p *Custody) issue(t *tx) *Refusal {
	tr, r := t.entitled(p.Trial, "custody", "")
	if r != nil {
		return r
	}
	for _, u := range p.Units {
		tr.Units += max(1, u.Packs)
		if !t.create(&UnitRecord{Contents: u.Contents, Custodian: t.signer.Org, ID: UnitID(p.Trial, u.Unit), Issuer: t.signer.Org, Kind: "unit",
			N: 1, Packs: u.Packs, Trial: p.Trial}) {
			return refuse(RuleTaken, "unit %s is issued already", UnitID(p.Trial, u.Unit))
		}
	}
	if tr.Units > MaxUnits {
		return refuse(RuleLimit, "the trial would have %d units; the most is %d", tr.Units, MaxUnits)
	}
	return nil
}

// openCase creates the packs of the case that is opened, with its hold and recall.
func (p *Custody) openCase(t *tx) *Refusal {
	box := t.edited[RecordKey{"unit", p.Units[0].Unit.String()}].(*UnitRecord)
	for _, pack := range p.Packs {
		if !t.create(box.Pack(pack)) {
			return refuse(RuleTaken, "unit %s, of this case, is issued already", UnitID(p.Trial, pack))
		}
	}
	return nil
}

// report notes that an organisation reported a unit. Those of its custodian and of the holder are acts;
// anybody else reports a unit once, and nobody's acts are refused because of it.
func (p *Custody) report(t *tx, r *UnitRecord, u Unit, holder string) *Refusal {
	org := t.signer.Org
	own := org == r.Custodian || org == holder
	switch {
	case own && u.N != r.N:
		return refuse(RulePredecessor, "unit %s has had %d acts, not %d%s", u.Unit, r.N, u.N, r.place())
	case !own && u.N != 0:
		return refuse(RulePredecessor, "%s neither has unit %s nor holds its trial, so its report is no act and has no n", org, u.Unit)
	case !own && slices.Contains(r.Reports, org):
		return refuse(RuleTaken, "%s has reported unit %s already", org, u.Unit)
	case !own && len(r.Reports) >= maxUnitReport:
		return tooMany("reports", len(r.Reports))
	}
	if !slices.Contains(r.Reports, org) {
		r.Reports = appended(r.Reports, org)
	}
	if own {
		r.N++
	}
	return nil
}

// The marks that custody statements bear by themselves, in the history of a unit.
const (
	MarkDeviation MarkID = "M28"
	MarkCondition MarkID = "M29"
	MarkSuspect   MarkID = "M30"
	MarkRecalled  MarkID = "M31"
	MarkLost      MarkID = "M32"
)

func (*Custody) meanings() []MarkMeaning {
	return []MarkMeaning{
		{MarkDeviation, "given out although it should not have been", WeightExplain},
		{MarkCondition, "not received in good condition, or that is not known", WeightExplain},
		{MarkSuspect, "reported as suspicious", WeightExplain},
		{MarkRecalled, "recalled", WeightExplain},
		{MarkLost, "reported as lost", WeightExplain},
	}
}

func (p *Custody) remarks(logged Time, _ func(string) string) []Remark {
	switch {
	case p.Deviation != "":
		return []Remark{{MarkDeviation, "ground: " + p.Deviation}}
	case p.Condition != "" && p.Condition != "ok":
		return []Remark{{MarkCondition, "condition: " + p.Condition}}
	case p.Action == "suspect":
		return []Remark{{MarkSuspect, "suspicion: " + p.Reason}}
	case p.Action == "recall":
		return []Remark{{MarkRecalled, fmt.Sprintf("recalled on %s", logged)}}
	case p.Action == "lost":
		return []Remark{{MarkLost, fmt.Sprintf("reported on %s", logged)}}
	}
	return nil
}
