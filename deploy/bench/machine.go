package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Conditions are what a table was measured under.
type Conditions struct {
	Date  string  `json:"date"` // UTC
	Cores int     `json:"cores"`
	CPU   string  `json:"cpu"`
	Load  float64 `json:"load"` // of the last minute before it, by whatever else ran
	// Ed25519 is how many signatures all cores verify in a second, each core a share.
	Ed25519 float64 `json:"ed25519_per_second"`
	// Ed25519CPU is the processor time in milliseconds that one verification takes. It depends
	// less than a rate on what else runs.
	Ed25519CPU float64 `json:"ed25519_cpu_ms"`
	Took       float64 `json:"took_s"`
}

func conditions() Conditions {
	c := Conditions{Date: time.Now().UTC().Format("2006-01-02 15:04"), Cores: runtime.GOMAXPROCS(0), CPU: cpuModel(), Load: loadAverage()}
	c.Ed25519, c.Ed25519CPU = verifications(time.Second)
	return c
}

func (c Conditions) String() string {
	each := ""
	if c.Ed25519CPU > 0 {
		each = fmt.Sprintf(", %.3f ms of processor time each", c.Ed25519CPU)
	}
	return fmt.Sprintf("%s UTC; %d cores, %s; load %.1f when it began; s = %.0f Ed25519 verifications a second on one core, %.0f on all%s; "+
		"it took %.0f s",
		c.Date, c.Cores, c.CPU, c.Load, c.Ed25519/float64(c.Cores), c.Ed25519, each, c.Took)
}

// verifications returns how many Ed25519 signatures over 800 bytes all cores verify in a second, and
// the processor time in milliseconds that one takes.
func verifications(length time.Duration) (perSecond, cpu float64) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err) // no randomness
	}
	message := make([]byte, 800)
	sig := ed25519.Sign(private, message)
	var n atomic.Int64
	used, start := cpuOf(os.Getpid()), time.Now()
	end := start.Add(length)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for time.Now().Before(end) {
				for range 100 {
					if !ed25519.Verify(public, message, sig) {
						panic("the signature does not verify")
					}
				}
				n.Add(100)
			}
		})
	}
	wg.Wait()
	took := time.Since(start).Seconds()
	return float64(n.Load()) / took, 1000 * (cpuOf(os.Getpid()) - used).Seconds() / float64(n.Load())
}

func cpuModel() string {
	data, _ := os.ReadFile("/proc/cpuinfo")
	_, rest, found := strings.Cut(string(data), "model name")
	if !found {
		return runtime.GOARCH
	}
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(strings.TrimLeft(line, "\t :"))
}

func loadAverage() float64 {
	data, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(data), " ")
	v, _ := strconv.ParseFloat(first, 64)
	return v
}

// tick is what /proc counts processor time in.
const tick = 10 * time.Millisecond

// cpuOf returns the processor time that a process has used, or 0 where the system does not say.
func cpuOf(pid int) time.Duration {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(data), ") ")
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * tick
}

// memoryOf returns the resident memory of a process in bytes; with peak the most it ever had.
func memoryOf(pid int, peak bool) int64 {
	name := "VmRSS:"
	if peak {
		name = "VmHWM:"
	}
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, rest, _ := strings.Cut(string(data), name)
	f := strings.Fields(rest)
	if len(f) == 0 {
		return 0
	}
	kb, _ := strconv.ParseInt(f[0], 10, 64)
	return kb << 10
}

func openFiles(pid int) int {
	list, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return len(list)
}
