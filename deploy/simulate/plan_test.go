package main

import (
	"math/rand/v2"
	"time"
)

// A plan is what a seed decides before a run begins: how long, how busy, and which faults there
// are at all. A run with few sorts of faults goes where one with all of them does not get.
type plan struct {
	chaos      time.Duration // how long faults happen
	every      time.Duration // between two acts, on average
	acts       []string      // those that may happen
	clients    int
	think      time.Duration // between two statements of a client, on average
	lease      time.Duration
	snapshots  uint64  // entries between two
	quorum     int     // witnesses of three
	clock      bool    // the database has a clock of its own
	callFails  float64 // probability that a store's call is lost
	callLies   float64 // ... that it is done and reported as failed
	diskFails  float64 // of each operation on a witness's files
	msgLost    float64
	msgDoubled float64
	slow       float64       // of each call and message
	slowest    time.Duration // then it takes up to this long
	usual      time.Duration // and otherwise up to this long
}

var allActs = []string{
	"kill a replica", "kill the leader", "stop a replica", "pause a replica", "pause the leader", "cut a replica off its database",
	"hang a replica's database", "cut a replica off a witness", "kill a witness", "power off a witness", "fill a replica's disk",
	"fill a witness's disk", "step a replica's clock", "step a witness's clock", "stop the database", "kill the monitor",
}

func newPlan(r *rand.Rand) plan {
	pick := func(list ...float64) float64 { return list[r.IntN(len(list))] }
	ms := func(list ...int) time.Duration { return time.Duration(list[r.IntN(len(list))]) * time.Millisecond }
	p := plan{
		chaos: ms(15_000, 30_000, 45_000), every: ms(500, 1500, 4000), clients: 1 + r.IntN(6), think: ms(20, 300, 1500),
		lease: ms(1000, 3000), snapshots: uint64(pick(10, 40, 16_384)), quorum: 2 + r.IntN(5)/4, clock: r.IntN(2) == 0,
		callFails: pick(0, 0, 0.003, 0.03), callLies: pick(0, 0.003, 0.03), diskFails: pick(0, 0, 0.01),
		msgLost: pick(0, 0.02, 0.15), msgDoubled: pick(0, 0.05, 0.3), slow: pick(0, 0.01, 0.05),
		slowest: ms(100, 1000, 5000), usual: ms(1, 5, 20),
	}
	share := pick(0.2, 0.5, 1)
	for _, a := range allActs {
		if r.Float64() < share {
			p.acts = append(p.acts, a)
		}
	}
	return p
}

// delay returns how long a message or a call is on its way, in one direction.
func (w *world) delay(r *rand.Rand) time.Duration {
	d := time.Duration(r.Int64N(int64(w.plan.usual))) + 1000
	if w.chance(r, w.plan.slow) {
		d = time.Duration(r.Int64N(int64(w.plan.slowest)))
	}
	return d
}
