package audit_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/audit"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/evidence"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// A watched log has a monitor whose clock, files and surroundings the test controls.
type watched struct {
	t      *testing.T
	l      *trialtest.Log
	id     trial.Hash
	src    *source
	m      *audit.Monitor
	now    time.Time
	state  []byte // what the monitor stored
	memory []byte
	files  map[string]*evidence.Evidence
	raised []audit.Alarm
	warned []string
	down   error // of the checkpoint
	deaf   error // of Raise
}

// Checkpoint implements tile.Source.
func (w *watched) Checkpoint(ctx context.Context) ([]byte, error) {
	if w.down != nil {
		return nil, w.down
	}
	return w.src.Checkpoint(ctx)
}

// Tile implements tile.Source.
func (w *watched) Tile(ctx context.Context, path string) ([]byte, error) {
	return w.src.Tile(ctx, path)
}

// watch returns a log with a trial that a monitor, prepared by set, has replayed and found
// good.
func watch(t *testing.T, set func(m *audit.Monitor)) *watched {
	t.Helper()
	l := trialtest.NewLog(t)
	w := &watched{t: t, l: l, id: open(l), now: trialtest.Start.Std().Add(time.Minute), files: map[string]*evidence.Evidence{}}
	l.Close()
	w.src = newSource(t, l)
	w.publish(w1, w2)
	w.restart(set)
	w.round()
	return w
}

// restart begins a monitor from what the last one stored.
func (w *watched) restart(set func(m *audit.Monitor)) {
	w.t.Helper()
	w.m = &audit.Monitor{
		Policy: w.src.policy, Source: w, Now: func() time.Time { return w.now },
		Raise: func(a audit.Alarm) error {
			if w.deaf == nil {
				w.raised = append(w.raised, a)
			}
			return w.deaf
		},
		Keep: func(name string, x *evidence.Evidence) (string, error) { w.files[name] = x; return name, nil },
		Store: func(state, memory []byte) error {
			if state != nil {
				w.state = state
			}
			w.memory = memory
			return nil
		},
		Warn: func(format string, args ...any) { w.warned = append(w.warned, fmt.Sprintf(format, args...)) },
	}
	if set != nil {
		set(w.m)
	}
	if err := w.m.Resume(w.state, w.memory); err != nil {
		w.t.Fatal(err)
	}
}

// publish has the log's tree cosigned now.
func (w *watched) publish(witnesses ...trialtest.Cosigner) {
	w.publishTree(w.l.Tree(w.l.Size()), witnesses...)
}

func (w *watched) publishTree(tree checkpoint.Tree, witnesses ...trialtest.Cosigner) {
	w.src.checkpoint = w.cosigned(tree, witnesses...)
}

func (w *watched) cosigned(tree checkpoint.Tree, witnesses ...trialtest.Cosigner) []byte {
	signers := []trialtest.Cosigner{logKey}
	for _, c := range witnesses {
		c.Time = uint64(w.now.Unix())
		signers = append(signers, c)
	}
	return signedBy(w.t, tree, signers...)
}

// round compares what a round raises with names such as "silence" and "ended silence".
func (w *watched) round(want ...string) audit.Outcome {
	w.t.Helper()
	w.raised = nil
	o, err := w.m.Round(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	var got []string
	for _, a := range w.raised {
		name := a.Alarm
		if a.Rule != "" {
			name += " " + string(a.Rule)
		}
		if a.Ended {
			name = "ended " + name
		}
		got = append(got, name)
		if a.Time != w.now.UTC().Format(time.RFC3339) || a.Text == "" {
			w.t.Errorf("alarm %+v", a)
		}
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		w.t.Fatalf("raised %q, want %q: %+v", got, want, w.raised)
	}
	return o
}

func (w *watched) pass(d time.Duration) { w.now = w.now.Add(d) }

// document logs a document now and ends the tree.
func (w *watched) document() {
	w.t.Helper()
	s := trialtest.Check(w.t, "ada", &trial.Document{Common: trialtest.Common(), Trial: w.id, Version: fmt.Sprint(w.l.Size())},
		trialtest.Documents("document", "x"))
	w.admit(s, w.now)
}

func (w *watched) admit(s *trial.Signed, at time.Time) {
	w.t.Helper()
	raw, _, err := w.l.State.Admit(s, trial.TimeOf(at))
	if err != nil {
		w.t.Fatal(err)
	}
	w.l.Append(raw)
	w.l.Close()
}
