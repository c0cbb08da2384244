//go:build js && wasm

// Command dossier is what the pages about one trial run: it draws a trial's page anew from what it
// has verified, checks reports and disclosed parts, and compares outcomes.
package main

import (
	"fmt"
	"syscall/js"

	"github.com/trialproof/trialproof/cmd/trialwasm/export"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/dossier"
	"github.com/trialproof/trialproof/trial/element"
	"github.com/trialproof/trialproof/trial/receipt"
)

func main() {
	o := export.New("dossier")
	o.Func("part", "ss", part)
	o.Func("report", "ss", report)
	o.Run()
}

func policy(text js.Value) (*checkpoint.Policy, error) {
	p, err := checkpoint.ParsePolicy([]byte(text.String()))
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
	d, err := element.Parse([]byte(args[1].String()))
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
	v, err := dossier.VerifyReport(p, []byte(args[1].String()), nil)
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
