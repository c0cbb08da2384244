package logserver

import (
	"context"
	"errors"
	"fmt"

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
	return l.saveCheckpoint(l.signed.note)
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
	l.cosigner = newCosigner(l)
	l.sequencer.l, l.sequencer.saver.l = l, l
	return l, nil
}

// Open starts a log that Create has made: it claims the lead, finishes what was decided,
// rebuilds the state and then, while the caller goes on, asks the witnesses what they last saw.
// Submissions are accepted once Ready returns nil.
func Open(ctx context.Context, cfg Config) (*Log, error) {
	l, err := newLog(cfg)
	if err != nil {
		return nil, err
	}
	if l.epoch, err = l.journal.Claim(ctx); err != nil {
		return nil, fmt.Errorf("claim the journal: %w", err)
	}
	if err := l.load(ctx); err != nil {
		return nil, err
	}
	if err := l.files.watch(cfg.Files); err != nil {
		return nil, err
	}
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.work, l.stop = work, stop
	take, stopTaking := context.WithCancel(work)
	l.stopTaking = stopTaking
	l.done.Go(func() { l.cosigner.run(work) })
	l.done.Go(func() { l.clock.watch(work, l) })
	l.sequencing.Go(func() { l.sequencer.run(take, work) })
	return l, nil
}

// load brings the log in memory to the newest stored checkpoint, and from there to the end of
// what was decided.
func (l *Log) load(ctx context.Context) error {
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
	if err := l.resign(); err != nil {
		return err
	}
	if err := l.rebuild(ctx); err != nil {
		return err
	}
	if err := l.finish(ctx); err != nil {
		return err
	}
	l.last.Store(int64(l.sequencer.state.Time()))
	l.sequencer.saver.add(l.sequencer.state.Changed())
	l.view.begin(l.sequencer.state)
	l.view.advance(l.published.size)
	return nil
}

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
	kept, err := readOptional(l.cfg.CheckpointFile)
	if err != nil || kept == nil {
		return err
	}
	cp, err := l.cfg.Policy.Open(kept)
	if err != nil {
		return fmt.Errorf("%s: %w: triallog fsck says whether it can be put back, and with -repair does", l.cfg.CheckpointFile, err)
	}
	return l.holds(ctx, cp.Tree, l.cfg.CheckpointFile)
}

// rebuild loads the snapshot of the state, checks it against its state entry,
// and replays the entries after it.
func (l *Log) rebuild(ctx context.Context) error {
	s := &l.sequencer
	s.state = new(trial.State)
	size, records, err := l.journal.LoadSnapshot(ctx)
	if err != nil {
		return fmt.Errorf("load snapshot: %w", err)
	}
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
	for next := s.state.Size(); next < l.signed.Size; next = s.state.Size() {
		raws, err := l.hashes.entries(ctx, next, int(min(l.signed.Size-next, tile.Width)))
		if err != nil {
			return fmt.Errorf("replay: %w", err)
		}
		for _, raw := range raws {
			if err := s.replay(raw); err != nil {
				return fmt.Errorf("replay entry %d: %w", s.state.Size(), err)
			}
		}
	}
	return nil
}

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
	if e.State != nil {
		s.state.Commit()
	}
	return nil
}

// finish carries out the batches that were decided and not signed.
func (l *Log) finish(ctx context.Context) error {
	_, size, batches, err := l.journal.Decided(ctx, l.signed.Size)
	if err != nil {
		return fmt.Errorf("read decided batches: %w", err)
	}
	for _, b := range batches {
		if b.First != l.sequencer.state.Size() {
			return fmt.Errorf("the journal has a batch at %d, but %d is next", b.First, l.sequencer.state.Size())
		}
		for _, e := range b.Entries {
			if err := l.sequencer.replay(e.Raw); err != nil {
				return fmt.Errorf("replay decided entry %d: %w", l.sequencer.state.Size(), err)
			}
		}
		if err := l.sequencer.apply(ctx, b); err != nil {
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
	l.sequencer.saver.flush(ctx, l.sequencer.state.Size())
	l.done.Wait()
	return nil
}
