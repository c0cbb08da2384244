package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"time"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/consent"
	"github.com/trialproof/trialproof/trial/history"
)

// stale is how old the newest tree of a log may be. A log that nobody writes to has its newest
// tree cosigned again each hour, so an older one is kept back.
const stale = 2*time.Hour + 10*time.Minute

// A watch looks at consents again and again, and says what is new.
type watch struct {
	remote
	exec    string
	now     func() time.Time
	size    uint64 // of the newest tree seen
	seen    map[trial.Hash]map[uint64]bool
	alarmed map[string]bool
}

// An alarm is something that the patient is told.
type alarm struct {
	What    string          `json:"what"` // access, ended, erased, stale, shrunk or failed
	Consent trial.Hash      `json:"consent,omitzero"`
	Access  *consent.Access `json:"access,omitempty"`
	Text    string          `json:"text"`
}

// watchConsent tells the holder of a slip about every access, and about an operator who keeps one
// back.
func watchConsent(ctx context.Context, e *env, args []string) error {
	w := &watch{now: time.Now, seen: map[trial.Hash]map[uint64]bool{}, alarmed: map[string]bool{}}
	var every time.Duration
	var once bool
	rest, err := w.begin(e, args, false, func(fs *flag.FlagSet) {
		fs.StringVar(&w.exec, "exec", "", "run this shell `command` for each alarm: it gets the alarm as JSON on its standard input")
		fs.DurationVar(&every, "interval", time.Minute, "how often the log is asked")
		fs.BoolVar(&once, "once", false, "look once, and end with status 1 if there is an alarm")
	})
	if err != nil {
		return err
	}
	if len(rest) != 1 || every <= 0 {
		return frame.Usagef("one slip or one handle must be given, and an -interval above 0")
	}
	handles, err := w.handles(ctx, rest[0])
	if err != nil {
		return err
	}
	for {
		alarms := w.look(ctx, handles)
		for _, a := range alarms {
			if err := w.tell(ctx, e, a); err != nil {
				return err
			}
		}
		if once {
			if len(alarms) > 0 {
				return negative{fmt.Errorf("%s", trial.Count(len(alarms), "alarm", "alarms"))}
			}
			return nil
		}
		select {
		case <-time.After(every):
		case <-ctx.Done():
			return nil
		}
	}
}

// look asks the log once, and returns what is new.
func (w *watch) look(ctx context.Context, handles []trial.Hash) (alarms []alarm) {
	for _, handle := range handles {
		h, err := w.history(ctx, trial.RecordKey{Kind: "consent", ID: handle.String()}, 0)
		if err != nil {
			alarms = append(alarms, w.first(alarm{What: "failed", Consent: handle, Text: "the log does not show the consent's history, or shows " +
				"one that does " +
				"not hold: " + err.Error()})...)
			continue
		}
		delete(w.alarmed, "failed "+handle.String())
		alarms = append(alarms, w.fresh(h.Verdict)...)
		a, err := consent.NewAccount(h.Verdict)
		if err != nil {
			alarms = append(alarms, w.first(alarm{What: "failed", Consent: handle, Text: err.Error()})...)
			continue
		}
		alarms = append(alarms, w.news(a)...)
	}
	return alarms
}

// first returns an alarm the first time that it is raised.
func (w *watch) first(a alarm) []alarm {
	key := a.What + " " + a.Consent.String()
	if w.alarmed[key] {
		return nil
	}
	w.alarmed[key] = true
	return []alarm{a}
}

// fresh raises an alarm if the operator shows an old tree: it keeps back what was logged since.
func (w *watch) fresh(v *history.Verdict) []alarm {
	size := v.Checkpoint.Size
	if size < w.size {
		return []alarm{{What: "shrunk", Text: fmt.Sprintf("the log showed a tree of %d entries before and shows one of %d now: its operator "+
			"keeps "+
			"something back", w.size, size)}}
	}
	w.size = size
	if at, ok := v.Checkpoint.ProvenTime(); ok && w.now().Sub(at) > stale {
		return w.first(alarm{What: "stale", Text: fmt.Sprintf("the newest tree that the log shows is of %s: its operator keeps back what was "+
			"logged since, "+
			"or the log stands still", trial.Moment(at))})
	}
	delete(w.alarmed, "stale "+trial.Hash{}.String())
	return nil
}

// news returns what an account has that was not there before.
func (w *watch) news(a *consent.Account) (alarms []alarm) {
	before := w.seen[a.Handle]
	now := map[uint64]bool{}
	add := func(index uint64, x alarm) {
		if now[index] = true; !before[index] {
			x.Consent = a.Handle
			alarms = append(alarms, x)
		}
	}
	for i := range a.Accesses {
		x := &a.Accesses[i]
		text := fmt.Sprintf("on %s %s handed your data out to %s (entry %d)", x.Time, x.Org, cmp.Or(x.To, "recipient "+x.Recipient.String()),
			x.Index)
		if x.Emergency != "" {
			text += ", in an EMERGENCY: " + x.Emergency
		}
		add(x.Index, alarm{What: "access", Access: x, Text: text})
	}
	if a.Ended != nil {
		add(a.Ended.Index, alarm{What: "ended", Text: fmt.Sprintf("the consent ended on %s (entry %d)", a.Ended.Time, a.Ended.Index)})
	}
	for _, x := range a.Erased {
		add(x.Index, alarm{What: "erased", Text: fmt.Sprintf("on %s %s said that it erased your data", x.Time, x.Org)})
	}
	for index := range before {
		if !now[index] { // two trees of one log, one of them without the entry: each is cosigned
			alarms = append(alarms, alarm{What: "shrunk", Consent: a.Handle, Text: fmt.Sprintf("entry %d was in the consent's history before, "+
				"and is not now", index)})
		}
	}
	w.seen[a.Handle] = now
	return alarms
}

// tell prints an alarm, and runs the command for it.
func (w *watch) tell(ctx context.Context, e *env, a alarm) error {
	fmt.Fprintln(e.Stdout, frame.Printable(a.Text))
	if w.exec == "" {
		return nil
	}
	data, err := json.Marshal(a)
	if err != nil {
		return err
	}
	shell := []string{"sh", "-c"}
	if runtime.GOOS == "windows" {
		shell = []string{"cmd", "/C"}
	}
	cmd := exec.CommandContext(ctx, shell[0], shell[1], w.exec)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Env = bytes.NewReader(append(data, '\n')), e.Stderr, e.Stderr, os.Environ()
	if err := cmd.Run(); err != nil { // the next alarm is told all the same
		fmt.Fprintf(e.Stderr, "trial %s: -exec: %v\n", e.Command(), errors.Join(err, ctx.Err()))
	}
	return nil
}
