package engine

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/google/trillian"
	"github.com/google/trillian/integration/storagetest"
	"github.com/google/trillian/storage"
	trillianmysql "github.com/google/trillian/storage/mysql"
	"google.golang.org/grpc/codes"

	"github.com/trialproof/trialproof/trial/trialtest"
)

// newMySQL returns the data source name of an empty database.
func newMySQL(t *testing.T) string {
	t.Helper()
	dsn := os.Getenv(mysqlEnv)
	if dsn == "" {
		trialtest.Skip(t, mysqlEnv+" is not set: MySQL is not tested")
	}
	return newDatabase(t, dsn)
}

// TestConformance runs Trillian's own tests of log storages over MySQL.
func TestConformance(t *testing.T) {
	newMySQL(t)
	storagetest.RunLogStorageTests(t, func(ctx context.Context, t *testing.T) (storage.LogStorage, storage.AdminStorage) {
		s, err := openMySQLStore(ctx, newMySQL(t), true)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.close() })
		return s.log, s.admin
	})
}

// A counter counts the INSERT statements of its connections.
type counter struct {
	driver.Connector
	inserts atomic.Int64
}

func (c *counter) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	return countedConn{conn, c}, err
}

// A countedConn has of the driver's connection what package sql uses for interpolated statements.
type countedConn struct {
	driver.Conn
	c *counter
}

func (c countedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if strings.HasPrefix(query, "INSERT") {
		c.c.inserts.Add(1)
	}
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
}

func (c countedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
}

func (c countedConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts)
}

func (c countedConn) CheckNamedValue(v *driver.NamedValue) error {
	return c.Conn.(driver.NamedValueChecker).CheckNamedValue(v)
}

// TestBatched counts the statements of a batch, and has leaves that are there already come again.
func TestBatched(t *testing.T) {
	dsn := newMySQL(t)
	id, err := Create(t.Context(), Config{MySQL: dsn})
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := mysqlConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c := &counter{Connector: connector}
	db := sql.OpenDB(c)
	defer db.Close()
	s := batched{trillianmysql.NewLogStorage(db, nil), db}
	tree, err := storage.GetTree(t.Context(), trillianmysql.NewAdminStorage(db), id)
	if err != nil {
		t.Fatal(err)
	}
	leaves := func(first, n int) (list []*trillian.LogLeaf) {
		for i := first; i < first+n; i++ {
			value := fmt.Appendf(nil, "leaf %d", i)
			hash, merkle := sha256.Sum256(value), sha256.Sum256(append([]byte{0}, value...))
			list = append(list, &trillian.LogLeaf{LeafValue: value, LeafIndex: int64(i), LeafIdentityHash: hash[:], MerkleLeafHash: merkle[:]})
		}
		return list
	}
	add := func(list []*trillian.LogLeaf) (refused []int) {
		t.Helper()
		done, err := s.AddSequencedLeaves(t.Context(), tree, list, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		for i, d := range done {
			if codes.Code(d.GetStatus().GetCode()) != codes.OK {
				refused = append(refused, i)
			}
		}
		return refused
	}
	if refused := add(leaves(0, 200)); len(refused) > 0 || c.inserts.Load() != 2 {
		t.Errorf("200 leaves: %d statements, refused %v", c.inserts.Load(), refused)
	}
	count := func() (n int) {
		t.Helper()
		if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM SequencedLeafData s JOIN LeafData l USING (TreeId, LeafIdentityHash)").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	// Two are there already: the others are written all the same, and which are which is said.
	if refused := add(leaves(198, 5)); fmt.Sprint(refused) != "[0 1]" || count() != 203 {
		t.Errorf("refused %v, %d leaves are there", refused, count())
	}
	// Another leaf at an index that is taken.
	other := leaves(500, 2)
	other[0].LeafIndex = 7
	if refused := add(other); fmt.Sprint(refused) != "[0]" || count() != 204 {
		t.Errorf("refused %v, %d leaves are there", refused, count())
	}
	short := leaves(600, 2)
	short[1].LeafIdentityHash = short[1].LeafIdentityHash[:20]
	if _, err := s.AddSequencedLeaves(t.Context(), tree, short, time.Now()); err == nil || count() != 204 {
		t.Errorf("a short hash: %v, %d leaves are there", err, count())
	}
}
