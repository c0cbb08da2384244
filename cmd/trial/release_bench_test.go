package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/trial"
)

// TestReleaseRate measures releases a second by 64 clients, on SQLite with three replaying
// witnesses of which two must agree, and how long a release of 150 consents takes:
//
//	TRIALPROOF_TEST_LARGE=1 go test ./cmd/trial -run ReleaseRate -v
func TestReleaseRate(t *testing.T) {
	if os.Getenv("TRIALPROOF_TEST_LARGE") == "" {
		t.Skip("a measurement: set TRIALPROOF_TEST_LARGE=1")
	}
	const clients, each = 64, 20
	c := newClinic(t, "")
	data, err := os.ReadFile(filepath.Join(c.dir, "site-a.key"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := trial.ParseKeyFile(data)
	if err != nil {
		t.Fatal(err)
	}
	recipient, err := os.ReadFile(filepath.Join(c.dir, "lab.recipient"))
	if err != nil {
		t.Fatal(err)
	}
	to := trial.RecipientID("lab", string(recipient[:len(recipient)-1]))
	common := func(i int) trial.Common {
		return trial.Common{Log: "log.example/trials", Meaning: "responsibility", SignedAt: trial.TimeOf(time.Now()) - trial.Time(i)}
	}
	submit := func(cl *client.Client, p trial.Predicate, subjects []trial.Subject) trial.Hash {
		payload, err := (&trial.Statement{Predicate: p, Subjects: subjects}).Marshal()
		if err != nil {
			t.Error(err)
			return trial.Hash{}
		}
		envelope, err := trial.Sign(payload, key.Signer)
		if err == nil {
			_, err = cl.Submit(t.Context(), envelope, key.Public.SPKI())
		}
		if err != nil {
			t.Error(err)
		}
		return trial.StatementID(payload)
	}
	handles := make([][]trial.Hash, clients)
	run := func(do func(cl *client.Client, i, j int)) time.Duration {
		var wg sync.WaitGroup
		start := time.Now()
		for i := range clients {
			wg.Go(func() {
				cl, err := client.New(c.log.url)
				if err != nil {
					t.Error(err)
					return
				}
				for j := range each {
					do(cl, i, j)
				}
			})
		}
		wg.Wait()
		return time.Since(start)
	}
	granted := run(func(cl *client.Client, i, j int) {
		p := &trial.Consent{Common: common(i*each + j), Action: "grant", Agents: []string{"site-a"}, Elements: trial.Hash{1}, Lock: trial.Hash{byte(i), byte(j), 1},
			Org: "site-a", To: "lab"}
		handles[i] = append(handles[i], submit(cl, p, []trial.Subject{{Name: "consent", Digest: trial.Digest{Salted256: trial.Hash{byte(i), byte(j), 1}}}}))
	})
	released := run(func(cl *client.Client, i, j int) {
		list := []trial.Released{{Consent: handles[i][j], Package: trial.Hash{byte(i), byte(j), 2}}}
		submit(cl, &trial.Access{Common: common(0), Action: "release", Consents: list, Recipient: to}, trial.NamedSubject("release", trial.ReleaseDigest(list)))
	})
	cl, err := client.New(c.log.url)
	if err != nil {
		t.Fatal(err)
	}
	var many []trial.Released
	for _, list := range handles {
		for _, h := range list {
			if len(many) < 150 {
				many = append(many, trial.Released{Consent: h, Package: trial.Hash{3}})
			}
		}
	}
	slices.SortFunc(many, func(a, b trial.Released) int { return bytes.Compare(a.Consent[:], b.Consent[:]) })
	start := time.Now()
	submit(cl, &trial.Access{Common: common(0), Action: "release", Consents: many, Recipient: to}, trial.NamedSubject("release", trial.ReleaseDigest(many)))
	fmt.Printf("%d grants: %.0f/s; %d releases: %.0f/s; one release of %d consents: %d ms\n", clients*each, clients*each/granted.Seconds(), clients*each,
		clients*each/released.Seconds(), len(many), time.Since(start).Milliseconds())
}

// TestManyConsents: what is entitled is released in as many statements as it needs.
//
//	TRIALPROOF_TEST_LARGE=1 go test ./cmd/trial -run ManyConsents
func TestManyConsents(t *testing.T) {
	if os.Getenv("TRIALPROOF_TEST_LARGE") == "" {
		t.Skip("151 consents: set TRIALPROOF_TEST_LARGE=1")
	}
	c := newClinic(t, "")
	c.patient("P-001", observation("a"))
	for i := range trial.MaxReleased {
		c.trialCmd("consent give", "-key", "site-a.key", "-subject", "P-001", "-data", "Observation", "-use", "DUO:0000042", "-to", "lab", "-agents", "site-a",
			"-slip", fmt.Sprintf("%d.html", i), "-batch", "day")
	}
	c.trialCmd("consent give", "-key", "site-a.key", "-batch", "day")
	c.copyTo("site-a", "*.grant")
	if _, out, status := c.release(); status != 0 {
		t.Fatalf("%d: %s", status, out)
	}
	for pattern, want := range map[string]int{"*.package": trial.MaxReleased + 1, "access-*.tlog-proof": 2} {
		if names, _ := filepath.Glob(filepath.Join(c.dir, "site-a", pattern)); len(names) != want {
			t.Errorf("%d %s, not %d", len(names), pattern, want)
		}
	}
}
