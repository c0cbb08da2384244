package main

import (
	"archive/zip"
	"context"
	"database/sql"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/trialproof/trialproof/logserver/sqlite"
)

// TestUpgrade: this program goes on with what the programs of each earlier release have left: a
// log in SQLite whose server was killed, one in MariaDB, and their witness. The tree and the
// receipts stay as they were, and an older program is kept out. testdata/upgrade/make.sh makes
// the archives.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	archives, err := filepath.Glob("testdata/upgrade/version-*.zip")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archive: %v", err)
	}
	for _, archive := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(archive), ".zip"), func(t *testing.T) {
			stores(t, func(t *testing.T, flags string) {
				u := &upgrading{t: t, dir: t.TempDir(), log: "sqlite"}
				u.unzip(archive)
				u.db = u.sqlite
				if dsn, ok := strings.CutPrefix(flags, "-mysql="); ok {
					u.log, u.store, u.db = "mysql", flags, func() *sql.DB { return u.mysql(dsn) }
					u.load(dsn)
				}
				u.run()
			})
		})
	}
}

type upgrading struct {
	t     *testing.T
	dir   string
	log   string // the log's folder, and how its documents are called
	store string // the flag that names its database
	db    func() *sql.DB
}

func (u *upgrading) unzip(archive string) {
	u.t.Helper()
	z, err := zip.OpenReader(archive)
	if err != nil {
		u.t.Fatal(err)
	}
	defer z.Close()
	if err := os.CopyFS(u.dir, z); err != nil {
		u.t.Fatal(err)
	}
	// An archive keeps no modes.
	for _, key := range []string{"ada.key", "registrar.key", "w1.key", "sqlite/log.key", "mysql/log.key"} {
		if err := os.Chmod(filepath.Join(u.dir, key), 0o600); err != nil {
			u.t.Fatal(err)
		}
	}
}

func (u *upgrading) sqlite() *sql.DB {
	u.t.Helper()
	db, err := sqlite.OpenDB(filepath.Join(u.dir, u.log, "log.db"))
	if err != nil {
		u.t.Fatal(err)
	}
	return db
}

func (u *upgrading) mysql(dsn string) *sql.DB {
	u.t.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		u.t.Fatal(err)
	}
	return db
}

// load makes the database of the archive.
func (u *upgrading) load(dsn string) {
	u.t.Helper()
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		u.t.Fatal(err)
	}
	cfg.Params = map[string]string{"foreign_key_checks": "0"}
	db := u.mysql(cfg.FormatDSN())
	defer db.Close()
	for stmt := range strings.SplitSeq(u.read("mysql.sql"), ";\n") {
		if stmt = strings.TrimSpace(stmt); stmt == "" || strings.HasPrefix(stmt, "/*") && !strings.Contains(stmt, "CREATE") {
			continue
		}
		if _, err := db.Exec(stmt); err != nil {
			u.t.Fatalf("%.60s: %v", stmt, err)
		}
	}
}

func (u *upgrading) read(name string) string {
	u.t.Helper()
	data, err := os.ReadFile(filepath.Join(u.dir, name))
	if err != nil {
		u.t.Fatal(err)
	}
	return string(data)
}

// command runs a command, wants its exit status, and returns what it says.
func (u *upgrading) command(status int, args ...string) string {
	u.t.Helper()
	args = finished(args)
	if args[0] == "triallog" && u.store != "" {
		args = append(args, u.store)
	}
	ctx, cancel := context.WithTimeout(u.t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(binDir, args[0]), args[1:]...)
	cmd.Dir = u.dir
	out, err := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != status {
		u.t.Fatalf("%v: status %d, want %d: %v: %s", args, got, status, err, out)
	}
	return string(out)
}

// start starts a server, which ends with the test.
func (u *upgrading) start(args ...string) *process {
	u.t.Helper()
	if args[0] == "triallog" && u.store != "" {
		args = append(args, u.store)
	}
	p, err := startProcess(u.dir, os.Environ(), args...)
	if err != nil {
		u.t.Fatal(err)
	}
	u.t.Cleanup(func() { p.kill(syscall.SIGKILL) })
	return p
}

func (u *upgrading) end(p *process) {
	u.t.Helper()
	if err := p.kill(syscall.SIGTERM); err != nil {
		u.t.Fatalf("%v: %s", err, &p.said)
	}
}

// tree returns the first three lines of a checkpoint: origin, size and root.
func tree(signed string) string { return strings.Join(strings.SplitN(signed, "\n", 4)[:3], "\n") }

func (u *upgrading) run() {
	t := u.t
	before := tree(u.read(u.log + "/checkpoint"))
	vkey := strings.TrimSpace(u.read(u.log + "/log.vkey"))
	other := map[string]string{"sqlite": "mysql", "mysql": "sqlite"}[u.log]
	w := u.start("trialwitness", "serve", "-key", "w1.key", "-dir", "w1", "-listen", "127.0.0.1:0", "-log", vkey, "-log",
		strings.TrimSpace(u.read(other+"/log.vkey")))
	policy := regexp.MustCompile(`http://127\.0\.0\.1:\d+`).ReplaceAllString(u.read(u.log+"/policy"), w.url)
	for _, name := range []string{"policy", u.log + "/policy"} {
		if err := os.WriteFile(filepath.Join(u.dir, name), []byte(policy), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	serve := []string{"triallog", "serve", "-dir", u.log, "-listen", "127.0.0.1:0"}
	l := u.start(serve...)
	url := l.url
	u.command(0, "trial", "audit", "-log", url, "-policy", "policy", "-state", "audited")
	resp, err := http.Get(url + "/checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	now, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil || tree(string(now)) != before {
		t.Errorf("the tree was\n%s\nand is\n%s (%v)", before, now, err)
	}
	for _, n := range []string{"1", "5"} {
		if said := u.command(0, "trial", "verify", "-policy", "policy", u.log+"-"+n+".txt"); !strings.Contains(said, "valid: ") {
			t.Errorf("an old receipt: %s", said)
		}
	}
	// (By plain witnesses history is the operator's word: status 3.)
	if said := u.command(3, "trial", "history", "-log", url, "-policy", "policy", "X-1"); !strings.Contains(said, "these 6 entries are all") {
		t.Errorf("the history: %s", said)
	}
	if err := os.WriteFile(filepath.Join(u.dir, "new.txt"), []byte("logged by the new program\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	u.command(0, "trial", "submit", "-log", url, "-policy", "policy", "-key", "ada.key", "-trial", "X-1", "-kind", "document", "new.txt")
	u.command(0, "trial", "audit", "-log", url, "-policy", "policy", "-state", "audited")
	u.end(l)
	u.command(0, "triallog", "fsck", "-dir", u.log)
	if u.store != "" {
		serve = slices.Insert(serve, 2, "-replica") // which the release before could not be
	}
	u.end(u.start(serve...))

	// What a later release has made is left alone.
	db := u.db()
	defer db.Close()
	if _, err := db.Exec("UPDATE tp_schema SET version = version + 1"); err != nil {
		t.Fatal(err)
	}
	if said := u.command(1, serve...); !strings.Contains(said, "a newer triallog has upgraded this database") {
		t.Errorf("a database of a later release: %s", said)
	}
	// An upgrade that was cut short is finished by the next start.
	if _, err := db.Exec("DROP TABLE tp_schema"); err != nil {
		t.Fatal(err)
	}
	u.end(u.start(serve...))
	u.command(0, "triallog", "fsck", "-dir", u.log)
}
