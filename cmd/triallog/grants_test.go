//go:build unix

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// Numbers of MySQL's and MariaDB's errors that say no.
var denied = map[uint16]bool{1044: true, 1045: true, 1142: true, 1227: true, 3118: true, 4151: true}

// accounts are a database and its two accounts, as deploy/mysql makes them, under other names.
type accounts struct {
	t      *testing.T
	root   *sql.DB
	rename *strings.Replacer
	dsn    func(account string) string
}

func newAccounts(t *testing.T) *accounts {
	t.Helper()
	server := os.Getenv("TRIALPROOF_TEST_MYSQL")
	if server == "" {
		trialtest.Skip(t, "TRIALPROOF_TEST_MYSQL names no MySQL or MariaDB")
	}
	cfg, err := mysql.ParseDSN(server)
	if err != nil {
		t.Fatal(err)
	}
	root, err := sql.Open("mysql", server)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("tp_account_%d", os.Getpid())
	a := &accounts{t: t, root: root}
	// Where a server has an anonymous account for localhost, '%' does not mean localhost.
	a.rename = strings.NewReplacer("trialproof", name, "'@'%'", "'@'localhost'")
	if cfg.Net == "tcp" {
		a.rename = strings.NewReplacer("trialproof", name)
	}
	a.dsn = func(account string) string {
		own := cfg.Clone()
		own.User, own.Passwd, own.DBName = name+"_"+account, "open-sesame", name
		return own.FormatDSN()
	}
	t.Cleanup(func() {
		for _, stmt := range []string{"DROP DATABASE IF EXISTS trialproof", "DROP USER IF EXISTS 'trialproof_owner'@'%'",
			"DROP USER IF EXISTS 'trialproof_server'@'%'"} {
			a.do(stmt)
		}
		root.Close()
	})
	return a
}

// do runs a statement as the administrator.
func (a *accounts) do(stmt string) {
	a.t.Helper()
	if _, err := a.root.Exec(a.rename.Replace(stmt)); err != nil {
		a.t.Fatalf("%s: %v", stmt, err)
	}
}

// script runs a file of deploy/mysql as the administrator.
func (a *accounts) script(name string) {
	a.t.Helper()
	for stmt := range strings.SplitSeq(script(a.t, name), ";\n") {
		if strings.TrimSpace(stmt) != "" {
			a.do(stmt)
		}
	}
}

// script returns a file of deploy/mysql without comments.
func script(t *testing.T, name string) string {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(read(t, filepath.Join("../../deploy/mysql", name))) {
		if !strings.HasPrefix(line, "--") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// unlock gives the accounts a password.
func (a *accounts) unlock() {
	a.t.Helper()
	for _, account := range []string{"owner", "server"} {
		a.do("ALTER USER 'trialproof_" + account + "'@'%' IDENTIFIED BY 'open-sesame' ACCOUNT UNLOCK")
	}
}

// refused wants that an account may not run a statement.
func (a *accounts) refused(account, stmt string) {
	a.t.Helper()
	db, err := sql.Open("mysql", a.dsn(account))
	if err != nil {
		a.t.Fatal(err)
	}
	defer db.Close()
	_, err = db.Exec(a.rename.Replace(stmt))
	if no, ok := errors.AsType[*mysql.MySQLError](err); !ok || !denied[no.Number] {
		a.t.Errorf("%s may run %s: %v", account, stmt, err)
	}
}

// TestServingAccount runs a log with the accounts of deploy/mysql: the one that serves does
// everything that serving needs, and nothing more.
func TestServingAccount(t *testing.T) {
	a := newAccounts(t)
	a.script("accounts.sql")
	a.script("accounts.sql") // a second time changes nothing
	a.refused("owner", "SELECT 1")
	a.refused("server", "SELECT 1")
	a.unlock()

	dir := t.TempDir()
	f := &folder{dir: filepath.Join(dir, "log"), mysql: a.dsn("owner")}
	if _, err := f.create(t.Context(), "log.example/x", trialtest.Public("registrar")); err != nil {
		t.Fatalf("init with the owner's account: %v", err)
	}
	put(t, filepath.Join(dir, "dsn"), a.dsn("server"))
	if status, _, stderr := triallog(t, "fsck", "-dir", f.dir, "-mysql-file", filepath.Join(dir, "dsn")); status != 1 ||
		!strings.Contains(stderr, "denied") {
		t.Fatalf("before the grants: status %d: %s", status, stderr)
	}
	a.script("grants.sql")
	a.script("grants.sql")

	policy, err := checkpoint.ParsePolicy([]byte(read(t, f.path(policyName))))
	if err != nil {
		t.Fatal(err)
	}
	s := &stand{origin: "log.example/x", policy: policy}
	begin := func(folder string, more ...string) *child {
		t.Helper()
		c, err := start(t.Context(), nil, append([]string{"serve", "-dir", folder, "-mysql-file", filepath.Join(dir, "dsn"), "-unwitnessed",
			"-listen", "127.0.0.1:0"}, more...)...)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	end := func(c *child) {
		t.Helper()
		if err := c.stop(); err != nil {
			t.Error(err)
		}
	}
	serving := func(work func(ctx context.Context)) {
		t.Helper()
		s.server = begin(f.dir)
		defer end(s.server)
		if s.client, err = client.New(s.server.url); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // a step that is denied is tried for ever
		defer cancel()
		work(ctx)
	}
	register := func(ctx context.Context, number string) {
		t.Helper()
		for { // until one of them leads
			st := &trial.Statement{Subjects: trial.NumberSubject(number), Predicate: &trial.Registration{Common: s.common("responsibility"),
				Org: "acme", Number: number}}
			_, _, err := s.submit(ctx, trialtest.Key("ada"), st)
			if err == nil {
				return
			}
			if ctx.Err() != nil {
				t.Fatalf("register %s: %v", number, err)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	serving(func(ctx context.Context) {
		if _, err := s.enrol(ctx, trialtest.Key("registrar"), "acme", "Acme", trialtest.Key("ada")); err != nil {
			t.Error(err)
		}
		register(ctx, "X-1")
	})
	serving(func(ctx context.Context) { register(ctx, "X-2") }) // from the snapshot of the state

	// Two that share the database: the second takes over from the first.
	second := &folder{dir: filepath.Join(dir, "second")}
	if err := os.Mkdir(second.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{keyName, vkeyName, policyName} {
		put(t, second.path(name), read(t, f.path(name)))
	}
	c, other := begin(f.dir, "-replica"), begin(second.dir, "-replica")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if s.client, err = client.New(other.url); err != nil {
		t.Fatal(err)
	}
	register(ctx, "X-3")
	end(c)
	register(ctx, "X-4")
	backup := filepath.Join(dir, "backup")
	if status, _, stderr := triallog(t, "backup", "-dir", f.dir, "-to", backup, "-from", other.url); status != 0 {
		t.Errorf("backup: status %d: %s", status, stderr)
	}
	end(other)
	check := func(status int, words string, more ...string) {
		t.Helper()
		got, out, stderr := triallog(t, append([]string{"fsck", "-dir", f.dir, "-mysql-file", filepath.Join(dir, "dsn")}, more...)...)
		if got != status || !strings.Contains(out, words) {
			t.Fatalf("fsck %v: status %d: %s%s", more, got, out, stderr)
		}
	}
	check(0, "ok: ")

	// The tables of the release before, which only the owner can bring up to this one.
	put(t, filepath.Join(dir, "owner"), a.dsn("owner"))
	a.do("DROP TABLE trialproof.tp_lease, trialproof.tp_schema")
	upgrading := []string{"upgrade", "-dir", f.dir, "-mysql-file"}
	if status, _, stderr := triallog(t, append(upgrading, filepath.Join(dir, "dsn"))...); status != 1 || !strings.Contains(stderr,
		"run once as a user who may create tables") {
		t.Errorf("upgrade with the account that serves: status %d: %s", status, stderr)
	}
	if status, out, stderr := triallog(t, append(upgrading, filepath.Join(dir, "owner"))...); status != 0 {
		t.Errorf("upgrade with the owner's account: status %d: %s%s", status, out, stderr)
	}
	a.script("grants.sql")
	check(0, "ok: ")
	a.do("UPDATE trialproof.tp_tiles SET data = REVERSE(data) WHERE path = 'tile/0/000' AND start = 0")
	check(1, "tile/0/000 is damaged")
	check(0, "put back from", "-repair")
	check(0, "ok: ")

	for _, stmt := range []string{
		"DROP DATABASE trialproof", "DROP TABLE trialproof.LeafData", "DROP TABLE trialproof.tp_tiles", "TRUNCATE TABLE trialproof.tp_batches",
		"CREATE TABLE trialproof.more (x INT)", "ALTER TABLE trialproof.tp_log ADD COLUMN more INT",
		"CREATE INDEX more ON trialproof.tp_log (epoch)",
		"UPDATE trialproof.LeafData SET LeafValue = ''", "DELETE FROM trialproof.LeafData", "DELETE FROM trialproof.SequencedLeafData",
		"UPDATE trialproof.SequencedLeafData SET SequenceNumber = 1", "UPDATE trialproof.TreeHead SET TreeSize = 0",
		"DELETE FROM trialproof.TreeHead", "DELETE FROM trialproof.Subtree", "DELETE FROM trialproof.Trees",
		"UPDATE trialproof.Trees SET Deleted = TRUE", "UPDATE trialproof.tp_statements SET entry = 0", "DELETE FROM trialproof.tp_statements",
		"UPDATE trialproof.tp_about SET entry = 0", "DELETE FROM trialproof.tp_about", "DELETE FROM trialproof.tp_log",
		"INSERT INTO trialproof.tp_log VALUES (2, 0, 0, 0, 0, 0)", "UPDATE trialproof.tp_batches SET next = 0",
		"INSERT INTO trialproof.tp_lease VALUES (2, 0, 0, '', 0, NULL)", "DELETE FROM trialproof.tp_lease",
		"UPDATE trialproof.tp_schema SET version = 1",
		"CREATE USER 'trialproof_x'@'%'", "GRANT ALL ON trialproof.* TO 'trialproof_server'@'%'", "SELECT * FROM mysql.user",
		"SET GLOBAL general_log = ON",
	} {
		a.refused("server", stmt)
	}
	for _, stmt := range []string{"CREATE USER 'trialproof_x'@'%'", "GRANT ALL ON trialproof.* TO 'trialproof_server'@'%'",
		"SELECT * FROM mysql.user", "CREATE DATABASE trialproof_x"} {
		a.refused("owner", stmt)
	}

	// A table that is added one day needs a line in grants.sql.
	rows, err := a.root.Query("SELECT table_name FROM information_schema.tables WHERE table_schema = ?", a.rename.Replace("trialproof"))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	grants, n := read(t, "../../deploy/mysql/grants.sql"), 0
	for rows.Next() {
		var table string
		if err := rows.Scan(&table); err != nil {
			t.Fatal(err)
		}
		n++
		if !strings.Contains(grants, " trialproof."+table+" ") && !strings.Contains(grants, " trialproof."+table+",") {
			t.Errorf("deploy/mysql/grants.sql has no line for the table %s", table)
		}
	}
	if n < 16 {
		t.Errorf("the database has only %d tables", n)
	}

	// The owner restores.
	// The owner restores, from nothing and after a restore that was interrupted.
	a.do("DROP DATABASE trialproof")
	a.do("CREATE DATABASE trialproof CHARACTER SET utf8mb4")
	restoring := []string{"restore", "-from", "file://" + backup, "-dir", f.dir, "-unwitnessed", "-mysql-file"}
	for range 2 {
		if status, _, stderr := triallog(t, append(restoring, filepath.Join(dir, "owner"))...); status != 0 {
			t.Fatalf("restore with the owner's account: status %d: %s", status, stderr)
		}
		check(0, "ok: ")
		a.do("DELETE FROM trialproof.tp_checkpoints")
		put(t, f.path(restoringName), "file://"+backup+"\n")
	}
	if status, _, stderr := triallog(t, append(restoring, filepath.Join(dir, "dsn"))...); status != 1 || !strings.Contains(stderr, "denied") {
		t.Errorf("restore with the account that serves: status %d: %s", status, stderr)
	}
}

// TestComposeAccounts runs the scripts by which compose.yaml has MariaDB make the accounts.
func TestComposeAccounts(t *testing.T) {
	a := newAccounts(t)
	cfg, err := mysql.ParseDSN(os.Getenv("TRIALPROOF_TEST_MYSQL"))
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Net != "unix" {
		trialtest.Skip(t, "the scripts connect to a MariaDB by its socket")
	}
	client, err := exec.LookPath("mariadb")
	if err != nil {
		trialtest.Skip(t, "MariaDB's client is not installed")
	}
	dir := t.TempDir()
	// In its container MariaDB is where its client looks for it.
	shim := fmt.Sprintf("#!/bin/sh\nexec %s --no-defaults --socket=%s \"$@\"\n", client, cfg.Addr)
	if err := os.WriteFile(filepath.Join(dir, "mariadb"), []byte(shim), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"mysql/accounts.sql", "mysql/grants.sql", "compose/accounts.sh", "compose/grants.sh"} {
		put(t, filepath.Join(dir, filepath.Base(name)), a.rename.Replace(read(t, filepath.Join("../../deploy", name))))
	}
	put(t, filepath.Join(dir, "mariadb_root"), cfg.Passwd)
	for _, account := range []string{"owner", "server"} {
		put(t, filepath.Join(dir, account+"_dsn"), "x:open-sesame@tcp(mariadb:3306)/x\n")
	}
	script := func(name string) {
		t.Helper()
		cmd := exec.Command("sh", filepath.Join(dir, name))
		cmd.Env = append(os.Environ(), "SECRETS="+dir, "SCRIPTS="+dir, "PATH="+dir+":"+os.Getenv("PATH"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", name, err, out)
		}
	}
	script("accounts.sh")
	f := &folder{dir: filepath.Join(dir, "log"), mysql: a.dsn("owner")}
	if _, err := f.create(t.Context(), "log.example/x", trialtest.Public("registrar")); err != nil {
		t.Fatalf("init with the owner's account: %v", err)
	}
	a.refused("server", "SELECT * FROM trialproof.tp_log")
	script("grants.sh")
	put(t, filepath.Join(dir, "dsn"), a.dsn("server"))
	if status, _, stderr := triallog(t, "fsck", "-dir", f.dir, "-mysql-file", filepath.Join(dir, "dsn")); status != 0 {
		t.Errorf("fsck with the account that serves: status %d: %s", status, stderr)
	}
	a.refused("server", "DROP TABLE trialproof.tp_log")
}
