package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/trialproof/trialproof/logserver"
)

// Tiles is a logserver.TileStore in the same database, for logs whose servers share nothing
// else. A part is a row: appending to a tile costs what is appended, not what the tile has.
type Tiles struct{ s *Store }

// Tiles returns the store of tiles.
func (s *Store) Tiles() Tiles { return Tiles{s} }

// Put implements logserver.TileStore.
func (t Tiles) Put(ctx context.Context, parts []logserver.TilePart) error {
	if len(parts) == 0 {
		return nil
	}
	var values []any
	for _, p := range parts {
		values = append(values, p.Path, p.Offset, p.Data)
	}
	query := "REPLACE INTO tp_tiles (path, start, data) VALUES " + strings.Repeat(",(?,?,?)", len(parts))[1:]
	_, err := t.s.db.ExecContext(ctx, query, values...)
	return err
}

// Replace implements logserver.TileStore.
func (t Tiles) Replace(ctx context.Context, path string, data []byte) error {
	return t.s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM tp_tiles WHERE path = ?", path); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO tp_tiles (path, start, data) VALUES (?, 0, ?)", path, data)
		return err
	})
}

// Get implements logserver.TileStore.
func (t Tiles) Get(ctx context.Context, path string) ([]byte, error) {
	rows, err := t.s.db.QueryContext(ctx, "SELECT start, data FROM tp_tiles WHERE path = ? ORDER BY start", path)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var tile []byte
	for rows.Next() {
		var start int
		var data []byte
		if err := rows.Scan(&start, &data); err != nil {
			return nil, err
		}
		if start > len(tile) {
			return nil, fmt.Errorf("tile %s has a gap from byte %d to %d", path, len(tile), start)
		}
		tile = append(tile[:start], data...)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if tile == nil {
		return nil, logserver.ErrNotFound
	}
	return tile, nil
}
