//go:build unix

package drill

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial/trialtest"
)

// provider is Galera's library, of Debian's package galera-4.
const provider = "/usr/lib/galera/libgalera_smm.so"

// A galera is a cluster of databases.
type galera struct {
	t       testing.TB
	nodes   []*database
	members []string // their addresses among each other
}

// startGalera starts n nodes. The first one makes the cluster, and the others begin with a copy of
// its folder.
func startGalera(t testing.TB, n int) *galera {
	t.Helper()
	if _, err := os.Stat(provider); err != nil {
		trialtest.Skip(t, "no Galera: "+err.Error())
	}
	g := &galera{t: t}
	for range n {
		g.members = append(g.members, freeAddress(t))
	}
	for i := range n {
		g.nodes = append(g.nodes, installDatabase(t, g.flags(i)...))
	}
	first := g.nodes[0]
	first.start("--wsrep-new-cluster")
	g.await(0)
	first.cmd.Process.Signal(syscall.SIGTERM)
	<-first.gone
	for _, d := range g.nodes[1:] {
		shell(t, fmt.Sprintf("rm -rf %s/data && cp -a %s/data %[1]s/data", d.dir, first.dir))
	}
	// It ended well and alone: the cluster goes on from what it has.
	shell(t, fmt.Sprintf("sed -i 's/^safe_to_bootstrap: .*/safe_to_bootstrap: 1/' %s/data/grastate.dat", first.dir))
	for i, d := range g.nodes {
		if i == 0 {
			d.launch("--wsrep-new-cluster")
		} else {
			d.launch()
		}
		g.await(i)
	}
	return g
}

func (g *galera) flags(i int) []string {
	_, port, _ := net.SplitHostPort(g.members[i])
	return []string{
		"--binlog-format=ROW", "--default-storage-engine=InnoDB", "--innodb-autoinc-lock-mode=2", "--wsrep-on=ON", "--wsrep-provider=" + provider,
		"--wsrep-cluster-name=drill", "--wsrep-cluster-address=gcomm://" + strings.Join(g.members, ","), "--wsrep-node-address=" + g.members[i],
		"--wsrep-node-name=node" + fmt.Sprint(i+1),
		// With a node dead the others decide after some seconds that it is.
		"--wsrep-provider-options=base_port=" + port + ";gmcast.listen_addr=tcp://" + g.members[i] + ";ist.recv_addr=" + freeAddress(g.t) +
			";evs.suspect_timeout=PT2S;evs.inactive_timeout=PT4S;evs.keepalive_period=PT0.5S;evs.inactive_check_period=PT0.5S;gcache.size=64M",
		"--port=" + portOf(freeAddress(g.t)), "--bind-address=127.0.0.1",
	}
}

func portOf(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return port
}

// await waits until a node has all that the others have.
func (g *galera) await(i int) {
	g.t.Helper()
	db := g.nodes[i].open("")
	defer db.Close()
	eventually(g.t, fmt.Sprintf("node %d is in step", i+1), func() bool {
		var name, value string
		err := db.QueryRow("SHOW STATUS LIKE 'wsrep_local_state_comment'").Scan(&name, &value)
		return err == nil && value == "Synced"
	})
}

// again starts a node that was killed. Its place in the history is recovered first, as the
// service of Debian's package does.
func (g *galera) again(i int) {
	g.t.Helper()
	d := g.nodes[i]
	out, err := exec.Command("mariadbd", append([]string{"--no-defaults", "--user=" + owner(), "--datadir=" + d.dir + "/data", "--socket=" + d.dir + "/recover",
		"--skip-networking", "--wsrep-recover", "--log-error=" + d.dir + "/recovered"}, d.args...)...).CombinedOutput()
	if err != nil {
		g.t.Fatalf("recover node %d: %v\n%s", i+1, err, out)
	}
	text, _ := os.ReadFile(d.dir + "/recovered")
	var position []string
	if at := strings.LastIndex(string(text), "Recovered position: "); at >= 0 {
		where, _, _ := strings.Cut(string(text)[at+len("Recovered position: "):], "\n")
		position = []string{"--wsrep-start-position=" + strings.TrimSpace(strings.Split(where, ",")[0])}
	}
	d.launch(position...)
	g.await(i)
}

// TestGalera kills the node that the log writes through, and starts it again.
func TestGalera(t *testing.T) {
	t.Parallel()
	g := startGalera(t, 3)
	var sockets []string
	for _, d := range g.nodes {
		sockets = append(sockets, d.socket())
	}
	c := newCluster(t, "root@unix("+strings.Join(sockets, ",")+")/trialproof", 3)
	l := c.load(times(16, 64))
	l.more(50)
	var away []time.Duration
	for i := range times(2, 6) {
		node := g.busiest(i)
		g.nodes[node].kill()
		away = append(away, l.back())
		l.more(50)
		g.again(node)
		l.more(20)
	}
	l.check()
	worst(t, "a node of Galera killed", away)
	c.fsck()
}

// busiest returns the node with the most connections: the log uses one.
func (g *galera) busiest(fallback int) int {
	most, node := -1, fallback%len(g.nodes)
	for i, d := range g.nodes {
		db := d.open("")
		var name string
		var n int
		if err := db.QueryRow("SHOW STATUS LIKE 'Threads_connected'").Scan(&name, &n); err == nil && n > most {
			most, node = n, i
		}
		db.Close()
	}
	return node
}

// trillians names the folder with stock trillian_log_server and trillian_log_signer. To build them
// takes minutes, so CI does not.
func trillians(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("TRIALPROOF_TEST_TRILLIAN")
	if dir == "" {
		t.Skip("SKIPPED: TRIALPROOF_TEST_TRILLIAN names no folder with Trillian's programs: docs/operator.md says how to build them")
	}
	return dir
}

// A background is a program that is not ours.
type background struct {
	cmd  *exec.Cmd
	gone chan struct{}
}

func (b *background) kill() {
	b.cmd.Process.Kill()
	<-b.gone
}

func run(t testing.TB, log string, args ...string) *background {
	t.Helper()
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	b := &background{cmd: exec.Command(args[0], args[1:]...), gone: make(chan struct{})}
	b.cmd.Stdout, b.cmd.Stderr = out, out
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { b.cmd.Wait(); close(b.gone) }()
	t.Cleanup(b.kill)
	return b
}

// TestRemoteEngine runs the log over two log servers and two signers of stock Trillian, elected by
// etcd, and kills one of each.
func TestRemoteEngine(t *testing.T) {
	t.Parallel()
	programs := trillians(t)
	if _, err := exec.LookPath("etcd"); err != nil {
		trialtest.Skip(t, err.Error())
	}
	d := startDatabase(t)
	schema, err := os.ReadFile("../../logserver/engine/mysql.sql")
	if err != nil {
		t.Fatal(err)
	}
	db := d.open("")
	defer db.Close()
	db.SetMaxOpenConns(1) // USE is of one connection
	for _, stmt := range append([]string{"CREATE DATABASE trillian", "USE trillian"}, strings.Split(string(schema), ";\n")...) {
		if strings.TrimSpace(stmt) == "" {
			continue
		}
		if _, err := db.Exec(stmt); err != nil {
			t.Fatalf("%s: %v", stmt, err)
		}
	}
	etcd := freeAddress(t)
	run(t, filepath.Join(d.dir, "etcd.log"), "etcd", "--data-dir", filepath.Join(d.dir, "etcd"), "--listen-client-urls", "http://"+etcd,
		"--advertise-client-urls", "http://"+etcd, "--listen-peer-urls", "http://"+freeAddress(t))
	common := []string{"--storage_system=mysql", "--mysql_uri=root@unix(" + d.socket() + ")/trillian", "--quota_system=noop", "--http_endpoint=",
		"--etcd_servers=" + etcd}
	servers, signers := make([]*background, 2), make([]*background, 2)
	addrs := []string{freeAddress(t), freeAddress(t)}
	server := func(i int) {
		servers[i] = run(t, filepath.Join(d.dir, fmt.Sprintf("server%d.log", i)), append([]string{filepath.Join(programs, "trillian_log_server"),
			"--rpc_endpoint=" + addrs[i]}, common...)...)
	}
	signer := func(i int) {
		signers[i] = run(t, filepath.Join(d.dir, fmt.Sprintf("signer%d.log", i)), append([]string{filepath.Join(programs, "trillian_log_signer"),
			"--rpc_endpoint=" + freeAddress(t), "--sequencer_interval=20ms", "--election_system=etcd", "--pre_election_pause=100ms"}, common...)...)
	}
	for i := range 2 {
		server(i)
		signer(i)
	}
	for _, a := range addrs {
		eventually(t, "a log server", func() bool {
			conn, err := net.Dial("tcp", a)
			if err == nil {
				conn.Close()
			}
			return err == nil
		})
	}
	c := prepare(t, d.dsn(), "127.0.0.1", "-trillian="+strings.Join(addrs, ","))
	for i := range 2 {
		c.servers = append(c.servers, &member{name: fmt.Sprintf("log%d", i+1), addr: freeAddress(t)})
	}
	c.begin()
	l := c.load(times(16, 64))
	l.more(50)
	for i := range 2 {
		servers[i].kill()
		t.Logf("log server %d killed: receipts again after %s", i+1, l.back().Round(time.Millisecond))
		server(i)
		l.more(20)
		signers[i].kill()
		t.Logf("signer %d killed: receipts again after %s", i+1, l.back().Round(time.Millisecond))
		signer(i)
		l.more(20)
	}
	m := c.leader()
	m.kill(syscall.SIGKILL)
	t.Logf("the log's leader killed: receipts again after %s", l.back().Round(time.Millisecond))
	c.run(m)
	l.more(20)
	l.check()
	c.fsck()
}
