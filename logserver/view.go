package logserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/smap"
	"github.com/trialproof/trialproof/trial/tile"
)

// A view is the state as of the published tree, for proofs. The sequencer is ahead of it; what
// it did since then waits in next.
type view struct {
	mu      sync.RWMutex // guards the fields below
	size    uint64       // 0 if nothing is published yet
	tree    smap.Map
	records map[smap.Hash]trial.Record // by RecordKey.Hash
	short   map[string][]trial.Hash    // trials by the short names that people type, see shortNames
	next    []change                   // by size, each of a stored checkpoint not yet published
	pins    []*pin                     // by size
}

// A pin keeps the view of one published size for a while after the log has grown, for a reader
// who asks for several histories and wants them to be of one tree.
type pin struct {
	size uint64
	tree smap.Map
	made time.Time
	old  map[smap.Hash]trial.Record // those changed before the next pin, as they were; nil: none
}

// Bounds on what pins keep: how long, how many, and how many records in all.
const (
	pinTime    = 10 * time.Minute
	maxPins    = 32
	maxPinned  = 50_000
	noLonger   = "the tree of size %d is no longer kept: ask for the newest"
	notYetSeen = "the log has published no tree of size %d"
)

// A change is what one batch did to the state.
type change struct {
	size    uint64
	tree    smap.Map
	records []trial.Record
}

// begin sets the view to the state at a size, after which changes follow.
func (v *view) begin(state *trial.State) {
	records := map[smap.Hash]trial.Record{}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.short = map[string][]trial.Hash{}
	for _, r := range state.Records() {
		records[r.RecordKey().Hash()] = r
		v.shorten(r)
	}
	v.next = []change{{size: state.Size(), tree: state.Map()}}
	v.records = records
}

// begun reports whether begin was called.
func (v *view) begun() bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.records != nil
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
			key := r.RecordKey().Hash()
			if n := len(v.pins); n > 0 {
				if _, kept := v.pins[n-1].old[key]; !kept {
					v.pins[n-1].old[key] = v.records[key]
				}
			}
			if v.records[key] == nil {
				v.shorten(r)
			}
			v.records[key] = r
		}
	}
	v.unpin(time.Time{})
}

// shorten keeps the short names of a trial that is new: the first digits of its id, and
// its sponsor's number without the sponsor. The caller holds mu.
func (v *view) shorten(r trial.Record) {
	if t, ok := r.(*trial.TrialRecord); ok {
		for _, name := range []string{t.ID.String()[:trial.ShortDigits], t.Number} {
			v.short[name] = append(v.short[name], t.ID)
		}
	}
}

// named returns the trials that a short name may mean.
func (v *view) named(typed string) (list []trial.Hash) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if len(typed) >= trial.ShortDigits {
		for _, id := range v.short[typed[:trial.ShortDigits]] {
			if id.Named(typed) {
				list = append(list, id)
			}
		}
	}
	if trial.IsShort(typed) { // digits mean an id alone: no number that looks like them may stand for it
		return list
	}
	for _, id := range v.short[typed] {
		if !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	return list
}

// unpin forgets pins that are too old, too many or keep too much. The caller holds mu.
func (v *view) unpin(now time.Time) {
	kept := 0
	for _, p := range v.pins {
		kept += len(p.old)
	}
	for len(v.pins) > maxPins || kept > maxPinned || len(v.pins) > 0 && now.Sub(v.pins[0].made) > pinTime {
		kept -= len(v.pins[0].old)
		v.pins = v.pins[1:]
	}
}

// An asOf is a record as of a published size.
type asOf struct {
	size   uint64
	tree   smap.Map
	record trial.Record // nil: none
}

// at returns a record as of the published tree, which it pins (size 0), or as of a size that
// was pinned.
func (v *view) at(key trial.RecordKey, size uint64, now time.Time) (asOf, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.size == 0:
		return asOf{}, fmt.Errorf("%w: nothing has been published since the start", ErrNotReady)
	case size > v.size:
		return asOf{}, gone(notYetSeen, size)
	}
	v.unpin(now)
	if size == 0 {
		if n := len(v.pins); n == 0 || v.pins[n-1].size != v.size {
			v.pins = append(v.pins, &pin{size: v.size, tree: v.tree, old: map[smap.Hash]trial.Record{}})
		}
		v.pins[len(v.pins)-1].made = now
		v.unpin(now)
		size = v.size
	}
	if size == v.size {
		return asOf{size, v.tree, v.records[key.Hash()]}, nil
	}
	at, found := slices.BinarySearchFunc(v.pins, size, func(p *pin, size uint64) int { return cmp.Compare(p.size, size) })
	if !found {
		return asOf{}, gone(noLonger, size)
	}
	for _, p := range v.pins[at:] {
		if r, changed := p.old[key.Hash()]; changed {
			return asOf{size, v.pins[at].tree, r}, nil
		}
	}
	return asOf{size, v.pins[at].tree, v.records[key.Hash()]}, nil
}

// ErrGone is wrapped by the errors of History for a size that is no longer served, or not yet.
var ErrGone = errors.New("not served")

func gone(format string, size uint64) error {
	return fmt.Errorf("%w: %s", ErrGone, fmt.Sprintf(format, size))
}

// record returns a record as of the published tree, or nil if there is none.
func (v *view) record(key trial.RecordKey) trial.Record {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.records[key.Hash()]
}

// lacks reports whether a key is one of a record and the tree of a published size certainly has none:
// whoever asks for many that are not there need not wait for the database.
func (v *view) lacks(key trial.RecordKey, size uint64) bool {
	if key.Check() != nil {
		return false
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.size >= size && v.size > 0 && v.records[key.Hash()] == nil
}

// ofKind returns the records of a kind as of the published tree.
func (v *view) ofKind(kind string) (list []trial.Record) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	for _, r := range v.records {
		if trial.KindOfRecord(r) == kind {
			list = append(list, r)
		}
	}
	return list
}

// A History is everything that a published tree has about a record, or the proof that it has
// nothing, as trial/history checks it. It comes in pages: the first page has everything except
// the entries that do not fit, and the others have only entries.
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

// Bounds on the entries of one page: their number, and the bytes of all but the last.
const (
	maxPage      = 2000
	maxPageBytes = 1 << 20
)

// History returns the first page of a record's history as of the newest published tree (size 0)
// or as of one that was given for another record in the last minutes. If from is not 0, it
// returns the page of the entries from that index on, as of any published size. ErrNotReady
// says that nothing has been published since the start; ErrGone, that the size is not served.
func (l *Log) History(ctx context.Context, key trial.RecordKey, size, from uint64) (History, error) {
	if from > 0 {
		if published := l.publishedSize(); size == 0 || size > published {
			return History{}, gone(notYetSeen, size)
		}
		entries, err := l.page(ctx, key, size, from)
		return History{Entries: entries}, err
	}
	m, err := l.view.at(key, size, l.cfg.Now())
	if err != nil {
		return History{}, err
	}
	pub, err := l.publishedAt(ctx, m.size)
	if err != nil {
		return History{}, err
	}
	if pub.size != m.size { // its cosignatures are not those that today's policy asks for
		return History{}, gone(noLonger, m.size)
	}
	h := History{Checkpoint: pub.note, Proof: m.tree.Prove(key.Hash())}
	if h.State, err = l.proved(ctx, m.size-1, m.size); err != nil || m.record == nil {
		return h, err
	}
	if h.Record, err = trial.MarshalRecord(m.record); err != nil {
		return History{}, err
	}
	h.Entries, err = l.page(ctx, key, m.size, 0)
	return h, err
}

// page returns entries about a record below a size, from an index on, as many as one page may
// have.
func (l *Log) page(ctx context.Context, key trial.RecordKey, size, from uint64) (list []Proved, err error) {
	indexes, err := l.journal.Entries(ctx, key, from, maxPage)
	if err != nil {
		return nil, fmt.Errorf("%w: look up entries of %s %s: %w", ErrStore, key.Kind, key.ID, err)
	}
	for bytes := 0; len(indexes) > 0 && indexes[0] < size && bytes < maxPageBytes; {
		// Those of one bundle are read together.
		n := 1
		for n < len(indexes) && indexes[n] < size && indexes[n]/tile.Width == indexes[0]/tile.Width {
			n++
		}
		raws, err := l.hashes.entriesAt(ctx, indexes[:n])
		if err != nil {
			return nil, err
		}
		for k, raw := range raws {
			if bytes += len(raw); k > 0 && bytes > maxPageBytes {
				break
			}
			path, err := l.hashes.inclusion(ctx, indexes[k], size)
			if err != nil {
				return nil, err
			}
			list = append(list, Proved{Located{indexes[k], raw}, path})
		}
		indexes = indexes[n:]
	}
	return list, nil
}

func (l *Log) proved(ctx context.Context, index, size uint64) (Proved, error) {
	raws, err := l.hashes.entriesAt(ctx, []uint64{index})
	if err != nil {
		return Proved{}, err
	}
	path, err := l.hashes.inclusion(ctx, index, size)
	return Proved{Located{index, raws[0]}, path}, err
}

// publishedAt returns the checkpoint published at a size, the newest one with its freshest
// cosignatures.
func (l *Log) publishedAt(ctx context.Context, size uint64) (publication, error) {
	l.mu.Lock()
	p := l.published
	l.mu.Unlock()
	if p.size == size {
		return p, nil
	}
	return l.covering(ctx, size-1)
}
