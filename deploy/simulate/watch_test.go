package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/audit"
	"github.com/trialproof/trialproof/trial/checkpoint"
)

// read reads one replica's checkpoint again and again: it has the quorum, and its size never
// shrinks, though the replica is killed and started again.
func (c *cluster) read(ctx context.Context, r *replica) {
	w := c.w
	src := anyReplica{sender{c.net, w.process("reader of " + r.name), "reader"}, c, r.name}
	var last uint64
	var seen string
	for w.rest(ctx, src.p.name, 300*time.Millisecond) {
		text, err := src.Checkpoint(ctx)
		if err != nil || string(text) == seen {
			continue
		}
		seen = string(text)
		cp, err := c.policy.Open(text)
		if err != nil || !cp.Quorum() {
			w.fail("%s shows a checkpoint without the quorum: %v", r.name, err)
			return
		}
		c.saw("shown by "+r.name, cp.Tree.String())
		if cp.Size < last {
			w.fail("%s shows size %d after %d", r.name, cp.Size, last)
		}
		last = cp.Size
	}
}

// guard checks that what the journal has published never shrinks.
func (c *cluster) guard(ctx context.Context) {
	var last uint64
	for c.w.rest(ctx, "guard", 50*time.Millisecond) {
		size := c.db.journal.published()
		if size < last {
			c.w.fail("size %d is published after %d", size, last)
		}
		last = size
	}
}

// A watcher is a monitor with what it stored.
type watcher struct {
	c             *cluster
	lives         int
	state, memory []byte
}

// run runs one monitor after another until ctx ends.
func (m *watcher) run(ctx context.Context) {
	w := m.c.w
	r := w.draw("monitor")
	for ctx.Err() == nil {
		m.lives++
		life, end := context.WithTimeout(ctx, time.Duration(r.Int64N(int64(30*time.Second))))
		m.watch(life, w.process(fmt.Sprintf("monitor/%d", m.lives)))
		end()
		w.count("monitors")
	}
}

// watch audits one replica, round after round.
func (m *watcher) watch(ctx context.Context, p *process) {
	c, w := m.c, m.c.w
	s := sender{c.net, p, "monitor"}
	a := &audit.Monitor{Policy: c.policy, Source: anyReplica{s, c, c.replicas[0].name}, Now: w.wall, Warn: func(string, ...any) {}}
	a.Raise = func(a audit.Alarm) error {
		w.count("alarm: " + a.Alarm)
		switch a.Alarm {
		case "rule", "root", "rollback", "fork", "inconsistent", "quorum", "newer", "silence", "late":
			w.fail("the monitor raises an alarm: %s %s", a.Alarm, a.Text)
		}
		return nil
	}
	a.Store = func(state, memory []byte) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if state != nil {
			m.state = state
		}
		m.memory = memory
		return nil
	}
	if err := a.Resume(m.state, m.memory); err != nil {
		w.fail("the monitor does not go on from what it stored: %v", err)
		w.rest(ctx, p.name, time.Second)
		return
	}
	for w.rest(ctx, p.name, 2*time.Second) {
		if _, err := a.Round(ctx); err != nil && ctx.Err() == nil {
			w.fail("the monitor cannot go on: %v", err)
			return
		}
	}
}

// well waits until everything is as it should be, once faults have ended.
func (c *cluster) well(ctx context.Context) {
	why := "nothing was asked"
	for c.w.rest(ctx, "doctor", 200*time.Millisecond) {
		if why = c.unwell(); why == "" {
			return
		}
	}
	c.w.fail("it did not become well again: %s", why)
}

func (c *cluster) unwell() string {
	leaders := 0
	for _, r := range c.replicas {
		l, _ := r.running()
		if l == nil {
			return r.name + " is down"
		}
		if err := l.Err(); err != nil {
			return fmt.Sprintf("%s has stopped: %v", r.name, err)
		}
		if err := l.Ready(); err != nil {
			return fmt.Sprintf("%s is not ready: %v", r.name, err)
		}
		if l.Leads() {
			leaders++
		}
		if size := l.Size(); size != c.db.journal.published() {
			return fmt.Sprintf("%s is at size %d", r.name, size)
		}
	}
	if leaders != 1 {
		return fmt.Sprintf("%d lead", leaders)
	}
	return ""
}

// verify checks, after the run, what was promised.
func (c *cluster) verify() {
	w := c.w
	var l *logserver.Log
	for _, r := range c.replicas {
		log, _ := r.running()
		if log == nil {
			continue // said already
		}
		if err := log.Err(); err != nil {
			w.fail("%s has stopped for good: %v", r.name, err)
		}
		if l == nil || log.Size() > l.Size() {
			l = log
		}
	}
	if l == nil {
		return
	}
	// The replay is clean.
	report, err := audit.New(c.policy, source{l}).Run(context.Background())
	if err != nil {
		w.fail("the log cannot be audited: %v", err)
		return
	}
	for _, f := range report.Findings {
		w.fail("the audit finds: %s", f)
	}
	// There is one root for each size, and every tree that was ever signed or shown is a prefix.
	for _, text := range slices.Sorted(maps.Keys(c.trees)) {
		how := c.trees[text]
		tree, err := checkpoint.ParseTree(text)
		if err != nil {
			w.fail("a tree that was %s: %v", how, err)
			continue
		}
		if tree.Size > l.Size() {
			w.fail("a tree of size %d was %s, but the log ends at %d", tree.Size, how, l.Size())
			continue
		}
		if root, err := c.db.tree.root(tree.Size); err != nil || root != tree.Root {
			w.fail("a tree of size %d was %s with the root %x, but the log has %x: %v", tree.Size, how, tree.Root[:4], root[:4], err)
		}
	}
	// What was acknowledged is there, once, with the receipt that was given.
	seen := map[trial.Hash]int{}
	for i := range report.Checkpoint.Size {
		raw, err := l.Entry(context.Background(), i)
		if err != nil {
			w.fail("entry %d: %v", i, err)
			return
		}
		e, err := trial.ParseEntry(raw)
		if err != nil {
			w.fail("entry %d: %v", i, err)
			return
		}
		if e.Statement != nil {
			if seen[e.Statement.ID]++; seen[e.Statement.ID] > 1 {
				w.fail("statement %s stands in the log twice, the second time at %d", e.Statement.ID.String()[:12], i)
			}
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(c.acked), func(a, b trial.Hash) int { return bytes.Compare(a[:], b[:]) }) {
		old := c.acked[id]
		if seen[id] == 0 {
			w.fail("the acknowledged statement %s is not in the log", id.String()[:12])
			continue
		}
		if got, err := l.Receipt(context.Background(), id); err != nil {
			w.fail("the acknowledged statement %s has no receipt any more: %v", id.String()[:12], err)
		} else if string(got) != string(old) {
			w.fail("the acknowledged statement %s has another receipt at the end", id.String()[:12])
		}
	}
}

// source reads a log in this process as an auditor does.
type source struct{ *logserver.Log }

func (s source) Checkpoint(context.Context) ([]byte, error) { return s.Log.Checkpoint() }
