package engine

import (
	"context"
	"time"

	"github.com/google/trillian"
	"github.com/google/trillian/storage"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// oneTree answers from memory what Trillian's server asks at every call: the description of the
// tree, which nothing of ours changes once it is made.
type oneTree struct {
	storage.AdminStorage
	tree *trillian.Tree // read only
}

func (s oneTree) Snapshot(context.Context) (storage.ReadOnlyAdminTX, error) { return s, nil }

func (s oneTree) GetTree(_ context.Context, id int64) (*trillian.Tree, error) {
	if id != s.tree.TreeId {
		return nil, status.Errorf(codes.NotFound, "tree %d is not open here", id)
	}
	return s.tree, nil
}

func (s oneTree) ListTrees(context.Context, bool) ([]*trillian.Tree, error) {
	return []*trillian.Tree{s.tree}, nil
}

func (s oneTree) Commit() error { return nil }

func (s oneTree) Close() error { return nil }

// uninterrupted does not interrupt a write that has begun, whatever happens to its context: the
// connection's own time limits end it if the server is gone. Watching a context costs the MySQL
// driver as much as a third of a round trip, three times for every leaf. Package sqlite does
// the same by itself.
type uninterrupted struct{ storage.LogStorage }

func (s uninterrupted) ReadWriteTransaction(ctx context.Context, tree *trillian.Tree, f storage.LogTXFunc) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.LogStorage.ReadWriteTransaction(context.WithoutCancel(ctx), tree, f)
}

func (s uninterrupted) AddSequencedLeaves(
	ctx context.Context, tree *trillian.Tree, leaves []*trillian.LogLeaf, at time.Time,
) ([]*trillian.QueuedLogLeaf, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.LogStorage.AddSequencedLeaves(context.WithoutCancel(ctx), tree, leaves, at)
}
