package audit

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/receipt"
)

// saved is the file that an audit resumes from. Everything in it is checked
// again on the way in, against the checkpoint that the witnesses cosigned.
type saved struct {
	Checkpoint string        `json:"checkpoint"`
	Genesis    string        `json:"genesis"`
	Last       string        `json:"last"`  // the state entry that ends the tree
	Range      [][]byte      `json:"range"` // compact range of the tree
	Records    []savedRecord `json:"records"`
}

type savedRecord struct {
	Kind   string          `json:"kind"`
	Record json.RawMessage `json:"record"`
}

// Save returns what a later audit resumes from. It must follow a Run without
// findings.
func (a *Auditor) Save() ([]byte, error) {
	if a.seen == nil {
		return nil, errors.New("there is nothing to resume from before an audit without findings")
	}
	s := saved{string(a.seen), string(a.genesis), string(a.last), a.tree.Hashes(), nil}
	for _, r := range a.state.Records() {
		data, err := trial.MarshalRecord(r)
		if err != nil {
			return nil, err
		}
		s.Records = append(s.Records, savedRecord{r.RecordKey().Kind, data})
	}
	return json.Marshal(s)
}

// Resume returns an auditor that goes on where a saved one ended.
func Resume(p *receipt.Policy, src Source, data []byte) (*Auditor, error) {
	var s saved
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("state of an audit: %w", err)
	}
	cp, err := p.Open([]byte(s.Checkpoint))
	if err != nil {
		return nil, fmt.Errorf("state of an audit: %w", err)
	}
	a := New(p, src)
	if a.tree, err = ranges.NewRange(0, cp.Size, s.Range); err != nil {
		return nil, fmt.Errorf("state of an audit: %w", err)
	}
	root, err := a.tree.GetRootHash(nil)
	if err != nil || string(root) != string(cp.Root[:]) {
		return nil, errors.New("state of an audit: the range does not lead to its checkpoint's root")
	}
	genesis, err := trial.ParseEntry([]byte(s.Genesis))
	if err != nil || genesis.Genesis == nil || genesis.Genesis.Log != cp.Origin {
		return nil, errors.New("state of an audit: it holds no genesis of the log")
	}
	last, err := trial.ParseEntry([]byte(s.Last))
	if err != nil || last.State == nil || last.State.Size != cp.Size-1 {
		return nil, errors.New("state of an audit: it does not end with a state entry")
	}
	var records []trial.Record
	for _, r := range s.Records {
		rec, err := trial.ParseRecord(r.Kind, r.Record)
		if err != nil {
			return nil, fmt.Errorf("state of an audit: %w", err)
		}
		records = append(records, rec)
	}
	if a.state, err = trial.Load(genesis.Genesis, last.State, records); err != nil {
		return nil, fmt.Errorf("state of an audit: %w", err)
	}
	a.genesis, a.last, a.seen = []byte(s.Genesis), []byte(s.Last), []byte(s.Checkpoint)
	return a, nil
}
