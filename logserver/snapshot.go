package logserver

import (
	"context"
	"maps"
	"sync"

	"github.com/trialproof/trialproof/trial"
)

// snapshotEvery is how many entries may have to be replayed after a restart.
const snapshotEvery = 16_384

// A saver brings the snapshot of the state up to date now and then, while the sequencer runs:
// records do not change once the state has them.
type saver struct {
	l       *Log
	last    uint64                           // size of the newest snapshot that was begun; the sequencer's
	changed map[trial.RecordKey]trial.Record // since then; the sequencer's

	mu      sync.Mutex                       // held while a snapshot is written; guards pending
	pending map[trial.RecordKey]trial.Record // to be written
}

// add adds the records that a batch changed.
func (v *saver) add(records []trial.Record) {
	if v.changed == nil {
		v.changed = map[trial.RecordKey]trial.Record{}
	}
	for _, r := range records {
		v.changed[r.RecordKey()] = r
	}
}

// saved is called by the sequencer when the checkpoint of a size is stored.
func (v *saver) saved(size uint64) {
	if size-v.last < snapshotEvery || !v.mu.TryLock() {
		return
	}
	v.collect(size)
	v.l.done.Go(func() {
		defer v.mu.Unlock()
		v.write(context.Background(), size)
	})
}

// flush writes a snapshot and waits for it. The sequencer has ended.
func (v *saver) flush(ctx context.Context, size uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if size > v.last {
		v.collect(size)
		v.write(ctx, size)
	}
}

func (v *saver) collect(size uint64) {
	if v.pending == nil {
		v.pending = map[trial.RecordKey]trial.Record{}
	}
	maps.Copy(v.pending, v.changed)
	clear(v.changed)
	v.last = size
}

// write stores what is pending. What fails stays pending for the next time.
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
