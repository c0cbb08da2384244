package checkpoint_test

import (
	"fmt"
	"testing"

	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/trialtest"
)

var (
	logKey = trialtest.Cosigner{Key: trialtest.Origin, Alg: 0x01}
	w1     = trialtest.Cosigner{Key: "w1.example/replay", Alg: 0x04, Time: 1_800_000_030}
	w2     = trialtest.Cosigner{Key: "w2.example", Alg: 0x04, Time: 1_800_000_010}
	w3     = trialtest.Cosigner{Key: "w3.example", Alg: 0x06, Time: 1_800_000_020}
)

// policyText is that of a log and three witnesses, of which two must agree.
func policyText() string {
	return fmt.Sprintf("log %s\nwitness w1 %s\nwitness w2 %s\nwitness w3 %s\ngroup g 2 w1 w2 w3\nquorum g\n",
		logKey.VKey(), w1.VKey(), w2.VKey(), w3.VKey())
}

func parsePolicy(t testing.TB, text string) *checkpoint.Policy {
	t.Helper()
	p, err := checkpoint.ParsePolicy([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}
