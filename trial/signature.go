package trial

import "fmt"

// CoSignature is another signature on a statement that is logged: who reviewed,
// approved or takes responsibility for what another wrote. Its meaning is the
// member meaning that every statement has. Its subject is the identity of the
// statement, named statement. That the statement is logged is not remembered, and
// so not a rule: where it is not, the trial's history marks it.
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
