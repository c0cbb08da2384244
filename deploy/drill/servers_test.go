//go:build unix

package drill

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial"
)

// times is how often something is broken, and clients how many submit meanwhile.
func times(few, many int) int {
	if large {
		return many
	}
	return few
}

// worst prints how long the log was away, and fails the drill if that was too long: only where
// it is run to measure, for a busy machine proves nothing.
func worst(t *testing.T, what string, away []time.Duration) {
	t.Helper()
	slices.Sort(away)
	t.Logf("%s, %d times: receipts again after %s (median), %s (longest)", what, len(away), away[len(away)/2].Round(time.Millisecond),
		away[len(away)-1].Round(time.Millisecond))
	if large && away[len(away)-1] > 10*time.Second {
		t.Errorf("%s: the log was away for %s", what, away[len(away)-1])
	}
}

// TestLeaderKilled kills the leader with signal 9, as often as it takes, and starts it again.
func TestLeaderKilled(t *testing.T) {
	t.Parallel()
	c := newCluster(t, startDatabase(t).dsn(), 3)
	l := c.load(times(16, 64))
	l.more(50)
	var away []time.Duration
	for range times(3, 20) {
		m := c.leader()
		m.kill(syscall.SIGKILL)
		away = append(away, l.back())
		c.run(m)
		l.more(50)
	}
	l.check()
	worst(t, "the leader killed", away)
	c.fsck()
}

// fsck ends all servers in order and has the log checked.
func (c *cluster) fsck() {
	c.t.Helper()
	for _, m := range c.servers {
		if m.running() {
			m.kill(syscall.SIGTERM)
		}
	}
	out, words, status := c.command(append([]string{"triallog", "fsck", "-dir", "log", "-mysql=" + c.dsn}, c.engine...)...)
	if status != 0 {
		c.t.Errorf("fsck: status %d\n%s%s", status, out, words)
	}
}

// TestLeaderPaused stops the leader for longer than its lease and lets it go on. It has lost the
// lead by then, and follows.
func TestLeaderPaused(t *testing.T) {
	t.Parallel()
	c := newCluster(t, startDatabase(t).dsn(), 3)
	l := c.load(times(16, 64))
	l.more(50)
	var away []time.Duration
	for range times(2, 20) {
		m := c.leader()
		m.kill(syscall.SIGSTOP)
		away = append(away, l.back())
		pause := 5 * time.Second
		if large {
			pause = 30 * time.Second
		}
		time.Sleep(pause - min(pause, away[len(away)-1]))
		m.kill(syscall.SIGCONT)
		eventually(t, "it follows, or leads again", func() bool { return c.ready(m) && c.leader() != nil })
		l.more(50)
	}
	l.check()
	worst(t, "the leader paused", away)
	c.fsck()
}

// TestDatabaseKilled kills the database with signal 9 and starts it again. Meanwhile every server
// says what is wrong, and refuses with the reason.
func TestDatabaseKilled(t *testing.T) {
	t.Parallel()
	d := startDatabase(t)
	c := newCluster(t, d.dsn(), 3)
	l := c.load(times(16, 64))
	l.more(50)
	var away []time.Duration
	for range times(2, 10) {
		d.kill()
		for _, m := range c.servers {
			eventually(t, m.name+" says what is wrong", func() bool {
				status, text := get(m.url + "/readyz")
				return status == 503 && strings.Contains(text, "connect")
			})
		}
		d.start()
		away = append(away, l.back())
		l.more(50)
	}
	l.check()
	for what := range l.busy {
		if strings.Contains(what, "internal error") {
			t.Errorf("a client was told: %s", what)
		}
	}
	worst(t, "the database killed and started again, from its start", away)
	c.fsck()
}

// TestClocks sets the leader's clock, and then all clocks, forward and back.
func TestClocks(t *testing.T) {
	t.Parallel()
	c := prepare(t, startDatabase(t).dsn(), "127.0.0.1")
	for _, name := range []string{"log1", "log2", "log3"} {
		c.servers = append(c.servers, &member{name: name, addr: freeAddress(t), wrap: []string{"env", "DRILL_CLOCK=" + filepath.Join(c.dir, name+".clock")}})
	}
	c.begin()
	l := c.load(times(8, 64))
	l.more(50)
	set := func(m *member, offset string) {
		if err := os.WriteFile(filepath.Join(c.dir, m.name+".clock"), []byte(offset), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, offset := range []string{"2h", "-2h", "30s", "0s"} {
		m := c.leader()
		set(m, offset)
		l.back()
		l.more(20)
		if offset == "2h" && c.leader() == m {
			t.Error("a server whose clock is two hours ahead leads")
		}
	}
	// Wrong everywhere: nothing is logged, and each says why.
	for _, m := range c.servers {
		set(m, "3h")
	}
	for _, m := range c.servers {
		eventually(t, m.name+" says that clocks are wrong", func() bool {
			status, text := get(m.url + "/readyz")
			return status == 503 && (strings.Contains(text, "clock") || strings.Contains(text, "no server leads"))
		})
	}
	for _, m := range c.servers {
		set(m, "0s")
	}
	l.back()
	l.check()
	l.entries(func(e *trial.Entry) {
		if ahead := time.Until(e.Time.Std()); ahead > 2*time.Minute {
			t.Errorf("an entry bears a time that is %s ahead", ahead)
		}
	})
	c.fsck()
}
