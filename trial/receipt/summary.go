package receipt

import "github.com/trialproof/trialproof/trial"

// A Summary is a verdict for programs, as trial verify -json prints it.
type Summary struct {
	Valid         bool            `json:"valid"`
	Verdict       string          `json:"verdict"`
	Documents     []SummaryMatch  `json:"documents"`
	Index         uint64          `json:"index"`
	Origin        string          `json:"origin"`
	Size          uint64          `json:"size"`
	Kind          string          `json:"kind"`
	ID            trial.Hash      `json:"id"` // identity of the statement
	Predicate     trial.Predicate `json:"predicate"`
	Signer        trial.Signer    `json:"signer"`
	Name          string          `json:"name"` // of the signer, if it was opened
	Admitted      trial.Time      `json:"admitted"`
	ProvenTime    string          `json:"provenTime"` // RFC 3339 in UTC; empty: no independent time
	Witnesses     string          `json:"witnesses"`
	Policy        string          `json:"policy"` // SHA-256
	EarlierPolicy bool            `json:"earlierPolicy"`
	Missing       []string        `json:"missing"`
	Replayed      bool            `json:"replayed"`
	ClockAhead    bool            `json:"clockAhead"`
	Ignored       int             `json:"ignoredSignatures"`
}

// A SummaryMatch says as which subject a file was logged.
type SummaryMatch struct {
	File    string     `json:"file"`
	Subject string     `json:"subject"`
	SHA256  trial.Hash `json:"sha256"`
}

// Summary returns the verdict for programs. Earlier says whether it holds under an earlier policy.
func (v *Verdict) Summary(earlier bool) *Summary {
	s := &Summary{
		Valid: true, Verdict: "valid", Index: v.Index, Origin: v.Checkpoint.Origin, Size: v.Checkpoint.Size,
		Kind: v.Entry.Statement.Statement.Predicate.Kind(), ID: v.Entry.Statement.ID, Predicate: v.Entry.Statement.Statement.Predicate,
		Signer: v.Entry.Signer, Name: v.Openings.Name, Admitted: v.Entry.Time, Witnesses: v.Witnesses(), Policy: v.Policy.Digest(),
		EarlierPolicy: earlier, Missing: v.Missing, Replayed: v.Checkpoint.ReplayQuorum(), ClockAhead: v.ClockAhead(),
		Ignored: v.Checkpoint.Unknown,
	}
	if t, ok := v.ProvenTime(); ok {
		s.ProvenTime = t.Format("2006-01-02T15:04:05Z")
	}
	for _, d := range v.Documents {
		s.Documents = append(s.Documents, SummaryMatch{d.Name, d.Subject, d.Digest})
	}
	return s
}
