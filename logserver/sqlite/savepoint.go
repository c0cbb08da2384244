package sqlite

import (
	"context"
	"strings"
)

// replaceSavepoint makes a savepoint with the name of an open one replace it, as in MySQL.
// SQLite would stack them: AddSequencedLeaves sets the same savepoint before every leaf, and
// each page that a batch of 512 writes would be compared with, and saved for, hundreds of
// savepoints to which nothing can roll back any more.
//
// query itself is executed unchanged. Only the innermost savepoint is replaced: releasing an
// outer one would release those inside it.
func (c *conn) replaceSavepoint(ctx context.Context, query string) error {
	switch verb, name := savepointOf(query); verb {
	case "SAVEPOINT":
		if name == c.savepoint {
			if _, err := c.exec(ctx, "RELEASE SAVEPOINT "+name, nil); err != nil {
				return err
			}
		}
		c.savepoint = name
	case "RELEASE":
		c.savepoint = ""
	}
	return nil
}

// savepointOf parses "SAVEPOINT x" and "RELEASE [SAVEPOINT] x". It returns an empty verb for
// everything else, also for "ROLLBACK TO": the savepoint stays.
func savepointOf(query string) (verb, name string) {
	if rest, ok := strings.CutPrefix(query, "SAVEPOINT "); ok {
		return "SAVEPOINT", rest
	}
	if rest, ok := strings.CutPrefix(query, "RELEASE "); ok {
		return "RELEASE", strings.TrimPrefix(rest, "SAVEPOINT ")
	}
	return "", ""
}
