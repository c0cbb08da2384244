package main

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/trialtest"
	"github.com/trialproof/trialproof/witness"
)

// A cluster is everything that runs: three replicas over one database, three witnesses of which
// one replays, a monitor, and clients.
type cluster struct {
	w         *world
	net       *network
	db        *database
	signer    note.Signer
	vkey      string
	policy    *checkpoint.Policy
	replicas  []*replica
	witnesses []*witnessHost
	over      chan struct{} // closed when the run is over

	mu    sync.Mutex            // guards the fields below
	trees map[string]string     // signed or published trees by their text: who showed it first
	acked map[trial.Hash][]byte // receipts by statement
}

func seedBytes(name string, seed uint64) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", name, seed))
	return sum[:]
}

// keyID returns the id of a key with its type, as c2sp.org/signed-note has it.
func keyID(name string, typed []byte) uint32 {
	public := append([]byte{typed[0]}, ed25519.NewKeyFromSeed(typed[1:]).Public().(ed25519.PublicKey)...)
	sum := sha256.Sum256(append([]byte(name+"\n"), public...))
	return binary.BigEndian.Uint32(sum[:])
}

// newCluster makes a log and starts nothing.
func newCluster(w *world) *cluster {
	c := &cluster{w: w, net: newNetwork(w), over: make(chan struct{}), trees: map[string]string{}, acked: map[trial.Hash][]byte{}}
	c.db = &database{w: w, journal: newJournal(), tree: &tree{}, tiles: &tiles{files: map[string][]byte{}}}
	secret := append([]byte{1}, seedBytes("log", w.seed)...)
	id := keyID(trialtest.Origin, secret)
	public := append([]byte{1}, ed25519.NewKeyFromSeed(secret[1:]).Public().(ed25519.PublicKey)...)
	c.vkey = fmt.Sprintf("%s+%08x+%s", trialtest.Origin, id, base64.StdEncoding.EncodeToString(public))
	var err error
	c.signer, err = note.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", trialtest.Origin, id, base64.StdEncoding.EncodeToString(secret)))
	c.must(err)
	text, names := "log "+c.vkey+"\n", ""
	for i := range 3 {
		h := &witnessHost{c: c, disk: newDisk(w), kept: map[string][]byte{}}
		h.name, h.clock = fmt.Sprintf("witness-%d", i+1), &clock{w: w}
		full := h.name + ".example"
		if i == 2 {
			full += "/replay"
		}
		h.key, err = witness.ParseKey(keyText(full, w.seed))
		c.must(err)
		text += fmt.Sprintf("witness w%d %s http://%s\n", i+1, h.key.VKey(), h.name)
		names += fmt.Sprintf(" w%d", i+1)
		c.witnesses = append(c.witnesses, h)
	}
	c.policy, err = checkpoint.ParsePolicy(fmt.Appendf(nil, "%sgroup g %d%s\nquorum g\n", text, w.plan.quorum, names))
	c.must(err)
	for i := range 3 {
		r := &replica{c: c}
		r.name, r.clock = fmt.Sprintf("replica-%d", i+1), &clock{w: w}
		r.copy = copyDisk{w: w, name: r.name}
		c.replicas = append(c.replicas, r)
	}
	genesis := trial.NewGenesis(trialtest.Origin, c.vkey, []trial.PublicKey{trialtest.Public("registrar")}, trial.TimeOf(w.wall()))
	c.must(logserver.Create(context.Background(), logserver.Config{Signer: seenSigner{c.signer, c}, Policy: c.policy, Tree: c.db.tree,
		Journal: c.db.journal, Tiles: c.db.tiles, Now: w.wall}, genesis))
	return c
}

func (c *cluster) must(err error) {
	if err != nil {
		c.w.t.Fatal(err)
	}
}

// saw records a tree that the log signed, or that somebody was shown.
func (c *cluster) saw(how, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.trees[text] == "" {
		c.trees[text] = fmt.Sprintf("%s at %.6f s", how, c.w.now().Seconds())
	}
}

// acknowledge records a receipt, and checks that nobody has another one for the statement.
func (c *cluster) acknowledge(who string, id trial.Hash, receipt []byte) {
	c.mu.Lock()
	old := c.acked[id]
	if old == nil {
		c.acked[id] = receipt
	}
	c.mu.Unlock()
	if old != nil && string(old) != string(receipt) {
		c.w.fail("%s: there are two receipts of statement %s", who, id.String()[:12])
	}
}

// nemesis makes trouble until ctx ends.
func (c *cluster) nemesis(ctx context.Context) {
	w := c.w
	r := w.draw("nemesis")
	var wg sync.WaitGroup
	defer wg.Wait()
	for n := 0; len(w.plan.acts) > 0; n++ {
		if !w.rest(ctx, "nemesis", time.Duration(r.ExpFloat64()*float64(w.plan.every))) {
			return
		}
		act := w.plan.acts[r.IntN(len(w.plan.acts))]
		// Whatever it does lasts for a time, and others may be done meanwhile.
		lasts := time.Duration(r.ExpFloat64() * float64(w.plan.lease) * 1.5)
		own := rand.New(rand.NewPCG(w.seed, uint64(n)))
		wg.Go(func() {
			c.act(own, act, lasts, func(d time.Duration) {
				who := fmt.Sprintf("%s %d", act, n)
				if !w.rest(ctx, who, d) {
					w.sleep(time.Duration(w.draw(who + " ends").Int64N(int64(time.Second)))) // not all at once
				}
			})
		})
	}
}

// act does one thing and, after it has lasted for a time, its opposite.
func (c *cluster) act(r *rand.Rand, act string, lasts time.Duration, last func(time.Duration)) {
	w := c.w
	rep, wit := c.replicas[r.IntN(3)], c.witnesses[r.IntN(3)]
	if l := c.leader(); l != nil && (act == "kill the leader" || act == "pause the leader") {
		rep = l
	}
	p := rep.life()
	w.event("NEMESIS %s: %s or %s for %s", act, rep.name, wit.name, lasts)
	w.count(act)
	switch act {
	case "kill a replica", "kill the leader":
		rep.kill()
		last(lasts)
		rep.start()
	case "stop a replica":
		rep.stop()
		last(lasts / 2)
		rep.start()
	case "pause a replica", "pause the leader":
		if p == nil {
			return
		}
		p.pause()
		last(lasts)
		p.resume()
	case "cut a replica off its database", "hang a replica's database":
		if _, k := rep.running(); k != nil {
			hang := act == "hang a replica's database"
			k.set(!hang, hang)
			last(lasts)
			k.set(false, false)
		}
	case "cut a replica off a witness":
		both := r.IntN(2) == 0
		c.net.cut(rep.name, wit.name, true)
		c.net.cut(wit.name, rep.name, both)
		last(2 * lasts)
		c.net.cut(rep.name, wit.name, false)
		c.net.cut(wit.name, rep.name, false)
	case "kill a witness", "power off a witness":
		wit.kill()
		if act == "power off a witness" {
			wit.disk.fail(r)
		}
		last(lasts)
		wit.start()
	case "fill a replica's disk":
		rep.copy.fill(true)
		last(2 * lasts)
		rep.copy.fill(false)
	case "fill a witness's disk":
		wit.disk.fill(true)
		last(2 * lasts)
		wit.disk.fill(false)
	case "step a replica's clock":
		rep.clock.set(steps[r.IntN(len(steps))])
		last(4 * lasts)
		rep.clock.set(0)
	case "step a witness's clock":
		if w.plan.quorum == 3 {
			return // no quorum would be of witnesses whose clocks are right
		}
		wit = c.witnesses[w.seed%3] // always the same
		wit.clock.set(steps[r.IntN(len(steps))])
		last(4 * lasts)
		wit.clock.set(0)
	case "stop the database":
		c.db.stop(true)
		last(lasts / 2)
		c.db.stop(false)
	}
}

// steps are how far a clock may be set.
var steps = []time.Duration{-24 * time.Hour, -10 * time.Minute, -30 * time.Second, -2 * time.Second, 2 * time.Second, 30 * time.Second,
	50 * time.Second, 70 * time.Second, 10 * time.Minute, 24 * time.Hour, 10 * 365 * 24 * time.Hour}

// leader returns a replica that believes that it leads, or nil.
func (c *cluster) leader() *replica {
	for _, r := range c.replicas {
		if l, _ := r.running(); l != nil && l.Leads() {
			return r
		}
	}
	return nil
}

// heal ends all faults.
func (c *cluster) heal() {
	c.w.event("HEAL")
	c.w.set(true)
	c.db.stop(false)
	for _, r := range c.replicas {
		r.copy.fill(false)
		r.clock.set(0)
		if p := r.life(); p != nil {
			p.resume()
		}
		if _, k := r.running(); k != nil {
			k.set(false, false)
		}
		r.start()
	}
	for _, h := range c.witnesses {
		h.disk.fill(false)
		h.clock.set(0)
		h.start()
	}
}
