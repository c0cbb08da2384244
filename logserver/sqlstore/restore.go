package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/trialproof/trialproof/logserver"
)

var _ logserver.Restorer = (*Store)(nil)

// Place implements logserver.Restorer. If a statement is in the log twice, the first index
// counts, as it did when it was logged.
func (s *Store) Place(ctx context.Context, epoch uint64, b logserver.Batch) error {
	ignore := map[Dialect]string{SQLite: "INSERT OR IGNORE", MySQL: "INSERT IGNORE"}[s.dialect]
	ids, about := indexes(b)
	return s.tx(ctx, func(tx *sql.Tx) error {
		const decide = "UPDATE tp_log SET decided = ? WHERE id = 1 AND epoch = ? AND decided = ? AND signed = 0"
		if err := swap(ctx, tx, decide, b.Next(), epoch, b.First); err != nil {
			return err
		}
		if err := insert(ctx, tx, ignore+" INTO tp_statements (id, entry)", 2, ids); err != nil {
			return fmt.Errorf("store identities: %w", err)
		}
		if err := insert(ctx, tx, "INSERT INTO tp_about (record, entry)", 2, about); err != nil {
			return fmt.Errorf("store records of entries: %w", err)
		}
		return nil
	})
}

// Restored implements logserver.Restorer.
func (s *Store) Restored(ctx context.Context, epoch uint64, signed, published logserver.Stored) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		const sign = "UPDATE tp_log SET signed = ? WHERE id = 1 AND epoch = ? AND decided = ? AND signed = 0"
		if err := swap(ctx, tx, sign, signed.Size, epoch, signed.Size); err != nil {
			return err
		}
		const store = "INSERT INTO tp_checkpoints (size, signed, published) VALUES (?, ?, ?)"
		if signed.Size == published.Size {
			_, err := tx.ExecContext(ctx, store, signed.Size, signed.Note, published.Note)
			return err
		}
		if _, err := tx.ExecContext(ctx, store, published.Size, published.Note, published.Note); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, store, signed.Size, signed.Note, nil)
		return err
	})
}

// Finished reports whether the database has a log with a checkpoint: whether init or restore
// has finished.
func Finished(ctx context.Context, db *sql.DB, d Dialect) (bool, error) {
	if err := execute(ctx, db, d, schema); err != nil {
		return false, err
	}
	var n int
	err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM tp_checkpoints").Scan(&n)
	return n > 0, err
}

// Clear empties the tables of a log in MySQL or MariaDB that has no checkpoint, because a
// restore was interrupted. Clear itself can be interrupted and called again. It first calls
// drop with the id of the log's tree, if it has one.
func Clear(ctx context.Context, db *sql.DB, drop func(treeID int64) error) error {
	if finished, err := Finished(ctx, db, MySQL); err != nil {
		return err
	} else if finished {
		return errors.New("the database holds a log")
	}
	var tree int64
	err := db.QueryRowContext(ctx, "SELECT tree_id FROM tp_log WHERE id = 1").Scan(&tree)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // the row comes first and goes last
	}
	if err != nil {
		return err
	}
	if err := drop(tree); err != nil {
		return err
	}
	for _, table := range []string{"tp_batches", "tp_statements", "tp_about", "tp_records", "tp_tiles", "tp_log"} {
		if _, err := db.ExecContext(ctx, "TRUNCATE TABLE "+table); err != nil {
			return fmt.Errorf("clear %s: %w", table, err)
		}
	}
	return nil
}
