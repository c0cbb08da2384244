package logserver

import (
	"context"
	"sync"

	"github.com/trialproof/trialproof/trial"
)

// snapshotEvery is how many entries may have to be replayed after a restart.
const snapshotEvery = 16_384

// A saver brings the snapshot of the state up to date now and then, beside the
// sequencer: records do not change once the state has them.
type saver struct {
	l    *Log
	last uint64 // size of the newest snapshot that was begun

	mu      sync.Mutex                       // held while one is written
	pending map[trial.RecordKey]trial.Record // changed, not yet written
}

// saved is called by the sequencer after each batch whose checkpoint is stored.
func (v *saver) saved(state *trial.State) {
	if state.Size()-v.last < snapshotEvery || !v.mu.TryLock() {
		return
	}
	size := v.collect(state)
	v.l.done.Go(func() {
		defer v.mu.Unlock()
		v.write(context.Background(), size)
	})
}

// flush writes a snapshot and waits for it. The sequencer has ended.
func (v *saver) flush(ctx context.Context, state *trial.State) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if state.Size() > v.last {
		v.write(ctx, v.collect(state))
	}
}

func (v *saver) collect(state *trial.State) (size uint64) {
	if v.pending == nil {
		v.pending = map[trial.RecordKey]trial.Record{}
	}
	for _, r := range state.Changed() {
		v.pending[r.RecordKey()] = r
	}
	v.last = state.Size()
	return v.last
}

// write stores what is pending; what fails stays pending for the next time.
func (v *saver) write(ctx context.Context, size uint64) {
	records := make([]trial.Record, 0, len(v.pending))
	for _, r := range v.pending {
		records = append(records, r)
	}
	if err := v.l.journal.SaveSnapshot(ctx, size, records); err != nil {
		v.l.log.Warn("the snapshot of the state was not saved; the next one will be", "size", size, "error", err)
		return
	}
	clear(v.pending)
}
