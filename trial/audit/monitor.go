package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/evidence"
	"github.com/trialproof/trialproof/trial/tile"
)

// A Monitor audits a log for ever, one Round after another, and raises alarms. Its clock, files
// and network are given to it.
//
// An alarm that lasts is raised once, and once more as ended when it no longer holds; an alarm
// with evidence never ends. An event, such as a new entry under a watched organisation, is
// raised once. After a crash an alarm may be raised a second time, but it is never lost: it is
// raised before it is remembered.
//
// A Monitor is for one goroutine.
type Monitor struct {
	Policy *checkpoint.Policy
	Source tile.Source
	Also   []Place // other places with the log's checkpoint
	Now    func() time.Time
	Limits Limits

	Orgs   []string          // organisations whose keys and entries are watched
	Trials []trial.RecordKey // records of kind trial or identifier whose entries are watched

	// Raise delivers an alarm.
	Raise func(Alarm) error
	// Keep stores evidence and returns the name of its file. It is durable once Keep returns.
	// If Keep is nil, no evidence is made.
	Keep func(name string, e *evidence.Evidence) (string, error)
	// Store replaces what Resume reads: the state of the audit, nil if it has not changed, and
	// the monitor's memory. Both are durable once it returns.
	Store func(state, memory []byte) error
	// Warn reports things that are not alarms.
	Warn func(format string, args ...any)
	// Progress is called as Auditor.Progress is.
	Progress func(done, total uint64)

	auditor *Auditor
	good    []byte // state of the last audit without findings
	saved   []byte // the checkpoint in good, once this monitor has made it
	memory  memory
	news    news
	stored  time.Time         // when progress was last stored
	checked map[string]string // by place: the two checkpoints that were last found consistent
}

// A Place is another place with the log's checkpoint: a mirror or a witness.
type Place struct {
	Name  string
	Fetch func(ctx context.Context) ([]byte, error)
}

// Limits say how long some things may last on a good day. Zero means the default.
type Limits struct {
	Silence time.Duration // without a cosigned tree that could be replayed: 2 hours
	Late    time.Duration // without a witness's cosignature: 24 hours
	Far     time.Duration // between an entry's time and the witnesses': 10 minutes
	Store   time.Duration // between two savings of a replay in progress: 30 seconds
}

func (l *Limits) defaults() {
	for _, d := range []struct {
		at *time.Duration
		is time.Duration
	}{{&l.Silence, 2 * time.Hour}, {&l.Late, 24 * time.Hour}, {&l.Far, 10 * time.Minute}, {&l.Store, 30 * time.Second}} {
		if *d.at == 0 {
			*d.at = d.is
		}
	}
}

// Resume prepares the monitor with what Store was last given, each nil if there was nothing.
// The state may be that of an audit.
func (m *Monitor) Resume(state, remembered []byte) error {
	m.Limits.defaults()
	m.checked = map[string]string{}
	m.good = state
	if err := m.reload(); err != nil {
		return err
	}
	return m.memory.resume(remembered, m.Now(), m.auditor.Size())
}

// reload returns to the last audit without findings.
func (m *Monitor) reload() (err error) {
	a := New(m.Policy, m.Source)
	if m.good != nil {
		if a, err = Resume(m.Policy, m.Source, m.good); err != nil {
			return err
		}
	}
	a.Watch, a.Boundary, a.Progress = m.watch, m.boundary, m.Progress
	m.auditor, m.news = a, news{}
	return nil
}

// boundary saves the progress of a long replay.
func (m *Monitor) boundary() error {
	now := m.Now()
	if now.Sub(m.stored) < m.Limits.Store {
		return nil
	}
	m.stored = now
	data, err := m.auditor.SaveProgress()
	if err != nil {
		return err
	}
	return m.store(data)
}

// An Outcome is the result of a round.
type Outcome struct {
	Alarms bool // some were raised, or last
	Blind  bool // the log could not be audited
	Unseen bool // the checkpoint of a place in Also could not be compared; Warn said which
}

// Round audits up to what the log publishes now, looks at the other places, and raises alarms.
// It is not an error if the log cannot be reached: the next round may succeed. An error says
// that the outcome could not be delivered or stored, or that the state to continue from is
// wrong.
func (m *Monitor) Round(ctx context.Context) (Outcome, error) {
	start := m.Now()
	m.stored = start
	r := &round{now: start, holds: map[string]Alarm{}}
	report, err := m.auditor.Run(ctx)
	if ctx.Err() != nil {
		return Outcome{}, ctx.Err()
	}
	var state []byte
	switch {
	case errors.Is(err, errUnbound):
		return Outcome{}, err
	case err != nil:
		r.blind = true // alarms that held before are taken to hold still
		m.Warn("the log cannot be audited now: %v", err)
		if _, newer := errors.AsType[*trial.NewerRules](err); newer {
			r.hold(Alarm{Alarm: "newer", Text: err.Error()})
		}
	default:
		if state, err = m.conclude(ctx, r, report); err != nil {
			return Outcome{}, err
		}
	}
	m.elsewhere(ctx, r)
	if ctx.Err() != nil {
		return Outcome{}, ctx.Err()
	}
	if last := later(m.memory.Heard, m.memory.Since); start.Sub(last) > m.Limits.Silence {
		r.hold(Alarm{Alarm: "silence",
			Text: fmt.Sprintf("there is no cosigned tree newer than %s that could be replayed", trial.Moment(last))})
	}
	if err := m.memory.settle(r, m.Raise); err != nil {
		return Outcome{}, err
	}
	return Outcome{len(r.events) > 0 || len(m.memory.Lasting) > 0, r.blind, len(r.places) > 0}, m.store(state)
}

// conclude raises the alarms that follow from an audit. It returns the state to continue from, or
// nil if there is no new one.
func (m *Monitor) conclude(ctx context.Context, r *round, report *Report) (state []byte, err error) {
	cp := report.Checkpoint
	r.size = cp.Size
	seenBy, ok := cp.ProvenTime()
	if !ok || seenBy.After(r.now) {
		seenBy = r.now
	}
	read := report.Incomplete == nil // it was read to its end, and what was read is what the log signed
	for _, f := range report.Findings {
		if f.Kind == "root" || f.Kind == "fork" || f.Kind == "rollback" {
			read = false
		}
	}
	if read {
		if cp.Quorum() {
			m.memory.Heard = later(m.memory.Heard, seenBy)
		}
		m.tell(r, seenBy)
	}
	for _, w := range m.Policy.Witnesses {
		name := w.Name()
		cosigned := func(c checkpoint.Cosignature) bool { return m.Policy.Witnesses[c.Witness].Name() == name }
		if slices.ContainsFunc(cp.Cosignatures, cosigned) {
			m.memory.Cosigned[name] = r.now
		}
		if last := later(m.memory.Cosigned[name], m.memory.Since); r.now.Sub(last) > m.Limits.Late {
			r.hold(Alarm{Alarm: "late", Size: cp.Size, Subject: name,
				Text: fmt.Sprintf("the witness %s has cosigned no tree that the log published since %s", name, trial.Moment(last))})
		}
	}
	for _, f := range report.Findings {
		r.hold(alarmOf(f, cp.Size))
	}
	if !slices.ContainsFunc(report.Findings, func(f Finding) bool { return f.Kind == "clock" }) {
		for i, said := range cp.Clocks(m.auditor.State().Time().Std(), r.now) {
			r.hold(Alarm{Alarm: "clock", Size: cp.Size, Subject: fmt.Sprintf("clocks-%d", i+1), Text: said})
		}
	}
	if len(report.Findings) > 0 {
		m.prove(ctx, r, report)
		return nil, m.reload()
	}
	if bytes.Equal(m.auditor.seen, m.saved) {
		return nil, nil
	}
	if m.good, err = m.auditor.Save(); err == nil {
		m.saved = m.auditor.seen
	}
	return m.good, err
}

func alarmOf(f Finding, size uint64) Alarm {
	a := Alarm{Alarm: f.Kind, Size: size, Rule: f.Rule, Text: f.Text}
	if f.Kind == "rule" {
		a.Index = &f.Index
	}
	return a
}

// prove keeps the evidence of what was found, if it is not kept yet.
func (m *Monitor) prove(ctx context.Context, r *round, report *Report) {
	first := false
	for _, f := range report.Findings {
		a := alarmOf(f, report.Checkpoint.Size)
		was, ok := m.memory.Lasting[a.id()]
		if was.Evidence != "" {
			return
		}
		first = first || !ok
	}
	if m.Keep == nil {
		return
	}
	x, f, err := m.auditor.evidence(ctx)
	if err != nil {
		if first {
			m.Warn("no evidence can be kept: %v", err)
		}
		return
	}
	a := alarmOf(f, report.Checkpoint.Size)
	m.attach(r, a.id(), x)
}

// attach keeps evidence for an alarm that holds.
func (m *Monitor) attach(r *round, id string, x *evidence.Evidence) {
	a := r.holds[id]
	if a.Evidence = m.memory.Lasting[id].Evidence; a.Evidence == "" && m.Keep != nil {
		at := a.Size
		if a.Index != nil {
			at = *a.Index
		}
		name, err := m.Keep(fmt.Sprintf("%s-%d", x.Kind, at), x)
		if err != nil {
			m.Warn("the evidence cannot be kept: %v", err)
		}
		a.Evidence = name
	}
	r.holds[id] = a
}

// elsewhere compares the checkpoints found in other places with the tree replayed here.
func (m *Monitor) elsewhere(ctx context.Context, r *round) {
	ours := m.auditor.seen
	for _, p := range m.Also {
		theirs, err := p.Fetch(ctx)
		if err != nil {
			m.Warn("%s: %v", p.Name, err)
			r.keep(p.Name)
			continue
		}
		tree, err := evidence.Open(m.Policy, theirs)
		if err != nil {
			m.Warn("%s: %v", p.Name, err)
			r.keep(p.Name)
			continue
		}
		m.memory.ahead(r, p.Name, tree, m.auditor.Size(), m.Limits.Silence)
		pair := string(ours) + "\n" + string(theirs)
		if ours == nil || m.checked[p.Name] == pair {
			continue
		}
		x, err := Compare(ctx, m.Policy, m.Source, ours, theirs)
		switch {
		case err == nil:
			a := Alarm{Alarm: x.Kind, Size: tree.Size, Subject: p.Name, Text: fmt.Sprintf(
				"the log's checkpoint of size %d at %s is of another tree than the one replayed here", tree.Size, p.Name)}
			m.attach(r, r.hold(a), x)
		case errors.Is(err, ErrConsistent):
			m.checked[p.Name] = pair
		default:
			m.Warn("%s: its tree of size %d cannot be compared: %v", p.Name, tree.Size, err)
			r.keep(p.Name)
		}
	}
}

func (m *Monitor) store(state []byte) error {
	data, err := m.memory.marshal()
	if err != nil {
		return err
	}
	return m.Store(state, data)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
