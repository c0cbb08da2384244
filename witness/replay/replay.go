// Package replay reads the entries of the logs that a replaying witness serves, and judges them
// by the rules before anything is cosigned. Of the packages under witness only this one knows
// what entries mean.
//
// How it reads, what time it is and where it keeps what it has replayed are given to it, so
// that a simulation can run it.
package replay

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/trialproof/trialproof/trial/audit"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/tile"
	"github.com/trialproof/trialproof/witness"
)

const (
	// Time bounds the replay within one request. What is replayed by then is kept: the log asks
	// again, so a long replay is done in steps.
	Time = 8 * time.Second
	// saveEvery is how many entries may have to be replayed again after a crash.
	saveEvery = 20_000
	// maxAhead is how far an entry's time may be ahead of this machine's clock. A time in the
	// past is not a reason to refuse: a witness that was down must catch up.
	maxAhead = 5 * time.Minute
)

// A Config says what is replayed, and supplies what is needed for it.
type Config struct {
	Logs   []witness.Log // as the witness itself has them; at least one key of each has the log's URL
	Tiles  func(url string) (tile.Source, error)
	Files  Files
	Now    func() time.Time
	Logger *slog.Logger
}

// Files keep how far each log was replayed, by its origin. Only one caller at a time uses them
// for each log.
type Files interface {
	// Read returns what was last written, or fs.ErrNotExist if nothing was.
	Read(origin string) ([]byte, error)
	// Write replaces what was written before: after a crash Read returns the old or the new
	// data, complete. It need not be durable: what is lost is replayed again.
	Write(origin string, data []byte) error
}

// A Replayer replays the logs that a witness serves, each from where it last was. Only one
// request at a time uses it for each log.
type Replayer struct {
	Config
	logs map[string]*replay // by origin; never changed
}

// A replay follows one log.
type replay struct {
	policy  *checkpoint.Policy // has only the log's keys: cosignatures do not matter here
	source  *source
	origin  string
	files   Files
	auditor *audit.Auditor
	saved   uint64 // size of what is in files
}

// New returns a Replayer that goes on where it was.
func New(c Config) (*Replayer, error) {
	r := &Replayer{Config: c, logs: map[string]*replay{}}
	lines, urls := map[string]string{}, map[string]string{}
	for _, l := range c.Logs {
		origin, _, _ := strings.Cut(l.VKey, "+")
		lines[origin] += "log " + l.VKey + "\n"
		if l.URL != "" && urls[origin] != "" && l.URL != urls[origin] {
			return nil, fmt.Errorf("the log %s has two URLs, %s and %s: "+
				"give the one to read its entries at, with one of its keys or with all",
				origin, urls[origin], l.URL)
		}
		urls[origin] = cmp.Or(l.URL, urls[origin])
	}
	for origin, url := range urls {
		if url == "" {
			return nil, fmt.Errorf("a replaying witness reads the entries: "+
				"give the log's URL as -log VKEY=URL, with at least one key of %s", origin)
		}
		policy, err := checkpoint.ParsePolicy([]byte(lines[origin] + "quorum none\n"))
		if err != nil {
			return nil, err
		}
		tiles, err := c.Tiles(url)
		if err != nil {
			return nil, fmt.Errorf("-log %s: %w", origin, err)
		}
		p := &replay{policy: policy, source: &source{Source: tiles}, origin: origin, files: c.Files}
		if err := p.load(); err != nil {
			c.Logger.Warn("the saved replay is not used: beginning with the first entry", "origin", origin, "err", err)
			p.auditor = audit.New(p.policy, p.source)
		}
		r.logs[origin] = p
	}
	return r, nil
}

// load returns to what was saved, or to the state before the first entry.
func (p *replay) load() error {
	p.auditor, p.saved = audit.New(p.policy, p.source), 0
	data, err := p.files.Read(p.origin)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	a, err := audit.Resume(p.policy, p.source, data)
	if err != nil {
		return err
	}
	p.auditor, p.saved = a, a.Size()
	return nil
}

// Replay implements [witness.Config].Replay.
func (r *Replayer) Replay(origin string, signed []byte) error {
	p := r.logs[origin]
	ctx, cancel := context.WithTimeout(context.Background(), Time)
	defer cancel()
	p.source.checkpoint = signed
	report, err := p.auditor.Run(ctx)
	if err != nil {
		// Newer rules, tiles that cannot be read, or no more time: nothing was found wrong.
		return fmt.Errorf("%w: %w", witness.ErrNotReplayed, err)
	}
	if len(report.Findings) > 0 {
		f := verdict(report)
		// The replay stops here, and nothing of it was cosigned.
		if err := p.load(); err != nil {
			r.Logger.Error("the saved replay cannot be read", "origin", origin, "err", err)
		}
		if f.Kind != "rule" {
			return fmt.Errorf("%w: %s", witness.ErrNotReplayed, f)
		}
		r.Logger.Error("a rule is broken", "origin", origin, "index", f.Index, "rule", f.Rule, "why", f.Text)
		return &witness.RuleError{Rule: string(f.Rule), Index: f.Index, Detail: f.Text}
	}
	if last, now := p.auditor.State().Time().Std(), r.Now(); last.After(now.Add(maxAhead)) {
		return fmt.Errorf("%w: the last entry's time %s is ahead of this witness's clock", witness.ErrNotReplayed, last)
	}
	if p.auditor.Size()-p.saved >= saveEvery {
		if err := p.save(); err != nil {
			r.Logger.Error("the replay is not saved", "origin", origin, "err", err)
		}
	}
	return nil
}

// verdict returns the finding that decides. A broken rule decides only if the whole tree was
// read and its entries lead to the root that the log signed. Otherwise the network may have
// altered the entries, and nobody can be accused.
func verdict(r *audit.Report) audit.Finding {
	if r.Incomplete != nil {
		return audit.Finding{Index: r.Checkpoint.Size, Kind: "incomplete", Text: r.Incomplete.Error()}
	}
	for _, f := range r.Findings {
		if f.Kind != "rule" {
			return f
		}
	}
	return r.Findings[0]
}

// save keeps the auditor for the next start. It only saves time: what it contains is checked
// against the log's signed checkpoint when it is read.
func (p *replay) save() error {
	data, err := p.auditor.Save()
	if err != nil {
		return err
	}
	if err := p.files.Write(p.origin, data); err != nil {
		return err
	}
	p.saved = p.auditor.Size()
	return nil
}

// A Folder is Files in a witness's own folder, which has a folder for each log.
type Folder string

func (f Folder) path(origin string) string {
	return filepath.Join(string(f), fmt.Sprintf("%x", sha256.Sum256([]byte(origin))), "replay")
}

// Read implements Files.
func (f Folder) Read(origin string) ([]byte, error) { return os.ReadFile(f.path(origin)) }

// Write implements Files.
func (f Folder) Write(origin string, data []byte) error {
	tmp := f.path(origin) + ".tmp"
	os.Remove(tmp) // left by a crash, or a link, which must not be followed
	file, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(tmp, f.path(origin))
}

// A source reads a log's tiles, up to a checkpoint that the log has handed over: the log serves
// the tiles of what it has signed before it publishes that.
type source struct {
	tile.Source
	checkpoint []byte
}

// Checkpoint implements tile.Source.
func (s *source) Checkpoint(context.Context) ([]byte, error) { return bytes.Clone(s.checkpoint), nil }
