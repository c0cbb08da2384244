package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/durable"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/audit"
	"github.com/trialproof/trialproof/trial/checkpoint"
)

// saveEvery is how much of a replay may be lost to a crash: to write the state of
// a large log takes a second or two.
var saveEvery = 30 * time.Second

func auditLog(ctx context.Context, e *env, args []string) error {
	var r remote
	var stateFile, evidenceFile string
	var asJSON bool
	rest, err := r.begin(e, args, false, func(fs *flag.FlagSet) {
		fs.StringVar(&stateFile, "state", "", "`file` to resume from and to leave the state in; written every 30 seconds too")
		fs.StringVar(&evidenceFile, "evidence", "", "`file` to write what proves the first finding to others, for trial evidence")
		fs.BoolVar(&asJSON, "json", false, "print findings and the result as JSON, one a line")
	})
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return frame.Usagef("no arguments but flags are taken")
	}
	if err := folderOf("-evidence", evidenceFile); err != nil {
		return err
	}
	a, err := openAudit(r.policy, r.client, stateFile)
	if err != nil {
		return err
	}
	p := e.Progress("replaying")
	a.Progress = func(done, total uint64) { p.Show("%d of %d entries", done, total) }
	if stateFile != "" {
		last := time.Now()
		a.Boundary = func() error {
			if time.Since(last) < saveEvery {
				return nil
			}
			data, err := a.SaveProgress()
			if err == nil {
				err = durable.Replace(stateFile, data, 0o666)
			}
			last = time.Now()
			return err
		}
	}
	report, err := a.Run(ctx)
	p.End()
	if err != nil {
		return err
	}
	for _, f := range report.Findings {
		if asJSON {
			json.NewEncoder(e.Stdout).Encode(f)
		} else {
			fmt.Fprintln(e.Stdout, f)
		}
	}
	if report.Incomplete != nil {
		fmt.Fprintf(e.Stderr, "trial audit: the replay ended early, there may be more: %v\n", report.Incomplete)
	}
	for _, said := range report.Checkpoint.Clocks(a.State().Time().Std(), time.Now()) {
		fmt.Fprintf(e.Stderr, "trial audit: clocks differ: %s\n", said)
	}
	if n := len(report.Findings); n > 0 {
		e.prove(ctx, a, evidenceFile)
		return fmt.Errorf("%w: %d findings up to size %d", errInvalid, n, report.Checkpoint.Size)
	}
	cp := report.Checkpoint
	if asJSON {
		json.NewEncoder(e.Stdout).Encode(map[string]any{
			"ok": true, "origin": cp.Origin, "size": cp.Size, "root": fmt.Sprintf("%x",
				cp.Root), "from": report.From, "mapRoot": a.State().MapRoot(),
		})
	} else {
		fmt.Fprintf(e.Stdout, "clean: %s keeps its rules from entry %d up to size %d; root %x\n", cp.Origin, report.From, cp.Size, cp.Root)
		if report.From > 0 {
			fmt.Fprintf(e.Stdout, "the entries before %d were found clean by the audit that left this state\n", report.From)
		}
		if t, ok := cp.ProvenTime(); ok {
			fmt.Fprintf(e.Stdout, "witnesses saw this tree by %s; what was logged since is not known\n", trial.Moment(t))
		}
		e.printPolicy(r.policy)
		if r.policy.Unwitnessed() {
			fmt.Fprintln(e.Stdout, "no witness: that others are shown the same tree is the operator's word alone")
		}
	}
	if stateFile == "" {
		return nil
	}
	data, err := a.Save()
	if err != nil {
		return err
	}
	return durable.Replace(stateFile, data, 0o666)
}

// openAudit returns an auditor that resumes from a file, or begins with the first
// entry if there is none or no name. A state file whose folder is not there is refused
// now, not when hours of replaying are to be saved.
func openAudit(p *checkpoint.Policy, c *client.Client, stateFile string) (*audit.Auditor, error) {
	lessGarbage()
	if stateFile == "" {
		return audit.New(p, c), nil
	}
	if err := folderOf("-state", stateFile); err != nil {
		return nil, err
	}
	if _, err := os.Stat(stateFile); errors.Is(err, os.ErrNotExist) {
		return audit.New(p, c), nil
	}
	if _, err := regular(stateFile); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(stateFile)
	if err != nil {
		return nil, frame.AsUsage(err)
	}
	a, err := audit.Resume(p, c, data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w (remove it to begin with the first entry)", stateFile, err)
	}
	return a, nil
}

// prove writes the evidence of what was found, if a file is named, and says what
// to do with it.
func (e *env) prove(ctx context.Context, a *audit.Auditor, name string) {
	if name == "" {
		fmt.Fprintln(e.Stderr, "trial audit: run it again with -evidence FILE for a file that proves it to others")
		return
	}
	x, err := a.Evidence(ctx)
	if err == nil {
		err = durable.Replace(name, x.Marshal(), 0o666)
	}
	if err != nil {
		fmt.Fprintf(e.Stderr, "trial audit: no evidence is written: %s\n", frame.Printable(err.Error()))
		return
	}
	fmt.Fprintf(e.Stderr, "trial audit: %s proves it to others, who run: trial evidence -policy POLICY %s\n", name, quoted(name))
}

// lessGarbage makes garbage collection rarer: a replay makes much garbage and keeps little.
// It leaves GOGC alone where the user has set it.
func lessGarbage() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}
