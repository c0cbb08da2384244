package trial

import "fmt"

// CoSignature is another signature on a logged statement, by somebody who reviewed it, approves
// it or takes responsibility for it. Its meaning is the member meaning that every statement
// has. Its one subject is named statement; its digest is the statement's identity. The state
// does not remember every statement, so no rule requires that the statement is logged. If it is
// not, the trial's history is marked.
type CoSignature struct {
	Common
	Statement Hash `json:"statement"` // identity
	Trial     Hash `json:"trial"`
}

func (*CoSignature) Kind() string { return "signature" }

func (c *CoSignature) trialID() Hash { return c.Trial }

func (*CoSignature) allows() allows { return allows{delegation: true, void: true} }

func (c *CoSignature) describe([]Subject) string {
	return fmt.Sprintf("signature on the statement %s of trial %s, meaning %s", c.Statement, c.Trial, c.Meaning)
}

func (c *CoSignature) check(subjects []Subject) error {
	return checkNamed(subjects, "statement", c.Statement)
}

func (c *CoSignature) apply(t *tx, s *Signed) *Refusal {
	return t.remembered(s, c.Trial, "signature", "")
}
