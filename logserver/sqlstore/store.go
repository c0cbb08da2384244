// Package sqlstore keeps a log's journal, checkpoints, identities, state snapshot and, on
// MySQL, tiles in a database, by package database/sql. It is logserver.Journal over SQLite and
// over MySQL or MariaDB: the statements are the same, only the types of columns differ.
//
// It knows nothing of Trillian, whose tables may be in the same database. Its callers check
// what they read from it.
package sqlstore

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
)

// A Dialect is a kind of database.
type Dialect int

const (
	SQLite Dialect = iota
	MySQL          // or MariaDB
)

// types replaces what databases call differently in the files of statements.
var types = map[Dialect]*strings.Replacer{
	SQLite: strings.NewReplacer("HASH", "BLOB", "BYTES", "BLOB", "PATH", "TEXT", "ADDRESS", "TEXT",
		"INT64", "INTEGER", "ADD ONCE", "INSERT OR IGNORE", "ENGINE", "STRICT, WITHOUT ROWID"),
	MySQL: strings.NewReplacer("HASH", "BINARY(32)", "BYTES", "LONGBLOB", "PATH", "VARBINARY(64)", "ADDRESS", "VARBINARY(500)",
		"INT64", "BIGINT", "ADD ONCE", "INSERT IGNORE", "ENGINE", "ENGINE=InnoDB"),
}

// A Store is a logserver.Journal in a database. Its methods may be called
// concurrently.
type Store struct {
	db      *sql.DB
	dialect Dialect
	treeID  int64
}

// Create makes the tables for a new log whose tree has the given id, and opens it. It fails if
// there is a log already. The caller keeps ownership of db.
func Create(ctx context.Context, db *sql.DB, d Dialect, treeID int64) (*Store, error) {
	if err := execute(ctx, db, d, schema); err != nil {
		return nil, fmt.Errorf("create tables: %w", err)
	}
	const row = "INSERT INTO tp_log (id, tree_id, epoch, decided, signed, snapshot) VALUES (1, ?, 0, 0, 0, 0)"
	if _, err := db.ExecContext(ctx, row, treeID); err != nil {
		return nil, fmt.Errorf("create log (is there one already?): %w", err)
	}
	return &Store{db, d, treeID}, Upgrade(ctx, db, d)
}

// Open opens the log that Create has made. It changes nothing: whoever writes to the log, or may
// lead it, calls Upgrade before.
func Open(ctx context.Context, db *sql.DB, d Dialect) (*Store, error) {
	s := &Store{db: db, dialect: d}
	if err := db.QueryRowContext(ctx, "SELECT tree_id FROM tp_log WHERE id = 1").Scan(&s.treeID); err != nil {
		return nil, noLog(err)
	}
	_, err := tablesVersion(ctx, db)
	return s, err
}

// TreeID returns the id of the log's tree in Trillian.
func (s *Store) TreeID() int64 { return s.treeID }

// tx runs f in a transaction.
func (s *Store) tx(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	return tx.Commit()
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// swap runs an UPDATE of the log's row that applies only if its condition holds, and returns
// ErrLost if it does not.
func swap(ctx context.Context, tx *sql.Tx, query string, args ...any) error {
	res, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err != nil {
		return err
	}
	if n != 1 {
		return logserver.ErrLost
	}
	return nil
}

// insert adds rows of n columns with few statements, each below the packet size that MariaDB
// accepts.
func insert(ctx context.Context, tx *sql.Tx, into string, n int, values []any) error {
	const rows = 400
	for len(values) > 0 {
		part := values[:min(len(values), rows*n)]
		values = values[len(part):]
		row := ",(?" + strings.Repeat(",?", n-1) + ")"
		query := into + " VALUES " + strings.Repeat(row, len(part)/n)[1:]
		if _, err := tx.ExecContext(ctx, query, part...); err != nil {
			return err
		}
	}
	return nil
}

// Decide implements logserver.Journal.
func (s *Store) Decide(ctx context.Context, epoch uint64, b logserver.Batch) error {
	var data []byte
	for _, e := range b.Entries {
		data = binary.BigEndian.AppendUint16(data, uint16(len(e.Raw)))
		data = append(data, e.Raw...)
	}
	ids, about := indexes(b)
	return s.tx(ctx, func(tx *sql.Tx) error {
		const decide = "UPDATE tp_log SET decided = ? WHERE id = 1 AND epoch = ? AND decided = ?"
		if err := swap(ctx, tx, decide, b.Next(), epoch, b.First); err != nil {
			return err
		}
		const batch = "INSERT INTO tp_batches (first, next, data) VALUES (?, ?, ?)"
		if _, err := tx.ExecContext(ctx, batch, b.First, b.Next(), data); err != nil {
			return fmt.Errorf("store batch: %w", err)
		}
		if err := insert(ctx, tx, "INSERT INTO tp_statements (id, entry)", 2, ids); err != nil {
			return fmt.Errorf("store identities: %w", err)
		}
		if err := insert(ctx, tx, "INSERT INTO tp_about (record, entry)", 2, about); err != nil {
			return fmt.Errorf("store records of entries: %w", err)
		}
		return nil
	})
}

// indexes returns the rows of tp_statements and tp_about for a batch.
func indexes(b logserver.Batch) (ids, about []any) {
	for i, e := range b.Entries {
		index := b.First + uint64(i)
		if !e.ID.IsZero() {
			ids = append(ids, e.ID[:], index)
		}
		for _, key := range e.Records {
			h := key.Hash()
			about = append(about, h[:], index)
		}
	}
	return ids, about
}

// Decided implements logserver.Journal.
func (s *Store) Decided(ctx context.Context, from uint64) (epoch, size uint64, batches []logserver.Batch, err error) {
	if err := s.db.QueryRowContext(ctx, "SELECT epoch, decided FROM tp_log WHERE id = 1").Scan(&epoch, &size); err != nil {
		return 0, 0, nil, err
	}
	rows, err := s.db.QueryContext(ctx, "SELECT first, data FROM tp_batches WHERE first >= ? ORDER BY first", from)
	if err != nil {
		return 0, 0, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var b logserver.Batch
		var data []byte
		if err := rows.Scan(&b.First, &data); err != nil {
			return 0, 0, nil, err
		}
		for len(data) > 0 {
			n := 2
			if len(data) >= n {
				n += int(binary.BigEndian.Uint16(data))
			}
			if len(data) < n {
				return 0, 0, nil, fmt.Errorf("the batch at %d ends within an entry", b.First)
			}
			b.Entries = append(b.Entries, logserver.BatchEntry{Raw: data[2:n]})
			data = data[n:]
		}
		batches = append(batches, b)
	}
	return epoch, size, batches, rows.Err()
}

// Sign implements logserver.Journal.
func (s *Store) Sign(ctx context.Context, epoch, size uint64, checkpoint []byte) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if err := swap(ctx, tx, "UPDATE tp_log SET signed = ? WHERE id = 1 AND epoch = ? AND signed < ?", size, epoch, size); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO tp_checkpoints (size, signed) VALUES (?, ?)", size, checkpoint); err != nil {
			return fmt.Errorf("store checkpoint: %w", err)
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM tp_batches WHERE next <= ?", size)
		return err
	})
}

// Newest implements logserver.Journal.
func (s *Store) Newest(ctx context.Context) (signed, published []byte, err error) {
	get := func(query string) (data []byte, err error) {
		err = s.db.QueryRowContext(ctx, query).Scan(&data)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, nil
		}
		return data, err
	}
	if signed, err = get("SELECT signed FROM tp_checkpoints ORDER BY size DESC LIMIT 1"); err != nil {
		return nil, nil, err
	}
	published, err = get("SELECT published FROM tp_checkpoints WHERE published IS NOT NULL ORDER BY size DESC LIMIT 1")
	return signed, published, err
}

// Publish implements logserver.Journal. It forgets smaller checkpoints that were never
// published, because no receipt can use them.
func (s *Store) Publish(ctx context.Context, size uint64, cosigned []byte) (kept []byte, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		const set = "UPDATE tp_checkpoints SET published = ? WHERE size = ? AND published IS NULL"
		res, err := tx.ExecContext(ctx, set, cosigned, size)
		if err != nil {
			return err
		}
		kept = cosigned
		if n, err := res.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			if err := tx.QueryRowContext(ctx, "SELECT published FROM tp_checkpoints WHERE size = ?", size).Scan(&kept); err != nil {
				return fmt.Errorf("read what is published at %d: %w", size, err)
			}
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM tp_checkpoints WHERE size < ? AND published IS NULL", size)
		return err
	})
	return kept, err
}

// Covering implements logserver.Journal.
func (s *Store) Covering(ctx context.Context, index uint64) ([]byte, error) {
	var cosigned []byte
	const query = "SELECT published FROM tp_checkpoints WHERE size > ? AND published IS NOT NULL ORDER BY size LIMIT 1"
	err := s.db.QueryRowContext(ctx, query, index).Scan(&cosigned)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, logserver.ErrNotFound
	}
	return cosigned, err
}

// Lookup implements logserver.Journal.
func (s *Store) Lookup(ctx context.Context, ids []trial.Hash) (map[trial.Hash]uint64, error) {
	found := map[trial.Hash]uint64{}
	if len(ids) == 0 {
		return found, nil
	}
	args := make([]any, len(ids))
	for i := range ids {
		args[i] = ids[i][:]
	}
	rows, err := s.db.QueryContext(ctx, "SELECT id, entry FROM tp_statements WHERE id IN (?"+strings.Repeat(",?", len(ids)-1)+")", args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id []byte
		var index uint64
		if err := rows.Scan(&id, &index); err != nil {
			return nil, err
		}
		found[trial.Hash(id)] = index
	}
	return found, rows.Err()
}

// Entries implements logserver.Journal.
func (s *Store) Entries(ctx context.Context, key trial.RecordKey, from uint64, limit int) ([]uint64, error) {
	h := key.Hash()
	const query = "SELECT entry FROM tp_about WHERE record = ? AND entry >= ? ORDER BY entry LIMIT ?"
	rows, err := s.db.QueryContext(ctx, query, h[:], from, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []uint64
	for rows.Next() {
		var index uint64
		if err := rows.Scan(&index); err != nil {
			return nil, err
		}
		list = append(list, index)
	}
	return list, rows.Err()
}

// SaveSnapshot implements logserver.Journal.
func (s *Store) SaveSnapshot(ctx context.Context, size uint64, changed []trial.Record) error {
	var values []any
	for _, r := range changed {
		data, err := trial.MarshalRecord(r)
		if err != nil {
			return err
		}
		key := r.RecordKey()
		h := key.Hash()
		values = append(values, h[:], key.Kind, data)
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		if err := swap(ctx, tx, "UPDATE tp_log SET snapshot = ? WHERE id = 1 AND snapshot < ?", size, size); err != nil {
			return err
		}
		return insert(ctx, tx, "REPLACE INTO tp_records (record, kind, data)", 3, values)
	})
}

// SnapshotSize implements logserver.Journal.
func (s *Store) SnapshotSize(ctx context.Context) (size uint64, err error) {
	err = s.db.QueryRowContext(ctx, "SELECT snapshot FROM tp_log WHERE id = 1").Scan(&size)
	return size, err
}

// LoadSnapshot implements logserver.Journal. Size and records are of one moment, even while a
// leader saves.
func (s *Store) LoadSnapshot(ctx context.Context) (size uint64, records []trial.Record, err error) {
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: s.dialect == MySQL})
	if err != nil {
		return 0, nil, err
	}
	defer tx.Rollback()
	if err := tx.QueryRowContext(ctx, "SELECT snapshot FROM tp_log WHERE id = 1").Scan(&size); err != nil || size == 0 {
		return 0, nil, err
	}
	rows, err := tx.QueryContext(ctx, "SELECT kind, data FROM tp_records")
	if err != nil {
		return 0, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var kind string
		var data []byte
		if err := rows.Scan(&kind, &data); err != nil {
			return 0, nil, err
		}
		r, err := trial.ParseRecord(kind, data)
		if err != nil {
			return 0, nil, err
		}
		records = append(records, r)
	}
	return size, records, rows.Err()
}

// Now implements logserver.Journal.
func (s *Store) Now(ctx context.Context) (time.Time, error) {
	if s.dialect == SQLite {
		return time.Time{}, nil // this machine's
	}
	var micros int64
	err := s.db.QueryRowContext(ctx, "SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)").Scan(&micros)
	return time.UnixMicro(micros), err
}
