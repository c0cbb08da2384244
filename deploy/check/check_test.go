// Package check has the tests of the files in deploy that a person copies and nothing compiles:
// container files, compose, Kubernetes, systemd, and what Prometheus and Grafana read. It is a
// module of its own, so that their libraries are no dependencies of the product. deploy/test.sh
// runs it.
package check

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// deploy is the folder of the files, and folders are those in it whose files are tried here.
const deploy = ".."

var folders = []string{"compose", "container", "kubernetes", "monitoring", "mysql", "systemd"}

// binDir holds the commands, built once.
var binDir string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "trialproof-check-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		cmd := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "./cmd/trial", "./cmd/triallog", "./cmd/trialwitness")
		cmd.Dir = filepath.Join(deploy, "..")
		if out, err := cmd.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build the commands: %v\n%s", err, out)
			return 1
		}
		binDir = dir
		return m.Run()
	}())
}

// read returns a file of deploy.
func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(deploy, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// tool returns the path of a program that only some machines have. Without it the test is
// skipped, or fails where nothing may be skipped.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("TRIALPROOF_TEST_NOSKIP") != "" {
		t.Fatalf("this test must not be skipped here: %s is not installed", name)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// run runs a program and returns all that it says.
func run(t *testing.T, dir string, args ...string) (said string, err error) {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	return out.String(), err
}

var variable = regexp.MustCompile(`\$\([A-Z_]+\)|\$\{[A-Z_]+\}`)

// commandLine wants that a program takes a command line: it is run with -h behind it, so that
// every flag and value is read, and nothing else happens.
func commandLine(t *testing.T, where, program string, args []string) {
	t.Helper()
	if !slices.Contains([]string{"trial", "triallog", "trialwitness"}, program) {
		t.Errorf("%s: %q is none of our programs", where, program)
		return
	}
	var list []string
	for _, arg := range args {
		list = append(list, variable.ReplaceAllString(arg, "x.example+00000000+AAAA"))
	}
	list = append(list, "-h")
	said, err := run(t, "", append([]string{filepath.Join(binDir, program)}, list...)...)
	if err != nil || !strings.Contains(said, "usage: ") {
		t.Errorf("%s: %s %s: %v\n%s", where, program, strings.Join(list, " "), err, said)
	}
}

// TestCommandLine: a flag that a program does not have, and a value that it does not take, are
// noticed.
func TestCommandLine(t *testing.T) {
	for _, args := range [][]string{{"serve", "-dir", "x", "-no-such-flag"}, {"backup", "-every", "often"}, {"no-such-command"}} {
		if said, err := run(t, "", append([]string{filepath.Join(binDir, "triallog")}, append(args, "-h")...)...); err == nil {
			t.Errorf("triallog %v -h is taken: %s", args, said)
		}
	}
}

// TestEveryFile: each file has a test here, or elsewhere.
func TestEveryFile(t *testing.T) {
	checked := map[string]string{
		"compose/compose.yaml": "TestCompose", "compose/secrets.sh": "TestSecrets",
		"compose/accounts.sh": "cmd/triallog: TestComposeAccounts", "compose/grants.sh": "cmd/triallog: TestComposeAccounts",
		"container/build.sh": "TestImages", "container/trial.Containerfile": "TestImages", "container/triallog.Containerfile": "TestImages",
		"container/trialwitness.Containerfile": "TestImages",
		"kubernetes/triallog.yaml":             "TestKubernetes", "kubernetes/trialwitness.yaml": "TestKubernetes",
		"monitoring/alerts.yaml": "TestAlerts", "monitoring/alerts_test.yaml": "TestAlertExamples",
		"monitoring/prometheus.yaml": "TestAlertExamples", "monitoring/dashboard.json": "TestDashboard",
		"mysql/accounts.sql": "cmd/triallog: TestServingAccount", "mysql/grants.sql": "cmd/triallog: TestServingAccount",
		"systemd/triallog.service": "TestSystemd", "systemd/triallog-backup.service": "TestSystemd",
		"systemd/trialwitness.service": "TestSystemd",
	}
	found := map[string]bool{}
	for _, dir := range folders {
		err := filepath.WalkDir(filepath.Join(deploy, dir), func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			rel, err := filepath.Rel(deploy, name)
			if found[filepath.ToSlash(rel)] = true; checked[filepath.ToSlash(rel)] == "" {
				t.Errorf("deploy/%s has no test: write one, and name it here", rel)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for name := range checked {
		if !found[name] {
			t.Errorf("deploy/%s is not there any more", name)
		}
	}
}

var (
	docURL  = regexp.MustCompile(`https://github\.com/trialproof/trialproof/blob/main/([a-z/.-]+\.md)(#[a-z0-9-]+)?`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	docPage = regexp.MustCompile(`docs/[a-z]+\.md`)
)

// anchors returns the anchors of a page's headings, as GitHub makes them.
func anchors(t *testing.T, page string) map[string]bool {
	t.Helper()
	list := map[string]bool{"": true}
	for _, m := range heading.FindAllStringSubmatch(read(t, filepath.Join("..", page)), -1) {
		text := regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		list["#"+strings.ReplaceAll(text, " ", "-")] = true
	}
	return list
}

// TestDocuments: each page, and each place on a page, that a file names is there.
func TestDocuments(t *testing.T) {
	n := 0
	look := func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		for _, m := range docURL.FindAllStringSubmatch(string(data), -1) {
			n++
			if !anchors(t, m[1])[m[2]] {
				t.Errorf("%s names %s, and %s has no such heading", name, m[0], m[1])
			}
		}
		for _, page := range docPage.FindAllString(string(data), -1) {
			if _, err := os.Stat(filepath.Join(deploy, "..", page)); err != nil {
				t.Errorf("%s names %s, which is not there", name, page)
			}
		}
		return err
	}
	for _, dir := range folders {
		if err := filepath.WalkDir(filepath.Join(deploy, dir), look); err != nil {
			t.Error(err)
		}
	}
	if n < 20 {
		t.Errorf("only %d places were found", n)
	}
}
