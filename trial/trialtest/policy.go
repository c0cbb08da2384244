package trialtest

import (
	"fmt"
	"testing"

	"github.com/trialproof/trialproof/trial/checkpoint"
)

// LogKey is the key of the logs in tests. W1 to W3 are witnesses of it: one that replays, one
// that does not, and one with an ML-DSA-44 key.
var (
	LogKey = Cosigner{Key: Origin, Alg: 0x01}
	W1     = Cosigner{Key: "w1.example/replay", Alg: 0x04, Time: 1_800_000_030}
	W2     = Cosigner{Key: "w2.example", Alg: 0x04, Time: 1_800_000_010}
	W3     = Cosigner{Key: "w3.example", Alg: 0x06, Time: 1_800_000_020}
)

// PolicyText returns a policy of that log, under which two of the three witnesses must agree.
func PolicyText() string {
	return fmt.Sprintf("log %s\nwitness w1 %s\nwitness w2 %s\nwitness w3 %s\ngroup g 2 w1 w2 w3\nquorum g\n",
		LogKey.VKey(), W1.VKey(), W2.VKey(), W3.VKey())
}

// ParsePolicy parses a policy, which must be valid.
func ParsePolicy(t testing.TB, text string) *checkpoint.Policy {
	t.Helper()
	p, err := checkpoint.ParsePolicy([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}
