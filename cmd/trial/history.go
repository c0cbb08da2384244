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

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/dossier"
	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/timeline"
)

// errStated says that a history is complete by the operator's word only.
var errStated = errors.New("complete as stated by the operator: too few replaying witnesses cosigned to prove it (trial audit proves it to you)")

// A view is what of a history is shown.
type view struct {
	at          uint64 // tree size; 0: all
	kind, since string
}

func (w *view) flags(fs *flag.FlagSet) {
	fs.Uint64Var(&w.at, "at", 0, "show the history as of an earlier tree `size`")
	fs.StringVar(&w.kind, "kind", "", "show only statements of this `kind`, and that there are no others")
	fs.StringVar(&w.since, "since", "", "show only what was logged after this `day`, or after an event of the trial such as first-enrolment")
}

// check refuses what would show nothing because of how it is spelt.
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
		return frame.Usagef("one trial must be given: its id or a number bound to it; or identifier:NUMBER for the number's own history, org:ID, seal:COMMITMENT or log")
	}
	if err := w.check(); err != nil {
		return err
	}
	key, err := r.recordKey(rest[0])
	if err != nil {
		return err
	}
	var p, by *dossier.History
	r.keep = asJSON
	if strings.HasPrefix(rest[0], dossier.OwnPrefix) {
		p, err = r.history(ctx, key, 0)
	} else {
		p, by, err = r.trialHistory(ctx, key)
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

// stated returns an error where the histories are complete by the operator's word only.
func stated(h *dossier.Histories) error {
	if !h.Replayed() {
		return errStated
	}
	return nil
}

// recordKey returns the record that is typed: a trial by its id, org:ID,
// seal:COMMITMENT, the log itself, otherwise the identifier.
func (r *remote) recordKey(typed string) (trial.RecordKey, error) {
	if typed == "log" {
		return trial.RecordKey{Kind: "log", ID: r.log.Name()}, nil
	}
	if kind, id, ok := strings.Cut(typed, ":"); ok && (kind == "org" || kind == "seal") {
		return checkedKey(kind, id)
	}
	if id, err := trial.ParseHash(typed); err == nil {
		return trial.RecordKey{Kind: "trial", ID: id.String()}, nil
	}
	typed = strings.TrimPrefix(typed, dossier.OwnPrefix)
	if strings.HasPrefix(typed, "sponsor:") {
		return checkedKey("identifier", typed)
	}
	id, err := trial.ParseIdentifier(typed)
	if err != nil {
		return trial.RecordKey{}, frame.AsUsage(err)
	}
	return trial.RecordKey{Kind: "identifier", ID: id}, nil
}

// trialKey is recordKey where a trial or a number is meant.
func (r *remote) trialKey(typed string) (trial.RecordKey, error) {
	key, err := r.recordKey(typed)
	if err == nil && key.Kind != "trial" && key.Kind != "identifier" {
		return key, frame.Usagef("%s is no trial: give its id or a number bound to it", typed)
	}
	return key, err
}

func checkedKey(kind, id string) (trial.RecordKey, error) {
	key := trial.RecordKey{Kind: kind, ID: id}
	if err := key.Check(); err != nil {
		return trial.RecordKey{}, frame.AsUsage(err)
	}
	return key, nil
}

// trialHistory fetches and checks the history of a trial, by its id or by an
// identifier that leads to it; where that leads to none, the identifier's own. With
// it comes the identifier's, by which it was found: both are of one tree, and that
// nothing is left out is proven where it is of both.
func (r *remote) trialHistory(ctx context.Context, key trial.RecordKey) (p, by *dossier.History, err error) {
	for range tries {
		number, err := r.history(ctx, key, 0)
		if err != nil {
			return nil, nil, err
		}
		rec, ok := number.Record.(*trial.IdentifierRecord)
		if !ok {
			return number, nil, nil
		}
		id, err := dossier.TheTrial(rec)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %w", errInvalid, err)
		}
		if id.IsZero() {
			return number, nil, nil
		}
		p, err = r.history(ctx, trial.RecordKey{Kind: "trial", ID: id.String()}, number.Checkpoint.Size)
		if errors.Is(err, client.ErrGone) {
			continue // the log has grown much meanwhile
		}
		if err == nil {
			err = sameTree(p, number)
		}
		if err != nil {
			return nil, nil, err
		}
		p.Replayed = p.Replayed && number.Replayed
		return p, number, nil
	}
	return nil, nil, errGrowing
}

// history fetches and checks a record's history page by page, as of a tree of a size
// that the log gave for another record just before; 0 is the newest. With keep it
// returns what was checked too: what else the log's answers hold is not covered by any
// proof.
func (r *remote) history(ctx context.Context, key trial.RecordKey, size uint64) (*dossier.History, error) {
	first, err := r.page(ctx, key, size, 0)
	if err != nil {
		return nil, err
	}
	reader, err := history.NewReader(r.policy, first)
	for err == nil {
		size, from, more := reader.More()
		if !more {
			break
		}
		var next *history.History
		if next, err = r.page(ctx, key, size, from); err != nil {
			return nil, err
		}
		if len(next.Entries) == 0 {
			break // the verdict says that some are withheld
		}
		if err = reader.Add(next.Entries); err == nil && r.keep {
			first.Entries = append(first.Entries, next.Entries...)
		}
	}
	h := &dossier.History{}
	if err == nil {
		h.Verdict, err = reader.Verdict()
	}
	if err != nil {
		return nil, invalidHistory(err)
	}
	if h.Key != key {
		return nil, fmt.Errorf("%w: the log answers with the history of %s %s", errInvalid, h.Key.Kind, h.Key.ID)
	}
	if r.keep {
		h.Proof = first
	}
	return h, nil
}

func (r *remote) page(ctx context.Context, key trial.RecordKey, size, from uint64) (*history.History, error) {
	data, err := r.client.HistoryPage(ctx, key.Kind, key.ID, size, from)
	if err != nil {
		return nil, err
	}
	h, err := history.ParsePage(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errInvalid, err)
	}
	return h, nil
}

func checkHistory(p *checkpoint.Policy, data []byte) (*dossier.History, error) {
	h, err := history.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errInvalid, err)
	}
	v, err := h.Verify(p)
	if err != nil {
		return nil, invalidHistory(err)
	}
	return &dossier.History{Verdict: v, Proof: h}, nil
}

// invalidHistory says of a history's error that it is invalid, unless a newer program
// must judge.
func invalidHistory(err error) error {
	if _, ok := errors.AsType[*trial.NewerRules](err); ok {
		return err
	}
	return fmt.Errorf("%w: %w", errInvalid, err)
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
				fmt.Fprintf(e.Stdout, "  about entry %d: %s\n", of.Index, trial.Describe(of.Statement))
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
		fmt.Fprintf(e.Stdout, "what was observed of %s is in that number's own history: trial history %s%s\n", n.ID, dossier.OwnPrefix, n.ID)
	}
	if t, ok := v.Checkpoint.ProvenTime(); ok {
		fmt.Fprintf(e.Stdout, "witnesses saw the tree of size %d by %s; times above are the log's clock\n", v.Checkpoint.Size, trial.Moment(t))
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

// after returns the last moment that a view does not show: the end of a day, or of
// the last day on which an event of the trial can have been by what was told first.
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
		fmt.Fprintf(e.Stdout, "  struck, for it rests on what was emptied: %s %s: %s\n", m.ID, timeline.MarkText(m.ID), frame.Printable(m.Text()))
	}
}

// legend says what weight the marks have that were shown, each once.
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

func verifyHistory(ctx context.Context, e *env, args []string) error {
	var w view
	fs := e.Flags()
	var policyFile string
	policyFlag(fs, &policyFile)
	w.flags(fs)
	var files frame.Words
	fs.Var(&files, "files", "`file` or folder with documents that a report was drawn from; may be repeated")
	rest, err := e.Parse(fs, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return frame.Usagef("one history, as trial history -json prints it or trial report writes it, must be given")
	}
	if err := w.check(); err != nil {
		return err
	}
	p, err := e.trustedPolicy(&policyFile)
	if err != nil {
		return err
	}
	data, err := readHistory(rest[0])
	if err != nil {
		return err
	}
	if dossier.IsReport(data) {
		return e.verifyReport(p, data, w, files)
	}
	if err := history.CheckMembers(data); err != nil {
		return fmt.Errorf("%w: %w", errInvalid, err)
	}
	h, err := checkHistory(p, data)
	if err != nil {
		return err
	}
	if err := e.printHistory(p, h.Verdict, w); err != nil {
		return err
	}
	return stated(&dossier.Histories{Trial: h})
}
