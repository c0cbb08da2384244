package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/dossier"
	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/timeline"
)

// errStated says that only the operator claims that a history is complete.
var errStated = errors.New("complete as stated by the operator: too few replaying witnesses cosigned to prove it (trial audit proves " +
	"it to you)")

// A view says which part of a history is shown.
type view struct {
	at          uint64 // tree size; 0: all
	kind, since string
}

func (w *view) flags(fs *flag.FlagSet) {
	fs.Uint64Var(&w.at, "at", 0, "show the history as of an earlier tree `size`")
	fs.StringVar(&w.kind, "kind", "", "show only statements of this `kind`, and that there are no others")
	fs.StringVar(&w.since, "since", "", "show only what was logged after this `day`, or after an event of the trial such as "+
		"first-enrolment")
}

// check refuses misspelt values, which would show an empty history.
func (w *view) check() error {
	if w.kind != "" && !slices.Contains(trial.Kinds(), w.kind) {
		return frame.Usagef("-kind is one of %s", strings.Join(trial.Kinds(), ", "))
	}
	if _, err := time.Parse(time.DateOnly, w.since); w.since != "" && err != nil {
		if _, ok := trial.Events[w.since]; !ok {
			return frame.Usagef("-since is a day such as 2026-03-01, or one of %s", strings.Join(trial.EventNames(), ", "))
		}
	}
	return nil
}

func showHistory(ctx context.Context, e *env, args []string) error {
	var r remote
	var w view
	var asJSON bool
	rest, err := r.begin(e, args, false, func(fs *flag.FlagSet) {
		w.flags(fs)
		fs.BoolVar(&asJSON, "json", false, "print the history with its proofs, a file that trial verify-history checks offline")
	})
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return frame.Usagef("one trial must be given: its id or a number bound to it; or identifier:NUMBER for the number's own " +
			"history, org:ID, consent:HANDLE, request:ID, recipient:ID, unit:ID, seal:COMMITMENT or log")
	}
	if err := w.check(); err != nil {
		return err
	}
	key, err := r.recordKey(ctx, rest[0])
	if err != nil {
		return err
	}
	var p, by *dossier.History
	r.keep = asJSON
	if strings.HasPrefix(rest[0], dossier.OwnPrefix) {
		p, err = r.history(ctx, key, 0)
	} else {
		p, by, err = r.gatherer().Trial(ctx, key)
	}
	if err != nil {
		return err
	}
	if asJSON {
		data, err := json.Marshal(p.Proof)
		if err != nil {
			return err
		}
		fmt.Fprintf(e.Stdout, "%s\n", data)
	} else if err := e.printHistory(r.policy, p.Verdict, w); err != nil {
		return err
	} else {
		e.printFormerly(by, p.Verdict)
	}
	return stated(&dossier.Histories{Trial: p})
}

// printFormerly warns of trials that had the number by which another was found.
func (e *env) printFormerly(by *dossier.History, v *history.Verdict) {
	if by == nil {
		return
	}
	if rec, ok := v.Record.(*trial.TrialRecord); ok {
		for _, line := range dossier.Formerly(by.Verdict, rec.ID) {
			fmt.Fprintln(e.Stdout, line)
		}
	}
}

// stated returns an error if only the operator claims that the histories are complete.
func stated(h *dossier.Histories) error {
	if !h.Replayed() {
		return errStated
	}
	return nil
}

// printHistory shows the entries that w asks for.
func (e *env) printHistory(p *checkpoint.Policy, v *history.Verdict, w view) error {
	size := v.Checkpoint.Size
	if w.at > 0 && w.at < size {
		size = w.at
	}
	tl := v.Timeline(size)
	items := map[uint64]*timeline.Item{}
	if tl != nil {
		for _, i := range tl.Items {
			items[i.Index] = i
		}
	}
	since, err := w.after(tl)
	if err != nil {
		return err
	}
	shown := 0
	var marks []timeline.Mark
	for _, entry := range v.Entries {
		if entry.Index >= size || w.kind != "" && !isOfKind(entry.Entry, w.kind) || entry.Time <= since {
			continue
		}
		shown++
		fmt.Fprintf(e.Stdout, "%d %s\n", entry.Index, summary(entry.Entry))
		if i := items[entry.Index]; i != nil {
			if of := tl.About(i); of != nil {
				fmt.Fprintf(e.Stdout, "  about entry %d: %s\n", of.Index, short(trial.Describe(of.Statement)))
			}
			e.printMarks(i)
			marks = append(marks, i.Marks...)
		}
	}
	e.legend(marks)
	what := w.words()
	if shown == 0 {
		fmt.Fprintf(e.Stdout, "nothing%s was logged for %s %s up to size %d\n", what, v.Key.Kind, v.Key.ID, size)
	} else {
		list := fmt.Sprintf("these %d entries are", shown)
		if shown == 1 {
			list = "this 1 entry is"
		}
		fmt.Fprintf(e.Stdout, "%s all%s that was logged for %s %s up to size %d\n", list, what, v.Key.Kind, v.Key.ID, size)
	}
	for _, n := range dossier.Numbers(v) {
		fmt.Fprintf(e.Stdout, "what was observed of %s is in that number's own history: trial history %s%s\n", n.ID, dossier.OwnPrefix,
			n.ID)
	}
	if t, ok := v.Checkpoint.ProvenTime(); ok {
		fmt.Fprintf(e.Stdout, "witnesses saw the tree of size %d by %s; times above are the log's clock\n", v.Checkpoint.Size,
			trial.Moment(t))
	}
	e.printPolicy(p)
	return nil
}

// isOfKind reports whether an entry is of a kind: as it stands, or by the statement
// that it opens.
func isOfKind(e *trial.Entry, kind string) bool {
	return kindOf(e) == kind || e.Statement != nil && e.Statement.Statement.Predicate.Kind() == kind
}

// kindOf returns the kind of the statement that takes effect with an entry.
func kindOf(e *trial.Entry) string {
	if e.Statement == nil {
		return ""
	}
	_, st := e.Statement.Effective()
	return st.Predicate.Kind()
}

// words says what a view leaves out.
func (w view) words() string {
	s := ""
	if w.kind != "" {
		s = " of kind " + w.kind
	}
	if w.since != "" {
		s += " after " + w.since
	}
	return s
}

// after returns the last moment that a view does not show: the end of a day, or of the last
// day that the earliest date logged for an event may mean.
func (w view) after(tl *timeline.Timeline) (trial.Time, error) {
	if w.since == "" {
		return -1, nil
	}
	date := w.since
	if _, event := trial.Events[w.since]; event {
		if tl == nil {
			return 0, frame.Usagef("-since with an event is for the history of a trial")
		}
		if date = tl.EventDate(w.since); date == "" {
			return 0, fmt.Errorf("%w: no %s is logged for this trial", errInvalid, w.since)
		}
	}
	return trial.EndOf(date), nil
}

// printPolicy says under which policy a verdict holds.
func (e *env) printPolicy(p *checkpoint.Policy) {
	fmt.Fprintf(e.Stdout, "policy SHA-256 %s, asks for %s, %s\n", p.Digest(), p.QuorumText(), e.policyFrom)
}

// printMarks shows the marks of an entry below it.
func (e *env) printMarks(i *timeline.Item) {
	for _, m := range timeline.Group(i.Marks, false) {
		fmt.Fprintf(e.Stdout, "  %s %s: %s\n", m.ID, timeline.MarkText(m.ID), frame.Printable(m.Text()))
	}
	for _, m := range timeline.Group(i.Marks, true) {
		fmt.Fprintf(e.Stdout, "  struck, because it rests on an entry that was emptied: %s %s: %s\n", m.ID, timeline.MarkText(m.ID),
			frame.Printable(m.Text()))
	}
}

// legend says, once for each, what weight the marks have that were shown.
func (e *env) legend(marks []timeline.Mark) {
	ids := map[int][]string{}
	for _, m := range timeline.Group(marks, false) {
		w := timeline.MarkWeight(m.ID)
		if id := string(m.ID); !slices.Contains(ids[w], id) {
			ids[w] = append(ids[w], id)
		}
	}
	for w := trial.WeightBears; w <= trial.WeightInform; w++ {
		if len(ids[w]) > 0 {
			fmt.Fprintf(e.Stdout, "legend: %s: %s\n", strings.Join(ids[w], ", "), timeline.WeightText[w])
		}
	}
}
