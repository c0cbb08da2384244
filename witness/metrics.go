package witness

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// The Prometheus text format is written by hand: a dozen families need no library, and the
// daemon stays small enough for those who must trust it to read it completely.

type ledgerCounts struct {
	cosigned, refused, failed, forks atomic.Int64
}

// answerCounts counts add-checkpoint answers by status. The zero value is ready.
type answerCounts struct {
	mu sync.Mutex // guards n
	n  map[int]int64
}

func (c *answerCounts) add(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = make(map[int]int64)
	}
	c.n[status]++
}

func (w *Witness) serveMetrics(rw http.ResponseWriter, r *http.Request) {
	var b strings.Builder
	family := func(name, kind, help string) {
		fmt.Fprintf(&b, "# HELP trialwitness_%s %s\n# TYPE trialwitness_%s %s\n", name, help, name, kind)
	}
	origins := w.origins()
	perLog := func(name, kind, help string, value func(*ledger) int64) {
		family(name, kind, help)
		for _, origin := range origins {
			fmt.Fprintf(&b, "trialwitness_%s{origin=\"%s\"} %d\n", name, escapeLabel(origin), value(w.ledgers[origin]))
		}
	}

	family("answers_total", "counter", "Answers to add-checkpoint by HTTP status.")
	w.answers.mu.Lock()
	statuses := make([]int, 0, len(w.answers.n))
	for status := range w.answers.n {
		statuses = append(statuses, status)
	}
	slices.Sort(statuses)
	for _, status := range statuses {
		fmt.Fprintf(&b, "trialwitness_answers_total{status=\"%d\"} %d\n", status, w.answers.n[status])
	}
	w.answers.mu.Unlock()

	perLog("size", "gauge", "Size of the newest cosigned checkpoint.", func(l *ledger) int64 { return l.newest.Load().cp.size })
	perLog("cosignature_time_seconds", "gauge", "Time of the newest cosignature.", func(l *ledger) int64 { return l.newest.Load().time })
	perLog("cosigned_total", "counter", "Cosignatures given.", func(l *ledger) int64 { return l.counts.cosigned.Load() })
	perLog("refused_total", "counter", "Refusals of checkpoints the log signed.", func(l *ledger) int64 { return l.counts.refused.Load() })
	perLog("write_failures_total", "counter", "Records that could not be written.", func(l *ledger) int64 { return l.counts.failed.Load() })
	perLog("forks", "gauge", "Pieces of fork evidence kept. Anything but 0 is an alarm.",
		func(l *ledger) int64 { return l.counts.forks.Load() })

	if w.CertificateExpires != nil {
		family("certificate_expiry_seconds", "gauge", "When the certificate that is served expires, in seconds since 1970.")
		fmt.Fprintf(&b, "trialwitness_certificate_expiry_seconds %d\n", w.CertificateExpires().Unix())
	}

	if w.Bastion != nil {
		s := w.Bastion.State()
		connected := 0
		if s.Connected {
			connected = 1
		}
		family("bastion_connected", "gauge", "1 if logs reach this witness through its bastion, 0 if it is cut off.")
		fmt.Fprintf(&b, "trialwitness_bastion_connected %d\n", connected)
		family("bastion_connections_total", "counter", "Connections made to the bastion.")
		fmt.Fprintf(&b, "trialwitness_bastion_connections_total %d\n", s.Connections)
	}

	rw.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	rw.Write([]byte(b.String()))
}

func escapeLabel(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s)
}
