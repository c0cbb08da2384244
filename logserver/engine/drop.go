package engine

import (
	"context"
	"errors"
	"fmt"
)

// Drop removes a tree with all its leaves from a MySQL or MariaDB database; the tree need not
// exist. Trillian has no call for it. It can be interrupted and called again.
func Drop(ctx context.Context, cfg Config) (err error) {
	db, err := OpenMySQL(ctx, cfg.MySQL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := createMySQLSchema(ctx, db); err != nil {
		return err
	}
	// Tables that refer to others come first. One statement for everything would be a
	// transaction of the tree's size, and exceed the time limits.
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
