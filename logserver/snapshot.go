package logserver

import (
	"context"
	"maps"

	"github.com/trialproof/trialproof/trial"
)

// A saver brings the snapshot of the state up to date now and then, while the sequencer runs:
// records do not change once the state has them.
type saver struct {
	l       *Log
	last    uint64                            // size of the newest snapshot that was begun; the sequencer's
	changed map[trial.RecordKey]changedRecord // since then; the sequencer's

	saving  turn                             // held while a snapshot is written; guards pending
	pending map[trial.RecordKey]trial.Record // to be written
}

type changedRecord struct {
	trial.Record
	size uint64 // of the state that has it
}

// add adds the records that a batch changed, which ends at size.
func (v *saver) add(size uint64, records []trial.Record) {
	if v.changed == nil {
		v.changed = map[trial.RecordKey]changedRecord{}
	}
	for _, r := range records {
		v.changed[r.RecordKey()] = changedRecord{r, size}
	}
}

// others forgets what the snapshot that another server has saved, of a size, has.
func (v *saver) others(size uint64) {
	if size <= v.last {
		return
	}
	v.last = size
	maps.DeleteFunc(v.changed, func(_ trial.RecordKey, r changedRecord) bool { return r.size <= size })
}

// saved is called by the sequencer when the checkpoint of a size is stored.
func (v *saver) saved(size uint64) {
	if size-v.last < v.l.cfg.SnapshotEvery || !v.saving.try() {
		return
	}
	v.collect(size)
	v.l.done.Go(func() {
		defer v.saving.end()
		v.write(context.Background(), size)
	})
}

// flush writes a snapshot and waits for it. The sequencer has ended.
func (v *saver) flush(ctx context.Context, size uint64) {
	v.saving.take()
	defer v.saving.end()
	if size > v.last {
		v.collect(size)
		v.write(ctx, size)
	}
}

func (v *saver) collect(size uint64) {
	if v.pending == nil {
		v.pending = map[trial.RecordKey]trial.Record{}
	}
	for key, r := range v.changed {
		v.pending[key] = r.Record
	}
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
