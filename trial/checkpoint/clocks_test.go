package checkpoint_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestClocks: whoever is wrong, the witnesses whose times differ are named.
func TestClocks(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	log := trialtest.Cosigner{Key: trialtest.Origin, Alg: 1}
	for _, test := range []struct {
		last  time.Duration // of the last entry against now
		stamp [3]time.Duration
		want  []string
	}{
		{0, [3]time.Duration{0, time.Minute, -time.Minute}, nil},
		{-24 * time.Hour, [3]time.Duration{0, 0, 0}, nil},
		{0, [3]time.Duration{time.Hour, 2 * time.Hour, 0}, []string{"ahead of this machine's clock", "w1 by 1h0m0s, w2 by 2h0m0s:"}},
		{time.Hour, [3]time.Duration{time.Hour, time.Hour, 0}, []string{"w1 by 1h0m0s, w2 by 1h0m0s:",
			"before the time of its last entry (2026-05-01 13:00:00 UTC): w3 by 1h0m0s:"}},
		{-time.Hour, [3]time.Duration{-time.Hour, -time.Hour, -3 * time.Hour}, []string{"w3 by 2h0m0s:"}},
	} {
		signers, policy := []note.Signer{log}, "log "+log.VKey()+"\n"
		for i, d := range test.stamp {
			w := trialtest.Cosigner{Key: fmt.Sprintf("w%d.example", i+1), Alg: 4, Time: uint64(now.Add(d).Unix())}
			signers = append(signers, w)
			policy += fmt.Sprintf("witness w%d %s\n", i+1, w.VKey())
		}
		p, err := checkpoint.ParsePolicy([]byte(policy + "group g 2 w1 w2 w3\nquorum g\n"))
		if err != nil {
			t.Fatal(err)
		}
		l := trialtest.NewLog(t)
		cp, err := p.Open(trialtest.Checkpoint(t, l.Tree(l.Size()), signers...))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Join(cp.Clocks(now.Add(test.last), now), "\n")
		if len(test.want) == 0 && text != "" {
			t.Errorf("%v: %q", test, text)
		}
		for _, want := range test.want {
			if !strings.Contains(text, want) {
				t.Errorf("%v: %q lacks %q", test, text, want)
			}
		}
	}
}
