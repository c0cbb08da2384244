package api

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/trialproof/trialproof/trial/trialtest"
)

func TestLimiter(t *testing.T) {
	clock := &fakeClock{now: trialtest.Start.Std()}
	l := newLimiter(Rate{PerSecond: 2, Burst: 3}, clock.Now)
	take := func(caller string, want time.Duration) {
		t.Helper()
		if got := l.take(caller); got != want {
			t.Errorf("%s waits %v, wanted %v", caller, got, want)
		}
	}
	for range 3 {
		take("a", 0)
	}
	take("a", 500*time.Millisecond)
	take("b", 0) // has its own
	clock.Add(250 * time.Millisecond)
	take("a", 250*time.Millisecond)
	clock.Add(250 * time.Millisecond)
	take("a", 0)
	take("a", 500*time.Millisecond)
	l.giveBack("a")
	take("a", 0)
	clock.Add(time.Hour) // fills to the burst, no more
	for range 3 {
		take("a", 0)
	}
	take("a", 500*time.Millisecond)
	clock.Add(-time.Minute) // a clock set back takes nothing away
	take("a", 500*time.Millisecond)

	var none *limiter
	none.giveBack("a")
	if newLimiter(Rate{}, clock.Now) != nil || none.take("a") != 0 {
		t.Error("the zero rate limits")
	}
	if l := newLimiter(Rate{PerSecond: 1}, clock.Now); l.take("a") != 0 || l.take("a") == 0 {
		t.Error("the zero burst is not 1")
	}
}

func TestLimiterMemory(t *testing.T) {
	clock := &fakeClock{now: trialtest.Start.Std()}
	l := newLimiter(Rate{PerSecond: 1, Burst: 1}, clock.Now)
	l.take("busy")
	for i := range 3 * limiterCallers {
		l.take(fmt.Sprint(i))
		if i%1000 == 0 && l.take("busy") == 0 {
			t.Fatalf("one in use was forgotten after %d others", i)
		}
	}
	if n := len(l.younger) + len(l.older); n > 2*limiterCallers {
		t.Errorf("%d callers are remembered", n)
	}
}

func TestAddressOf(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.1:80": "192.0.2.1", "[::ffff:192.0.2.1]:80": "192.0.2.1", "[2001:db8:0:1:2::3]:80": "2001:db8:0:1::/64",
		"[fe80::1%eth0]:80": "fe80::/64", "@": "@", "": "",
	} {
		if got := addressOf(remote); got != want {
			t.Errorf("%s: %s, wanted %s", remote, got, want)
		}
	}
}

func TestRatePerKey(t *testing.T) {
	f := newFixture(t, setup{limits: Limits{PerKey: Rate{PerSecond: 1, Burst: 2}}})
	p, s := trialtest.Org("acme", "Acme", "ada", "bob")
	f.submit("registrar", p, s)
	p, s = trialtest.Register("X-1")
	envelope, key := trialtest.Sign(t, "ada", p, s)
	// Garbage under ada's key is not ada's.
	forged, _ := trialtest.Sign(t, "bob", p, s)
	for range 5 {
		if a := f.post(body(forged, key)); a.status != 400 || a.wire(t).Rule != "R4" {
			t.Fatalf("forged: status %d, %s", a.status, a.body)
		}
	}
	for range 2 {
		if a := f.post(body(envelope, key)); a.status != 200 {
			t.Fatalf("status %d, %s", a.status, a.body)
		}
	}
	a := f.post(body(envelope, key))
	if a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") != "1" || a.wire(t).Code != "RESOURCE_EXHAUSTED" {
		t.Errorf("status %d, %s, header %v", a.status, a.body, a.header)
	}
	_, err := f.grpc.Submit(t.Context(), message(t, envelope, key))
	if st := status.Convert(err); st.Code() != codes.ResourceExhausted || len(st.Details()) != 1 ||
		st.Details()[0].(*errdetails.RetryInfo).RetryDelay.AsDuration() != time.Second {
		t.Errorf("gRPC: %v", err)
	}
	other, otherKey := trialtest.Sign(t, "bob", p, s)
	if a := f.post(body(other, otherKey)); a.status == http.StatusTooManyRequests {
		t.Error("one key's rate limits another")
	}
	f.clock.Add(time.Second)
	if a := f.post(body(envelope, key)); a.status != 200 {
		t.Errorf("a second later: status %d, %s", a.status, a.body)
	}
}

func TestRatePerAddress(t *testing.T) {
	f := newFixture(t, setup{limits: Limits{PerAddress: Rate{PerSecond: 1, Burst: 1}}})
	if a := f.post("{}"); a.status != 400 {
		t.Fatalf("status %d", a.status)
	}
	for _, header := range []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded"} { // none is trusted
		a := f.send("POST", "/v1/statements", body([]byte(`{"payload":"","payloadType":"","signatures":[{"keyid":"","sig":""}]}`), nil),
			"Content-Type", "application/json", header, "192.0.2.7")
		if a.status != http.StatusTooManyRequests {
			t.Errorf("%s: status %d, %s", header, a.status, a.body)
		}
	}
	f.clock.Add(time.Second)
	p, s := trialtest.Org("acme", "Acme", "ada")
	envelope, key := trialtest.Sign(t, "registrar", p, s)
	if a := f.post(body(envelope, key)); a.status != 200 { // is counted once
		t.Errorf("a second later: status %d, %s", a.status, a.body)
	}
	f.clock.Add(time.Second)
	for _, want := range []codes.Code{codes.OK, codes.ResourceExhausted} {
		if _, err := f.grpc.Submit(t.Context(), message(t, envelope, key)); status.Code(err) != want {
			t.Errorf("gRPC: %v, wanted %v", err, want)
		}
	}
}

func TestSubmissionsAtOnce(t *testing.T) {
	f := newFixture(t, setup{limits: Limits{Submissions: 1}})
	p, s := trialtest.Org("acme", "Acme", "ada")
	envelope, key := trialtest.Sign(t, "registrar", p, s)
	f.api.service.submitting <- struct{}{}
	if a := f.post(body(envelope, key)); a.status != 503 || a.header.Get("Retry-After") == "" {
		t.Errorf("status %d, %s", a.status, a.body)
	}
	<-f.api.service.submitting
	for range 2 {
		if a := f.post(body(envelope, key)); a.status != 200 {
			t.Errorf("status %d, %s", a.status, a.body)
		}
	}
}
