package logserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/tile"
)

// A Plan says what a restore will restore: the largest tree that anyone who was asked has with
// the log's signature. To continue from a smaller one would fork the log.
type Plan struct {
	source    tile.Source
	newest    signedTree
	published signedTree
	known     map[uint64][]knownTree // by size: what the entries must lead to
	who       string                 // has newest
}

// A knownTree is a tree that the log signed, and who has it.
type knownTree struct {
	checkpoint.Tree
	who string
}

// Tree returns the tree that will be restored.
func (p *Plan) Tree() checkpoint.Tree { return p.newest.Tree }

// PlanRestore reads the source's checkpoint and compares it with the policy, with the copy
// outside the database (cfg.CheckpointFile), and with what the policy's witnesses last saw. It
// writes nothing; cfg needs no Tree, Journal or Tiles.
func PlanRestore(ctx context.Context, cfg Config, src tile.Source) (*Plan, error) {
	l, err := newLog(cfg)
	if err != nil {
		return nil, err
	}
	signed, err := src.Checkpoint(ctx)
	if err != nil {
		return nil, fmt.Errorf("fetch checkpoint: %w", err)
	}
	cp, err := cfg.Policy.Open(signed)
	if err != nil {
		return nil, err
	}
	switch {
	case cp.Origin != l.origin:
		return nil, fmt.Errorf("the checkpoint is of the log %q, but the key is of %q", cp.Origin, l.origin)
	case cp.Size == 0:
		return nil, errors.New("the checkpoint is of the empty tree: nothing can be restored from it")
	case !cp.Quorum():
		return nil, fmt.Errorf("the checkpoint lacks the quorum of %s: restore with the policy that it was published under, "+
			"and change the policy afterwards", cfg.Policy.QuorumText())
	}
	p := &Plan{source: src, published: signedTree{cp.Tree, signed}, known: map[uint64][]knownTree{}}
	if err := p.learn(l, p.published, "the published checkpoint"); err != nil {
		return nil, err
	}
	kept, err := readOptional(cfg.CheckpointFile)
	if err != nil {
		return nil, err
	}
	if kept != nil {
		k, err := cfg.Policy.Open(kept)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", cfg.CheckpointFile, err)
		}
		if err := p.learn(l, signedTree{k.Tree, kept}, cfg.CheckpointFile); err != nil {
			return nil, err
		}
	}
	if err := p.ask(ctx, l); err != nil {
		return nil, err
	}
	return p, p.reach(ctx, cp.Size)
}

// learn records a tree that the log has signed.
func (p *Plan) learn(l *Log, t signedTree, who string) error {
	for _, k := range p.known[t.Size] {
		if k.Root != t.Root {
			return fmt.Errorf("the log signed two trees of size %d: %s says root %x, %s says %x: it was forked, and is not restored",
				t.Size, k.who, k.Root, who, t.Root)
		}
	}
	p.known[t.Size] = append(p.known[t.Size], knownTree{t.Tree, who})
	if t.Size <= p.newest.Size {
		return nil
	}
	own, err := ownLines(l.cfg.Policy, t.note)
	if err != nil {
		return fmt.Errorf("%s: %w", who, err)
	}
	p.newest, p.who = signedTree{t.Tree, own}, who
	return nil
}

// ask asks all witnesses what they last saw. As at a start, the silent ones must not be able to
// form a quorum alone.
func (p *Plan) ask(ctx context.Context, l *Log) error {
	policy := l.cfg.Policy
	own, err := ownLines(policy, p.published.note)
	if err != nil {
		return err
	}
	seen, errs := make([]signedTree, len(policy.Witnesses)), make([]error, len(policy.Witnesses))
	var wg sync.WaitGroup
	for i, key := range policy.Witnesses {
		if key.URL == "" {
			errs[i] = fmt.Errorf("witness %s has no URL in the policy", key.Label)
			continue
		}
		w := &witness{key: key, origin: l.origin, logs: logKeys(policy, l.origin), client: l.cfg.Client}
		wg.Go(func() { seen[i], errs[i] = w.seen(ctx, signedTree{p.published.Tree, own}) })
	}
	wg.Wait()
	for i, err := range errs {
		if refused, ok := errors.AsType[errRefused](err); ok {
			return fmt.Errorf("%w; nothing is restored", refused)
		}
		if err != nil || seen[i].note == nil {
			continue
		}
		if err := p.learn(l, seen[i], "witness "+policy.Witnesses[i].Label); err != nil {
			return err
		}
	}
	if !policy.Unwitnessed() && policy.Satisfied(func(w int) bool { return errs[w] != nil }) {
		return fmt.Errorf("too few witnesses have said what they last saw; those that were silent could have seen more: "+
			"see that they run, and restore again:\n%w", errors.Join(errs...))
	}
	return nil
}

// reach asks whether the source has the entries of the newest tree, if that is beyond its
// checkpoint: a log's own tiles are ahead of what is published.
func (p *Plan) reach(ctx context.Context, published uint64) error {
	if p.newest.Size == published {
		return nil
	}
	if _, err := fetch(ctx, p.source, (p.newest.Size-1)/tile.Width, p.newest.Size); err != nil {
		return fmt.Errorf("%s has size %d with this log's signature, and the URL serves %d: to go on from there would fork the log. "+
			"Restore from a newer copy, one that has all %d entries (%w)", p.who, p.newest.Size, published, p.newest.Size, err)
	}
	return nil
}

// seen asks a witness what it last saw of the log, by showing it a published checkpoint. It
// returns the zero value if the witness has seen nothing larger. errRefused says that it has
// seen another tree; any other error, that it has not answered.
func (w *witness) seen(ctx context.Context, published signedTree) (signedTree, error) {
	// A witness needs no proof for the same tree; it answers with any other size that it has.
	resp, err := w.post(ctx, fmt.Appendf(nil, "old %d\n\n%s", published.Size, published.note))
	if err != nil {
		return signedTree{}, err
	}
	switch {
	case resp.status == http.StatusOK:
		return signedTree{}, nil
	case resp.status == http.StatusConflict && resp.contentType == "text/x.tlog.size":
		size, err := parseSize(resp.body)
		if err != nil {
			return signedTree{}, fmt.Errorf("witness %s answers 409 without a size", w.key.Label)
		}
		if size <= published.Size {
			return signedTree{}, nil
		}
	case slices.Contains([]int{http.StatusConflict, http.StatusUnprocessableEntity}, resp.status):
		return signedTree{}, errRefused{w.key.Label, resp.status, string(resp.body)}
	}
	// It has seen more, or cannot cosign now, like a replaying witness that cannot reach its
	// log. Its last checkpoint tells.
	t, err := w.newest(ctx)
	if err != nil {
		return signedTree{}, fmt.Errorf("witness %s answers status %d: %.200q: %w",
			w.key.Label, resp.status, strings.TrimSpace(string(resp.body)), err)
	}
	return t, nil
}
