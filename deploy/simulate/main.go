// Simulate runs the whole system in one process on virtual time: three replicas of the log over
// one database, three witnesses of which one replays, clients and a monitor. Messages are late,
// lost, doubled and out of order; calls of the database fail before or after they are done;
// processes are killed, paused and stopped at any moment and started again on what was durable;
// clocks are set, disks are full. Afterwards, and while it happens, what the log promises is
// checked:
//
//   - what was acknowledged is in the log, once, with the one receipt that was given;
//   - every receipt verifies with nothing but the policy and the document;
//   - every tree that was ever signed or shown is a prefix of the last one, and has the quorum
//     where it was shown;
//   - published sizes never shrink, by any replica;
//   - every refusal names a rule, and everything else says to ask again;
//   - the replay of the whole log finds nothing, and the monitor raises no alarm;
//   - once the faults stop, everything is well again within minutes.
//
// All of it follows from a seed, so a failure can be repeated:
//
//	go run ./deploy/simulate -seeds 1000 -from 1      1000 seeds
//	go run ./deploy/simulate -for 1h                  as many as there is time for
//	go run ./deploy/simulate -trace -from 4711        everything that happens with one seed
//
// The logs, the witnesses, the monitor and what clients verify are the real ones; the database,
// the files, the network and the clocks are not. It runs its own tests: a simulation needs
// testing/synctest, which is for tests alone. It exits with status 1 if a seed failed, and with
// 3 if it could not run them.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// A Report is what one seed came to.
type Report struct {
	Seed    uint64
	Trace   string // a hash of everything that happened
	Events  int
	Size    uint64        // of the log at the end
	Virtual time.Duration // that passed in the simulation
	Counts  map[string]int
	Broken  []string
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("simulate", flag.ContinueOnError)
	flags.SetOutput(stderr)
	seeds := flags.Uint64("seeds", 0, "how many seeds; 0: until -for is over")
	from := flags.Uint64("from", uint64(time.Now().Unix()), "the first `seed`")
	limit := flags.Duration("for", 0, "for how long; 0: until all seeds are done")
	processes := flags.Int("processes", runtime.NumCPU(), "how many run at once")
	trace := flags.Bool("trace", false, "print what happens with the seed of -from")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if *seeds == 0 && *limit == 0 && !*trace {
		fmt.Fprintln(stderr, "simulate: say how many seeds, such as -seeds 100, or for how long, such as -for 10m")
		return 2
	}
	dir, err := os.MkdirTemp("", "simulate")
	if err != nil {
		fmt.Fprintln(stderr, "simulate:", err)
		return 3
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "simulate.test")
	build := exec.CommandContext(ctx, "go", "test", "-c", "-o", program, "github.com/trialproof/trialproof/deploy/simulate")
	build.Stdout, build.Stderr = stderr, stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(stderr, "simulate: build the simulation:", err)
		return 3
	}
	if *trace {
		cmd := exec.CommandContext(ctx, program, "-test.run=^TestTrace$", "-test.v")
		cmd.Env = append(os.Environ(), fmt.Sprintf("TRIALPROOF_SIMULATE=%d", *from))
		cmd.Stdout, cmd.Stderr = stdout, stderr
		return status(cmd.Run())
	}
	if *limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, *limit)
		defer cancel()
	}
	s := &sum{program: program, begun: time.Now(), stdout: stdout, next: *from, end: *from + *seeds, counts: map[string]int{}}
	if *seeds == 0 {
		s.end = 1 << 63
	}
	var wg sync.WaitGroup
	for range *processes {
		wg.Go(func() { s.work(ctx) })
	}
	wg.Wait()
	return s.print()
}

func status(err error) int {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	if err != nil {
		return 3
	}
	return 0
}

// A sum adds up what seeds came to.
type sum struct {
	program string
	begun   time.Time

	mu        sync.Mutex // guards the fields below
	stdout    io.Writer
	next, end uint64 // the seeds that nobody has taken
	done      int
	failed    []uint64
	events    int
	entries   uint64
	virtual   time.Duration
	counts    map[string]int
	told      time.Time
}

const (
	// share is how many seeds one process runs.
	share = 100
	// stuck is how long a seed may take: a thousand times longer than it should.
	stuck = 10 * time.Minute
)

// take returns seeds that nobody has taken; n is 0 if there are none.
func (s *sum) take() (from, n uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from, n = s.next, min(share, s.end-s.next)
	s.next += n
	return from, n
}

// work runs seeds until none are left or ctx ends.
func (s *sum) work(ctx context.Context) {
	for from, n := s.take(); n > 0; from, n = s.take() {
		for n > 0 {
			if ctx.Err() != nil {
				return
			}
			ran := s.process(ctx, from, n)
			from, n = from+ran, n-ran
		}
	}
}

// process runs n seeds in a process of its own, and returns how many it is through with. If it
// ends too soon, the seed that it was at is to blame.
func (s *sum) process(ctx context.Context, from, n uint64) (ran uint64) {
	life, kill := context.WithCancel(ctx)
	defer kill()
	cmd := exec.CommandContext(life, s.program, "-test.run=^TestSimulation$", "-test.timeout=0")
	cmd.Env = append(os.Environ(), fmt.Sprintf("TRIALPROOF_SIMULATE=%d %d", from, n), "GOMAXPROCS=1")
	out, err := cmd.StdoutPipe()
	if err == nil {
		cmd.Stderr = cmd.Stdout
		err = cmd.Start()
	}
	if err != nil {
		s.fail(from, []string{err.Error()})
		return n
	}
	watch := time.AfterFunc(stuck, kill)
	defer watch.Stop()
	var rest []string // what is said after the last report
	for lines := bufio.NewScanner(out); lines.Scan(); {
		data, ok := strings.CutPrefix(lines.Text(), "REPORT ")
		if !ok {
			rest = append(rest[max(0, len(rest)-40):], lines.Text())
			continue
		}
		var r Report
		if err := json.Unmarshal([]byte(data), &r); err != nil {
			rest = append(rest, err.Error())
			break
		}
		watch.Reset(stuck)
		s.add(r)
		ran, rest = ran+1, nil
	}
	err = cmd.Wait()
	if ran < n && ctx.Err() == nil {
		s.fail(from+ran, append([]string{fmt.Sprintf("the simulation crashed, or hung: %v", err)}, rest...))
		ran++
	}
	return ran
}

func (s *sum) add(r Report) {
	if len(r.Broken) > 0 {
		s.fail(r.Seed, r.Broken)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done++
	s.events += r.Events
	s.entries += r.Size
	s.virtual += r.Virtual
	for what, n := range r.Counts {
		s.counts[what] += n
	}
	if time.Since(s.told) > time.Minute {
		s.told = time.Now()
		fmt.Fprintf(s.stdout, "%s: %d seeds, the last one %d, %d failed\n", time.Since(s.begun).Round(time.Second), s.done, r.Seed, len(s.failed))
	}
}

func (s *sum) fail(seed uint64, why []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = append(s.failed, seed)
	fmt.Fprintf(s.stdout, "seed %d FAILED\n\t%s\n", seed, strings.Join(why, "\n\t"))
}

func (s *sum) print() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	took := time.Since(s.begun)
	fmt.Fprintf(s.stdout, "%d seeds in %s: %.2f a second, %s of virtual time, %d events, %d entries logged; %d failed\n",
		s.done, took.Round(time.Second), float64(s.done)/took.Seconds(), s.virtual.Round(time.Minute), s.events, s.entries, len(s.failed))
	for _, what := range slices.Sorted(maps.Keys(s.counts)) {
		fmt.Fprintf(s.stdout, "%9d  %s\n", s.counts[what], what)
	}
	if len(s.failed) > 0 {
		slices.Sort(s.failed)
		fmt.Fprintf(s.stdout, "failed: %d\nsee one by go run ./deploy/simulate -trace -from %d\n", s.failed, s.failed[0])
		return 1
	}
	return 0
}
