package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
)

// A journal is a logserver.Journal in memory. It does what sqlstore does with a database:
// journaltest holds both to one contract. Nothing in it waits.
type journal struct {
	mu          sync.Mutex // guards the fields below
	lease       logserver.Lease
	decided     uint64
	batches     []logserver.Batch // without the keys by which entries are found
	ids         map[trial.Hash]uint64
	about       map[trial.RecordKey][]uint64
	checkpoints []signed // ascending
	snapshot    uint64
	records     map[trial.RecordKey][]byte
}

// A signed checkpoint of a size, and what was published of it.
type signed struct {
	size            uint64
	note, published []byte
}

func newJournal() *journal {
	return &journal{ids: map[trial.Hash]uint64{}, about: map[trial.RecordKey][]uint64{}, records: map[trial.RecordKey][]byte{}}
}

func (j *journal) lead(holder string) uint64 {
	j.lease.Epoch++
	j.lease.Beat++
	j.lease.Holder, j.lease.Freed = holder, false
	return j.lease.Epoch
}

func (j *journal) Claim(context.Context) (uint64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lead(""), nil
}

func (j *journal) Lease(context.Context) (logserver.Lease, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lease, nil
}

func (j *journal) Take(_ context.Context, seen logserver.Lease, holder string) (uint64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.lease.Epoch != seen.Epoch || j.lease.Beat != seen.Beat {
		return 0, logserver.ErrLost
	}
	return j.lead(holder), nil
}

func (j *journal) Beat(_ context.Context, epoch uint64, fresh []byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.lease.Epoch != epoch {
		return logserver.ErrLost
	}
	j.lease.Beat++
	if fresh != nil {
		j.lease.Fresh = bytes.Clone(fresh)
	}
	return nil
}

func (j *journal) Free(_ context.Context, epoch uint64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.lease.Epoch != epoch {
		return logserver.ErrLost
	}
	j.lease.Beat++
	j.lease.Freed = true
	return nil
}

func (j *journal) Decide(_ context.Context, epoch uint64, b logserver.Batch) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.lease.Epoch != epoch || j.decided != b.First {
		return logserver.ErrLost
	}
	kept := logserver.Batch{First: b.First}
	ids := map[trial.Hash]uint64{}
	for i, e := range b.Entries {
		kept.Entries = append(kept.Entries, logserver.BatchEntry{Raw: bytes.Clone(e.Raw)})
		if e.ID.IsZero() {
			continue
		}
		_, before := j.ids[e.ID]
		if _, now := ids[e.ID]; before || now {
			return fmt.Errorf("the statement %s is decided already", e.ID)
		}
		ids[e.ID] = b.First + uint64(i)
	}
	for i, e := range b.Entries {
		if !e.ID.IsZero() {
			j.ids[e.ID] = ids[e.ID]
		}
		for _, key := range e.Records {
			j.about[key] = append(j.about[key], b.First+uint64(i))
		}
	}
	j.batches = append(j.batches, kept)
	j.decided = b.Next()
	return nil
}

func (j *journal) Decided(_ context.Context, from uint64) (epoch, size uint64, list []logserver.Batch, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, b := range j.batches {
		if b.First >= from {
			list = append(list, b)
		}
	}
	return j.lease.Epoch, j.decided, list, nil
}

func (j *journal) Sign(_ context.Context, epoch, size uint64, note []byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if n := len(j.checkpoints); j.lease.Epoch != epoch || n > 0 && size <= j.checkpoints[n-1].size || size == 0 {
		return logserver.ErrLost
	}
	j.checkpoints = append(j.checkpoints, signed{size: size, note: bytes.Clone(note)})
	j.batches = slices.DeleteFunc(j.batches, func(b logserver.Batch) bool { return b.Next() <= size })
	return nil
}

func (j *journal) Newest(context.Context) (note, published []byte, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range j.checkpoints {
		note = c.note
		if c.published != nil {
			published = c.published
		}
	}
	return note, published, nil
}

func (j *journal) Publish(_ context.Context, size uint64, cosigned []byte) ([]byte, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	at := slices.IndexFunc(j.checkpoints, func(c signed) bool { return c.size == size })
	if at < 0 {
		return nil, fmt.Errorf("no checkpoint of size %d is kept", size)
	}
	if j.checkpoints[at].published == nil {
		j.checkpoints[at].published = bytes.Clone(cosigned)
	}
	kept := j.checkpoints[at].published
	j.checkpoints = slices.DeleteFunc(j.checkpoints, func(c signed) bool { return c.size < size && c.published == nil })
	return kept, nil
}

func (j *journal) Covering(_ context.Context, index uint64) ([]byte, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range j.checkpoints {
		if c.size > index && c.published != nil {
			return c.published, nil
		}
	}
	return nil, logserver.ErrNotFound
}

func (j *journal) Lookup(_ context.Context, ids []trial.Hash) (map[trial.Hash]uint64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	found := map[trial.Hash]uint64{}
	for _, id := range ids {
		if index, ok := j.ids[id]; ok {
			found[id] = index
		}
	}
	return found, nil
}

func (j *journal) Entries(_ context.Context, key trial.RecordKey, from uint64, limit int) (list []uint64, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, index := range j.about[key] {
		if index >= from && len(list) < limit {
			list = append(list, index)
		}
	}
	return list, nil
}

func (j *journal) SaveSnapshot(_ context.Context, size uint64, changed []trial.Record) error {
	data := map[trial.RecordKey][]byte{}
	for _, r := range changed {
		text, err := trial.MarshalRecord(r)
		if err != nil {
			return err
		}
		data[r.RecordKey()] = text
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if size <= j.snapshot {
		return logserver.ErrLost
	}
	j.snapshot = size
	for key, text := range data {
		j.records[key] = text
	}
	return nil
}

func (j *journal) SnapshotSize(context.Context) (uint64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.snapshot, nil
}

func (j *journal) LoadSnapshot(context.Context) (size uint64, records []trial.Record, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for key, text := range j.records {
		r, err := trial.ParseRecord(key.Kind, text)
		if err != nil {
			return 0, nil, err
		}
		records = append(records, r)
	}
	return j.snapshot, records, nil
}

func (j *journal) Now(context.Context) (time.Time, error) { return time.Time{}, nil }

// published returns the size of the largest published checkpoint.
func (j *journal) published() (size uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range j.checkpoints {
		if c.published != nil {
			size = c.size
		}
	}
	return size
}

// A database is the journal, tree and tiles that all replicas share, at the other end of a
// connection.
type database struct {
	w       *world
	journal *journal
	tree    *tree
	tiles   *tiles

	mu   sync.Mutex // guards down
	down bool
}

func (d *database) stop(down bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.down = down
}

func (d *database) stopped() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.down
}

// A link is a process's connection to the database.
type link struct {
	p  *process
	db *database

	mu   sync.Mutex // guards the fields below
	cut  bool
	hang chan struct{} // closed when calls no longer hang
}

func (k *link) set(cut, hang bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.cut = cut
	if k.hang != nil {
		close(k.hang)
		k.hang = nil
	}
	if hang {
		k.hang = make(chan struct{})
	}
}

// up returns nil once calls go through. what tells those who wait apart.
func (k *link) up(ctx context.Context, what string) error {
	k.mu.Lock()
	cut, hang := k.cut, k.hang
	k.mu.Unlock()
	if hang != nil {
		select {
		case <-hang:
			k.p.w.sleep(time.Duration(k.p.w.draw("go on " + what).Int64N(int64(time.Millisecond))))
		case <-k.p.died:
			return errDead
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if cut || k.db.stopped() {
		return errCut
	}
	return nil
}

type result[T any] struct {
	v   T
	err error
}

// call makes a call to the database: the request is on its way for a time, then it has its
// effect all at once, then the answer is on its way. Whoever called may have given up or died by
// then. The request may be lost, and what was done may be reported as failed.
//
// partly, if given, is what happens when the request is lost on its way: the part of the effect
// that the contract allows.
func call[T any](ctx context.Context, k *link, op, what string, effect func() (T, error), partly ...func()) (v T, err error) {
	p := k.p
	w := p.w
	key := fmt.Sprintf("%s %s %s [%s]", p.name, op, what, callerOf(ctx))
	if err := p.running(ctx, key); err != nil {
		return v, err
	}
	r := w.draw(key)
	there, back := w.delay(r), w.delay(r)
	lost, lies, survives := w.chance(r, w.plan.callFails), w.chance(r, w.plan.callLies), r.IntN(2) == 0
	done := make(chan result[T], 1)
	if err := k.up(ctx, key); err != nil {
		w.sleep(there)
		w.event("%s: %s", key, outcome(err))
		return v, err
	}
	go func() {
		w.sleep(there)
		var res result[T]
		switch {
		case p.gone() && !survives:
			return // the connection ended with it
		case lost:
			res.err = errInjected
			for _, f := range partly {
				f()
			}
			w.count("calls lost")
		default:
			res.v, res.err = effect()
			if errors.Is(res.err, logserver.ErrLost) && op != "Take" && op != "SaveSnapshot" {
				w.count("lost: " + op)
			}
			if lies {
				res = result[T]{err: errInjected}
				w.count("calls done and reported as failed")
			}
		}
		w.event("%s: %s", key, outcome(res.err))
		w.sleep(back)
		done <- res
	}()
	select {
	case res := <-done:
		v, err = res.v, res.err
	case <-ctx.Done():
		return v, ctx.Err()
	case <-p.died:
		return v, errDead
	}
	if err := p.running(ctx, key); err != nil {
		var none T
		return none, err
	}
	return v, err
}

func (k *link) do(ctx context.Context, op, what string, effect func() error, partly ...func()) error {
	_, err := call(ctx, k, op, what, func() (struct{}, error) { return struct{}{}, effect() }, partly...)
	return err
}

// A linkedJournal is the journal at the other end of a connection.
type linkedJournal struct{ *link }

func (l linkedJournal) Claim(ctx context.Context) (uint64, error) {
	return call(ctx, l.link, "Claim", "", func() (uint64, error) { return l.db.journal.Claim(ctx) })
}

func (l linkedJournal) Lease(ctx context.Context) (logserver.Lease, error) {
	return call(ctx, l.link, "Lease", "", func() (logserver.Lease, error) { return l.db.journal.Lease(ctx) })
}

func (l linkedJournal) Take(ctx context.Context, seen logserver.Lease, holder string) (uint64, error) {
	return call(ctx, l.link, "Take", fmt.Sprint(seen.Epoch), func() (uint64, error) {
		epoch, err := l.db.journal.Take(ctx, seen, holder)
		if err == nil {
			l.p.w.count("leader changes")
		}
		return epoch, err
	})
}

func (l linkedJournal) Beat(ctx context.Context, epoch uint64, fresh []byte) error {
	return l.do(ctx, "Beat", fmt.Sprint(epoch, len(fresh)), func() error { return l.db.journal.Beat(ctx, epoch, fresh) })
}

func (l linkedJournal) Free(ctx context.Context, epoch uint64) error {
	return l.do(ctx, "Free", fmt.Sprint(epoch), func() error { return l.db.journal.Free(ctx, epoch) })
}

func (l linkedJournal) Decide(ctx context.Context, epoch uint64, b logserver.Batch) error {
	return l.do(ctx, "Decide", fmt.Sprint(epoch, b.First, len(b.Entries)), func() error { return l.db.journal.Decide(ctx, epoch, b) })
}

type decided struct {
	epoch, size uint64
	list        []logserver.Batch
}

func (l linkedJournal) Decided(ctx context.Context, from uint64) (epoch, size uint64, list []logserver.Batch, err error) {
	d, err := call(ctx, l.link, "Decided", fmt.Sprint(from), func() (d decided, err error) {
		d.epoch, d.size, d.list, err = l.db.journal.Decided(ctx, from)
		return d, err
	})
	return d.epoch, d.size, d.list, err
}

func (l linkedJournal) Sign(ctx context.Context, epoch, size uint64, note []byte) error {
	return l.do(ctx, "Sign", fmt.Sprint(epoch, size), func() error { return l.db.journal.Sign(ctx, epoch, size, note) })
}

func (l linkedJournal) Newest(ctx context.Context) (note, published []byte, err error) {
	pair, err := call(ctx, l.link, "Newest", "", func() (pair [2][]byte, err error) {
		pair[0], pair[1], err = l.db.journal.Newest(ctx)
		return pair, err
	})
	return pair[0], pair[1], err
}

func (l linkedJournal) Publish(ctx context.Context, size uint64, cosigned []byte) ([]byte, error) {
	return call(ctx, l.link, "Publish", fmt.Sprint(size), func() ([]byte, error) { return l.db.journal.Publish(ctx, size, cosigned) })
}

func (l linkedJournal) Covering(ctx context.Context, index uint64) ([]byte, error) {
	return call(ctx, l.link, "Covering", fmt.Sprint(index), func() ([]byte, error) { return l.db.journal.Covering(ctx, index) })
}

func (l linkedJournal) Lookup(ctx context.Context, ids []trial.Hash) (map[trial.Hash]uint64, error) {
	return call(ctx, l.link, "Lookup", brief(ids), func() (map[trial.Hash]uint64, error) { return l.db.journal.Lookup(ctx, ids) })
}

func (l linkedJournal) Entries(ctx context.Context, key trial.RecordKey, from uint64, limit int) ([]uint64, error) {
	return call(ctx, l.link, "Entries", fmt.Sprint(key, from), func() ([]uint64, error) { return l.db.journal.Entries(ctx, key, from, limit) })
}

func (l linkedJournal) SaveSnapshot(ctx context.Context, size uint64, changed []trial.Record) error {
	return l.do(ctx, "SaveSnapshot", fmt.Sprint(size, len(changed)), func() error {
		l.p.w.count("snapshots saved")
		return l.db.journal.SaveSnapshot(ctx, size, changed)
	})
}

func (l linkedJournal) SnapshotSize(ctx context.Context) (uint64, error) {
	return call(ctx, l.link, "SnapshotSize", "", func() (uint64, error) { return l.db.journal.SnapshotSize(ctx) })
}

type snapshot struct {
	size    uint64
	records []trial.Record
}

func (l linkedJournal) LoadSnapshot(ctx context.Context) (uint64, []trial.Record, error) {
	s, err := call(ctx, l.link, "LoadSnapshot", "", func() (s snapshot, err error) {
		if s.size, s.records, err = l.db.journal.LoadSnapshot(ctx); s.size > 0 {
			l.p.w.count("snapshots loaded")
		}
		return s, err
	})
	return s.size, s.records, err
}

func (l linkedJournal) Now(ctx context.Context) (time.Time, error) {
	return call(ctx, l.link, "Now", "", func() (time.Time, error) {
		if !l.p.w.plan.clock {
			return time.Time{}, nil
		}
		return l.p.w.wall().Round(0), nil
	})
}
