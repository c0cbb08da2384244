// Package evidence is about proofs that convince others that a log misbehaved. Evidence is one
// line of JSON. Whoever has the log's key checks it offline, without trusting its author.
//
//	fork          the log signed two roots for one size
//	inconsistent  the log signed a tree that does not contain an earlier one
//	rule          the log signed a tree with an entry that breaks a rule
//
// The check of each kind says what the proof rests on. No evidence against an honest log
// verifies: that takes two contradicting signatures by the log's key, a collision of SHA-256,
// or an entry that the rules refuse.
//
// Evidence cannot show everything: not an entry that the log withholds, silence, a wrong clock,
// or a checkpoint that witnesses did not see. For those there is only the claim of an auditor
// or a monitor.
//
// The package is pure: it compiles to js/wasm.
package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/history"
)

// The kinds of evidence.
const (
	Fork         = "fork"
	Inconsistent = "inconsistent"
	Rule         = "rule"
)

// MaxSize bounds one line, in bytes: that of a rule has all entries of one batch, twice.
const MaxSize = 64 << 20

// An Evidence is one line that was parsed and is not yet verified.
type Evidence struct {
	Kind        string   `json:"kind"`
	Checkpoints []string `json:"checkpoints"` // signed notes: two, the smaller first; for a rule one

	// For inconsistent: hashes of perfect subtrees of the larger tree, see method inconsistent.
	Proof []string `json:"proof,omitempty"` // base64

	// For rule: the state entry before the entries, and the genesis, both empty if the entries
	// begin with entry 0; every entry after that state entry up to the one that breaks the
	// rule; and the records that the rules consult, as of the state entry.
	Genesis *Entry   `json:"genesis,omitempty"`
	State   *Entry   `json:"state,omitempty"`
	Entries []Entry  `json:"entries,omitempty"`
	Records []Record `json:"records,omitempty"`
}

// An Entry is a leaf, whatever its bytes, with its RFC 6962 inclusion proof.
type Entry struct {
	Index uint64   `json:"index,string"`
	Entry []byte   `json:"entry"` // base64
	Path  []string `json:"path"`  // base64, the leaf's sibling first
}

// A Record is a record of the state, or its absence, with its proof.
type Record struct {
	Kind   string      `json:"kind"`
	ID     string      `json:"id"`
	Record string      `json:"record,omitempty"` // canonical JSON; empty if there is no such record
	Map    history.Map `json:"map"`
}

// A Verdict is what evidence proves. Verify returns one only if it holds.
type Verdict struct {
	Kind      string     `json:"kind"`
	Origin    string     `json:"origin"`
	Size      uint64     `json:"size"`            // of the tree; the larger one of two
	Index     uint64     `json:"index,omitempty"` // of the entry that breaks a rule
	Rule      trial.Rule `json:"rule,omitempty"`
	Text      string     `json:"text"`                // what is proven, and about whom
	Witnesses []string   `json:"witnesses,omitempty"` // that cosigned the entry's tree and say that they replay
}

// ErrNothing is wrapped by every error of Parse and Verify except a *trial.NewerRules.
var ErrNothing = errors.New("it proves nothing")

func nothing(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrNothing, fmt.Errorf(format, args...))
}

// Marshal returns the evidence as one line, with its line feed.
func (e *Evidence) Marshal() []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		panic(fmt.Sprintf("evidence: %v", err)) // strings, bytes and numbers always encode
	}
	return b.Bytes()
}

// Parse parses one line. It accepts only the encoding of Marshal; the line feed at the end may
// be missing.
func Parse(line []byte) (*Evidence, error) {
	if len(line) > MaxSize {
		return nil, nothing("%d bytes; the most is %d", len(line), MaxSize)
	}
	e := new(Evidence)
	if err := json.Unmarshal(line, e); err != nil {
		return nil, nothing("not a line of evidence: %v", err)
	}
	if !bytes.Equal(bytes.TrimSuffix(e.Marshal(), []byte{'\n'}), bytes.TrimSuffix(line, []byte{'\n'})) {
		return nil, nothing("not in the one form that evidence has")
	}
	return e, nil
}

// Verify checks the evidence under a policy, of which it uses only the logs' keys.
func (e *Evidence) Verify(p *checkpoint.Policy) (*Verdict, error) {
	want := 2
	if e.Kind == Rule {
		want = 1
	}
	if len(e.Checkpoints) != want {
		return nil, nothing("%d checkpoints, want %d", len(e.Checkpoints), want)
	}
	var trees []checkpoint.Tree
	for i, signed := range e.Checkpoints {
		tree, err := Open(p, []byte(signed))
		if err != nil {
			return nil, nothing("checkpoint %d: %v", i+1, err)
		}
		trees = append(trees, tree)
	}
	if first, last := trees[0].Origin, trees[want-1].Origin; first != last {
		return nil, nothing("the checkpoints are of two logs, %q and %q", first, last)
	}
	switch e.Kind {
	case Fork:
		return e.fork(trees[0], trees[1])
	case Inconsistent:
		return e.inconsistent(trees[0], trees[1])
	case Rule:
		v, err := e.rule(trees[0])
		if err == nil {
			v.Witnesses = replayers(p, []byte(e.Checkpoints[0]))
		}
		return v, err
	}
	return nil, nothing("the kind %.40q is not known: it may need a newer trialproof", e.Kind)
}

// fork checks two roots for one size, which no honest log signs.
func (e *Evidence) fork(a, b checkpoint.Tree) (*Verdict, error) {
	switch {
	case len(e.Proof)+len(e.Entries)+len(e.Records) > 0 || e.Genesis != nil || e.State != nil:
		return nil, nothing("a fork is two checkpoints and nothing else")
	case a.Size != b.Size:
		return nil, nothing("the checkpoints are of two sizes, %d and %d", a.Size, b.Size)
	case a.Root == b.Root:
		return nil, nothing("both checkpoints have the same root at size %d", a.Size)
	}
	return &Verdict{Kind: Fork, Origin: a.Origin, Size: a.Size, Text: fmt.Sprintf(
		"the log %s signed two different trees of size %d, with the roots %x and %x: it shows different histories to different people",
		a.Origin, a.Size, a.Root, b.Root)}, nil
}

// inconsistent checks that the hashes lead to the larger tree's root, and that the root of its
// first entries, computed on the way, is not the root in the smaller checkpoint. Because the
// hashes lead to the larger root, each of them is bound to its place in that tree. They prove
// that the larger tree did not grow from the smaller one. A consistency proof that fails proves
// nothing, because anyone can make one.
func (e *Evidence) inconsistent(a, b checkpoint.Tree) (*Verdict, error) {
	if len(e.Entries)+len(e.Records) > 0 || e.Genesis != nil || e.State != nil {
		return nil, nothing("an inconsistency is two checkpoints and a proof and nothing else")
	}
	if a.Size >= b.Size {
		return nil, nothing("the checkpoints are of sizes %d and %d: the smaller comes first", a.Size, b.Size)
	}
	proof, err := history.Hashes(e.Proof)
	if err != nil {
		return nil, nothing("proof: %v", err)
	}
	small, large, err := roots(a.Size, b.Size, proof)
	switch {
	case err != nil:
		return nil, nothing("proof: %v", err)
	case a.Size > 0 && large != b.Root:
		return nil, nothing("the proof does not lead to the root of the larger tree")
	case small == a.Root:
		return nil, nothing("the larger tree contains the smaller: the log is consistent")
	}
	return &Verdict{Kind: Inconsistent, Origin: a.Origin, Size: b.Size, Text: fmt.Sprintf(
		"the log %s signed a tree of size %d with the root %x, and a tree of size %d whose first %d entries have the root %x: "+
			"it altered, removed or left out what it had logged, or shows different histories to different people",
		a.Origin, a.Size, a.Root, b.Size, a.Size, small)}, nil
}
