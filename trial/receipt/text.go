package receipt

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/trialproof/trialproof/trial"
)

// Text says a verdict in words, one fact a line, and ends with what no receipt
// can know.
func (v *Verdict) Text() string {
	var b strings.Builder
	for _, d := range v.Documents {
		fmt.Fprintf(&b, "valid: %s is the %s that was logged (SHA-256 %s)\n", shown(d.Name), d.Subject, d.Digest)
	}
	if len(v.Documents) == 0 {
		b.WriteString("valid: the receipt holds; no file was given to compare with\n")
	}
	return b.String() + v.Details()
}

// Details is Text without its first words, on the documents.
func (v *Verdict) Details() string {
	var b strings.Builder
	e := v.Entry
	fmt.Fprintf(&b, "what:      %s\n", Describe(e.Statement.Statement))
	fmt.Fprintf(&b, "who:       %s\n", v.who())
	if t, ok := v.ProvenTime(); ok {
		fmt.Fprintf(&b, "when:      no later than the second %s, proven by the witnesses' clocks\n", trial.Moment(t))
	} else {
		b.WriteString("when:      no independent time\n")
	}
	c := trial.CommonOf(e.Statement.Statement)
	fmt.Fprintf(&b, "           %s by the log's clock; signed %s by the signer's\n", e.Time, c.SignedAt)
	if v.ClockAhead() {
		b.WriteString("           NOT TO BE BELIEVED: the log's clock says later than the witnesses saw the entry\n")
	}
	fmt.Fprintf(&b, "where:     entry %d of %s, proven in its tree of size %d\n", v.Index, v.Checkpoint.Origin, v.Checkpoint.Size)
	fmt.Fprintf(&b, "witnesses: %s\n", v.Witnesses())
	if n := v.Checkpoint.Unknown; n > 0 {
		fmt.Fprintf(&b, "ignored:   %d signatures by keys that the policy does not name\n", n)
	}
	fmt.Fprintf(&b, "policy:    SHA-256 %s, asks for %s\n", v.Policy.Digest(), v.Policy.QuorumText())
	if len(v.Missing) > 0 && len(v.Documents) > 0 {
		fmt.Fprintf(&b, "not given: %s, logged by the same statement\n", strings.Join(v.Missing, ", "))
	}
	if len(v.Unopened) > 0 {
		fmt.Fprintf(&b, "sealed:    %s: the receipt holds no salt, so no file can be compared with it\n", strings.Join(v.Unopened, ", "))
	}
	b.WriteString("not known offline: whether a later version exists, whether the key was revoked after, whether what the\n" +
		"document says was true at its source, and whether trials were run that nobody registered.\n")
	return b.String()
}

// shown quotes a file's name that would not show as it is: names come with files
// from others, and must not write lines of a verdict.
func shown(name string) string {
	for _, r := range name {
		if !strconv.IsPrint(r) {
			return strconv.Quote(name)
		}
	}
	return name
}

func (v *Verdict) who() string {
	s := v.Entry.Signer
	name := ""
	if v.Openings.Name != "" {
		name = v.Openings.Name + ", "
	}
	c := trial.CommonOf(v.Entry.Statement.Statement)
	said := ", as the log says" // that the key is theirs: the signature is the key's own
	if v.Checkpoint.ReplayQuorum() {
		said = ", as replaying witnesses checked"
	}
	return fmt.Sprintf("%s%s of %s%s, by key %s (enrolled by entry %d); the signature means %s", name, s.Role, s.Org, said, s.Key.ID(), s.Enrolled, c.Meaning)
}

// Witnesses says how many witnesses stand behind the receipt, and how many of
// them replayed the rules.
func (v *Verdict) Witnesses() string {
	if v.Policy.Unwitnessed() {
		return "no witness: the operator's word alone"
	}
	replayed := 0
	var names []string
	for _, c := range v.Checkpoint.Cosignatures {
		w := v.Policy.Witnesses[c.Witness]
		if w.Replays() {
			replayed++
		}
		names = append(names, fmt.Sprintf("%s (%s)", w.Name(), trial.Moment(c.Time)))
	}
	return fmt.Sprintf("%d saw it grow, %d of them replayed the rules: %s", len(names), replayed, strings.Join(names, ", "))
}

// Describe says what a statement says, in one line.
func Describe(s *trial.Statement) string {
	switch p := s.Predicate.(type) {
	case *trial.Org:
		return fmt.Sprintf("enrolment of the organisation %s (%s) with %d administrators", p.ID, p.Name, len(p.Administrators))
	case *trial.Key:
		switch p.Action {
		case "revoke":
			return fmt.Sprintf("revocation of key %s of %s: %s", p.Revoke, p.Org, because(p.Reason))
		case "limit":
			return fmt.Sprintf("limits of key %s of %s: %s: %s", p.Limit, p.Org, limits(p.Limits), because(p.Reason))
		}
		limited := ""
		if p.Limits != nil {
			limited = ", limited to " + limits(p.Limits)
		}
		return fmt.Sprintf("enrolment of key %s as %s of %s%s", p.Enrol.Key.ID(), p.Role, p.Org, limited)
	case *trial.Registration:
		masked := ""
		if p.Masked {
			masked = ", masked"
		}
		return fmt.Sprintf("registration of the trial with the sponsor's number %s%s", p.Number, masked)
	case *trial.Identifier:
		return fmt.Sprintf("identifier %s of trial %s", p.Identifier, p.Trial)
	case *trial.Protocol:
		return fmt.Sprintf("protocol version %s (%s) of trial %s%s", p.Version, p.Scope, p.Trial, after(p.Previous))
	case *trial.SAP:
		return fmt.Sprintf("statistical analysis plan %s for the %s analysis of trial %s", p.Version, p.Analysis, p.Trial)
	case *trial.Milestone:
		return fmt.Sprintf("milestone %s on %s of trial %s", strings.TrimSpace(p.Event+" "+p.Analysis+" "+p.Country), p.Date, p.Trial)
	case *trial.Results:
		return fmt.Sprintf("results %sof the %s analysis of trial %s%s", spaced(p.Version), p.Analysis, p.Trial, after(p.Updates))
	case *trial.Document:
		return fmt.Sprintf("document %sof trial %s", spaced(p.Version), p.Trial)
	case *trial.Observation:
		if !p.Withdraw.IsZero() {
			return fmt.Sprintf("withdrawal of the observation %.12s of %s: %s", p.Withdraw, p.Identifier, p.Reason)
		}
		return fmt.Sprintf("observation of %s in a %s on %s%s", p.Identifier, p.Source, p.SeenAt, said(", of the version of ", p.Dated))
	case *trial.CoSignature:
		return fmt.Sprintf("signature on the statement %s of trial %s, meaning %s", p.Statement, p.Trial, p.Meaning)
	case *trial.Delegation:
		if !p.Withdraw.IsZero() {
			return fmt.Sprintf("withdrawal of the delegation %.12s for trial %s: %s", p.Withdraw, p.Trial, because(p.Reason))
		}
		return fmt.Sprintf("delegation of %s%s to %s%s for trial %s", strings.Join(p.Kinds, ", "), said(" in ", p.Scope), p.To, said(" until ", p.End), p.Trial)
	case *trial.Transfer:
		return fmt.Sprintf("transfer of trial %s to %s: %s%s", p.Trial, p.To, p.Action, said(", on the ground of ", p.Ground))
	case *trial.Ruling:
		return fmt.Sprintf("ruling that %s is the number of trial %s, on the ground of %s", p.Identifier, p.Trial, p.Ground)
	case *trial.Correction:
		if p.Void != "" {
			return fmt.Sprintf("the %s %s of trial %s is void: %s", p.Of, p.Statement, p.Trial, p.Void)
		}
		return fmt.Sprintf("correction of the %s %s of trial %s: %s is %q, not %q (%s)", p.Of, p.Statement, p.Trial, p.Field, p.New, p.Old, p.Reason)
	case *trial.Seal:
		return fmt.Sprintf("sealed statement of %s, commitment %s", p.Org, p.Commitment)
	case *trial.Unseal:
		return fmt.Sprintf("opening of a seal of entry %d, %s: %s", p.Sealed.Index, p.Sealed.Time, Describe(p.Opened()))
	case *trial.LogKey:
		return fmt.Sprintf("log key %s: %s", p.Action, p.VKey)
	case *trial.Policy:
		return fmt.Sprintf("policy announced: SHA-256 %s%s", s.Subjects[0].Digest.SHA256, after(p.Previous))
	case *trial.Rules:
		return fmt.Sprintf("rule set %d announced from entry %d on", p.Set, p.From)
	}
	return s.Predicate.Kind()
}

// said puts words before a text that is given.
func said(words, text string) string {
	if text == "" {
		return ""
	}
	return words + text
}

// because says why authority ended.
func because(reason string) string {
	if reason == "" {
		return "no reason stated"
	}
	return "because " + reason
}

func limits(l *trial.KeyLimits) string {
	if l == nil {
		return "none"
	}
	var parts []string
	if len(l.Kinds) > 0 {
		parts = append(parts, strings.Join(l.Kinds, ", "))
	}
	if len(l.Trials) > 0 {
		parts = append(parts, fmt.Sprintf("%d trials", len(l.Trials)))
	}
	if l.Until != "" {
		parts = append(parts, "until "+l.Until)
	}
	return strings.Join(parts, "; ")
}

// spaced puts a space behind a version that is given.
func spaced(version string) string {
	if version == "" {
		return ""
	}
	return version + " "
}

func after(id trial.Hash) string {
	if id.IsZero() {
		return ""
	}
	return fmt.Sprintf(", after %.12s", id)
}
