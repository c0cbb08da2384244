package receipt

import (
	"fmt"
	"strings"

	"github.com/trialproof/trialproof/trial"
)

// A Plain is a verdict in plain words, for pages and prints. It has what 21 CFR 11.50 asks every
// display and print of a signed record to have: the signer's name, when it was signed, and what
// the signature means. All texts are to be shown as text, never as markup, and may hold
// characters that do not print.
type Plain struct {
	Says      string   `json:"says"`  // the verdict in one sentence
	Facts     []Fact   `json:"facts"` // in the order of what a reader asks first
	Warnings  []string `json:"warnings,omitempty"`
	NotProven []string `json:"notProven"`
}

// A Fact answers one question.
type Fact struct {
	Name  string   `json:"name"`            // such as "Signed by"
	Text  string   `json:"text"`            // the answer
	More  []string `json:"more,omitempty"`  // further lines
	Small string   `json:"small,omitempty"` // a digest or key that stands for it
}

// Plain returns a verdict in plain words. Earlier says under which earlier policy it holds, if
// not under the one given.
func (v *Verdict) Plain(earlier string) *Plain {
	st := v.Entry.Statement.Statement
	c := trial.CommonOf(st)
	signer := v.Entry.Signer
	p := &Plain{Says: v.says(), NotProven: []string{
		"that what the file says is true, or that it was followed",
		"when it was written: it may be older than the time above",
		"that no later version exists, or that the key was not revoked since: the log's history of the trial says that",
		"that no trial was run which nobody registered",
		"who the person behind the key is: the registrar enrolled the organisation, and its administrators enrolled the key",
	}}
	add := func(f Fact) { p.Facts = append(p.Facts, f) }

	add(Fact{Name: "Logged as", Text: strings.TrimSuffix(trial.Describe(st), " of trial "+trial.TrialOf(st).String()),
		More: v.notGiven()})
	who := fmt.Sprintf("name not opened: key %.16s of %s", signer.Key.ID(), signer.Org)
	if v.Openings.Name != "" {
		who = v.Openings.Name
	}
	said := "as the log says"
	if v.Checkpoint.ReplayQuorum() {
		said = "as replaying witnesses checked"
	}
	add(Fact{Name: "Signed by", Text: who, More: []string{fmt.Sprintf("%s of %s, %s", signer.Role, signer.Org, said)},
		Small: "key " + signer.Key.ID().String()})
	add(Fact{Name: "What the signature means", Text: c.Meaning})
	add(Fact{Name: "Signed at", Text: trial.Moment(c.SignedAt.Std()) + ", by the signer's own clock"})
	when := Fact{Name: "Logged no later than", Text: "no independent time: no witness saw it",
		More: []string{trial.Moment(v.Entry.Time.Std()) + " by the log's own clock"}}
	if t, ok := v.ProvenTime(); ok {
		when.Text = trial.Moment(t) + ", by the witnesses' clocks"
	}
	add(when)
	if v.ClockAhead() {
		p.Warnings = append(p.Warnings, "The log's clock is not to be believed: it says later than the witnesses saw the entry.")
	}
	witnesses := Fact{Name: "Witnesses", Text: "none: the operator's word alone"}
	if !v.Policy.Unwitnessed() {
		replayed := 0
		for _, x := range v.Checkpoint.Cosignatures {
			w := v.Policy.Witnesses[x.Witness]
			line := fmt.Sprintf("%s, %s", w.Name(), trial.Moment(x.Time))
			if w.Replays() {
				replayed++
				line += ", checks every entry"
			}
			witnesses.More = append(witnesses.More, line)
		}
		witnesses.Text = fmt.Sprintf("%s saw that the log only grew; %d of them checked every entry by its rules",
			trial.Count(len(v.Checkpoint.Cosignatures), "witness", "witnesses"), replayed)
	} else {
		p.Warnings = append(p.Warnings, "No witness: nobody independent has seen this log. This is the operator's word alone.")
	}
	if n := v.Checkpoint.Unknown; n > 0 {
		witnesses.More = append(witnesses.More, trial.Count(n, "signature", "signatures")+" by keys that the policy does not name, ignored")
	}
	add(witnesses)
	add(Fact{Name: "Where", Text: fmt.Sprintf("entry %d of the log %s, proven for the log as it stood with %d entries", v.Index,
		v.Checkpoint.Origin, v.Checkpoint.Size)})
	if id, s := v.Entry.Statement.Effective(); s.Predicate.Kind() == "registration" {
		add(Fact{Name: "Trial", Text: id.String()})
	} else if of := trial.TrialOf(s); !of.IsZero() {
		add(Fact{Name: "Trial", Text: of.String()})
	}
	needs := "these witnesses: " + v.Policy.QuorumText()
	if v.Policy.Unwitnessed() {
		needs = v.Policy.QuorumText()
	}
	policy := Fact{Name: "Checked with", Text: "a policy that needs " + needs, Small: "SHA-256 " + v.Policy.Digest()}
	if earlier != "" {
		policy.More = []string{earlier}
	}
	add(policy)
	for _, d := range v.Documents {
		add(Fact{Name: "File", Text: d.Name, Small: "SHA-256 " + d.Digest.String()})
	}
	return p
}

func (v *Verdict) says() string {
	if len(v.Documents) == 0 {
		return "The receipt holds. No file was given to compare with it."
	}
	var parts []string
	for _, d := range v.Documents {
		parts = append(parts, fmt.Sprintf("%s is, to the byte, the %s that was logged", d.Name, d.Subject))
	}
	return strings.Join(parts, "; ") + "."
}

// notGiven names the documents of the statement that were not compared.
func (v *Verdict) notGiven() (lines []string) {
	if len(v.Missing) > 0 && len(v.Documents) > 0 {
		lines = append(lines, "the same statement has "+strings.Join(v.Missing, ", ")+" too, which were not given")
	}
	if len(v.Unopened) > 0 {
		lines = append(lines, "the receipt has no salt for "+strings.Join(v.Unopened, ", ")+", so no file can be compared with it")
	}
	return lines
}
