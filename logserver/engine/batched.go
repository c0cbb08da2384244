package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/google/trillian"
	"github.com/google/trillian/storage"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// batched writes a batch of leaves with one statement for each of Trillian's two tables, where
// Trillian's own storage for MySQL sends three statements for every leaf. The rows are the same,
// so a stock server reads them. If any leaf is there already nothing is written, and Trillian's
// own path says which.
//
// It is for MySQL alone: on SQLite, where a statement is no round trip, it is slower.
type batched struct {
	storage.LogStorage
	db *sql.DB
}

// errNoBatch says that Trillian's own path must write these leaves, or say what is wrong with
// them. Nothing was written.
var errNoBatch = errors.New("these leaves are not written as one batch")

func (s batched) AddSequencedLeaves(
	ctx context.Context, tree *trillian.Tree, leaves []*trillian.LogLeaf, at time.Time,
) ([]*trillian.QueuedLogLeaf, error) {
	err := s.add(ctx, tree, leaves, at)
	if errors.Is(err, errNoBatch) {
		return s.LogStorage.AddSequencedLeaves(ctx, tree, leaves, at)
	}
	if err != nil {
		// As Trillian's storage does. An error of the commit is no verdict either: the caller reads
		// the leaves back.
		return nil, status.Errorf(codes.Unknown, "add a batch of leaves: %v", err)
	}
	done := make([]*trillian.QueuedLogLeaf, len(leaves))
	ok := status.New(codes.OK, "OK").Proto()
	for i := range done {
		done[i] = &trillian.QueuedLogLeaf{Status: ok}
	}
	return done, nil
}

// add writes all leaves in one transaction, or none.
func (s batched) add(ctx context.Context, tree *trillian.Tree, leaves []*trillian.LogLeaf, at time.Time) error {
	if len(leaves) < 2 {
		return errNoBatch
	}
	for _, l := range leaves {
		if len(l.LeafIdentityHash) != sha256.Size || len(l.MerkleLeafHash) != sha256.Size {
			return errNoBatch
		}
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after a commit
	var there int
	switch err := tx.QueryRowContext(ctx, "SELECT 1 FROM TreeHead WHERE TreeId = ? LIMIT 1", tree.TreeId).Scan(&there); {
	case errors.Is(err, sql.ErrNoRows): // the tree is not initialised
		return errNoBatch
	case err != nil:
		return err
	}
	// In the order in which Trillian writes them, so that two writers wait for each other and do not
	// lock each other out.
	leaves = slices.SortedFunc(slices.Values(leaves), func(a, b *trillian.LogLeaf) int {
		return bytes.Compare(a.LeafIdentityHash, b.LeafIdentityHash)
	})
	data, sequence := make([]any, 0, 5*len(leaves)), make([]any, 0, 5*len(leaves))
	for _, l := range leaves {
		data = append(data, tree.TreeId, l.LeafIdentityHash, l.LeafValue, l.ExtraData, at.UnixNano())
		sequence = append(sequence, tree.TreeId, l.LeafIdentityHash, l.MerkleLeafHash, l.LeafIndex, 0)
	}
	rows := strings.Repeat("(?,?,?,?,?),", len(leaves)-1) + "(?,?,?,?,?)"
	for _, x := range []struct {
		table string
		args  []any
	}{
		{"LeafData(TreeId,LeafIdentityHash,LeafValue,ExtraData,QueueTimestampNanos)", data},
		{"SequencedLeafData(TreeId,LeafIdentityHash,MerkleLeafHash,SequenceNumber,IntegrateTimestampNanos)", sequence},
	} {
		if _, err := tx.ExecContext(ctx, "INSERT INTO "+x.table+" VALUES "+rows, x.args...); isDuplicate(err) {
			return errNoBatch
		} else if err != nil {
			return err
		}
	}
	return tx.Commit()
}

// isDuplicate reports whether MySQL refused a row because there is one with the same key.
func isDuplicate(err error) bool {
	e, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && e.Number == 1062
}
