package logserver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// A cosigner gets stored checkpoints cosigned and publishes them. Its own goroutine, run, holds
// one round after another. Each witness has a worker that asks for the present round's
// cosignature, so no witness delays the others.
type cosigner struct {
	l     *Log
	wake  chan struct{}      // of capacity 1: a larger checkpoint is stored
	fresh chan chan struct{} // asks for fresh cosignatures; closed when done
	heard map[int]bool       // witnesses that have cosigned since the start; run's own

	mu      sync.Mutex // guards the fields below
	current *round
	changed chan struct{} // closed and replaced with current
}

// A round asks all witnesses for one checkpoint.
type round struct {
	tree    signedTree
	results chan result // each worker sends at most one success
}

type result struct {
	witness int
	line    string
	at      time.Time
	err     error
}

const (
	// roundTurn is how long a round waits for the quorum before it makes way for a larger
	// checkpoint.
	roundTurn = time.Second
	// freshWait bounds how long fresh cosignatures are waited for.
	freshWait = 5 * time.Second
	// A worker's pause after a failure doubles from first to last.
	firstBackoff = 50 * time.Millisecond
	lastBackoff  = 5 * time.Second
)

func newCosigner(l *Log) *cosigner {
	return &cosigner{
		l: l, wake: make(chan struct{}, 1), fresh: make(chan chan struct{}),
		heard: map[int]bool{}, changed: make(chan struct{}),
	}
}

func (c *cosigner) wakeUp() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// run holds rounds until ctx ends or the log stops. It returns when ctx has ended.
func (c *cosigner) run(ctx context.Context) {
	var workers sync.WaitGroup
	defer workers.Wait()
	for i, key := range c.l.cfg.Policy.Witnesses {
		if key.URL == "" {
			continue // others can count its cosignatures, but we cannot ask it
		}
		w := &witness{key: key, origin: c.l.origin, logs: logKeys(c.l.cfg.Policy, c.l.origin), client: c.l.cfg.Client}
		workers.Go(func() { c.work(ctx, i, w) })
	}
	idle := time.NewTimer(c.l.cfg.Recosign)
	for ctx.Err() == nil && c.l.Err() == nil {
		if c.l.signedSize() > c.l.publishedSize() || !c.l.ready.Load() {
			c.publish(ctx)
			idle.Reset(c.l.cfg.Recosign)
			continue
		}
		select {
		case <-c.wake:
		case <-idle.C:
			c.renew(ctx)
			idle.Reset(c.l.cfg.Recosign)
		case done := <-c.fresh:
			c.renew(ctx)
			close(done)
		case <-ctx.Done():
		}
	}
}

func (c *cosigner) begin(tree signedTree) *round {
	r := &round{tree: tree, results: make(chan result, 2*len(c.l.cfg.Policy.Witnesses)+1)}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.current = r
	close(c.changed)
	c.changed = make(chan struct{})
	return r
}

func (c *cosigner) round() (*round, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.current, c.changed
}

// publish gets the newest stored checkpoint cosigned and publishes it at the quorum. It returns
// sooner if a larger one is stored meanwhile.
func (c *cosigner) publish(ctx context.Context) {
	start := time.Now()
	c.l.mu.Lock()
	tree := c.l.signed
	c.l.mu.Unlock()
	r := c.begin(tree)
	saved := make(chan error, 1)
	go func() { saved <- c.l.saveCheckpoint(tree.Size, tree.note) }()
	turn := time.NewTimer(roundTurn)
	defer turn.Stop()
	var asked []chan struct{}
	defer func() {
		for _, done := range asked {
			close(done)
		}
	}()
	var lines []string
	got := map[int]bool{}
	c.l.hearAll(c)
	// At the start a quorum is not enough: see hearAll.
	for !c.l.cfg.Policy.Satisfied(func(w int) bool { return got[w] }) ||
		tree.Size == c.l.publishedSize() && !c.l.ready.Load() {
		select {
		case res := <-r.results:
			if c.record(res) {
				lines, got[res.witness] = append(lines, res.line), true
			}
			if c.l.Err() != nil {
				return
			}
		case <-turn.C:
			if c.l.signedSize() > tree.Size {
				return
			}
			for _, done := range asked {
				close(done)
			}
			asked = nil
			turn.Reset(roundTurn)
		case done := <-c.fresh:
			asked = append(asked, done)
		case <-ctx.Done():
			return
		}
	}
	err := <-saved
	if step := "write the checkpoint's copy"; err == nil {
		c.l.stuck.Delete(step)
	} else if x, _ := c.l.stuck.LoadOrStore(step, failing{time.Now(), err}); x != nil {
		c.l.stuck.Store(step, failing{x.(failing).since, err})
	}
	if err != nil {
		c.l.log.Error("the copy of the checkpoint outside the database was not written",
			"file", c.l.cfg.CheckpointFile, "error", err)
		select {
		case <-time.After(c.l.cfg.RetryDelay):
		case <-ctx.Done():
		}
		return // without the copy nothing is published: the next round tries again
	}
	cosigned, err := c.assemble(tree, lines)
	if err != nil {
		c.l.fail(err)
		return
	}
	if tree.Size == c.l.publishedSize() {
		c.l.refresh(cosigned, tree.Size)
		return
	}
	var kept []byte
	if err := c.l.retry(ctx, "publish", func() (err error) {
		kept, err = c.l.journal.Publish(ctx, tree.Size, cosigned)
		return err
	}); err != nil {
		return
	}
	if string(kept) != string(cosigned) { // another server that led was first
		if err := c.check(tree, kept); err != nil {
			c.l.fail(err)
			return
		}
		cosigned = kept
	}
	c.l.setPublished(publication{tree.Size, cosigned})
	c.l.cfg.Metrics.Published(tree.Size, time.Since(start))
}

// assemble puts the cosignatures under the checkpoint and checks what a client will check.
func (c *cosigner) assemble(tree signedTree, lines []string) ([]byte, error) {
	cosigned := string(tree.note)
	for _, line := range lines {
		cosigned += line
	}
	return []byte(cosigned), c.check(tree, []byte(cosigned))
}

// check checks that a checkpoint is of a tree and has the quorum.
func (c *cosigner) check(tree signedTree, cosigned []byte) error {
	cp, err := c.l.cfg.Policy.Open(cosigned)
	if err != nil {
		return fmt.Errorf("cosigned checkpoint of size %d: %w", tree.Size, err)
	}
	if cp.Tree != tree.Tree || !cp.Quorum() {
		return fmt.Errorf("cosigned checkpoint of size %d is not what the witnesses were asked for", tree.Size)
	}
	return nil
}

// record records one worker's result and reports whether it is a cosignature.
func (c *cosigner) record(res result) bool {
	if ahead, ok := errors.AsType[errAhead](res.err); ok {
		if err := c.l.behind(ahead); err != nil {
			c.l.fail(err)
		}
		return false
	}
	if res.err != nil {
		return false // the worker has logged it
	}
	c.l.clock.cosigned(res.witness, res.at, c.l.now())
	c.heard[res.witness] = true
	c.l.quorum.heard(res.witness)
	c.l.hearAll(c)
	return true
}

// behind returns what it means that a witness has cosigned a larger tree than this server knows:
// that another server has taken the lead and signed it, or that the database is an old copy. It
// returns nil if the database does not say who leads; the witness is asked again.
func (l *Log) behind(ahead errAhead) error {
	if l.cfg.Replica == nil {
		return ahead
	}
	ctx, cancel := context.WithTimeout(l.work, l.cfg.Replica.Lease)
	defer cancel()
	epoch, _, _, err := l.journal.Decided(ctx, l.signedSize())
	switch {
	case err != nil:
		return nil
	case epoch != l.epoch:
		return fmt.Errorf("%w: %w", ErrLost, ahead)
	}
	return ahead
}

// hearAll opens the log for submissions once the silent witnesses could not form a quorum
// alone: then none of them can have seen more.
func (l *Log) hearAll(c *cosigner) {
	p := l.cfg.Policy
	if p.Unwitnessed() || !p.Satisfied(func(w int) bool { return !c.heard[w] }) {
		l.ready.Store(true)
	}
}

// renew gets the published checkpoint cosigned again, for fresh times.
func (c *cosigner) renew(ctx context.Context) {
	c.l.mu.Lock()
	tree := c.l.signed
	c.l.mu.Unlock()
	r := c.begin(tree)
	timeout := time.NewTimer(freshWait)
	defer timeout.Stop()
	var lines []string
	got, answered := map[int]bool{}, map[int]bool{}
	for len(answered) < c.asked() && c.l.Err() == nil {
		select {
		case res := <-r.results:
			answered[res.witness] = true
			if c.record(res) {
				lines, got[res.witness] = append(lines, res.line), true
			}
			continue
		case <-timeout.C:
		case <-ctx.Done():
		}
		break
	}
	if len(got) == 0 || !c.l.cfg.Policy.Satisfied(func(w int) bool { return got[w] }) {
		return
	}
	if cosigned, err := c.assemble(tree, lines); err == nil {
		c.l.refresh(cosigned, tree.Size)
	}
}

func (c *cosigner) asked() int {
	n := 0
	for _, w := range c.l.cfg.Policy.Witnesses {
		if w.URL != "" {
			n++
		}
	}
	return n
}

// recosign waits until witnesses have been asked for fresh cosignatures. The sequencer uses it
// to learn the time.
func (c *cosigner) recosign(ctx context.Context) {
	if c.asked() == 0 {
		return
	}
	done := make(chan struct{})
	select {
	case c.fresh <- done:
	case <-ctx.Done():
		return
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// work asks one witness for the present round's cosignature, and after a failure and a pause
// for that of the round there is then.
func (c *cosigner) work(ctx context.Context, i int, w *witness) {
	var done *round
	backoff := firstBackoff
	for ctx.Err() == nil {
		r, changed := c.round()
		if r == nil || r == done {
			select {
			case <-changed:
			case <-ctx.Done():
			}
			continue
		}
		start := time.Now()
		line, at, err := w.cosign(ctx, c.l.hashes, r.tree, c.l.signedSize())
		if ctx.Err() != nil {
			return
		}
		c.l.cfg.Metrics.Witness(w.key.Label, err, time.Since(start))
		select {
		case r.results <- result{i, line, at, err}:
		default: // the round has seen enough failures
		}
		if err == nil {
			done, backoff = r, firstBackoff
			continue
		}
		level := c.l.log.Warn
		if _, ok := errors.AsType[errRefused](err); ok {
			level = c.l.log.Error
		}
		level("no cosignature", "witness", w.key.Label, "size", r.tree.Size, "error", err)
		select {
		case <-time.After(backoff):
		case <-ctx.Done():
		}
		backoff = min(2*backoff, lastBackoff)
	}
}

// setPublished moves reads to a new published checkpoint.
func (l *Log) setPublished(p publication) {
	l.view.advance(p.size)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.published = p
	if len(l.recent) >= recentKept {
		l.recent = append([]publication(nil), l.recent[recentKept/2:]...)
	}
	l.recent = append(l.recent, p)
	l.quorum.waits(l.signed.Size, p.size)
	close(l.changed)
	l.changed = make(chan struct{})
}

// refresh serves newer cosignatures on the published checkpoint. Receipts keep the first ones.
func (l *Log) refresh(cosigned []byte, size uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.published.size == size {
		l.published.note, l.fresh = cosigned, cosigned
	}
}
