package engine

import (
	"context"
	"errors"
	"fmt"
)

// Drop removes a tree, which need not be there, from a MySQL or MariaDB database,
// with all its leaves. Trillian has no call for it. It can be cut short and called
// again.
func Drop(ctx context.Context, cfg Config) (err error) {
	db, err := OpenMySQL(ctx, cfg.MySQL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := createMySQLSchema(ctx, db); err != nil {
		return err
	}
	// What refers to others first. One statement for all would be a transaction of
	// the tree's size, and outlast the limits of time.
	for _, table := range []string{"SequencedLeafData", "LeafData", "Subtree", "TreeHead", "TreeControl", "Trees"} {
		for {
			res, err := db.ExecContext(ctx, "DELETE FROM "+table+" WHERE TreeId = ? LIMIT 10000", cfg.TreeID)
			if err != nil {
				return fmt.Errorf("drop tree %d: %w", cfg.TreeID, err)
			}
			n, err := res.RowsAffected()
			if err != nil {
				return err
			}
			if n == 0 {
				break
			}
		}
	}
	return nil
}
