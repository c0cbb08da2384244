package custody_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/custody"
)

// TestPlain: a refusal for whoever has the pack in hand names the rule, and no id.
func TestPlain(t *testing.T) {
	unit := trial.UnitID(trial.Hash{1}, trial.Hash{2})
	for _, c := range []struct {
		act       string
		r         trial.UnitRecord
		org, want string
	}{
		{"dispense", trial.UnitRecord{Hold: 7}, "site", "R18: it is on hold since entry 7: do not give it out"},
		{"dispense", trial.UnitRecord{Dispensed: 8}, "site", "R10: it was given out before: site gave it out by entry 8"},
		{"dispense", trial.UnitRecord{}, "other", "R8: it is with site and its trial is held by acme, but you sign for other"},
		{"ship", trial.UnitRecord{Offer: &trial.Offer{ID: trial.Hash{3}, To: "other"}}, "site",
			"R10: it cannot take the action ship now: it is under way from site to other"},
		{"receive", trial.UnitRecord{}, "site", "R10: it is not under way: it is with site"},
	} {
		c.r.ID, c.r.Custodian = unit, "site"
		p := &trial.Custody{Action: c.act}
		if c.act == "receive" {
			p.Ship = trial.Hash{4}
		}
		if got := custody.Plain(fmt.Errorf("log: %w", p.Judge(&c.r, c.org, "acme")), unit); got != c.want {
			t.Errorf("%s: %q, want %q", c.act, got, c.want)
		}
	}
	if got := custody.Plain(errors.New("no network"), unit); got != "no network" {
		t.Errorf("what is no refusal is changed: %q", got)
	}
}
