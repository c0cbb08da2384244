package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

const secret = "known to the servers of the log"

// newPair returns a log's leader and a server that follows it, over the same stores.
func newPair(t *testing.T, limits Limits) (leader, follower *fixture) {
	t.Helper()
	var handler atomic.Pointer[http.Handler]
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*handler.Load()).ServeHTTP(w, r) }))
	t.Cleanup(front.Close)
	var cfg logserver.Config
	leader = newFixture(t, setup{limits: limits, secret: secret, log: func(c *logserver.Config) {
		c.Replica = &logserver.Replica{URL: front.URL, Lease: 500 * time.Millisecond}
		cfg = *c
	}})
	h := leader.api.HTTP()
	handler.Store(&h)
	await(t, "a leader", func() bool { return leader.get("/readyz").status == http.StatusOK && leader.log.Leads() })

	metrics := NewMetrics()
	cfg.Metrics, cfg.Replica = metrics, &logserver.Replica{URL: "http://127.0.0.1:1", Lease: 500 * time.Millisecond}
	l, err := logserver.Open(t.Context(), cfg)
	fatal(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		fatal(t, l.Close(ctx))
	})
	f := *leader
	f.log = l
	f.api, err = New(Config{Log: l, Policy: f.text, Metrics: metrics, Secret: secret, Now: f.clock.Now})
	fatal(t, err)
	f.http = httptest.NewServer(f.api.HTTP())
	t.Cleanup(f.http.Close)
	await(t, "a follower", func() bool { return f.get("/readyz").status == http.StatusOK && !f.log.Leads() })
	return leader, &f
}

// TestPassedOn: what is sent to a server that follows is answered as the leader answers it.
func TestPassedOn(t *testing.T) {
	a, b := newPair(t, Limits{})
	a.enrol()
	p, s := trialtest.Register("X-7")
	envelope, key := trialtest.Sign(t, "ada", p, s)
	first := b.post(body(envelope, key))
	if first.status != http.StatusOK {
		t.Fatalf("status %d: %s", first.status, first.body)
	}
	if again := a.post(body(envelope, key)); again.body != first.body {
		t.Errorf("the leader answers %s, the follower answered %s", again.body, first.body)
	}
	if b.log.Size() != a.log.Size() {
		t.Errorf("the follower answered and shows size %d of %d", b.log.Size(), a.log.Size())
	}
	// Refusals, with their rule, status and words; those of the form without asking the leader.
	common := trialtest.Common()
	common.SignedAt--
	for name, c := range map[string]string{
		"not enrolled": body(trialtest.Sign(t, "eve", &trial.Registration{Common: common, Number: "X-6", Org: "acme"}, trial.NumberSubject("X-6"))),
		"taken":        body(trialtest.Sign(t, "ada", &trial.Registration{Common: common, Number: "X-7", Org: "acme"}, s)),
		"malformed":    `{"envelope":{},"key":""}`,
	} {
		x, y := a.post(c), b.post(c)
		if x.status != y.status || x.body != y.body || x.status < 400 {
			t.Errorf("%s: the leader answers %d %s, the follower %d %s", name, x.status, x.body, y.status, y.body)
		}
	}
	// Nothing is passed on twice.
	p, s = trialtest.Register("X-8")
	envelope, key = trialtest.Sign(t, "ada", p, s)
	if got := b.send("POST", "/v1/statements", body(envelope, key), "Content-Type", "application/json", passedOnHeader, "x"); got.status != 503 ||
		got.header.Get("Retry-After") == "" {
		t.Errorf("passed on to a server that does not lead: %d %s", got.status, got.body)
	}
	if a := b.get("/"); !strings.Contains(a.body, "passes new statements on to") {
		t.Error("the page does not say that this server follows")
	}
	if a := a.get("/"); !strings.Contains(a.body, "this one leads") {
		t.Error("the page does not say that this server leads")
	}
}

// TestPassedOnLimits: the leader does not count again what another server has counted, and
// believes nobody else who says so.
func TestPassedOnLimits(t *testing.T) {
	a, b := newPair(t, Limits{PerAddress: Rate{PerSecond: 1e-9, Burst: 4}})
	a.enrol() // takes two or three
	for i := range 6 {
		p, s := trialtest.Register("Y-" + string(rune('0'+i)))
		envelope, key := trialtest.Sign(t, "ada", p, s)
		if got := b.post(body(envelope, key)); got.status != http.StatusOK {
			t.Fatalf("submission %d by way of the other server: %d %s", i, got.status, got.body)
		}
	}
	limited := 0
	for i := range 6 {
		p, s := trialtest.Register("Z-" + string(rune('0'+i)))
		envelope, key := trialtest.Sign(t, "ada", p, s)
		if a.send("POST", "/v1/statements", body(envelope, key), "Content-Type", "application/json", passedOnHeader, "not the secret").status == 429 {
			limited++
		}
	}
	if limited == 0 {
		t.Error("whoever says that a server has passed it on escapes the limit")
	}
}
