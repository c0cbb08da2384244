// Package audit replays a log from its tiles, from the first entry or from where an earlier
// audit ended. It checks every signature, every rule, every state entry, and the tree's root,
// which it computes from the entries alone. It trusts only the keys of the policy.
//
// It reads tiles through an interface, and knows neither HTTP nor the server.
package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/tile"
)

// A Finding is one thing that is wrong with the log.
type Finding struct {
	Index uint64     `json:"index"`          // of the entry; for a checkpoint, its size
	Kind  string     `json:"kind"`           // rule, root, rollback, fork, quorum or clock
	Rule  trial.Rule `json:"rule,omitempty"` // the rule that the entry breaks
	Text  string     `json:"text"`
}

func (f Finding) String() string {
	return fmt.Sprintf("%s at %d: %s", f.Kind, f.Index, f.Text)
}

// A Report is what an audit found.
type Report struct {
	Checkpoint *checkpoint.Checkpoint
	From       uint64 // where the replay began
	Findings   []Finding
	Incomplete error // why the replay ended before the checkpoint's size; nil if there are no findings

	signed, before []byte // the checkpoint; the newest one published before, or nil
}

// maxFindings bounds a report: later findings often follow from the first breach.
const maxFindings = 100

// An Auditor replays one log. It is for one goroutine.
type Auditor struct {
	Policy *checkpoint.Policy
	Source tile.Source
	// Progress, if set, is called with how far the replay has come.
	Progress func(done, total uint64)
	// Boundary, if set, is called after each state entry of a replay. SaveProgress may be
	// called there. An error ends the replay.
	Boundary func() error
	// Watch, if set, is called with each entry that keeps the rules, and the records that it
	// touched, as they are after it.
	Watch func(index uint64, e *trial.Entry, touched []trial.Record)

	state   *trial.State
	tree    *compact.Range
	genesis []byte   // entry 0
	first   [][]byte // its inclusion proof, as far as its siblings are perfect subtrees
	last    []byte   // the last state entry
	before  [][]byte // compact range of the tree before it
	ended   uint64   // size of the tree that last ends
	seen    []byte   // the checkpoint at the end of the last audit without findings
	toward  []byte   // the checkpoint that the present audit goes to, or that a resumed one went to
	unbound bool     // resumed in the middle: what was saved has not yet been checked against a checkpoint
	pending window   // the entries after the last state entry
	breach  *breach  // the first rule that was broken
	report  *Report
}

var ranges = compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}

// New returns an auditor that begins with the first entry.
func New(p *checkpoint.Policy, s tile.Source) *Auditor {
	return &Auditor{Policy: p, Source: s, state: new(trial.State), tree: ranges.NewEmptyRange(0)}
}

// Size returns how many entries have been replayed.
func (a *Auditor) Size() uint64 { return a.tree.End() }

// State returns the state that the replay led to. It belongs to the auditor.
func (a *Auditor) State() *trial.State { return a.state }

// Run replays up to the checkpoint that the log publishes now. An error says that the audit
// could not be done and that nothing wrong was found so far. What is wrong with the log is in
// the report, also if the audit ends early: nobody can hide a breach behind a tile that cannot
// be fetched. After findings the auditor must not be run again.
func (a *Auditor) Run(ctx context.Context) (*Report, error) {
	signed, err := a.Source.Checkpoint(ctx)
	if err != nil {
		return nil, fmt.Errorf("fetch checkpoint: %w", err)
	}
	cp, err := a.Policy.Open(signed)
	if err != nil {
		return nil, err
	}
	if g := a.state.Genesis(); g != nil && g.Log != cp.Origin {
		return nil, fmt.Errorf("the audit is of the log %q, but this checkpoint is of %q", g.Log, cp.Origin)
	}
	a.report = &Report{Checkpoint: cp, From: a.Size(), before: a.newest(), signed: signed}
	if !cp.Quorum() {
		a.find(Finding{Index: cp.Size, Kind: "quorum", Text: "the published checkpoint lacks the quorum of " + a.Policy.QuorumText()})
	}
	if end, err := a.standing(); err != nil || end {
		return a.report, err
	}
	if cp.Size > a.Size() {
		a.seen = nil // until the replay has reached its end
	}
	if cp.Quorum() {
		a.toward = signed
	}
	if err := a.replay(ctx, cp.Size); err != nil {
		if len(a.report.Findings) == 0 || a.unbound {
			return nil, err
		}
		a.report.Incomplete = err
		return a.report, nil
	}
	if cp.Size != a.ended && !slices.ContainsFunc(a.report.Findings, func(f Finding) bool { return f.Index == cp.Size-1 }) {
		a.capture(nil)
		a.find(Finding{Index: cp.Size - 1, Kind: "rule", Rule: trial.RuleState, Text: "the published tree does not end with a state entry"})
	}
	root, err := root(a.tree)
	if err != nil {
		return nil, err
	}
	if string(root) != string(cp.Root[:]) {
		if a.unbound {
			return nil, errUnbound
		}
		a.find(Finding{Index: cp.Size, Kind: "root", Text: fmt.Sprintf("the entries lead to the root %x, but the checkpoint has %x: "+
			"an entry was altered, or the checkpoint is of another tree", root, cp.Root)})
	}
	a.unbound = false
	if t, ok := cp.ProvenTime(); ok && a.state.Time().Std().After(t.Add(checkpoint.MaxSkew)) {
		a.find(Finding{Index: cp.Size, Kind: "clock",
			Text: fmt.Sprintf("the last entry says %s, but witnesses saw it by %s", a.state.Time(), t)})
	}
	if len(a.report.Findings) == 0 {
		a.seen = signed
	}
	return a.report, nil
}

// standing compares the checkpoint with the newest that was published before, and reports
// whether that ends the audit.
func (a *Auditor) standing() (end bool, err error) {
	cp, size := a.report.Checkpoint, a.Size()
	if before := a.report.before; before != nil {
		old, err := a.Policy.Open(before)
		if err != nil {
			return false, err
		}
		if !a.Policy.Unwitnessed() { // without witnesses, unpublished checkpoints may come in any order
			size = max(size, old.Size)
		}
		if cp.Size == old.Size && cp.Root != old.Root {
			a.find(Finding{Index: cp.Size, Kind: "fork", Text: fmt.Sprintf(
				"the checkpoint of this size that was published before has the root %x, but this one has %x", old.Root, cp.Root)})
			return true, nil
		}
	}
	if cp.Size < size {
		a.find(Finding{Index: cp.Size, Kind: "rollback", Text: fmt.Sprintf("the log published a tree of size %d before", size)})
		return true, nil
	}
	return false, nil
}

// newest returns the newest checkpoint with the quorum that was opened, or nil if there is
// none.
func (a *Auditor) newest() []byte {
	if a.toward != nil {
		return a.toward
	}
	return a.seen
}

// root returns the RFC 6962 root, also of the empty tree.
func root(r *compact.Range) ([]byte, error) {
	if r.End() == 0 {
		return rfc6962.DefaultHasher.EmptyRoot(), nil
	}
	return r.GetRootHash(nil)
}

func (a *Auditor) find(f Finding) {
	if len(a.report.Findings) < maxFindings {
		a.report.Findings = append(a.report.Findings, f)
	}
}

// A leaf is an entry that a worker has parsed and verified.
type leaf struct {
	raw   []byte
	entry *trial.Entry
	hash  trial.Hash
	err   error // the error of ParseEntry or Verify
}

// replay fetches bundles and verifies signatures on all cores, ahead of the one
// goroutine that applies the entries in order.
func (a *Auditor) replay(ctx context.Context, size uint64) error {
	first := a.Size()
	if first == size {
		return nil
	}
	for leaves, err := range tile.Ahead(ctx, first, size, func(ctx context.Context, n uint64) ([]leaf, error) {
		return a.fetch(ctx, n, first, size)
	}) {
		if err != nil {
			return err
		}
		for _, l := range leaves {
			if err := a.apply(l); err != nil {
				return err
			}
		}
		if a.Progress != nil {
			a.Progress(a.Size(), size)
		}
	}
	return nil
}

// fetch reads bundle n of the tree of a size, and parses and verifies its entries from first
// on.
func (a *Auditor) fetch(ctx context.Context, n, first, size uint64) ([]leaf, error) {
	raws, err := entries(ctx, a.Source, n, size)
	if err != nil {
		return nil, err
	}
	var leaves []leaf
	for i, raw := range raws {
		if n*tile.Width+uint64(i) < first {
			continue
		}
		l := leaf{raw: raw, hash: (&trial.Entry{Raw: raw}).LeafHash()}
		if l.entry, l.err = trial.ParseEntry(raw); l.err == nil {
			l.err = l.entry.Verify()
		}
		leaves = append(leaves, l)
	}
	return leaves, nil
}

// entries reads bundle n of the tree of a size.
func entries(ctx context.Context, src tile.Source, n, size uint64) ([][]byte, error) {
	raws, rest, err := tile.Fetch(ctx, src, n, size)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%s has %d bytes after its last entry", tile.Path(tile.Entries, n, len(raws)), len(rest))
	}
	return raws, err
}

// errUnbound ends an audit that was resumed in the middle if the saved state and the entries
// after it do not lead to a published tree. No finding is reported then, because the file may
// be the cause of all of them.
var errUnbound = errors.New("the state file was saved in the middle of a replay, and does not lead to the tree that the log publishes: " +
	"remove the state file and audit from the first entry")

func (a *Auditor) apply(l leaf) error {
	index, edits := a.Size(), a.state.Edits()
	err := a.state.Judges() // an entry that a newer rule set may allow is not to blame
	if err == nil {
		err = l.err
	}
	if err == nil {
		err = a.state.Apply(l.entry)
	}
	if _, ok := errors.AsType[*trial.NewerRules](err); ok {
		return err // the entry is not applied: the next run returns the same error
	}
	if l.entry != nil && l.entry.State != nil {
		a.before = slices.Clone(a.tree.Hashes())
	}
	if err := a.tree.Append(l.hash[:], a.visit); err != nil {
		return err
	}
	a.pending.add(l)
	if err == nil && l.entry.Genesis != nil {
		a.genesis = l.raw
		if l.entry.Genesis.Log != a.report.Checkpoint.Origin {
			err = &trial.Refusal{Rule: trial.RuleLog, Detail: fmt.Sprintf("the genesis is of the log %q", l.entry.Genesis.Log)}
		}
	}
	if err != nil {
		a.capture(l.err)
		a.find(Finding{Index: index, Kind: "rule", Rule: trial.RuleOf(err), Text: err.Error()})
		a.state.Skip(index)
		return nil
	}
	if a.Watch != nil {
		a.Watch(index, l.entry, a.state.Touched(edits))
	}
	if l.entry.State == nil {
		return nil
	}
	a.last, a.ended, a.pending = l.raw, a.Size(), window{}
	a.state.Commit()
	if a.Boundary != nil && len(a.report.Findings) == 0 {
		return a.Boundary()
	}
	return nil
}

// visit keeps the siblings on the path of entry 0.
func (a *Auditor) visit(id compact.NodeID, hash []byte) {
	if id.Index == 1 {
		a.first = append(a.first, hash)
	}
}
