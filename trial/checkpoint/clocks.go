package checkpoint

import (
	"fmt"
	"strings"
	"time"
)

// MaxSkew is how far honest clocks may differ.
const MaxSkew = 5 * time.Minute

// Clocks names, in whole sentences, the witnesses whose cosignatures cannot all have the right
// time: those stamped later than now, which is the reader's clock, and those made before the
// time of the tree's last entry. It does not say whose clock is wrong. Differences up to
// MaxSkew are ignored.
func (c *Checkpoint) Clocks(last, now time.Time) []string {
	var ahead, before []string
	for _, s := range c.Cosignatures {
		name := c.policy.Witnesses[s.Witness].Label
		if d := s.Time.Sub(now.Round(0)); d > MaxSkew {
			ahead = append(ahead, fmt.Sprintf("%s by %s", name, d.Round(time.Second)))
		}
		if d := last.Sub(s.Time); d > MaxSkew {
			before = append(before, fmt.Sprintf("%s by %s", name, d.Round(time.Second)))
		}
	}
	var said []string
	if len(ahead) > 0 {
		said = append(said, fmt.Sprintf("cosignatures are stamped ahead of this machine's clock (%s UTC): %s: "+
			"either it or the witness's clock is wrong",
			now.UTC().Format(time.DateTime), strings.Join(ahead, ", ")))
	}
	if len(before) > 0 {
		said = append(said, fmt.Sprintf("witnesses saw the tree before the time of its last entry (%s UTC): %s: "+
			"the log's clock was ahead, or the witness's is behind",
			last.UTC().Format(time.DateTime), strings.Join(before, ", ")))
	}
	return said
}
