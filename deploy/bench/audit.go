package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/receipt"
)

// Audits say how fast what was logged is checked.
type Audits struct {
	Conditions
	Entries   int     `json:"entries"`
	PerSecond float64 `json:"entries_per_second"`
	// Raw is the mean of Ed25519 verifications on all cores before and after the audit.
	Raw    float64 `json:"ed25519_around"`
	CPU    float64 `json:"cpu_ms"` // of the auditor, an entry
	Memory int64   `json:"memory"` // at most
	RawCPU float64 `json:"ed25519_around_cpu_ms"`
	// Middle is the median share of Raw that several audits reach, each compared with Raw around it.
	Middle float64   `json:"ratio"`
	Ratios []float64 `json:"ratios"`

	Receipts          int     `json:"receipts"`
	ReceiptsPerSecond float64 `json:"receipts_per_second"`
	ReceiptRaw        float64 `json:"receipts_ed25519_around"`
	// Signatures is how many signatures all receipts have, each distinct one counted once.
	Signatures int `json:"signatures"`
}

// bigLog makes the files of a large log, or uses those of an earlier part.
func (b *bench) bigLog(ctx context.Context, n int) (string, error) {
	dir := filepath.Join(b.logs, fmt.Sprint("big", n))
	if _, err := os.Stat(filepath.Join(dir, "checkpoint")); err == nil {
		return dir, nil
	}
	b.tell("making a log of %d entries", n)
	_, err := b.run(ctx, b.tmp, filepath.Join(b.bin, "biglog"), "-n", fmt.Sprint(n), "-dir", dir)
	return dir, err
}

// audits measures trial audit on a large log, and the verification of receipts.
func (b *bench) audits(ctx context.Context) error {
	n := slices.Max(b.sizes)
	dir, err := b.bigLog(ctx, n)
	if err != nil {
		return err
	}
	a := &Audits{Entries: n}
	err = measure(&a.Conditions, func() error {
		p, err := b.serve(ctx, "biglog", b.tmp, filepath.Join(b.bin, "biglog"), "-dir", dir, "-serve", "127.0.0.1:0")
		if err != nil {
			return err
		}
		var cpus, raws, rates []float64
		for range 3 {
			before, cpuBefore := verifications(time.Second)
			took, cpu, memory, err := b.timed(ctx, filepath.Join(b.bin, "trial"), "audit", "-log", p.url, "-policy", filepath.Join(dir, "policy"))
			if err != nil {
				return err
			}
			after, cpuAfter := verifications(time.Second)
			raw, rate := (before+after)/2, float64(n)/took.Seconds()
			raws, rates, a.Ratios = append(raws, raw), append(rates, rate), append(a.Ratios, rate/raw)
			cpus = append(cpus, 1000*cpu.Seconds()/float64(n))
			a.RawCPU += (cpuBefore + cpuAfter) / 6
			a.Memory = max(a.Memory, memory)
			b.tell("audit: %.0f entries/s, %.2f of %.0f Ed25519 verifications/s; %.3f ms of processor time, a verification takes %.3f", rate,
				rate/raw, raw,
				cpus[len(cpus)-1], (cpuBefore+cpuAfter)/2)
		}
		a.PerSecond, a.Raw, a.Middle, a.CPU = median(rates), median(raws), median(a.Ratios), median(cpus)
		return b.verify(ctx, a)
	})
	b.results.Audits = a
	return err
}

// timed runs a command and returns how long it took, its processor time and the most memory it had.
func (b *bench) timed(ctx context.Context, args ...string) (took, cpu time.Duration, memory int64, err error) {
	p, err := b.start(filepath.Base(args[0]), b.tmp, args...)
	if err != nil {
		return 0, 0, 0, err
	}
	start := time.Now()
	for running := true; running; {
		select {
		case <-p.ended:
			running = false
		case <-ctx.Done():
			return 0, 0, 0, ctx.Err()
		case <-time.After(20 * time.Millisecond):
			memory = max(memory, memoryOf(p.cmd.Process.Pid, true))
		}
	}
	state := p.cmd.ProcessState
	if !state.Success() {
		return 0, 0, 0, fmt.Errorf("%s: %s", p.name, lastLines(p.words()))
	}
	return time.Since(start), state.UserTime() + state.SystemTime(), memory, nil
}

func median(list []float64) float64 {
	s := slices.Sorted(slices.Values(list))
	return s[len(s)/2]
}

// verify measures how fast receipts are verified offline.
func (b *bench) verify(ctx context.Context, a *Audits) error {
	o, err := b.newLog(ctx, nil, 1)
	if err != nil {
		return err
	}
	if _, err := o.trial(ctx, "load", "-log", o.logs[0].url, "-key", o.key, "-c", "64", "-d", "5s", "-keep", "receipts"); err != nil {
		return err
	}
	data, err := os.ReadFile(filepath.Join(o.dir, "receipts"))
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(o.dir, "policy"))
	if err != nil {
		return err
	}
	policy, err := checkpoint.ParsePolicy(text)
	if err != nil {
		return err
	}
	list := bytes.Split(bytes.TrimSuffix(data, []byte{0}), []byte{0})
	checkpoints := map[string]bool{}
	for _, r := range list {
		parsed, err := receipt.Parse(r)
		if err != nil {
			return err
		}
		a.Signatures++
		if !checkpoints[string(parsed.Checkpoint)] {
			checkpoints[string(parsed.Checkpoint)] = true
			a.Signatures += bytes.Count(parsed.Checkpoint, []byte("\n— "))
		}
	}
	before, _ := verifications(time.Second)
	start := time.Now()
	v := receipt.NewVerifier(policy)
	var next, bad atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(list)); i = next.Add(1) - 1 {
				if _, err := v.Verify(list[i]); err != nil {
					bad.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if n := bad.Load(); n > 0 {
		return fmt.Errorf("%d receipts do not verify", n)
	}
	a.Receipts, a.ReceiptsPerSecond = len(list), float64(len(list))/time.Since(start).Seconds()
	after, _ := verifications(time.Second)
	a.ReceiptRaw = (before + after) / 2
	b.tell("%d receipts verified, %.0f/s, with %d signatures; %.0f Ed25519 verifications/s", a.Receipts, a.ReceiptsPerSecond, a.Signatures,
		a.ReceiptRaw)
	return nil
}
