// Package engine keeps the log's tree in Trillian.
//
// It implements logserver.Tree. The embedded engine runs Trillian's log server and sequencer in
// this process, over SQLite or over MySQL and MariaDB. The remote engine (remote.go) uses stock
// trillian_log_server and trillian_log_signer. The tree is a PREORDERED_LOG: the
// journal decides which leaf is at which index before Trillian receives it, and Append writes
// it there.
//
// Everything above the seam (type backend) uses Trillian's own gRPC client interface and asks
// for integration by one function; the engines differ only below it.
//
// Trillian's storage handles a batch in unexpected ways, which explain append.go: a batch over
// a taken index is committed in part; a gap is accepted without an error, and integration stops
// at it; leaves that are not integrated yet cannot be read; and a read that fails beneath a
// root can answer with an empty root instead of an error.
//
// Trillian knows a leaf by its index and hash; see identity.
//
// The package knows nothing of trials, entries, checkpoints or journals.
package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/trillian"
	"github.com/google/trillian/types"

	"github.com/trialproof/trialproof/logserver"
)

// Config says where a tree is kept. Exactly one of SQLite, MySQL and Trillian is set.
type Config struct {
	// SQLite is the path of the database file. The caller has locked its folder
	// (sqlite.LockDir), because SQLite does not refuse two processes over one file.
	SQLite string
	// MySQL is the data source name of a MySQL or MariaDB database, in the form of
	// github.com/go-sql-driver/mysql. OpenMySQL says what is added to it.
	MySQL string
	// Trillian has the addresses of trillian_log_servers, separated by commas, for the remote
	// engine.
	Trillian string
	// TreeID is what Create returned. Create ignores it.
	TreeID int64
	// Logger, if not nil, receives what Trillian and the MySQL driver log; see LogTo.
	Logger *slog.Logger
	// Now is the clock, or time.Now if nil. Trees work even if the clock goes back.
	Now func() time.Time
}

// Tree is a tree in Trillian. One goroutine may append; any number may read.
type Tree struct {
	backend backend
	treeID  int64
	clock   *clock
	close   func() error

	// reads has a token for each running read. Trillian sometimes needs a second connection
	// during a read, so the number is kept well below any server's limit on connections.
	reads chan struct{}

	// appending is held by Append. It only guards the order of its calls: a second appender
	// would be a mistake of the caller.
	appending sync.Mutex

	// size is the largest integrated size seen. It never decreases: leaves below it are
	// permanent.
	size atomic.Uint64
}

var _ logserver.Tree = (*Tree)(nil)

// maxReads bounds the reads that run at the same time.
const maxReads = 16

// openTree makes a tree over b and reads its head. It takes over close.
func openTree(ctx context.Context, b backend, treeID int64, c *clock, close func() error) (*Tree, error) {
	t := &Tree{backend: b, treeID: treeID, clock: c, close: close, reads: make(chan struct{}, maxReads)}
	if _, _, err := t.Head(ctx); err != nil {
		return nil, errors.Join(err, close())
	}
	return t, nil
}

// Close releases the database. No other call may be running.
func (t *Tree) Close() error { return t.close() }

// Head implements logserver.Tree. A size below one that was seen before is an error: the
// database is not the same any more.
func (t *Tree) Head(ctx context.Context) (size uint64, root [32]byte, err error) {
	err = t.read(ctx, func() error {
		seen := t.size.Load()
		resp, err := t.backend.client.GetLatestSignedLogRoot(ctx, &trillian.GetLatestSignedLogRootRequest{LogId: t.treeID})
		if err != nil {
			return err
		}
		r, err := t.rootOf(resp.GetSignedLogRoot(), seen)
		if err != nil {
			return err
		}
		size, root = r.TreeSize, [32]byte(r.RootHash)
		return nil
	})
	if err != nil {
		return 0, [32]byte{}, fmt.Errorf("read tree head: %w", err)
	}
	return size, root, nil
}

// rootOf unpacks a root that was asked for when the size was at least seen. It
// records its size and time.
func (t *Tree) rootOf(slr *trillian.SignedLogRoot, seen uint64) (*types.LogRootV1, error) {
	var r types.LogRootV1
	if err := r.UnmarshalBinary(slr.GetLogRoot()); err != nil {
		return nil, err
	}
	// Trillian's storage treats a failed query as an empty row.
	if len(r.RootHash) != 32 {
		return nil, fmt.Errorf("the root hash has %d bytes: the root could not be read", len(r.RootHash))
	}
	if r.TreeSize < seen {
		return nil, fmt.Errorf("the tree has shrunk from %d leaves to %d: is this an old copy of the database?", seen, r.TreeSize)
	}
	t.clock.notBefore(r.TimestampNanos)
	for old := t.size.Load(); old < r.TreeSize && !t.size.CompareAndSwap(old, r.TreeSize); {
		old = t.size.Load()
	}
	return &r, nil
}

// covered returns nil if the integrated size is at least n.
func (t *Tree) covered(ctx context.Context, n uint64) error {
	if n <= t.size.Load() {
		return nil
	}
	size, _, err := t.Head(ctx)
	if err == nil && n > size {
		err = fmt.Errorf("the tree has %d leaves, want %d", size, n)
	}
	return err
}

// read runs f while fewer than maxReads others are under way.
func (t *Tree) read(ctx context.Context, f func() error) error {
	select {
	case t.reads <- struct{}{}:
		defer func() { <-t.reads }()
		return f()
	case <-ctx.Done():
		return ctx.Err()
	}
}
