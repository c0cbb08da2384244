package witness

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"golang.org/x/mod/sumdb/tlog"
)

// A ledger is what the witness remembers of one log, in one folder:
//
//	checkpoint    the newest cosigned one: a signed note with the log's verified
//	              signatures and our cosignature. This file is the record
//	history       every checkpoint cosigned, as a journal of such notes; about
//	              half a kilobyte each with Ed25519, and never cut
//	refused       checkpoints with a valid log signature that were not cosigned
//	refused.old   ... and those before them; older ones are forgotten
//	forks         evidence that the log signed two roots for one size
//
// history follows checkpoint: it never has more than the record covers. If it does, an old
// checkpoint file was put back, and the ledger refuses to open.
type ledger struct {
	origin string
	dir    string
	keys   keyring
	cfg    *Config
	folder *folder

	// replaying has room for one request: a replay takes seconds, and is not done twice at once.
	// It is nil if nothing is replayed.
	replaying chan struct{}

	// mu makes comparing a request with the record and replacing the record one atomic step. It
	// guards every file in dir and the fields below. It is held while the disk is waited for, and
	// for nothing else.
	mu      sync.Mutex
	closed  bool
	refused refusedIndex
	// failing says that a write failed, so the contents of the disk are not known until they
	// are read again.
	failing bool

	// newest is the record, never nil. It is written with mu held, after the record is durable,
	// and may be read by anyone.
	newest atomic.Pointer[record]
	counts ledgerCounts
}

// A record is the newest cosigned checkpoint. The zero record says that nothing
// was cosigned yet.
type record struct {
	note  []byte
	cp    checkpoint
	cosig string // our line in note
	time  int64  // of cosig
}

var errClosed = errors.New("the witness is closed")

// emptyRoot is the root of the tree of no leaves.
//
// SPEC: [RFC 6962], Section 2.1 defines [it] as the hash of the empty string.
var emptyRoot = tlog.Hash(sha256.Sum256(nil))

// maxProvable is the largest size up to which proofs are checked. Above it, sumdb/tlog
// (v0.42.0) overflows while it looks for a power of two and never returns. No tree will have
// that many leaves: 2^62 is a billion a second for a century.
const maxProvable = 1 << 62

func openLedger(f *folder, origin string, keys keyring, cfg *Config) (*ledger, error) {
	dir := filepath.Join(f.dir, originHash(origin))
	l := &ledger{origin: origin, dir: dir, keys: keys, cfg: cfg, folder: f}
	if cfg.Replay != nil {
		l.replaying = make(chan struct{}, 1)
	}
	if _, err := cfg.Files.Stat(dir); errors.Is(err, os.ErrNotExist) && f.serves(origin) {
		return nil, l.lost("folder " + dir)
	}
	if err := cfg.Files.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	if err := syncParent(cfg.Files, dir); err != nil {
		return nil, err
	}
	// A file that a crash left unrenamed was never a record, and its signature was never sent.
	cfg.Files.Remove(l.path("checkpoint.tmp"))
	l.newest.Store(&record{})
	if err := l.load(); err != nil {
		return nil, err
	}
	if err := l.loadRefused(); err != nil {
		return nil, err
	}
	return l, nil
}

// lost returns the error for a log of which the witness no longer knows what it cosigned.
func (l *ledger) lost(what string) error {
	return fmt.Errorf("this key cosigned the log %s before, and %s is gone: without it the key could sign a second history. "+
		"Restore it from a backup, or make a new key by `trialwitness keygen`; "+
		"the other logs can be served meanwhile, without the -log of this one", l.origin, what)
}

func (l *ledger) path(name string) string { return filepath.Join(l.dir, name) }

func (l *ledger) journal(name string) journal {
	return journal{path: l.path(name), what: name, files: l.cfg.Files, faults: l.cfg.faults}
}

// add is the compare-and-swap at the heart of the witness: it cosigns the request's checkpoint
// if it follows from the record, and makes it the record before it returns the cosignature.
// signed is the note to keep.
func (l *ledger) add(req *request, signed string) ([]byte, error) {
	if l.replaying != nil {
		l.replaying <- struct{}{}
		defer func() { <-l.replaying }()
		if err := l.replay(req, signed); err != nil {
			return nil, err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	cur, err := l.admit(req, signed)
	if err != nil {
		return nil, err
	}
	now := l.cfg.Now().Unix()
	if now < cur.time {
		l.cfg.Logger.Warn("clock is behind the last cosignature: using that one's time", "origin", l.origin, "clock", now, "last", cur.time)
		now = cur.time
	}
	// Within one second the same statement was signed and is durable. Without this check,
	// anyone could make us write as fast as the disk allows, by sending a published checkpoint
	// again and again.
	if cur.note != nil && req.cp.text == cur.cp.text && now == cur.time {
		l.counts.cosigned.Add(1)
		return []byte(cur.cosig), nil
	}
	cosig, err := l.cfg.Key.cosign(req.cp, now)
	if err != nil {
		return nil, err
	}
	next := &record{note: []byte(signed + cosig), cp: *req.cp, cosig: cosig, time: now}
	if err := l.persist(cur, next); err != nil {
		l.failing = true
		l.counts.failed.Add(1)
		return nil, fmt.Errorf("write record: %w", err)
	}
	l.newest.Store(next)
	l.counts.cosigned.Add(1)
	l.cfg.Logger.Debug("cosigned", "origin", l.origin, "size", next.cp.size, "time", next.time)
	l.keepIfFork(next)
	return []byte(cosig), nil
}

// admit returns the record, if a request's checkpoint follows from it, and otherwise keeps that
// checkpoint; l.mu is held.
func (l *ledger) admit(req *request, signed string) (*record, error) {
	if l.closed {
		return nil, errClosed
	}
	if err := l.reload(); err != nil {
		return nil, err
	}
	cur := l.newest.Load()
	if err := cur.admits(req); err != nil {
		l.keepRefused(cur, req.cp, signed, err)
		return nil, err
	}
	return cur, nil
}

// replay replays the entries up to a request's checkpoint, if that could be cosigned.
func (l *ledger) replay(req *request, signed string) error {
	l.mu.Lock()
	_, err := l.admit(req, signed)
	l.mu.Unlock()
	if err != nil {
		return err
	}
	err = l.cfg.Replay(l.origin, []byte(signed))
	if broken, ok := errors.AsType[*RuleError](err); ok {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.keepRefused(l.newest.Load(), req.cp, signed, broken)
	}
	return err
}

// admits says whether a checkpoint with a valid log signature may be cosigned when cur is the
// record. It is the whole rule, and uses nothing else.
func (cur *record) admits(req *request) error {
	cp := req.cp
	// SPEC: The old size MUST be equal to or lower than the checkpoint size.
	// Otherwise [...] "400 Bad Request".
	if req.old > cp.size {
		return malformed("old size %d is above the checkpoint's size %d", req.old, cp.size)
	}
	// SPEC: The witness MUST check that the old size matches the size of the
	// latest checkpoint it cosigned for the checkpoint's origin (or zero if it
	// never cosigned a checkpoint for that origin).
	if req.old != cur.cp.size {
		return &ConflictError{Size: cur.cp.size}
	}
	// SPEC: A checkpoint of size zero MUST have the root hash of the empty tree.
	if cp.size == 0 && cp.root != emptyRoot {
		return inconsistent("size 0 with a root other than the empty tree's")
	}
	// SPEC: If the old size is zero, the consistency proof MUST be empty,
	// because the empty tree is consistent with any tree.
	if req.old == 0 {
		if len(req.proof) != 0 {
			return inconsistent("a proof from size 0")
		}
		return nil
	}
	// SPEC: If the old size matches the checkpoint size, the witness MUST check
	// that the root hashes are also identical.
	if req.old == cp.size && cp.root != cur.cp.root {
		return inconsistent("another root than the one cosigned at size %d", cp.size)
	}
	if req.old < cp.size && cp.size > maxProvable {
		return inconsistent("a proof to a size above 2^62")
	}
	// SPEC: Otherwise, the consistency proof lines MUST encode a Merkle
	// Consistency Proof from the old size to the checkpoint size.
	//
	// From a size to itself that is the empty proof.
	if err := tlog.CheckTree(req.proof, cp.size, cp.root, req.old, cur.cp.root); err != nil {
		return inconsistent("the proof from %d to %d does not hold", req.old, cp.size)
	}
	return nil
}

func inconsistent(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInconsistent, fmt.Sprintf(format, args...))
}

// persist makes next the record; l.mu is held and cur is the record.
//
// SPEC: The witness MUST persist the new checkpoint before responding.
//
// The rename of the checkpoint file is the commit point: before it the record is cur, after it
// next, whether or not the caller learns of it. In both cases the cosignature has not left this
// process unless persist returned nil.
func (l *ledger) persist(cur, next *record) error {
	if err := l.cfg.faults.replace(l.cfg.Files, "checkpoint", l.path("checkpoint"), next.note, 0o644); err != nil {
		return err
	}
	// A checkpoint that only has a new time is in the history already.
	if cur.note != nil && cur.cp.text == next.cp.text {
		return nil
	}
	if err := l.journal("history").append(noteLine(next.note)); err != nil {
		return err
	}
	// This comes last: a crash before it leaves a record of a log that never got an answer.
	return l.folder.serve(l.origin)
}

// load reads the record from disk and completes the history, which a crash or a failed write
// may have left one line short. l.mu is held, or l is not shared yet. The record that it reads
// is durable: after a failed write, the rename may be in memory only, so it syncs first.
func (l *ledger) load() error {
	if err := l.cfg.faults.do("sync before reading", func() error { return syncParent(l.cfg.Files, l.path("checkpoint")) }); err != nil {
		return err
	}
	rec, err := l.readRecord()
	if err != nil {
		return err
	}
	// So may the history's last line be, if its own sync failed or never came.
	if err := l.journal("history").sync(); err != nil {
		return err
	}
	last, err := l.journal("history").last()
	if err != nil {
		return err
	}
	if rec.note == nil && last == nil && (l.folder.serves(l.origin) || l.newest.Load().note != nil) {
		return l.lost("its record " + l.path("checkpoint"))
	}
	if rec.note == nil && last != nil {
		return fmt.Errorf("%w; or put the note there that is the last line of history", l.lost("its record "+l.path("checkpoint")))
	}
	if rec.note != nil && last == nil && l.folder.serves(l.origin) {
		return l.lost("the file " + l.path("history"))
	}
	switch {
	case last == nil && rec.note == nil:
	case last != nil && (rec.note == nil || last.size > rec.cp.size || last.size == rec.cp.size && last.root != rec.cp.root):
		return fmt.Errorf("%s is not the newest checkpoint that history says was cosigned: an old file was put back. "+
			"Put the note of history's last line there", l.path("checkpoint"))
	case last == nil || last.text != rec.cp.text:
		if err := l.journal("history").append(noteLine(rec.note)); err != nil {
			return err
		}
	}
	if rec.note != nil {
		if err := l.folder.serve(l.origin); err != nil {
			return err
		}
	}
	l.newest.Store(rec)
	l.failing = false
	return nil
}

// reload reads the record again if a write has failed since; l.mu is held.
func (l *ledger) reload() error {
	if !l.failing {
		return nil
	}
	if err := l.load(); err != nil {
		return fmt.Errorf("read record: %w", err)
	}
	return nil
}

// recover does the same for the health check, so that an unhealthy witness can become healthy
// without a request.
func (l *ledger) recover() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reload()
}

func (l *ledger) readRecord() (*record, error) {
	text, err := l.cfg.Files.ReadFile(l.path("checkpoint"))
	if errors.Is(err, os.ErrNotExist) {
		return &record{}, nil
	}
	if err != nil {
		return nil, err
	}
	cp, err := parseCheckpoint(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.path("checkpoint"), err)
	}
	cosig, time, ok := l.cfg.Key.cosigned(cp)
	if !ok || cp.origin != l.origin {
		return nil, fmt.Errorf("%s is not a checkpoint of %s that key %s cosigned: restore it from a backup",
			l.path("checkpoint"), l.origin, l.cfg.Key.name)
	}
	return &record{note: text, cp: *cp, cosig: cosig, time: time}, nil
}

func (l *ledger) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
}
