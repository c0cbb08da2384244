package checkpoint_test

import (
	"fmt"
	"math/bits"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/checkpoint"
)

// TestMargin compares the margin of every set of witnesses with what trying every loss says.
func TestMargin(t *testing.T) {
	const n = 6
	var lines strings.Builder
	for i := range n {
		fmt.Fprintf(&lines, "witness w%d %s\n", i, witnessVKey(i))
	}
	for _, quorum := range []string{
		"quorum w0\n",
		"group g all w0 w1 w2 w3 w4 w5\nquorum g\n",
		"group g any w0 w1 w2 w3 w4 w5\nquorum g\n",
		"group g 2 w0 w1 w2\nquorum g\n",
		"group g 4 w0 w1 w2 w3 w4 w5\nquorum g\n",
		"group a 2 w0 w1 w2\ngroup b any w3 w4\ngroup g all a b\nquorum g\n",
		"group a 2 w0 w1 w2\ngroup b all w3 w4\ngroup g 2 a b w5\nquorum g\n",
	} {
		p, err := checkpoint.ParsePolicy([]byte(lines.String() + quorum))
		if err != nil {
			t.Fatal(err)
		}
		in := func(set int) func(int) bool { return func(w int) bool { return set>>w&1 == 1 } }
		for set := range 1 << n {
			want := n + 1
			for lost := range 1 << n {
				if lost&^set == 0 && !p.Satisfied(in(set&^lost)) {
					want = min(want, bits.OnesCount(uint(lost)))
				}
			}
			if got := p.Margin(in(set)); got != want {
				t.Errorf("%q of witnesses %b: margin %d, want %d", quorum, set, got, want)
			}
		}
	}
	p, err := checkpoint.ParsePolicy([]byte("quorum none\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Margin(func(int) bool { return false }); got != -1 {
		t.Errorf("no witness: margin %d", got)
	}
}
