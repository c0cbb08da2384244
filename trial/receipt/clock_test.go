package receipt_test

import (
	"strings"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestClockAhead: a verdict says if an entry is stamped later than witnesses saw it.
func TestClockAhead(t *testing.T) {
	f := genuine(t)
	tree := f.log.Tree(f.log.Size())
	for _, c := range []struct {
		before time.Duration
		ahead  bool
	}{{0, false}, {4 * time.Minute, false}, {time.Hour, true}} {
		early := w1
		early.Time = uint64(trialtest.Start.Std().Add(-c.before).Unix())
		second := w2
		second.Time = early.Time
		v, err := receipt.Verify(parsePolicy(t, policyText()), f.receipt(t, tree, early, second))
		if err != nil {
			t.Fatal(err)
		}
		if v.ClockAhead() != c.ahead || strings.Contains(v.Text(), "NOT TO BE BELIEVED") != c.ahead {
			t.Errorf("seen %v before the entry's time: ahead %v, want %v", c.before, v.ClockAhead(), c.ahead)
		}
	}
}
