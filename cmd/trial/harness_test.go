package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// The scripts in testdata run the three commands as people type them, against
// real processes, once on SQLite and once on MariaDB.

// binDir holds the commands, built once.
var binDir string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "trialproof-bin-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		out, err := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "../trial", "../triallog", "../trialwitness",
			"../../deploy/load").CombinedOutput()
		if err != nil {
			fmt.Fprintf(os.Stderr, "build the commands: %v\n%s", err, out)
			return 1
		}
		binDir = dir
		// Nobody's own configuration has a part in the tests.
		if err := os.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "configuration")); err != nil {
			panic(err)
		}
		return m.Run()
	}())
}

// stores calls f with the flags that keep a log in each sort of database.
func stores(t *testing.T, f func(t *testing.T, flags string)) {
	t.Run("SQLite", func(t *testing.T) { f(t, "") })
	t.Run("MariaDB", func(t *testing.T) {
		dsn := os.Getenv("TRIALPROOF_TEST_MYSQL")
		if dsn == "" {
			trialtest.Skip(t, "TRIALPROOF_TEST_MYSQL names no MySQL or MariaDB")
		}
		f(t, "-mysql="+newDatabase(t, dsn))
	})
	// TRIALPROOF_TEST_REMOTE has the addresses of stock trillian_log_servers.
	if remote := os.Getenv("TRIALPROOF_TEST_REMOTE"); remote != "" {
		t.Run("Trillian", func(t *testing.T) { f(t, remoteFlag+remote) })
	}
}

const remoteFlag = "-trillian="

// newDatabase makes an empty database and returns its DSN.
func newDatabase(t *testing.T, dsn string) string {
	t.Helper()
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	cfg.DBName = fmt.Sprintf("tp_%d_%d", os.Getpid(), time.Now().UnixNano())
	if _, err := db.Exec("CREATE DATABASE " + cfg.DBName); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		db, err := sql.Open("mysql", dsn)
		if err == nil {
			_, err = db.Exec("DROP DATABASE " + cfg.DBName)
			err = errors.Join(err, db.Close())
		}
		if err != nil {
			t.Error(err)
		}
	})
	return cfg.FormatDSN()
}

func TestScripts(t *testing.T) {
	stores(t, func(t *testing.T, flags string) {
		dir, files := "testdata", []string(nil)
		if testing.Short() { // from an empty folder to verified receipts and histories
			dir, files = "", []string{"testdata/permanent.txtar"}
		}
		testscript.Run(t, testscript.Params{
			Dir: dir, Files: files,
			Setup: func(e *testscript.Env) error {
				e.Setenv("PATH", binDir+string(filepath.ListSeparator)+e.Getenv("PATH"))
				for _, name := range []string{"STORE", "STORE2"} { // each script has databases of its own
					store := "-mysql="
					if strings.HasPrefix(flags, remoteFlag) {
						store = flags
					} else if flags != "" {
						store += newDatabase(t, os.Getenv("TRIALPROOF_TEST_MYSQL"))
					}
					e.Setenv(name, store)
				}
				e.Setenv("TODAY", time.Now().UTC().Format(time.DateOnly))
				procs := map[string]*process{}
				e.Values["processes"] = procs
				e.Defer(func() {
					for _, p := range procs {
						p.kill(syscall.SIGKILL)
					}
				})
				return nil
			},
			Condition: func(cond string) (bool, error) {
				if cond != "sqlite" {
					return false, fmt.Errorf("there is no condition %q", cond)
				}
				return flags == "", nil
			},
			Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
				"start": startCmd, "halt": haltCmd, "crash": crashCmd, "status": statusCmd, "until": untilCmd, "append": appendCmd,
				"freeport": freeportCmd, "policy": policyCmd,
				"unzip": unzipCmd, "short": shortCmd, "glob": globCmd, "pasted": pastedCmd,
				"mirror": mirrorCmd, "files": filesCmd, "sigkill": sigkillCmd, "signed": signedCmd, "agekey": agekeyCmd,
			},
		})
	})
}

// patience is how long a test waits for what has to come. It is long, for machines
// are slow: nothing is concluded from how long something took.
const patience = 5 * time.Minute

// A process is one of the commands running as a server.
type process struct {
	cmd   *exec.Cmd
	url   string
	ended chan struct{} // closed when it has ended; err is set then
	err   error
	said  transcript
}

// A transcript is what a process says, read while it still says more.
type transcript struct {
	mu   sync.Mutex
	text strings.Builder
}

func (t *transcript) WriteString(s string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text.WriteString(s)
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

var listening = regexp.MustCompile(`listening on (https?://\S+)`)

// startProcess runs a server and returns when it says where it listens. A log waits
// for its witnesses as long as it may, unless args say how long.
func startProcess(dir string, env []string, args ...string) (*process, error) {
	if len(args) > 1 && args[0] == "triallog" && args[1] == "serve" {
		args = slices.Insert(slices.Clone(args), 2, "-quorum-wait=45s")
	}
	p := &process{cmd: exec.Command(filepath.Join(binDir, args[0]), args[1:]...), ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env = dir, env
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	urls := make(chan string, 1)
	go func() {
		r := bufio.NewReader(stderr)
		for {
			line, err := r.ReadString('\n')
			p.said.WriteString(line)
			if m := listening.FindStringSubmatch(line); m != nil {
				select {
				case urls <- m[1]:
				default:
				}
			}
			if err != nil {
				if err != io.EOF {
					p.err = err
				}
				break
			}
		}
		p.err = errors.Join(p.err, p.cmd.Wait())
		close(p.ended)
	}()
	select {
	case p.url = <-urls:
		return p, nil
	case <-p.ended:
		return nil, fmt.Errorf("%v ended: %v: %s", args, p.err, &p.said)
	case <-time.After(patience):
		p.kill(syscall.SIGKILL)
		return nil, fmt.Errorf("%v does not listen: %s", args, &p.said)
	}
}

// kill signals the process and waits for its end.
func (p *process) kill(sig syscall.Signal) error {
	p.cmd.Process.Signal(sig)
	select {
	case <-p.ended:
		return p.err
	case <-time.After(patience):
		p.cmd.Process.Kill()
		return errors.New("it does not end")
	}
}

func processes(ts *testscript.TestScript) map[string]*process {
	return ts.Value("processes").(map[string]*process)
}

// start NAME COMMAND... runs a server; $NAME is then its URL and $NAME_addr its
// address. With !, it must fail to start, and its words are in the file NAME.out.
func startCmd(ts *testscript.TestScript, neg bool, args []string) {
	env := append(os.Environ(), "PATH="+ts.Getenv("PATH"))
	p, err := startProcess(ts.MkAbs("."), env, args[1:]...)
	if neg {
		if err == nil {
			p.kill(syscall.SIGKILL)
			ts.Fatalf("%v started", args[1:])
		}
		ts.Check(os.WriteFile(ts.MkAbs(args[0]+".out"), []byte(err.Error()), 0o644))
		return
	}
	ts.Check(err)
	processes(ts)[args[0]] = p
	ts.Setenv(args[0], p.url)
	ts.Setenv(args[0]+"_pid", fmt.Sprint(p.cmd.Process.Pid))
	_, addr, _ := strings.Cut(p.url, "://")
	ts.Setenv(args[0]+"_addr", addr)
}

// halt NAME... ends servers as an operator does; they must end well.
func haltCmd(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		if err := processes(ts)[name].kill(syscall.SIGTERM); err != nil {
			ts.Fatalf("%s: %v: %s", name, err, &processes(ts)[name].said)
		}
		delete(processes(ts), name)
	}
}

// crash NAME... ends servers by SIGKILL.
func crashCmd(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		processes(ts)[name].kill(syscall.SIGKILL)
		delete(processes(ts), name)
	}
}

// status N COMMAND... runs a command that must exit with status N; its output is
// in the files out and err, and what it printed last is $last.
func statusCmd(ts *testscript.TestScript, neg bool, args []string) {
	if got := runCommand(ts, args[1:]); fmt.Sprint(got) != args[0] {
		ts.Fatalf("exit status %d, want %s", got, args[0])
	}
}

// until N COMMAND... runs a command until it exits with status N.
func untilCmd(ts *testscript.TestScript, neg bool, args []string) {
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		got := runCommand(ts, args[1:])
		if fmt.Sprint(got) == args[0] {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("exit status %d for %s, want %s", got, patience, args[0])
		}
	}
}

func runCommand(ts *testscript.TestScript, args []string) int {
	args = finished(args)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	name := filepath.Join(binDir, args[0])
	if args[0] == "sh" {
		name = "sh"
	}
	cmd := exec.CommandContext(ctx, name, args[1:]...)
	cmd.Env = append(os.Environ(), "PATH="+ts.Getenv("PATH"))
	var stdout, stderr strings.Builder
	cmd.Dir, cmd.Stdout, cmd.Stderr = ts.MkAbs("."), &stdout, &stderr
	err := cmd.Run()
	ts.Logf("%s%s", &stdout, &stderr)
	if _, ok := err.(*exec.ExitError); err != nil && !ok {
		ts.Fatalf("%v", err)
	}
	ts.Check(os.WriteFile(ts.MkAbs("out"), []byte(stdout.String()), 0o644))
	ts.Check(os.WriteFile(ts.MkAbs("err"), []byte(stderr.String()), 0o644))
	words := strings.Fields(stdout.String())
	if len(words) > 0 {
		ts.Setenv("last", words[len(words)-1])
	}
	return cmd.ProcessState.ExitCode()
}

// finished has no command wait for files that a test has just written, unless its
// args say so.
func finished(args []string) []string {
	if len(args) > 1 && args[0] == "trial" && (args[1] == "submit" || args[1] == "register") {
		return slices.Insert(slices.Clone(args), 2, "-settle=0s")
	}
	return args
}

// short NAME ID sets $NAME to the first digits of an id.
func shortCmd(ts *testscript.TestScript, neg bool, args []string) {
	ts.Setenv(args[0], args[1][:trial.ShortDigits])
}

// freeport NAME sets $NAME_addr to an address that nothing listens on.
func freeportCmd(ts *testscript.TestScript, neg bool, args []string) {
	ts.Setenv(args[0]+"_addr", freeAddress())
}

// freeAddress returns an address that nothing listens on. Its port is below those
// that systems give to whoever asks for any, so that nobody takes it while its
// server is down.
func freeAddress() string {
	for {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000)))
		if err == nil {
			l.Close()
			return l.Addr().String()
		}
	}
}

// append FILE TEXT adds a line to a file.
func appendCmd(ts *testscript.TestScript, neg bool, args []string) {
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o644)
	ts.Check(err)
	_, err = fmt.Fprintln(f, args[1])
	ts.Check(errors.Join(err, f.Close()))
}

// policy K NAME... writes the policy of the log in ./log that asks for K of the
// witnesses whose verifier keys are in NAME.vkey, to ./policy and log/policy.
func policyCmd(ts *testscript.TestScript, neg bool, args []string) {
	text := "log " + strings.TrimSpace(ts.ReadFile("log/log.vkey")) + "\n"
	for _, w := range args[1:] {
		text += fmt.Sprintf("witness %s %s %s\n", w, strings.TrimSpace(ts.ReadFile(w+".vkey")), ts.Getenv(w))
	}
	text += fmt.Sprintf("group g %s %s\nquorum g\n", args[0], strings.Join(args[1:], " "))
	for _, name := range []string{"policy", "log/policy"} {
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o644))
	}
}
