package custody

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/trial"
)

// A Tally counts packs. A case that nobody has opened counts as the packs that are in it.
type Tally struct {
	Packs    uint64            `json:"packs"`
	States   map[string]uint64 `json:"states"` // by State
	OnHold   uint64            `json:"onHold"`
	Recalled uint64            `json:"recalled"`
	Reported uint64            `json:"reported"` // as suspicious
	NotGood  uint64            `json:"notGood"`  // received in another condition than ok
	Waiting  []Handover        `json:"waiting"`  // not received yet, the oldest first
}

// A Handover is a shipment of which packs were not received yet.
type Handover struct {
	From  string     `json:"from"`
	To    string     `json:"to"`
	Ship  trial.Hash `json:"ship"` // identity of the statement
	Since trial.Time `json:"since"`
	Packs uint64     `json:"packs"`
}

// NewTally counts units, of which all have a record.
func NewTally(units []*Account) *Tally {
	t := &Tally{States: map[string]uint64{}, Waiting: []Handover{}}
	for _, a := range units {
		r := a.Record
		if State(r) == "opened" {
			continue // its packs are counted by themselves
		}
		n := max(1, r.Packs)
		t.Packs += n
		t.States[State(r)] += n
		for to, is := range map[*uint64]bool{&t.OnHold: r.Hold != 0, &t.Recalled: r.Recalled != 0, &t.Reported: len(r.Reports) > 0,
			&t.NotGood: a.receivedBadly()} {
			if is {
				*to += n
			}
		}
		if r.Offer != nil {
			t.wait(a, n)
		}
	}
	slices.SortFunc(t.Waiting, func(a, b Handover) int {
		return cmp.Or(cmp.Compare(a.Since, b.Since), strings.Compare(a.Ship.String(), b.Ship.String()))
	})
	return t
}

func (a *Account) receivedBadly() bool {
	return slices.ContainsFunc(a.Acts, func(x Act) bool { return x.Said.Action == "receive" && x.Said.Condition != "ok" })
}

func (t *Tally) wait(a *Account, n uint64) {
	for i := range t.Waiting {
		if t.Waiting[i].Ship == a.Record.Offer.ID {
			t.Waiting[i].Packs += n
			return
		}
	}
	h := Handover{From: a.Record.Custodian, To: a.Record.Offer.To, Ship: a.Record.Offer.ID, Packs: n}
	if x := a.Last("ship"); x != nil {
		h.Since = x.Time
	}
	t.Waiting = append(t.Waiting, h)
}

// Lines says the tally for people, with the age of what waits at a time.
func (t *Tally) Lines(now trial.Time) (lines []string) {
	var parts []string
	for _, state := range States {
		if n := t.States[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	lines = append(lines, "packs: "+strings.Join(parts, ", "))
	for _, x := range []struct {
		n    uint64
		text string
	}{{t.OnHold, "on hold"}, {t.Recalled, "recalled"}, {t.Reported, "reported as suspicious"},
		{t.NotGood, "received not in good condition, or that is not known"}} {
		if x.n > 0 {
			lines = append(lines, fmt.Sprintf("packs %s: %d", x.text, x.n))
		}
	}
	for _, h := range t.Waiting {
		age := max(0, int64(now-h.Since)/86_400_000)
		lines = append(lines, fmt.Sprintf("not received: %s from %s to %s, shipped %s, %s ago", trial.Count(int(h.Packs), "pack", "packs"),
			h.From, h.To, h.Since, trial.Count(int(age), "day", "days")))
	}
	return lines
}
