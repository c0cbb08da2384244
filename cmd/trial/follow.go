package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/durable"
	"github.com/trialproof/trialproof/registry"
)

// followTries is how often -once tries something before it gives up.
const followTries = 5

// followNotes explains trial import -follow.
const followNotes = `With -follow the records come from the registry's API instead of files: all that changed since a day, and then
again and again what changed meanwhile, until you press Ctrl-C. Each record whose bytes are new is logged, and names the
version before it. The record itself is kept beside the receipts, as DIR/NUMBER-DIGEST.json, because the log has only its
digest and some facts. The file of -state says which days are taken: after any end, type the same command again.
A record that cannot be read or that the log refuses is reported, and the others go on. What the registry answers wrongly,
or not at all, is said and asked for again, after 5 seconds at first and 15 minutes at last, or when the registry says.`

// followExample is the second example of trial import.
const followExample = `trial import -follow ctgov -log http://127.0.0.1:8080 -policy policy -key ada.key ` +
	`-state ctgov.state -since 2026-03-01`

// sleep waits. Tests put another function here.
var sleep = func(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// followFlags are the flags that stand with -follow alone.
type followFlags struct {
	follow, once      bool
	api, state, since string
	interval, pause   time.Duration
}

func (f *followFlags) define(fs *flag.FlagSet) {
	fs.BoolVar(&f.follow, "follow", false, "take what changes in the registry from its API instead of files, for ever (ctgov alone)")
	fs.StringVar(&f.api, "api", registry.CTGov, "with -follow: `URL` of the registry's API; http for this machine alone")
	fs.StringVar(&f.state, "state", "", "with -follow: `file` to resume from; it is made, and locked while the command runs")
	fs.StringVar(&f.since, "since", "", "with -follow: first `day` of update to ask for, if there is no state yet; 1999-01-01 takes "+
		"everything")
	fs.DurationVar(&f.interval, "interval", time.Hour, "with -follow: pause between two rounds")
	fs.DurationVar(&f.pause, "pause", 2*time.Second, "with -follow: pause between two requests")
	fs.BoolVar(&f.once, "once", false, "with -follow: one round, and end")
}

// check refuses flags that do not go together.
func (f *followFlags) check(rest []string, m *importer) error {
	if !f.follow {
		if f.state != "" || f.since != "" || f.once || f.api != registry.CTGov {
			return frame.Usagef("-state, -since, -api and -once stand with -follow alone")
		}
		return nil
	}
	if len(rest) != 1 || rest[0] != "ctgov" {
		return frame.Usagef("-follow takes ctgov and no files: of ClinicalTrials.gov alone the API is known")
	}
	if f.state == "" {
		return frame.Usagef("-state must be given with -follow: the file that says where it was, made at the first start")
	}
	if m.dry || m.seen != "" {
		return frame.Usagef("-n and -seen do not stand with -follow: it logs what the registry shows today")
	}
	if _, err := time.Parse(time.DateOnly, f.since); f.since != "" && err != nil {
		return frame.Usagef("-since: %q is no day such as 2026-03-01", f.since)
	}
	return folderOf("-state", f.state)
}

// client returns the client of the API, and checks the pauses that it is asked with.
func (f *followFlags) client() (*registry.Client, error) {
	c, err := registry.NewClient(f.api, "Trialproof-trial-import ("+frame.Build()+")")
	if err != nil {
		return nil, frame.Usagef("-api: %w", err)
	}
	if f.interval <= 0 || f.pause < 0 || !c.Loopback() && (f.interval < time.Minute || f.pause < time.Second) {
		return nil, frame.Usagef("-interval is 1m or longer and -pause 1s or longer, except for a server on this machine: " +
			"the registry is there for everybody")
	}
	return c, nil
}

// begin returns the state that the follow goes on from.
func (f *followFlags) begin(m *importer) (*registry.State, error) {
	like := registry.State{Registry: m.register, API: f.api, Log: m.remote.log.Name(), Org: cmp.Or(m.key.Org, m.key.Public.ID().String())}
	s, err := registry.ReadState(f.state, like)
	if !errors.Is(err, fs.ErrNotExist) {
		if err != nil {
			err = frame.AsUsage(err)
		}
		return s, err
	}
	if f.since == "" {
		return nil, frame.Usagef("%s is not there: say with -since DAY from which day on changes are taken; 1999-01-01 takes the "+
			"whole registry", f.state)
	}
	like.Since = f.since
	return &like, nil
}

// followRegistry logs what changes in a registry until it is told to end, or once.
func (m *importer) followRegistry(ctx context.Context, f followFlags, asJSON bool) error {
	if !f.once {
		signal.Ignore(syscall.SIGHUP) // a terminal that is closed ends no follow
	}
	c, err := f.client()
	if err != nil {
		return err
	}
	unlock, err := registry.Lock(f.state)
	if errors.Is(err, durable.ErrLocked) {
		return frame.Usagef("another process follows with %s: end it first, or give another file with -state", f.state)
	} else if err != nil {
		return frame.AsUsage(err)
	}
	defer unlock()
	state, err := f.begin(m)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(m.out, 0o755); err != nil {
		return frame.AsUsage(err)
	}
	if err := m.open(); err != nil {
		return err
	}
	m.mirror = &mirror{json: asJSON}
	say := func(format string, args ...any) {
		m.progress.End()
		fmt.Fprintf(m.e.Stderr, "trial import: %s\n", frame.Printable(fmt.Sprintf(format, args...)))
	}
	w := &registry.Follower{
		Registry: c, State: state, Take: m.take, Say: say, Now: time.Now, Sleep: sleep, Pause: f.pause,
		Save: func(s *registry.State) error { return s.Write(f.state) },
	}
	if f.once {
		w.Tries = followTries
	}
	for {
		m.mirror.round()
		since := state.Since
		err := w.Round(ctx)
		if ctx.Err() != nil {
			if f.once {
				return fmt.Errorf("%w: type the same again to go on", ctx.Err())
			}
			return nil // told to end
		}
		if err != nil {
			return err
		}
		say("all that changed since %s is taken: records %d:%s", since, m.mirror.total(), countsText(m.mirror.counts))
		if n := m.mirror.counts[importRefused]; f.once && n > 0 {
			return fmt.Errorf("%w: %d of %d records are refused", errInvalid, n, m.mirror.total())
		}
		if n := m.mirror.counts[importPending]; f.once && n > 0 {
			return fmt.Errorf("%d of %d receipts could not be filed: the lines above say why", n, m.mirror.total())
		}
		if f.once {
			return nil
		}
		if sleep(ctx, f.interval) != nil {
			return nil
		}
	}
}

// keepBytes keeps a record beside its receipt before it is logged: the log has no more than its
// digest, and the registry shows another version tomorrow.
func (m *importer) keepBytes(r *importRecord) error {
	name := m.kept(r.Identifier, r.SHA256) + ".json"
	if data, err := os.ReadFile(name); err == nil && sha256.Sum256(data) == r.SHA256 {
		return nil
	}
	if err := durable.Replace(name, r.bytes, 0o644); err != nil {
		return fmt.Errorf("keep the record of %s in %s: %w", r.Identifier, filepath.Dir(name), err)
	}
	return nil
}
