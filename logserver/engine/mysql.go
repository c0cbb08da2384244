package engine

import (
	"context"
	"database/sql"
	"database/sql/driver"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	trillianmysql "github.com/google/trillian/storage/mysql"
)

//go:embed mysql.sql
var mysqlSchema string

// OpenMySQL opens the MySQL or MariaDB database of a data source name, in the form of
// github.com/go-sql-driver/mysql, and connects once. It overrides some settings of the name:
// statements go out in one round trip (interpolateParams), times are read as times, in UTC,
// text is utf8mb4 and the SQL mode is strict. It adds time limits if the name has none, so that
// a server that has gone silent becomes an error.
//
// The name may have several hosts, separated by commas, such as
// user:password@tcp(db1:3306,db2:3306,db3:3306)/trialproof: the nodes of a Galera cluster. See hosts.
func OpenMySQL(ctx context.Context, dsn string) (*sql.DB, error) {
	h := new(hosts)
	var name string
	for _, one := range splitHosts(dsn) {
		cfg, err := mysqlConfig(one)
		if err != nil {
			return nil, fmt.Errorf("open MySQL database: %w", err)
		}
		c, err := mysql.NewConnector(cfg)
		if err != nil {
			return nil, fmt.Errorf("open MySQL database: %w", err)
		}
		name = cfg.DBName
		h.list = append(h.list, host{impatient{c}, cfg.Addr})
	}
	db := sql.OpenDB(h)
	db.SetMaxOpenConns(maxConns)
	db.SetMaxIdleConns(maxReads)
	// Connections are renewed, so that they follow a fail-over.
	db.SetConnMaxLifetime(5 * time.Minute)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open MySQL database %s at %s: %w", name, h, err), db.Close())
	}
	h.follow(db)
	return db, nil
}

// maxConns bounds the connections of one pool; who needs one more waits. A server has two pools:
// three servers stay below the 151 connections that MySQL and MariaDB allow unless told otherwise.
// It is above maxReads, and a few more, because Trillian prepares a statement on a second
// connection while its transaction holds the first.
const maxConns = 24

// impatient makes connections on which nobody waits long for a server that was paused, or cut off,
// in the middle of a transaction: its locks would stop every other server until its connection
// ends, which can take hours.
type impatient struct{ driver.Connector }

// idleSeconds is how long a transaction that writes may be idle before MariaDB ends its
// connection, which takes its locks away, and lockSeconds how long a lock is waited for. What was
// ended so, or waited in vain, is tried again.
const (
	idleSeconds = 2
	lockSeconds = 5
)

// Connect implements driver.Connector.
func (i impatient) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := i.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	x, ok := conn.(driver.ExecerContext)
	if !ok {
		return conn, nil
	}
	for _, set := range []string{
		fmt.Sprintf("innodb_lock_wait_timeout = %d", lockSeconds),
		fmt.Sprintf("idle_write_transaction_timeout = %d", idleSeconds),
	} {
		_, err := x.ExecContext(ctx, "SET SESSION "+set, nil)
		if e, ok := errors.AsType[*mysql.MySQLError](err); ok && e.Number == unknownVariable {
			continue // MySQL has no limit on idle transactions
		}
		if err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	return conn, nil
}

// unknownVariable is ER_UNKNOWN_SYSTEM_VARIABLE.
const unknownVariable = 1193

// A driverLog writes what the driver logs, such as why it closed a connection, to the log that
// Trillian uses.
type driverLog struct{}

func (driverLog) Print(v ...any) {
	l := logTo.Load()
	if l == nil {
		l = slog.Default()
	}
	l.Warn("mysql: " + strings.TrimSpace(fmt.Sprint(v...)))
}

func mysqlConfig(dsn string) (*mysql.Config, error) {
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, err // it does not repeat the name, which contains a password
	}
	if cfg.DBName == "" {
		return nil, errors.New("the data source name names no database: want user:password@tcp(host:port)/database")
	}
	cfg.Logger = driverLog{}
	cfg.InterpolateParams = true
	cfg.MultiStatements = false
	cfg.ParseTime = true
	cfg.Loc = time.UTC
	// Interpolation is safe in a character set in which no byte of a longer
	// character is a quote or a backslash, such as UTF-8.
	cfg.Collation = ""
	if err := cfg.Apply(mysql.Charset("utf8mb4", "utf8mb4_general_ci")); err != nil {
		return nil, err
	}
	// 0 asks the server. What we send is far below its default (append.go).
	cfg.MaxAllowedPacket = max(cfg.MaxAllowedPacket, 16<<20)
	if cfg.Params == nil {
		cfg.Params = make(map[string]string)
	}
	cfg.Params["sql_mode"] = "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'"
	for _, limit := range []struct {
		d    *time.Duration
		want time.Duration
	}{{&cfg.Timeout, 10 * time.Second}, {&cfg.ReadTimeout, 30 * time.Second}, {&cfg.WriteTimeout, 30 * time.Second}} {
		if *limit.d == 0 {
			*limit.d = limit.want
		}
	}
	return cfg, nil
}

func openMySQLStore(ctx context.Context, dsn string, create bool) (*store, error) {
	db, err := OpenMySQL(ctx, dsn)
	if err != nil {
		return nil, err
	}
	if create {
		if err := createMySQLSchema(ctx, db); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return &store{
		log:   uninterrupted{batched{trillianmysql.NewLogStorage(db, nil), db}},
		admin: trillianmysql.NewAdminStorage(db),
		close: db.Close,
	}, nil
}

// createMySQLSchema creates the tables that do not exist, one statement each. It may run twice,
// or on two servers at the same time.
func createMySQLSchema(ctx context.Context, db *sql.DB) error {
	for _, stmt := range strings.Split(mysqlSchema, ";\n") {
		if strings.TrimSpace(stmt) == "" {
			continue
		}
		if _, err := db.ExecContext(ctx, stmt); err != nil {
			return fmt.Errorf("create schema: %w", err)
		}
	}
	return nil
}
