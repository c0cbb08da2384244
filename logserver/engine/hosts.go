package engine

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// hosts are several servers of one database, of which one is used at a time: the nodes of a Galera
// cluster. There every node can write, but two that write the same rows at once lose half of
// their work, so a log writes through one. It stays with that until it no longer answers, or
// answers that it has lost the others, and then takes the next.
//
// That is safe, although a node may lag behind: Galera refuses a transaction that changes a row
// which another one has changed since it was read here, and after a commit every earlier one is
// visible. Every decision of a leader changes the row of its epoch, and a new leader reads the
// journal after it has written it.
type hosts struct {
	list []host
	db   *sql.DB

	mu      sync.Mutex // guards current
	current int

	stop    context.CancelFunc
	stopped sync.WaitGroup
}

type host struct {
	driver.Connector
	name string
}

const (
	hostEvery = time.Second     // how often the host in use is looked at
	hostWait  = 2 * time.Second // how long its answer is waited for
)

// splitHosts returns a data source name for each host in dsn.
func splitHosts(dsn string) (list []string) {
	slash := strings.LastIndexByte(dsn, '/')
	if slash < 0 {
		return []string{dsn}
	}
	open := strings.LastIndexByte(dsn[:slash], '(')
	if open < 0 || !strings.HasSuffix(dsn[:slash], ")") {
		// A socket's path has slashes: unix(/run/mysqld.sock)/name.
		end := strings.LastIndex(dsn, ")/")
		if end < 0 {
			return []string{dsn}
		}
		slash = end + 1
		if open = strings.LastIndexByte(dsn[:slash], '('); open < 0 {
			return []string{dsn}
		}
	}
	for a := range strings.SplitSeq(dsn[open+1:slash-1], ",") {
		list = append(list, dsn[:open+1]+strings.TrimSpace(a)+dsn[slash-1:])
	}
	return list
}

func (h *hosts) String() string {
	var names []string
	for _, x := range h.list {
		names = append(names, x.name)
	}
	return strings.Join(names, ", ")
}

// Driver implements driver.Connector.
func (h *hosts) Driver() driver.Driver { return h.list[0].Driver() }

// Connect implements driver.Connector. It connects to the host in use, or to the first one after
// it that answers.
func (h *hosts) Connect(ctx context.Context) (driver.Conn, error) {
	if len(h.list) == 1 {
		return h.list[0].Connect(ctx)
	}
	h.mu.Lock()
	first := h.current
	h.mu.Unlock()
	var errs []error
	for i := range h.list {
		at := (first + i) % len(h.list)
		conn, err := h.list[at].Connect(ctx)
		if err == nil {
			err = answers(ctx, conn)
			if err == nil {
				h.move(first, at)
				return conn, nil
			}
			conn.Close()
		}
		errs = append(errs, fmt.Errorf("%s: %w", h.list[at].name, err))
	}
	return nil, errors.Join(errs...)
}

// answers returns nil if a connection's host executes statements. A node of Galera that has lost
// the majority accepts connections and refuses every statement.
func answers(ctx context.Context, conn driver.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, hostWait)
	defer cancel()
	q, ok := conn.(driver.QueryerContext)
	if !ok {
		return nil
	}
	rows, err := q.QueryContext(ctx, "SELECT 1", nil)
	if err != nil {
		return err
	}
	defer rows.Close()
	if err := rows.Next(make([]driver.Value, len(rows.Columns()))); err != nil && err != io.EOF {
		return err
	}
	return nil
}

// move changes the host in use, unless somebody else has done so.
func (h *hosts) move(from, to int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.current == from {
		h.current = to
	}
}

// follow watches the host in use from now on, until db is closed. When another one is used,
// connections to the old one are given up.
func (h *hosts) follow(db *sql.DB) {
	if len(h.list) == 1 {
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	h.db, h.stop = db, stop
	h.stopped.Go(func() {
		tick := time.NewTicker(hostEvery)
		defer tick.Stop()
		used := h.using()
		var conn driver.Conn
		defer func() {
			if conn != nil {
				conn.Close()
			}
		}()
		for {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			if now := h.using(); now != used {
				used = now
				h.flush()
				conn = closed(conn)
			}
			if conn == nil {
				wait, cancel := context.WithTimeout(ctx, hostWait)
				var err error
				if conn, err = h.Connect(wait); err != nil {
					conn = nil
				}
				cancel()
				continue
			}
			if err := answers(ctx, conn); err != nil && ctx.Err() == nil {
				driverLog{}.Print(fmt.Sprintf("%s: %v: another host is looked for", h.list[used].name, err))
				conn = closed(conn)
				h.move(used, (used+1)%len(h.list))
			}
		}
	})
}

func closed(conn driver.Conn) driver.Conn {
	if conn != nil {
		conn.Close()
	}
	return nil
}

func (h *hosts) using() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.current
}

// flush closes the connections that nobody uses at the moment. Those in use fail, or end with
// their transactions.
func (h *hosts) flush() {
	h.db.SetMaxIdleConns(-1)
	h.db.SetMaxIdleConns(maxReads)
}

// Close implements io.Closer, for sql.DB.Close.
func (h *hosts) Close() error {
	if h.stop != nil {
		h.stop()
		h.stopped.Wait()
	}
	return nil
}
