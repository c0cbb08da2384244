package main

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestAuditNamesClocks: two of three witnesses stamp an hour ahead. The audit finds
// nothing wrong with the log, and names them.
func TestAuditNamesClocks(t *testing.T) {
	t.Parallel()
	o := newOperator(t, 2, "c1", "c2", "c3")
	o.document("1.0")
	signers := []note.Signer{o.key}
	for name, ahead := range map[string]time.Duration{"c1": time.Hour, "c2": 2 * time.Hour, "c3": 0} {
		w := colluder(name)
		w.Time = uint64(time.Now().Add(ahead).Unix())
		signers = append(signers, w)
	}
	o.published = trialtest.Checkpoint(t, o.log.Tree(o.log.Size()), signers...)
	var stdout, stderr strings.Builder
	status := run(t.Context(), []string{"audit", "-log", o.http.URL, "-policy", o.policy}, nil, &stdout, &stderr)
	if status != 0 || !strings.Contains(stderr.String(), "clocks differ: cosignatures are stamped ahead of this machine's clock") ||
		!strings.Contains(stderr.String(), "c1 by ") || !strings.Contains(stderr.String(), "c2 by ") || strings.Contains(stderr.String(),
		"c3 by") {
		t.Fatalf("status %d\n%s%s", status, &stdout, &stderr)
	}
}
