package logserver

import (
	"context"
	"fmt"
	"sync"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/smap"
)

// A view is the state as of the published tree, for proofs. The sequencer is
// ahead of it; what it did meanwhile waits in next.
type view struct {
	mu      sync.RWMutex // guards what follows
	size    uint64       // 0: nothing yet
	tree    smap.Map
	records map[trial.RecordKey]trial.Record
	next    []change // by size, each of a stored checkpoint not yet published
}

// A change is what one batch did to the state.
type change struct {
	size    uint64
	tree    smap.Map
	records []trial.Record
}

// begin sets the view to the state at a size, after which changes follow.
func (v *view) begin(state *trial.State) {
	records := map[trial.RecordKey]trial.Record{}
	for _, r := range state.Records() {
		records[r.RecordKey()] = r
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.next = []change{{size: state.Size(), tree: state.Map()}}
	v.records = records
}

func (v *view) add(c change) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.next = append(v.next, c)
}

// advance moves the view to a size that has been published.
func (v *view) advance(size uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for len(v.next) > 0 && v.next[0].size <= size {
		c := v.next[0]
		v.next = v.next[1:]
		v.size, v.tree = c.size, c.tree
		for _, r := range c.records {
			v.records[r.RecordKey()] = r
		}
	}
}

// A RecordProof shows what the published tree's state entry says of a record,
// or that it has none.
type RecordProof struct {
	Checkpoint []byte     // published, of size Index+1
	Index      uint64     // of the state entry
	State      []byte     // the state entry
	Path       [][32]byte // its inclusion proof
	Record     []byte     // canonical JSON; nil if there is no such record
	Proof      smap.Proof // under the state entry's map root
}

// Prove returns the proof of a record. ErrNotReady: nothing has been published
// since the start.
func (l *Log) Prove(ctx context.Context, key trial.RecordKey) (RecordProof, error) {
	l.mu.Lock()
	pub := l.published
	l.mu.Unlock()
	l.view.mu.RLock()
	size, tree, rec := l.view.size, l.view.tree, l.view.records[key]
	l.view.mu.RUnlock()
	if size == 0 || size > pub.size {
		return RecordProof{}, fmt.Errorf("%w: nothing has been published since the start", ErrNotReady)
	}
	if size != pub.size { // published between the two reads
		p, err := l.covering(ctx, size-1)
		if err != nil {
			return RecordProof{}, err
		}
		pub = p
	}
	p := RecordProof{Checkpoint: pub.note, Index: size - 1, Proof: tree.Prove(key.Hash())}
	raws, err := l.hashes.entries(ctx, p.Index, 1)
	if err != nil {
		return RecordProof{}, err
	}
	p.State = raws[0]
	if p.Path, err = l.hashes.inclusion(ctx, p.Index, pub.size); err != nil {
		return RecordProof{}, err
	}
	if rec != nil {
		if p.Record, err = trial.MarshalRecord(rec); err != nil {
			return RecordProof{}, err
		}
	}
	return p, nil
}
