package api

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// gauge returns the value of a series, or "" if there is none.
func (f *fixture) gauge(series string) string {
	f.t.Helper()
	for line := range strings.Lines(f.get("/metrics").body) {
		if value, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), series+" "); ok {
			return value
		}
	}
	return ""
}

// number returns the value of a series that must be there.
func (f *fixture) number(series string) float64 {
	f.t.Helper()
	n, err := strconv.ParseFloat(f.gauge(series), 64)
	if err != nil {
		f.t.Fatalf("%s: %v", series, err)
	}
	return n
}

// TestGauges: the numbers that alerts rest on say what happens to a log, and what no longer does.
func TestGauges(t *testing.T) {
	w := new(testWitness)
	f := newFixture(t, setup{witness: w, log: func(c *logserver.Config) { c.QuorumWait = 50 * time.Millisecond }})
	all := func(waiting, cosigns, margin string) {
		t.Helper()
		for series, want := range map[string]string{"trialproof_waiting_seconds": waiting, "trialproof_stopped": "0",
			`trialproof_witness_cosigns{witness="w1"}`: cosigns, "trialproof_quorum_margin": margin} {
			if got := f.gauge(series); got != want {
				t.Errorf("%s is %q, want %q", series, got, want)
			}
		}
	}
	all("0", "1", "1")
	if got := f.number(`trialproof_clock_ahead_seconds{clock="w1"}`); got != 0 {
		t.Errorf("the clocks are one clock, and differ by %v s", got)
	}

	w.silent.Store(true)
	size := f.log.Size()
	p, s := trialtest.Org("acme", "Acme", "ada")
	envelope, key := trialtest.Sign(t, "registrar", p, s)
	if a := f.post(body(envelope, key)); a.status != 202 {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	f.clock.Add(90 * time.Second)
	for f.gauge("trialproof_quorum_margin") != "0" { // until the witness has failed once
		if t.Context().Err() != nil {
			t.Fatal("it never fails")
		}
	}
	all("90", "0", "0")
	w.silent.Store(false)
	_, err := f.log.Await(t.Context(), size)
	fatal(t, err)
	all("0", "1", "1")

	// The key that ends first counts, and none that has ended, is revoked or has no limits.
	log := func(p trial.Predicate, s []trial.Subject) {
		t.Helper()
		envelope, key := trialtest.Sign(t, "ada", p, s)
		size := f.log.Size()
		if _, err := f.client.Submit(t.Context(), envelope, key); err != nil && !errors.Is(err, client.ErrPending) {
			t.Fatal(err)
		}
		_, err := f.log.Await(t.Context(), size)
		fatal(t, err)
	}
	for who, days := range map[string]int{"bob": 40, "eve": 3, "rex": 1} {
		p, s := trialtest.Enrol("acme", who, "signer")
		p.(*trial.Key).Limits = &trial.KeyLimits{Until: day(f, days)}
		log(p, s)
	}
	revoked := trialtest.Public("rex").ID()
	log(&trial.Key{Common: trialtest.Common(), Action: "revoke", Org: "acme", Revoke: revoked}, trial.NamedSubject("key", revoked))
	const expiry = `trialproof_key_expiry_seconds{org="acme"}`
	first, second := float64(trial.EndOf(day(f, 3)).Std().Unix()), float64(trial.EndOf(day(f, 40)).Std().Unix())
	if got := f.number(expiry); got != first {
		t.Errorf("the first key to end ends at %v, want %v", got, first)
	}
	f.clock.Add(10 * 24 * time.Hour)
	if got := f.number(expiry); got != second {
		t.Errorf("the next key to end ends at %v, want %v", got, second)
	}
	f.clock.Add(90 * 24 * time.Hour)
	if got := f.gauge(expiry); got != "" {
		t.Errorf("no key is left to end, and one ends at %s", got)
	}
	f.close()
	if got := f.gauge("trialproof_stopped"); got != "0" {
		t.Errorf("a log that was closed has stopped: %s", got)
	}
}

// day returns the date so many days after the log's clock.
func day(f *fixture, n int) string { return f.clock.Now().UTC().AddDate(0, 0, n).Format(time.DateOnly) }

// TestGaugesOfReplica: a server that no longer leads says nothing of witnesses, of whom others now
// know more.
func TestGaugesOfReplica(t *testing.T) {
	w, b := new(testWitness), &breakdown{lease: errors.New("cut off")}
	f := newFixture(t, setup{witness: w, log: func(c *logserver.Config) {
		c.Replica = &logserver.Replica{URL: "http://127.0.0.1:1", Lease: 300 * time.Millisecond}
		c.Journal = failingJournal{c.Journal, b}
	}})
	leads := func(want bool) {
		t.Helper()
		for f.log.Leads() != want {
			if t.Context().Err() != nil {
				t.Fatalf("it leads: %v", !want)
			}
		}
	}
	only := []string{"trialproof_quorum_margin", `trialproof_witness_cosigns{witness="w1"}`, "trialproof_waiting_seconds",
		`trialproof_clock_ahead_seconds{clock="w1"}`}
	leads(true)
	for _, series := range only {
		if f.gauge(series) == "" {
			t.Errorf("the leader has no %s", series)
		}
	}
	b.on.Store(true)
	leads(false)
	for _, series := range only {
		if got := f.gauge(series); got != "" {
			t.Errorf("a server that does not lead says %s %s", series, got)
		}
	}
	if f.gauge("trialproof_leader") != "0" || f.gauge("trialproof_stopped") != "0" {
		t.Errorf("leader %s, stopped %s", f.gauge("trialproof_leader"), f.gauge("trialproof_stopped"))
	}
	b.on.Store(false)
}

// TestStopped: a log whose tree does not agree says that it has stopped for good.
func TestStopped(t *testing.T) {
	f := newFixture(t, setup{log: func(c *logserver.Config) { c.Tree = forked{c.Tree} }})
	p, s := trialtest.Org("acme", "Acme", "ada")
	envelope, key := trialtest.Sign(t, "registrar", p, s)
	if a := f.post(body(envelope, key)); a.status < 300 && a.status != 202 {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	for f.log.Err() == nil {
		if t.Context().Err() != nil {
			t.Fatal("it does not stop")
		}
	}
	if f.gauge("trialproof_stopped") != "1" || f.gauge("trialproof_ready") != "0" {
		t.Errorf("stopped %s, ready %s", f.gauge("trialproof_stopped"), f.gauge("trialproof_ready"))
	}
}

// A forked tree has another root than the log's as soon as anything is added behind genesis.
type forked struct{ logserver.Tree }

func (f forked) Head(ctx context.Context) (uint64, [32]byte, error) {
	size, root, err := f.Tree.Head(ctx)
	if size > 2 {
		root[0] ^= 1
	}
	return size, root, err
}

// TestGivenGauges: what the program adds is shown as it is when it is asked for.
func TestGivenGauges(t *testing.T) {
	f := newFixture(t, setup{})
	var last time.Time
	free, wrong := uint64(5<<30), error(nil)
	f.api.metrics.Backup(func() time.Time { return last })
	f.api.metrics.Disk(func() (uint64, uint64, error) { return free, 10 << 30, wrong })
	if got := f.gauge("trialproof_backup_time_seconds"); got != "0" {
		t.Errorf("no backup: %s", got)
	}
	last = time.Unix(1_800_000_000, 0)
	if got := f.number("trialproof_backup_time_seconds"); got != 1_800_000_000 {
		t.Errorf("backup: %v", got)
	}
	if a, b := f.number("trialproof_disk_free_bytes"), f.number("trialproof_disk_size_bytes"); a != 5<<30 || b != 10<<30 {
		t.Errorf("disk: %v of %v", a, b)
	}
	wrong = errors.New("no such folder")
	if got := f.number("trialproof_disk_free_bytes"); got != 0 {
		t.Errorf("a disk that cannot be asked about has %v bytes free", got)
	}
	// A policy without witnesses has no margin.
	if got := f.gauge("trialproof_quorum_margin"); got != "" {
		t.Errorf("margin without witnesses: %s", got)
	}
}
