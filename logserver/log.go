// Package logserver is the log. It admits statements by the rules of package trial, gives each
// its index, appends them to a verifiable tree, gets the tree's checkpoint cosigned by
// witnesses, and answers with receipts.
//
// A submission passes through these steps:
//
//	Submit      parses it and checks the signature, on the caller's goroutine
//	pool        keeps it until the sequencer is free
//	sequencer   admits it to the state and, with others and a state entry:
//	  decide      fixes bytes and indexes in one transaction of the journal
//	  append      puts them into the tree, as often as it takes
//	  check       recomputes the root and compares it with the tree's
//	  tiles       stores them
//	  sign        stores the signed checkpoint: the commit point
//	cosigner    asks all witnesses, and publishes at the quorum
//	Submit      makes the receipt, verifies it as anyone would, and answers
//
// The package knows neither Trillian, nor SQL, nor gRPC: they are behind the interfaces of
// backend.go. It trusts no database: it signs only what it computed.
//
// # Several servers
//
// Several servers may stand over one journal, tree and tile store. One leads: it alone decides,
// appends and signs. The others follow: they read what is published, replay it by the rules, serve
// it, and take over when they have heard nothing of the leader for as long as a lease lasts.
//
// Nothing relies on there being one leader at a time. A leader that was paused, or cut off, may
// believe in itself for as long as it likes, because
//
//   - Decide compares and swaps the epoch and the size in one transaction: an earlier epoch
//     decides nothing more, so what stands at an index is fixed once, whoever carries it out;
//   - everything after that (append, tiles) writes bytes that were decided, and writing them twice
//     changes nothing;
//   - Sign compares and swaps the epoch too, and the checkpoint follows from the bytes: no two
//     servers can sign different roots of one size;
//   - Publish keeps the first cosigned checkpoint of a size.
//
// What a leader must not do is to hold others up: a database frees the locks of a transaction whose
// server says nothing more (package engine asks MariaDB for that).
//
// So the lease only says who should try. It is measured by each follower's own clock, as the time
// for which the leader's beat has not changed: no two clocks are compared.
package logserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/receipt"
)

// Config has what a log needs. Signer, Policy, Tree, Journal and Tiles must be set.
type Config struct {
	Signer note.Signer        // signs checkpoints; its name is the origin
	Next   note.Signer        // the next key, which also signs while the two overlap; nil if there is none
	Policy *checkpoint.Policy // the log's own line, the witnesses asked and the quorum

	Tree    Tree
	Journal Journal
	Tiles   TileStore

	// Replica says that this server is one of several over the same journal, tree and tiles, of
	// which one leads; nil means that it is the only one.
	Replica *Replica

	// CheckpointFile is a copy of the newest signed checkpoint outside the database, so that an
	// old copy of the database is noticed even without a witness. If it is empty, no copy is
	// kept.
	CheckpointFile string
	// Copy keeps that copy instead of CheckpointFile; nil means that file.
	Copy Copy

	// Files are the files of the databases, if they are files. They are never cut short or
	// replaced while the log runs; once that has happened, no statement is accepted.
	Files []string

	Client  *http.Client     // to witnesses; nil means one with sensible limits
	Now     func() time.Time // nil means time.Now
	Logger  *slog.Logger     // nil means that nothing is logged
	Metrics Metrics          // nil means no metrics

	// BatchDelay is how long the pool may fill at most while others are expected; 0 means 50
	// ms. An idle log does not wait.
	BatchDelay time.Duration
	// QuorumWait is how long Submit waits for the quorum; 0 means 10 s.
	QuorumWait time.Duration
	// Recosign is how often an idle log gets its checkpoint cosigned again; 0 means an hour.
	Recosign time.Duration
	// SnapshotEvery is how many entries may have to be replayed after a restart; 0 means 16,384.
	SnapshotEvery uint64
	// RetryDelay is the pause before a failed step is tried again; 0 means 100 ms.
	RetryDelay time.Duration
}

// Metrics receives what happens. Its methods may be called concurrently.
type Metrics interface {
	Sequenced(entries int, took time.Duration)
	Refused(rule trial.Rule)
	Published(size uint64, waited time.Duration)
	Witness(label string, err error, took time.Duration)
}

// A Log is a running log. Its methods may be called concurrently.
type Log struct {
	cfg      Config
	origin   string
	log      *slog.Logger
	now      func() time.Time
	tree     Tree
	journal  Journal
	tiles    TileStore
	verifier *receipt.Verifier
	hashes   *hashTree
	damages  damages
	epoch    uint64

	pool      pool
	sequencer sequencer
	view      view
	cosigner  *cosigner // of the present term; only that term's goroutines use it
	standing  standing
	opened    [2]opened // the checkpoints that were last seen published; only who follows uses it
	quorum    quorum
	copying   turn   // of saveCheckpoint; guards copied
	copied    uint64 // the size that the copy outside the database was last written of

	mu        sync.Mutex    // guards the fields below
	signed    signedTree    // the newest stored checkpoint
	published publication   // the newest, perhaps cosigned again since
	recent    []publication // published since the start, ascending, bounded
	changed   chan struct{} // closed and replaced when published or fatal changes
	fatal     error         // why the log has stopped, if it has
	fresh     []byte        // the published checkpoint cosigned again, to be kept for the other servers; or nil

	stuck sync.Map // steps that fail: by name (string), each a failing
	probe probe    // of the database
	files files
	ready atomic.Bool // the witnesses' last sizes have been compared
	clock clock
	last  atomic.Int64 // time of the last entry decided, in milliseconds since 1970

	work       context.Context // ends when all work must
	stop       context.CancelFunc
	stopTaking context.CancelFunc
	sequencing sync.WaitGroup // the sequencer, or what this server does instead
	done       sync.WaitGroup // everything else
}

type signedTree struct {
	checkpoint.Tree
	note []byte
}

// A publication is a checkpoint that met the quorum.
type publication struct {
	size uint64
	note []byte
}

const recentKept = 4096

var (
	// ErrClosing says that the log is shutting down and has not decided the
	// statement: submit it again.
	ErrClosing = errors.New("the log is shutting down: submit again")
	// ErrNotReady says that the log may not sign yet, or no longer.
	ErrNotReady = errors.New("the log is not ready")
	// ErrPending says that a statement is decided and in the log, and that its receipt waits
	// for the quorum.
	ErrPending = errors.New("pending: the receipt is not there yet")
	// ErrStore says that what is stored could not be read just now. Another try may succeed.
	ErrStore = errors.New("the log could not read its database")
)

func (c *Config) setDefaults() {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if c.Client == nil {
		stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		c.Client = &http.Client{Timeout: 10 * time.Second, CheckRedirect: stay, Transport: &http.Transport{
			MaxIdleConnsPerHost: 4, IdleConnTimeout: 90 * time.Second, ForceAttemptHTTP2: true,
		}}
	}
	if c.Metrics == nil {
		c.Metrics = noMetrics{}
	}
	setDefault(&c.BatchDelay, 50*time.Millisecond)
	setDefault(&c.QuorumWait, 10*time.Second)
	setDefault(&c.Recosign, time.Hour)
	setDefault(&c.RetryDelay, 100*time.Millisecond)
	if c.SnapshotEvery == 0 {
		c.SnapshotEvery = 16_384
	}
	if c.Copy == nil {
		c.Copy = copyFile(c.CheckpointFile)
	}
	if c.Replica != nil {
		r := *c.Replica
		setDefault(&r.Lease, 3*time.Second)
		c.Replica = &r
	}
}

func setDefault(d *time.Duration, v time.Duration) {
	if *d == 0 {
		*d = v
	}
}

type noMetrics struct{}

func (noMetrics) Sequenced(int, time.Duration) {}

func (noMetrics) Refused(trial.Rule) {}

func (noMetrics) Published(uint64, time.Duration) {}

func (noMetrics) Witness(string, error, time.Duration) {}

// signedSize returns the size of the newest stored checkpoint.
func (l *Log) signedSize() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.signed.Size
}

// publishedSize returns the size of the tree that reads see.
func (l *Log) publishedSize() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.published.size
}

// fail stops the log for good: nothing more is sequenced or signed. A replica that another one
// has taken the lead from only follows it.
func (l *Log) fail(err error) {
	if l.cfg.Replica != nil && errors.Is(err, ErrLost) {
		l.standing.lose(err)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fatal == nil {
		l.fatal = err
		l.log.Error("the log has stopped", "error", err)
		close(l.changed)
		l.changed = make(chan struct{})
	}
}

// Err returns why the log has stopped, or nil if it has not.
func (l *Log) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fatal
}

// watch returns a channel that is closed when something has been published or the log has
// stopped, so that a waiting caller can check again.
func (l *Log) watch() (<-chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed, l.fatal
}

// Origin returns the log's origin.
func (l *Log) Origin() string { return l.origin }

// Policy returns the policy that decides what is published.
func (l *Log) Policy() *checkpoint.Policy { return l.cfg.Policy }

// Checkpoint returns the published checkpoint, with its cosignatures, or
// ErrNotFound if nothing has been published yet.
func (l *Log) Checkpoint() ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.published.note == nil {
		return nil, ErrNotFound
	}
	return l.published.note, nil
}

// Size returns the size of the published tree.
func (l *Log) Size() uint64 { return l.publishedSize() }

// Entry returns the leaf at an index of the published tree.
func (l *Log) Entry(ctx context.Context, index uint64) ([]byte, error) {
	if index >= l.publishedSize() {
		return nil, ErrNotFound
	}
	raws, err := l.hashes.entries(ctx, index, 1)
	if err != nil {
		return nil, err
	}
	return raws[0], nil
}

// Entries returns leaves of the published tree from first on: at least one and
// at most n, or none if first is its size.
func (l *Log) Entries(ctx context.Context, first uint64, n int) ([][]byte, error) {
	size := l.publishedSize()
	if first >= size {
		return nil, nil
	}
	return l.hashes.entries(ctx, first, int(min(uint64(n), size-first)))
}

// Await returns when the published size is above size, with that size, or when ctx ends or the
// log stops.
func (l *Log) Await(ctx context.Context, size uint64) (uint64, error) {
	for {
		changed, err := l.watch()
		if n := l.publishedSize(); n > size { // even if it has stopped since
			return n, nil
		}
		if err != nil {
			return 0, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// Inclusion returns the published checkpoint and the proof of an entry in it.
func (l *Log) Inclusion(ctx context.Context, index uint64) (signed []byte, path [][32]byte, err error) {
	l.mu.Lock()
	p := l.published
	l.mu.Unlock()
	if index >= p.size {
		return nil, nil, ErrNotFound
	}
	if path, err = l.hashes.inclusion(ctx, index, p.size); err != nil {
		return nil, nil, err
	}
	leaf, err := l.hashes.hash(ctx, 0, index)
	if err != nil {
		return nil, nil, err
	}
	text, _, _ := strings.Cut(string(p.note), "\n\n")
	tree, err := checkpoint.ParseTree(text + "\n")
	if err == nil {
		err = tree.CheckInclusion(index, leaf, path)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("the proof of entry %d in %d does not verify: %w", index, p.size, err)
	}
	return p.note, path, nil
}

// Receipt returns the receipt of a statement by its identity. ErrPending says that it is
// decided and the quorum has not been met yet; ErrNotFound says that it is not here.
func (l *Log) Receipt(ctx context.Context, id trial.Hash) ([]byte, error) {
	found, err := l.journal.Lookup(ctx, []trial.Hash{id})
	if err != nil {
		return nil, fmt.Errorf("%w: look up statement: %w", ErrStore, err)
	}
	index, ok := found[id]
	if !ok {
		if l.pool.holds(id) {
			return nil, ErrPending
		}
		return nil, ErrNotFound
	}
	return l.receipt(ctx, index, nil)
}

// receipt makes the receipt of the entry at index under the first published checkpoint that covers
// it, and verifies it with the verifier's own code. sub, which may be nil, is the submission
// that it answers: its statement has been checked in this process.
func (l *Log) receipt(ctx context.Context, index uint64, sub *submission) ([]byte, error) {
	p, err := l.covering(ctx, index)
	if err != nil {
		return nil, err
	}
	verify := func(r []byte) (*receipt.Verdict, error) { return l.verifier.Verify(r) }
	var raw []byte
	if sub != nil && sub.raw != nil {
		raw = sub.raw
		verify = func(r []byte) (*receipt.Verdict, error) { return l.verifier.VerifyFor(sub.signed, r) }
	} else {
		raws, err := l.hashes.entries(ctx, index, 1)
		if err != nil {
			return nil, err
		}
		raw = raws[0]
	}
	path, err := l.hashes.inclusion(ctx, index, p.size)
	if err != nil {
		return nil, fmt.Errorf("prove inclusion of %d in %d: %w", index, p.size, err)
	}
	r := (&receipt.Receipt{Entry: raw, Index: index, Path: path, Checkpoint: p.note}).Marshal()
	if _, err := verify(r); err != nil {
		return nil, fmt.Errorf("the receipt of entry %d does not verify: %w", index, err)
	}
	return r, nil
}

func (l *Log) covering(ctx context.Context, index uint64) (publication, error) {
	l.mu.Lock()
	if index >= l.published.size {
		l.mu.Unlock()
		return publication{}, l.pending()
	}
	// In the journal there may be an older one before the first of recent.
	i, _ := slices.BinarySearchFunc(l.recent, index, func(p publication, index uint64) int {
		return cmp.Compare(p.size, index+1)
	})
	if i > 0 && i < len(l.recent) {
		defer l.mu.Unlock()
		return l.recent[i], nil
	}
	newest := l.published
	l.mu.Unlock()
	cosigned, err := l.journal.Covering(ctx, index)
	if errors.Is(err, ErrNotFound) { // which cannot be: index is below the published size
		return publication{}, fmt.Errorf("read published checkpoint: %w", err)
	}
	if err != nil {
		return publication{}, fmt.Errorf("%w: published checkpoint: %w", ErrStore, err)
	}
	cp, err := l.cfg.Policy.Open(cosigned)
	if err != nil {
		return publication{}, fmt.Errorf("published checkpoint: %w", err)
	}
	if cp.Quorum() {
		return publication{size: cp.Size, note: cosigned}, nil
	}
	// It was cosigned by other witnesses than those of the present policy, who have cosigned
	// the newest, or will soon.
	if cp, err := l.cfg.Policy.Open(newest.note); err != nil || !cp.Quorum() {
		return publication{}, ErrPending
	}
	return newest, nil
}
