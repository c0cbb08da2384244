package logserver

import (
	"context"
	"errors"
	"time"

	"github.com/trialproof/trialproof/trial"
)

// The three interfaces below are what the log stands on. Each has two sorts of
// implementation: over a database or files, and one that injects faults. What a
// method says of durability is what the sequencer's order of steps relies on.

// ErrTreeConflict says that the tree holds other bytes at an index than those
// the journal decided. No retry can mend it: the log stops for good.
var ErrTreeConflict = errors.New("the tree holds other bytes than those decided")

// ErrLost says that another server has taken the lead: the epoch or the size is
// no longer the one this server knows. It steps down and writes nothing more.
var ErrLost = errors.New("another server leads this log")

// ErrNotFound says that there is no such entry, receipt, tile or checkpoint.
var ErrNotFound = errors.New("not found")

// A Tree is the verifiable tree that decided entries are appended to. The
// sequencer is its only writer; reads may run concurrently with anything.
type Tree interface {
	// Append makes leaves stand at first, first+1, ... and integrates them, so
	// that Head covers them. They are durable when it returns nil.
	//
	// It is idempotent: leaves that already stand there with the same bytes
	// count as done, missing ones are added. first may be below the integrated
	// size, never above it. ErrTreeConflict: other bytes stand at one of the
	// indexes. Any other error is no verdict: all, some or none may stand, and
	// the caller calls again with the same bytes.
	Append(ctx context.Context, first uint64, leaves [][]byte) error

	// Head returns the integrated size and the RFC 6962 root of that size.
	Head(ctx context.Context) (size uint64, root [32]byte, err error)

	// Leaves returns the bytes of n leaves from first on, all of which must be
	// below the integrated size.
	Leaves(ctx context.Context, first, n uint64) ([][]byte, error)

	// Consistency returns the RFC 6962 consistency proof between two sizes, both
	// at most the integrated size.
	Consistency(ctx context.Context, from, to uint64) ([][32]byte, error)
}

// A Batch is what one pool became: entries at fixed indexes, a state entry last.
type Batch struct {
	First   uint64 // index of the first entry
	Entries []BatchEntry
}

// A BatchEntry is an entry and what the journal finds it by.
type BatchEntry struct {
	Raw     []byte
	ID      trial.Hash        // of a statement; zero otherwise
	Records []trial.RecordKey // that the entry is about, and what else it is found by (foundBy)
}

// Next returns the index behind the batch: the size of the tree that it ends.
func (b Batch) Next() uint64 { return b.First + uint64(len(b.Entries)) }

// A Journal fixes what stands at which index, before the tree sees it, and
// keeps the checkpoints. All writes are durable when they return nil. An error
// other than those named is no verdict: the write may have happened.
type Journal interface {
	// Claim makes the caller the leader and returns its epoch. Every later
	// write under an earlier epoch fails with ErrLost.
	Claim(ctx context.Context) (epoch uint64, err error)

	// Decide stores a batch and its indexes in one transaction, if epoch is the
	// newest and the decided size is b.First. Otherwise ErrLost.
	Decide(ctx context.Context, epoch uint64, b Batch) error

	// Decided returns the epoch and decided size, and the decided batches from
	// an index on, which is a size that Sign was called with, or 0.
	Decided(ctx context.Context, from uint64) (epoch, size uint64, batches []Batch, err error)

	// Sign stores the log's signed checkpoint of a size, if epoch is the newest
	// and size is above every stored one. Otherwise ErrLost. It may forget the
	// batches below, which the tree and the tiles hold by now.
	Sign(ctx context.Context, epoch, size uint64, checkpoint []byte) error

	// Newest returns the stored checkpoint of the largest size, and the
	// published one of the largest size; nil if there is none.
	Newest(ctx context.Context) (signed, published []byte, err error)

	// Publish keeps the cosigned checkpoint of a size that was signed. The
	// first one stays: another for the same size changes nothing.
	Publish(ctx context.Context, size uint64, cosigned []byte) error

	// Covering returns the published checkpoint of the smallest size above
	// index, or ErrNotFound.
	Covering(ctx context.Context, index uint64) (cosigned []byte, err error)

	// Lookup returns the indexes of those statements that have been decided.
	Lookup(ctx context.Context, ids []trial.Hash) (map[trial.Hash]uint64, error)

	// Entries returns the indexes of the entries about a record that are at or
	// above from, ascending, at most limit.
	Entries(ctx context.Context, key trial.RecordKey, from uint64, limit int) ([]uint64, error)

	// SaveSnapshot brings the snapshot of the state up to a size, by the records
	// that changed since the last one, in one transaction.
	SaveSnapshot(ctx context.Context, size uint64, changed []trial.Record) error

	// LoadSnapshot returns the snapshot; size 0 if there is none.
	LoadSnapshot(ctx context.Context) (size uint64, records []trial.Record, err error)

	// Now returns the clock of the machine that the journal is on; the zero
	// time if that is this machine.
	Now(ctx context.Context) (time.Time, error)
}

// A TileStore keeps c2sp.org/tlog-tiles tiles and entry bundles. Each is stored
// once, under its path without .p/W; a partial one is a prefix of it.
type TileStore interface {
	// Put makes the parts stand in their tiles. They are durable when it
	// returns nil. Putting the same bytes again changes nothing.
	Put(ctx context.Context, parts []TilePart) error

	// Replace makes data all bytes of a tile, whatever it held. It is durable
	// when it returns nil; until then the tile holds what it held, or data.
	Replace(ctx context.Context, path string, data []byte) error

	// Get returns all bytes that the tile has so far, or ErrNotFound.
	Get(ctx context.Context, path string) ([]byte, error)
}

// A TilePart is bytes to stand in a tile from an offset on. The bytes before
// the offset are in the store.
type TilePart struct {
	Path   string // such as tile/0/x001/067 or tile/entries/000
	Offset int
	Data   []byte
}
