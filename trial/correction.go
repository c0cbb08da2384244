package trial

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Correction says that one member of a logged statement was wrong and what is right, or that
// the statement should not have been logged at all (Void). The logged statement stays and is
// still shown, and its marks stay. Only a void changes which version is in force. Its subject
// is the trial.
type Correction struct {
	Common
	Field     string `json:"field,omitempty"`
	Of        string `json:"of"`            // kind of the statement corrected
	New       string `json:"new,omitempty"` // empty: the member should be absent
	Old       string `json:"old,omitempty"`
	Reason    string `json:"reason,omitempty"` // one of Reasons; empty in a void
	Statement Hash   `json:"statement"`        // identity of the statement corrected
	Trial     Hash   `json:"trial"`
	Void      string `json:"void,omitempty"` // one of VoidReasons
}

// Reasons says why a member may be corrected; VoidReasons says why a statement may be void.
var (
	Reasons     = []string{"clerical", "source-corrected"}
	VoidReasons = []string{"duplicate", "wrong-document", "wrong-trial"}
)

func requiredDate(s string) error    { return checkDate("date", s) }
func optionalVersion(s string) error { return checkVersion(s, false) }
func versionText(s string) error     { return checkVersion(s, true) }

func (*Correction) Kind() string { return "correction" }

func (c *Correction) trialID() Hash { return c.Trial }

func (c *Correction) describe([]Subject) string {
	if c.Void != "" {
		return fmt.Sprintf("the %s %s of trial %s is void: %s", c.Of, c.Statement, c.Trial, c.Void)
	}
	return fmt.Sprintf("correction of the %s %s of trial %s: %s is %q, not %q (%s)",
		c.Of, c.Statement, c.Trial, c.Field, c.New, c.Old, c.Reason)
}

func (c *Correction) check(subjects []Subject) error {
	if c.Void != "" {
		switch {
		case !slices.Contains(VoidReasons, c.Void):
			return fmt.Errorf("void is %.40q; it is one of %s", c.Void, strings.Join(VoidReasons, ", "))
		case !slices.Contains(VoidableKinds, c.Of):
			return fmt.Errorf("a statement of kind %.40q cannot be void; these can: %s", c.Of, strings.Join(VoidableKinds, ", "))
		case c.Field != "" || c.New != "" || c.Old != "" || c.Reason != "":
			return errors.New("a void names no member: field, old, new and reason are left out")
		}
		return checkNamed(subjects, "trial", c.Trial)
	}
	var form func(string) error
	if newPredicate := kinds[c.Of]; newPredicate != nil {
		form = correctables(newPredicate())[c.Field].form
	}
	switch {
	case form == nil:
		return fmt.Errorf("member %.40q of kind %.40q cannot be corrected", c.Field, c.Of)
	case !slices.Contains(Reasons, c.Reason):
		return fmt.Errorf("reason is %.40q; it is one of %s", c.Reason, strings.Join(Reasons, ", "))
	case c.Old == c.New:
		return errors.New("old and new are the same")
	}
	for _, v := range []string{c.Old, c.New} {
		if err := form(v); err != nil {
			return err
		}
	}
	return checkNamed(subjects, "trial", c.Trial)
}

func (c *Correction) apply(t *tx, s *Signed) *Refusal {
	tr, r := t.entitled(c.Trial, c.Of, "")
	if r != nil {
		return r
	}
	if c.Void != "" && tr.Shares.acted(voidAct(c.Of, c.Statement)) {
		return refuse(RuleTaken, "the %s %s is void already", c.Of, c.Statement)
	}
	if r := c.ofOwn(t, tr); r != nil || c.Void == "" {
		return r
	}
	if n := len(tr.Shares.share(t.signer.Org).Acts); n >= maxVoids {
		return tooMany("voids by "+t.signer.Org, n)
	}
	if r := t.act(tr, voidAct(c.Of, c.Statement)); r != nil { // a void statement cannot be logged again
		return r
	}
	if p, ok := kinds[c.Of]().(effective); ok {
		return p.empty(t, tr, c.Statement)
	}
	return nil // records remember no effect of the other kinds
}

// ofOwn refuses a correction of a statement that is not logged for the trial. It also refuses
// one by an organisation that neither holds the trial nor logged the statement.
func (c *Correction) ofOwn(t *tx, tr *TrialRecord) *Refusal {
	author := tr.Shares.author(c.Of, c.Statement)
	if p, ok := kinds[c.Of]().(effective); ok {
		author = p.author(tr, c.Statement)
	}
	switch author {
	case "":
		return refuse(RuleUnknown, "no %s %s of this trial is logged and not void", c.Of, c.Statement)
	case t.signer.Org:
		return nil
	}
	if tr.Holder == t.signer.Org {
		return nil
	}
	return refuse(RuleHolder, "the %s %s was logged by %s: only %s and %s, which holds the trial, can correct it",
		c.Of, c.Statement, author, author, tr.Holder)
}

// maxVoids is the number of acts that an organisation may have when it logs a void. It leaves
// room for the acts that end a delegation or transfer the trial.
const maxVoids = maxPerTrial - 100
