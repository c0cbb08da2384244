// Bench measures the log and its peers on one machine, in one run, and writes what it found with
// tables and plots to docs/performance.md:
//
//	go run ./deploy/bench              # about half an hour, and what it takes to build the peers
//	go run ./deploy/bench -long        # hours: 1,000,000 entries, 100,000 records
//	go run ./deploy/bench -soak 30m    # the log under mixed load, and nothing else
//	go run ./deploy/bench -only submissions -length 5s
//
// It needs Go, MariaDB's programs and the network for the sources of the peers: Rekor and
// Trillian, Tessera. Parts that are left out keep what an earlier run found; each table
// says when it was measured, and under what load. Figures of different parts are never compared.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type bench struct {
	root, tmp, bin, peers string
	clients               []int
	systems               []string // empty means all
	length                time.Duration
	soak                  time.Duration
	long                  bool
	sizes                 []int  // of large logs
	logs                  string // folder of their files
	records               int    // to import
	stderr                io.Writer
	running               []*process
	results               Results
}

// A part is measured on its own.
type part struct {
	name string
	run  func(*bench, context.Context) error
}

var parts = []part{
	{"submissions", (*bench).compare},
	{"audit", (*bench).audits},
	{"import", (*bench).imports},
	{"growth", (*bench).growth},
	{"soak", (*bench).soaked},
	{"page", func(*bench, context.Context) error { return nil }}, // written again from the results
}

func run(ctx context.Context, args []string, stderr io.Writer) error {
	b := &bench{stderr: stderr}
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(stderr)
	clients := fs.String("clients", "1,16,64,256", "`numbers` of clients")
	systems := fs.String("systems", "", "measure the submissions of these systems alone, by `names` such as SQLite,Rekor")
	only := fs.String("only", "", "measure these `parts` alone: "+strings.Join(partNames(), ", "))
	out := fs.String("out", "docs", "`folder` for performance.md, and performance/ with the plots and results.json")
	fs.StringVar(&b.peers, "peers", "", "`folder` of the peers' programs, built where they are missing (default in the user's cache)")
	fs.DurationVar(&b.length, "length", 15*time.Second, "`time` for each number of clients")
	sizes := fs.String("sizes", "10000,100000", "`entries` of large logs; with -long 1,000,000 too")
	fs.StringVar(&b.logs, "logs", "", "`folder` for the files of large logs, kept there and used again")
	fs.IntVar(&b.records, "records", 19_810, "registry `records` to import; with -long at least 100,000")
	fs.BoolVar(&b.long, "long", false, "measure large logs and imports: hours")
	fs.DurationVar(&b.soak, "soak", 0, "measure the log under mixed load for this `time`, and nothing else")
	if err := fs.Parse(args); err != nil {
		return err
	}
	var err error
	if b.clients, err = numbers(*clients); err != nil {
		return fmt.Errorf("-clients: %w", err)
	}
	if b.sizes, err = numbers(*sizes); err != nil {
		return fmt.Errorf("-sizes: %w", err)
	}
	if b.long {
		b.sizes = append(b.sizes, 1_000_000)
	}
	if *systems != "" {
		b.systems = strings.Split(*systems, ",")
	}
	chosen := partNames()
	if *only != "" {
		chosen = strings.Split(*only, ",")
	}
	if b.soak > 0 && *only == "" {
		chosen = []string{"soak"}
	}
	if b.peers == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return err
		}
		b.peers = filepath.Join(cache, "trialproof-bench")
	}
	if b.tmp, err = os.MkdirTemp("", "bench"); err != nil {
		return err
	}
	defer os.RemoveAll(b.tmp)
	defer b.endAll(0)
	if b.logs == "" {
		b.logs = b.tmp
	}
	if err := b.buildOurs(ctx); err != nil {
		return err
	}
	if err := b.results.read(*out); err != nil {
		return err
	}
	for _, name := range chosen {
		i := slices.IndexFunc(parts, func(p part) bool { return p.name == name })
		if i < 0 {
			return fmt.Errorf("there is no part %q: %s", name, strings.Join(partNames(), ", "))
		}
		err := parts[i].run(b, ctx)
		b.endAll(0)
		// What is measured is kept, whatever comes.
		if err := errors.Join(err, b.results.write(*out)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func numbers(list string) (numbers []int, err error) {
	for _, s := range strings.Split(list, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%q is no number above 0", s)
		}
		numbers = append(numbers, n)
	}
	return numbers, nil
}

func partNames() (names []string) {
	for _, p := range parts {
		names = append(names, p.name)
	}
	return names
}

// buildOurs builds our programs from the module in which the command runs.
func (b *bench) buildOurs(ctx context.Context) error {
	mod, err := b.run(ctx, "", "go", "env", "GOMOD")
	if err != nil {
		return err
	}
	b.root, b.bin = filepath.Dir(strings.TrimSpace(mod)), filepath.Join(b.tmp, "bin")
	_, err = b.run(ctx, b.root, "go", "build", "-o", b.bin+string(filepath.Separator), "./cmd/trial", "./cmd/triallog",
		"./cmd/trialwitness", "./deploy/load",
		"./deploy/biglog")
	return err
}

func (b *bench) tell(format string, args ...any) {
	fmt.Fprintf(b.stderr, "%s "+format+"\n", append([]any{time.Now().UTC().Format("15:04:05")}, args...)...)
}

func cores() int { return runtime.GOMAXPROCS(0) }

// measure fills in the conditions of a part.
func measure(c *Conditions, f func() error) error {
	*c = conditions()
	start := time.Now()
	err := f()
	c.Took = time.Since(start).Seconds()
	return err
}

// Results are what docs/performance/results.json has. A part that was never measured is nil.
type Results struct {
	Submissions *Submissions `json:"submissions,omitempty"`
	Audits      *Audits      `json:"audits,omitempty"`
	Imports     *Imports     `json:"imports,omitempty"`
	Growth      *Growth      `json:"growth,omitempty"`
	Soak        *Soak        `json:"soak,omitempty"`
}

// Submissions compare systems at the same numbers of clients, one after the other.
type Submissions struct {
	Conditions
	Length  float64  `json:"length_s"`
	Systems []System `json:"systems"`
}

func (r *Results) read(out string) error {
	data, err := os.ReadFile(filepath.Join(out, "performance", "results.json"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(data, r)
}

// compare measures submissions to all systems.
func (b *bench) compare(ctx context.Context) error {
	r := &Submissions{Length: b.length.Seconds()}
	err := measure(&r.Conditions, func() error {
		signed := "signed statement, admitted by the rules, included, 2 of 3 witnesses, receipt verified"
		for _, s := range []struct {
			System
			run func(System) (System, error)
		}{
			{System{Name: "SQLite", What: signed}, func(s System) (System, error) { return b.submissions(ctx, s, nil, 1) }},
			{System{Name: "MariaDB", What: signed}, func(s System) (System, error) { return b.onMariaDB(ctx, s, 1) }},
			{System{Name: "three replicas", What: signed}, func(s System) (System, error) { return b.onMariaDB(ctx, s, 3) }},
			{System{Name: "Rekor", What: "hashedrekord, signed, included, inclusion proof; no witness"},
				func(s System) (System, error) { return b.rekor(ctx, s) }},
			{System{Name: "Tessera", What: "any bytes, an index; no signature, no witness, no proof"},
				func(s System) (System, error) { return b.tessera(ctx, s) }},
		} {
			if len(b.systems) > 0 && !slices.Contains(b.systems, s.Name) {
				continue
			}
			got, err := s.run(s.System)
			if errors.Is(err, errUnbuilt) { // the others say something all the same
				b.tell("%s is left out: %v", s.Name, err)
				continue
			}
			if err != nil {
				return fmt.Errorf("%s: %w", s.Name, err)
			}
			r.Systems = append(r.Systems, got)
		}
		return nil
	})
	b.results.Submissions = r
	return err
}

func (b *bench) onMariaDB(ctx context.Context, s System, servers int) (System, error) {
	n := len(b.running)
	defer b.endAll(n)
	dir, err := os.MkdirTemp(b.tmp, "db")
	if err != nil {
		return s, err
	}
	db, err := b.startDatabase(ctx, dir)
	if err != nil {
		return s, err
	}
	return b.submissions(ctx, s, db, servers)
}
