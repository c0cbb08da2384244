package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/compare"
	"github.com/trialproof/trialproof/trial/outcome"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/study"
)

// words collects the values of a flag that may be given several times.
type words []string

func (w *words) String() string { return strings.Join(*w, ",") }

func (w *words) Set(s string) error {
	*w = append(*w, s)
	return nil
}

func compareCommand(ctx context.Context, e *env, args []string) error {
	var r remote
	var article string
	var word trusted
	var asJSON bool
	rest, err := r.begin(e, args, false, func(fs *flag.FlagSet) {
		fs.StringVar(&article, "article", "", "`file` of the outcomes that an article reports: text, one a line, or JSON")
		word.flags(fs)
		fs.BoolVar(&asJSON, "json", false, "print the comparison as JSON")
	})
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return usagef("one trial must be given: its id or a number")
	}
	_, outcomes, err := readArticle(article)
	if err != nil {
		return err
	}
	d, err := r.dossier(ctx, rest[0], &word, registryNumbers)
	if err != nil {
		return err
	}
	report := d.compare(outcomes)
	if asJSON {
		err = printJSON(e, report)
	} else {
		e.printComparison(report)
		e.printBasis(&r, d)
	}
	return errors.Join(err, d.stated())
}

// readArticle reads the outcomes of an article, and returns its bytes too; no name
// has none.
func readArticle(name string) ([]byte, []outcome.ArticleOutcome, error) {
	if name == "" {
		return nil, nil, nil
	}
	data, err := readSmall(name)
	if err != nil {
		return nil, nil, err
	}
	outcomes, err := outcome.ParseArticle(data)
	if err != nil {
		return nil, nil, usagef("%s: %w", name, err)
	}
	return data, outcomes, nil
}

// compare compares what was reported with what was specified.
func (d *dossier) compare(article []outcome.ArticleOutcome) *compare.Report {
	report := compare.Weigh(d.versions, article)
	report.Notes = slices.Concat(report.Notes, d.unread, d.unchained, d.unheard())
	return report
}

func printJSON(e *env, v any) error {
	enc := json.NewEncoder(e.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	return enc.Encode(v)
}

// printBasis says what a report of a dossier rests on.
func (e *env) printBasis(r *remote, d *dossier) {
	v := d.histories[0]
	fmt.Fprintf(e.stdout, "from everything logged up to size %d, %s; not proven: that what the documents say is true\n", v.Checkpoint.Size, completeText(v.Replayed))
	e.printPolicy(r.policy)
}

func (e *env) printComparison(r *compare.Report) {
	for _, v := range r.Start {
		fmt.Fprintf(e.stdout, "start %s by entry %d of %s (%s; %s)\n", strings.TrimSpace(v.Date.Date+" "+v.Kind), v.Entry, v.Day, v.By, loggedBy(v.Org, v.Whose))
	}
	if r.Prespecified != nil {
		fmt.Fprintf(e.stdout, "prespecified outcomes: %s\n", sourceText(r.Prespecified))
	} else {
		fmt.Fprintf(e.stdout, "prespecified outcomes: %s\n", printable(r.None))
	}
	if r.Reported != nil {
		fmt.Fprintf(e.stdout, "reported outcomes: %s\n", sourceText(r.Reported))
	}
	for _, f := range r.Outcomes {
		fmt.Fprintf(e.stdout, "%s: %s\n", f.Status, printable(findingText(f)))
	}
	for _, o := range r.Unjudged {
		fmt.Fprintf(e.stdout, "reported, with nothing prespecified to hold it to: %s\n", printable(outcomeText(&o)))
	}
	for _, list := range []struct {
		title string
		steps []compare.Step
	}{
		{"before the start (not counted)", r.BeforeStart}, {"after the start", r.AfterStart},
		{"in the version that first has results (listed apart, for such versions are often reworded)", r.WithResults},
	} {
		for _, s := range list.steps {
			fmt.Fprintf(e.stdout, "changed %s, from entry %d of %s to entry %d of %s (%s):\n", list.title, s.From.Entry, s.From.Day, s.To.Entry, s.To.Day, s.To.By)
			for _, c := range s.Changes {
				fmt.Fprintf(e.stdout, "  %s\n", printable(c.String()))
			}
		}
	}
	for _, c := range r.Conflicts {
		fmt.Fprintf(e.stdout, "conflict: %s\n", c)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(e.stdout, "note: %s\n", printable(n))
	}
	fmt.Fprintf(e.stdout, "%d matches are proposed by likeness (%.2f or more), none of them is a verdict\n", r.PairsProposed, r.Threshold)
}

func sourceText(s *compare.Source) string {
	if s.Kind == "article" {
		return "the article"
	}
	logged := loggedBy(s.Org, s.Whose)
	if s.Logged != "" {
		logged = "logged on " + s.Logged + strings.TrimPrefix(logged, "logged")
	}
	return fmt.Sprintf("entry %d, %s of %s (%s; %s)", s.Entry, s.Kind, s.Day, s.By, logged)
}

func outcomeText(o *study.Outcome) string {
	s := fmt.Sprintf("%q", o.Measure)
	if o.TimeFrame != "" {
		s += fmt.Sprintf(" [%s]", o.TimeFrame)
	}
	return strings.TrimSpace(o.Level + " " + s)
}

func findingText(f compare.Finding) string {
	var parts []string
	if f.Specified != nil {
		parts = append(parts, outcomeText(f.Specified))
	}
	if f.Reported != nil && (f.Specified == nil || *f.Reported != *f.Specified) {
		parts = append(parts, "reported as "+outcomeText(f.Reported))
	}
	if f.Specified != nil && f.Reported != nil {
		parts = append(parts, fmt.Sprintf("likeness %.2f, time frames %s", f.Similarity, f.TimeFrames))
	}
	if f.Declared != nil {
		parts = append(parts, "declared by "+sourceText(f.Declared))
	}
	if f.Why != "" {
		parts = append(parts, f.Why)
	}
	return strings.Join(parts, "; ")
}

// diff compares two versions, each a document, a receipt, or an entry of a log.
func diffCommand(ctx context.Context, e *env, args []string) error {
	fs := e.flags()
	asJSON := fs.Bool("json", false, "print the changes as JSON")
	rest, err := e.parse(fs, args)
	if err != nil {
		return err
	}
	if len(rest) != 2 {
		return usagef("two versions must be given: documents, receipts or URL/INDEX")
	}
	a, err := e.version(ctx, rest[0])
	if err != nil {
		return err
	}
	b, err := e.version(ctx, rest[1])
	if err != nil {
		return err
	}
	if x, y := a.Number("nct"), b.Number("nct"); x != y && x != "" && y != "" {
		fmt.Fprintf(e.stderr, "trial diff: these are two trials, %s and %s\n", x, y)
	}
	changes := study.Diff(a, b)
	if *asJSON {
		if changes == nil {
			changes = []study.Change{}
		}
		return printJSON(e, changes)
	}
	for _, c := range changes {
		fmt.Fprintln(e.stdout, printable(c.String()))
	}
	if a.PartOnly != b.PartOnly {
		fmt.Fprintln(e.stderr, "trial diff: one side is logged facts, so both were compared as far as facts go")
	}
	fmt.Fprintf(e.stderr, "%d changes\n", len(changes))
	if len(changes) == 0 && !sameBytes(rest[0], rest[1]) {
		fmt.Fprintln(e.stderr, onlyUnread)
	}
	return nil
}

// parseOne reads the one study of a file.
func parseOne(name string, data []byte) (*study.Study, error) {
	s, err := study.Parse(data)
	if err == nil {
		return s, nil
	}
	n := 0
	if serr := study.Split(bytes.NewReader(data), func(int, []byte) error { n++; return nil }); (serr == nil || errors.Is(serr, study.ErrMorePages)) && n > 1 {
		err = fmt.Errorf("it is an export of %d records: take one of them, or import it", n)
	}
	return nil, fmt.Errorf("%w: %s: %w", errInvalid, name, err)
}

// sameBytes reports whether two names are of files with the same bytes.
func sameBytes(a, b string) bool {
	x, err1 := os.ReadFile(a)
	y, err2 := os.ReadFile(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

// version reads a study from a document, a receipt, or an entry by its URL. What a
// receipt or log says is shown as it stands and not verified here.
func (e *env) version(ctx context.Context, name string) (*study.Study, error) {
	var entry *trial.Entry
	if strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://") {
		_, proved, err := fetchEntry(ctx, name)
		if err != nil {
			return nil, err
		}
		if entry, err = trial.ParseEntry([]byte(proved.Entry.Entry)); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	} else {
		if _, err := regular(name); err != nil {
			return nil, err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, usageError{err}
		}
		if !strings.HasPrefix(string(data[:min(len(data), 64)]), "c2sp.org/tlog-proof@v1\n") {
			return parseOne(name, data)
		}
		r, err := receipt.Parse(data)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", errInvalid, name, err)
		}
		if entry, err = trial.ParseEntry(r.Entry); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if entry.Statement != nil {
		_, st := entry.Statement.Effective()
		if c := trial.ContentOf(st); c != nil && c.Facts != nil {
			return study.FromFacts(c.Facts), nil
		}
	}
	return nil, fmt.Errorf("%w: %s has no facts: compare the documents themselves", errInvalid, name)
}
