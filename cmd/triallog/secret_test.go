package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
	request, err := trial.Request{Name: "Rita Registrar", Org: trial.RegistrarOrg, Enrolment: trialtest.Enrolment(trial.RegistrarOrg, "registrar")}.Marshal()
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
			if status := run(t.Context(), args, strings.NewReader(""), &stdout, &stderr); status == 0 || !strings.Contains(stderr.String(), c.want) {
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
	if run(t.Context(), []string{"serve", "-h"}, strings.NewReader(""), &stderr, &stderr); strings.Contains(stderr.String(), "open-sesame") {
		t.Errorf("the password is in the help: %s", &stderr)
	}
}
