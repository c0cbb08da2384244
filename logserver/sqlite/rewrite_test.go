package sqlite

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// trillianUpsert is what Trillian sends, with n rows.
func trillianUpsert(n int) string {
	return "INSERT INTO Subtree(TreeId, SubtreeId, Nodes, SubtreeRevision) VALUES(?, ?, ?, ?)" +
		strings.Repeat(",(?, ?, ?, ?)", n-1) + " ON DUPLICATE KEY UPDATE Nodes=VALUES(Nodes)"
}

func TestRewrite(t *testing.T) {
	for n := 1; n <= 3; n++ {
		got, in := rewrite(trillianUpsert(n)), trillianUpsert(n)
		head, tail, ok := strings.Cut(got, " ON CONFLICT")
		if !ok || head+upsertMySQL != in || "ON CONFLICT"+tail != strings.TrimSpace(upsertSQLite) {
			t.Errorf("%q became %q", in, got)
		}
	}
	for _, query := range []string{
		"",
		"SELECT 1",
		"BEGIN",
		"SAVEPOINT AddSequencedLeaves",
		"INSERT INTO Subtree(TreeId) VALUES(?)",
		"INSERT INTO LeafData(TreeId) VALUES(?)" + upsertMySQL,
		"INSERT INTO SubtreeX(TreeId) VALUES(?)" + upsertMySQL,
		" " + trillianUpsert(1),
		trillianUpsert(1) + " ",
		trillianUpsert(1) + "; SELECT 1",
		strings.ToLower(trillianUpsert(1)),
		strings.Replace(trillianUpsert(1), "UPDATE Nodes=", "UPDATE  Nodes=", 1),
		"SELECT '" + trillianUpsert(1) + "'",
		"INSERT INTO Subtree(SubtreeId) VALUES('" + upsertMySQL + "')",
	} {
		if got := rewrite(query); got != query {
			t.Errorf("%q became %q", query, got)
		}
	}
}

func FuzzRewrite(f *testing.F) {
	f.Add("SELECT 1")
	f.Add(trillianUpsert(2))
	f.Add("'" + trillianUpsert(1) + "'")
	f.Add(upsertMySQL)
	f.Fuzz(func(t *testing.T, query string) {
		got := rewrite(query)
		if got == query {
			return
		}
		// Only the end of an insert into Subtree may have changed.
		head := strings.TrimSuffix(query, upsertMySQL)
		if len(head) == len(query) || !strings.HasPrefix(query, upsertHead) || got != head+upsertSQLite {
			t.Errorf("%q became %q", query, got)
		}
		if again := rewrite(got); again != got {
			t.Errorf("%q became %q when rewritten again", got, again)
		}
	})
}

// TestErrors breaks each sort of constraint and looks at what Trillian sees.
func TestErrors(t *testing.T) {
	s := newStorage(t)
	exec := func(query string) error {
		_, err := s.db.ExecContext(t.Context(), query)
		return err
	}
	tree := func(id int, state string) string {
		return fmt.Sprintf("INSERT INTO Trees VALUES(%d, %s, 'LOG', 'RFC6962_SHA256', 'SHA256', 'ECDSA', 'n', 'd', 1, 1, 0, x'', x'', "+
			"NULL, NULL)", id, state)
	}
	head := func(tree, at, rev int) string {
		return fmt.Sprintf("INSERT INTO TreeHead VALUES(%d, %d, 0, x'', x'', %d)", tree, at, rev)
	}
	for _, setUp := range []string{tree(1, "'ACTIVE'"), head(1, 1, 1)} {
		if err := exec(setUp); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name, query string
		duplicate   bool
	}{
		{"rowid", tree(1, "'ACTIVE'"), true},
		{"primary key", head(1, 1, 2), true},
		{"unique index", head(1, 2, 1), true},
		{"foreign key", head(2, 1, 1), false},
		{"not null", tree(2, "NULL"), false},
		{"check", tree(2, "'MELTED'"), false},
		{"type", tree(2, "x'00'"), false},
		{"syntax", "INSERT", false},
		{"none", head(1, 2, 2), false},
	} {
		err := exec(test.query)
		_, bare := err.(*mysql.MySQLError) // as Trillian looks
		var e *mysql.MySQLError
		if is := errors.As(err, &e) && e.Number == errDuplicate; is != test.duplicate || bare != is {
			t.Errorf("%s: got %#v (%v), want duplicate %v", test.name, err, err, test.duplicate)
		}
		if (err == nil) != (test.name == "none") {
			t.Errorf("%s: got error %v", test.name, err)
		}
	}
	for code, want := range map[int]bool{19: false, 19 | 6<<8: true, 19 | 8<<8: true, 19 | 10<<8: true, 19 | 3<<8: false, 5: false,
		0: false, 18 | 6<<8: false} {
		if got := duplicate(code); got != want {
			t.Errorf("duplicate(%d) = %v", code, got)
		}
	}
}
