package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"rsc.io/qr"

	"github.com/trialproof/trialproof/api/web"
	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/dossier"
	"github.com/trialproof/trialproof/trial/page"
)

func reportCommand(ctx context.Context, e *env, args []string) error {
	var r remote
	var at, article, out, format string
	var word trusted
	rest, err := r.begin(e, args, false, func(fs *flag.FlagSet) {
		fs.StringVar(&out, "o", "", "write the report to `FILE.html`, and with its proofs to FILE.json; neither over another")
		fs.StringVar(&format, "format", "html", "html, or `pdf` where Chromium or Chrome is installed: -o is FILE.pdf then")
		fs.StringVar(&at, "at", time.Now().UTC().Format(time.DateOnly), "judge deadlines as of this `day`")
		fs.StringVar(&article, "article", "", "`file` of the outcomes that an article reports: text, one a line, or JSON")
		word.flags(fs)
	})
	if err != nil {
		return err
	}
	if format != "html" && format != "pdf" {
		return frame.Usagef("-format is html or pdf")
	}
	if len(rest) != 1 || filepath.Ext(out) != "."+format {
		return frame.Usagef("one trial, and -o FILE.%s for its report, must be given", format)
	}
	browser := ""
	if format == "pdf" {
		if browser, err = findBrowser(); err != nil {
			return err
		}
	}
	twin := strings.TrimSuffix(out, "."+format) + ".json"
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
	drawn, err := drawReport(x, filepath.Base(twin), sha256.Sum256(data))
	if err != nil {
		return err
	}
	if format == "pdf" {
		if drawn, err = printPDF(ctx, browser, drawn); err != nil {
			return err
		}
	}
	if err := writeNew(twin, data, 0o644); err != nil {
		return err
	}
	if err := writeNew(out, drawn, 0o644); err != nil {
		return err
	}
	fmt.Fprintf(e.Stderr, "%s is the report to read; %s contains the same with its proofs, which anyone can check: trial "+
		"verify-history -policy %s %s\n",
		out, twin, quoted(r.policyFile), quoted(twin))
	return stated(d.Histories)
}

// drawReport returns the report for people. On each page of paper stands the digest of the file for
// programs beside it, which has the proofs.
func drawReport(x *dossier.Report, twin string, digest trial.Hash) ([]byte, error) {
	v := &page.View{Report: x, Print: true, Twin: twin}
	body, err := page.Trial(v)
	if err != nil {
		return nil, err
	}
	code, err := qr.Encode("sha256:"+digest.String(), qr.L)
	if err != nil {
		return nil, err
	}
	code.Scale = 2
	p := &web.Page{Title: "Report on " + v.Name(), Body: body, Footer: fmt.Sprintf("Inspector's report, drawn from %s (SHA-256 %s), which "+
		"has the same with the proofs of what was logged. To check this page, check that file: its SHA-256 must be the one here.",
		twin, digest)}
	return p.Print(fmt.Sprintf("%s. Proofs: %s, SHA-256 %s", v.Name(), twin, digest), code.PNG())
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
		return dossier.Invalid(err)
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
