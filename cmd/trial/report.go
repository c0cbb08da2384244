package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"html/template"
	"path/filepath"
	"strings"
	"time"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/dossier"
	"github.com/trialproof/trialproof/trial/page"
	"github.com/trialproof/trialproof/trial/timeline"
)

//go:embed report.html
var reportHTML string

var reportPage = template.Must(template.New("report").Funcs(template.FuncMap{
	"short":   func(s string) string { return s[:min(len(s), 16)] },
	"mark":    timeline.MarkText,
	"marks":   func(list []timeline.Mark) []timeline.MarkGroup { return timeline.Group(list, false) },
	"struck":  func(list []timeline.Mark) []timeline.MarkGroup { return timeline.Group(list, true) },
	"weight":  func(id trial.MarkID) string { return timeline.WeightText[timeline.MarkWeight(id)] },
	"finding": findingText,
	"source":  sourceText,
	"logged":  loggedBy,
	"at":      linked,
	"moment":  inWords,
	"class":   class,
}).Parse(reportHTML))

// linked links to an entry of the page, or names the file that nobody has logged.
func linked(entry uint64, file string) template.HTML {
	if file != "" {
		return template.HTML(template.HTMLEscapeString(frame.Printable(file)))
	}
	return template.HTML(fmt.Sprintf(`<a href="#entry-%d">entry %d</a>`, entry, entry))
}

// class returns the style of a verdict: of a conditional one, that of the verdict in it.
func class(verdict string) string {
	if _, in, ok := strings.Cut(verdict, " copies alone: "); ok {
		verdict = in
	}
	return strings.ReplaceAll(verdict, " ", "-")
}

func reportCommand(ctx context.Context, e *env, args []string) error {
	var r remote
	var at, article, out string
	var word trusted
	rest, err := r.begin(e, args, false, func(fs *flag.FlagSet) {
		fs.StringVar(&out, "o", "", "write the report to `FILE.html`, and with its proofs to FILE.json; neither over another")
		fs.StringVar(&at, "at", time.Now().UTC().Format(time.DateOnly), "judge deadlines as of this `day`")
		fs.StringVar(&article, "article", "", "`file` of the outcomes that an article reports: text, one a line, or JSON")
		word.flags(fs)
	})
	if err != nil {
		return err
	}
	if len(rest) != 1 || filepath.Ext(out) != ".html" {
		return frame.Usagef("one trial, and -o FILE.html for its report, must be given")
	}
	twin := strings.TrimSuffix(out, ".html") + ".json"
	for _, name := range []string{out, twin} {
		if exists(name) {
			return frame.Usagef("%s is there already and is not overwritten", name)
		}
	}
	text, _, err := readArticle(article)
	if err != nil {
		return err
	}
	r.keep = true
	d, err := r.dossier(ctx, rest[0], &word, true)
	if err != nil {
		return err
	}
	x, err := d.Report(r.policy, at, text)
	if err != nil {
		return frame.AsUsage(err)
	}
	data, err := x.Marshal()
	if err != nil {
		return err
	}
	var drawn bytes.Buffer
	if err := reportPage.Execute(&drawn, struct {
		*dossier.Report
		Twin, Digest string
	}{x, filepath.Base(twin), fmt.Sprintf("%x", sha256.Sum256(data))}); err != nil {
		return err
	}
	if err := writeNew(twin, data, 0o644); err != nil {
		return err
	}
	if err := writeNew(out, page.Visible(drawn.Bytes()), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(e.Stderr, "%s is the report to read; %s contains the same with its proofs, which anyone can check: trial "+
		"verify-history -policy %s %s\n",
		out, twin, quoted(r.policyFile), quoted(twin))
	return stated(d.Histories)
}

// verifyReport checks the proofs in a report for programs, and that the report is what
// follows from them and from the documents given.
func (e *env) verifyReport(p *checkpoint.Policy, data []byte, w view, files []string) error {
	v, err := dossier.VerifyReport(p, data, documentsIn(files))
	if v != nil { // what its proofs hold is shown, whatever the report makes of it
		for _, h := range v.Own() {
			if err := e.printHistory(p, h.Verdict, w); err != nil {
				return err
			}
		}
	}
	if _, unreadable := errors.AsType[frame.UsageError](err); unreadable {
		return err
	}
	if err != nil {
		return invalidHistory(err)
	}
	if !v.Lacking.IsZero() {
		fmt.Fprintln(e.Stdout, "the report lists these entries, and where the trial stands follows from them")
		return fmt.Errorf("its study, comparison and deadlines were not checked, because they also rest on a document: give it with "+
			"-files "+
			"(SHA-256 %s)", v.Lacking)
	}
	fmt.Fprintln(e.Stdout, "the report lists these entries, and where the trial stands, its comparison and its deadlines follow from them")
	return stated(v.Histories)
}
