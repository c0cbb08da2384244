// Package witness is a strict c2sp.org/tlog-witness. It cosigns checkpoints of the logs that it
// knows, each only if it proves that the log has grown from the checkpoint cosigned before, and
// it keeps what proves a log's misbehaviour.
//
// A request is one POST to /add-checkpoint:
//
//	old 20852014
//	PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=      (at most 63 of these)
//
//	example.com/behind-the-sofa
//	20852163
//	CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//
//	— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5I...
//
// It is checked in this order, and the first check that fails gives the answer:
//
//	form of the request and the checkpoint                      400 ErrMalformed
//	the origin is one that this witness knows                   404 ErrUnknownLog
//	a trusted key signed, and no trusted key's line is wrong    403 ErrSignature
//	old size <= checkpoint size                                 400 ErrMalformed
//	old size == recorded size                                   409 *ConflictError
//	root of the empty tree, proof, same root at the same size   422 ErrInconsistent
//	a replaying key: entries replayed, and clean         503 ErrNotReplayed, 422 *RuleError
//	the record is durable                                       500 any other error
//
// Everything is read strictly: a number or a base64 string is accepted only in its canonical
// encoding.
//
// The package must not know what is in a log: it never imports trial, a database driver or
// gRPC, so that a stranger can audit the daemon in an hour. For keys whose name ends in
// "/replay" the caller of Open supplies the replay (Config.Replay), and such a key is used in
// no other mode.
package witness

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/trialproof/trialproof/witness/bastion"
)

// AddCheckpoint returns one of these errors, possibly wrapped with details, a *ConflictError,
// or an internal error of which a client is told nothing.
var (
	ErrMalformed    = errors.New("malformed request")
	ErrUnknownLog   = errors.New("unknown log")
	ErrSignature    = errors.New("checkpoint not signed by a trusted key")
	ErrInconsistent = errors.New("checkpoint not consistent")
	ErrNotReplayed  = errors.New("not replayed yet")
)

// A RuleError says that an entry of the tree breaks a rule of the log. A replaying witness
// never cosigns such a tree.
type RuleError struct {
	Rule   string // its id, such as R10
	Index  uint64 // of the entry
	Detail string
}

func (e *RuleError) Error() string {
	return fmt.Sprintf("entry %d breaks a rule of the log: %s", e.Index, e.Detail)
}

// A ConflictError says that the request's old size is not the size of the newest checkpoint
// that this witness cosigned for the log; Size is that size.
type ConflictError struct{ Size int64 }

func (e *ConflictError) Error() string {
	return fmt.Sprintf("old size is not that of the latest cosigned checkpoint: send a proof from %d", e.Size)
}

// A Log is one key of a log to witness. Its origin is the key's name; two Logs
// of one origin are two keys that are both trusted for it.
type Log struct {
	VKey string // Ed25519 (type 0x01) or ML-DSA-44 (type 0x06)
	URL  string // where its tiles are, for replaying
}

// Config is what a Witness needs. Dir, Key and Logs have no defaults.
type Config struct {
	Dir  string // created if it is missing; belongs to Key alone, for ever
	Key  *Key
	Logs []Log

	// Replay replays a log's entries up to a signed checkpoint, which follows from the last one
	// cosigned. It returns nil if all entries keep the log's rules, a *RuleError if one does
	// not, and an error that wraps ErrNotReplayed if it could not find out in time: the log
	// then asks again. It must bound its own time, and is not called concurrently for one log.
	// It is set for replaying keys, and only for those.
	Replay func(origin string, signed []byte) error

	Files  Files            // the machine's if nil; the key file is there in any case
	Now    func() time.Time // time.Now if nil; never called concurrently for one log
	Logger *slog.Logger     // silent if nil

	faults faults // tests only
}

// A Witness cosigns checkpoints. All methods may be called concurrently.
type Witness struct {
	// CertificateExpires returns when the certificate that Handler is served with expires, for
	// the metrics; nil if there is none. Set it before serving.
	CertificateExpires func() time.Time

	// Bastion is the connection through which logs reach Handler, for the page and the metrics;
	// nil if there is none. Set it before serving.
	Bastion *bastion.Backend

	cfg     Config
	folder  *folder
	ledgers map[string]*ledger // by origin; never changed after Open
	hashes  map[string]*ledger // by lower-case hex SHA-256 of the origin
	answers answerCounts
}

// Open claims the folder for this process and reads what was cosigned.
//
// It refuses a folder that another process uses, that belongs to another key, or that is empty
// although the key was used before: see folder.go.
func Open(cfg Config) (*Witness, error) {
	switch {
	case cfg.Dir == "":
		return nil, errors.New("open witness: no folder given")
	case cfg.Key == nil:
		return nil, errors.New("open witness: no key given")
	case len(cfg.Logs) == 0:
		return nil, errors.New("open witness: no log given")
	case cfg.Key.Replays() != (cfg.Replay != nil):
		return nil, fmt.Errorf("open witness: a key must replay if its name ends in /replay, and only then: %s", cfg.Key.Name())
	}
	if cfg.Files == nil {
		cfg.Files = machine{}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	keys := make(map[string]keyring)
	for _, l := range cfg.Logs {
		k, err := parseLogKey(l.VKey)
		if err != nil {
			return nil, fmt.Errorf("open witness: %w", err)
		}
		ring, err := keys[k.name].add(k)
		if err != nil {
			return nil, fmt.Errorf("open witness: %w", err)
		}
		keys[k.name] = ring
		if err := cfg.Key.fits(k.name); err != nil {
			return nil, fmt.Errorf("open witness: %w", err)
		}
	}
	f, err := claimFolder(cfg.Files, cfg.Dir, cfg.Key, cfg.faults)
	if err != nil {
		return nil, fmt.Errorf("open witness: %w", err)
	}
	w := &Witness{cfg: cfg, folder: f, ledgers: make(map[string]*ledger), hashes: make(map[string]*ledger)}
	for origin, ring := range keys {
		l, err := openLedger(f, origin, ring, &w.cfg)
		if err != nil {
			f.release()
			return nil, fmt.Errorf("open witness: log %s: %w", origin, err)
		}
		w.ledgers[origin], w.hashes[originHash(origin)] = l, l
	}
	return w, nil
}

// Close waits for requests that are being written and releases the folder. Nothing is cosigned
// afterwards, because another process may use the folder by then.
func (w *Witness) Close() error {
	for _, l := range w.ledgers {
		l.close()
	}
	return w.folder.release()
}

// AddCheckpoint takes the body of an add-checkpoint request and returns the cosignature lines,
// which are durably recorded by then.
func (w *Witness) AddCheckpoint(body []byte) ([]byte, error) {
	req, err := parseRequest(body)
	if err != nil {
		return nil, err
	}
	// SPEC: If the checkpoint origin is unknown, the witness MUST respond with
	// a "404 Not Found" HTTP status code.
	l, ok := w.ledgers[req.cp.origin]
	if !ok {
		return nil, fmt.Errorf("%w: this witness does not know the origin %q", ErrUnknownLog, req.cp.origin)
	}
	// SPEC: checkpoint extension lines are not included in the signed message
	// for ML-DSA-44 cosignatures, and no statement is made about them.
	//
	// Anyone could write anything there, so a checkpoint that has some is
	// refused wherever an ML-DSA-44 key signs it, ours or the log's.
	if req.cp.extended && w.cfg.Key.alg == MLDSA44 {
		return nil, fmt.Errorf("%w: extension lines, which an ML-DSA-44 cosignature would not cover", ErrMalformed)
	}
	signed, err := l.keys.verify(req.cp)
	if err != nil {
		return nil, err
	}
	return l.add(req, signed)
}

// Checkpoint returns the newest cosigned checkpoint of the log whose origin has
// the given SHA-256, in lower-case hex: a signed note with the log's verified
// signatures and this witness's own. It reports false if there is none.
func (w *Witness) Checkpoint(hash string) ([]byte, bool) {
	l, ok := w.hashes[hash]
	if !ok {
		return nil, false
	}
	r := l.newest.Load()
	return r.note, r.note != nil
}

func originHash(origin string) string {
	h := sha256.Sum256([]byte(origin))
	return hex.EncodeToString(h[:])
}
