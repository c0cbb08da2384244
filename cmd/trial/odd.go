package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/timeline"
)

// meant asks whether a statement is meant that is odd. What is logged stays for ever, and
// each of these is more often a slip than meant. A script answers with -yes.
func (r *remote) meant(ctx context.Context, e *env, how sending, st *trial.Statement, files []file) error {
	odd := r.odd(ctx, how, st, files)
	if len(odd) == 0 || how.yes {
		return nil
	}
	for _, what := range odd {
		fmt.Fprintf(e.Stderr, "trial %s: %s\n", e.Command(), frame.Printable(what))
	}
	if !isTerminal(e.Stdin) {
		return frame.Usagef("%w: what is logged stays for ever, and there is no terminal to ask on: add -yes if it is meant (%s)",
			errNotSigned, strings.Join(odd, "; "))
	}
	return ask(ctx, e, "What is logged stays for ever. Is it meant?", "-yes says so")
}

// odd says what is odd about a statement. What the log has of the trial is its word alone
// here: it decides on nothing but a question.
func (r *remote) odd(ctx context.Context, how sending, st *trial.Statement, files []file) (odd []string) {
	find := func(format string, args ...any) { odd = append(odd, fmt.Sprintf(format, args...)) }
	today := time.Now().UTC().Add(14 * time.Hour) // somewhere on earth it is this day already
	for _, date := range datesOf(st) {
		if d, err := trial.ParseDate(date); err == nil && d.First.After(today) {
			find("the date %s is in the future", date)
		}
	}
	for _, f := range files {
		if name := privateBefore(f, how.outDir); name != "" && st.Predicate.Kind() != "seal" && showsDigest(st, f) {
			find("%s was logged privately before (%s), and this shows its digest to everybody: -private hides it again", f.name, name)
		}
	}
	id := trial.TrialOf(st)
	if id.IsZero() {
		return odd
	}
	about, err := r.client.Trial(ctx, id.String())
	if err != nil {
		return odd // whoever sends the statement meets the same error, and tells it
	}
	var entries []trial.Located
	for _, x := range about.Entries {
		if entry, err := trial.ParseEntry([]byte(x.Entry)); err == nil {
			entries = append(entries, trial.Located{Index: x.Index, Entry: entry})
		}
	}
	for _, i := range timeline.New(id, entries).Items {
		if !i.InEffect() {
			continue
		}
		if m, ok := st.Predicate.(*trial.Milestone); ok && sameEvent(i, m) {
			event := strings.TrimSpace(strings.Join([]string{m.Event, m.Analysis, m.Country}, " "))
			find("%s is logged already, dated %s, by entry %d: trial correct corrects a date", event, i.Value("date"), i.Index)
		}
		for _, f := range files {
			if i.Statement.Predicate.Kind() != "registration" && showsDigest(i.Statement, f) { // a synopsis may be the protocol
				find("%s is logged already for this trial, by entry %d (%s)", f.name, i.Index, short(trial.Describe(i.Statement)))
			}
		}
	}
	return odd
}

// datesOf returns the days on which, by a statement, something was.
func datesOf(st *trial.Statement) []string {
	switch p := st.Predicate.(type) {
	case *trial.Correction:
		if p.Field == "date" || p.Field == "dated" {
			return []string{p.New}
		}
	case *trial.Observation:
		return []string{p.SeenAt, p.Dated}
	}
	members := trial.MembersOf(st.Predicate)
	return []string{members["date"], members["dated"]}
}

// sameEvent reports whether an item is the milestone of an event that has one date.
func sameEvent(i *timeline.Item, m *trial.Milestone) bool {
	was, ok := i.Statement.Predicate.(*trial.Milestone)
	return ok && was.Event == m.Event && i.Value("country") == m.Country && i.Value("analysis") == m.Analysis &&
		!slices.Contains(timeline.Recurring, m.Event)
}

// showsDigest reports whether a statement shows the digest of a file.
func showsDigest(st *trial.Statement, f file) bool {
	return slices.ContainsFunc(st.Subjects, func(s trial.Subject) bool { return s.Digest.SHA256 == f.digest })
}

// privateBefore returns the receipt of a file, beside it or in the folder for receipts,
// that shows that the file was logged privately; "" if there is none.
func privateBefore(f file, outDir string) string {
	for _, name := range []string{beside(f.name, "") + ".tlog-proof", beside(f.name, outDir) + ".tlog-proof"} {
		data, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		r, err := receipt.Parse(data)
		if err != nil {
			continue
		}
		entry, err := trial.ParseEntry(r.Entry)
		if err != nil || entry.Statement == nil {
			continue
		}
		o, err := trial.ParseOpenings(r.Openings, entry.Statement.Statement)
		if err != nil {
			continue
		}
		for _, s := range entry.Statement.Statement.Subjects {
			if salt, ok := o.Salts[s.Name]; ok && trial.Commit(salt, f.digest) == s.Digest.Salted256 {
				return name
			}
		}
	}
	return ""
}
