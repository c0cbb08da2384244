//go:build js && wasm

// Command dossier is what the pages about one trial run: it draws a trial's page anew from what it
// has verified, checks reports and disclosed parts, and compares outcomes.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"syscall/js"

	"github.com/trialproof/trialproof/cmd/trialwasm/export"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/dossier"
	"github.com/trialproof/trialproof/trial/element"
	"github.com/trialproof/trialproof/trial/evidence"
	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/page"
	"github.com/trialproof/trialproof/trial/receipt"
)

func main() {
	o := export.New("dossier")
	o.Func("part", "tt", part)
	o.Func("report", "tt", report)
	o.Func("evidence", "tt", checkEvidence)
	o.Async("trial", "tsf", trialPage)
	o.Run()
}

func policy(text js.Value) (*checkpoint.Policy, error) {
	p, err := checkpoint.ParsePolicy(export.Bytes(text))
	if err != nil {
		return nil, fmt.Errorf("the policy: %w", err)
	}
	return p, nil
}

// part checks what trial disclose made.
func part(args []js.Value) (any, error) {
	p, err := policy(args[0])
	if err != nil {
		return nil, err
	}
	d, err := element.Parse(export.Bytes(args[1]))
	if err != nil {
		return nil, &receipt.Problem{Part: "element", Detail: err.Error()}
	}
	v, err := receipt.Verify(p, []byte(d.Receipt))
	if err != nil {
		return nil, err
	}
	if err := d.Check(trial.ElementsOf(v.Entry)); err != nil {
		return nil, err
	}
	return map[string]any{"path": d.Path, "absent": d.Absent, "text": d.Text, "plain": v.Plain("")}, nil
}

// report checks a report for programs, which trial report wrote.
func report(args []js.Value) (any, error) {
	p, err := policy(args[0])
	if err != nil {
		return nil, err
	}
	v, err := dossier.VerifyReport(p, export.Bytes(args[1]), nil)
	if err != nil {
		return nil, export.Invalid(err)
	}
	says := fmt.Sprintf("The report on %s lists these entries, and where the trial stands, its comparison and its deadlines follow from "+
		"them.", v.Asked)
	answer := map[string]any{"replayed": v.Replayed(), "lacking": "", "says": says}
	lines := []string{}
	for _, h := range v.Own() {
		x := h.Verdict.Plain()
		lines = append(lines, x.Says, x.Complete)
	}
	if !v.Lacking.IsZero() {
		answer["lacking"] = v.Lacking
		answer["says"] = fmt.Sprintf("The report on %s lists these entries, and where the trial stands follows from them.", v.Asked)
		lines = append(lines, "Its study, comparison and deadlines were not checked, because they also rest on a document that is not "+
			"here: check the report with trial verify-history -files (SHA-256 "+v.Lacking.String()+").")
	}
	answer["lines"] = lines
	return answer, nil
}

// checkEvidence checks a proof that a log misbehaved, which trial monitor or a witness wrote.
func checkEvidence(args []js.Value) (any, error) {
	p, err := policy(args[0])
	if err != nil {
		return nil, err
	}
	list := []*evidence.Verdict{}
	for line := range bytes.Lines(export.Bytes(args[1])) { // a witness's file has one on each
		x, err := evidence.Parse(line)
		if err != nil {
			return nil, export.Invalid(err)
		}
		v, err := x.Verify(p)
		if err != nil {
			return nil, export.Invalid(err)
		}
		list = append(list, v)
	}
	if len(list) == 0 {
		return nil, export.Invalid(errors.New("the file is empty"))
	}
	return list, nil
}

// fetched gives pages of histories that a script of the page fetches. The script's function takes
// kind, id, size and from, and returns a promise of the page's text; it fails with the message "gone"
// if the tree is no longer served.
type fetched struct{ get js.Value }

var errGone = errors.New("gone")

func (f fetched) Page(_ context.Context, key trial.RecordKey, size, from uint64) (*history.History, error) {
	text, err := export.Await(f.get.Invoke(key.Kind, key.ID, strconv.FormatUint(size, 10), strconv.FormatUint(from, 10)))
	if err != nil && err.Error() == "gone" {
		return nil, errGone
	}
	if err != nil {
		return nil, err
	}
	h, err := history.ParsePage([]byte(text.String()))
	if err != nil {
		return nil, export.Invalid(err)
	}
	return h, nil
}

func (fetched) Gone(err error) bool { return errors.Is(err, errGone) }

// A question is what a page about a trial shows. What was asked is in the query of the page's address, or,
// on a page that has a form for it, in asked and article.
type question struct {
	Query   string `json:"query"`
	Asked   string `json:"asked"`
	Article string `json:"article"`

	ID   string `json:"id"`          // of the trial, as the log says, if what was asked means none by itself
	Size uint64 `json:"size,string"` // of the tree, as the log says; 0: the newest
	At   string `json:"at"`          // day as of which deadlines are judged

	Comparing bool `json:"comparing"`
}

// trialPage draws the page of a trial from what it verifies: the policy's text, the question in JSON,
// and the function that fetches.
func trialPage(args []js.Value) (any, error) {
	p, err := policy(args[0])
	if err != nil {
		return nil, err
	}
	var x question
	if err := json.Unmarshal([]byte(args[1].String()), &x); err != nil {
		return nil, fmt.Errorf("%w: %w", export.ErrArguments, err)
	}
	q := page.Question{Asked: x.Asked, Article: x.Article}
	if !x.Comparing {
		if q, err = page.ParseQuestion(x.Query); err != nil {
			return nil, err
		}
	}
	q.At, q.Comparing = x.At, x.Comparing
	key, err := page.KeyOf(q.Asked)
	short := err != nil
	if short && x.ID != "" {
		key, err = page.KeyOf(x.ID)
	}
	if err != nil {
		return nil, err
	}
	g := &dossier.Gatherer{Policy: p, Source: fetched{args[2]}, Size: x.Size}
	v, err := page.Gather(context.Background(), g, key, q)
	if x.Size != 0 && (errors.Is(err, errGone) || errors.Is(err, dossier.ErrGrowing)) {
		g.Size = 0 // the log has grown much since
		v, err = page.Gather(context.Background(), g, key, q)
	}
	if v != nil && v.Nothing && !x.Comparing && !short {
		err = nil // which is proven
	}
	if err == nil && short && !v.Means(q.Asked) {
		err = export.Invalid(fmt.Errorf("the log answers with another trial than was asked for: %.80q is neither its sponsor's number "+
			"nor the beginning of its id", q.Asked))
	}
	if errors.Is(err, dossier.ErrInvalid) && !errors.Is(err, dossier.ErrDisputed) {
		err = export.Invalid(err)
	}
	if err != nil {
		return nil, err
	}
	drawn, err := page.Trial(v)
	if err != nil {
		return nil, err
	}
	name := q.Asked
	if !v.Nothing {
		name = v.Name()
	}
	return map[string]any{"html": drawn, "name": name, "replayed": v.Replayed(), "size": strconv.FormatUint(v.Size, 10),
		"seenBy": page.InWords(v.SeenBy), "quorum": p.QuorumText(), "short": short, "nothing": v.Nothing}, nil
}
