package sqlite

import (
	"errors"
	"strings"

	"github.com/go-sql-driver/mysql"
	msqlite "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// These are the beginning and the end of the only statement of Trillian's storage/mysql that
// SQLite does not understand, and the end that replaces its own.
const (
	upsertHead   = "INSERT INTO Subtree("
	upsertMySQL  = " ON DUPLICATE KEY UPDATE Nodes=VALUES(Nodes)"
	upsertSQLite = " ON CONFLICT(TreeId, SubtreeId, SubtreeRevision) DO UPDATE SET Nodes=excluded.Nodes"
)

// rewrite returns query in SQLite's form: with upsertMySQL replaced where it ends an insert
// into Subtree, and otherwise unchanged.
func rewrite(query string) string {
	head, ok := strings.CutSuffix(query, upsertMySQL)
	if !ok || !strings.HasPrefix(head, upsertHead) {
		return query
	}
	return head + upsertSQLite
}

// errDuplicate is MySQL's ER_DUP_ENTRY, the only error number that Trillian's storage
// distinguishes when it writes.
const errDuplicate = 1062

// mapError turns SQLite's "this key exists" into MySQL's. The result is a bare
// *mysql.MySQLError because Trillian looks at the type without unwrapping.
func mapError(err error) error {
	var e *msqlite.Error
	if err == nil || !errors.As(err, &e) || !duplicate(e.Code()) {
		return err
	}
	return &mysql.MySQLError{Number: errDuplicate, Message: e.Error()}
}

// duplicate tells a key that exists from the other constraints (NOT NULL, CHECK, FOREIGN KEY),
// which have the same primary result code in the low eight bits. A bare SQLITE_CONSTRAINT does
// not say which it was, so it is not treated as a duplicate.
func duplicate(code int) bool {
	if code&0xff != sqlite3.SQLITE_CONSTRAINT {
		return false
	}
	switch code {
	case sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_ROWID:
		return true
	}
	return false
}
