package trial

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Delegation lets another organisation log statements of some kinds for a trial, or withdraws a
// delegation. An administrator of the holder signs it. Its subject is the trial.
type Delegation struct {
	Common
	End      string   `json:"end,omitempty"`    // last day in UTC; empty: until it is withdrawn
	Kinds    []string `json:"kinds,omitempty"`  // of DelegableKinds, sorted
	Reason   string   `json:"reason,omitempty"` // of a withdrawal: one of EndReasons
	Scope    string   `json:"scope,omitempty"`  // of protocols, or the country of milestones; empty: the whole trial
	To       string   `json:"to,omitempty"`     // organisation id
	Trial    Hash     `json:"trial"`
	Withdraw Hash     `json:"withdraw,omitzero"` // identity of a delegation; beside it there are only Trial and perhaps Reason
}

func (*Delegation) Kind() string { return "delegation" }

func (d *Delegation) trialID() Hash { return d.Trial }

func (d *Delegation) describe([]Subject) string {
	if !d.Withdraw.IsZero() {
		return fmt.Sprintf("withdrawal of the delegation %.12s for trial %s: %s", d.Withdraw, d.Trial, because(d.Reason))
	}
	return fmt.Sprintf("delegation of %s%s to %s%s for trial %s",
		strings.Join(d.Kinds, ", "), said(" in ", d.Scope), d.To, said(" until ", d.End), d.Trial)
}

func (d *Delegation) check(subjects []Subject) error {
	if err := checkEndReason(d.Reason, !d.Withdraw.IsZero()); err != nil {
		return err
	}
	if !d.Withdraw.IsZero() {
		if d.End != "" || len(d.Kinds) > 0 || d.Scope != "" || d.To != "" {
			return errors.New("a withdrawal has only the members trial, withdraw and reason")
		}
		return checkNamed(subjects, "trial", d.Trial)
	}
	if err := CheckOrgID(d.To); err != nil {
		return err
	}
	if err := checkKinds(d.Kinds, DelegableKinds); err != nil {
		return err
	}
	if d.End != "" {
		if err := checkDay("end", d.End); err != nil {
			return err
		}
	}
	if d.Scope != "" {
		if !scope.MatchString(d.Scope) {
			return fmt.Errorf("scope %.60q is not global, a country such as DE, or a sub-protocol's name", d.Scope)
		}
		for _, k := range d.Kinds {
			if !allowed(k).scope {
				return fmt.Errorf("a statement of kind %s has no scope: delegate it without one", k)
			}
		}
	}
	return checkNamed(subjects, "trial", d.Trial)
}

// checkKinds checks that list is sorted, has no repetition and names only kinds among known.
func checkKinds(list, known []string) error {
	if len(list) == 0 || !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
		return errors.New("kinds is not a sorted list without repetition")
	}
	for _, k := range list {
		if !slices.Contains(known, k) {
			return fmt.Errorf("kind %.40q is not one of %s", k, strings.Join(known, ", "))
		}
	}
	return nil
}

func (d *Delegation) apply(t *tx, s *Signed) *Refusal {
	tr, r := t.administered(d.Trial)
	if r != nil {
		return r
	}
	if r := t.act(tr, s.ID); r != nil {
		return r
	}
	if !d.Withdraw.IsZero() {
		i := slices.IndexFunc(tr.Delegations, func(g Grant) bool { return g.ID == d.Withdraw })
		if i < 0 {
			return refuse(RuleUnknown, "no delegation %s of this trial is in force", d.Withdraw)
		}
		if g := tr.Delegations[i]; g.Accepted > 0 { // else it is not part of that organisation's history
			if _, r := t.org(g.To); r != nil {
				return r
			}
		}
		tr.Delegations = slices.Concat(tr.Delegations[:i], tr.Delegations[i+1:])
		return nil
	}
	if d.To == tr.Holder {
		return refuse(RuleTaken, "%s holds the trial", d.To)
	}
	// It becomes part of the organisation's history with the first statement that rests on it.
	// An organisation that is named without having been asked is not burdened with it.
	if t.s.get(RecordKey{"org", d.To}) == nil {
		return refuse(RuleUnknown, "no organisation %s is enrolled", d.To)
	}
	tr.Delegations = appended(tr.Delegations, Grant{End: d.End, ID: s.ID, Kinds: d.Kinds, Scope: d.Scope, To: d.To})
	return nil
}
