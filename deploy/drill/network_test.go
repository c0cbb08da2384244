//go:build unix

package drill

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// A network is three machines that a drill has beside its own, as network namespaces: all reach
// the database at one address and the witnesses at another, and any can be cut off from either.
type network struct {
	t                   testing.TB
	id                  int
	database, witnesses string // addresses
}

func shell(t testing.TB, command string) {
	t.Helper()
	if out, err := exec.Command("sh", "-c", command).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
}

func newNetwork(t testing.TB, n int) *network {
	t.Helper()
	if out, err := exec.Command("sh", "-c", "ip netns add drill-probe && ip netns del drill-probe").CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: no network namespaces here: %v %s", err, out)
	}
	w := &network{t: t, id: 16 + rand.IntN(200)}
	w.database, w.witnesses = w.addr(1), w.addr(2)
	shell(t, fmt.Sprintf("ip link add %[1]s type bridge && ip link set %[1]s up && ip addr add %[2]s/24 dev %[1]s && ip addr add %[3]s/24 dev %[1]s",
		w.bridge(), w.database, w.witnesses))
	t.Cleanup(func() { exec.Command("ip", "link", "del", w.bridge()).Run() })
	for i := range n {
		ns, link := w.machine(i), fmt.Sprintf("dr%d-%d", w.id, i)
		shell(t, fmt.Sprintf("ip netns add %[1]s && ip link add %[2]s type veth peer name eth0 netns %[1]s && ip link set %[2]s master %[3]s up && "+
			"ip -n %[1]s addr add %[4]s/24 dev eth0 && ip -n %[1]s link set eth0 up && ip -n %[1]s link set lo up", ns, link, w.bridge(), w.addr(10+i)))
		t.Cleanup(func() { exec.Command("ip", "netns", "del", ns).Run() })
	}
	return w
}

func (w *network) bridge() string       { return fmt.Sprintf("drill%d", w.id) }
func (w *network) machine(i int) string { return fmt.Sprintf("drill%d-%d", w.id, i) }
func (w *network) addr(i int) string    { return fmt.Sprintf("10.77.%d.%d", w.id, i) }

// cut drops everything that a machine sends to an address, and what comes from there finds no
// answer: as when a cable is out, nobody is told.
func (w *network) cut(i int, addr string) {
	shell(w.t, fmt.Sprintf("ip -n %s route add blackhole %s/32", w.machine(i), addr))
}

func (w *network) heal(i int, addr string) {
	shell(w.t, fmt.Sprintf("ip -n %s route del blackhole %s/32", w.machine(i), addr))
}

// TestNetworkCut cuts the leader off from the database, from the witnesses, and from everything.
func TestNetworkCut(t *testing.T) {
	t.Parallel()
	w := newNetwork(t, 3)
	d := startDatabase(t, "--port=3306", "--bind-address="+w.database)
	db := d.open("")
	defer db.Close()
	for _, stmt := range []string{"CREATE USER IF NOT EXISTS drill@'%' IDENTIFIED BY 'drill'", "GRANT ALL ON trialproof.* TO drill@'%'"} {
		if _, err := db.Exec(stmt); err != nil {
			t.Fatal(err)
		}
	}
	c := prepare(t, "drill:drill@tcp("+w.database+":3306)/trialproof?timeout=2s&readTimeout=2s&writeTimeout=2s", w.witnesses)
	for i := range 3 {
		c.servers = append(c.servers, &member{name: fmt.Sprintf("log%d", i+1), addr: w.addr(10+i) + ":8080", wrap: []string{"ip", "netns", "exec", w.machine(i)}})
	}
	c.begin()
	l := c.load(times(16, 64))
	l.more(50)
	places := map[string][]string{"database": {w.database}, "witnesses": {w.witnesses}, "everything": {w.database, w.witnesses}}
	for _, name := range []string{"database", "witnesses", "everything"} {
		var away []time.Duration
		for range times(1, 5) {
			m := c.leader()
			i := int(m.addr[strings.LastIndex(m.addr, ":")-1] - '0')
			if name == "everything" {
				for k := range c.servers {
					if k != i {
						places[name] = append(places[name], w.addr(10+k))
					}
				}
			}
			for _, a := range places[name] {
				w.cut(i, a)
			}
			away = append(away, l.back())
			l.more(20)
			for _, a := range places[name] {
				w.heal(i, a)
			}
			places["everything"] = places["everything"][:2]
			eventually(t, "it is one of them again", func() bool { return c.ready(m) && c.leader() != nil })
		}
		if name == "witnesses" { // which the leader may be slow to miss: it waits for them first
			t.Logf("the leader cut off from the witnesses: receipts again after %v", away)
			continue
		}
		worst(t, "the leader cut off from the "+name, away)
	}
	l.check()
	c.fsck()
}

// TestDiskFull fills the disk of the leader, and then that of the database.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	disk, err := os.MkdirTemp("", "disk")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(disk) })
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", disk).CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: no small disk can be mounted here: %v %s", err, out)
	}
	t.Cleanup(func() { exec.Command("umount", "-l", disk).Run() })
	d := startDatabase(t)
	d.kill()
	shell(t, fmt.Sprintf("mv %s/data %s/data && ln -s %[2]s/data %[1]s/data", d.dir, disk))
	d.start()
	c := newCluster(t, d.dsn(), 3)
	l := c.load(times(8, 64))
	l.more(50)
	fill := func() { exec.Command("sh", "-c", "cat /dev/zero >>"+disk+"/ballast").Run() }
	for range times(1, 5) {
		fill()
		var said string
		defer func() {
			if t.Failed() {
				t.Log(said)
			}
		}()
		eventually(t, "a server says what is wrong", func() bool {
			if d.ended() { // not every database outlives a full disk
				return true
			}
			for _, m := range c.servers {
				status, text := get(m.url + "/readyz")
				if status == 503 && strings.Contains(text, "full") {
					return true
				}
				said = fmt.Sprintf("%s at last: %d %s", m.name, status, text)
			}
			fill()
			return false
		})
		shell(t, "rm "+disk+"/ballast")
		if d.ended() {
			t.Log("the database had ended")
			d.start()
		}
		l.back()
		l.more(50)
	}
	l.check()
	c.fsck()
}
