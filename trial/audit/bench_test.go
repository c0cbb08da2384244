package audit_test

import (
	"crypto/ed25519"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/audit"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// BenchmarkReplay audits a log of 20,000 entries of about 1.4 kB, the size of a document
// statement with four subjects. It also reports the rate of Ed25519 verification alone on the
// same cores in the same run.
func BenchmarkReplay(b *testing.B) {
	l := trialtest.NewLog(b)
	id := open(l)
	bytes := 0
	for n := range 20_000 {
		p := &trial.Document{Common: trialtest.Common(), Trial: id, Version: fmt.Sprint(n)}
		l.Admit("ada", p, trialtest.Documents("document", fmt.Sprint(n), "a", "b", "c"))
		bytes += len(l.Leaves[len(l.Leaves)-1])
		if n%256 == 255 {
			l.Close()
		}
	}
	l.Close()
	src := newSource(b, l)
	raw := verifications(b)
	b.ResetTimer()
	for range b.N {
		a := audit.New(src.policy, src)
		if r, err := a.Run(b.Context()); err != nil || len(r.Findings) > 0 {
			b.Fatal(err, r)
		}
	}
	rate := float64(l.Size()) * float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(rate, "entries/s")
	b.ReportMetric(raw, "verifications/s")
	b.ReportMetric(rate/raw, "ratio")
	b.ReportMetric(float64(bytes)/20_000, "B/entry")
}

// verifications returns how many Ed25519 signatures over a statement's bytes all
// cores verify in a second.
func verifications(b *testing.B) float64 {
	key := trialtest.Key("ada")
	message := make([]byte, 800)
	sig, err := trial.SignBytes(key, message)
	if err != nil {
		b.Fatal(err)
	}
	pub := key.Public().(ed25519.PublicKey)
	const each = 10_000
	start := time.Now()
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for range each {
				if !ed25519.Verify(pub, message, sig) {
					panic("the signature does not verify")
				}
			}
		})
	}
	wg.Wait()
	return each * float64(runtime.GOMAXPROCS(0)) / time.Since(start).Seconds()
}
