package logserver_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// BenchmarkSubmit measures statements answered with verified receipts, in this process, with
// two of three witnesses. Clients sign, so signing is done before the measurement.
func BenchmarkSubmit(b *testing.B) {
	for _, clients := range []int{1, 64, 256} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			f := newFixture(b)
			f.witnesses(3, 2)
			f.create()
			l, stop := f.open()
			defer stop()
			waitReady(b, l)
			p, s := trialtest.Org("acme", "Acme", "ada")
			f.submit(l, "registrar", p, s)
			trials := make([]trial.Hash, clients)
			for i := range trials {
				p, s := trialtest.Register(fmt.Sprint("X-", i))
				trials[i] = f.submit(l, "ada", p, s).ID
			}
			envelopes := make([][]byte, b.N)
			key := trialtest.Public("ada").SPKI()
			for i := range envelopes {
				p := &trial.Document{Common: trialtest.Common(), Trial: trials[i%clients], Version: fmt.Sprint(i)}
				envelopes[i], _ = trialtest.Sign(b, "ada", p, trialtest.Documents("document", fmt.Sprint(i), "a", "b"))
			}
			var next atomic.Int64
			var wg sync.WaitGroup
			size := l.Size()
			b.ResetTimer()
			for range clients {
				wg.Go(func() {
					for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
						if _, err := l.Submit(b.Context(), envelopes[i], key); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "receipts/s")
			// Each batch adds a state entry.
			b.ReportMetric(float64(b.N)/float64(l.Size()-size-uint64(b.N)), "entries/batch")
		})
	}
}
