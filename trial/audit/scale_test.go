//go:build unix

package audit_test

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/trialproof/trialproof/trial/audit"
	"github.com/trialproof/trialproof/trial/checkpoint"
)

// A folder is a source of files as deploy/biglog writes them.
type folder string

func (f folder) Checkpoint(context.Context) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(f), "checkpoint"))
}

func (f folder) Tile(_ context.Context, path string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(f), filepath.FromSlash(path)))
}

// BenchmarkFolder audits the log in the folder that TRIALPROOF_BIGLOG names, which
// deploy/biglog made, and reports the most memory that the process used. It also reports the
// rate of Ed25519 verification alone on the same cores, before and after.
//
//	go run ./deploy/biglog -n 1000000 -dir /tmp/big
//	TRIALPROOF_BIGLOG=/tmp/big go test ./trial/audit -run '^$' -bench Folder -benchtime 1x
func BenchmarkFolder(b *testing.B) {
	dir := os.Getenv("TRIALPROOF_BIGLOG")
	if dir == "" {
		b.Skip("TRIALPROOF_BIGLOG names no folder")
	}
	text, err := os.ReadFile(filepath.Join(dir, "policy"))
	if err != nil {
		b.Fatal(err)
	}
	policy, err := checkpoint.ParsePolicy(text)
	if err != nil {
		b.Fatal(err)
	}
	raw := verifications(b)
	b.ResetTimer()
	entries := uint64(0)
	for range b.N {
		a := audit.New(policy, folder(dir))
		r, err := a.Run(b.Context())
		if err != nil || len(r.Findings) > 0 {
			b.Fatal(err, r)
		}
		entries += a.Size()
	}
	b.StopTimer()
	rate := float64(entries) / b.Elapsed().Seconds()
	raw = (raw + verifications(b)) / 2
	b.ReportMetric(rate, "entries/s")
	b.ReportMetric(raw, "verifications/s")
	b.ReportMetric(rate/raw, "ratio")
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(use.Maxrss)/1024, "MiB-peak")
}
