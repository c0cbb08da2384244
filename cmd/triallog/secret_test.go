package main

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestConnectionString: the connection string is a secret that may come from a file or from
// the environment; it is never printed, and a database that cannot be reached leaves nothing.
func TestConnectionString(t *testing.T) {
	const dsn = "keeper:open-sesame@tcp(127.0.0.1:1)/trials" // where nobody listens
	dir := t.TempDir()
	file := func(name, text string) string {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	request, err := trial.Request{Name: "Rita Registrar", Org: trial.RegistrarOrg, Enrolment: trialtest.Enrolment(trial.RegistrarOrg,
		"registrar")}.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	reg := file("registrar.pub", string(request))
	log := filepath.Join(dir, "log")
	for _, c := range []struct {
		name, env string
		args      []string
		want      string
	}{
		{"the flag", "", []string{"-mysql", dsn}, "127.0.0.1:1"},
		{"the environment", dsn, nil, "127.0.0.1:1"},
		{"the file", "", []string{"-mysql-file", file("dsn", dsn+"\r\n")}, "127.0.0.1:1"},
		{"the file before the environment", "keeper@tcp(127.0.0.1:2)/other", []string{"-mysql-file", file("dsn", dsn+"\n")}, "127.0.0.1:1"},
		{"both", "", []string{"-mysql", dsn, "-mysql-file", file("dsn", dsn)}, "give one of them"},
		{"an empty file", "", []string{"-mysql-file", file("empty", "\n")}, "not one line"},
		{"two lines", "", []string{"-mysql-file", file("two", dsn+"\n"+dsn)}, "not one line"},
		{"an unset variable", dsn, []string{"-mysql-file", ""}, "nothing behind it"},
		{"no file", "", []string{"-mysql-file", filepath.Join(dir, "none")}, "none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv(mysqlVariable, c.env)
			var stdout, stderr bytes.Buffer
			args := append([]string{"init", "-dir", log, "-origin", "x.example/log", "-registrar", reg}, c.args...)
			if status := run(t.Context(), args, strings.NewReader(""), &stdout, &stderr); status == 0 ||
				!strings.Contains(stderr.String(), c.want) {
				t.Errorf("status %d: %s", status, &stderr)
			}
			if said := stdout.String() + stderr.String(); strings.Contains(said, "open-sesame") {
				t.Errorf("the password is printed: %s", said)
			}
			if _, err := os.Stat(log); !os.IsNotExist(err) {
				t.Errorf("%s was made: %v", log, err)
			}
		})
	}
	t.Setenv(mysqlVariable, dsn)
	var stderr bytes.Buffer
	if run(t.Context(), []string{"serve", "-h"}, strings.NewReader(""), &stderr, &stderr); strings.Contains(stderr.String(),
		"open-sesame") {
		t.Errorf("the password is in the help: %s", &stderr)
	}
}

// TestSuggestedDatabase: a command that is suggested uses the same database as the one that
// suggests it, and shows no connection string.
func TestSuggestedDatabase(t *testing.T) {
	const dsn = "keeper:open-sesame@tcp(db:3306)/trials"
	t.Setenv(mysqlVariable, "")
	for _, c := range []struct {
		f     folder
		flags string
		said  bool
	}{
		{folder{}, "", false},
		{folder{mysql: dsn, mysqlFile: "my dsn"}, " -mysql-file 'my dsn'", false},
		{folder{mysql: dsn}, "", true},
	} {
		if flags, said := c.f.sameDatabase(), c.f.typedDatabase(); flags != c.flags || (said != "") != c.said || strings.Contains(said,
			"sesame") {
			t.Errorf("%+v suggests %q%q", c.f, flags, said)
		}
	}
	t.Setenv(mysqlVariable, dsn) // which the next command has too
	if f := (&folder{mysql: dsn}); f.sameDatabase()+f.typedDatabase() != "" {
		t.Errorf("with %s set, the suggestion ends in %q%q", mysqlVariable, f.sameDatabase(), f.typedDatabase())
	}
}

// TestWrongPassword: with a wrong password neither init nor serve leaves anything, in the
// folder or in the database, and the right one then works. What the driver says is in the log.
func TestWrongPassword(t *testing.T) {
	server := os.Getenv("TRIALPROOF_TEST_MYSQL")
	if server == "" {
		trialtest.Skip(t, "TRIALPROOF_TEST_MYSQL names no MySQL or MariaDB")
	}
	cfg, err := mysql.ParseDSN(server)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("mysql", server)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	cfg.DBName = fmt.Sprintf("tp_secret_%d", os.Getpid())
	if _, err := db.Exec("CREATE DATABASE " + cfg.DBName); err != nil {
		t.Fatal(err)
	}
	defer db.Exec("DROP DATABASE " + cfg.DBName)
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	request, err := trial.Request{Name: "Rita Registrar", Org: trial.RegistrarOrg, Enrolment: trialtest.Enrolment(trial.RegistrarOrg,
		"registrar")}.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	right, wrong := cfg.Clone(), cfg.Clone()
	wrong.Passwd += "open-sesame"
	good, bad := write("the dsn", right.FormatDSN()+"\n"), write("wrong", wrong.FormatDSN()+"\n")
	log := filepath.Join(dir, "log")
	do := func(file string, args ...string) (int, string) {
		t.Helper()
		var out bytes.Buffer
		status := run(t.Context(), append(args, "-dir", log, "-mysql-file", file), strings.NewReader(""), &out, &out)
		if strings.Contains(out.String(), "sesame") {
			t.Errorf("the password is printed: %s", &out)
		}
		return status, out.String()
	}
	begin := []string{"init", "-origin", "x.example/log", "-registrar", write("registrar.pub", string(request))}
	if status, said := do(bad, begin...); status != 1 || !strings.Contains(said, "Access denied") {
		t.Fatalf("init with a wrong password: status %d: %s", status, said)
	}
	if _, err := os.Stat(log); !os.IsNotExist(err) {
		t.Errorf("init with a wrong password made %s: %v", log, err)
	}
	var tables int
	if err := db.QueryRow("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = ?",
		cfg.DBName).Scan(&tables); err != nil || tables != 0 {
		t.Errorf("init with a wrong password made %d tables (%v)", tables, err)
	}
	status, said := do(good, begin...)
	if want := "triallog serve -dir " + frame.Quoted(log) + " -mysql-file " + frame.Quoted(good) + "\n"; status != 0 ||
		!strings.Contains(said, want) {
		t.Fatalf("init with the right one: status %d, want %q: %s", status, want, said)
	}
	listed := func() string {
		t.Helper()
		var b strings.Builder
		err := filepath.WalkDir(log, func(name string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(name)
			fmt.Fprintf(&b, "%s %x\n", name, sha256.Sum256(data))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	before := listed()
	for _, command := range []string{"serve", "fsck"} {
		args := []string{command}
		if command == "serve" {
			args = append(args, "-unwitnessed", "-listen", "127.0.0.1:0")
		}
		if status, said := do(bad, args...); status != 1 || !strings.Contains(said, "Access denied") {
			t.Errorf("%s with a wrong password: status %d: %s", command, status, said)
		}
		if after := listed(); after != before {
			t.Errorf("%s with a wrong password changed the folder from\n%s to\n%s", command, before, after)
		}
	}
	if status, said := do(good, "fsck"); status != 0 {
		t.Errorf("fsck with the right password: status %d: %s", status, said)
	}
}
