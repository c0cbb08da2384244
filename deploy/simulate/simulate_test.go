package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trialproof/trialproof/trial/trialtest"
)

// simulate runs the world of a seed.
func simulate(t *testing.T, seed uint64, loud func(string)) (rep Report) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, seed)
		w.loud = loud
		rep = play(w)
	})
	return rep
}

// patience is how long everything may take once faults have ended.
const patience = 3 * time.Minute

func play(w *world) Report {
	c := newCluster(w)
	begun := time.Now()
	var servers, watchers, clients, trouble sync.WaitGroup
	all, end := context.WithCancel(context.Background())
	for _, h := range c.witnesses {
		servers.Go(h.start)
	}
	for _, r := range c.replicas {
		servers.Go(r.start)
	}
	servers.Wait()
	for _, r := range c.replicas {
		watchers.Go(func() { c.read(all, r) })
	}
	watchers.Go(func() { c.guard(all) })
	m := &watcher{c: c}
	watchers.Go(func() { m.run(all) })

	onward, enough := context.WithCancel(all)
	first := c.client(onward, 0)
	p, s := trialtest.Org("acme", "Acme", "ada")
	first.submit(all, statement{what: "organisation", signer: "registrar", p: p, subject: s})
	w.set(false)
	w.event("CHAOS")
	for i := range w.plan.clients {
		clients.Go(func() { c.client(onward, i+1).run(all) })
	}
	troubled, calm := context.WithCancel(all)
	trouble.Go(func() { c.nemesis(troubled) })
	w.sleep(w.plan.chaos)
	calm()
	enough()
	trouble.Wait()
	c.heal()
	limit, stop := context.WithTimeout(all, patience)
	c.well(limit)
	stop()
	// Whoever still waits gets an answer soon.
	go func() {
		if w.rest(all, "end", patience) {
			end()
		}
	}()
	clients.Wait()
	// What the watchers have not seen yet.
	w.sleep(5 * time.Second)
	c.verify()
	end()
	watchers.Wait()
	close(c.over)
	for _, r := range c.replicas {
		r.stop()
	}
	time.Sleep(time.Minute) // until what is still on its way has arrived
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn()
	return Report{w.seed, fmt.Sprintf("%x", w.trace.Sum(nil)[:8]), w.events, c.db.journal.published(), time.Since(begun), w.counts, w.broken}
}

// TestSimulation runs seeds: a few, or those that deploy/simulate asks for, of which it is told
// what they came to, one line of JSON each.
func TestSimulation(t *testing.T) {
	from := uint64(1)
	left := 6
	if testing.Short() {
		left = 2
	}
	fmt.Sscan(os.Getenv("TRIALPROOF_SIMULATE"), &from, &left)
	for ; left > 0; left-- {
		rep := simulate(t, from, nil)
		for _, b := range rep.Broken {
			t.Errorf("seed %d: %s", from, b)
		}
		if os.Getenv("TRIALPROOF_SIMULATE") != "" {
			line, err := json.Marshal(rep)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Printf("REPORT %s\n", line)
		}
		from++
	}
}

// found are seeds that found a mistake in the log or a witness, with what it was.
var found = map[uint64]string{
	1795845852: "a server that led no longer wrote its copy of the checkpoint beside the one that it wrote as a follower",
	1795858319: "of two witnesses, one with the log's wrong time vouched for it",
	1795858898: "of two witnesses, one with the log's wrong time, ten years ahead, vouched for it",
	21124:      "a leader that was replaced and does not know it stops for good when a witness has seen more",
	21816:      "a leader gives another receipt than the one before it, which published after it had been replaced",
	22772:      "the same",
	131:        "a replica that starts while its leader waits for witnesses stops for good when it sees an older tree published",
}

// TestFound runs them again.
func TestFound(t *testing.T) {
	for seed, what := range found {
		for _, b := range simulate(t, seed, nil).Broken {
			t.Errorf("seed %d (%s): %s", seed, what, b)
		}
	}
}

// TestSame: the same seed is the same run, on one core and on two.
func TestSame(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for seed := range uint64(2) {
		var first Report
		for i := range 4 {
			runtime.GOMAXPROCS(1 + i%2)
			rep := simulate(t, seed, nil)
			if i == 0 {
				first = rep
			}
			if rep.Trace != first.Trace {
				t.Errorf("seed %d: the trace is %s, and was %s", seed, rep.Trace, first.Trace)
			}
		}
	}
}

// TestTrace prints what happens with the seed in TRIALPROOF_SIMULATE.
func TestTrace(t *testing.T) {
	var seed uint64
	if _, err := fmt.Sscan(os.Getenv("TRIALPROOF_SIMULATE"), &seed); err != nil {
		t.Skip("TRIALPROOF_SIMULATE names no seed")
	}
	rep := simulate(t, seed, func(line string) { fmt.Println(line) })
	for _, b := range rep.Broken {
		t.Error(b)
	}
	t.Logf("seed %d: %d events with the hash %s, %d entries", rep.Seed, rep.Events, rep.Trace, rep.Size)
}
