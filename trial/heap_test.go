package trial_test

import (
	"crypto/sha256"
	"encoding/binary"
	"runtime"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// BenchmarkConsents measures the heap that a state with a million consents takes, in bytes for
// each: go test ./trial -bench Consents -benchtime 1x -run xxx
func BenchmarkConsents(b *testing.B) {
	const n = 1_000_000
	for b.Loop() {
		l := trialtest.NewLog(b)
		before := heap()
		records := l.State.Records()
		for i := range n {
			id := trial.Hash(sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i))))
			r := &trial.ConsentRecord{Agents: []string{"site-a"}, ID: id, Index: uint64(i), Kind: "consent", Lock: id, Org: "site-a", To: "lab",
				Until: "2027-06"}
			r.Entries.Add(uint64(i), id)
			records = append(records, r)
		}
		s := trial.Grown(l.State, records)
		records = nil
		b.ReportMetric(float64(heap()-before)/n, "B/consent")
		runtime.KeepAlive(s)
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
