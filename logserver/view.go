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

// record returns a record as of the published tree, or nil.
func (v *view) record(key trial.RecordKey) trial.Record {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.records[key]
}

// A History is everything the published tree has about a record, or the proof
// that it has nothing: what trial/history checks.
type History struct {
	Checkpoint []byte     // published, of size State.Index+1
	State      Proved     // the state entry that ends the tree
	Record     []byte     // canonical JSON; nil if there is no such record
	Proof      smap.Proof // of the record under the state entry's map root
	Entries    []Proved   // about the record, in order
}

// A Proved entry is a leaf with its inclusion proof.
type Proved struct {
	Located
	Path [][32]byte
}

// maxHistory bounds the entries of one history.
const maxHistory = 100_000

// History returns the history of a record. ErrNotReady: nothing has been
// published since the start.
func (l *Log) History(ctx context.Context, key trial.RecordKey) (History, error) {
	l.view.mu.RLock()
	size, tree, rec := l.view.size, l.view.tree, l.view.records[key]
	l.view.mu.RUnlock()
	if size == 0 {
		return History{}, fmt.Errorf("%w: nothing has been published since the start", ErrNotReady)
	}
	pub, err := l.publishedAt(ctx, size)
	if err != nil {
		return History{}, err
	}
	h := History{Checkpoint: pub.note, Proof: tree.Prove(key.Hash())}
	if h.State, err = l.proved(ctx, size-1, size); err != nil {
		return History{}, err
	}
	if rec == nil {
		return h, nil
	}
	if h.Record, err = trial.MarshalRecord(rec); err != nil {
		return History{}, err
	}
	indexes, err := l.journal.Entries(ctx, key, 0, maxHistory+1)
	if err != nil {
		return History{}, fmt.Errorf("look up entries of %s %s: %w", key.Kind, key.ID, err)
	}
	if len(indexes) > maxHistory {
		return History{}, fmt.Errorf("%s %s has more than %d entries", key.Kind, key.ID, maxHistory)
	}
	for len(indexes) > 0 && indexes[0] < size {
		// Those of one bundle are read together.
		n := 1
		for n < len(indexes) && indexes[n] < size && indexes[n]/tileWidth == indexes[0]/tileWidth {
			n++
		}
		raws, err := l.hashes.entriesAt(ctx, indexes[:n])
		if err != nil {
			return History{}, err
		}
		for k, raw := range raws {
			path, err := l.hashes.inclusion(ctx, indexes[k], size)
			if err != nil {
				return History{}, err
			}
			h.Entries = append(h.Entries, Proved{Located{indexes[k], raw}, path})
		}
		indexes = indexes[n:]
	}
	return h, nil
}

func (l *Log) proved(ctx context.Context, index, size uint64) (Proved, error) {
	raws, err := l.hashes.entriesAt(ctx, []uint64{index})
	if err != nil {
		return Proved{}, err
	}
	path, err := l.hashes.inclusion(ctx, index, size)
	return Proved{Located{index, raws[0]}, path}, err
}

// publishedAt returns the checkpoint published at a size, the newest with its
// freshest cosignatures.
func (l *Log) publishedAt(ctx context.Context, size uint64) (publication, error) {
	l.mu.Lock()
	p := l.published
	l.mu.Unlock()
	if p.size == size {
		return p, nil
	}
	return l.covering(ctx, size-1)
}
