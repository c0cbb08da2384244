//go:build unix

// Package drill breaks a whole log as machines and networks do: real servers, witnesses and
// databases as processes, killed, paused, cut off or without disk while clients submit. What was
// acknowledged must be there once, and everything must be as it was signed.
package drill

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
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

	_ "github.com/go-sql-driver/mysql"

	"github.com/trialproof/trialproof/trial/trialtest"
)

var binDir string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "trialproof-bin-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		out, err := exec.Command("go", "build", "-tags=drill", "-o", dir+string(filepath.Separator), "../../cmd/trial", "../../cmd/triallog",
			"../../cmd/trialwitness").CombinedOutput()
		if err != nil {
			fmt.Fprintf(os.Stderr, "build the commands: %v\n%s", err, out)
			return 1
		}
		binDir = dir
		return m.Run()
	}())
}

// large asks for the numbers that docs/performance.md has, instead of those that CI has time for.
var large = os.Getenv("TRIALPROOF_TEST_LARGE") != ""

// patience is how long a drill waits for what has to come.
const patience = 5 * time.Minute

// A process is a server.
type process struct {
	cmd   *exec.Cmd
	url   string
	ended chan struct{}
	mu    sync.Mutex
	said  strings.Builder
}

var listening = regexp.MustCompile(`listening on (https?://\S+)`)

// start runs one of the commands as a server and returns when it listens.
func start(t testing.TB, dir string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(args[0], args[1:]...), ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env = dir, append(os.Environ(), "DRILL_CLOCK="+filepath.Join(dir, "clock"))
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.kill(syscall.SIGKILL) })
	urls := make(chan string, 1)
	go func() {
		r := bufio.NewReader(stderr)
		for {
			line, err := r.ReadString('\n')
			p.mu.Lock()
			p.said.WriteString(line)
			p.mu.Unlock()
			if m := listening.FindStringSubmatch(line); m != nil {
				select {
				case urls <- m[1]:
				default:
				}
			}
			if err != nil {
				break
			}
		}
		p.cmd.Wait()
		close(p.ended)
	}()
	select {
	case p.url = <-urls:
	case <-p.ended:
		t.Fatalf("%v ended: %s", args, p.words())
	case <-time.After(patience):
		t.Fatalf("%v does not listen: %s", args, p.words())
	}
	return p
}

func (p *process) words() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

func (p *process) kill(sig syscall.Signal) {
	p.cmd.Process.Signal(sig)
	if sig == syscall.SIGKILL || sig == syscall.SIGTERM {
		<-p.ended
	}
}

func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// A database is a MariaDB of a drill's own, which it may kill.
type database struct {
	t    testing.TB
	dir  string
	args []string // beyond the folder
	cmd  *exec.Cmd
	gone chan struct{} // closed when cmd has ended
}

// startDatabase installs and starts one, or skips the test where there is none.
func startDatabase(t testing.TB, args ...string) *database {
	t.Helper()
	d := installDatabase(t, args...)
	d.start()
	return d
}

func installDatabase(t testing.TB, args ...string) *database {
	t.Helper()
	if os.Getenv("TRIALPROOF_TEST_MYSQL") == "" {
		trialtest.Skip(t, "TRIALPROOF_TEST_MYSQL is not set: no drill on a MariaDB")
	}
	dir, err := os.MkdirTemp("", "drill")
	if err != nil {
		t.Fatal(err)
	}
	d := &database{t: t, dir: dir, args: args}
	t.Cleanup(func() { d.kill(); os.RemoveAll(dir) })
	if owner() == "mysql" { // Galera's scripts do not work as root
		shell(t, "chown mysql "+dir)
	}
	install := exec.Command("mariadb-install-db", "--no-defaults", "--user="+owner(), "--datadir="+dir+"/data", "--auth-root-authentication-method=normal",
		"--skip-test-db")
	install.Env = d.environment()
	out, err := install.CombinedOutput()
	if err != nil {
		t.Fatalf("mariadb-install-db: %v\n%s", err, out)
	}
	return d
}

// owner is who runs the database.
func owner() string {
	if os.Getuid() == 0 {
		return "mysql"
	}
	return os.Getenv("USER")
}

// environment gives the database a folder of its own for temporary tables: one that starts removes
// those of all others in the same folder.
func (d *database) environment() []string { return append(os.Environ(), "TMPDIR="+d.dir) }

func (d *database) socket() string { return d.dir + "/s" }

// dsn is the database's name for the log.
func (d *database) dsn() string { return "root@unix(" + d.socket() + ")/trialproof" }

// launch starts the server without waiting for it.
func (d *database) launch(args ...string) {
	d.t.Helper()
	log, err := os.OpenFile(d.dir+"/log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		d.t.Fatal(err)
	}
	defer log.Close()
	all := slices.Concat([]string{"--no-defaults", "--user=" + owner(), "--datadir=" + d.dir + "/data", "--socket=" + d.socket(), "--pid-file=" + d.dir + "/pid",
		"--innodb-buffer-pool-size=128M"}, d.args, args)
	if !slices.ContainsFunc(all, func(a string) bool { return strings.HasPrefix(a, "--port") }) {
		all = append(all, "--skip-networking")
	}
	d.cmd = exec.Command("mariadbd", all...)
	d.cmd.Env = d.environment()
	d.cmd.Stdout, d.cmd.Stderr = log, log
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.gone = make(chan struct{})
	go func(cmd *exec.Cmd, gone chan struct{}) { cmd.Wait(); close(gone) }(d.cmd, d.gone)
}

// ended reports whether the server has ended by itself.
func (d *database) ended() bool {
	select {
	case <-d.gone:
		return true
	default:
		return false
	}
}

func (d *database) start(args ...string) {
	d.t.Helper()
	d.launch(args...)
	d.await()
	db := d.open("")
	defer db.Close()
	if _, err := db.Exec("CREATE DATABASE IF NOT EXISTS trialproof"); err != nil {
		d.t.Fatal(err)
	}
}

// await waits until the server answers.
func (d *database) await() {
	d.t.Helper()
	db := d.open("")
	defer db.Close()
	end := time.Now().Add(patience)
	for {
		err := db.Ping()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			words, _ := os.ReadFile(d.dir + "/log")
			d.t.Fatalf("the database does not answer: %v\n%s", err, words)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (d *database) open(name string) *sql.DB {
	d.t.Helper()
	db, err := sql.Open("mysql", "root@unix("+d.socket()+")/"+name)
	if err != nil {
		d.t.Fatal(err)
	}
	return db
}

// kill ends the server with signal 9.
func (d *database) kill() {
	if d.cmd != nil {
		d.cmd.Process.Kill()
		<-d.gone
		d.cmd = nil
	}
}

// A cluster is a log with several servers and three witnesses, of which two must agree.
type cluster struct {
	t         testing.TB
	dir       string
	dsn       string
	witnesses []*process
	servers   []*member
	flags     []string // of commands of trial
	engine    []string // flags of triallog that say where the tree is
}

// A member is a server of the cluster, which may be down.
type member struct {
	*process
	name string
	addr string
	wrap []string // a command before triallog
}

// newCluster makes a log in a database, its organisation, and starts n servers.
func newCluster(t testing.TB, dsn string, n int) *cluster {
	t.Helper()
	c := prepare(t, dsn, "127.0.0.1")
	for i := range n {
		c.servers = append(c.servers, &member{name: fmt.Sprintf("log%d", i+1), addr: freeAddress(t)})
	}
	c.begin()
	return c
}

// begin starts the servers and makes the organisation.
func (c *cluster) begin() {
	c.t.Helper()
	for _, m := range c.servers {
		c.run(m)
	}
	c.enrol()
}

// prepare makes the log and its witnesses, which listen on an address.
func prepare(t testing.TB, dsn, host string, engine ...string) *cluster {
	t.Helper()
	dir, err := os.MkdirTemp("", "cluster")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	c := &cluster{t: t, dir: dir, dsn: dsn, engine: engine}
	c.ok("trial", "keygen", "-name", "Rita Registrar", "-org", "registrar", "-out", "registrar")
	c.ok("trial", "keygen", "-name", "Ada Lovelace", "-org", "acme", "-out", "ada")
	vkey := c.ok(slices.Concat([]string{"triallog", "init", "-dir", "log", "-origin", "log.example/trials", "-registrar", "registrar.pub", "-mysql=" + dsn},
		engine)...)
	policy := "log " + vkey + "\n"
	for _, name := range []string{"w1", "w2", "w3"} {
		wkey := c.ok("trialwitness", "keygen", "-name", name+".example", "-key", name+".key")
		w := start(t, dir, filepath.Join(binDir, "trialwitness"), "serve", "-key", name+".key", "-dir", name, "-listen", host+":0", "-log", vkey)
		c.witnesses = append(c.witnesses, w)
		policy += "witness " + name + " " + wkey + " " + w.url + "\n"
	}
	policy += "group g 2 w1 w2 w3\nquorum g\n"
	for _, name := range []string{"policy", "log/policy"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(policy), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// run starts a server on its own folder and address.
func (c *cluster) run(m *member) {
	c.t.Helper()
	folder := filepath.Join(c.dir, m.name)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		c.t.Fatal(err)
	}
	for _, name := range []string{"log.key", "log.vkey", "policy"} {
		data, err := os.ReadFile(filepath.Join(c.dir, "log", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), data, 0o600)
		}
		if err != nil {
			c.t.Fatal(err)
		}
	}
	m.process = start(c.t, c.dir, slices.Concat(m.wrap, []string{filepath.Join(binDir, "triallog"), "serve", "-dir", m.name, "-listen", m.addr, "-mysql=" + c.dsn,
		"-replica", "-quorum-wait=20s"}, c.engine)...)
}

// enrol makes the organisation, through any server.
func (c *cluster) enrol() {
	c.t.Helper()
	c.flags = []string{"-log", c.servers[0].url, "-policy", "policy"}
	eventually(c.t, "a log that is ready", func() bool { return c.ready(c.servers[0]) })
	c.ok(slices.Concat([]string{"trial", "org"}, c.flags, []string{"-key", "registrar.key", "-id", "acme", "-name", "Acme", "ada.pub"})...)
}

func (c *cluster) ready(m *member) bool {
	status, _ := get(m.url + "/readyz")
	return status == http.StatusOK
}

// get reads a URL; its status is 0 if there is no answer.
func get(url string) (status int, body string) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err.Error()
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	data, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(data)
}

// tell prints what the servers say, if the drill has failed.
func (c *cluster) tell() {
	if !c.t.Failed() {
		return
	}
	for _, m := range c.servers {
		words := m.words()
		status, text := get(m.url + "/readyz")
		c.t.Logf("%s, running: %t, ready: %d %s\n%s", m.name, m.running(), status, text, words[max(0, len(words)-4000):])
	}
}

// leader waits for the server that leads.
func (c *cluster) leader() (l *member) {
	c.t.Helper()
	eventually(c.t, "one leader", func() bool {
		l = nil
		n := 0
		for _, m := range c.servers {
			if m.running() {
				if _, text := get(m.url + "/metrics"); strings.Contains(text, "\ntrialproof_leader 1\n") {
					l = m
					n++
				}
			}
		}
		return n == 1
	})
	return l
}

// run runs a command and returns what it printed and its status.
func (c *cluster) command(args ...string) (stdout, stderr string, status int) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(binDir, args[0]), args[1:]...)
	var o, e strings.Builder
	cmd.Dir, cmd.Stdout, cmd.Stderr = c.dir, &o, &e
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		c.t.Fatal(err)
	}
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}

// ok runs a command that must succeed and returns the last word that it printed.
func (c *cluster) ok(args ...string) string {
	c.t.Helper()
	out, words, status := c.command(args...)
	if status != 0 {
		c.t.Fatalf("%v: status %d\n%s%s", args, status, out, words)
	}
	fields := strings.Fields(out)
	if len(fields) == 0 {
		return ""
	}
	return fields[len(fields)-1]
}

// freeAddress returns an address that nothing listens on, below the ports that systems give out.
func freeAddress(t testing.TB) string {
	t.Helper()
	for {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000)))
		if err == nil {
			l.Close()
			return l.Addr().String()
		}
	}
}
