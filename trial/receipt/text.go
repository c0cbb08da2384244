package receipt

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/trialproof/trialproof/trial"
)

// Text returns a verdict in words, one fact a line. It ends with what no receipt can know.
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

// Details returns what Text does, without the first lines about the documents.
func (v *Verdict) Details() string {
	var b strings.Builder
	e := v.Entry
	fmt.Fprintf(&b, "what:      %s\n", trial.Describe(e.Statement.Statement))
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
		fmt.Fprintf(&b, "ignored:   %s that the policy does not name\n", trial.Count(n, "signature by a key", "signatures by keys"))
	}
	fmt.Fprintf(&b, "policy:    SHA-256 %s, asks for %s\n", v.Policy.Digest(), v.Policy.QuorumText())
	if len(v.Missing) > 0 && len(v.Documents) > 0 {
		fmt.Fprintf(&b, "not given: %s, logged by the same statement\n", strings.Join(v.Missing, ", "))
	}
	if len(v.Unopened) > 0 {
		fmt.Fprintf(&b, "sealed:    %s: the receipt has no salt, so no file can be compared with it\n", strings.Join(v.Unopened, ", "))
	}
	b.WriteString("not known offline: whether a later version exists, whether the key was revoked after, whether what the\n" +
		"document says was true at its source, and whether trials were run that nobody registered.\n")
	return b.String()
}

// shown quotes a file's name that would not be shown as it is. Names come with files from
// others and must not add lines to a verdict.
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
	said := ", as the log says" // that the key is theirs; the signature itself is the key's
	if v.Checkpoint.ReplayQuorum() {
		said = ", as replaying witnesses checked"
	}
	return fmt.Sprintf("%s%s of %s%s, by key %s (enrolled by entry %d); the signature means %s",
		name, s.Role, s.Org, said, s.Key.ID(), s.Enrolled, c.Meaning)
}

// Witnesses says how many witnesses cosigned the receipt's checkpoint, and how many of them
// replayed the rules.
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
