package logserver

import (
	"context"
	"errors"
	"time"

	"github.com/trialproof/trialproof/trial"
)

// The log relies on the three interfaces below. Each has two sorts of implementation: over a
// database or files, and one that injects faults. The sequencer's order of steps relies on what
// the methods say about durability.

// ErrTreeConflict says that the tree has other bytes at an index than those the journal
// decided. No retry can repair that: the log stops for good.
var ErrTreeConflict = errors.New("the tree has other bytes than those decided")

// ErrLost says that another server has taken the lead: the epoch or the size is no longer the
// one that this server knows. It steps down and writes nothing more.
var ErrLost = errors.New("another server leads this log")

// ErrNotFound says that there is no such entry, receipt, tile or checkpoint.
var ErrNotFound = errors.New("not found")

// A Tree is the verifiable tree that decided entries are appended to. The
// sequencer is its only writer; reads may run concurrently with anything.
type Tree interface {
	// Append puts leaves at first, first+1, ... and integrates them, so that Head covers them.
	// They are durable when it returns nil.
	//
	// It is idempotent: leaves that are there already with the same bytes count as done,
	// missing ones are added. first may be below the integrated size, never above it.
	// ErrTreeConflict says that there are other bytes at one of the indexes. After any other
	// error it is unknown whether all, some or none are there, and the caller calls again with
	// the same bytes.
	Append(ctx context.Context, first uint64, leaves [][]byte) error

	// Head returns the integrated size and the RFC 6962 root of that size.
	Head(ctx context.Context) (size uint64, root [32]byte, err error)

	// Leaves returns the bytes of n leaves from first on, all of which must be below the
	// integrated size.
	Leaves(ctx context.Context, first, n uint64) ([][]byte, error)

	// Consistency returns the RFC 6962 consistency proof between two sizes, both
	// at most the integrated size.
	Consistency(ctx context.Context, from, to uint64) ([][32]byte, error)
}

// A Batch is what one pool became: entries at fixed indexes, with a state entry at the end.
type Batch struct {
	First   uint64 // index of the first entry
	Entries []BatchEntry
}

// A BatchEntry is an entry and the keys under which the journal finds it.
type BatchEntry struct {
	Raw     []byte
	ID      trial.Hash        // of a statement; zero otherwise
	Records []trial.RecordKey // the records that the entry is about, and other keys that lead to it (foundBy)
}

// Next returns the index after the batch: the size of the tree that it ends.
func (b Batch) Next() uint64 { return b.First + uint64(len(b.Entries)) }

// A Journal fixes which entry is at which index, before the tree receives it, and keeps the
// checkpoints. All writes are durable when they return nil. After an error other than those
// named it is unknown whether the write happened.
type Journal interface {
	// Claim makes the caller the leader, whoever else leads, and returns its epoch. Every later
	// write under an earlier epoch fails with ErrLost.
	Claim(ctx context.Context) (epoch uint64, err error)

	// Lease says who leads.
	Lease(ctx context.Context) (Lease, error)

	// Take makes the caller the leader, as Claim does, if nobody has taken the lead and no
	// leader has shown that it lives since seen was read. Otherwise it returns ErrLost.
	Take(ctx context.Context, seen Lease, holder string) (epoch uint64, err error)

	// Beat shows that the leader of an epoch lives, and keeps fresh, the published checkpoint
	// with its newest cosignatures; nil keeps what there is. ErrLost if epoch is not the newest.
	Beat(ctx context.Context, epoch uint64, fresh []byte) error

	// Free gives up the lead, if epoch is the newest, so that nobody has to wait for it.
	Free(ctx context.Context, epoch uint64) error

	// Decide stores a batch and its indexes in one transaction, if epoch is the
	// newest and the decided size is b.First. Otherwise ErrLost.
	Decide(ctx context.Context, epoch uint64, b Batch) error

	// Decided returns the epoch and decided size, and the decided batches from an index on. The
	// index is a size that Sign was called with, or 0.
	Decided(ctx context.Context, from uint64) (epoch, size uint64, batches []Batch, err error)

	// Sign stores the log's signed checkpoint of a size, if epoch is the newest and size is
	// above every stored one. Otherwise it returns ErrLost. It may forget the batches below,
	// which the tree and the tiles have by now.
	Sign(ctx context.Context, epoch, size uint64, checkpoint []byte) error

	// Newest returns the stored checkpoint of the largest size, and the published one of the
	// largest size; each is nil if there is none.
	Newest(ctx context.Context) (signed, published []byte, err error)

	// Publish keeps the cosigned checkpoint of a size that was signed, and returns the one that
	// is kept. The first one stays: another one for the same size changes nothing.
	Publish(ctx context.Context, size uint64, cosigned []byte) (kept []byte, err error)

	// Covering returns the published checkpoint of the smallest size above
	// index, or ErrNotFound.
	Covering(ctx context.Context, index uint64) (cosigned []byte, err error)

	// Lookup returns the indexes of those statements that have been decided.
	Lookup(ctx context.Context, ids []trial.Hash) (map[trial.Hash]uint64, error)

	// Entries returns the indexes of the entries about a record that are at or
	// above from, ascending, at most limit.
	Entries(ctx context.Context, key trial.RecordKey, from uint64, limit int) ([]uint64, error)

	// SaveSnapshot brings the snapshot of the state up to a size, with the records that changed
	// since the last one, in one transaction.
	SaveSnapshot(ctx context.Context, size uint64, changed []trial.Record) error

	// SnapshotSize returns the size that the snapshot is of; 0 if there is none.
	SnapshotSize(ctx context.Context) (uint64, error)

	// LoadSnapshot returns the snapshot; its size is 0 if there is none.
	LoadSnapshot(ctx context.Context) (size uint64, records []trial.Record, err error)

	// Now returns the time on the machine that the journal is on, or the zero time if that is
	// this machine.
	Now(ctx context.Context) (time.Time, error)
}

// A Lease is what a journal knows of the leader. A leader changes Beat at least every few hundred
// milliseconds while others may take over. So whoever watches a lease needs no clock but its own.
type Lease struct {
	Epoch  uint64
	Beat   uint64
	Holder string // where the leader is reached; "" if it is the only server
	Freed  bool   // the leader has given it up
	Fresh  []byte // the published checkpoint with the newest cosignatures; nil if none was kept
}

// same reports whether nothing was heard of a leader between two readings.
func (a Lease) same(b Lease) bool {
	return a.Epoch == b.Epoch && a.Beat == b.Beat && a.Freed == b.Freed
}

// A TileStore keeps c2sp.org/tlog-tiles tiles and entry bundles. Each is stored once, under its
// path without .p/W; a partial one is a prefix of it.
type TileStore interface {
	// Put writes the parts to their tiles. They are durable when it returns nil. Writing the
	// same bytes again changes nothing.
	Put(ctx context.Context, parts []TilePart) error

	// Replace makes data the whole contents of a tile. It is durable when it returns nil; until
	// then the tile has its old contents, or data.
	Replace(ctx context.Context, path string, data []byte) error

	// Get returns all bytes that the tile has so far, or ErrNotFound.
	Get(ctx context.Context, path string) ([]byte, error)
}

// A TilePart is the bytes of a tile from an offset on. The bytes before the offset are in the
// store.
type TilePart struct {
	Path   string // such as tile/0/x001/067 or tile/entries/000
	Offset int
	Data   []byte
}
