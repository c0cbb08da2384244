package dossier

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/timeline"
)

// A Standing is where a trial stands, for people and for programs.
type Standing struct {
	Trial       trial.Hash       `json:"trial"`
	Number      string           `json:"number"`
	Registrant  string           `json:"registeredBy"` // the organisation whose number it is
	Holder      string           `json:"holder"`
	Masked      bool             `json:"masked"`
	Registered  uint64           `json:"registered"` // entry
	Numbers     []NumberStanding `json:"identifiers"`
	Heads       []HeadStanding   `json:"inForce"`
	Delegations []trial.Grant    `json:"delegations"`
	Offer       *trial.Offer     `json:"offer,omitempty"`
	Events      []EventStanding  `json:"events"`
	Packs       uint64           `json:"packs,omitempty"` // of the investigational product, ever issued
	Marks       []timeline.Mark  `json:"marks"`
	Missing     []string         `json:"missing"`
	Sealed      uint64           `json:"sealed"`               // by the holder, ever
	Unopened    uint64           `json:"unopened"`             // of those, how many are not opened
	OtherSeals  []SealStanding   `json:"otherSeals,omitempty"` // of other organisations that signed for the trial, or may sign
	Size        uint64           `json:"size"`
	SeenBy      string           `json:"seenBy,omitempty"` // when witnesses saw the tree
	Replayed    bool             `json:"replayed"`
	Policy      string           `json:"policy"`
	Kinds       map[string]int   `json:"-"` // of the statements in effect
}

type NumberStanding struct {
	Identifier string   `json:"identifier"`
	Disputed   bool     `json:"disputed"`
	ClaimedBy  []string `json:"claimedBy"`
	Formerly   []string `json:"formerly,omitempty"` // other trials that have claimed it
}

type SealStanding struct {
	Org      string `json:"org"`
	Sealed   uint64 `json:"sealed"`
	Unopened uint64 `json:"unopened"`
}

type HeadStanding struct {
	Scope   string     `json:"scope"`
	Version string     `json:"version"`
	Entry   uint64     `json:"entry"`
	Logged  trial.Time `json:"logged"`
}

type EventStanding struct {
	Event       string               `json:"event"`
	Analysis    string               `json:"analysis,omitempty"`
	Country     string               `json:"country,omitempty"`
	Date        string               `json:"date"`
	Entry       uint64               `json:"entry"`
	Logged      trial.Time           `json:"logged"`
	Corrections []CorrectionStanding `json:"corrections,omitempty"` // in the order of the log
}

// A CorrectionStanding keeps both values, and who changed one to the other, when and why.
type CorrectionStanding struct {
	Field  string     `json:"field"`
	Old    string     `json:"old"`
	New    string     `json:"new"`
	Entry  uint64     `json:"entry"`
	Logged trial.Time `json:"logged"`
	Org    string     `json:"org"`
	Role   string     `json:"role"`
	Key    string     `json:"key"` // id
	Reason string     `json:"reason"`
}

func (c CorrectionStanding) String() string {
	return fmt.Sprintf("%s corrected from %q to %q by entry %d of %s, by %s of %s (%s)",
		c.Field, c.Old, c.New, c.Entry, c.Logged, c.Role, c.Org, c.Reason)
}

func correctionsOf(i *timeline.Item) (list []CorrectionStanding) {
	for _, c := range i.Corrections {
		if p, ok := c.Statement.Predicate.(*trial.Correction); ok {
			list = append(list, CorrectionStanding{
				p.Field, p.Old, p.New, c.Index, c.Time, c.Signer.Org, c.Signer.Role, c.Signer.Key.ID().String(), p.Reason,
			})
		}
	}
	return list
}

// Standing returns where a trial stands. The histories must include the trial's own.
func (h *Histories) Standing(p *checkpoint.Policy) *Standing {
	v := h.Trial
	rec, tl := v.Record.(*trial.TrialRecord), v.Timeline(0)
	s := &Standing{
		Trial: rec.ID, Number: rec.Number, Registrant: tl.Items[0].Signer.Org, Holder: rec.Holder,
		Masked: rec.Masked, Registered: rec.Registered,
		Delegations: rec.Delegations, Offer: rec.Offer, Packs: rec.Units, Marks: tl.Marks(),
		Size: v.Checkpoint.Size, Replayed: h.Replayed(), Policy: p.Digest(), Kinds: map[string]int{},
	}
	for _, iv := range h.Numbers {
		n := NumberStanding{Identifier: iv.Key.ID, Formerly: Formerly(iv.Verdict, rec.ID)}
		if ir, ok := iv.Record.(*trial.IdentifierRecord); ok {
			n.Disputed = ir.Disputed()
			for _, c := range ir.Claims {
				n.ClaimedBy = append(n.ClaimedBy, c.Org)
			}
		}
		s.Numbers = append(s.Numbers, n)
	}
	for i, o := range h.Orgs {
		rec, ok := o.Record.(*trial.OrgRecord)
		switch {
		case !ok:
		case i == 0:
			s.Sealed, s.Unopened = rec.Sealed, rec.Sealed-rec.Opened
		case rec.Sealed > 0:
			s.OtherSeals = append(s.OtherSeals, SealStanding{rec.ID, rec.Sealed, rec.Sealed - rec.Opened})
		}
	}
	for _, scope := range slices.Sorted(maps.Keys(rec.Scopes)) {
		versions := rec.Scopes[scope]
		h := HeadStanding{Scope: scope, Version: versions[len(versions)-1].Version}
		if i := tl.Find(versions[len(versions)-1].ID); i != nil {
			h.Version, h.Entry, h.Logged = i.Value("version"), i.Index, i.Time
		}
		s.Heads = append(s.Heads, h)
	}
	for _, i := range tl.Items {
		if !i.InEffect() {
			continue
		}
		s.Kinds[i.Statement.Predicate.Kind()]++
		if m, ok := i.Statement.Predicate.(*trial.Milestone); ok {
			s.Events = append(s.Events, EventStanding{
				m.Event, i.Value("analysis"), i.Value("country"), i.Value("date"), i.Index, i.Time, correctionsOf(i),
			})
		}
	}
	at := tl.Items[len(tl.Items)-1].Time
	if t, ok := v.Checkpoint.ProvenTime(); ok {
		at = max(at, trial.TimeOf(t))
		s.SeenBy = t.Format(time.RFC3339)
	}
	s.Missing = tl.Missing(at)
	return s
}
