package sqlstore

import (
	"context"
	"database/sql"

	"github.com/trialproof/trialproof/logserver"
)

// The lead is a number in two rows that change together: the epoch in tp_log, which every write
// of a leader compares and swaps, and the same one in tp_lease, which shows that the leader
// lives. They are two rows, so that a beat does not wait for a batch that is being decided.

// Claim implements logserver.Journal.
func (s *Store) Claim(ctx context.Context) (epoch uint64, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		if err := swap(ctx, tx, "UPDATE tp_lease SET beat = beat + 1 WHERE id = 1"); err != nil {
			return err
		}
		epoch, err = lead(ctx, tx, "")
		return err
	})
	return epoch, err
}

// lead begins the next epoch under a holder. The caller has changed tp_lease, always first, so
// that no two wait for each other.
func lead(ctx context.Context, tx *sql.Tx, holder string) (epoch uint64, err error) {
	if err := swap(ctx, tx, "UPDATE tp_log SET epoch = epoch + 1 WHERE id = 1"); err != nil {
		return 0, err
	}
	if err := tx.QueryRowContext(ctx, "SELECT epoch FROM tp_log WHERE id = 1").Scan(&epoch); err != nil {
		return 0, err
	}
	const set = "UPDATE tp_lease SET epoch = ?, beat = beat + 1, holder = ?, freed = 0 WHERE id = 1"
	return epoch, swap(ctx, tx, set, epoch, holder)
}

// Lease implements logserver.Journal.
func (s *Store) Lease(ctx context.Context) (l logserver.Lease, err error) {
	const query = "SELECT epoch, beat, holder, freed, fresh FROM tp_lease WHERE id = 1"
	var holder []byte
	err = s.db.QueryRowContext(ctx, query).Scan(&l.Epoch, &l.Beat, &holder, &l.Freed, &l.Fresh)
	l.Holder = string(holder)
	return l, err
}

// Take implements logserver.Journal.
func (s *Store) Take(ctx context.Context, seen logserver.Lease, holder string) (epoch uint64, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		// The beat changes with whatever is done to the lease, so that one of two wins.
		const take = "UPDATE tp_lease SET beat = beat + 1 WHERE id = 1 AND epoch = ? AND beat = ?"
		if err := swap(ctx, tx, take, seen.Epoch, seen.Beat); err != nil {
			return err
		}
		epoch, err = lead(ctx, tx, holder)
		return err
	})
	return epoch, err
}

// Beat implements logserver.Journal.
func (s *Store) Beat(ctx context.Context, epoch uint64, fresh []byte) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if fresh == nil {
			return swap(ctx, tx, "UPDATE tp_lease SET beat = beat + 1 WHERE id = 1 AND epoch = ?", epoch)
		}
		return swap(ctx, tx, "UPDATE tp_lease SET beat = beat + 1, fresh = ? WHERE id = 1 AND epoch = ?", fresh, epoch)
	})
}

// Free implements logserver.Journal.
func (s *Store) Free(ctx context.Context, epoch uint64) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		return swap(ctx, tx, "UPDATE tp_lease SET beat = beat + 1, freed = 1 WHERE id = 1 AND epoch = ?", epoch)
	})
}
