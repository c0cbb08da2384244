package trial

import (
	"errors"
	"fmt"
)

// A Rule is the stable id of a reason to refuse. The same id is in docs/spec.md, in the API's
// answers and in an auditor's report. An id is never used again for another reason.
type Rule string

// The rules of rule set 1.
const (
	RuleMalformed   Rule = "R1"  // not in the form that docs/spec.md gives
	RuleLimit       Rule = "R2"  // over a limit
	RuleNotEnrolled Rule = "R3"  // the signer's key is not enrolled
	RuleSignature   Rule = "R4"  // a signature does not verify
	RuleLog         Rule = "R5"  // the statement is for another log
	RuleRevoked     Rule = "R6"  // the signer's key is revoked
	RuleRole        Rule = "R7"  // the signer's role does not entitle it
	RuleHolder      Rule = "R8"  // the organisation neither holds the trial or unit nor has a delegation for this
	RuleUnknown     Rule = "R9"  // names a trial, organisation, key or statement that is not logged
	RulePredecessor Rule = "R10" // it does not follow the last of its chain: a second head
	RuleTaken       Rule = "R11" // it claims something that is taken already
	RuleSignedAt    Rule = "R12" // signed later than it was admitted
	RuleSigner      Rule = "R13" // the entry's signer is not the one in the state
	RuleTime        Rule = "R14" // an entry's time is before the one before
	RuleState       Rule = "R15" // a state entry with a wrong size, rule set or map root
	RuleOrder       Rule = "R16" // genesis anywhere but first, or another entry first
	RuleKeyLimits   Rule = "R17" // outside the limits of the signer's key
	RuleNotInForce  Rule = "R18" // what it rests on is not in force
)

var ruleText = map[Rule]string{
	RuleMalformed:   "malformed",
	RuleLimit:       "over a limit",
	RuleNotEnrolled: "key not enrolled",
	RuleSignature:   "signature does not verify",
	RuleLog:         "statement for another log",
	RuleRevoked:     "key revoked",
	RuleRole:        "role not entitled",
	RuleHolder:      "not the organisation that holds this, nor delegated it",
	RuleUnknown:     "not logged",
	RulePredecessor: "predecessor is not the version in force",
	RuleTaken:       "already taken",
	RuleSignedAt:    "signed later than admitted",
	RuleSigner:      "signer is not what the state says",
	RuleTime:        "time goes backwards",
	RuleState:       "state entry does not match the state",
	RuleOrder:       "entry out of its place",
	RuleKeyLimits:   "outside the key's limits",
	RuleNotInForce:  "what this rests on is not in force",
}

// A Refusal says which rule an entry breaks and how. It is the only kind of
// error that Check returns, and with NewerRules that Admit and Apply return.
type Refusal struct {
	Rule   Rule
	Detail string // what is wrong with this entry, and what would be right
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("%s: %s: %s", r.Rule, ruleText[r.Rule], r.Detail)
}

func refuse(rule Rule, format string, args ...any) *Refusal {
	return &Refusal{rule, fmt.Sprintf(format, args...)}
}

// RuleOf returns the rule that was broken according to err, or "" if err is not a refusal.
func RuleOf(err error) Rule {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r.Rule
	}
	return ""
}

// RuleText returns a rule in a few words.
func RuleText(r Rule) string { return ruleText[r] }

// NewerRules says that an entry is judged by a rule set that this program does not know. It is
// no refusal: this program cannot tell whether anything is wrong with the entry.
type NewerRules struct {
	From uint64 // index of the first entry that the newer set judges
	Set  int
}

func (n *NewerRules) Error() string {
	return fmt.Sprintf("needs a newer trialproof from entry %d on: "+
		"those entries are judged by rule set %d, and this program knows rule set %d", n.From, n.Set, RuleSet)
}
