package trial

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Transfer gives a trial to another organisation: an administrator of the holder offers it, and
// an administrator of the other organisation accepts it. If the holder can no longer sign, a
// registrar orders the transfer and states the ground. Delegations end with a transfer. Its
// subject is the trial.
type Transfer struct {
	Common
	Action string `json:"action"`           // offer, accept, withdraw or order
	Ground string `json:"ground,omitempty"` // of an order: one of Grounds
	Offer  Hash   `json:"offer,omitzero"`   // identity of the offer that is accepted or withdrawn
	To     string `json:"to"`               // organisation id
	Trial  Hash   `json:"trial"`
}

// Grounds are why a registrar transfers a trial or rules which trial a number belongs to.
var Grounds = []string{"agreement", "court-order", "insolvency", "keys-lost", "merger", "registry-confirmed"}

func checkGround(ground string) error {
	if !slices.Contains(Grounds, ground) {
		return fmt.Errorf("ground is %.40q; it is one of %s", ground, strings.Join(Grounds, ", "))
	}
	return nil
}

func (*Transfer) Kind() string { return "transfer" }

func (p *Transfer) trialID() Hash { return p.Trial }

func (p *Transfer) describe([]Subject) string {
	return fmt.Sprintf("transfer of trial %s to %s: %s%s", p.Trial, p.To, p.Action, said(", on the ground of ", p.Ground))
}

func (p *Transfer) check(subjects []Subject) error {
	if err := CheckOrgID(p.To); err != nil {
		return err
	}
	switch p.Action {
	case "offer", "accept", "withdraw":
		if p.Ground != "" {
			return errors.New("only a registrar's order has a ground")
		}
		if (p.Action == "offer") != p.Offer.IsZero() {
			return errors.New("accept and withdraw need the member offer, and the other actions do not take it")
		}
	case "order":
		if err := checkGround(p.Ground); err != nil {
			return err
		}
		if !p.Offer.IsZero() {
			return errors.New("an order names no offer")
		}
	default:
		return fmt.Errorf("action is %.40q; it is offer, accept, withdraw or order", p.Action)
	}
	return checkNamed(subjects, "trial", p.Trial)
}

func (p *Transfer) apply(t *tx, s *Signed) *Refusal {
	tr, r := t.trial(p.Trial)
	if r != nil {
		return r
	}
	switch p.Action {
	case "order":
		if t.signer.Role != RoleRegistrar {
			return refuse(RuleRole, "only a registrar orders a transfer; this key is %s of %s", t.signer.Role, t.signer.Org)
		}
	case "accept":
		if t.signer.Role != RoleAdministrator || t.signer.Org != p.To {
			return refuse(RuleRole, "only an administrator of %s accepts it; this key is %s of %s", p.To, t.signer.Role, t.signer.Org)
		}
	default:
		if _, r := t.administered(p.Trial); r != nil {
			return r
		}
	}
	if p.Action == "accept" || p.Action == "withdraw" {
		if tr.Offer == nil || *tr.Offer != (Offer{p.Offer, p.To}) {
			return refuse(RuleUnknown, "no offer %s of this trial to %s is open", p.Offer, p.To)
		}
	} else if p.To == tr.Holder {
		return refuse(RuleTaken, "%s holds the trial", p.To)
	}
	if t.s.get(RecordKey{"org", p.To}) == nil {
		return refuse(RuleUnknown, "no organisation %s is enrolled", p.To)
	}
	touched := []string{tr.Holder}
	if p.Action == "accept" || p.Action == "order" { // an offer is not part of the history of an organisation that has not accepted it
		touched = append(touched, p.To)
	}
	for _, id := range touched {
		if _, r := t.org(id); r != nil {
			return r
		}
	}
	if r := t.act(tr, s.ID); r != nil {
		return r
	}
	switch p.Action {
	case "offer":
		tr.Offer = &Offer{s.ID, p.To}
	case "withdraw":
		tr.Offer = nil
	default:
		tr.Holder, tr.Offer, tr.Delegations = p.To, nil, nil
	}
	return nil
}

// MarkOrdered is the mark that a transfer bears by itself.
const MarkOrdered MarkID = "M24"

func (*Transfer) meanings() []MarkMeaning {
	return []MarkMeaning{{MarkOrdered, "transferred by a registrar's order", WeightExplain}}
}

func (p *Transfer) remarks(Time, func(string) string) []Remark {
	if p.Action != "order" {
		return nil
	}
	return []Remark{{MarkOrdered, "ground: " + p.Ground}}
}

// Ruling is a registrar's decision which trial a disputed identifier belongs to. A later ruling
// replaces it. Its subject is the trial.
type Ruling struct {
	Common
	Ground     string `json:"ground"` // one of Grounds
	Identifier string `json:"identifier"`
	Trial      Hash   `json:"trial"`
}

func (*Ruling) Kind() string { return "ruling" }

func (p *Ruling) trialID() Hash { return p.Trial }

func (p *Ruling) describe([]Subject) string {
	return fmt.Sprintf("ruling that %s is the number of trial %s, on the ground of %s", p.Identifier, p.Trial, p.Ground)
}

func (p *Ruling) check(subjects []Subject) error {
	if err := checkIdentifier(p.Identifier); err != nil {
		return err
	}
	if err := checkGround(p.Ground); err != nil {
		return err
	}
	return checkNamed(subjects, "trial", p.Trial)
}

func (p *Ruling) apply(t *tx, s *Signed) *Refusal {
	if t.signer.Role != RoleRegistrar {
		return refuse(RuleRole, "only a registrar rules; this key is %s of %s", t.signer.Role, t.signer.Org)
	}
	rec, ok := edit[*IdentifierRecord](t, RecordKey{"identifier", p.Identifier})
	if !ok || !slices.ContainsFunc(rec.Claims, func(c Claim) bool { return c.Trial == p.Trial }) {
		return refuse(RuleUnknown, "no claim of %s for the trial %s is in force", p.Identifier, p.Trial)
	}
	if r := t.once(&rec.Acts, s.ID); r != nil {
		return r
	}
	if rec.Ruling == p.Trial {
		return refuse(RuleTaken, "%s was already ruled to belong to this trial", p.Identifier)
	}
	rec.Ruling = p.Trial
	return t.tellClaimants(rec)
}

// maxTold bounds the trials that are told of a claim. The number's own history has all claims.
// However many organisations squat a number, the sponsor's claim is accepted.
const maxTold = 20

// tellClaimants adds the entry to the entries of the first trials that claim the identifier,
// and of the trial that it was ruled to belong to: a dispute is part of the history of each.
func (t *tx) tellClaimants(rec *IdentifierRecord) *Refusal {
	for i, c := range rec.Claims {
		if i >= maxTold && c.Trial != rec.Ruling {
			continue
		}
		if _, r := t.trial(c.Trial); r != nil {
			return r
		}
	}
	return nil
}
