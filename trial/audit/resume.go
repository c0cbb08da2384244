package audit

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/tile"
)

// saved is the file that an audit resumes from. Everything in it is checked again, against the
// checkpoint that the witnesses cosigned: the genesis and the last state entry by the tree's
// root, the records by that entry's map root. A file that was tampered with is refused.
//
// A file saved in the middle of a replay ends with an earlier state entry than the checkpoint
// that the replay was going to. It is checked against the records and the genesis when it is
// read. All of it is checked when the replay reaches a published tree, to whose root its range
// must lead. Until then nothing is said about the log.
type saved struct {
	Checkpoint string        `json:"checkpoint"`
	Genesis    string        `json:"genesis"`
	First      [][]byte      `json:"first"`  // inclusion proof of the genesis, see Auditor
	Last       string        `json:"last"`   // the state entry that ends the tree
	Before     [][]byte      `json:"before"` // compact range of the tree without that entry
	Records    []savedRecord `json:"records"`
}

type savedRecord struct {
	Kind   string          `json:"kind"`
	Record json.RawMessage `json:"record"`
}

// Save returns what a later audit resumes from. It must be called after a Run without findings.
func (a *Auditor) Save() ([]byte, error) {
	if a.seen == nil {
		return nil, errors.New("there is nothing to resume from before an audit without findings")
	}
	return a.save(a.seen)
}

// SaveProgress does what Save does in the middle of a replay, for Boundary to call.
func (a *Auditor) SaveProgress() ([]byte, error) {
	if a.ended == 0 || a.ended != a.Size() || a.toward == nil || len(a.report.Findings) > 0 {
		return nil, errors.New("progress can be saved only after a state entry, before anything is found")
	}
	return a.save(a.toward)
}

func (a *Auditor) save(checkpoint []byte) ([]byte, error) {
	s := saved{string(checkpoint), string(a.genesis), a.first, string(a.last), a.before, nil}
	records := a.state.Records()
	slices.SortFunc(records, func(x, y trial.Record) int {
		kx, ky := x.RecordKey(), y.RecordKey()
		return cmp.Or(cmp.Compare(kx.Kind, ky.Kind), cmp.Compare(kx.ID, ky.ID))
	})
	for _, r := range records {
		data, err := trial.MarshalRecord(r)
		if err != nil {
			return nil, err
		}
		s.Records = append(s.Records, savedRecord{r.RecordKey().Kind, data})
	}
	return s.marshal()
}

func (s *saved) marshal() ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(s)
	return buf.Bytes(), err
}

// Resume returns an auditor that goes on where a saved one ended.
func Resume(p *checkpoint.Policy, src tile.Source, data []byte) (*Auditor, error) {
	a, err := resume(p, src, data)
	if err != nil {
		return nil, fmt.Errorf("state of an audit: %w", err)
	}
	return a, nil
}

func resume(p *checkpoint.Policy, src tile.Source, data []byte) (*Auditor, error) {
	var s saved
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, err
	}
	if again, err := s.marshal(); err != nil || !bytes.Equal(again, data) {
		return nil, errors.New("it is not in its canonical encoding")
	}
	cp, err := p.Open([]byte(s.Checkpoint))
	if err != nil {
		return nil, err
	}
	if !cp.Quorum() {
		return nil, fmt.Errorf("its checkpoint lacks the quorum of %s", p.QuorumText())
	}
	last, err := trial.ParseEntry([]byte(s.Last))
	if err != nil || last.State == nil || last.State.Size >= cp.Size {
		return nil, errors.New("it does not end with a state entry")
	}
	a := New(p, src)
	if a.tree, err = ranges.NewRange(0, last.State.Size, slices.Clone(s.Before)); err != nil {
		return nil, err
	}
	for _, h := range slices.Concat(s.Before, s.First) {
		if len(h) != rfc6962.DefaultHasher.Size() {
			return nil, errors.New("a hash is not 32 bytes long")
		}
	}
	leaf := last.LeafHash()
	if err := a.tree.Append(leaf[:], nil); err != nil {
		return nil, err
	}
	root, err := root(a.tree)
	a.unbound = a.Size() < cp.Size
	if err != nil || !a.unbound && string(root) != string(cp.Root[:]) {
		return nil, errors.New("its range and state entry do not lead to its checkpoint's root")
	}
	genesis, err := trial.ParseEntry([]byte(s.Genesis))
	if err != nil || genesis.Genesis == nil || genesis.Genesis.Log != cp.Origin {
		return nil, errors.New("it does not have the genesis of the log")
	}
	prefix := checkpoint.Tree{Origin: cp.Origin, Size: a.Size(), Root: [32]byte(root)}
	if err := prefix.CheckInclusion(0, genesis.LeafHash(), path(s.First, a.tree)); err != nil {
		return nil, fmt.Errorf("its genesis: %w", err)
	}
	var records []trial.Record
	for _, r := range s.Records {
		rec, err := trial.ParseRecord(r.Kind, r.Record)
		if err != nil {
			return nil, err
		}
		records = append(records, rec)
	}
	if a.state, err = trial.Load(genesis.Genesis, last.State, records); err != nil {
		return nil, err
	}
	a.genesis, a.first, a.last, a.before = []byte(s.Genesis), s.First, []byte(s.Last), s.Before
	a.ended, a.toward = a.Size(), []byte(s.Checkpoint)
	if !a.unbound {
		a.seen = a.toward
	}
	return a, nil
}

// path returns the inclusion proof of entry 0: the perfect subtrees beside it, and what is to
// the right of the largest.
func path(first [][]byte, tree *compact.Range) [][32]byte {
	var p [][32]byte
	for _, h := range first {
		p = append(p, [32]byte(h))
	}
	if rest := tree.Hashes()[1:]; len(rest) > 0 {
		h := rest[len(rest)-1]
		for i := len(rest) - 2; i >= 0; i-- {
			h = rfc6962.DefaultHasher.HashChildren(rest[i], h)
		}
		p = append(p, [32]byte(h))
	}
	return p
}
