package receipt_test

import (
	"strings"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestClockAhead: an entry stamped later than witnesses saw it is said to be so.
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

// TestSplit: quorums of which two sets without a common member suffice.
func TestSplit(t *testing.T) {
	head := "witness a " + w1.VKey() + "\nwitness b " + w2.VKey() + "\nwitness c " + w3.VKey() + "\n"
	for quorum, want := range map[string]bool{
		"quorum none": false, "quorum a": false, "group g any a b\nquorum g": true, "group g 1 a b c\nquorum g": true,
		"group g 2 a b c\nquorum g": false, "group g all a b c\nquorum g": false,
		"group h any b c\ngroup g all a h\nquorum g": false, "group h all b c\ngroup g any a h\nquorum g": true,
	} {
		if got := parsePolicy(t, head+quorum+"\n").Split(); got != want {
			t.Errorf("%s: %v, want %v", quorum, got, want)
		}
	}
}
