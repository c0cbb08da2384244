package logserver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/tile"
)

// ErrRolledBack says that a checkpoint kept elsewhere is of a larger tree, or of another one,
// than the database has.
var ErrRolledBack = errors.New("the database is an old copy, or another log's")

// Create makes a new log from its genesis: a first batch, decided, appended and signed. The
// journal and the tree must be empty, or have just that from an earlier attempt.
func Create(ctx context.Context, cfg Config, genesis *trial.Genesis) error {
	l, err := newLog(cfg)
	if err != nil {
		return err
	}
	if l.epoch, err = l.journal.Claim(ctx); err != nil {
		return fmt.Errorf("claim the journal: %w", err)
	}
	if signed, _, err := l.journal.Newest(ctx); err != nil {
		return err
	} else if signed != nil {
		return errors.New("the database holds a log already")
	}
	if l.hashes, err = openHashTree(ctx, l.tiles, &l.damages, 0); err != nil {
		return err
	}
	raw, err := genesis.Marshal()
	if err != nil {
		return err
	}
	s := &l.sequencer
	s.state = new(trial.State)
	e, err := trial.ParseEntry(raw)
	if err != nil {
		return err
	}
	if err := s.state.Apply(e); err != nil {
		return err
	}
	s.state.Commit()
	about := aboutOf(e, s.state.Changed())
	end, err := s.state.Close(genesis.Time)
	if err != nil {
		return err
	}
	b := Batch{Entries: []BatchEntry{{Raw: raw, Records: about}, {Raw: end}}}
	if err := s.decide(ctx, b); err != nil {
		return err
	}
	s.state.Commit()
	if err := s.apply(ctx, b); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.saveCheckpoint(l.signed.Size, l.signed.note)
}

// errUnfinished says that neither init nor restore has finished.
var errUnfinished = errors.New("the database holds no log that could be served: " +
	"if a restore was interrupted, run triallog restore again; if an init was, remove its folder and run triallog init again")

func newLog(cfg Config) (*Log, error) {
	cfg.setDefaults()
	l := &Log{
		cfg: cfg, origin: cfg.Signer.Name(), log: cfg.Logger, now: cfg.Now,
		tree: cfg.Tree, journal: cfg.Journal, tiles: cfg.Tiles,
		verifier: receipt.NewVerifier(cfg.Policy), changed: make(chan struct{}),
	}
	if err := cfg.checkKeys(); err != nil {
		return nil, err
	}
	l.damages.told = func(d *Damage) { l.log.Error("a stored file is damaged", "file", d.Path, "error", d) }
	l.pool.init()
	l.clock.checking, l.quorum.asking, l.probe.asking, l.sequencer.saver.saving = newTurn(), newTurn(), newTurn(), newTurn()
	l.copying = newTurn()
	if cfg.Replica != nil {
		l.pool.closed = ErrLost
		l.standing.heard = time.Now()
		l.standing.hurry = make(chan struct{}, 1)
	}
	l.sequencer.l, l.sequencer.saver.l = l, l
	return l, nil
}

// Open starts a log that Create has made: it loads the newest stored tree and the state. A log
// that is the only server of its journal then claims the lead, finishes what was decided and,
// while the caller goes on, asks the witnesses what they last saw; submissions are accepted once
// Ready returns nil. A replica follows whoever leads, until it is its turn.
func Open(ctx context.Context, cfg Config) (*Log, error) {
	l, err := newLog(cfg)
	if err != nil {
		return nil, err
	}
	if cfg.Replica == nil {
		if err := l.alone(ctx); err != nil {
			return nil, err
		}
		if l.epoch, err = l.journal.Claim(ctx); err != nil {
			return nil, fmt.Errorf("claim the journal: %w", err)
		}
	}
	if err := l.load(ctx); err != nil {
		return nil, err
	}
	if cfg.Replica == nil {
		if err := l.takeOver(ctx); err != nil {
			return nil, err
		}
	}
	if err := l.files.watch(cfg.Files); err != nil {
		return nil, err
	}
	l.work, l.stop = context.WithCancel(context.WithoutCancel(ctx))
	take, stopTaking := context.WithCancel(l.work)
	l.stopTaking = stopTaking
	l.sequencing.Go(func() { l.run(take) })
	return l, nil
}

// load brings the log in memory to the newest stored checkpoint.
func (l *Log) load(ctx context.Context) error {
	snapshot, records, err := l.journal.LoadSnapshot(ctx) // first: it is never of a later tree than what is read after it
	if err != nil {
		return fmt.Errorf("load snapshot: %w", err)
	}
	signed, published, err := l.journal.Newest(ctx)
	if err != nil {
		return fmt.Errorf("read newest checkpoint: %w", err)
	}
	if signed == nil {
		return errUnfinished
	}
	cp, err := l.cfg.Policy.Open(signed)
	if err != nil {
		return fmt.Errorf("the stored checkpoint: %w (a policy keeps the log lines of retired keys)", err)
	}
	l.signed = signedTree{cp.Tree, signed}
	if l.hashes, err = openHashTree(ctx, l.tiles, &l.damages, cp.Size); err != nil {
		return err
	}
	if err := l.holds(ctx, cp.Tree, "the newest stored checkpoint"); err != nil {
		if d := l.hashes.edges(ctx, cp.Size, cp.Root); d != nil {
			return d
		}
		return err
	}
	if err := l.hashes.checkBundle(); err != nil {
		return err
	}
	if err := l.compareCopy(ctx); err != nil {
		return err
	}
	if published != nil {
		pub, err := l.cfg.Policy.Open(published)
		if err != nil {
			return fmt.Errorf("the published checkpoint: %w", err)
		}
		if err := l.holds(ctx, pub.Tree, "the published checkpoint"); err != nil {
			return err
		}
		l.published = publication{pub.Size, published}
		l.recent = []publication{l.published}
	}
	if err := l.rebuild(ctx, snapshot, records); err != nil {
		return err
	}
	l.last.Store(int64(l.sequencer.state.Time()))
	l.sequencer.saver.add(l.signed.Size, l.sequencer.state.Changed())
	l.view.begin(l.sequencer.state)
	l.view.advance(l.published.size)
	return nil
}

// takeOver makes a leader of a log that was loaded or has followed: it brings the tree to the end
// of what was decided by others. Nothing is decided before it returns nil.
func (l *Log) takeOver(ctx context.Context) error {
	signed, _, err := l.journal.Newest(ctx)
	if err != nil {
		return fmt.Errorf("read newest checkpoint: %w", err)
	}
	cp, err := l.cfg.Policy.Open(signed)
	if err != nil {
		return fmt.Errorf("the stored checkpoint: %w", err)
	}
	if err := l.advance(ctx, cp.Tree); err != nil {
		return err
	}
	l.mu.Lock()
	l.signed = signedTree{cp.Tree, signed}
	err = l.resign()
	l.mu.Unlock()
	if err != nil {
		return err
	}
	if err := l.compareCopy(ctx); err != nil {
		return err
	}
	if err := l.finish(ctx); err != nil {
		return err
	}
	l.quorum.waits(l.signedSize(), l.publishedSize())
	return nil
}

// advance brings hashes and state up to a tree that the log has signed and stored. Of what is
// stored only the root decides: until it is the one that was signed, nothing is taken over.
func (l *Log) advance(ctx context.Context, tree checkpoint.Tree) error {
	if tree.Size < l.signedSize() {
		return fmt.Errorf("%w: its newest checkpoint has size %d, but this server has seen one of size %d",
			ErrRolledBack, tree.Size, l.signedSize())
	}
	next := l.hashes
	if tree.Size > next.len() {
		next = next.clone()
		if err := next.extend(ctx, tree.Size); err != nil {
			return err
		}
	}
	root, err := next.root(ctx, tree.Size)
	if err != nil {
		return err
	}
	if root != tlog.Hash(tree.Root) {
		return fmt.Errorf("at size %d the log signed root %x, but the stored entries lead to %x", tree.Size, tree.Root, root[:])
	}
	if next != l.hashes {
		l.hashes.become(next)
	}
	return l.replayTo(ctx, tree.Size)
}

// replayTo replays the entries that the hashes have and the state has not.
func (l *Log) replayTo(ctx context.Context, size uint64) error {
	s := &l.sequencer
	for next := s.state.Size(); next < size; next = s.state.Size() {
		raws, err := l.hashes.entries(ctx, next, int(min(size-next, tile.Width)))
		if err != nil {
			return fmt.Errorf("replay: %w", err)
		}
		for _, raw := range raws {
			if err := s.replay(raw); err != nil {
				return fmt.Errorf("%w: entry %d: %w", errReplay, s.state.Size(), err)
			}
		}
	}
	return nil
}

// errReplay says that the tree has an entry that its rules do not admit.
var errReplay = errors.New("the log broke its rules")

// holds checks that our tiles lead to a checkpoint's root.
func (l *Log) holds(ctx context.Context, tree checkpoint.Tree, what string) error {
	if tree.Size > l.signed.Size {
		return fmt.Errorf("%w: %s has size %d, but the database's newest checkpoint has size %d",
			ErrRolledBack, what, tree.Size, l.signed.Size)
	}
	root, err := l.hashes.root(ctx, tree.Size)
	if err != nil {
		return fmt.Errorf("compute root of %d: %w", tree.Size, err)
	}
	if root != tree.Root {
		return fmt.Errorf("%w: at size %d %s says root %x, but the tiles lead to %x", ErrRolledBack, tree.Size, what, tree.Root, root[:])
	}
	return nil
}

// compareCopy compares with the checkpoint kept outside the database.
func (l *Log) compareCopy(ctx context.Context) error {
	kept, err := l.cfg.Copy.Read()
	if err != nil || kept == nil {
		return err
	}
	cp, err := l.cfg.Policy.Open(kept)
	if err != nil {
		return fmt.Errorf("%s: %w: triallog fsck says whether it can be put back, and with -repair does", l.cfg.CheckpointFile, err)
	}
	return l.holds(ctx, cp.Tree, l.cfg.CheckpointFile)
}

// rebuild makes the state from its snapshot, which it checks against its state entry, and
// replays the entries after it.
func (l *Log) rebuild(ctx context.Context, size uint64, records []trial.Record) error {
	s := &l.sequencer
	s.state = new(trial.State)
	if size > 0 && size <= l.signed.Size {
		genesis, err := l.hashes.parse(ctx, 0)
		if err != nil {
			return fmt.Errorf("read genesis: %w", err)
		}
		last, err := l.hashes.parse(ctx, size-1)
		if err != nil {
			return fmt.Errorf("read the snapshot's state entry: %w", err)
		}
		if genesis.Genesis == nil || last.State == nil {
			return fmt.Errorf("the snapshot's size %d does not end with a state entry", size)
		}
		if s.state, err = trial.Load(genesis.Genesis, last.State, records); err != nil {
			// Only the entries count; they are replayed from the first one on.
			l.log.Error("the snapshot of the state is not used", "error", err)
			s.state = new(trial.State)
			size = 0
		}
		s.saver.last = size
	}
	return l.replayTo(ctx, l.signed.Size)
}

// replay applies an entry that stands.
func (s *sequencer) replay(raw []byte) error {
	e, err := trial.ParseEntry(raw)
	if err != nil {
		return err
	}
	if err := e.Verify(); err != nil {
		return err
	}
	if err := s.state.Apply(e); err != nil {
		return err
	}
	if e.State == nil {
		return nil
	}
	if s.l.view.begun() {
		s.commit()
	} else {
		s.state.Commit() // the view begins with all that is replayed
	}
	return nil
}

// finish carries out the batches that were decided and not signed.
func (l *Log) finish(ctx context.Context) error {
	_, size, batches, err := l.journal.Decided(ctx, l.signed.Size)
	if err != nil {
		return fmt.Errorf("read decided batches: %w", err)
	}
	s := &l.sequencer
	if u := s.unfinished; u != nil && u.Next() <= l.signed.Size {
		s.unfinished = nil // another server has carried it out
	}
	for _, b := range batches {
		if u := s.unfinished; u != nil && u.First == b.First && sameBatch(u.Batch, b) {
			if err := s.carryOut(ctx); err != nil {
				return err
			}
			continue
		}
		if b.First != s.state.Size() {
			return fmt.Errorf("the journal has a batch at %d, but %d is next", b.First, s.state.Size())
		}
		for _, e := range b.Entries {
			if err := s.replay(e.Raw); err != nil {
				return fmt.Errorf("replay decided entry %d: %w", s.state.Size(), err)
			}
		}
		if err := s.apply(ctx, b); err != nil {
			return err
		}
	}
	if l.signed.Size != size {
		return fmt.Errorf("%w: %d entries are decided, but the newest checkpoint is of size %d", ErrRolledBack, size, l.signed.Size)
	}
	return l.compareTree(ctx)
}

// compareTree compares the tree with the newest checkpoint before anything is added.
func (l *Log) compareTree(ctx context.Context) error {
	size, root, err := l.tree.Head(ctx)
	if err != nil {
		return fmt.Errorf("read the tree's head: %w", err)
	}
	if size != l.signed.Size || root != l.signed.Root {
		return fmt.Errorf("%w: the tree has size %d and root %x, but the newest checkpoint has %d and %x",
			ErrRolledBack, size, root, l.signed.Size, l.signed.Root)
	}
	return nil
}

// Close stops accepting submissions, hands back those not yet decided, finishes the present
// batch, waits for the quorum until ctx ends, and saves the state. Submitters that are still
// waiting then are told that their receipt is pending.
func (l *Log) Close(ctx context.Context) error {
	l.pool.close(ErrClosing)
	l.stopTaking()
	finished := make(chan struct{})
	go func() { l.sequencing.Wait(); close(finished) }()
	select {
	case <-finished:
		for l.publishedSize() < l.signedSize() {
			if _, err := l.Await(ctx, l.publishedSize()); err != nil {
				break
			}
		}
	case <-ctx.Done():
	}
	l.mu.Lock()
	if l.fatal == nil {
		l.fatal = ErrClosing // wakes who waits for a receipt
		close(l.changed)
		l.changed = make(chan struct{})
	}
	l.mu.Unlock()
	l.stop()
	<-finished
	if l.Leads() {
		l.sequencer.saver.flush(ctx, l.sequencer.state.Size())
		if err := l.journal.Free(ctx, l.epoch); err != nil && !errors.Is(err, ErrLost) {
			l.log.Warn("the lead was not given up: another server takes it when it has waited", "error", err)
		}
	}
	l.done.Wait()
	return nil
}
