package trial

import (
	"fmt"
	"slices"
	"strings"
)

// CodeBreak says that what some participants of a masked trial get, or what is in some packs, has
// become known or is about to: ICH E6(R3) 4.1.4 asks that every unblinding be documented. Its documents
// are named codebreak and have salted digests only: the list of participants or packs.
type CodeBreak struct {
	Common
	Reason string `json:"reason"` // one of CodeBreakReasons
	Trial  Hash   `json:"trial"`
}

// CodeBreakReasons are why a code is broken.
var CodeBreakReasons = []string{"analysis", "court-order", "emergency", "error", "pregnancy", "reaction", "recall", "supply"}

func (*CodeBreak) Kind() string { return "codebreak" }

func (p *CodeBreak) trialID() Hash { return p.Trial }

func (*CodeBreak) allows() allows { return allows{delegation: true} }

func (p *CodeBreak) describe([]Subject) string {
	return fmt.Sprintf("code break in trial %s, on the ground of %s", p.Trial, p.Reason)
}

func (p *CodeBreak) check(subjects []Subject) error {
	if !slices.Contains(CodeBreakReasons, p.Reason) {
		return fmt.Errorf("reason is %.40q; it is one of %s", p.Reason, strings.Join(CodeBreakReasons, ", "))
	}
	return checkSalted(subjects, "codebreak")
}

// apply lets the holder say so, and to whom it delegates codebreak: depots and sites that have packs.
func (p *CodeBreak) apply(t *tx, s *Signed) *Refusal {
	tr, r := t.entitled(p.Trial, "codebreak", "")
	if r != nil {
		return r
	}
	if !tr.Masked {
		return refuse(RuleNotInForce, "trial %s is not registered as masked: there is no code to break", p.Trial)
	}
	return t.act(tr, s.ID)
}

// form is what trial submit -kind codebreak takes.
func (p *CodeBreak) form() Form {
	return Form{Trial: &p.Trial, Flags: []Flag{{Name: "reason", Help: "of a code break: `emergency` or another of " +
		strings.Join(CodeBreakReasons, ", "), Missing: "a code break needs -reason", Text: &p.Reason}}}
}

// MarkCodeBroken is the mark that every code break bears.
const MarkCodeBroken MarkID = "M33"

func (*CodeBreak) meanings() []MarkMeaning {
	return []MarkMeaning{{MarkCodeBroken, "the treatment of participants, or of packs, was revealed", WeightExplain}}
}

func (p *CodeBreak) remarks(Time, func(string) string) []Remark {
	return []Remark{{MarkCodeBroken, "ground: " + p.Reason}}
}
