package receipt

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
)

// A Problem says which part does not hold, and why.
type Problem struct {
	Part   string // file, receipt, entry, openings, inclusion proof, checkpoint, quorum or expectation
	Detail string
}

func (p *Problem) Error() string { return p.Part + ": " + p.Detail }

func problem(part, format string, args ...any) error {
	return &Problem{part, fmt.Sprintf(format, args...)}
}

// A Document is a file to be checked against a receipt.
type Document struct {
	Name   string // as the verdict should call it; never compared
	Digest trial.Hash
}

// A Verdict is what a receipt proves under a policy. Verify returns one only if everything
// holds.
type Verdict struct {
	Index      uint64
	Entry      *trial.Entry
	Openings   *trial.Openings
	Checkpoint *checkpoint.Checkpoint
	Policy     *checkpoint.Policy
	Documents  []Match  // in the order given
	Missing    []string // subjects of the statement for which no document was given
	Unopened   []string // those of Missing that are committed to with a salt
}

// A Match says as which subject a document was logged.
type Match struct {
	Document
	Subject string
}

// A Verifier verifies receipts under one policy. It remembers the checkpoints that it has
// opened, because the receipts of a batch share one. It may be used by several goroutines.
type Verifier struct {
	policy *checkpoint.Policy

	mu     sync.Mutex // guards opened
	opened map[string]*checkpoint.Checkpoint
}

// NewVerifier returns a Verifier for a policy.
func NewVerifier(p *checkpoint.Policy) *Verifier {
	return &Verifier{policy: p, opened: map[string]*checkpoint.Checkpoint{}}
}

// Verify checks a receipt, and that it is for each of the documents. A *Problem says what does
// not hold; ErrMangled and ErrNoSalt say why that cannot be known.
func (v *Verifier) Verify(receipt []byte, docs ...Document) (*Verdict, error) {
	return v.verify(receipt, trial.ParseEntry, docs)
}

// VerifyFor checks the receipt of a statement that the caller has from trial.Check. If the receipt
// is for the same statement and signature, these are not checked again; everything else is.
func (v *Verifier) VerifyFor(s *trial.Signed, receipt []byte) (*Verdict, error) {
	return v.verify(receipt, func(raw []byte) (*trial.Entry, error) { return trial.ParseAdmitted(raw, s) }, nil)
}

func (v *Verifier) verify(receipt []byte, parse func([]byte) (*trial.Entry, error), docs []Document) (*Verdict, error) {
	r, err := Parse(receipt)
	if errors.Is(err, ErrMangled) {
		return nil, err
	}
	if err != nil {
		return nil, problem("receipt", "%v", err)
	}
	e, err := parse(r.Entry)
	if err != nil {
		return nil, problem("entry", "%v", err)
	}
	if e.Statement == nil {
		return nil, problem("entry", "the receipt is not for a statement")
	}
	cp, err := v.open(r.Checkpoint)
	if err != nil && (!bytes.HasSuffix(r.Checkpoint, []byte{'\n'}) || !bytes.Contains(r.Checkpoint, []byte("\n\n"))) {
		return nil, problem("checkpoint", "%v", errCut) // the last line or every signature is missing
	}
	if err != nil {
		return nil, problem("checkpoint", "%s", strings.TrimPrefix(err.Error(), "checkpoint: "))
	}
	if err := cp.CheckInclusion(r.Index, e.LeafHash(), r.Path); err != nil {
		// The cheap check comes first. If it fails, the entry's signature tells whose fault it
		// is.
		if err := e.Verify(); err != nil {
			return nil, problem("entry", "it was altered: %v", err)
		}
		return nil, problem("inclusion proof", "%v", err)
	}
	if err := e.Verify(); err != nil {
		return nil, problem("entry", "%v", err)
	}
	if log := trial.CommonOf(e.Statement.Statement).Log; log != cp.Origin {
		return nil, problem("entry", "the statement is for the log %q, but the checkpoint is of %q", log, cp.Origin)
	}
	if !cp.Quorum() {
		return nil, problem("quorum", "the policy asks for %s; cosigned by %s", v.policy.QuorumText(), cp.WitnessText())
	}
	if e.Signer.Enrolled >= r.Index {
		return nil, problem("entry", "entry %d says that its signer was enrolled by entry %d, which does not come before it",
			r.Index, e.Signer.Enrolled)
	}
	openings, err := trial.ParseOpenings(r.Openings, e.Statement.Statement)
	if err != nil {
		return nil, problem("openings", "%s", strings.TrimPrefix(err.Error(), "openings: "))
	}
	verdict := &Verdict{Index: r.Index, Entry: e, Openings: openings, Checkpoint: cp, Policy: v.policy}
	if err := verdict.match(docs); err != nil {
		return nil, err
	}
	return verdict, nil
}

// Verify checks one receipt under a policy.
func Verify(p *checkpoint.Policy, receipt []byte, docs ...Document) (*Verdict, error) {
	return NewVerifier(p).Verify(receipt, docs...)
}

const remembered = 1024

func (v *Verifier) open(signed []byte) (*checkpoint.Checkpoint, error) {
	v.mu.Lock()
	cp := v.opened[string(signed)]
	v.mu.Unlock()
	if cp != nil {
		return cp, nil
	}
	cp, err := v.policy.Open(bytes.Clone(signed))
	if err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.opened) >= remembered {
		clear(v.opened)
	}
	v.opened[string(signed)] = cp
	return cp, nil
}

func (v *Verdict) match(docs []Document) error {
	subjects := v.Entry.Statement.Statement.Subjects
	found := map[string]bool{}
	for _, d := range docs {
		name := ""
		for _, s := range subjects {
			if v.Openings.Matches(s, d.Digest) {
				if name == "" {
					name = s.Name
				}
				found[s.Name] = true // one file may match two subjects
			}
		}
		if name == "" && len(v.saltless(subjects)) > 0 {
			return fmt.Errorf("%w: %s may be what was logged as %s, or not",
				ErrNoSalt, shown(d.Name), strings.Join(v.saltless(subjects), ", "))
		}
		if name == "" {
			return problem("file", "%s has the SHA-256 %s, which is not what was logged: %s",
				shown(d.Name), d.Digest, subjectText(subjects))
		}
		v.Documents = append(v.Documents, Match{d, name})
	}
	for _, s := range subjects {
		if !found[s.Name] {
			v.Missing = append(v.Missing, s.Name)
		}
	}
	v.Unopened = v.saltless(subjects)
	return nil
}

// ErrNoSalt is wrapped if a file cannot be compared: the statement commits to its documents
// with salts, and the receipt does not have them. That says nothing about the file.
var ErrNoSalt = errors.New("this receipt has no salt, so the file cannot be compared; " +
	"the receipt that was filed when the statement was submitted has it")

// saltless returns the subjects that are committed to with a salt which the receipt lacks.
func (v *Verdict) saltless(subjects []trial.Subject) (names []string) {
	for _, s := range subjects {
		if _, ok := v.Openings.Salts[s.Name]; !ok && !s.Digest.Salted256.IsZero() {
			names = append(names, s.Name)
		}
	}
	return names
}

func subjectText(subjects []trial.Subject) string {
	var parts []string
	for _, s := range subjects {
		if s.Digest.SHA256.IsZero() {
			parts = append(parts, s.Name+" (a salted commitment)")
		} else {
			parts = append(parts, s.Name+" "+s.Digest.SHA256.String())
		}
	}
	return strings.Join(parts, ", ")
}

// ProvenTime returns a time by which the entry was certainly logged, by the witnesses' clocks.
// It returns false if the policy asks for no witness.
func (v *Verdict) ProvenTime() (time.Time, bool) { return v.Checkpoint.ProvenTime() }

// ClockAhead reports that the entry's time is later than the proven time by more than clocks
// may differ: the log stamped the entry with a future time.
func (v *Verdict) ClockAhead() bool {
	t, ok := v.ProvenTime()
	return ok && v.Entry.Time.Std().After(t.Add(checkpoint.MaxSkew))
}
