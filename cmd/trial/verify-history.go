package main

import (
	"context"
	"fmt"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/dossier"
	"github.com/trialproof/trialproof/trial/history"
)

func checkHistory(p *checkpoint.Policy, data []byte) (*dossier.History, error) {
	h, err := history.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errInvalid, err)
	}
	v, err := h.Verify(p)
	if err != nil {
		return nil, dossier.Invalid(err)
	}
	return &dossier.History{Verdict: v, Proof: h}, nil
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
