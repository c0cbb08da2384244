package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/durable"
	"github.com/trialproof/trialproof/trial/audit"
	"github.com/trialproof/trialproof/trial/evidence"
)

// errAlarms says that -once ended with something to look at.
var errAlarms = fmt.Errorf("%w: there are alarms", errInvalid)

func monitor(ctx context.Context, e *env, args []string) error {
	signal.Ignore(syscall.SIGHUP) // a terminal that is closed ends no monitor
	var r remote
	var stateFile string
	var interval time.Duration
	var once bool
	var orgs, trials, also repeated
	m := &audit.Monitor{Now: time.Now}
	rest, err := r.begin(e, args, false, func(fs *flag.FlagSet) {
		fs.StringVar(&stateFile, "state", "", "`file` to resume from, as of trial audit; FILE.alarms and FILE.KIND-SIZE.evidence stand "+
			"beside it")
		fs.DurationVar(&interval, "interval", time.Minute, "pause between two rounds")
		fs.BoolVar(&once, "once", false,
			"one round, and end: with status 1 if there is an alarm, 3 if the log or a place of -also could not be looked at")
		fs.DurationVar(&m.Limits.Silence, "silence", 2*time.Hour, "alarm if no cosigned tree is newer than this")
		fs.DurationVar(&m.Limits.Late, "late", 24*time.Hour, "alarm if a witness's cosignature is missing for longer than this")
		fs.DurationVar(&m.Limits.Far, "far", 10*time.Minute, "alarm if an entry's time and its publication are further apart than this")
		fs.Var(&orgs, "org", "`organisation` whose keys and entries to watch; may be repeated")
		fs.Var(&trials, "trial", "`trial` whose entries to watch, by id or number; may be repeated")
		fs.Var(&also, "also", "`URL` of another place that has the log's checkpoint, a mirror or PREFIX/HASH/checkpoint at a witness; "+
			"may be repeated")
	})
	if err != nil {
		return err
	}
	if len(rest) > 0 || stateFile == "" {
		return frame.Usagef("-state must be given, and no arguments but flags")
	}
	if interval <= 0 || m.Limits.Silence <= 0 || m.Limits.Late <= 0 || m.Limits.Far <= 0 {
		return frame.Usagef("-interval, -silence, -late and -far are times above zero, such as 90s or 2h")
	}
	if err := folderOf("-state", stateFile); err != nil {
		return err
	}
	lessGarbage()
	m.Orgs = orgs
	for _, typed := range trials {
		key, err := r.recordKey(ctx, typed)
		if err != nil {
			return err
		}
		m.Trials = append(m.Trials, key)
	}
	for _, url := range also {
		c, err := client.New(strings.TrimSuffix(strings.TrimRight(url, "/"), "/checkpoint"))
		if err != nil {
			return frame.AsUsage(err)
		}
		m.Also = append(m.Also, audit.Place{Name: url, Fetch: func(ctx context.Context) ([]byte, error) {
			data, err := c.Checkpoint(ctx)
			if errors.Is(err, client.ErrNotFound) {
				err = errors.New("there is no checkpoint at this address (404): " +
					"check -also, which takes the URL of a mirror, or PREFIX/HASH/checkpoint at a witness")
			}
			return data, err
		}})
	}
	m.Policy, m.Source = r.policy, r.client
	p := e.Progress("replaying")
	m.Progress = func(done, total uint64) { p.Show("%d of %d entries", done, total) }
	m.Warn = func(format string, args ...any) {
		p.End()
		fmt.Fprintf(e.Stderr, "trial monitor: %s\n", frame.Printable(fmt.Sprintf(format, args...)))
	}
	m.Raise = func(a audit.Alarm) error {
		p.End()
		state := "alarm"
		if a.Ended {
			state = "ended"
		}
		fmt.Fprintf(e.Stderr, "trial monitor: %s: %s: %s\n", state, a.Alarm, frame.Printable(a.Text))
		return json.NewEncoder(e.Stdout).Encode(a)
	}
	m.Keep = func(name string, x *evidence.Evidence) (string, error) { return keepEvidence(stateFile, name, x) }
	m.Store = func(state, memory []byte) error {
		if state != nil {
			if err := durable.Replace(stateFile, state, 0o666); err != nil {
				return err
			}
		}
		return durable.Replace(stateFile+".alarms", memory, 0o666)
	}
	if err := resumeMonitor(m, stateFile); err != nil {
		return err
	}
	for {
		done, err := m.Round(ctx)
		p.End()
		switch {
		case ctx.Err() != nil:
			return nil // told to end, which it does between two alarms
		case err != nil:
			return err
		case once && done.Alarms:
			return errAlarms
		case once && done.Blind:
			return errors.New("the log could not be audited")
		case once && done.Unseen:
			return errors.New("a place named with -also could not be compared with the log: the lines above say why")
		case once:
			return nil
		}
		select {
		case <-time.After(interval):
		case <-ctx.Done():
			return nil
		}
	}
}

// repeated is a flag that may be given several times.
type repeated []string

func (r *repeated) String() string { return strings.Join(*r, ",") }

func (r *repeated) Set(s string) error {
	*r = append(*r, s)
	return nil
}

func resumeMonitor(m *audit.Monitor, stateFile string) error {
	var data [2][]byte
	for i, name := range []string{stateFile, stateFile + ".alarms"} {
		var err error
		if data[i], err = os.ReadFile(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return frame.AsUsage(err)
		}
	}
	if err := m.Resume(data[0], data[1]); err != nil {
		return fmt.Errorf("%s: %w (remove it to begin with the first entry)", stateFile, err)
	}
	return nil
}

// keepEvidence writes evidence beside the state, never over another's.
func keepEvidence(stateFile, name string, x *evidence.Evidence) (string, error) {
	for i := 1; ; i++ {
		file := fmt.Sprintf("%s.%s.evidence", stateFile, name)
		if i > 1 {
			file = fmt.Sprintf("%s.%s-%d.evidence", stateFile, name, i)
		}
		old, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			return filepath.Base(file), durable.Replace(file, x.Marshal(), 0o666)
		}
		if err != nil || string(old) == string(x.Marshal()) {
			return filepath.Base(file), err
		}
	}
}
